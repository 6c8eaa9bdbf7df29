//! The runs of all of a tenant's connections, filtered, a page at a time.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use daybind_domain::ids::{ConnectionId, TenantId};
use daybind_storage::StorageResult;
use uuid::Uuid;

use crate::{SyncChange, SyncRun};

/// Which runs are asked for. The default: all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Of these connections only.
    pub connections: Option<Vec<ConnectionId>>,
    /// Set off by this only.
    pub cause: Option<String>,
    /// With this outcome only.
    pub outcome: Option<String>,
    /// Whether they changed anything.
    pub effect: Option<bool>,
    /// Ended then or later.
    pub from: Option<DateTime<Utc>>,
    /// Ended before then.
    pub until: Option<DateTime<Utc>>,
}

/// The place of a run in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunCursor {
    /// When it ended.
    pub at: DateTime<Utc>,
    /// Its key.
    pub run_id: Uuid,
}

/// Runs of all connections.
#[async_trait]
pub trait RunRepository: Send {
    /// The newest `limit` runs that match, older than the place `after`.
    async fn find_runs(
        &mut self,
        tenant_id: TenantId,
        filter: &RunFilter,
        after: Option<RunCursor>,
        limit: i64,
    ) -> StorageResult<Vec<SyncRun>>;

    /// One run.
    async fn find_run(
        &mut self,
        tenant_id: TenantId,
        run_id: Uuid,
    ) -> StorageResult<Option<SyncRun>>;

    /// The first `limit` things a run did, in the order in which it did them.
    async fn list_run_changes(
        &mut self,
        tenant_id: TenantId,
        run_id: Uuid,
        limit: i64,
    ) -> StorageResult<Vec<SyncChange>>;
}

/// Implements the repository for a unit of work; see `implement` for the conventions. Stands behind `activity`. `$among` says that
/// a column is one of those in `$2`.
macro_rules! runs {
    ($unit:ty, $among:literal) => {
        use $crate::{RunCursor, RunFilter, RunRepository};

        #[async_trait::async_trait]
        impl RunRepository for $unit {
            async fn find_runs(
                &mut self,
                tenant_id: TenantId,
                filter: &RunFilter,
                after: Option<RunCursor>,
                limit: i64,
            ) -> StorageResult<Vec<SyncRun>> {
                // Each condition has its parameter always, so that there is one statement; what bounds nothing is far away.
                let far = DateTime::<Utc>::from_timestamp(253_402_214_400, 0).unwrap_or_default();
                let after = after.unwrap_or(RunCursor { at: far, run_id: Uuid::max() });
                let connections = filter.connections.iter().flatten();
                let rows = sqlx::query(concat!(
                    "SELECT * FROM sync_runs WHERE tenant_id = $1 AND ($3 OR connection_id ",
                    $among,
                    ") AND ($4 = '' OR cause = $4) AND ($5 = '' OR outcome = $5) \
                     AND ($6 OR (applied + pushed > 0) = $7) AND ended_at >= $8 AND ended_at < $9 \
                     AND ended_at <= $10 AND (ended_at < $10 OR run_id < $11) \
                     ORDER BY ended_at DESC, run_id DESC LIMIT $12",
                ))
                .bind(codec::id(tenant_id.0))
                .bind(codec::ids(connections.map(|id| id.0)))
                .bind(filter.connections.is_none())
                .bind(filter.cause.clone().unwrap_or_default())
                .bind(filter.outcome.clone().unwrap_or_default())
                .bind(filter.effect.is_none())
                .bind(filter.effect.unwrap_or_default())
                .bind(codec::at(filter.from.unwrap_or(DateTime::UNIX_EPOCH)))
                .bind(codec::at(filter.until.unwrap_or(far)))
                .bind(codec::at(after.at))
                .bind(codec::id(after.run_id))
                .bind(limit)
                .fetch_all(self.connection())
                .await
                .map_err(failure)?;
                rows.iter().map(sync_run).collect()
            }

            async fn find_run(
                &mut self,
                tenant_id: TenantId,
                run_id: Uuid,
            ) -> StorageResult<Option<SyncRun>> {
                let row = sqlx::query("SELECT * FROM sync_runs WHERE tenant_id = $1 AND run_id = $2")
                    .bind(codec::id(tenant_id.0))
                    .bind(codec::id(run_id))
                    .fetch_optional(self.connection())
                    .await
                    .map_err(failure)?;
                row.as_ref().map(sync_run).transpose()
            }

            async fn list_run_changes(
                &mut self,
                tenant_id: TenantId,
                run_id: Uuid,
                limit: i64,
            ) -> StorageResult<Vec<SyncChange>> {
                let rows = sqlx::query(
                    "SELECT * FROM sync_changes WHERE tenant_id = $1 AND run_id = $2 \
                     ORDER BY at, change_id LIMIT $3",
                )
                .bind(codec::id(tenant_id.0))
                .bind(codec::id(run_id))
                .bind(limit)
                .fetch_all(self.connection())
                .await
                .map_err(failure)?;
                rows.iter().map(sync_change).collect()
            }
        }
    };
}

pub(crate) use runs;
