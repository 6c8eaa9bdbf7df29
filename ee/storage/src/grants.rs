//! What the Email and Teams consumers hold that one app registration issued.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use daybind_domain::ids::TenantId;
use daybind_domain::{Cloud, Consumer};
use daybind_storage::{StorageError, StorageResult, UnitOfWork};
use daybind_storage_postgres::PgUnit;
use daybind_storage_sqlite::SqliteUnit;

/// A mailbox's consent or an installed app package. Table `microsoft_consumer_grants`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Whose.
    pub tenant_id: TenantId,
    /// Email or Teams.
    pub consumer: Consumer,
    /// The mailbox's address, or the package's name.
    pub subject: String,
    /// `active`, or `stale` when the binding left the app registration that issued it.
    pub state: String,
    /// Application (client) ID that issued it.
    pub client_id: String,
    /// Directory (tenant) ID it was issued in.
    pub directory_id: String,
    /// Microsoft's cloud it was issued in.
    pub cloud: Cloud,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// Grants.
#[async_trait]
pub trait GrantRepository: Send {
    /// A consumer's grants by subject.
    async fn list_grants(
        &mut self,
        tenant_id: TenantId,
        consumer: Consumer,
    ) -> StorageResult<Vec<Grant>>;

    /// Stores a grant over an earlier one of the same subject.
    async fn save_grant(&mut self, grant: &Grant) -> StorageResult<()>;
}

/// The grants inside a unit of work.
///
/// # Errors
/// `Database` when the unit belongs to a database this crate does not know.
pub fn grants(unit: &mut dyn UnitOfWork) -> StorageResult<&mut dyn GrantRepository> {
    let any = unit.as_any_mut();
    if any.is::<PgUnit>() {
        if let Some(unit) = any.downcast_mut::<PgUnit>() {
            return Ok(unit);
        }
    } else if let Some(unit) = any.downcast_mut::<SqliteUnit>() {
        return Ok(unit);
    }
    Err(StorageError::database(std::io::Error::other(
        "grants need PostgreSQL or SQLite",
    )))
}

/// Implements the grants for a unit of work, beside its calendar repository.
macro_rules! repository {
    ($unit:ty) => {
        #[async_trait::async_trait]
        impl $crate::GrantRepository for $unit {
            async fn list_grants(
                &mut self,
                tenant_id: TenantId,
                consumer: daybind_domain::Consumer,
            ) -> StorageResult<Vec<$crate::Grant>> {
                let rows = sqlx::query(
                    "SELECT * FROM microsoft_consumer_grants WHERE tenant_id = $1 AND consumer_type = $2 \
                     ORDER BY subject",
                )
                .bind(codec::id(tenant_id.0))
                .bind(consumer.as_str())
                .fetch_all(self.connection())
                .await
                .map_err(failure)?;
                rows.iter()
                    .map(|row| {
                        Ok($crate::Grant {
                            tenant_id: codec::get_id(row, "tenant_id")?.into(),
                            consumer,
                            subject: get(row, "subject")?,
                            state: get(row, "state")?,
                            client_id: get(row, "client_id")?,
                            directory_id: get(row, "directory_id")?,
                            cloud: daybind_storage::read_cloud(get(row, "cloud")?)?,
                            updated_at: codec::get_at(row, "updated_at")?,
                        })
                    })
                    .collect()
            }

            async fn save_grant(&mut self, grant: &$crate::Grant) -> StorageResult<()> {
                sqlx::query(
                    "INSERT INTO microsoft_consumer_grants (tenant_id, consumer_type, subject, state, client_id, \
                     directory_id, updated_at, cloud) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
                     ON CONFLICT (tenant_id, consumer_type, subject) DO UPDATE SET state = excluded.state, \
                     client_id = excluded.client_id, directory_id = excluded.directory_id, \
                     updated_at = excluded.updated_at, cloud = excluded.cloud",
                )
                .bind(codec::id(grant.tenant_id.0))
                .bind(grant.consumer.as_str())
                .bind(grant.subject.clone())
                .bind(grant.state.clone())
                .bind(grant.client_id.clone())
                .bind(grant.directory_id.clone())
                .bind(codec::at(grant.updated_at))
                .bind(grant.cloud.as_str())
                .execute(self.connection())
                .await
                .map_err(failure)?;
                Ok(())
            }
        }
    };
}

pub(crate) use repository;
