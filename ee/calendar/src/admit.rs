//! Which events that Daybind did not make become entries, and how much of them. Pure.

use daybind_domain::schedule::{EntryContent, ShowAs};
use daybind_services::privacy::without_words;

use crate::provider::{RemoteEvent, RemoteState};

/// Words that mark an event for the schedule; the second one is that of tenants who came from Alga PSA.
pub const MARKERS: [&str; 2] = ["@daybind", "@alga"];

/// A connection's rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ImportRule {
    /// Nothing comes in but what Daybind made.
    #[default]
    Nothing,
    /// Events with a marker in title or notes.
    Marked,
    /// All events, as busy blocks.
    Busy,
}

impl ImportRule {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Nothing, Self::Marked, Self::Busy];

    /// The stored word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Marked => "marked",
            Self::Busy => "busy",
        }
    }

    /// Reads the stored word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.as_str() == word)
    }
}

/// What becomes of an event that belongs to no entry.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "one at a time, taken apart at once"
)]
pub enum Import {
    /// It becomes an entry.
    Bring {
        /// What the entry says.
        content: EntryContent,
        /// `calendar`, `guest` or `busy`, see [`daybind_ee_storage::Mapping::origin`].
        origin: &'static str,
    },
    /// It stays where it is, for this reason (a short code).
    Skip(&'static str),
}

/// Decides about an event that belongs to no entry.
#[must_use]
pub fn import(rule: ImportRule, show_private: bool, event: &RemoteEvent) -> Import {
    let content = match &event.state {
        RemoteState::Present(content) => content,
        RemoteState::Unsupported(_) => return Import::Skip("series"),
        RemoteState::Deleted | RemoteState::LeftView => return Import::Skip("deleted"),
    };
    // An occurrence belongs to its series' entry.
    if event.part.is_some() {
        return Import::Skip("occurrence");
    }
    if event.about.copy_of.is_some() {
        return Import::Skip("own_copy");
    }
    let hidden = content.private && !show_private;
    match rule {
        ImportRule::Nothing => Import::Skip("nothing_imported"),
        ImportRule::Marked if !is_marked(content) => Import::Skip("not_marked"),
        ImportRule::Marked if hidden => Import::Bring {
            content: busy(content),
            origin: "busy",
        },
        ImportRule::Marked => Import::Bring {
            content: content.clone(),
            origin: if event.about.guest {
                "guest"
            } else {
                "calendar"
            },
        },
        ImportRule::Busy if content.shows == ShowAs::Free => Import::Skip("shown_as_free"),
        ImportRule::Busy => Import::Bring {
            content: busy(content),
            origin: "busy",
        },
    }
}

/// The event without its words.
#[must_use]
pub fn busy(content: &EntryContent) -> EntryContent {
    // Nothing is left that could be private.
    EntryContent {
        private: false,
        ..without_words(content)
    }
}

/// A marker counts as a word of its own, in any case: `x@daybind.test` is none.
fn is_marked(content: &EntryContent) -> bool {
    let words = content
        .title
        .split_whitespace()
        .chain(content.notes.split_whitespace());
    words
        .map(|word| word.trim_end_matches(['.', ',', ';', ':', '!', '?', ')']))
        .any(|word| {
            MARKERS
                .iter()
                .any(|marker| word.eq_ignore_ascii_case(marker))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::About;
    use daybind_domain::schedule::{EntryStatus, ShowAs, When};

    fn event(title: &str, about: About) -> RemoteEvent {
        let when = When::AllDay {
            start: "2026-12-01".parse().unwrap(),
            end: "2026-12-02".parse().unwrap(),
        };
        RemoteEvent {
            state: RemoteState::Present(EntryContent {
                title: title.to_owned(),
                notes: "secret notes".to_owned(),
                location: "secret place".to_owned(),
                when,
                repeats: None,
                shows: ShowAs::Busy,
                private: false,
                status: EntryStatus::Scheduled,
            }),
            about,
            ..RemoteEvent::deleted("x")
        }
    }

    fn with(title: &str, shows: ShowAs, private: bool) -> RemoteEvent {
        let mut made = event(title, About::default());
        if let RemoteState::Present(content) = &mut made.state {
            (content.shows, content.private) = (shows, private);
        }
        made
    }

    #[test]
    fn nothing_comes_in_unless_the_rule_says_so() {
        let plain = event("Dentist @daybind", About::default());
        assert_eq!(
            import(ImportRule::Nothing, true, &plain),
            Import::Skip("nothing_imported")
        );
        assert_eq!(
            import(
                ImportRule::Marked,
                true,
                &event("mail x@daybind.test", About::default())
            ),
            Import::Skip("not_marked")
        );
        for title in ["Visit @Daybind", "@alga: visit", "Visit (soon) @DAYBIND!"] {
            assert!(matches!(
                import(ImportRule::Marked, false, &event(title, About::default())),
                Import::Bring {
                    origin: "calendar",
                    ..
                }
            ));
        }
    }

    /// W14: what is private stays private.
    #[test]
    fn private_events_and_busy_blocks_come_in_without_words() {
        for (rule, private) in [
            (ImportRule::Marked, true),
            (ImportRule::Busy, true),
            (ImportRule::Busy, false),
        ] {
            let doctor = with("Doctor @daybind", ShowAs::Busy, private);
            let Import::Bring { content, origin } = import(rule, false, &doctor) else {
                panic!("it comes in");
            };
            assert_eq!((content.title.as_str(), origin), ("Busy", "busy"));
            assert!(content.notes.is_empty() && content.location.is_empty());
            assert!(!content.private, "a block has no words to hide");
        }
        // Whose owner opted in: a private entry, whole.
        let doctor = with("Doctor @daybind", ShowAs::Free, true);
        assert!(matches!(
            import(ImportRule::Marked, true, &doctor),
            Import::Bring { content, .. }
                if content.notes == "secret notes" && content.private && content.shows == ShowAs::Free
        ));
    }

    /// Copies of other connections never come back in, so chains of connections multiply nothing.
    #[test]
    fn copies_of_entries_free_time_and_guests() {
        let copy = About {
            copy_of: Some(daybind_domain::ids::MappingId(uuid::Uuid::now_v7())),
            ..About::default()
        };
        assert_eq!(
            import(ImportRule::Busy, true, &event("x", copy)),
            Import::Skip("own_copy")
        );
        let free = with("x", ShowAs::Free, false);
        assert_eq!(
            import(ImportRule::Busy, true, &free),
            Import::Skip("shown_as_free")
        );
        let guest = About {
            guest: true,
            ..About::default()
        };
        assert!(matches!(
            import(ImportRule::Marked, true, &event("@daybind", guest)),
            Import::Bring {
                origin: "guest",
                ..
            }
        ));
    }
}
