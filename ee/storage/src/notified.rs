//! What a batch of notifications reads and writes: a constant number of statements, however many came.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use daybind_domain::ids::{ConnectionId, SubscriptionId, TenantId};
use daybind_storage::StorageResult;

/// A subscription and its connection, as far as a notification is judged by them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notified {
    /// The subscription.
    pub subscription_id: SubscriptionId,
    /// Its connection.
    pub connection_id: ConnectionId,
    /// `google` or `microsoft`.
    pub provider: String,
    /// Digest of the secret its notifications carry.
    pub secret_hash: Vec<u8>,
    /// The connection's calendar.
    pub calendar_id: Option<String>,
    /// The connection's status.
    pub status: String,
    /// The reason of that status.
    pub status_reason: Option<String>,
    /// Whether a person has paused it.
    pub paused: bool,
    /// When it was last heard of.
    pub last_notified_at: Option<DateTime<Utc>>,
    /// When the connection's job of the asked kind is due, if one is queued and nobody has begun it.
    pub queued_for: Option<DateTime<Utc>>,
}

/// What notifications said of a tenant's subscriptions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notice {
    /// These were heard of.
    pub heard: Vec<SubscriptionId>,
    /// The provider has dropped these; they are among `heard`.
    pub dropped: Vec<SubscriptionId>,
    /// These are to be renewed now: the provider wants it, and they are among `heard`; or a person does, and it is one.
    pub to_renew: Vec<SubscriptionId>,
}

/// Notifications.
#[async_trait]
pub trait NotificationRepository: Send {
    /// Those of these subscriptions that there are, in no order, with what is queued as `kind` for their connections.
    async fn find_notified(
        &mut self,
        tenant_id: TenantId,
        subscriptions: &[SubscriptionId],
        kind: &str,
    ) -> StorageResult<Vec<Notified>>;

    /// Notes when notifications arrived, that dropped subscriptions are `stopping`, and that renewals are due. Those that
    /// are gone are passed over. Rows are locked in the order of their ids.
    async fn note_notice(
        &mut self,
        tenant_id: TenantId,
        notice: &Notice,
        now: DateTime<Utc>,
    ) -> StorageResult<()>;
}

/// Implements the repository for a unit of work; see `implement` for the conventions. `$among` says that a column is one of
/// those in `$2`, `$lock` locks the rows of a query.
macro_rules! notifications {
    ($unit:ty, $among:literal, $lock:literal) => {
        #[async_trait::async_trait]
        impl $crate::NotificationRepository for $unit {
            async fn find_notified(
                &mut self,
                tenant_id: TenantId,
                subscriptions: &[SubscriptionId],
                kind: &str,
            ) -> StorageResult<Vec<$crate::Notified>> {
                let rows = sqlx::query(concat!(
                    "SELECT s.subscription_id, s.connection_id, s.provider, s.secret_hash, c.calendar_id, c.status, \
                     c.status_reason, c.paused_at, s.last_notified_at, j.run_at FROM calendar_subscriptions s \
                     JOIN calendar_providers c ON c.tenant_id = s.tenant_id AND c.connection_id = s.connection_id \
                     LEFT JOIN jobs j ON j.tenant_id = s.tenant_id AND j.kind = $3 \
                     AND j.key = CAST(s.connection_id AS text) AND j.state = 'queued' \
                     WHERE s.tenant_id = $1 AND s.subscription_id ",
                    $among
                ))
                .bind(codec::id(tenant_id.0))
                .bind(codec::ids(subscriptions.iter().map(|id| id.0)))
                .bind(kind)
                .fetch_all(self.connection())
                .await
                .map_err(failure)?;
                rows.iter()
                    .map(|row| {
                        Ok($crate::Notified {
                            subscription_id: codec::get_id(row, "subscription_id")?.into(),
                            connection_id: codec::get_id(row, "connection_id")?.into(),
                            provider: get(row, "provider")?,
                            secret_hash: get(row, "secret_hash")?,
                            calendar_id: get(row, "calendar_id")?,
                            status: get(row, "status")?,
                            status_reason: get(row, "status_reason")?,
                            paused: codec::get_at_or(row, "paused_at")?.is_some(),
                            last_notified_at: codec::get_at_or(row, "last_notified_at")?,
                            queued_for: codec::get_at_or(row, "run_at")?,
                        })
                    })
                    .collect()
            }

            async fn note_notice(
                &mut self,
                tenant_id: TenantId,
                notice: &$crate::Notice,
                now: DateTime<Utc>,
            ) -> StorageResult<()> {
                // Every subscription is among the first, so that one statement locks all rows.
                for (subscriptions, statement) in [
                    (
                        &notice.heard,
                        concat!(
                            "UPDATE calendar_subscriptions SET last_notified_at = $3 WHERE tenant_id = $1 \
                             AND subscription_id IN (SELECT subscription_id FROM calendar_subscriptions \
                             WHERE tenant_id = $1 AND subscription_id ",
                            $among,
                            " ORDER BY subscription_id",
                            $lock,
                            ")"
                        ),
                    ),
                    (
                        &notice.dropped,
                        concat!(
                            "UPDATE calendar_subscriptions SET state = 'stopping', last_notified_at = $3 \
                             WHERE tenant_id = $1 AND subscription_id ",
                            $among
                        ),
                    ),
                    (
                        &notice.to_renew,
                        concat!(
                            "UPDATE calendar_subscriptions SET renew_at = $3 WHERE tenant_id = $1 AND subscription_id ",
                            $among
                        ),
                    ),
                ] {
                    if subscriptions.is_empty() {
                        continue;
                    }
                    sqlx::query(statement)
                        .bind(codec::id(tenant_id.0))
                        .bind(codec::ids(subscriptions.iter().map(|id| id.0)))
                        .bind(codec::at(now))
                        .execute(self.connection())
                        .await
                        .map_err(failure)?;
                }
                Ok(())
            }
        }
    };
}

pub(crate) use notifications;
