//! What waits for a decision and what was done: conflicts, runs, changes; and who may refresh tokens.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use daybind_domain::ids::{ConnectionId, EntryId, MappingId, TenantId};
use daybind_storage::StorageResult;
use uuid::Uuid;

use crate::{Conflict, SyncChange, SyncRun};

/// Tokens as a provider just gave them, sealed.
#[derive(Debug, Clone)]
pub struct FreshTokens {
    /// The access token.
    pub access_token_sealed: String,
    /// When it ends.
    pub access_token_expires_at: DateTime<Utc>,
    /// A new refresh token, if there was one; the old one stays otherwise.
    pub refresh_token_sealed: Option<String>,
}

/// Conflicts, runs, changes and token leases.
#[async_trait]
pub trait ActivityRepository: Send {
    /// Lets `holder` alone refresh the connection's tokens until `until`. `false` when somebody else does so now, or
    /// when the connection is gone. Leaves `version` alone: no other change waits for it.
    async fn take_token_lease(
        &mut self,
        connection: (TenantId, ConnectionId),
        holder: Uuid,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> StorageResult<bool>;

    /// Stores fresh tokens if `holder` still has the lease and the connection is still of `generation`, and gives the
    /// lease back; `false` (and nothing stored) otherwise. With `tokens` none, only gives the lease back.
    async fn end_token_lease(
        &mut self,
        connection: (TenantId, ConnectionId),
        holder: Uuid,
        generation: i64,
        tokens: Option<&FreshTokens>,
    ) -> StorageResult<bool>;

    /// Adds a conflict. `Duplicate` when the mapping has an open one.
    async fn add_conflict(&mut self, conflict: &Conflict) -> StorageResult<()>;

    /// Looks a conflict up.
    async fn find_conflict(
        &mut self,
        tenant_id: TenantId,
        conflict_id: Uuid,
    ) -> StorageResult<Option<Conflict>>;

    /// The open conflict of a mapping.
    async fn find_open_conflict(
        &mut self,
        tenant_id: TenantId,
        mapping_id: MappingId,
    ) -> StorageResult<Option<Conflict>>;

    /// The open conflicts of a connection, oldest first.
    async fn list_open_conflicts(
        &mut self,
        tenant_id: TenantId,
        connection_id: ConnectionId,
    ) -> StorageResult<Vec<Conflict>>;

    /// How many open conflicts the connections have that have any.
    async fn count_open_conflicts(
        &mut self,
        tenant_id: TenantId,
    ) -> StorageResult<Vec<(ConnectionId, i64)>>;

    /// Stores everything but the keys and what the conflict is about. `NotFound` when the row is gone.
    async fn update_conflict(&mut self, conflict: &Conflict) -> StorageResult<()>;

    /// Adds a run.
    async fn add_run(&mut self, run: &SyncRun) -> StorageResult<()>;

    /// The newest runs of a connection.
    async fn list_runs(
        &mut self,
        tenant_id: TenantId,
        connection_id: ConnectionId,
        limit: i64,
    ) -> StorageResult<Vec<SyncRun>>;

    /// When a run of the connection last changed anything.
    async fn last_effect(
        &mut self,
        tenant_id: TenantId,
        connection_id: ConnectionId,
    ) -> StorageResult<Option<DateTime<Utc>>>;

    /// Adds a change.
    async fn add_change(&mut self, change: &SyncChange) -> StorageResult<()>;

    /// The newest changes of a connection, of one entry if given.
    async fn list_changes(
        &mut self,
        tenant_id: TenantId,
        connection_id: ConnectionId,
        entry_id: Option<EntryId>,
        limit: i64,
    ) -> StorageResult<Vec<SyncChange>>;

    /// Removes runs that ended, changes and edits made and conflicts settled before `before`; returns how many rows went.
    async fn prune_activity(
        &mut self,
        tenant_id: TenantId,
        before: DateTime<Utc>,
    ) -> StorageResult<u64>;
}

/// Implements the repository for a unit of work; see `implement` for the conventions.
macro_rules! activity {
    ($unit:ty, $row:ty) => {
        use daybind_domain::ids::MappingId;
        use $crate::{ActivityRepository, Conflict, FreshTokens, SyncChange, SyncRun};

        fn conflict(row: &$row) -> StorageResult<Conflict> {
            let inconsistent = |column| StorageError::Inconsistent { table: "calendar_conflicts", column };
            let fields = codec::get_json_or(row, "fields")?.unwrap_or_default();
            Ok(Conflict {
                tenant_id: codec::get_id(row, "tenant_id")?.into(),
                conflict_id: codec::get_id(row, "conflict_id")?,
                connection_id: codec::get_id(row, "connection_id")?.into(),
                mapping_id: codec::get_id(row, "mapping_id")?.into(),
                entry_id: codec::get_id(row, "entry_id")?.into(),
                kind: get(row, "kind")?,
                state: get(row, "state")?,
                fields: serde_json::from_value(fields).map_err(|_| inconsistent("fields"))?,
                base: codec::get_json_or(row, "base")?,
                local: codec::get_json_or(row, "local")?.ok_or_else(|| inconsistent("local"))?,
                remote: codec::get_json_or(row, "remote")?,
                local_at: codec::get_at(row, "local_at")?,
                remote_at: codec::get_at_or(row, "remote_at")?,
                resolution: codec::get_json_or(row, "resolution")?,
                resolved_by: codec::get_id_or(row, "resolved_by")?.map(UserId),
                resolved_at: codec::get_at_or(row, "resolved_at")?,
                created_at: codec::get_at(row, "created_at")?,
                updated_at: codec::get_at(row, "updated_at")?,
            })
        }

        fn sync_run(row: &$row) -> StorageResult<SyncRun> {
            Ok(SyncRun {
                tenant_id: codec::get_id(row, "tenant_id")?.into(),
                run_id: codec::get_id(row, "run_id")?,
                connection_id: codec::get_id(row, "connection_id")?.into(),
                cause: get(row, "cause")?,
                outcome: get(row, "outcome")?,
                reason: get(row, "reason")?,
                applied: get(row, "applied")?,
                pushed: get(row, "pushed")?,
                started_at: codec::get_at(row, "started_at")?,
                ended_at: codec::get_at(row, "ended_at")?,
            })
        }

        fn sync_change(row: &$row) -> StorageResult<SyncChange> {
            Ok(SyncChange {
                tenant_id: codec::get_id(row, "tenant_id")?.into(),
                change_id: codec::get_id(row, "change_id")?,
                run_id: codec::get_id(row, "run_id")?,
                connection_id: codec::get_id(row, "connection_id")?.into(),
                entry_id: codec::get_id_or(row, "entry_id")?.map(EntryId),
                external_event_id: get(row, "external_event_id")?,
                side: get(row, "side")?,
                action: get(row, "action")?,
                actor: get(row, "actor")?,
                before: codec::get_json_or(row, "before")?,
                after: codec::get_json_or(row, "after")?,
                reason: get(row, "reason")?,
                at: codec::get_at(row, "at")?,
            })
        }

        #[async_trait::async_trait]
        impl ActivityRepository for $unit {
            async fn take_token_lease(
                &mut self,
                (tenant_id, connection_id): (TenantId, ConnectionId),
                holder: Uuid,
                until: DateTime<Utc>,
                now: DateTime<Utc>,
            ) -> StorageResult<bool> {
                let done = sqlx::query(
                    "UPDATE calendar_providers SET token_lease = $3, token_lease_until = $4 \
                     WHERE tenant_id = $1 AND connection_id = $2 \
                     AND (token_lease IS NULL OR token_lease_until <= $5)",
                )
                .bind(codec::id(tenant_id.0))
                .bind(codec::id(connection_id.0))
                .bind(codec::id(holder))
                .bind(codec::at(until))
                .bind(codec::at(now))
                .execute(self.connection())
                .await
                .map_err(failure)?;
                Ok(done.rows_affected() == 1)
            }

            async fn end_token_lease(
                &mut self,
                (tenant_id, connection_id): (TenantId, ConnectionId),
                holder: Uuid,
                generation: i64,
                tokens: Option<&FreshTokens>,
            ) -> StorageResult<bool> {
                let query = match tokens {
                    // The version goes up, so that nobody writes back the tokens read before.
                    Some(tokens) => sqlx::query(
                        "UPDATE calendar_providers SET token_lease = NULL, token_lease_until = NULL, \
                         access_token_sealed = $5, access_token_expires_at = $6, \
                         refresh_token_sealed = coalesce($7, refresh_token_sealed), version = version + 1 \
                         WHERE tenant_id = $1 AND connection_id = $2 AND token_lease = $3 AND generation = $4",
                    )
                    .bind(codec::id(tenant_id.0))
                    .bind(codec::id(connection_id.0))
                    .bind(codec::id(holder))
                    .bind(generation)
                    .bind(tokens.access_token_sealed.clone())
                    .bind(codec::at(tokens.access_token_expires_at))
                    .bind(tokens.refresh_token_sealed.clone()),
                    None => sqlx::query(
                        "UPDATE calendar_providers SET token_lease = NULL, token_lease_until = NULL \
                         WHERE tenant_id = $1 AND connection_id = $2 AND token_lease = $3 AND generation = $4",
                    )
                    .bind(codec::id(tenant_id.0))
                    .bind(codec::id(connection_id.0))
                    .bind(codec::id(holder))
                    .bind(generation),
                };
                let done = query.execute(self.connection()).await.map_err(failure)?;
                Ok(done.rows_affected() == 1)
            }

            async fn add_conflict(&mut self, c: &Conflict) -> StorageResult<()> {
                sqlx::query(
                    "INSERT INTO calendar_conflicts (tenant_id, conflict_id, connection_id, mapping_id, entry_id, \
                     kind, state, fields, base, local, remote, local_at, remote_at, resolution, resolved_by, \
                     resolved_at, created_at, updated_at) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
                )
                .bind(codec::id(c.tenant_id.0))
                .bind(codec::id(c.conflict_id))
                .bind(codec::id(c.connection_id.0))
                .bind(codec::id(c.mapping_id.0))
                .bind(codec::id(c.entry_id.0))
                .bind(c.kind.clone())
                .bind(c.state.clone())
                .bind(codec::json(&Value::from(c.fields.clone())))
                .bind(c.base.as_ref().map(codec::json))
                .bind(codec::json(&c.local))
                .bind(c.remote.as_ref().map(codec::json))
                .bind(codec::at(c.local_at))
                .bind(c.remote_at.map(codec::at))
                .bind(c.resolution.as_ref().map(codec::json))
                .bind(c.resolved_by.map(|user| codec::id(user.0)))
                .bind(c.resolved_at.map(codec::at))
                .bind(codec::at(c.created_at))
                .bind(codec::at(c.updated_at))
                .execute(self.connection())
                .await
                .map_err(failure)?;
                Ok(())
            }

            async fn find_conflict(
                &mut self,
                tenant_id: TenantId,
                conflict_id: Uuid,
            ) -> StorageResult<Option<Conflict>> {
                let row = sqlx::query(
                    "SELECT * FROM calendar_conflicts WHERE tenant_id = $1 AND conflict_id = $2",
                )
                .bind(codec::id(tenant_id.0))
                .bind(codec::id(conflict_id))
                .fetch_optional(self.connection())
                .await
                .map_err(failure)?;
                row.as_ref().map(conflict).transpose()
            }

            async fn find_open_conflict(
                &mut self,
                tenant_id: TenantId,
                mapping_id: MappingId,
            ) -> StorageResult<Option<Conflict>> {
                let row = sqlx::query(
                    "SELECT * FROM calendar_conflicts WHERE tenant_id = $1 AND mapping_id = $2 AND state = 'open'",
                )
                .bind(codec::id(tenant_id.0))
                .bind(codec::id(mapping_id.0))
                .fetch_optional(self.connection())
                .await
                .map_err(failure)?;
                row.as_ref().map(conflict).transpose()
            }

            async fn list_open_conflicts(
                &mut self,
                tenant_id: TenantId,
                connection_id: ConnectionId,
            ) -> StorageResult<Vec<Conflict>> {
                let rows = sqlx::query(
                    "SELECT * FROM calendar_conflicts WHERE tenant_id = $1 AND connection_id = $2 \
                     AND state = 'open' ORDER BY created_at, conflict_id",
                )
                .bind(codec::id(tenant_id.0))
                .bind(codec::id(connection_id.0))
                .fetch_all(self.connection())
                .await
                .map_err(failure)?;
                rows.iter().map(conflict).collect()
            }

            async fn count_open_conflicts(
                &mut self,
                tenant_id: TenantId,
            ) -> StorageResult<Vec<(ConnectionId, i64)>> {
                let rows = sqlx::query(
                    "SELECT connection_id, count(*) AS conflicts FROM calendar_conflicts \
                     WHERE tenant_id = $1 AND state = 'open' GROUP BY connection_id",
                )
                .bind(codec::id(tenant_id.0))
                .fetch_all(self.connection())
                .await
                .map_err(failure)?;
                let read = |row| {
                    Ok((
                        codec::get_id(row, "connection_id")?.into(),
                        get(row, "conflicts")?,
                    ))
                };
                rows.iter().map(read).collect()
            }

            async fn update_conflict(&mut self, c: &Conflict) -> StorageResult<()> {
                let done = sqlx::query(
                    "UPDATE calendar_conflicts SET kind = $3, state = $4, fields = $5, base = $6, local = $7, \
                     remote = $8, local_at = $9, remote_at = $10, resolution = $11, resolved_by = $12, \
                     resolved_at = $13, updated_at = $14 WHERE tenant_id = $1 AND conflict_id = $2",
                )
                .bind(codec::id(c.tenant_id.0))
                .bind(codec::id(c.conflict_id))
                .bind(c.kind.clone())
                .bind(c.state.clone())
                .bind(codec::json(&Value::from(c.fields.clone())))
                .bind(c.base.as_ref().map(codec::json))
                .bind(codec::json(&c.local))
                .bind(c.remote.as_ref().map(codec::json))
                .bind(codec::at(c.local_at))
                .bind(c.remote_at.map(codec::at))
                .bind(c.resolution.as_ref().map(codec::json))
                .bind(c.resolved_by.map(|user| codec::id(user.0)))
                .bind(c.resolved_at.map(codec::at))
                .bind(codec::at(c.updated_at))
                .execute(self.connection())
                .await
                .map_err(failure)?;
                if done.rows_affected() == 0 { Err(StorageError::NotFound) } else { Ok(()) }
            }

            async fn add_run(&mut self, r: &SyncRun) -> StorageResult<()> {
                sqlx::query(
                    "INSERT INTO sync_runs (tenant_id, run_id, connection_id, cause, outcome, reason, applied, \
                     pushed, started_at, ended_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                )
                .bind(codec::id(r.tenant_id.0))
                .bind(codec::id(r.run_id))
                .bind(codec::id(r.connection_id.0))
                .bind(r.cause.clone())
                .bind(r.outcome.clone())
                .bind(r.reason.clone())
                .bind(r.applied)
                .bind(r.pushed)
                .bind(codec::at(r.started_at))
                .bind(codec::at(r.ended_at))
                .execute(self.connection())
                .await
                .map_err(failure)?;
                Ok(())
            }

            async fn list_runs(
                &mut self,
                tenant_id: TenantId,
                connection_id: ConnectionId,
                limit: i64,
            ) -> StorageResult<Vec<SyncRun>> {
                let rows = sqlx::query(
                    "SELECT * FROM sync_runs WHERE tenant_id = $1 AND connection_id = $2 \
                     ORDER BY ended_at DESC, run_id DESC LIMIT $3",
                )
                .bind(codec::id(tenant_id.0))
                .bind(codec::id(connection_id.0))
                .bind(limit)
                .fetch_all(self.connection())
                .await
                .map_err(failure)?;
                rows.iter().map(sync_run).collect()
            }

            async fn last_effect(
                &mut self,
                tenant_id: TenantId,
                connection_id: ConnectionId,
            ) -> StorageResult<Option<DateTime<Utc>>> {
                let row = sqlx::query(
                    "SELECT ended_at FROM sync_runs WHERE tenant_id = $1 AND connection_id = $2 \
                     AND applied + pushed > 0 ORDER BY ended_at DESC LIMIT 1",
                )
                .bind(codec::id(tenant_id.0))
                .bind(codec::id(connection_id.0))
                .fetch_optional(self.connection())
                .await
                .map_err(failure)?;
                row.map(|row| codec::get_at(&row, "ended_at")).transpose()
            }

            async fn add_change(&mut self, c: &SyncChange) -> StorageResult<()> {
                sqlx::query(
                    "INSERT INTO sync_changes (tenant_id, change_id, run_id, connection_id, entry_id, \
                     external_event_id, side, action, actor, before, after, reason, at) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
                )
                .bind(codec::id(c.tenant_id.0))
                .bind(codec::id(c.change_id))
                .bind(codec::id(c.run_id))
                .bind(codec::id(c.connection_id.0))
                .bind(c.entry_id.map(|entry| codec::id(entry.0)))
                .bind(c.external_event_id.clone())
                .bind(c.side.clone())
                .bind(c.action.clone())
                .bind(c.actor.clone())
                .bind(c.before.as_ref().map(codec::json))
                .bind(c.after.as_ref().map(codec::json))
                .bind(c.reason.clone())
                .bind(codec::at(c.at))
                .execute(self.connection())
                .await
                .map_err(failure)?;
                Ok(())
            }

            async fn list_changes(
                &mut self,
                tenant_id: TenantId,
                connection_id: ConnectionId,
                entry_id: Option<EntryId>,
                limit: i64,
            ) -> StorageResult<Vec<SyncChange>> {
                let query = match entry_id {
                    Some(entry_id) => sqlx::query(
                        "SELECT * FROM sync_changes WHERE tenant_id = $1 AND connection_id = $2 AND entry_id = $4 \
                         ORDER BY at DESC, change_id DESC LIMIT $3",
                    )
                    .bind(codec::id(tenant_id.0))
                    .bind(codec::id(connection_id.0))
                    .bind(limit)
                    .bind(codec::id(entry_id.0)),
                    None => sqlx::query(
                        "SELECT * FROM sync_changes WHERE tenant_id = $1 AND connection_id = $2 \
                         ORDER BY at DESC, change_id DESC LIMIT $3",
                    )
                    .bind(codec::id(tenant_id.0))
                    .bind(codec::id(connection_id.0))
                    .bind(limit),
                };
                let rows = query.fetch_all(self.connection()).await.map_err(failure)?;
                rows.iter().map(sync_change).collect()
            }

            async fn prune_activity(
                &mut self,
                tenant_id: TenantId,
                before: DateTime<Utc>,
            ) -> StorageResult<u64> {
                let mut gone = 0;
                for sql in [
                    "DELETE FROM sync_changes WHERE tenant_id = $1 AND at < $2",
                    "DELETE FROM sync_runs WHERE tenant_id = $1 AND ended_at < $2",
                    "DELETE FROM entry_edits WHERE tenant_id = $1 AND at < $2",
                    "DELETE FROM calendar_conflicts WHERE tenant_id = $1 AND state = 'resolved' AND resolved_at < $2",
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

pub(crate) use activity;
