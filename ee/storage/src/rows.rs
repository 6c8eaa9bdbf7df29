//! The rows of the Enterprise tables.

use chrono::{DateTime, Utc};
use daybind_domain::Cloud;
use daybind_domain::ids::{ConnectionId, EntryId, MappingId, SubscriptionId, TenantId, UserId};
use serde_json::Value;
use uuid::Uuid;

/// A tenant's own Google OAuth client. Table `google_clients`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoogleClient {
    /// Whose; the key.
    pub tenant_id: TenantId,
    /// The OAuth client ID.
    pub client_id: String,
    /// The client secret, sealed.
    pub client_secret_sealed: String,
    /// Its last four characters.
    pub client_secret_last4: String,
    /// Raised by one with every save.
    pub version: i64,
    /// Who saved it last.
    pub updated_by: UserId,
    /// When.
    pub updated_at: DateTime<Utc>,
}

/// A technician's connection to one external calendar. Table `calendar_providers`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Whose.
    pub tenant_id: TenantId,
    /// Key.
    pub connection_id: ConnectionId,
    /// The technician.
    pub user_id: UserId,
    /// `google` or `microsoft`.
    pub provider: String,
    /// The provider's id of the account.
    pub account_id: String,
    /// The account's address, as the provider told it.
    pub account_email: String,
    /// The chosen calendar, if any; no two connections of a tenant share one.
    pub calendar_id: Option<String>,
    /// Its name.
    pub calendar_name: Option<String>,
    /// `configuring`, `connected`, `needs_reconnect`, `paused` or `error`.
    pub status: String,
    /// A short code that says why.
    pub status_reason: Option<String>,
    /// `bidirectional`, `to_external` or `from_external`.
    pub direction: String,
    /// The Microsoft profile it was made with.
    pub profile_id: Option<Uuid>,
    /// The OAuth client it was made with; tokens of one client do not work with another.
    pub client_id: String,
    /// Microsoft's cloud it was made in, whose hosts alone get its tokens; the global one for Google.
    pub cloud: Cloud,
    /// The access token, sealed.
    pub access_token_sealed: String,
    /// When the access token ends.
    pub access_token_expires_at: DateTime<Utc>,
    /// The refresh token, sealed.
    pub refresh_token_sealed: String,
    /// The provider's sync token or delta link, opaque.
    pub cursor: Option<String>,
    /// First instant of the window the cursor covers.
    pub cursor_window_start: Option<DateTime<Utc>>,
    /// End of that window.
    pub cursor_window_end: Option<DateTime<Utc>>,
    /// When a sync last finished.
    pub last_sync_at: Option<DateTime<Utc>>,
    /// A short code of the last failure, never provider text.
    pub last_error: Option<String>,
    /// How long it has been failing, if it is.
    pub failing: Failing,
    /// What its owner decided about it.
    pub settings: ConnectionSettings,
    /// The mass-change brake: `asked_in` (the schedule would lose much) or `asked_out` (the calendar would) while the
    /// owner is asked, else the answer for the next run (`accept_in`, `accept_out` or `put_back`).
    pub brake: Option<String>,
    /// How many deletions made it ask; an answer covers no more.
    pub brake_count: i32,
    /// So many of them are occurrences of series.
    pub brake_occurrences: i32,
    /// Somebody wants it to rest; whatever else its status is.
    pub pause: Option<Pause>,
    /// Raised whenever the tie to the account is made anew.
    pub generation: i64,
    /// For optimistic locking; starts at 1.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// A rest that a person asked for. Columns of `calendar_providers`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// Since when.
    pub since: DateTime<Utc>,
    /// When it goes on by itself; only when somebody resumes it where there is none.
    pub until: Option<DateTime<Utc>>,
    /// Who asked for it.
    pub by: UserId,
}

/// Failed runs since the last one that went through. Columns of `calendar_providers`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failing {
    /// How many in a row.
    pub runs: i32,
    /// When the first of them ended.
    pub since: Option<DateTime<Utc>>,
    /// When the next one is due.
    pub retry_at: Option<DateTime<Utc>>,
    /// The provider asked not to be called before; stronger than anybody's wish.
    pub held_until: Option<DateTime<Utc>>,
}

