//! What all servers must know of a provider's limits: who has a place at a mailbox, how much was asked this minute, and
//! until when the provider wants to be left alone.
//!
//! A bucket is what one limit is about: an account's mailbox, or an app registration. Its name is made by whoever counts.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use daybind_domain::ids::TenantId;
use daybind_storage::StorageResult;
use uuid::Uuid;

/// One of the places at a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Whose.
    pub tenant_id: TenantId,
    /// The mailbox.
    pub bucket: String,
    /// Which of its places, from 1.
    pub number: i32,
    /// Who has it.
    pub holder: Uuid,
}

/// Limits. Tables `provider_limits` and `provider_places`.
#[async_trait]
pub trait LimitRepository: Send {
    /// Until when the first of these buckets to be free is to be left alone, of those that are held after `now`.
    async fn held_until(
        &mut self,
        tenant_id: TenantId,
        buckets: [&str; 2],
        now: DateTime<Utc>,
    ) -> StorageResult<Option<DateTime<Utc>>>;

    /// Leaves a bucket alone until then; a later time that is noted already stays.
    async fn hold(
        &mut self,
        tenant_id: TenantId,
        bucket: &str,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> StorageResult<()>;

    /// Adds calls made in that minute (of the Unix clock) and returns how many all servers have told of it. An earlier
    /// minute than the last one told of counts as the last one.
    async fn count_calls(
        &mut self,
        tenant_id: TenantId,
        bucket: &str,
        minute: i64,
        calls: i64,
        now: DateTime<Utc>,
    ) -> StorageResult<i64>;

    /// How many connections have chosen a calendar of that account.
    async fn count_at_account(
        &mut self,
        tenant_id: TenantId,
        provider: &str,
        account_id: &str,
    ) -> StorageResult<i64>;

    /// How many connections were made through that app registration.
    async fn count_through_app(
        &mut self,
        tenant_id: TenantId,
        provider: &str,
        client_id: &str,
    ) -> StorageResult<i64>;

    /// Takes a place until then if nobody has it; whether it did.
    async fn take_place(
        &mut self,
        place: &Place,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> StorageResult<bool>;

    /// Keeps a place for longer; whether it was still the holder's.
    async fn keep_place(&mut self, place: &Place, until: DateTime<Utc>) -> StorageResult<bool>;

    /// Gives a place back; fine when it was lost.
    async fn leave_place(&mut self, place: &Place) -> StorageResult<()>;

    /// Forgets buckets and places that nobody used since `before`; returns how many.
    async fn prune_limits(
        &mut self,
        tenant_id: TenantId,
        before: DateTime<Utc>,
    ) -> StorageResult<u64>;
}

/// Implements the repository for a unit of work; see `implement` for the conventions.
macro_rules! limits {
    ($unit:ty) => {
        use $crate::{LimitRepository, Place};

        #[async_trait::async_trait]
        impl LimitRepository for $unit {
            async fn held_until(
                &mut self,
                tenant_id: TenantId,
                buckets: [&str; 2],
                now: DateTime<Utc>,
            ) -> StorageResult<Option<DateTime<Utc>>> {
                let row = sqlx::query(
                    "SELECT max(held_until) AS held_until FROM provider_limits \
                     WHERE tenant_id = $1 AND bucket IN ($2, $3) AND held_until > $4",
                )
                .bind(codec::id(tenant_id.0))
                .bind(buckets[0].to_owned())
                .bind(buckets[1].to_owned())
                .bind(codec::at(now))
                .fetch_one(self.connection())
                .await
                .map_err(failure)?;
                codec::get_at_or(&row, "held_until")
            }

            async fn hold(
                &mut self,
                tenant_id: TenantId,
                bucket: &str,
                until: DateTime<Utc>,
                now: DateTime<Utc>,
            ) -> StorageResult<()> {
                sqlx::query(
                    "INSERT INTO provider_limits (tenant_id, bucket, minute, calls, held_until, updated_at) \
                     VALUES ($1, $2, 0, 0, $3, $4) ON CONFLICT (tenant_id, bucket) DO UPDATE SET \
                     held_until = CASE WHEN provider_limits.held_until > excluded.held_until \
                     THEN provider_limits.held_until ELSE excluded.held_until END, updated_at = excluded.updated_at",
                )
                .bind(codec::id(tenant_id.0))
                .bind(bucket.to_owned())
                .bind(codec::at(until))
                .bind(codec::at(now))
                .execute(self.connection())
                .await
                .map_err(failure)?;
                Ok(())
            }

            async fn count_calls(
                &mut self,
                tenant_id: TenantId,
                bucket: &str,
                minute: i64,
                calls: i64,
                now: DateTime<Utc>,
            ) -> StorageResult<i64> {
                let row = sqlx::query(
                    "INSERT INTO provider_limits (tenant_id, bucket, minute, calls, updated_at) \
                     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant_id, bucket) DO UPDATE SET \
                     calls = CASE WHEN provider_limits.minute >= excluded.minute \
                     THEN provider_limits.calls + excluded.calls ELSE excluded.calls END, \
                     minute = CASE WHEN provider_limits.minute >= excluded.minute \
                     THEN provider_limits.minute ELSE excluded.minute END, updated_at = excluded.updated_at \
                     RETURNING calls",
                )
                .bind(codec::id(tenant_id.0))
                .bind(bucket.to_owned())
                .bind(minute)
                .bind(calls)
                .bind(codec::at(now))
                .fetch_one(self.connection())
                .await
                .map_err(failure)?;
                get(&row, "calls")
            }

            async fn count_at_account(
                &mut self,
                tenant_id: TenantId,
                provider: &str,
                account_id: &str,
            ) -> StorageResult<i64> {
                let row = sqlx::query(
                    "SELECT count(*) AS connections FROM calendar_providers WHERE tenant_id = $1 AND provider = $2 \
                     AND account_id = $3 AND calendar_id IS NOT NULL",
                )
                .bind(codec::id(tenant_id.0))
                .bind(provider.to_owned())
                .bind(account_id.to_owned())
                .fetch_one(self.connection())
                .await
                .map_err(failure)?;
                get(&row, "connections")
            }

            async fn count_through_app(
                &mut self,
                tenant_id: TenantId,
                provider: &str,
                client_id: &str,
            ) -> StorageResult<i64> {
                let row = sqlx::query(
                    "SELECT count(*) AS connections FROM calendar_providers WHERE tenant_id = $1 AND provider = $2 \
                     AND client_id = $3 AND calendar_id IS NOT NULL",
                )
                .bind(codec::id(tenant_id.0))
                .bind(provider.to_owned())
                .bind(client_id.to_owned())
                .fetch_one(self.connection())
                .await
                .map_err(failure)?;
                get(&row, "connections")
            }

            async fn take_place(
                &mut self,
                place: &Place,
                until: DateTime<Utc>,
                now: DateTime<Utc>,
            ) -> StorageResult<bool> {
                let done = sqlx::query(
                    "INSERT INTO provider_places (tenant_id, bucket, place, holder, until) \
                     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant_id, bucket, place) DO UPDATE SET \
                     holder = excluded.holder, until = excluded.until WHERE provider_places.until <= $6",
                )
                .bind(codec::id(place.tenant_id.0))
                .bind(place.bucket.clone())
                .bind(place.number)
                .bind(codec::id(place.holder))
                .bind(codec::at(until))
                .bind(codec::at(now))
                .execute(self.connection())
                .await
                .map_err(failure)?;
                Ok(done.rows_affected() == 1)
            }

            async fn keep_place(&mut self, place: &Place, until: DateTime<Utc>) -> StorageResult<bool> {
                let done = sqlx::query(
                    "UPDATE provider_places SET until = $5 \
                     WHERE tenant_id = $1 AND bucket = $2 AND place = $3 AND holder = $4",
                )
                .bind(codec::id(place.tenant_id.0))
                .bind(place.bucket.clone())
                .bind(place.number)
                .bind(codec::id(place.holder))
                .bind(codec::at(until))
                .execute(self.connection())
                .await
                .map_err(failure)?;
                Ok(done.rows_affected() == 1)
            }

            async fn leave_place(&mut self, place: &Place) -> StorageResult<()> {
                sqlx::query(
                    "DELETE FROM provider_places WHERE tenant_id = $1 AND bucket = $2 AND place = $3 AND holder = $4",
                )
                .bind(codec::id(place.tenant_id.0))
                .bind(place.bucket.clone())
                .bind(place.number)
                .bind(codec::id(place.holder))
                .execute(self.connection())
                .await
                .map_err(failure)?;
                Ok(())
            }

            async fn prune_limits(
                &mut self,
                tenant_id: TenantId,
                before: DateTime<Utc>,
            ) -> StorageResult<u64> {
                let mut gone = 0;
                for sql in [
                    "DELETE FROM provider_limits WHERE tenant_id = $1 AND updated_at < $2 \
                     AND (held_until IS NULL OR held_until < $2)",
                    "DELETE FROM provider_places WHERE tenant_id = $1 AND until < $2",
                ] {
                    gone += sqlx::query(sql)
                        .bind(codec::id(tenant_id.0))
                        .bind(codec::at(before))
                        .execute(self.connection())
                        .await
                        .map_err(failure)?
                        .rows_affected();
                }
                Ok(gone)
            }
        }
    };
}

pub(crate) use limits;
