//! What has just changed.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use daybind_domain::ids::TenantId;
use daybind_storage::{LiveEvent, LivePlace, LiveRepository, StorageResult};

use crate::PgUnit;
use crate::codec::{self, Row, failure, get};

fn place(row: &Row) -> StorageResult<LivePlace> {
    Ok(LivePlace {
        xact: get(row, "xact")?,
        seq: get(row, "seq")?,
    })
}

fn event(row: &Row) -> StorageResult<LiveEvent> {
    Ok(LiveEvent {
        tenant_id: codec::get_id(row, "tenant_id")?.into(),
        place: place(row)?,
        topic: get(row, "topic")?,
        subject_id: codec::get_id(row, "subject_id")?,
        user_id: codec::get_id_or(row, "user_id")?.map(Into::into),
        at: codec::get_at(row, "at")?,
    })
}

#[async_trait]
impl LiveRepository for PgUnit {
    async fn live_head(&mut self) -> StorageResult<LivePlace> {
        let row = sqlx::query(
            "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1 AS xact, 9223372036854775807 AS seq",
        )
        .fetch_one(self.connection())
        .await
        .map_err(failure)?;
        place(&row)
    }

    async fn live_events(
        &mut self,
        tenant_id: Option<TenantId>,
        after: LivePlace,
        limit: i64,
    ) -> StorageResult<Vec<LiveEvent>> {
        let rows = sqlx::query(
            "SELECT * FROM live_events WHERE ($1::uuid IS NULL OR tenant_id = $1) AND (xact, seq) > ($2, $3) \
             AND xact < pg_snapshot_xmin(pg_current_snapshot())::text::bigint ORDER BY xact, seq LIMIT $4",
        )
        .bind(tenant_id.map(|id| codec::id(id.0)))
        .bind(after.xact)
        .bind(after.seq)
        .bind(limit)
        .fetch_all(self.connection())
        .await
        .map_err(failure)?;
        rows.iter().map(event).collect()
    }

    async fn prune_live(&mut self, before: DateTime<Utc>) -> StorageResult<u64> {
        let done = sqlx::query("DELETE FROM live_events WHERE at < $1")
            .bind(codec::at(before))
            .execute(self.connection())
            .await
            .map_err(failure)?;
        Ok(done.rows_affected())
    }
}
