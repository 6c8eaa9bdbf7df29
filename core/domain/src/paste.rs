//! What an admin pastes from Entra's Overview page: single values, or the whole block with its labels.

use crate::profile::is_guid;

/// Values found in a pasted text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pasted {
    /// After "Display name".
    pub display_name: Option<String>,
    /// After "Application (client) ID".
    pub client_id: Option<String>,
    /// After "Directory (tenant) ID".
    pub directory_id: Option<String>,
}

#[derive(Clone, Copy)]
enum Label {
    Name,
    Client,
    Directory,
    /// A labelled value that is none of ours (Object ID): recognised so that it is not taken for one.
    Other,
}

/// Labels as Entra writes them, in lower case.
const LABELS: [(&str, Label); 5] = [
    ("display name", Label::Name),
    ("application (client) id", Label::Client),
    ("directory (tenant) id", Label::Directory),
    ("object id", Label::Other),
    ("supported account types", Label::Other),
];

/// Reads a block as copied from Entra's Overview page. A label and its value may share a line (with or without a colon)
/// or stand on two lines; zero-width characters and "Copy to clipboard" captions are skipped. A GUID without a label is
/// not guessed at.
#[must_use]
pub fn read_overview(text: &str) -> Pasted {
    let mut found = Pasted::default();
    let mut waiting: Option<Label> = None;
    for line in text.lines() {
        let line: String = line
            .chars()
            .filter(|c| !matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}'))
            .collect();
        let line = line.trim();
        if line.is_empty() || line == ":" || line.eq_ignore_ascii_case("copy to clipboard") {
            continue;
        }
        let lower = line.to_lowercase();
        let labelled = LABELS
            .iter()
            .find(|(words, _)| lower.starts_with(words))
            .map(|(words, label)| (*label, words.len()));
        let (label, value) = match (labelled, waiting.take()) {
            (Some((label, end)), _) => {
                // Labels are ASCII, so lower-casing in front of `end` has moved nothing.
                let rest = line.get(end..).unwrap_or_default();
                let value = rest.trim_start_matches([':', '\t', ' ']).trim();
                if value.is_empty() {
                    waiting = Some(label);
                    continue;
                }
                (label, value)
            }
            (None, Some(label)) => (label, line),
            (None, None) => continue,
        };
        let slot = match label {
            Label::Name => &mut found.display_name,
            Label::Client if is_guid(value) => &mut found.client_id,
            Label::Directory if is_guid(value) => &mut found.directory_id,
            Label::Client | Label::Directory | Label::Other => continue,
        };
        if slot.is_none() {
            *slot = Some(value.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: &str = "22222222-2222-4222-8222-222222222222";
    const TENANT: &str = "11111111-1111-4111-8111-111111111111";
    const OBJECT: &str = "33333333-3333-4333-8333-333333333333";

    #[test]
    fn reads_the_overview_block_in_both_layouts() {
        let one_line = format!(
            "Essentials\nDisplay name : Daybind sign-in\nApplication (client) ID: {CLIENT}\nObject ID: {OBJECT}\n\
             Directory (tenant) ID\t{TENANT}\nSupported account types : My organization only"
        );
        let two_lines = format!(
            "Display name\nDaybind sign-in\n\nApplication (client) ID\n:\n\u{200b}{CLIENT}\nCopy to clipboard\n\
             Object ID\n{OBJECT}\nDirectory (tenant) ID\n{TENANT}\n"
        );
        for text in [one_line, two_lines] {
            let found = read_overview(&text);
            assert_eq!(found.display_name.as_deref(), Some("Daybind sign-in"));
            assert_eq!(found.client_id.as_deref(), Some(CLIENT));
            assert_eq!(found.directory_id.as_deref(), Some(TENANT));
        }
    }

    #[test]
    fn nothing_is_guessed() {
        assert_eq!(read_overview(CLIENT), Pasted::default());
        assert_eq!(
            read_overview(&format!("Object ID: {OBJECT}")),
            Pasted::default()
        );
        assert_eq!(
            read_overview("Application (client) ID: soon"),
            Pasted::default()
        );
        assert_eq!(
            read_overview("İ Application (client) ID"),
            Pasted::default()
        );
    }
}
