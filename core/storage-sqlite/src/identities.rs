//! Whose Microsoft account is whose.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use daybind_domain::ids::{IdentityId, IdentityRequestId, TenantId, UserId};
use daybind_storage::{
    Identity, IdentityRepository, IdentityRequest, Proof, RequestState, StorageError, StorageResult,
};

use crate::SqliteUnit;
use crate::codec::{self, Row, failure, get};

fn identity(row: &Row) -> StorageResult<Identity> {
    Ok(Identity {
        tenant_id: codec::get_id(row, "tenant_id")?.into(),
        identity_id: codec::get_id(row, "identity_id")?.into(),
        user_id: codec::get_id(row, "user_id")?.into(),
        directory_id: get(row, "directory_id")?,
        object_id: get(row, "object_id")?,
        account_name: get(row, "account_name")?,
        proof: Proof::parse(get(row, "proof")?).ok_or(StorageError::Inconsistent {
            table: "user_identities",
            column: "proof",
        })?,
        linked_by: codec::get_id(row, "linked_by")?.into(),
        linked_at: codec::get_at(row, "linked_at")?,
        last_used_at: codec::get_at_or(row, "last_used_at")?,
    })
}

fn request(row: &Row) -> StorageResult<IdentityRequest> {
    Ok(IdentityRequest {
        tenant_id: codec::get_id(row, "tenant_id")?.into(),
        request_id: codec::get_id(row, "request_id")?.into(),
        directory_id: get(row, "directory_id")?,
        object_id: get(row, "object_id")?,
        account_name: get(row, "account_name")?,
        account_verified: get(row, "account_verified")?,
        suggested_user_id: codec::get_id_or(row, "suggested_user_id")?.map(Into::into),
        state: RequestState::parse(get(row, "state")?),
        requested_at: codec::get_at(row, "requested_at")?,
        decided_by: codec::get_id_or(row, "decided_by")?.map(Into::into),
        decided_at: codec::get_at_or(row, "decided_at")?,
    })
}

