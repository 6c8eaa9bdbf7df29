//! Sessions.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use daybind_domain::ids::{SessionId, TenantId};
use daybind_storage::{Session, SessionRepository, StorageResult};

use crate::SqliteUnit;
use crate::codec::{self, Row, failure, get};

fn session(row: &Row) -> StorageResult<Session> {
    Ok(Session {
        tenant_id: codec::get_id(row, "tenant_id")?.into(),
        session_id: codec::get_id(row, "session_id")?.into(),
        user_id: codec::get_id(row, "user_id")?.into(),
        token_hash: get(row, "token_hash")?,
        created_at: codec::get_at(row, "created_at")?,
        last_seen_at: codec::get_at(row, "last_seen_at")?,
        expires_at: codec::get_at(row, "expires_at")?,
    })
}

#[async_trait]
impl SessionRepository for SqliteUnit {
    async fn add_session(&mut self, session: &Session) -> StorageResult<()> {
        sqlx::query(
            "INSERT INTO sessions (tenant_id, session_id, user_id, token_hash, created_at, last_seen_at, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(codec::id(session.tenant_id.0))
        .bind(codec::id(session.session_id.0))
        .bind(codec::id(session.user_id.0))
        .bind(session.token_hash.clone())
        .bind(codec::at(session.created_at))
        .bind(codec::at(session.last_seen_at))
        .bind(codec::at(session.expires_at))
        .execute(self.connection())
        .await
        .map_err(failure)?;
        Ok(())
    }

    async fn find_session(
        &mut self,
        tenant_id: TenantId,
        token_hash: &[u8],
    ) -> StorageResult<Option<Session>> {
        let row = sqlx::query("SELECT * FROM sessions WHERE tenant_id = $1 AND token_hash = $2")
            .bind(codec::id(tenant_id.0))
            .bind(token_hash.to_vec())
            .fetch_optional(self.connection())
            .await
            .map_err(failure)?;
        row.as_ref().map(session).transpose()
    }

    async fn touch_session(
        &mut self,
        tenant_id: TenantId,
        session_id: SessionId,
        now: DateTime<Utc>,
    ) -> StorageResult<()> {
        sqlx::query(
            "UPDATE sessions SET last_seen_at = $3 WHERE tenant_id = $1 AND session_id = $2",
        )
        .bind(codec::id(tenant_id.0))
        .bind(codec::id(session_id.0))
        .bind(codec::at(now))
        .execute(self.connection())
        .await
        .map_err(failure)?;
        Ok(())
    }

    async fn remove_session(
        &mut self,
        tenant_id: TenantId,
        session_id: SessionId,
    ) -> StorageResult<()> {
        sqlx::query("DELETE FROM sessions WHERE tenant_id = $1 AND session_id = $2")
            .bind(codec::id(tenant_id.0))
            .bind(codec::id(session_id.0))
            .execute(self.connection())
            .await
            .map_err(failure)?;
        Ok(())
    }
}
