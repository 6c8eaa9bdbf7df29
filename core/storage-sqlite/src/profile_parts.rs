//! What hangs on a Microsoft profile: staged secrets, check results, drafts.

use async_trait::async_trait;
use daybind_domain::ids::{ProfileId, TenantId, UserId};
use daybind_storage::{
    CheckRepository, Draft, DraftRepository, ProfileCheck, SecretRepository, SecretSlot,
    StagedSecret, StorageError, StorageResult,
};

use crate::SqliteUnit;
use crate::codec::{self, Row, failure, get};

fn secret(row: &Row) -> StorageResult<StagedSecret> {
    let slot: String = get(row, "slot")?;
    Ok(StagedSecret {
        tenant_id: codec::get_id(row, "tenant_id")?.into(),
        profile_id: codec::get_id(row, "profile_id")?.into(),
        slot: SecretSlot::parse(&slot).ok_or(StorageError::Inconsistent {
            table: "microsoft_profile_secrets",
            column: "slot",
        })?,
        secret_sealed: get(row, "secret_sealed")?,
        last4: get(row, "last4")?,
        added_by: codec::get_id_or(row, "added_by")?.map(Into::into),
        added_at: codec::get_at_or(row, "added_at")?,
        expires_on: get(row, "expires_on")?,
        verified_at: codec::get_at_or(row, "verified_at")?,
        destroy_at: codec::get_at_or(row, "destroy_at")?,
    })
}

fn check(row: &Row) -> StorageResult<ProfileCheck> {
    Ok(ProfileCheck {
        tenant_id: codec::get_id(row, "tenant_id")?.into(),
        profile_id: codec::get_id(row, "profile_id")?.into(),
        name: get(row, "name")?,
        outcome: get(row, "outcome")?,
        subject: get(row, "subject")?,
        error: get(row, "error")?,
        number: get(row, "number")?,
        trace_id: get(row, "trace_id")?,
        correlation_id: get(row, "correlation_id")?,
        detail: get(row, "detail")?,
        checked_by: codec::get_id(row, "checked_by")?.into(),
        checked_at: codec::get_at(row, "checked_at")?,
    })
}

#[async_trait]
impl SecretRepository for SqliteUnit {
    async fn put_secret(&mut self, secret: &StagedSecret) -> StorageResult<()> {
        sqlx::query(
            "INSERT INTO microsoft_profile_secrets (tenant_id, profile_id, slot, secret_sealed, last4, added_by, \
             added_at, expires_on, verified_at, destroy_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
             ON CONFLICT (tenant_id, profile_id, slot) DO UPDATE SET secret_sealed = excluded.secret_sealed, \
             last4 = excluded.last4, added_by = excluded.added_by, added_at = excluded.added_at, \
             expires_on = excluded.expires_on, verified_at = excluded.verified_at, destroy_at = excluded.destroy_at",
        )
        .bind(codec::id(secret.tenant_id.0))
        .bind(codec::id(secret.profile_id.0))
        .bind(secret.slot.as_str())
        .bind(secret.secret_sealed.clone())
        .bind(secret.last4.clone())
        .bind(secret.added_by.map(|id| codec::id(id.0)))
        .bind(secret.added_at.map(codec::at))
        .bind(secret.expires_on)
        .bind(secret.verified_at.map(codec::at))
        .bind(secret.destroy_at.map(codec::at))
        .execute(self.connection())
        .await
        .map_err(failure)?;
        Ok(())
    }

    async fn list_secrets(
        &mut self,
        tenant_id: TenantId,
        profile_id: ProfileId,
    ) -> StorageResult<Vec<StagedSecret>> {
        let rows = sqlx::query(
            "SELECT * FROM microsoft_profile_secrets WHERE tenant_id = $1 AND profile_id = $2 ORDER BY slot",
        )
        .bind(codec::id(tenant_id.0))
        .bind(codec::id(profile_id.0))
        .fetch_all(self.connection())
        .await
        .map_err(failure)?;
        rows.iter().map(secret).collect()
    }

