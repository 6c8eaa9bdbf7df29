//! What is in the built files: no provider's calendar host in anything Community ships, and the gallery of components in no
//! program for browsers.

use super::checks;
use super::count::Count;
use crate::build::Edition;
use crate::process::Context;
use anyhow::{Context as _, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// Words that only the calendar code holds; the last is the prefix of its symbols.
const MARKS: [&str; 6] = [
    "graph.microsoft.com",
    "graph.microsoft.us",
    "microsoftgraph.chinacloudapi.cn",
    "googleapis.com",
    "/calendar/v3",
    "daybind_ee",
];

/// What marks the gallery of components (`MARK` in `app/src/pages/gallery`), which servers of a debug build alone have.
const GALLERY: &str = "daybind-component-gallery";

/// Scans the Community server and every Community site file; then the Enterprise server, where the
/// same scan must find every mark. Then both editions for the gallery.
pub fn run(context: &Context) -> Result<Count> {
    let mut list = vec![(
        "CE server".to_owned(),
        clean(&Edition::Ce.server(context, false)),
    )];
    let mut files = Vec::new();
    collect(&Edition::Ce.site(context), &mut files)?;
    if !files.contains(&Edition::Ce.wasm(context)) {
        bail!("the Community site has no WASM file");
    }
    for file in files {
        list.push((format!("CE {}", file.display()), clean(&file)));
    }
    list.push((
        "EE server".to_owned(),
        full(&Edition::Ee.server(context, false)),
    ));
    for edition in Edition::BOTH {
        let mut files = Vec::new();
        collect(&edition.site(context), &mut files)?;
        list.push((
            format!("no gallery in {}", edition.site(context).display()),
            without_gallery(&files, &edition.server(context, false)),
        ));
    }
    checks(list)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("no folder {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn clean(file: &Path) -> Result<()> {
    let found = marks_in(&read(file)?);
    if !found.is_empty() {
        bail!("{} contains {found:?}", file.display());
    }
    Ok(())
}

fn full(file: &Path) -> Result<()> {
    let found = marks_in(&read(file)?);
    // The path is put together from segments there, so only the hosts stand in one piece.
    if !MARKS
        .iter()
        .filter(|mark| !mark.starts_with('/'))
        .all(|mark| found.contains(mark))
    {
        bail!(
            "{} should contain the hosts of {MARKS:?} but has only {found:?}: the scan is blind",
            file.display()
        );
    }
    Ok(())
}

/// The debug server must have it, or else nothing is shown by the files that do not.
fn without_gallery(files: &[PathBuf], server: &Path) -> Result<()> {
    let has = |file: &Path| Ok::<_, anyhow::Error>(contains(&read(file)?, GALLERY.as_bytes()));
    if !has(server)? {
        bail!("{} has no gallery: the scan is blind", server.display());
    }
    for file in files {
        if has(file)? {
            bail!("{} contains the gallery of components", file.display());
        }
    }
    Ok(())
}

fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("could not read {}", file.display()))
}

fn marks_in(bytes: &[u8]) -> Vec<&'static str> {
    MARKS
        .into_iter()
        .filter(|mark| contains(bytes, mark.as_bytes()))
        .collect()
}

/// Whether `needle` is in `hay`, in any mix of upper and lower case: a binary of a hundred megabytes
/// is searched by the first byte alone wherever that does not match.
fn contains(hay: &[u8], needle: &[u8]) -> bool {
    let Some(first) = needle.first() else {
        return true;
    };
    hay.windows(needle.len())
        .any(|window| window[0].eq_ignore_ascii_case(first) && window.eq_ignore_ascii_case(needle))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// M-06, W40: what the step looks for in Community's files.
    #[test]
    fn marks_are_found_among_other_bytes() {
        assert_eq!(
            marks_in(b"\0\xff..https://Graph.Microsoft.com/v1.0\0"),
            ["graph.microsoft.com"]
        );
        assert_eq!(marks_in(b"/calendar/v"), [""; 0]);
        assert_eq!(marks_in(b"_ZN18daybind_ee_calendar"), ["daybind_ee"]);
    }

    /// A program for browsers with the gallery in it is found, and so is a scan that cannot find it anywhere.
    #[test]
    fn the_gallery_is_found() {
        let folder = std::env::temp_dir().join(format!("xtask-gallery-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = |name: &str, bytes: &[u8]| {
            let path = folder.join(name);
            fs::write(&path, bytes).unwrap();
            path
        };
        let mark = [b"\0", GALLERY.as_bytes(), b"\0"].concat();
        let (server, with) = (file("server", &mark), file("with.wasm", &mark));
        let without = file("without.wasm", b"\0asm");
        assert!(without_gallery(std::slice::from_ref(&without), &server).is_ok());
        assert!(without_gallery(&[without.clone(), with], &server).is_err());
        assert!(without_gallery(&[], &without).is_err());
        fs::remove_dir_all(&folder).unwrap();
        let source = include_str!("../../../app/src/pages/gallery/mod.rs");
        assert!(source.contains(&format!("MARK: &str = \"{GALLERY}\"")));
    }

    #[test]
    fn a_needle_longer_than_the_hay_is_not_in_it() {
        assert!(!contains(b"ab", b"abc"));
        assert!(contains(b"xabc", b"abc"));
        assert!(contains(b"", b""));
    }
}