/// What a connection's owner decided. Columns of `calendar_providers`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionSettings {
    /// Both sides changed the same field: `ask`, `schedule`, `calendar` or `newest`.
    pub conflict_policy: String,
    /// The event of a sole assignee was deleted: `ask`, `cancel` or `put_back`.
    pub deletion_policy: String,
    /// Which events that Daybind did not make become entries: `nothing`, `marked` or `busy`.
    pub import_rule: String,
    /// Whether private events come in with their words; otherwise they are "Busy".
    pub show_private: bool,
    /// How many days back entries and events are looked at.
    pub window_past_days: i32,
    /// How many days ahead.
    pub window_future_days: i32,
}

impl Default for ConnectionSettings {
    fn default() -> Self {
        Self {
            conflict_policy: "ask".to_owned(),
            deletion_policy: "ask".to_owned(),
            import_rule: "nothing".to_owned(),
            show_private: false,
            window_past_days: 30,
            window_future_days: 365,
        }
    }
}

/// The tie between a schedule entry and one external event. Table `calendar_event_mappings`.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapping {
    /// Whose.
    pub tenant_id: TenantId,
    /// Key.
    pub mapping_id: MappingId,
    /// Through which connection.
    pub connection_id: ConnectionId,
    /// Which entry.
    pub entry_id: EntryId,
    /// The provider's id of the event.
    pub external_event_id: Option<String>,
    /// The event's ETag after our last write or read.
    pub external_etag: Option<String>,
    /// The event's iCalendar UID.
    pub external_ical_uid: Option<String>,
    /// Of an occurrence with values of its own: the series' event that its own belongs to. None for an event on its own.
    pub series_event_id: Option<String>,
    /// `creating`, `synced`, `conflict`, `failed`, `removing` or `removed`.
    pub state: String,
    /// `schedule` for an entry's copy, `calendar` for an event brought in, `guest` for one that somebody else organises,
    /// `busy` for one brought in as a busy block. The last two are never written to.
    pub origin: String,
    /// None where the event speaks for the entry. Else another event of the same person does, and this one is left alone:
    /// `heir` takes its place when it goes, `known` does not. Stored by `stand_beside` only.
    pub beside: Option<String>,
    /// A copy that was made of the entry before its event was found has to go. Stored by `stand_beside` only.
    pub copy_left: bool,
    /// How often a person has answered a question about it. Who read it before such an answer stores nothing ([`Stale`]).
    ///
    /// [`Stale`]: daybind_storage::StorageError::Stale
    pub answers: i64,
    /// Raised for every copy made after an earlier one was removed.
    pub generation: i32,
    /// What both sides last agreed on, as canonical content.
    pub base: Option<Value>,
    /// What was last sent to the event and not yet answered, as canonical content.
    pub sent: Option<Value>,
    /// Where the event's online meeting is joined: an https address. The calendar's own; it never travels back.
    pub meeting_url: Option<String>,
    /// The entry's version that was last written out.
    pub entry_version: i64,
    /// Why it failed or conflicts, as a code (`refused:403`).
    pub error: Option<String>,
    /// Failed attempts in a row.
    pub attempts: i32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// A push subscription (Graph) or channel (Google). Table `calendar_subscriptions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Whose.
    pub tenant_id: TenantId,
    /// Our own id; Google's channel id too.
    pub subscription_id: SubscriptionId,
    /// For which connection.
    pub connection_id: ConnectionId,
    /// `google` or `microsoft`.
    pub provider: String,
    /// The provider's id.
    pub external_id: Option<String>,
    /// Google's resource id, needed to stop the channel.
    pub resource_id: Option<String>,
    /// SHA-256 of the secret the provider sends back with every notification.
    pub secret_hash: Vec<u8>,
    /// `intended`, `active` or `stopping`.
    pub state: String,
    /// When the provider stops sending.
    pub expires_at: DateTime<Utc>,
    /// When it is to be renewed; at once, if not known.
    pub renew_at: Option<DateTime<Utc>>,
    /// The last notification.
    pub last_notified_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Both sides of a disagreement, kept until it is settled. Table `calendar_conflicts`; at most one open per mapping.
