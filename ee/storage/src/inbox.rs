//! The open conflicts of all people, without anything that their calendars say.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use daybind_domain::ids::{EntryId, TenantId, UserId};
use daybind_storage::StorageResult;
use uuid::Uuid;

/// An open conflict, without its versions: those are the owner's alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenConflict {
    /// Key.
    pub conflict_id: Uuid,
    /// Whose connection it is.
    pub user_id: UserId,
    /// `google` or `microsoft`.
    pub provider: String,
    /// About which entry.
    pub entry_id: EntryId,
    /// `fields` or `deletion`.
    pub kind: String,
    /// The fields still open, by name.
    pub fields: Vec<String>,
    /// When it arose.
    pub created_at: DateTime<Utc>,
}

/// What waits for people, for their administrator.
#[async_trait]
pub trait InboxRepository {
    /// A page of the open conflicts of all people: by person, of each the oldest first.
    async fn list_all_open_conflicts(
        &mut self,
        tenant_id: TenantId,
        (limit, offset): (i64, i64),
    ) -> StorageResult<Vec<OpenConflict>>;
}

/// Implements the repository for a unit of work; see `implement` for the conventions.
macro_rules! inbox_repository {
    ($unit:ty) => {
        use $crate::{InboxRepository, OpenConflict};

        #[async_trait::async_trait]
        impl InboxRepository for $unit {
            async fn list_all_open_conflicts(
                &mut self,
                tenant_id: TenantId,
                (limit, offset): (i64, i64),
            ) -> StorageResult<Vec<OpenConflict>> {
                let rows = sqlx::query(
                    "SELECT c.conflict_id, p.user_id, p.provider, c.entry_id, c.kind, c.fields, c.created_at \
                     FROM calendar_conflicts c \
                     JOIN calendar_providers p ON p.tenant_id = c.tenant_id AND p.connection_id = c.connection_id \
                     LEFT JOIN users u ON u.tenant_id = p.tenant_id AND u.user_id = p.user_id \
                     WHERE c.tenant_id = $1 AND c.state = 'open' \
                     ORDER BY lower(u.display_name), p.user_id, c.created_at, c.conflict_id LIMIT $2 OFFSET $3",
                )
                .bind(codec::id(tenant_id.0))
                .bind(limit)
                .bind(offset)
                .fetch_all(self.connection())
                .await
                .map_err(failure)?;
                let inconsistent = |column| StorageError::Inconsistent {
                    table: "calendar_conflicts",
                    column,
                };
                rows.iter()
                    .map(|row| {
                        let fields = codec::get_json_or(row, "fields")?.unwrap_or_default();
                        Ok(OpenConflict {
                            conflict_id: codec::get_id(row, "conflict_id")?,
                            user_id: codec::get_id(row, "user_id")?.into(),
                            provider: get(row, "provider")?,
                            entry_id: codec::get_id(row, "entry_id")?.into(),
                            kind: get(row, "kind")?,
                            fields: serde_json::from_value(fields)
                                .map_err(|_| inconsistent("fields"))?,
                            created_at: codec::get_at(row, "created_at")?,
                        })
                    })
                    .collect()
            }
        }
    };
}
pub(crate) use inbox_repository;
