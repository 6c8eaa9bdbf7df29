//! Consumer bindings.

use async_trait::async_trait;
use daybind_domain::Consumer;
use daybind_domain::ids::TenantId;
use daybind_storage::{Binding, BindingRepository, StorageError, StorageResult};

use crate::PgUnit;
use crate::codec::{self, Row, failure, get};

fn binding(row: &Row) -> StorageResult<Binding> {
    Ok(Binding {
        tenant_id: codec::get_id(row, "tenant_id")?.into(),
        consumer: Consumer::parse(get(row, "consumer_type")?).ok_or(
            StorageError::Inconsistent {
                table: "microsoft_profile_consumer_bindings",
                column: "consumer_type",
            },
        )?,
        profile_id: codec::get_id(row, "profile_id")?.into(),
        updated_by: codec::get_id(row, "updated_by")?.into(),
        updated_at: codec::get_at(row, "updated_at")?,
    })
}

#[async_trait]
impl BindingRepository for PgUnit {
    async fn set_binding(&mut self, binding: &Binding) -> StorageResult<()> {
        sqlx::query(
            "INSERT INTO microsoft_profile_consumer_bindings \
             (tenant_id, consumer_type, profile_id, updated_by, updated_at) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (tenant_id, consumer_type) DO UPDATE SET profile_id = excluded.profile_id, \
             updated_by = excluded.updated_by, updated_at = excluded.updated_at",
        )
        .bind(codec::id(binding.tenant_id.0))
        .bind(binding.consumer.as_str())
        .bind(codec::id(binding.profile_id.0))
        .bind(codec::id(binding.updated_by.0))
        .bind(codec::at(binding.updated_at))
        .execute(self.connection())
        .await
        .map_err(failure)?;
        Ok(())
    }

    async fn find_binding(
        &mut self,
        tenant_id: TenantId,
        consumer: Consumer,
    ) -> StorageResult<Option<Binding>> {
        let row = sqlx::query(
            "SELECT * FROM microsoft_profile_consumer_bindings WHERE tenant_id = $1 AND consumer_type = $2",
        )
        .bind(codec::id(tenant_id.0))
        .bind(consumer.as_str())
        .fetch_optional(self.connection())
        .await
        .map_err(failure)?;
        row.as_ref().map(binding).transpose()
    }

    async fn list_bindings(&mut self, tenant_id: TenantId) -> StorageResult<Vec<Binding>> {
        let rows =
            sqlx::query("SELECT * FROM microsoft_profile_consumer_bindings WHERE tenant_id = $1")
                .bind(codec::id(tenant_id.0))
                .fetch_all(self.connection())
                .await
                .map_err(failure)?;
        let mut bindings = rows
            .iter()
            .map(binding)
            .collect::<StorageResult<Vec<_>>>()?;
        bindings.sort_by_key(|binding| binding.consumer);
        Ok(bindings)
    }

    async fn clear_binding(
        &mut self,
        tenant_id: TenantId,
        consumer: Consumer,
    ) -> StorageResult<bool> {
        let done = sqlx::query(
            "DELETE FROM microsoft_profile_consumer_bindings WHERE tenant_id = $1 AND consumer_type = $2",
        )
        .bind(codec::id(tenant_id.0))
        .bind(consumer.as_str())
        .execute(self.connection())
        .await
        .map_err(failure)?;
        Ok(done.rows_affected() > 0)
    }
}
