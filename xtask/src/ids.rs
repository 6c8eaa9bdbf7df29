//! The table of promises in `docs/testing.md`: which test shows which of them.
//!
//! A promise has an id (`M-03`, `U7`, `W35`). A test that shows it names the id in its doc comment, or in its title where it is
//! a browser journey. [`write`] brings the table's last column up to date; [`check`] fails when the table promises what no
//! test names.

use crate::process::{self, Context};
use anyhow::{Context as _, Result, bail};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Where the table stands.
const TABLE: &str = "docs/testing.md";
/// What stands in the last column while no test names the id.
const NOT_YET: &str = "not yet";

/// Id to the files whose tests name it.
type Places = BTreeMap<String, BTreeSet<String>>;

/// One line of the table.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    id: String,
    promise: String,
    shown: Vec<String>,
}

/// Brings the table up to date.
///
/// # Errors
/// When the table or a source file cannot be read or written.
pub fn write(context: &Context) -> Result<()> {
    let file = context.root.join(TABLE);
    let text = fs::read_to_string(&file).with_context(|| format!("no {TABLE}"))?;
    let places = scan(context)?;
    fs::write(&file, updated(&text, &places))?;
    let unknown = unknown(&text, &places);
    if !unknown.is_empty() {
        process::note(&format!(
            "tests name ids the table does not have: {unknown:?}"
        ));
    }
    Ok(())
}

/// Holds the table against the tests; how many promises it makes.
///
/// # Errors
/// When a promise of the table has no test, or names a file that does not show it.
pub fn check(context: &Context) -> Result<usize> {
    let text =
        fs::read_to_string(context.root.join(TABLE)).with_context(|| format!("no {TABLE}"))?;
    let places = scan(context)?;
    let (kept, late) = judge(&text, &places)?;
    if !late.is_empty() {
        process::note(&format!(
            "tests show promises the table calls {NOT_YET:?}; `cargo xtask ids` mends that: {late:?}"
        ));
    }
    Ok(kept)
}

/// Promises kept, and promises that are shown although the table does not say so yet.
fn judge(text: &str, places: &Places) -> Result<(usize, Vec<String>)> {
    let rows: Vec<Row> = text.lines().filter_map(row).collect();
    if rows.len() < 45 {
        bail!("{TABLE} has {} rows; its table cannot be read", rows.len());
    }
    let (mut kept, mut late, mut wrong) = (0, Vec::new(), Vec::new());
    let none = BTreeSet::new();
    for row in &rows {
        let found = places.get(&row.id).unwrap_or(&none);
        if row.shown.is_empty() {
            if !found.is_empty() {
                late.push(row.id.clone());
            }
            continue;
        }
        kept += 1;
        for file in row.shown.iter().filter(|file| !found.contains(*file)) {
            wrong.push(format!("{}: no test in {file} names it", row.id));
        }
    }
    if !wrong.is_empty() {
        bail!(
            "{TABLE} promises what no test shows (a test names the id in its doc comment; `cargo xtask ids` rewrites the \
             table):\n  {}",
            wrong.join("\n  ")
        );
    }
    Ok((kept, late))
}

fn unknown(text: &str, places: &Places) -> Vec<String> {
    let known: BTreeSet<String> = text.lines().filter_map(row).map(|row| row.id).collect();
    places
        .keys()
        .filter(|id| !known.contains(*id))
        .cloned()
        .collect()
}

fn row(line: &str) -> Option<Row> {
    let mut cells = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ");
    let (id, promise, shown) = (
        cells.next()?.trim(),
        cells.next()?.trim(),
        cells.next()?.trim(),
    );
    if cells.next().is_some() || !is_id(id) {
        return None;
    }
    let shown = shown
        .split(", ")
        .filter(|file| *file != NOT_YET)
        .map(|file| file.trim_matches('`').to_owned())
        .collect();
    Some(Row {
        id: id.to_owned(),
        promise: promise.to_owned(),
        shown,
    })
}

fn updated(text: &str, places: &Places) -> String {
    let mut out = String::new();
    for line in text.lines() {
        if let Some(row) = row(line) {
            let shown = places.get(&row.id).map_or_else(
                || NOT_YET.to_owned(),
                |files| {
                    let files: Vec<String> = files.iter().map(|file| format!("`{file}`")).collect();
                    files.join(", ")
                },
            );
            out.push_str(&format!("| {} | {} | {shown} |", row.id, row.promise));
        } else {
            out.push_str(line);
        }
        out.push('\n');
    }
    out
}