    async fn remove_secret(
        &mut self,
        tenant_id: TenantId,
        profile_id: ProfileId,
        slot: SecretSlot,
    ) -> StorageResult<bool> {
        let done = sqlx::query(
            "DELETE FROM microsoft_profile_secrets WHERE tenant_id = $1 AND profile_id = $2 AND slot = $3",
        )
        .bind(codec::id(tenant_id.0))
        .bind(codec::id(profile_id.0))
        .bind(slot.as_str())
        .execute(self.connection())
        .await
        .map_err(failure)?;
        Ok(done.rows_affected() == 1)
    }
}

#[async_trait]
impl CheckRepository for SqliteUnit {
    async fn put_check(&mut self, check: &ProfileCheck) -> StorageResult<()> {
        sqlx::query(
            "INSERT INTO microsoft_profile_checks (tenant_id, profile_id, name, outcome, subject, error, number, \
             trace_id, correlation_id, detail, checked_by, checked_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
             ON CONFLICT (tenant_id, profile_id, name) DO UPDATE SET outcome = excluded.outcome, \
             subject = excluded.subject, error = excluded.error, number = excluded.number, \
             trace_id = excluded.trace_id, correlation_id = excluded.correlation_id, detail = excluded.detail, \
             checked_by = excluded.checked_by, checked_at = excluded.checked_at",
        )
        .bind(codec::id(check.tenant_id.0))
        .bind(codec::id(check.profile_id.0))
        .bind(check.name.clone())
        .bind(check.outcome.clone())
        .bind(check.subject.clone())
        .bind(check.error.clone())
        .bind(check.number)
        .bind(check.trace_id.clone())
        .bind(check.correlation_id.clone())
        .bind(check.detail.clone())
        .bind(codec::id(check.checked_by.0))
        .bind(codec::at(check.checked_at))
        .execute(self.connection())
        .await
        .map_err(failure)?;
        Ok(())
    }

    async fn list_checks(&mut self, tenant_id: TenantId) -> StorageResult<Vec<ProfileCheck>> {
        let rows = sqlx::query(
            "SELECT * FROM microsoft_profile_checks WHERE tenant_id = $1 ORDER BY profile_id, name",
        )
        .bind(codec::id(tenant_id.0))
        .fetch_all(self.connection())
        .await
        .map_err(failure)?;
        rows.iter().map(check).collect()
    }
}

#[async_trait]
impl DraftRepository for SqliteUnit {
    async fn put_draft(&mut self, draft: &Draft) -> StorageResult<()> {
        sqlx::query(
            "INSERT INTO microsoft_profile_drafts (tenant_id, user_id, answers, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant_id, user_id) \
             DO UPDATE SET answers = excluded.answers, updated_at = excluded.updated_at",
        )
        .bind(codec::id(draft.tenant_id.0))
        .bind(codec::id(draft.user_id.0))
        .bind(codec::json(&draft.answers))
        .bind(codec::at(draft.created_at))
        .bind(codec::at(draft.updated_at))
        .execute(self.connection())
        .await
        .map_err(failure)?;
        Ok(())
    }

    async fn find_draft(
        &mut self,
        tenant_id: TenantId,
        user_id: UserId,
    ) -> StorageResult<Option<Draft>> {
        let row = sqlx::query(
            "SELECT * FROM microsoft_profile_drafts WHERE tenant_id = $1 AND user_id = $2",
        )
        .bind(codec::id(tenant_id.0))
        .bind(codec::id(user_id.0))
        .fetch_optional(self.connection())
        .await
        .map_err(failure)?;
        row.as_ref()
            .map(|row| {
                Ok(Draft {
                    tenant_id: codec::get_id(row, "tenant_id")?.into(),
                    user_id: codec::get_id(row, "user_id")?.into(),
                    answers: codec::get_json(row, "answers")?,
                    created_at: codec::get_at(row, "created_at")?,
                    updated_at: codec::get_at(row, "updated_at")?,
                })
            })
            .transpose()
    }

    async fn remove_draft(&mut self, tenant_id: TenantId, user_id: UserId) -> StorageResult<bool> {
        let done = sqlx::query(
            "DELETE FROM microsoft_profile_drafts WHERE tenant_id = $1 AND user_id = $2",
        )
        .bind(codec::id(tenant_id.0))
        .bind(codec::id(user_id.0))
        .execute(self.connection())
        .await
        .map_err(failure)?;
        Ok(done.rows_affected() == 1)
    }
}
