//! Where the Enterprise edition keeps its calendars: a repository over the same transaction as the core's.
//!
//! [`calendar`] finds the implementation for whichever database the unit of work belongs to.

mod activity;
pub mod alga;
mod coverage;
mod edits;
mod grants;
mod health;
mod implement;
mod inbox;
mod limits;
mod notified;
mod postgres;
mod rows;
mod runs;
mod sqlite;

use async_trait::async_trait;
use daybind_domain::ids::{ConnectionId, EntryId, SubscriptionId, TenantId, UserId};
use daybind_storage::{StorageError, StorageResult, UnitOfWork};
use daybind_storage_postgres::PgUnit;
use daybind_storage_sqlite::SqliteUnit;

pub use activity::{ActivityRepository, FreshTokens};
pub use coverage::{
    ConnectionFilter, Coverage, CoverageRepository, OwnedConnection, Show, Unconnected, Waiting,
    found_in,
};
pub use edits::{CausedChange, EntryEdit, EntryVersion, HistoryRepository};
pub use grants::{Grant, GrantRepository, grants};
pub use health::{HealthRepository, SyncHealth};
pub use inbox::{InboxRepository, OpenConflict};
pub use limits::{LimitRepository, Place};
pub use notified::{Notice, NotificationRepository, Notified};
pub use rows::{
    Conflict, Connection, ConnectionSettings, Failing, GoogleClient, Mapping, Pause, Subscription,
    SyncChange, SyncRun,
};
pub use runs::{RunCursor, RunFilter, RunRepository};

