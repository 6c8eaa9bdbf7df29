//! The status lexicon: the only words, shapes and colours that say how something is.

use daybind_words::t;
use leptos::prelude::*;

use super::Icon;

/// How one object is. Each kind has one word and one shape; colour only helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusKind {
    /// Proven to work.
    Working,
    /// Moving changes now.
    Syncing,
    /// Being tested now.
    Checking,
    /// Nothing to do but wait; always give the reason and the time.
    Waiting,
    /// A person has to act.
    NeedsYou,
    /// Did not work and will not by itself.
    Failed,
    /// Stopped by a person, can be resumed.
    Paused,
    /// Switched off.
    Off,
    /// No connection exists.
    NotConnected,
    /// Nobody has tried yet.
    NotTested,
}

impl StatusKind {
    /// Each kind once, in the order of the lexicon.
    pub const ALL: [Self; 10] = [
        Self::Working,
        Self::Syncing,
        Self::Checking,
        Self::Waiting,
        Self::NeedsYou,
        Self::Failed,
        Self::Paused,
        Self::Off,
        Self::NotConnected,
        Self::NotTested,
    ];

    /// The word shown.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Working => t!("Working"),
            Self::Syncing => t!("Syncing"),
            Self::Checking => t!("Checking"),
            Self::Waiting => t!("Waiting"),
            Self::NeedsYou => t!("Needs you"),
            Self::Failed => t!("Failed"),
            Self::Paused => t!("Paused"),
            Self::Off => t!("Off"),
            Self::NotConnected => t!("Not connected"),
            Self::NotTested => t!("Not tested"),
        }
    }

    /// The sprite's shape for this kind.
    #[must_use]
    pub const fn icon(self) -> &'static str {
        match self {
            Self::Working => "status-ok",
            Self::Syncing | Self::Checking => "status-busy",
            Self::Waiting => "status-waiting",
            Self::NeedsYou => "status-needs-you",
            Self::Failed => "status-failed",
            Self::Paused | Self::Off | Self::NotConnected => "status-off",
            Self::NotTested => "status-unknown",
        }
    }

    const fn class(self) -> &'static str {
        match self {
            Self::Working => "db-status db-status--ok",
            Self::Syncing | Self::Checking => "db-status db-status--busy",
            Self::Waiting => "db-status db-status--waiting",
            Self::NeedsYou => "db-status db-status--needs-you",
            Self::Failed => "db-status db-status--failed",
            Self::Paused | Self::Off | Self::NotConnected => "db-status db-status--off",
            Self::NotTested => "db-status db-status--unknown",
        }
    }
}

/// A shape and a word. `text` adds the reason or the time after the word; it never replaces the word.
#[component]
pub fn StatusTag(
    /// What is true.
    kind: StatusKind,
    /// The reason or time, such as "until 14:05". Empty: only the word.
    #[prop(optional, into)]
    text: String,
) -> impl IntoView {
    let detail =
        (!text.is_empty()).then(|| view! { <span class="db-status__detail">" · " {text}</span> });
    view! {
        <span class=kind.class()>
            <Icon name=kind.icon() />
            <span>{kind.word()} {detail}</span>
        </span>
    }
}
