//! How sync is as a whole, in few numbers.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use daybind_domain::ids::TenantId;
use daybind_storage::StorageResult;

/// The push subscriptions and runs of all of a tenant's connections.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SyncHealth {
    /// Connections that hear of changes at once.
    pub pushed: i64,
    /// When the first of their subscriptions ends.
    pub first_end: Option<DateTime<Utc>>,
    /// When the last notification arrived.
    pub last_notified_at: Option<DateTime<Utc>>,
    /// Runs on record since the asked time.
    pub runs: i64,
    /// Those of them that failed.
    pub failed: i64,
}

/// Health.
#[async_trait]
pub trait HealthRepository: Send {
    /// How it is `now`; runs are counted that ended at `since` or later.
    async fn sync_health(
        &mut self,
        tenant_id: TenantId,
        since: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> StorageResult<SyncHealth>;
}

/// Implements the repository for a unit of work; see `implement` for the conventions. Stands behind `activity`.
macro_rules! health {
    ($unit:ty) => {
        #[async_trait::async_trait]
        impl $crate::HealthRepository for $unit {
            async fn sync_health(
                &mut self,
                tenant_id: TenantId,
                since: DateTime<Utc>,
                now: DateTime<Utc>,
            ) -> StorageResult<$crate::SyncHealth> {
                let pushed = sqlx::query(
                    "SELECT count(DISTINCT connection_id) AS pushed, min(expires_at) AS first_end \
                     FROM calendar_subscriptions WHERE tenant_id = $1 AND state = 'active' AND expires_at > $2",
                )
                .bind(codec::id(tenant_id.0))
                .bind(codec::at(now))
                .fetch_one(self.connection())
                .await
                .map_err(failure)?;
                let heard = sqlx::query(
                    "SELECT max(last_notified_at) AS heard FROM calendar_subscriptions WHERE tenant_id = $1",
                )
                .bind(codec::id(tenant_id.0))
                .fetch_one(self.connection())
                .await
                .map_err(failure)?;
                let runs = sqlx::query(
                    "SELECT count(*) AS runs, count(CASE WHEN outcome = 'failed' THEN 1 END) AS failed \
                     FROM sync_runs WHERE tenant_id = $1 AND ended_at >= $2",
                )
                .bind(codec::id(tenant_id.0))
                .bind(codec::at(since))
                .fetch_one(self.connection())
                .await
                .map_err(failure)?;
                Ok($crate::SyncHealth {
                    pushed: get(&pushed, "pushed")?,
                    first_end: codec::get_at_or(&pushed, "first_end")?,
                    last_notified_at: codec::get_at_or(&heard, "heard")?,
                    runs: get(&runs, "runs")?,
                    failed: get(&runs, "failed")?,
                })
            }
        }
    };
}

pub(crate) use health;
