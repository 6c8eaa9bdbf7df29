//! Consumer bindings.

use async_trait::async_trait;
use daybind_domain::Consumer;
use daybind_domain::ids::TenantId;
use daybind_storage::{Binding, BindingRepository, BindingUndo, StorageError, StorageResult};

use crate::PgUnit;
use crate::codec::{self, Row, failure, get};

fn consumer(row: &Row) -> StorageResult<Consumer> {
    Consumer::parse(get(row, "consumer_type")?).ok_or(StorageError::Inconsistent {
        table: "microsoft_profile_consumer_bindings",
        column: "consumer_type",
    })
}

fn binding(row: &Row) -> StorageResult<Binding> {
    Ok(Binding {
        tenant_id: codec::get_id(row, "tenant_id")?.into(),
        consumer: consumer(row)?,
        profile_id: codec::get_id(row, "profile_id")?.into(),
        updated_by: codec::get_id(row, "updated_by")?.into(),
        updated_at: codec::get_at(row, "updated_at")?,
    })
}

fn undo(row: &Row) -> StorageResult<BindingUndo> {
    Ok(BindingUndo {
        tenant_id: codec::get_id(row, "tenant_id")?.into(),
        consumer: consumer(row)?,
        before: codec::get_id_or(row, "before_profile_id")?.map(Into::into),
        after: codec::get_id_or(row, "after_profile_id")?.map(Into::into),
        changed_by: codec::get_id(row, "changed_by")?.into(),
        changed_at: codec::get_at(row, "changed_at")?,
        undo_until: codec::get_at(row, "undo_until")?,
        memo: codec::get_json(row, "memo")?,
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

    async fn change_binding(
        &mut self,
        tenant_id: TenantId,
        consumer: Consumer,
        expected: Option<&Binding>,
        next: Option<&Binding>,
    ) -> StorageResult<()> {
        let query = match (expected, next) {
            (None, None) => {
                let none = self.find_binding(tenant_id, consumer).await?.is_none();
                return if none { Ok(()) } else { Err(StorageError::Stale) };
            }
            (None, Some(next)) => sqlx::query(
                "INSERT INTO microsoft_profile_consumer_bindings \
                 (tenant_id, consumer_type, profile_id, updated_by, updated_at) VALUES ($1, $2, $3, $4, $5) \
                 ON CONFLICT (tenant_id, consumer_type) DO NOTHING",
            )
            .bind(codec::id(tenant_id.0))
            .bind(consumer.as_str())
            .bind(codec::id(next.profile_id.0))
            .bind(codec::id(next.updated_by.0))
            .bind(codec::at(next.updated_at)),
            (Some(expected), None) => sqlx::query(
                "DELETE FROM microsoft_profile_consumer_bindings \
                 WHERE tenant_id = $1 AND consumer_type = $2 AND profile_id = $3 AND updated_at = $4",
            )
            .bind(codec::id(tenant_id.0))
            .bind(consumer.as_str())
            .bind(codec::id(expected.profile_id.0))
            .bind(codec::at(expected.updated_at)),
            (Some(expected), Some(next)) => sqlx::query(
                "UPDATE microsoft_profile_consumer_bindings SET profile_id = $5, updated_by = $6, updated_at = $7 \
                 WHERE tenant_id = $1 AND consumer_type = $2 AND profile_id = $3 AND updated_at = $4",
            )
            .bind(codec::id(tenant_id.0))
            .bind(consumer.as_str())
            .bind(codec::id(expected.profile_id.0))
            .bind(codec::at(expected.updated_at))
            .bind(codec::id(next.profile_id.0))
            .bind(codec::id(next.updated_by.0))
            .bind(codec::at(next.updated_at)),
        };
        let done = query.execute(self.connection()).await.map_err(failure)?;
        if done.rows_affected() == 1 {
            Ok(())
        } else {
            Err(StorageError::Stale)
        }
    }

    async fn note_undo(&mut self, change: &BindingUndo) -> StorageResult<()> {
        sqlx::query(
            "INSERT INTO microsoft_profile_binding_undo (tenant_id, consumer_type, before_profile_id, \
             after_profile_id, changed_by, changed_at, undo_until, memo) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
             ON CONFLICT (tenant_id, consumer_type) DO UPDATE SET before_profile_id = excluded.before_profile_id, \
             after_profile_id = excluded.after_profile_id, changed_by = excluded.changed_by, \
             changed_at = excluded.changed_at, undo_until = excluded.undo_until, memo = excluded.memo",
        )
        .bind(codec::id(change.tenant_id.0))
        .bind(change.consumer.as_str())
        .bind(change.before.map(|id| codec::id(id.0)))
        .bind(change.after.map(|id| codec::id(id.0)))
        .bind(codec::id(change.changed_by.0))
        .bind(codec::at(change.changed_at))
        .bind(codec::at(change.undo_until))
        .bind(codec::json(&change.memo))
        .execute(self.connection())
        .await
        .map_err(failure)?;
        Ok(())
    }

    async fn find_undo(
        &mut self,
        tenant_id: TenantId,
        consumer: Consumer,
    ) -> StorageResult<Option<BindingUndo>> {
        let row = sqlx::query(
            "SELECT * FROM microsoft_profile_binding_undo WHERE tenant_id = $1 AND consumer_type = $2",
        )
        .bind(codec::id(tenant_id.0))
        .bind(consumer.as_str())
        .fetch_optional(self.connection())
        .await
        .map_err(failure)?;
        row.as_ref().map(undo).transpose()
    }

    async fn list_undo(&mut self, tenant_id: TenantId) -> StorageResult<Vec<BindingUndo>> {
        let rows = sqlx::query("SELECT * FROM microsoft_profile_binding_undo WHERE tenant_id = $1")
            .bind(codec::id(tenant_id.0))
            .fetch_all(self.connection())
            .await
            .map_err(failure)?;
        let mut changes = rows.iter().map(undo).collect::<StorageResult<Vec<_>>>()?;
        changes.sort_by_key(|change| change.consumer);
        Ok(changes)
    }

    async fn remove_undo(&mut self, tenant_id: TenantId, consumer: Consumer) -> StorageResult<()> {
        sqlx::query(
            "DELETE FROM microsoft_profile_binding_undo WHERE tenant_id = $1 AND consumer_type = $2",
        )
        .bind(codec::id(tenant_id.0))
        .bind(consumer.as_str())
        .execute(self.connection())
        .await
        .map_err(failure)?;
        Ok(())
    }
}
