//! Sessions.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use daybind_domain::ids::{SessionId, TenantId, UserId};
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
        method: get(row, "method")?,
        user_agent: get(row, "user_agent")?,
        address: get(row, "address")?,
    })
}

#[async_trait]
impl SessionRepository for SqliteUnit {
    async fn add_session(&mut self, session: &Session) -> StorageResult<()> {
        sqlx::query(
            "INSERT INTO sessions (tenant_id, session_id, user_id, token_hash, created_at, last_seen_at, expires_at, \
             method, user_agent, address) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(codec::id(session.tenant_id.0))
        .bind(codec::id(session.session_id.0))
        .bind(codec::id(session.user_id.0))
        .bind(session.token_hash.clone())
        .bind(codec::at(session.created_at))
        .bind(codec::at(session.last_seen_at))
        .bind(codec::at(session.expires_at))
        .bind(session.method.clone())
        .bind(session.user_agent.clone())
        .bind(session.address.clone())
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

    async fn list_sessions(
        &mut self,
        tenant_id: TenantId,
        user_id: UserId,
    ) -> StorageResult<Vec<Session>> {
        let rows = sqlx::query(
            "SELECT * FROM sessions WHERE tenant_id = $1 AND user_id = $2 ORDER BY last_seen_at DESC, session_id",
        )
        .bind(codec::id(tenant_id.0))
        .bind(codec::id(user_id.0))
        .fetch_all(self.connection())
        .await
        .map_err(failure)?;
        rows.iter().map(session).collect()
    }

    async fn has_session_by(&mut self, tenant_id: TenantId, method: &str) -> StorageResult<bool> {
        let row =
            sqlx::query("SELECT 1 FROM sessions WHERE tenant_id = $1 AND method = $2 LIMIT 1")
                .bind(codec::id(tenant_id.0))
                .bind(method.to_owned())
                .fetch_optional(self.connection())
                .await
                .map_err(failure)?;
        Ok(row.is_some())
    }

    async fn remove_other_sessions(
        &mut self,
        tenant_id: TenantId,
        user_id: UserId,
        keep: Option<SessionId>,
    ) -> StorageResult<Vec<SessionId>> {
        let rows = sqlx::query(
            "DELETE FROM sessions WHERE tenant_id = $1 AND user_id = $2 AND ($3 IS NULL OR session_id <> $3) \
             RETURNING session_id",
        )
        .bind(codec::id(tenant_id.0))
        .bind(codec::id(user_id.0))
        .bind(keep.map(|id| codec::id(id.0)))
        .fetch_all(self.connection())
        .await
        .map_err(failure)?;
        rows.iter()
            .map(|row| Ok(codec::get_id(row, "session_id")?.into()))
            .collect()
    }

    async fn purge_sessions(
        &mut self,
        tenant_id: TenantId,
        now: DateTime<Utc>,
        idle_since: DateTime<Utc>,
    ) -> StorageResult<()> {
        sqlx::query(
            "DELETE FROM sessions WHERE tenant_id = $1 AND (expires_at <= $2 OR last_seen_at <= $3)",
        )
        .bind(codec::id(tenant_id.0))
        .bind(codec::at(now))
        .bind(codec::at(idle_since))
        .execute(self.connection())
        .await
        .map_err(failure)?;
        Ok(())
    }
}