/// Calendar connections, mappings, push subscriptions, and the tenant's Google client.
#[async_trait]
pub trait CalendarRepository:
    ActivityRepository
    + CoverageRepository
    + HealthRepository
    + HistoryRepository
    + InboxRepository
    + LimitRepository
    + NotificationRepository
    + RunRepository
    + Send
{
    /// The tenant's Google client.
    async fn find_google_client(
        &mut self,
        tenant_id: TenantId,
    ) -> StorageResult<Option<GoogleClient>>;

    /// Stores the tenant's Google client over an earlier one; the version is set by the database.
    async fn save_google_client(&mut self, client: &GoogleClient) -> StorageResult<()>;

    /// Adds a connection. `Duplicate` when its calendar is taken.
    async fn add_connection(&mut self, connection: &Connection) -> StorageResult<()>;

    /// Looks a connection up.
    async fn find_connection(
        &mut self,
        tenant_id: TenantId,
        connection_id: ConnectionId,
    ) -> StorageResult<Option<Connection>>;

    /// The tenant's connections, oldest first.
    async fn list_connections(&mut self, tenant_id: TenantId) -> StorageResult<Vec<Connection>>;

    /// One technician's connections, oldest first.
    async fn list_user_connections(
        &mut self,
        tenant_id: TenantId,
        user_id: UserId,
    ) -> StorageResult<Vec<Connection>>;

    /// Stores everything but the keys if the row still has `connection.version`; raises it by one. `Stale` when it has
    /// another or is gone, `Duplicate` when the calendar is taken.
    async fn update_connection(&mut self, connection: &Connection) -> StorageResult<()>;

    /// Removes a connection with its mappings and subscriptions.
    async fn remove_connection(
        &mut self,
        tenant_id: TenantId,
        connection_id: ConnectionId,
    ) -> StorageResult<()>;

    /// Adds a mapping. `Duplicate` when the connection already maps the entry.
    async fn add_mapping(&mut self, mapping: &Mapping) -> StorageResult<()>;

    /// The mapping of an entry through a connection.
    async fn find_mapping(
        &mut self,
        tenant_id: TenantId,
        connection_id: ConnectionId,
        entry_id: EntryId,
    ) -> StorageResult<Option<Mapping>>;

    /// The mapping of an external event of a connection.
    async fn find_mapping_by_event(
        &mut self,
        tenant_id: TenantId,
        connection_id: ConnectionId,
        external_event_id: &str,
    ) -> StorageResult<Option<Mapping>>;

    /// The mappings of these external events of a connection; none for events that have none.
    async fn find_mappings_by_events(
        &mut self,
        tenant_id: TenantId,
        connection_id: ConnectionId,
        external_event_ids: &[&str],
    ) -> StorageResult<Vec<Mapping>>;

    /// All mappings of a connection, oldest first.
    async fn list_mappings(
        &mut self,
        tenant_id: TenantId,
        connection_id: ConnectionId,
    ) -> StorageResult<Vec<Mapping>>;

    /// All mappings of an entry.
    async fn list_entry_mappings(
        &mut self,
        tenant_id: TenantId,
        entry_id: EntryId,
    ) -> StorageResult<Vec<Mapping>>;

    /// Makes others who ask for the same wait until the transaction ends: what is decided about a person's events in all
    /// of their calendars is decided by one at a time. To be asked for before anything else is locked.
    async fn lock_person(&mut self, tenant_id: TenantId, user_id: UserId) -> StorageResult<()>;

    /// The live mappings of a person's events through all connections, oldest first; without those of occurrences that
    /// belong to a series' event. With `uid` those of the events with that iCalendar UID.
    async fn list_person_mappings(
        &mut self,
        tenant_id: TenantId,
        user_id: UserId,
        uid: Option<&str>,
    ) -> StorageResult<Vec<Mapping>>;

    /// Stores [`Mapping::beside`] and [`Mapping::copy_left`]. `NotFound` when the row is gone.
    async fn stand_beside(&mut self, mapping: &Mapping) -> StorageResult<()>;

    /// Stores everything but the keys, [`Mapping::answers`] and what [`Self::stand_beside`] stores. `NotFound` when the row is
    /// gone, `Stale` when a person answered a question about it since it was read.
    async fn update_mapping(&mut self, mapping: &Mapping) -> StorageResult<()>;

    /// Reads a mapping for somebody who answers a question about it: whoever read it before stores nothing any more, and nobody
    /// changes it until this unit ends.
    async fn answer_about(
        &mut self,
        tenant_id: TenantId,
        connection_id: ConnectionId,
        entry_id: EntryId,
    ) -> StorageResult<Option<Mapping>>;

    /// Adds a subscription.
    async fn add_subscription(&mut self, subscription: &Subscription) -> StorageResult<()>;

    /// Looks a subscription up.
    async fn find_subscription(
        &mut self,
        tenant_id: TenantId,
        subscription_id: SubscriptionId,
    ) -> StorageResult<Option<Subscription>>;

    /// A connection's subscriptions, oldest first.
    async fn list_subscriptions(
        &mut self,
        tenant_id: TenantId,
        connection_id: ConnectionId,
    ) -> StorageResult<Vec<Subscription>>;

    /// Stores external ids, state, expiry and last notification. `NotFound` when the row is gone.
    async fn update_subscription(&mut self, subscription: &Subscription) -> StorageResult<()>;

    /// Removes a subscription; fine when there is none.
    async fn remove_subscription(
        &mut self,
        tenant_id: TenantId,
        subscription_id: SubscriptionId,
    ) -> StorageResult<()>;
}

/// The calendar repository inside a unit of work.
///
/// # Errors
/// `Database` when the unit belongs to a database this crate does not know.
pub fn calendar(unit: &mut dyn UnitOfWork) -> StorageResult<&mut dyn CalendarRepository> {
    let any = unit.as_any_mut();
    if any.is::<PgUnit>() {
        if let Some(unit) = any.downcast_mut::<PgUnit>() {
            return Ok(unit);
        }
    } else if let Some(unit) = any.downcast_mut::<SqliteUnit>() {
        return Ok(unit);
    }
    Err(StorageError::database(std::io::Error::other(
        "calendars need PostgreSQL or SQLite",
    )))
}
