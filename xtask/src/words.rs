//! The catalogues of texts: each crate with `t!` keeps its German in `words/de.po`.
//!
//! A text without German does not compile. What the compiler cannot see is said here: entries that no text has any more, and
//! where a text stands. [`write`] mends both, and gives new texts an empty entry for a translator; [`check`] says so.

use crate::process::{self, Context};
use anyhow::{Context as _, Result, bail};
use polib::catalog::Catalog;
use polib::message::Message;
use polib::metadata::CatalogMetadata;
use polib::po_file;
use proc_macro2::{TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Crates that speak to people.
const CRATES: [&str; 6] = [
    "app",
    "core/domain",
    "core/services",
    "ee/app",
    "ee/calendar",
    "ee/domains",
];

/// Context (empty for none) and English of a text, to the files it stands in.
type Texts = BTreeMap<(String, String), BTreeSet<String>>;

/// Brings every catalogue up to date.
///
/// # Errors
/// When a source file or a catalogue cannot be read or written.
pub fn write(context: &Context) -> Result<()> {
    for name in CRATES {
        let folder = context.root.join(name);
        let texts = texts(&folder)?;
        let path = catalogue(&folder);
        let old = read(&path)?;
        let mut new = Catalog::new(CatalogMetadata {
            content_type: "text/plain; charset=UTF-8".to_owned(),
            content_transfer_encoding: "8bit".to_owned(),
            language: "de".to_owned(),
            mime_version: "1.0".to_owned(),
            ..CatalogMetadata::new()
        });
        let mut missing = 0;
        let mut sorted: Vec<_> = texts.iter().collect();
        // What stands together on the screen stands together for the translator.
        sorted.sort_by_key(|(key, files)| (files.first().cloned(), (*key).clone()));
        for ((about, english), files) in sorted {
            let german = old.get(&(about.clone(), english.clone()));
            missing += usize::from(german.is_none());
            let mut message = Message::build_singular();
            message
                .with_source(files.iter().cloned().collect::<Vec<_>>().join("\n"))
                .with_msgid(english.clone())
                .with_msgstr(german.cloned().unwrap_or_default());
            if !about.is_empty() {
                message.with_msgctxt(about.clone());
            }
            new.append_or_update(message.done());
        }
        po_file::write_to_file(&new, &path)?;
        if missing > 0 {
            process::note(&format!(
                "{}: {missing} texts have no German yet",
                path.display()
            ));
        }
    }
    Ok(())
}

/// Holds the catalogues against the texts; how many there are.
///
/// # Errors
/// When an entry's text is gone, or a text has no entry.
pub fn check(context: &Context) -> Result<usize> {
    let (mut count, mut wrong) = (0, Vec::new());
    for name in CRATES {
        let folder = context.root.join(name);
        let (texts, kept) = (texts(&folder)?, read(&catalogue(&folder))?);
        count += texts.len();
        let gone = kept.keys().filter(|key| !texts.contains_key(*key));
        wrong.extend(gone.map(|(_, text)| format!("{name} does not say {text:?} any more")));
        let bare = texts.keys().filter(|key| !kept.contains_key(*key));
        wrong.extend(bare.map(|(_, text)| format!("{name} has no German for {text:?}")));
    }
    if !wrong.is_empty() {
        bail!(
            "`cargo xtask words` mends the catalogues:\n{}",
            wrong.join("\n")
        );
    }
    Ok(count)
}

fn catalogue(folder: &Path) -> PathBuf {
    folder.join("words").join("de.po")
}

/// The German by context and English.
fn read(path: &Path) -> Result<BTreeMap<(String, String), String>> {
    let all =
        po_file::parse(path).map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))?;
    let all = all.messages().filter(|message| message.is_translated());
    Ok(all
        .map(|message| {
            let about = message.msgctxt().unwrap_or_default().to_owned();
            let german = message.msgstr().unwrap_or_default().to_owned();
            ((about, message.msgid().to_owned()), german)
        })
        .collect())
}

fn texts(folder: &Path) -> Result<Texts> {
    let mut found = Texts::new();
    for file in sources(&folder.join("src"))? {
        let code = fs::read_to_string(&file)?;
        let tokens: TokenStream = code
            .parse()
            .map_err(|error| anyhow::anyhow!("{}: {error}", file.display()))?;
        let place = file.strip_prefix(folder).unwrap_or(&file);
        let place = place.to_string_lossy().replace('\\', "/");
        collect(tokens, &place, &mut found)?;
    }
    Ok(found)
}

fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(sources(&path)?);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Finds `t!(…)` and `template!(…)`, in other macros, too.
fn collect(tokens: TokenStream, place: &str, found: &mut Texts) -> Result<()> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        let TokenTree::Group(group) = token else {
            continue;
        };
        let ours = at >= 2
            && matches!(&tokens[at - 1], TokenTree::Punct(mark) if mark.as_char() == '!')
            && matches!(&tokens[at - 2], TokenTree::Ident(name) if name == "t" || name == "template");
        if ours && let Some(key) = key(group.stream())? {
            found.entry(key).or_default().insert(place.to_owned());
        }
        collect(group.stream(), place, found)?;
    }
    Ok(())
}

/// Context and English of what such a macro is given.
fn key(given: TokenStream) -> Result<Option<(String, String)>> {
    let given: Vec<TokenTree> = given.into_iter().collect();
    let text = |at: usize| -> Result<Option<String>> {
        match given.get(at) {
            Some(TokenTree::Literal(literal)) => {
                let literal: syn::LitStr = syn::parse_str(&literal.to_string())?;
                Ok(Some(literal.value()))
            }
            _ => Ok(None),
        }
    };
    let arrow = matches!(given.get(1), Some(TokenTree::Punct(mark)) if mark.as_char() == '=');
    Ok(match (text(0)?, arrow) {
        (Some(about), true) => text(3)?.map(|english| (about, english)),
        (Some(english), false) => Some((String::new(), english)),
        (None, _) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_in_code_and_in_pages_with_their_context() {
        let code = r#"fn f() { view! { <p title=t!("A\
            B")>{t!("verb" => "Open {}", name)}</p> }; template!("{n} more"); not!("This"); }"#;
        let mut found = Texts::new();
        collect(code.parse().unwrap(), "src/x.rs", &mut found).unwrap();
        let keys: Vec<_> = found.keys().cloned().collect();
        let key = |about: &str, text: &str| (about.to_owned(), text.to_owned());
        assert_eq!(
            keys,
            [key("", "AB"), key("", "{n} more"), key("verb", "Open {}")]
        );
    }
}
