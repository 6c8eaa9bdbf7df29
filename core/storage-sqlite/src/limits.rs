//! Rate limits.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use daybind_storage::{LimitRepository, Rate, StorageResult};
use uuid::Uuid;

use crate::SqliteUnit;
use crate::codec::{self, failure};

#[async_trait]
impl LimitRepository for SqliteUnit {
    async fn count_use(
        &mut self,
        purpose: &str,
        key_hash: &[u8],
        rate: Rate,
        now: DateTime<Utc>,
    ) -> StorageResult<Option<i64>> {
        let now = now.timestamp_micros();
        let span = rate.burst.saturating_mul(rate.interval_micros);
        let counted = sqlx::query(
            "INSERT INTO rate_limits AS counter (tenant_id, purpose, key_hash, theoretical_arrival) \
             VALUES ($1, $2, $3, $4 + $5) ON CONFLICT (tenant_id, purpose, key_hash) DO UPDATE \
             SET theoretical_arrival = max(counter.theoretical_arrival, $4) + $5 \
             WHERE max(counter.theoretical_arrival, $4) + $5 <= $4 + $6",
        )
        .bind(codec::id(Uuid::nil()))
        .bind(purpose.to_owned())
        .bind(key_hash.to_vec())
        .bind(now)
        .bind(rate.interval_micros)
        .bind(span)
        .execute(self.connection())
        .await
        .map_err(failure)?;
        if counted.rows_affected() == 1 {
            return Ok(None);
        }
        let arrival: i64 = sqlx::query_scalar(
            "SELECT theoretical_arrival FROM rate_limits WHERE tenant_id = $1 AND purpose = $2 AND key_hash = $3",
        )
        .bind(codec::id(Uuid::nil()))
        .bind(purpose.to_owned())
        .bind(key_hash.to_vec())
        .fetch_optional(self.connection())
        .await
        .map_err(failure)?
        .unwrap_or(now);
        Ok(Some((arrival + rate.interval_micros - now - span).max(1)))
    }

    async fn return_use(
        &mut self,
        purpose: &str,
        key_hash: &[u8],
        rate: Rate,
    ) -> StorageResult<()> {
        sqlx::query(
            "UPDATE rate_limits SET theoretical_arrival = theoretical_arrival - $4 \
             WHERE tenant_id = $1 AND purpose = $2 AND key_hash = $3",
        )
        .bind(codec::id(Uuid::nil()))
        .bind(purpose.to_owned())
        .bind(key_hash.to_vec())
        .bind(rate.interval_micros)
        .execute(self.connection())
        .await
        .map_err(failure)?;
        Ok(())
    }

    async fn reset_uses(&mut self, purpose: &str, key_hash: &[u8]) -> StorageResult<()> {
        sqlx::query(
            "DELETE FROM rate_limits WHERE tenant_id = $1 AND purpose = $2 AND key_hash = $3",
        )
        .bind(codec::id(Uuid::nil()))
        .bind(purpose.to_owned())
        .bind(key_hash.to_vec())
        .execute(self.connection())
        .await
        .map_err(failure)?;
        Ok(())
    }

    async fn purge_limits(&mut self, now: DateTime<Utc>) -> StorageResult<u64> {
        let done = sqlx::query(
            "DELETE FROM rate_limits WHERE tenant_id = $1 AND theoretical_arrival <= $2",
        )
        .bind(codec::id(Uuid::nil()))
        .bind(now.timestamp_micros())
        .execute(self.connection())
        .await
        .map_err(failure)?;
        Ok(done.rows_affected())
    }
}
