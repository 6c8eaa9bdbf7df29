//! Why an entry is not in step with its calendar: kept as a code in [`Mapping::error`](daybind_ee_storage::Mapping), said in
//! the reader's language.

use daybind_words::t;

use crate::merge::Field;

/// Why an entry failed, waits for a person, or stays where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The event's time cannot be read.
    NoTime,
    /// The event repeats in a way Daybind does not plan with.
    UnknownRule,
    /// The event's zone says nothing: read in another, it would drift with the clock changes.
    UnknownZone,
    /// Graph has no words for the entry's rule.
    Unsayable,
    /// The calendar does not know the entry's zone under any name: it would drift.
    NoClock,
    /// The provider answered, but nothing that can be used.
    NoAnswer,
    /// The base of the mapping is damaged.
    Unreadable,
    /// The provider refused the entry with this HTTP status.
    Refused(u16),
    /// The event was deleted, and nobody else does the work.
    Deleted,
    /// Both sides changed these.
    Differs(Vec<Field>),
}

/// Those without a value.
const PLAIN: [(Fault, &str); 8] = [
    (Fault::NoTime, "no_time"),
    (Fault::UnknownRule, "unknown_rule"),
    (Fault::UnknownZone, "unknown_zone"),
    (Fault::Unsayable, "unsayable"),
    (Fault::NoClock, "no_clock"),
    (Fault::NoAnswer, "no_answer"),
    (Fault::Unreadable, "unreadable"),
    (Fault::Deleted, "deleted"),
];

impl Fault {
    /// As a mapping keeps it: a word, or a word, a colon and values (`refused:403`, `differs:title,time`).
    #[must_use]
    pub fn code(&self) -> String {
        match self {
            Self::Refused(status) => format!("refused:{status}"),
            Self::Differs(fields) => {
                let words: Vec<_> = fields.iter().map(|field| field.word()).collect();
                format!("differs:{}", words.join(","))
            }
            plain => plain.word().to_owned(),
        }
    }

    /// The code without its values.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Refused(_) => "refused",
            Self::Differs(_) => "differs",
            plain => PLAIN
                .iter()
                .find(|(fault, _)| fault == plain)
                .map_or("", |(_, word)| word),
        }
    }

    /// Reads [`Self::code`].
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        if let Some((fault, _)) = PLAIN.iter().find(|(_, word)| *word == code) {
            return Some(fault.clone());
        }
        let (word, values) = code.split_once(':')?;
        match word {
            "refused" => values.parse().ok().map(Self::Refused),
            "differs" => {
                let fields: Option<Vec<_>> = values.split(',').map(Field::parse).collect();
                fields.map(Self::Differs)
            }
            _ => None,
        }
    }

    /// For the person whose entry it is: what is wrong, and what to do where something can be done.
    #[must_use]
    pub fn said(&self) -> String {
        let text = match self {
            Self::NoTime => t!("The event's time could not be read."),
            Self::UnknownRule => {
                t!(
                    "The event repeats in a way that Daybind does not plan with. It is left as it is on both sides."
                )
            }
            Self::UnknownZone => {
                t!(
                    "The series is in a time zone that Daybind does not know. It is left as it is on both sides."
                )
            }
            Self::Unsayable => {
                t!(
                    "Outlook cannot express how this series repeats. It stays as it is in the schedule and does not travel."
                )
            }
            Self::NoClock => {
                t!(
                    "The calendar does not know this series' time zone. It stays as it is in the schedule and does not travel."
                )
            }
            Self::NoAnswer => {
                t!(
                    "The calendar gave no usable answer about this entry. Daybind tries again from time to time; Sync now under Profile > Calendar tries at once."
                )
            }
            Self::Unreadable => {
                t!(
                    "What Daybind noted about this entry cannot be read. Take the technician off the entry and add them again."
                )
            }
            Self::Refused(403) => {
                t!(
                    "The calendar does not let Daybind write this entry (status 403). Check that the account may change events there. Daybind tries again from time to time; Sync now under Profile > Calendar tries at once."
                )
            }
            Self::Refused(status) => {
                return t!(
                    "The calendar refused this entry (status {status}). Changing the entry may help. Daybind tries again from time to time; Sync now under Profile > Calendar tries at once."
                );
            }
            Self::Deleted => {
                t!(
                    "The event was deleted in the calendar, and nobody else does this work. Choose whether to call it off or to put the event back."
                )
            }
            Self::Differs(fields) => {
                let names: Vec<_> = fields.iter().map(|field| field.said()).collect();
                let names = names.join(", ");
                return t!(
                    "Changed differently in the schedule and in the calendar: {names}. Choose which one stays, or make both the same."
                );
            }
        };
        text.to_owned()
    }
}

/// What a mapping keeps, in words. What is no code is words already: those of an earlier version.
#[must_use]
pub fn said(kept: &str) -> String {
    Fault::parse(kept).map_or_else(|| kept.to_owned(), |fault| fault.said())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_again() {
        let all = PLAIN.iter().map(|(fault, _)| fault.clone()).chain([
            Fault::Refused(410),
            Fault::Differs(vec![Field::Title]),
            Fault::Differs(Field::ALL.to_vec()),
        ]);
        for fault in all {
            let code = fault.code();
            assert_eq!(Fault::parse(&code), Some(fault.clone()), "{code}");
            assert_ne!(said(&code), code);
            assert!(code.starts_with(fault.word()) && !fault.word().is_empty());
        }
    }

    #[test]
    fn other_words_stay_as_they_are() {
        for words in ["", "refused:soon", "differs:colour", "Ask: why"] {
            assert_eq!(said(words), words);
        }
    }
}
