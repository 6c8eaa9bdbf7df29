//! Compressed copies of the files that browsers fetch, beside them: the server sends `daybind.wasm.br` or `daybind.wasm.gz`
//! for `daybind.wasm` to whoever takes them. Made once here, they are smaller than what a proxy can afford to make.

use crate::process::{self, Context};
use anyhow::{Context as _, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// What is worth it; fonts are compressed already.
const KINDS: [&str; 5] = ["wasm", "js", "css", "svg", "json"];
/// The endings of the copies.
const COPIES: [&str; 2] = ["br", "gz"];
/// Less than this arrives at once either way, in bytes.
const LEAST: u64 = 1_024;

/// Node carries the brotli that web servers use.
const WRITE: &str = "const z = require('zlib'), fs = require('fs'); \
    for (const name of process.argv.slice(1)) { \
        const file = fs.readFileSync(name); \
        const size = { [z.constants.BROTLI_PARAM_QUALITY]: 11, [z.constants.BROTLI_PARAM_SIZE_HINT]: file.length }; \
        fs.writeFileSync(name + '.br', z.brotliCompressSync(file, { params: size })); \
        fs.writeFileSync(name + '.gz', z.gzipSync(file, { level: 9 })); \
    }";

/// Writes the copies for all files of the site, over those of earlier builds.
///
/// # Errors
/// When Node or a file is missing.
pub fn write(context: &Context, site: &Path) -> Result<()> {
    remove(site)?;
    let mut worth = Vec::new();
    for file in files(site)? {
        if ending(&file).is_some_and(|ending| KINDS.contains(&ending))
            && fs::metadata(&file)?.len() >= LEAST
        {
            worth.push(file);
        }
    }
    process::run(
        context
            .command("node")
            .args(["-e", WRITE, "--"])
            .args(worth),
    )
}

/// Removes all copies: what is built without them must not be served from older ones.
///
/// # Errors
/// When the folder cannot be read or a file not be removed.
pub fn remove(site: &Path) -> Result<()> {
    for file in files(site)? {
        if ending(&file).is_some_and(|ending| COPIES.contains(&ending)) {
            fs::remove_file(&file)
                .with_context(|| format!("could not remove {}", file.display()))?;
        }
    }
    Ok(())
}

/// How many bytes a browser that takes brotli fetches for the file.
///
/// # Errors
/// When there is no such file.
pub fn size(file: &Path) -> Result<u64> {
    let mut copy = file.as_os_str().to_owned();
    copy.push(".br");
    let sent = if Path::new(&copy).exists() {
        PathBuf::from(copy)
    } else {
        file.to_owned()
    };
    let found = fs::metadata(&sent).with_context(|| format!("no {}", sent.display()))?;
    Ok(found.len())
}

fn ending(file: &Path) -> Option<&str> {
    file.extension().and_then(|ending| ending.to_str())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("no folder {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_stand_beside_what_is_worth_it_and_none_is_left_of_earlier_builds() {
        let site = std::env::temp_dir().join(format!("daybind-compress-{}", std::process::id()));
        let _ = fs::remove_dir_all(&site);
        fs::create_dir_all(site.join("pkg")).unwrap();
        let put = |name: &str, bytes: usize| fs::write(site.join(name), vec![b'a'; bytes]).unwrap();
        put("pkg/daybind.wasm", 9_000);
        put("pkg/small.js", 900);
        put("font.woff2", 9_000);
        put("pkg/gone.wasm.br", 9);
        write(&Context::discover().unwrap(), &site).unwrap();
        let names = || {
            let mut names: Vec<String> = files(&site)
                .unwrap()
                .iter()
                .map(|file| file.strip_prefix(&site).unwrap().display().to_string())
                .collect();
            names.sort();
            names
        };
        assert_eq!(
            names(),
            [
                "font.woff2",
                "pkg/daybind.wasm",
                "pkg/daybind.wasm.br",
                "pkg/daybind.wasm.gz",
                "pkg/small.js",
            ]
        );
        let gz = fs::read(site.join("pkg/daybind.wasm.gz")).unwrap();
        assert_eq!(gz[..2], [0x1f, 0x8b], "that is gzip");
        assert!(size(&site.join("pkg/daybind.wasm")).unwrap() < 100);
        assert_eq!(size(&site.join("pkg/small.js")).unwrap(), 900);
        assert!(size(&site.join("pkg/none.js")).is_err());
        remove(&site).unwrap();
        assert_eq!(names(), ["font.woff2", "pkg/daybind.wasm", "pkg/small.js"]);
        fs::remove_dir_all(&site).unwrap();
    }
}
