//! What sync asks of a calendar provider, and how their answers are sorted.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use daybind_domain::ids::MappingId;
use daybind_domain::schedule::EntryContent;
use secrecy::SecretString;
use thiserror::Error;

use crate::faults::Fault;
use crate::merge::Field;

/// A provider's refusal, sorted by what we do about it. Never carries provider text.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProviderError {
    /// The access token is not accepted.
    #[error("the provider does not accept the access token")]
    Unauthorized,
    /// The cursor or the thing is gone for good (410).
    #[error("gone")]
    Gone,
    /// It exists already (409).
    #[error("exists already")]
    Conflict,
    /// Somebody changed it meanwhile (412).
    #[error("changed meanwhile")]
    PreconditionFailed,
    /// There is no such thing (404).
    #[error("not found")]
    NotFound,
    /// Too many requests.
    #[error("throttled")]
    Throttled {
        /// How long the provider asks us to wait.
        after: Option<Duration>,
    },
    /// The app registration used up what it may ask for, about all accounts.
    #[error("the app's quota is used up")]
    Exhausted {
        /// How long to leave the provider alone.
        after: Duration,
    },
    /// No usable answer; trying again may help.
    #[error("no usable answer ({0})")]
    Transient(&'static str),
    /// Refused; trying again does not help.
    #[error("refused with status {0}")]
    Permanent(u16),
}

/// Result of a provider call.
pub type ProviderResult<T> = Result<T, ProviderError>;

/// The connected account.
#[derive(Debug, Clone)]
pub struct Account {
    /// The provider's stable id.
    pub id: String,
    /// Its address, for display only.
    pub email: String,
}

/// A calendar of the account.
#[derive(Debug, Clone)]
pub struct RemoteCalendar {
    /// The provider's id.
    pub id: String,
    /// Never empty.
    pub name: String,
    /// Whether we may write to it.
    pub can_write: bool,
    /// The account's main one.
    pub is_primary: bool,
}

/// What an external event says now.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "a page's worth at a time, and nearly all are present"
)]
pub enum RemoteState {
    /// It is there.
    Present(EntryContent),
    /// It is there in a form we do not carry.
    Unsupported(Fault),
    /// The provider says it was deleted.
    Deleted,
    /// It left the view; only a look at it tells whether it was deleted (Graph's `@removed`).
    LeftView,
}

/// What else is known of an event: whether and how it may become an entry. Never travels back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct About {
    /// When it was last changed, by the provider's clock.
    pub changed_at: Option<DateTime<Utc>>,
    /// Somebody else organises it.
    pub guest: bool,
    /// Where its online meeting is joined, an https address.
    pub meeting: Option<String>,
    /// Daybind made it, for this mapping.
    pub copy_of: Option<MappingId>,
    /// The series that it goes on with, which its owner split there.
    pub continues: Option<Continues>,
    /// It is a series that ends earlier now, and another one begins where it went on: its owner may have split it.
    pub perhaps_split: bool,
}

/// What a series that begins where another one was split says of that one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Continues {
    /// The provider's id of the series that was split first; it may have been split again since.
    pub series: String,
    /// The first of its occurrences that belong to the new series; none when the provider does not say.
    pub original: Option<Original>,
}

/// When an occurrence takes place by its series' rule, as the provider names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Original {
    /// At that instant.
    At(DateTime<Utc>),
    /// On that day, in the series' zone or in none.
    Day(NaiveDate),
}

/// Which occurrence of which series an event is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The provider's id of the series.
    pub series: String,
    /// Which one; none when the provider does not say.
    pub original: Option<Original>,
}

/// An external event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteEvent {
    /// The provider's id.
    pub id: String,
    /// Its ETag.
    pub etag: Option<String>,
    /// Its iCalendar UID.
    pub ical_uid: Option<String>,
    /// What it says; of a series, its first occurrence and how it repeats.
    pub state: RemoteState,
    /// The occurrence of a series it is.
    pub part: Option<Part>,
    /// Days on which the series it is has no occurrence, in its own zone.
    pub without: Vec<NaiveDate>,
    /// What else is known of it.
    pub about: About,
}