#[derive(Debug, Clone, PartialEq)]
pub struct Conflict {
    /// Whose.
    pub tenant_id: TenantId,
    /// Key.
    pub conflict_id: Uuid,
    /// Through which connection.
    pub connection_id: ConnectionId,
    /// At which mapping.
    pub mapping_id: MappingId,
    /// About which entry.
    pub entry_id: EntryId,
    /// `fields`, or `deletion` when the event is gone and nobody else does the work.
    pub kind: String,
    /// `open` or `resolved`.
    pub state: String,
    /// The fields still open, by name.
    pub fields: Vec<String>,
    /// What both sides last agreed on.
    pub base: Option<Value>,
    /// What the schedule says.
    pub local: Value,
    /// What the calendar says; none when the event is gone.
    pub remote: Option<Value>,
    /// When the entry was last changed.
    pub local_at: DateTime<Utc>,
    /// When the event was last changed, as the provider tells it.
    pub remote_at: Option<DateTime<Utc>>,
    /// How each field was settled.
    pub resolution: Option<Value>,
    /// By whom; none when the sides came to agree by themselves.
    pub resolved_by: Option<UserId>,
    /// When.
    pub resolved_at: Option<DateTime<Utc>>,
    /// When it arose.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// One pass over a connection. Table `sync_runs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncRun {
    /// Whose.
    pub tenant_id: TenantId,
    /// Key.
    pub run_id: Uuid,
    /// Of which connection.
    pub connection_id: ConnectionId,
    /// `poll`, `notification`, `schedule`, `person`, `start` or `retry`.
    pub cause: String,
    /// `done`, `failed`, `paused` or `idle`.
    pub outcome: String,
    /// A short code that says why.
    pub reason: Option<String>,
    /// Changes made to the schedule.
    pub applied: i32,
    /// Changes made to the calendar.
    pub pushed: i32,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: DateTime<Utc>,
}

/// One thing a run did, or left alone for a reason. Table `sync_changes`.
#[derive(Debug, Clone, PartialEq)]
pub struct SyncChange {
    /// Whose.
    pub tenant_id: TenantId,
    /// Key.
    pub change_id: Uuid,
    /// In which run.
    pub run_id: Uuid,
    /// Through which connection.
    pub connection_id: ConnectionId,
    /// About which entry.
    pub entry_id: Option<EntryId>,
    /// About which event.
    pub external_event_id: Option<String>,
    /// What was changed: `schedule`, `calendar` or `none`.
    pub side: String,
    /// `created`, `changed`, `removed`, `conflict`, `refused`, `skipped` or `resolved`.
    pub action: String,
    /// Where the change came from: `schedule`, `calendar` or `person`.
    pub actor: String,
    /// The content before.
    pub before: Option<Value>,
    /// The content after.
    pub after: Option<Value>,
    /// A short code that says why.
    pub reason: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}

/// So many events are looked for with one statement.
pub(crate) const AT_ONCE: usize = 256;

/// The statement that finds the mappings of so many events, or a few more: lengths are powers of two.
pub(crate) fn by_events(count: usize) -> String {
    let marks: Vec<String> = (0..count.next_power_of_two())
        .map(|n| format!("${}", n + 3))
        .collect();
    format!(
        "SELECT * FROM calendar_event_mappings WHERE tenant_id = $1 AND connection_id = $2 \
         AND external_event_id IN ({})",
        marks.join(", ")
    )
}

macro_rules! person_mappings {
    ($more:literal) => {
        concat!(
            "SELECT m.* FROM calendar_event_mappings m JOIN calendar_providers c \
             ON c.tenant_id = m.tenant_id AND c.connection_id = m.connection_id \
             WHERE m.tenant_id = $1 AND c.user_id = $2 AND m.series_event_id IS NULL \
             AND m.state NOT IN ('removing', 'removed')",
            $more,
            " ORDER BY m.created_at, m.mapping_id"
        )
    };
}

/// The live mappings of a person, without those of occurrences.
pub(crate) const PERSON_MAPPINGS: &str = person_mappings!("");
/// Those of one iCalendar UID.
pub(crate) const PERSON_MAPPINGS_BY_UID: &str = person_mappings!(" AND m.external_ical_uid = $3");
