//! What has just changed, for the pages that show it.
//!
//! The database writes the rows itself (triggers of migration 28), in the transaction of the change: whoever changes
//! something need not think of it, and nothing is told before it can be read.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use daybind_domain::ids::{TenantId, UserId};
use uuid::Uuid;

use crate::StorageResult;

/// A place in the order of all changes. Nothing ever appears at or before a place that was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LivePlace {
    /// The transaction (PostgreSQL; 0 on SQLite, where one writes at a time).
    pub xact: i64,
    /// The row's number.
    pub seq: i64,
}

/// One change. Table `live_events`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveEvent {
    /// Whose.
    pub tenant_id: TenantId,
    /// Where it stands.
    pub place: LivePlace,
    /// What kind of thing changed: `session` (it ended), `entry`, or one of an edition's own.
    pub topic: String,
    /// Which one.
    pub subject_id: Uuid,
    /// Whom it concerns, where that is one person.
    pub user_id: Option<UserId>,
    /// When, by the database's clock.
    pub at: DateTime<Utc>,
}

/// What has just changed.
#[async_trait]
pub trait LiveRepository {
    /// The place after which everything stands that is not there yet.
    async fn live_head(&mut self) -> StorageResult<LivePlace>;

    /// The first `limit` changes after a place: one tenant's, or with none all tenants' (system scope).
    async fn live_events(
        &mut self,
        tenant_id: Option<TenantId>,
        after: LivePlace,
        limit: i64,
    ) -> StorageResult<Vec<LiveEvent>>;

    /// Removes what is older than `before` (system scope); how many rows.
    async fn prune_live(&mut self, before: DateTime<Utc>) -> StorageResult<u64>;
}
