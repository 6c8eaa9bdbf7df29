//! Microsoft profiles.

use async_trait::async_trait;
use daybind_domain::ids::{ProfileId, TenantId};
use daybind_domain::profile::ProfileFields;
use daybind_storage::{
    Profile, ProfileRepository, SecretMeta, StorageError, StorageResult, read_cloud,
};

use crate::PgUnit;
use crate::codec::{self, Row, failure, get};

fn profile(row: &Row) -> StorageResult<Profile> {
    Ok(Profile {
        tenant_id: codec::get_id(row, "tenant_id")?.into(),
        profile_id: codec::get_id(row, "profile_id")?.into(),
        fields: ProfileFields {
            display_name: get(row, "display_name")?,
            display_name_normalized: get(row, "display_name_normalized")?,
            client_id: get(row, "client_id")?,
            directory_id: get(row, "directory_id")?,
            cloud: read_cloud(get(row, "cloud")?)?,
        },
        client_secret_sealed: get(row, "client_secret_sealed")?,
        client_secret_last4: get(row, "client_secret_last4")?,
        secret: SecretMeta {
            added_by: codec::get_id_or(row, "secret_added_by")?.map(Into::into),
            added_at: codec::get_at_or(row, "secret_added_at")?,
            expires_on: get(row, "secret_expires_on")?,
        },
        archived_at: codec::get_at_or(row, "archived_at")?,
        version: get(row, "version")?,
        created_by: codec::get_id(row, "created_by")?.into(),
        created_at: codec::get_at(row, "created_at")?,
        updated_by: codec::get_id_or(row, "updated_by")?.map(Into::into),
        updated_at: codec::get_at(row, "updated_at")?,
    })
}

#[async_trait]
impl ProfileRepository for PgUnit {
    async fn add_profile(&mut self, profile: &Profile) -> StorageResult<()> {
        sqlx::query(
            "INSERT INTO microsoft_profiles (tenant_id, profile_id, display_name, display_name_normalized, client_id, \
             directory_id, client_secret_sealed, client_secret_last4, archived_at, version, created_by, created_at, \
             updated_at, secret_added_by, secret_added_at, secret_expires_on, updated_by, cloud) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
        )
        .bind(codec::id(profile.tenant_id.0))
        .bind(codec::id(profile.profile_id.0))
        .bind(profile.fields.display_name.clone())
        .bind(profile.fields.display_name_normalized.clone())
        .bind(profile.fields.client_id.clone())
        .bind(profile.fields.directory_id.clone())
        .bind(profile.client_secret_sealed.clone())
        .bind(profile.client_secret_last4.clone())
        .bind(profile.archived_at.map(codec::at))
        .bind(profile.version)
        .bind(codec::id(profile.created_by.0))
        .bind(codec::at(profile.created_at))
        .bind(codec::at(profile.updated_at))
        .bind(profile.secret.added_by.map(|id| codec::id(id.0)))
        .bind(profile.secret.added_at.map(codec::at))
        .bind(profile.secret.expires_on)
        .bind(profile.updated_by.map(|id| codec::id(id.0)))
        .bind(profile.fields.cloud.as_str())
        .execute(self.connection())
        .await
        .map_err(failure)?;
        Ok(())
    }

    async fn find_profile(
        &mut self,
        tenant_id: TenantId,
        profile_id: ProfileId,
    ) -> StorageResult<Option<Profile>> {
        let row = sqlx::query(
            "SELECT * FROM microsoft_profiles WHERE tenant_id = $1 AND profile_id = $2",
        )
        .bind(codec::id(tenant_id.0))
        .bind(codec::id(profile_id.0))
        .fetch_optional(self.connection())
        .await
        .map_err(failure)?;
        row.as_ref().map(profile).transpose()
    }

    async fn list_profiles(&mut self, tenant_id: TenantId) -> StorageResult<Vec<Profile>> {
        let rows = sqlx::query(
            "SELECT * FROM microsoft_profiles WHERE tenant_id = $1 \
             ORDER BY is_active DESC, display_name_normalized, profile_id",
        )
        .bind(codec::id(tenant_id.0))
        .fetch_all(self.connection())
        .await
        .map_err(failure)?;
        rows.iter().map(profile).collect()
    }

    async fn update_profile(&mut self, profile: &Profile) -> StorageResult<()> {
        let done = sqlx::query(
            "UPDATE microsoft_profiles SET display_name = $4, display_name_normalized = $5, client_id = $6, \
             directory_id = $7, client_secret_sealed = $8, client_secret_last4 = $9, archived_at = $10, \
             updated_at = $11, secret_added_by = $12, secret_added_at = $13, secret_expires_on = $14, updated_by = $15, \
             cloud = $16, version = version + 1 WHERE tenant_id = $1 AND profile_id = $2 AND version = $3",
        )
        .bind(codec::id(profile.tenant_id.0))
        .bind(codec::id(profile.profile_id.0))
        .bind(profile.version)
        .bind(profile.fields.display_name.clone())
        .bind(profile.fields.display_name_normalized.clone())
        .bind(profile.fields.client_id.clone())
        .bind(profile.fields.directory_id.clone())
        .bind(profile.client_secret_sealed.clone())
        .bind(profile.client_secret_last4.clone())
        .bind(profile.archived_at.map(codec::at))
        .bind(codec::at(profile.updated_at))
        .bind(profile.secret.added_by.map(|id| codec::id(id.0)))
        .bind(profile.secret.added_at.map(codec::at))
        .bind(profile.secret.expires_on)
        .bind(profile.updated_by.map(|id| codec::id(id.0)))
        .bind(profile.fields.cloud.as_str())
        .execute(self.connection())
        .await
        .map_err(failure)?;
        if done.rows_affected() == 1 {
            return Ok(());
        }
        Err(self.missed(profile.tenant_id, profile.profile_id).await?)
    }

    async fn remove_profile(
        &mut self,
        tenant_id: TenantId,
        profile_id: ProfileId,
        version: i64,
    ) -> StorageResult<()> {
        let done = sqlx::query(
            "DELETE FROM microsoft_profiles WHERE tenant_id = $1 AND profile_id = $2 AND version = $3",
        )
        .bind(codec::id(tenant_id.0))
        .bind(codec::id(profile_id.0))
        .bind(version)
        .execute(self.connection())
        .await
        .map_err(failure)?;
        if done.rows_affected() == 1 {
            return Ok(());
        }
        Err(self.missed(tenant_id, profile_id).await?)
    }
}

impl PgUnit {
    /// Why a profile with the expected version was not there.
    async fn missed(
        &mut self,
        tenant_id: TenantId,
        profile_id: ProfileId,
    ) -> StorageResult<StorageError> {
        let found = self.find_profile(tenant_id, profile_id).await?;
        Ok(if found.is_some() {
            StorageError::Stale
        } else {
            StorageError::NotFound
        })
    }
}