impl RemoteEvent {
    /// The provider's word that there is no such event.
    #[must_use]
    pub fn deleted(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            etag: None,
            ical_uid: None,
            state: RemoteState::Deleted,
            part: None,
            without: Vec::new(),
            about: About::default(),
        }
    }
}

/// Where a delta begins.
#[derive(Debug, Clone)]
pub enum DeltaFrom {
    /// A full pass over a window.
    Full {
        /// First instant.
        from: DateTime<Utc>,
        /// First instant after it.
        to: DateTime<Utc>,
    },
    /// What changed since the cursor.
    Since(String),
}

/// A page's events, made of what came only when they are asked for: by then the next page is on its way.
///
/// Each is an event, or the error that it cannot be read.
pub type Events = Box<dyn Iterator<Item = ProviderResult<RemoteEvent>> + Send>;

/// One page of a delta.
pub struct DeltaPage {
    /// Events, in no order, possibly repeated.
    pub events: Events,
    /// The next page, if any.
    pub next: Option<String>,
    /// The cursor for next time, on the last page.
    pub cursor: Option<String>,
}

/// Names one copy of an entry, so that making it twice makes one.
#[derive(Debug, Clone, Copy)]
pub struct CopyKey {
    /// The mapping.
    pub mapping_id: MappingId,
    /// Its generation.
    pub generation: i32,
}

impl CopyKey {
    /// For Graph's `transactionId` and our marker property.
    #[must_use]
    pub fn marker(&self) -> String {
        format!("{}-{}", self.mapping_id, self.generation)
    }

    /// The mapping in a marker, if it is one.
    #[must_use]
    pub fn read_marker(text: &str) -> Option<MappingId> {
        let (mapping, generation) = text.rsplit_once('-')?;
        generation.parse::<i32>().ok()?;
        (mapping.len() == 36).then_some(())?;
        mapping.parse().ok()
    }

    /// For Google's event id: base32hex characters only (`a`-`v`, `0`-`9`).
    #[must_use]
    pub fn google_id(&self) -> String {
        format!("d{}{:x}", self.mapping_id.0.simple(), self.generation)
    }

    /// The mapping in a Google event id, if it is one of ours. A copy that somebody pasted has another id.
    #[must_use]
    pub fn read_google_id(id: &str) -> Option<MappingId> {
        let rest = id.strip_prefix('d')?;
        let (mapping, generation) = rest.split_at_checked(32)?;
        i32::from_str_radix(generation, 16).ok()?;
        Some(MappingId(uuid::Uuid::try_parse(mapping).ok()?))
    }
}

/// A push subscription to make.
#[derive(Debug, Clone)]
pub struct SubscribeRequest {
    /// Our id.
    pub id: String,
    /// Where to send notifications.
    pub address: String,
    /// What to send back with each.
    pub token: SecretString,
    /// Until when.
    pub until: DateTime<Utc>,
}

/// A subscription that was asked for and whose answer nobody got: it may be there.
#[derive(Debug, Clone)]
pub struct LostSubscription<'a> {
    /// Our id for it.
    pub id: &'a str,
    /// Where its notifications go.
    pub address: &'a str,
    /// The provider's ids of those of the same calendar that are known.
    pub kept: Vec<&'a str>,
    /// Google's resource id of any of them.
    pub resource_id: Option<&'a str>,
}

/// A push subscription that was made.
#[derive(Debug, Clone)]
pub struct Subscribed {
    /// The provider's id.
    pub external_id: String,
    /// Google's resource id.
    pub resource_id: Option<String>,
    /// When it ends, as the provider decided.
    pub expires_at: DateTime<Utc>,
}

