//! One entry's history: what people did to it, and what sync did, whichever connection it went through.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use daybind_domain::ids::{EntryId, TenantId, UserId};
use daybind_storage::StorageResult;
use serde_json::Value;
use uuid::Uuid;

use crate::SyncChange;

/// What somebody did to an entry in Daybind. Table `entry_edits`.
#[derive(Debug, Clone, PartialEq)]
pub struct EntryEdit {
    /// Whose.
    pub tenant_id: TenantId,
    /// Key.
    pub edit_id: Uuid,
    /// To which entry.
    pub entry_id: EntryId,
    /// Who.
    pub user_id: UserId,
    /// The entry's version that it made; 1 for a new entry.
    pub entry_version: i64,
    /// The content then; none when it was deleted.
    pub after: Option<Value>,
    /// Since when the entry had said this before, where an earlier version was restored.
    pub restored: Option<DateTime<Utc>>,
    /// When.
    pub at: DateTime<Utc>,
}

/// What an entry once said.
#[derive(Debug, Clone, PartialEq)]
pub struct EntryVersion {
    /// Which.
    pub entry_id: EntryId,
    /// The content.
    pub content: Value,
    /// Since when.
    pub at: DateTime<Utc>,
}

/// A change that sync made, and what set its run off, where the run is on record by now.
#[derive(Debug, Clone, PartialEq)]
pub struct CausedChange {
    /// The change.
    pub change: SyncChange,
    /// `poll`, `notification`, `schedule`, `person`, `start` or `retry`.
    pub cause: Option<String>,
}

/// Histories of entries.
#[async_trait]
pub trait HistoryRepository: Send {
    /// Adds an edit.
    async fn add_edit(&mut self, edit: &EntryEdit) -> StorageResult<()>;

    /// The newest edits of an entry.
    async fn list_edits(
        &mut self,
        tenant_id: TenantId,
        entry_id: EntryId,
        limit: i64,
    ) -> StorageResult<Vec<EntryEdit>>;

    /// What an edit, or a change that sync made in the schedule, made of its entry; by the id of either. None where that
    /// left no content.
    async fn find_entry_version(
        &mut self,
        tenant_id: TenantId,
        version_id: Uuid,
    ) -> StorageResult<Option<EntryVersion>>;

    /// The newest changes that sync made about an entry, through any connection.
    async fn list_entry_changes(
        &mut self,
        tenant_id: TenantId,
        entry_id: EntryId,
        limit: i64,
    ) -> StorageResult<Vec<CausedChange>>;
}

/// Implements the repository for a unit of work; see `implement` for the conventions. Stands behind `activity`.
macro_rules! history {
    ($unit:ty, $row:ty) => {
        use $crate::{CausedChange, EntryEdit, EntryVersion, HistoryRepository};

        fn entry_edit(row: &$row) -> StorageResult<EntryEdit> {
            Ok(EntryEdit {
                tenant_id: codec::get_id(row, "tenant_id")?.into(),
                edit_id: codec::get_id(row, "edit_id")?,
                entry_id: codec::get_id(row, "entry_id")?.into(),
                user_id: codec::get_id(row, "user_id")?.into(),
                entry_version: get(row, "entry_version")?,
                after: codec::get_json_or(row, "after")?,
                restored: codec::get_at_or(row, "restored")?,
                at: codec::get_at(row, "at")?,
            })
        }

        #[async_trait::async_trait]
        impl HistoryRepository for $unit {
            async fn add_edit(&mut self, edit: &EntryEdit) -> StorageResult<()> {
                sqlx::query(
                    "INSERT INTO entry_edits (tenant_id, edit_id, entry_id, user_id, entry_version, after, restored, at) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                )
                .bind(codec::id(edit.tenant_id.0))
                .bind(codec::id(edit.edit_id))
                .bind(codec::id(edit.entry_id.0))
                .bind(codec::id(edit.user_id.0))
                .bind(edit.entry_version)
                .bind(edit.after.as_ref().map(codec::json))
                .bind(edit.restored.map(codec::at))
                .bind(codec::at(edit.at))
                .execute(self.connection())
                .await
                .map_err(failure)?;
                Ok(())
            }

            async fn list_edits(
                &mut self,
                tenant_id: TenantId,
                entry_id: EntryId,
                limit: i64,
            ) -> StorageResult<Vec<EntryEdit>> {
                let rows = sqlx::query(
                    "SELECT * FROM entry_edits WHERE tenant_id = $1 AND entry_id = $2 \
                     ORDER BY at DESC, edit_id DESC LIMIT $3",
                )
                .bind(codec::id(tenant_id.0))
                .bind(codec::id(entry_id.0))
                .bind(limit)
                .fetch_all(self.connection())
                .await
                .map_err(failure)?;
                rows.iter().map(entry_edit).collect()
            }

            async fn find_entry_version(
                &mut self,
                tenant_id: TenantId,
                version_id: Uuid,
            ) -> StorageResult<Option<EntryVersion>> {
                let row = sqlx::query(
                    "SELECT entry_id, after, at FROM entry_edits WHERE tenant_id = $1 AND edit_id = $2 \
                     UNION ALL SELECT entry_id, after, at FROM sync_changes WHERE tenant_id = $1 AND change_id = $2 \
                     AND entry_id IS NOT NULL AND side = 'schedule' AND action <> 'removed'",
                )
                .bind(codec::id(tenant_id.0))
                .bind(codec::id(version_id))
                .fetch_optional(self.connection())
                .await
                .map_err(failure)?;
                let Some(row) = row else {
                    return Ok(None);
                };
                let entry_id = codec::get_id(&row, "entry_id")?.into();
                let at = codec::get_at(&row, "at")?;
                let content = codec::get_json_or(&row, "after")?;
                Ok(content.map(|content| EntryVersion {
                    entry_id,
                    content,
                    at,
                }))
            }

            async fn list_entry_changes(
                &mut self,
                tenant_id: TenantId,
                entry_id: EntryId,
                limit: i64,
            ) -> StorageResult<Vec<CausedChange>> {
                let rows = sqlx::query(
                    "SELECT c.*, r.cause FROM sync_changes c LEFT JOIN sync_runs r \
                     ON r.tenant_id = c.tenant_id AND r.run_id = c.run_id \
                     WHERE c.tenant_id = $1 AND c.entry_id = $2 ORDER BY c.at DESC, c.change_id DESC LIMIT $3",
                )
                .bind(codec::id(tenant_id.0))
                .bind(codec::id(entry_id.0))
                .bind(limit)
                .fetch_all(self.connection())
                .await
                .map_err(failure)?;
                let read = |row| {
                    Ok(CausedChange {
                        change: sync_change(row)?,
                        cause: get(row, "cause")?,
                    })
                };
                rows.iter().map(read).collect()
            }
        }
    };
}

pub(crate) use history;