#[async_trait]
impl IdentityRepository for SqliteUnit {
    async fn add_identity(&mut self, identity: &Identity) -> StorageResult<()> {
        sqlx::query(
            "INSERT INTO user_identities (tenant_id, identity_id, user_id, directory_id, object_id, account_name, \
             proof, linked_by, linked_at, last_used_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(codec::id(identity.tenant_id.0))
        .bind(codec::id(identity.identity_id.0))
        .bind(codec::id(identity.user_id.0))
        .bind(identity.directory_id.clone())
        .bind(identity.object_id.clone())
        .bind(identity.account_name.clone())
        .bind(identity.proof.as_str())
        .bind(codec::id(identity.linked_by.0))
        .bind(codec::at(identity.linked_at))
        .bind(identity.last_used_at.map(codec::at))
        .execute(self.connection())
        .await
        .map_err(failure)?;
        Ok(())
    }

    async fn find_identity(
        &mut self,
        tenant_id: TenantId,
        directory_id: &str,
        object_id: &str,
    ) -> StorageResult<Option<Identity>> {
        let row = sqlx::query(
            "SELECT * FROM user_identities WHERE tenant_id = $1 AND directory_id = $2 AND object_id = $3",
        )
        .bind(codec::id(tenant_id.0))
        .bind(directory_id.to_owned())
        .bind(object_id.to_owned())
        .fetch_optional(self.connection())
        .await
        .map_err(failure)?;
        row.as_ref().map(identity).transpose()
    }

    // One writer at a time: a writing unit is the lock.
    async fn lock_identities_of(
        &mut self,
        tenant_id: TenantId,
        user_id: UserId,
    ) -> StorageResult<Vec<Identity>> {
        self.list_identities_of(tenant_id, user_id).await
    }

    async fn list_identities_of(
        &mut self,
        tenant_id: TenantId,
        user_id: UserId,
    ) -> StorageResult<Vec<Identity>> {
        let rows = sqlx::query(
            "SELECT * FROM user_identities WHERE tenant_id = $1 AND user_id = $2 ORDER BY linked_at, identity_id",
        )
        .bind(codec::id(tenant_id.0))
        .bind(codec::id(user_id.0))
        .fetch_all(self.connection())
        .await
        .map_err(failure)?;
        rows.iter().map(identity).collect()
    }

    async fn touch_identity(
        &mut self,
        tenant_id: TenantId,
        identity_id: IdentityId,
        now: DateTime<Utc>,
    ) -> StorageResult<()> {
        sqlx::query(
            "UPDATE user_identities SET last_used_at = $3 WHERE tenant_id = $1 AND identity_id = $2",
        )
        .bind(codec::id(tenant_id.0))
        .bind(codec::id(identity_id.0))
        .bind(codec::at(now))
        .execute(self.connection())
        .await
        .map_err(failure)?;
        Ok(())
    }

    async fn remove_identity(
        &mut self,
        tenant_id: TenantId,
        identity_id: IdentityId,
    ) -> StorageResult<bool> {
        let done =
            sqlx::query("DELETE FROM user_identities WHERE tenant_id = $1 AND identity_id = $2")
                .bind(codec::id(tenant_id.0))
                .bind(codec::id(identity_id.0))
                .execute(self.connection())
                .await
                .map_err(failure)?;
        Ok(done.rows_affected() == 1)
    }

    async fn add_identity_request(&mut self, request: &IdentityRequest) -> StorageResult<bool> {
        let done = sqlx::query(
            "INSERT INTO identity_requests (tenant_id, request_id, directory_id, object_id, account_name, \
             account_verified, suggested_user_id, state, requested_at, decided_by, decided_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
             ON CONFLICT (tenant_id, directory_id, object_id) DO NOTHING",
        )
        .bind(codec::id(request.tenant_id.0))
        .bind(codec::id(request.request_id.0))
        .bind(request.directory_id.clone())
        .bind(request.object_id.clone())
        .bind(request.account_name.clone())
        .bind(request.account_verified)
        .bind(request.suggested_user_id.map(|id| codec::id(id.0)))
        .bind(request.state.as_str())
        .bind(codec::at(request.requested_at))
        .bind(request.decided_by.map(|id| codec::id(id.0)))
        .bind(request.decided_at.map(codec::at))
        .execute(self.connection())
        .await
        .map_err(failure)?;
        Ok(done.rows_affected() == 1)
    }

    async fn find_identity_request(
        &mut self,
        tenant_id: TenantId,
        request_id: IdentityRequestId,
    ) -> StorageResult<Option<IdentityRequest>> {
        let row =
            sqlx::query("SELECT * FROM identity_requests WHERE tenant_id = $1 AND request_id = $2")
                .bind(codec::id(tenant_id.0))
                .bind(codec::id(request_id.0))
                .fetch_optional(self.connection())
                .await
                .map_err(failure)?;
        row.as_ref().map(request).transpose()
    }

    async fn find_request_of_account(
        &mut self,
        tenant_id: TenantId,
        directory_id: &str,
        object_id: &str,
    ) -> StorageResult<Option<IdentityRequest>> {
        let row = sqlx::query(
            "SELECT * FROM identity_requests WHERE tenant_id = $1 AND directory_id = $2 AND object_id = $3",
        )
        .bind(codec::id(tenant_id.0))
        .bind(directory_id.to_owned())
        .bind(object_id.to_owned())
        .fetch_optional(self.connection())
        .await
        .map_err(failure)?;
        row.as_ref().map(request).transpose()
    }

    async fn list_identity_requests(
        &mut self,
        tenant_id: TenantId,
    ) -> StorageResult<Vec<IdentityRequest>> {
        let rows = sqlx::query(
            "SELECT * FROM identity_requests WHERE tenant_id = $1 \
             ORDER BY state = 'pending' DESC, requested_at DESC, request_id",
        )
        .bind(codec::id(tenant_id.0))
        .fetch_all(self.connection())
        .await
        .map_err(failure)?;
        rows.iter().map(request).collect()
    }

    async fn decline_identity_request(
        &mut self,
        tenant_id: TenantId,
        request_id: IdentityRequestId,
        by: UserId,
        at: DateTime<Utc>,
    ) -> StorageResult<bool> {
        let done = sqlx::query(
            "UPDATE identity_requests SET state = 'declined', decided_by = $3, decided_at = $4 \
             WHERE tenant_id = $1 AND request_id = $2 AND state = 'pending'",
        )
        .bind(codec::id(tenant_id.0))
        .bind(codec::id(request_id.0))
        .bind(codec::id(by.0))
        .bind(codec::at(at))
        .execute(self.connection())
        .await
        .map_err(failure)?;
        Ok(done.rows_affected() == 1)
    }

    async fn remove_identity_request(
        &mut self,
        tenant_id: TenantId,
        request_id: IdentityRequestId,
    ) -> StorageResult<bool> {
        let done =
            sqlx::query("DELETE FROM identity_requests WHERE tenant_id = $1 AND request_id = $2")
                .bind(codec::id(tenant_id.0))
                .bind(codec::id(request_id.0))
                .execute(self.connection())
                .await
                .map_err(failure)?;
        Ok(done.rows_affected() == 1)
    }
}