/// One account at one provider, reached with one access token.
#[async_trait]
pub trait CalendarProvider: Send + Sync {
    /// Whose token it is.
    async fn account(&self) -> ProviderResult<Account>;
    /// All calendars.
    async fn calendars(&self) -> ProviderResult<Vec<RemoteCalendar>>;
    /// One page of changes. `Gone` when the cursor is too old.
    async fn delta(
        &self,
        calendar: &str,
        from: &DeltaFrom,
        page: Option<&str>,
    ) -> ProviderResult<DeltaPage>;
    /// One event. `NotFound` or `Gone` when there is none.
    async fn get(&self, calendar: &str, id: &str) -> ProviderResult<RemoteEvent>;
    /// The copy with that key, if it was made.
    async fn find_copy(&self, calendar: &str, key: CopyKey) -> ProviderResult<Option<RemoteEvent>>;
    /// Whether the provider can express how a content repeats; if not, why.
    ///
    /// # Errors
    /// The reason.
    fn carries(&self, _content: &EntryContent) -> Result<(), Fault> {
        Ok(())
    }
    /// An occurrence of a series by the time its rule gives it, also a moved or deleted one; none when the series has none
    /// then, or the provider forgets deleted ones.
    async fn find_occurrence(
        &self,
        calendar: &str,
        series: &str,
        original: Original,
    ) -> ProviderResult<Option<RemoteEvent>>;
    /// Brings a deleted occurrence back, with this content. `Gone` where that cannot be done.
    async fn revive(
        &self,
        _calendar: &str,
        _id: &str,
        _content: &EntryContent,
    ) -> ProviderResult<RemoteEvent> {
        Err(ProviderError::Gone)
    }
    /// The changed and deleted occurrences of a series, where the delta does not tell them all.
    async fn exceptions(&self, _calendar: &str, _series: &str) -> ProviderResult<Vec<RemoteEvent>> {
        Ok(Vec::new())
    }
    /// The events with that iCalendar UID, in the form of [`RemoteEvent::ical_uid`].
    async fn find_same(&self, _calendar: &str, _uid: &str) -> ProviderResult<Vec<RemoteEvent>> {
        Ok(Vec::new())
    }
    /// Series that go on with one that was split, where events do not say so themselves. May tell of others that have to do
    /// with it, itself among them.
    async fn continuations(
        &self,
        _calendar: &str,
        _series: &str,
    ) -> ProviderResult<Vec<RemoteEvent>> {
        Ok(Vec::new())
    }
    /// Makes a copy, without attendees and without mail to anybody. `Conflict` when it was made before.
    async fn create(
        &self,
        calendar: &str,
        key: CopyKey,
        content: &EntryContent,
    ) -> ProviderResult<RemoteEvent>;
    /// Changes the given fields if the event still has the ETag. `PreconditionFailed` otherwise.
    async fn update(
        &self,
        calendar: &str,
        id: &str,
        etag: Option<&str>,
        content: &EntryContent,
        fields: &[Field],
    ) -> ProviderResult<RemoteEvent>;
    /// Deletes an event if it still has the ETag (whatever it has, without one); fine when there is none.
    /// `PreconditionFailed` otherwise.
    async fn delete(&self, calendar: &str, id: &str, etag: Option<&str>) -> ProviderResult<()>;
    /// Asks for notifications about a calendar.
    async fn subscribe(
        &self,
        calendar: &str,
        request: &SubscribeRequest,
    ) -> ProviderResult<Subscribed>;
    /// Prolongs a subscription. `NotFound` when a new one must be made.
    async fn renew(&self, external_id: &str, until: DateTime<Utc>)
    -> ProviderResult<DateTime<Utc>>;
    /// Ends a subscription; fine when there is none.
    async fn unsubscribe(&self, external_id: &str, resource_id: Option<&str>)
    -> ProviderResult<()>;
    /// Ends a subscription that may be there; fine when there is none.
    async fn unsubscribe_lost(
        &self,
        calendar: &str,
        lost: &LostSubscription<'_>,
    ) -> ProviderResult<()>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn google_ids_use_base32hex_only() {
        let key = CopyKey {
            mapping_id: MappingId(uuid::Uuid::now_v7()),
            generation: 255,
        };
        let id = key.google_id();
        assert!(id.bytes().all(|b| matches!(b, b'a'..=b'v' | b'0'..=b'9')));
        assert!(id.ends_with("ff") && id.len() == 35);
        assert!(key.marker().len() <= 64);
        assert_eq!(CopyKey::read_google_id(&id), Some(key.mapping_id));
        assert_eq!(CopyKey::read_marker(&key.marker()), Some(key.mapping_id));
        for other in [
            "",
            "d",
            "dabc",
            "localevent:1-2",
            "q1-0",
            "é".repeat(20).as_str(),
        ] {
            assert_eq!(CopyKey::read_google_id(other), None);
            assert_eq!(CopyKey::read_marker(other), None);
        }
    }
}
