//! Reads a predecessor's PostgreSQL database.
//!
//! One repeatable-read, read-only transaction, so that everything read belongs to one moment. Columns that only some
//! versions have are read through `to_jsonb`, which answers null for them.

use async_trait::async_trait;
use daybind_domain::ids::TenantId;
use daybind_storage::{
    AlgaBinding, AlgaDatabase, AlgaDomain, AlgaProfile, AlgaTenant, StorageError, StorageResult,
};
use sqlx::{Connection as _, Executor as _, PgConnection};
use uuid::Uuid;

use crate::codec::{failure, get};

/// A predecessor's database, open for reading.
pub struct PgAlga {
    connection: PgConnection,
}

impl PgAlga {
    /// Opens it.
    ///
    /// # Errors
    /// `Database` when the URL is malformed or the server does not answer.
    pub async fn connect(url: &str) -> StorageResult<Self> {
        let mut connection = PgConnection::connect(url).await.map_err(failure)?;
        connection
            .execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            .await
            .map_err(failure)?;
        Ok(Self { connection })
    }

    /// The connection, for the readers of further tables.
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    /// Whether the database has that table.
    ///
    /// # Errors
    /// `Database`.
    pub async fn has(&mut self, table: &str) -> StorageResult<bool> {
        sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL")
            .bind(table.to_owned())
            .fetch_one(&mut self.connection)
            .await
            .map_err(failure)
    }
}

#[async_trait]
impl AlgaDatabase for PgAlga {
    async fn tenants(&mut self) -> StorageResult<Vec<AlgaTenant>> {
        if !self.has("tenants").await? || !self.has("microsoft_profiles").await? {
            return Err(StorageError::NotFound);
        }
        // client_name was company_name once.
        let rows = sqlx::query(
            "SELECT t.tenant, coalesce(to_jsonb(t) ->> 'client_name', to_jsonb(t) ->> 'company_name', t.tenant::text) \
             AS name FROM tenants t ORDER BY 2, 1",
        )
        .fetch_all(&mut self.connection)
        .await
        .map_err(failure)?;
        rows.iter()
            .map(|row| {
                Ok(AlgaTenant {
                    tenant_id: get::<Uuid>(row, "tenant")?.into(),
                    name: get(row, "name")?,
                })
            })
            .collect()
    }

    async fn profiles(&mut self, tenant_id: TenantId) -> StorageResult<Vec<AlgaProfile>> {
        let rows = sqlx::query(
            "SELECT profile_id, display_name, client_id, tenant_id, client_secret_ref, \
             coalesce(is_default, false) AS is_default, coalesce(is_archived, false) AS is_archived, archived_at, \
             created_by, created_at FROM microsoft_profiles WHERE tenant = $1 ORDER BY created_at, profile_id",
        )
        .bind(tenant_id.0)
        .fetch_all(&mut self.connection)
        .await
        .map_err(failure)?;
        rows.iter()
            .map(|row| {
                Ok(AlgaProfile {
                    profile_id: get(row, "profile_id")?,
                    display_name: get(row, "display_name")?,
                    client_id: get(row, "client_id")?,
                    directory_id: get(row, "tenant_id")?,
                    secret_ref: get(row, "client_secret_ref")?,
                    is_default: get(row, "is_default")?,
                    is_archived: get(row, "is_archived")?,
                    archived_at: get(row, "archived_at")?,
                    created_by: get(row, "created_by")?,
                    created_at: get(row, "created_at")?,
                })
            })
            .collect()
    }

    async fn bindings(&mut self, tenant_id: TenantId) -> StorageResult<Vec<AlgaBinding>> {
        if !self.has("microsoft_profile_consumer_bindings").await? {
            return Ok(Vec::new());
        }
        let rows = sqlx::query(
            "SELECT b.consumer_type, b.profile_id, \
             CASE WHEN EXISTS (SELECT FROM microsoft_profiles p WHERE p.tenant = b.tenant AND p.profile_id = b.profile_id) \
             THEN NULL ELSE (SELECT p.tenant FROM microsoft_profiles p WHERE p.profile_id = b.profile_id LIMIT 1) END \
             AS foreign_tenant \
             FROM microsoft_profile_consumer_bindings b WHERE b.tenant = $1 ORDER BY b.consumer_type",
        )
        .bind(tenant_id.0)
        .fetch_all(&mut self.connection)
        .await
        .map_err(failure)?;
        rows.iter()
            .map(|row| {
                Ok(AlgaBinding {
                    consumer: get(row, "consumer_type")?,
                    profile_id: get(row, "profile_id")?,
                    foreign_tenant: get(row, "foreign_tenant")?,
                })
            })
            .collect()
    }

    async fn domains(&mut self, tenant_id: TenantId) -> StorageResult<Vec<AlgaDomain>> {
        if !self.has("msp_sso_tenant_login_domains").await? {
            return Ok(Vec::new());
        }
        let rows = sqlx::query(
            "SELECT d.id, d.domain, coalesce(d.is_active, true) AS is_active, \
             coalesce(to_jsonb(d) ->> 'claim_status', 'advisory') AS claim_status, d.created_by, \
             EXISTS (SELECT FROM msp_sso_tenant_login_domains o WHERE o.tenant <> d.tenant AND o.is_active \
             AND lower(o.domain) = lower(d.domain)) AS contested \
             FROM msp_sso_tenant_login_domains d WHERE d.tenant = $1 ORDER BY lower(d.domain), d.id",
        )
        .bind(tenant_id.0)
        .fetch_all(&mut self.connection)
        .await
        .map_err(failure)?;
        rows.iter()
            .map(|row| {
                Ok(AlgaDomain {
                    domain_id: get(row, "id")?,
                    domain: get(row, "domain")?,
                    is_active: get(row, "is_active")?,
                    claim_status: get(row, "claim_status")?,
                    created_by: get(row, "created_by")?,
                    contested: get(row, "contested")?,
                })
            })
            .collect()
    }
}
