//! That nothing is missing in the gallery, and that it stays a page without scripts.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::*;

const GALLERY: &[&str] = &[
    include_str!("mod.rs"),
    include_str!("data.rs"),
    include_str!("fields.rs"),
    include_str!("messages.rs"),
    include_str!("planned.rs"),
];

fn kit() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ui")
}

/// The public components of a source file.
fn components(source: &str) -> Vec<String> {
    source
        .split("#[component]")
        .skip(1)
        .filter_map(|rest| {
            let name = rest.trim_start().strip_prefix("pub fn ")?;
            Some(name[..name.find(['(', '<'])?].to_owned())
        })
        .collect()
}

fn is_shown(component: &str) -> bool {
    let tag = format!("<{component}");
    GALLERY.iter().any(|source| {
        source.match_indices(&tag).any(|(at, _)| {
            let next = source[at + tag.len()..].chars().next();
            next.is_some_and(|c| c.is_whitespace() || matches!(c, '/' | '>'))
        })
    })
}

#[test]
fn every_component_of_the_kit_is_shown() {
    let mut found = BTreeSet::new();
    for file in std::fs::read_dir(kit()).expect("the kit's folder") {
        let source = std::fs::read_to_string(file.expect("a file").path()).expect("its text");
        found.extend(components(&source));
    }
    assert!(found.len() >= 20, "the kit cannot be read: {found:?}");
    let missing: Vec<_> = found.iter().filter(|name| !is_shown(name)).collect();
    assert!(
        missing.is_empty(),
        "show them in app/src/pages/gallery, each in every state: {missing:?}"
    );
    assert!(!is_shown("Fiel") && !is_shown("NoSuchComponent"));
}

#[test]
fn every_status_of_the_lexicon_is_shown() {
    let source = std::fs::read_to_string(kit().join("status.rs")).expect("the statuses");
    let (_, body) = source
        .split_once("pub enum StatusKind {")
        .expect("the enum");
    let (body, _) = body.split_once('}').expect("its end");
    let declared: BTreeSet<&str> = body
        .lines()
        .filter_map(|line| line.trim().strip_suffix(','))
        .collect();
    let listed: BTreeSet<String> = StatusKind::ALL
        .iter()
        .map(|kind| format!("{kind:?}"))
        .collect();
    let listed: BTreeSet<&str> = listed.iter().map(String::as_str).collect();
    assert_eq!(declared, listed, "StatusKind::ALL has each kind once");
    let html = document(&[]);
    for kind in StatusKind::ALL {
        let item = format!("data-status=\"{}\"", kind.word());
        assert_eq!(html.matches(&item).count(), 1, "{item}");
    }
}

#[test]
fn the_page_has_no_script_and_no_id_twice() {
    let mark = |state: &str, word: &str| SyncMark {
        state: state.to_owned(),
        word: word.to_owned(),
        detail: "Why.".to_owned(),
        link: None,
    };
    let html = document(&[mark("waiting", "First word"), mark("failed", "Second word")]);
    assert!(html.starts_with("<!DOCTYPE html>"), "{}", &html[..80]);
    for unwanted in ["<script", "style=\"", "<style", " onclick="] {
        assert!(!html.contains(unwanted), "{unwanted}");
    }
    assert!(html.contains(MARK));
    let ids: Vec<&str> = html
        .split(" id=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), unique.len(), "{ids:?}");
    // Each mark stands in the grid, in its legend and in the agenda.
    for word in ["First word", "Second word"] {
        assert_eq!(html.matches(word).count(), 3, "{word}");
    }
    assert!(!document(&[]).contains("First word"));
}
