//! The rows of the Enterprise tables.

use chrono::{DateTime, Utc};
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
    /// Raised whenever the tie to the account is made anew.
    pub generation: i64,
    /// For optimistic locking; starts at 1.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
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
    /// `creating`, `synced`, `conflict`, `failed`, `removing` or `removed`.
    pub state: String,
    /// Raised for every copy made after an earlier one was removed.
    pub generation: i32,
    /// What both sides last agreed on, as canonical content.
    pub base: Option<Value>,
    /// The entry's version that was last written out.
    pub entry_version: i64,
    /// Why it failed or conflicts, for the user.
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
    /// The last notification.
    pub last_notified_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}
