//! The parts of the WASM that a page fetches when it gets there.
//!
//! A part belongs to the program it was split from: beside another build's it would call the wrong functions. So the
//! parts carry their build's mark in their names, and a page that is older than the server finds none: it is loaded anew.

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fs;
use std::hash::{DefaultHasher, Hasher as _};
use std::path::Path;

/// The program that starts first, the script that fetches the parts, and which parts each page needs.
const MAIN: &str = "daybind.wasm";
const SCRIPT: &str = "__wasm_split.______________________.js";
const MANIFEST: &str = "__wasm_split_manifest.json";

/// How the script fetches a part, and how it shall. A page that was loaded just now does not load itself again: then the
/// server lacks the part, and the page stays as the server rendered it.
const FETCH: &str = "const src = fetch(new URL(\"./";
const ASK: &str = "const src = part(new URL(\"./";
const PART: &str = "\
function part(url) {
    return fetch(url).then((answer) => {
        if (answer.status !== 404 || performance.now() < 5000) return answer;
        location.reload();
        return new Promise(() => {});
    });
}
";

/// What each page needs beside the program, in the order of the manifest.
pub type Pages = Vec<(String, Vec<String>)>;

/// Marks the parts in the folder, removes those of earlier builds, and returns which page needs which (file names).
///
/// # Errors
/// When the folder does not hold what the split leaves there.
pub fn mark(pkg: &Path) -> Result<Pages> {
    let read = |name: &str| {
        fs::read_to_string(pkg.join(name)).with_context(|| format!("the split left no {name}"))
    };
    let manifest: Map<String, Value> = serde_json::from_str(&read(MANIFEST)?)?;
    let script = read(SCRIPT)?;
    let plain: BTreeSet<&str> = manifest
        .values()
        .flat_map(|parts| parts.as_array().into_iter().flatten())
        .filter_map(Value::as_str)
        .collect();
    if plain.is_empty() || !script.contains(FETCH) {
        bail!("the script that fetches parts has another form than expected; look at {SCRIPT}");
    }
    let mut hasher = DefaultHasher::new();
    for name in plain
        .iter()
        .map(|part| format!("{part}.wasm"))
        .chain([MAIN.to_owned()])
    {
        let bytes =
            fs::read(pkg.join(&name)).with_context(|| format!("the split left no {name}"))?;
        hasher.write(&bytes);
    }
    let mark = format!("{:016x}", hasher.finish());
    let mut marked = script.replace(FETCH, ASK);
    for part in &plain {
        fs::rename(
            pkg.join(format!("{part}.wasm")),
            pkg.join(format!("{part}.{mark}.wasm")),
        )?;
        marked = marked.replace(
            &format!("\"./{part}.wasm\""),
            &format!("\"./{part}.{mark}.wasm\""),
        );
    }
    fs::write(pkg.join(SCRIPT), marked + PART)?;
    let pages: Pages = manifest
        .into_iter()
        .map(|(page, parts)| {
            let parts = parts.as_array().into_iter().flatten();
            let parts = parts.filter_map(Value::as_str);
            (page, parts.map(|part| format!("{part}.{mark}")).collect())
        })
        .collect();
    fs::write(
        pkg.join(MANIFEST),
        serde_json::to_string_pretty(
            &pages
                .iter()
                .cloned()
                .collect::<std::collections::BTreeMap<_, _>>(),
        )?,
    )?;
    sweep(pkg, &mark)?;
    Ok(pages)
}

/// Which page needs which parts, of a folder that was marked.
///
/// # Errors
/// When there is no manifest.
pub fn pages(pkg: &Path) -> Result<Pages> {
    let text = fs::read_to_string(pkg.join(MANIFEST)).context("the WASM is not split")?;
    let pages: std::collections::BTreeMap<String, Vec<String>> = serde_json::from_str(&text)?;
    Ok(pages.into_iter().collect())
}

fn sweep(pkg: &Path, mark: &str) -> Result<()> {
    for entry in fs::read_dir(pkg)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.ends_with(".wasm") && name != MAIN && !name.ends_with(&format!(".{mark}.wasm")) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_carry_the_mark_of_their_build() {
        let folder = std::env::temp_dir().join(format!("daybind-parts-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
        let lay = |program: &str| {
            write(MAIN, program);
            write("chunk_1.wasm", "one");
            write("chunk_10.wasm", "ten");
            write(
                MANIFEST,
                r#"{"__a": ["chunk_1", "chunk_10"], "__b": ["chunk_1"]}"#,
            );
            let fetched = |part: &str| format!("{FETCH}{part}.wasm\", import.meta.url));\n");
            write(SCRIPT, &(fetched("chunk_1") + &fetched("chunk_10")));
        };
        lay("first");
        let first = mark(&folder).unwrap();
        assert_eq!(pages(&folder).unwrap(), first);
        lay("second");
        let second = mark(&folder).unwrap();
        assert_eq!(second[0].0, "__a");
        assert_eq!(second[0].1.len(), 2);
        assert_ne!(
            first, second,
            "another program has other parts, though they are the same"
        );
        let script = fs::read_to_string(folder.join(SCRIPT)).unwrap();
        let mut left: Vec<String> = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .filter(|name| name.ends_with(".wasm"))
            .collect();
        left.sort();
        let mut expected: Vec<String> = second[0]
            .1
            .iter()
            .map(|part| format!("{part}.wasm"))
            .collect();
        expected.push(MAIN.to_owned());
        expected.sort();
        assert_eq!(left, expected);
        for part in &second[0].1 {
            assert!(
                script.contains(&format!("part(new URL(\"./{part}.wasm\"")),
                "{script}"
            );
        }
        assert!(!script.contains(FETCH));
        fs::remove_dir_all(&folder).unwrap();
    }
}