/// `M-` and two digits, or `U` or `W` and one or two.
fn is_id(word: &str) -> bool {
    let digits = |text: &str, from: usize, to: usize| {
        (from..=to).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    word.strip_prefix("M-")
        .is_some_and(|rest| digits(rest, 2, 2))
        || word
            .strip_prefix(['U', 'W'])
            .is_some_and(|rest| digits(rest, 1, 2))
}

fn scan(context: &Context) -> Result<Places> {
    let listing = process::output(context.command("git").args([
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
        "*.rs",
        "*.ts",
        "*.mjs",
    ]))
    .context("git does not list the files")?;
    let mut places = Places::new();
    for path in listing.lines() {
        let Ok(text) = fs::read_to_string(context.root.join(path)) else {
            continue;
        };
        for id in named(path, &text) {
            places.entry(id).or_default().insert(path.to_owned());
        }
    }
    Ok(places)
}

/// The ids the tests of a file name.
fn named(path: &str, text: &str) -> BTreeSet<String> {
    let journey = Path::new(path)
        .extension()
        .is_some_and(|end| end == "ts" || end == "mjs");
    let all_tests = path.contains("/tests/")
        || path.contains("/contract/")
        || path.ends_with("tests.rs")
        || path.starts_with("test-support/guards/")
        || path.starts_with("xtask/src/test/");
    let mut inside = all_tests || journey;
    let mut found = BTreeSet::new();
    for line in text.lines().map(str::trim) {
        inside |= line == "#[cfg(test)]";
        let speaks = line.starts_with("//")
            || line.starts_with('*')
            || (journey && (line.starts_with("test") || line.starts_with("it(")));
        if inside && speaks {
            let words = line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
            found.extend(words.filter(|word| is_id(word)).map(str::to_owned));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(last: &str) -> String {
        let mut text = String::from("| Id | Promise | Shown by |\n| --- | --- | --- |\n");
        for n in 1..45 {
            text.push_str(&format!("| W{n} | x | {NOT_YET} |\n"));
        }
        text + last
    }

    #[test]
    fn ids_are_told_from_other_words() {
        for id in ["M-03", "U7", "W35"] {
            assert!(is_id(id), "{id}");
        }
        for word in ["M-3", "M-123", "U", "W123", "WASM", "U+1", "m-03"] {
            assert!(!is_id(word), "{word}");
        }
    }

    #[test]
    fn only_tests_count() {
        let rule =
            "/// W1 is why.\nfn rule() {}\n#[cfg(test)]\nmod tests {\n    /// W2: shown.\n}\n";
        assert_eq!(named("core/x/src/rule.rs", rule), ["W2".to_owned()].into());
        assert_eq!(
            named(
                "end2end/tests/a.spec.ts",
                "test('M-09 there and back', async () => {\n  open('W3');"
            ),
            ["M-09".to_owned()].into()
        );
    }

    /// M-45: the check of the table fails for a promise without a test, and for one whose file no longer shows it.
    #[test]
    fn a_promise_without_a_test_is_noticed() {
        let places: Places = [("M-01".to_owned(), ["a.rs".to_owned()].into())].into();
        let good = table("| M-01 | x | `a.rs` |\n");
        assert_eq!(judge(&good, &places).unwrap().0, 1);
        let other = judge(&table("| M-01 | x | `b.rs` |\n"), &places).unwrap_err();
        assert!(other.to_string().contains("b.rs"), "{other}");
        let none = judge(&table("| M-02 | x | `a.rs` |\n"), &places).unwrap_err();
        assert!(none.to_string().contains("M-02"), "{none}");
        let late = judge(&table("| M-01 | x | not yet |\n"), &places).unwrap();
        assert_eq!(late, (0, vec!["M-01".to_owned()]));
    }

    #[test]
    fn the_last_column_is_rewritten() {
        let places: Places = [(
            "M-01".to_owned(),
            ["a.rs".to_owned(), "b.rs".to_owned()].into(),
        )]
        .into();
        let text = "text\n| M-01 | x | not yet |\n| M-02 | y | `z.rs` |\n";
        assert_eq!(
            updated(text, &places),
            "text\n| M-01 | x | `a.rs`, `b.rs` |\n| M-02 | y | not yet |\n"
        );
    }
}
