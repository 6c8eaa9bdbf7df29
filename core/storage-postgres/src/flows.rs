//! OAuth round trips in flight.

use async_trait::async_trait;
use daybind_domain::ids::TenantId;
use daybind_storage::{FlowRepository, OauthFlow, StorageResult};

use crate::PgUnit;
use crate::codec::{self, Row, failure, get};

fn flow(row: &Row) -> StorageResult<OauthFlow> {
    Ok(OauthFlow {
        tenant_id: codec::get_id(row, "tenant_id")?.into(),
        flow_id: codec::get_id(row, "flow_id")?.into(),
        state_hash: get(row, "state_hash")?,
        purpose: get(row, "purpose")?,
        provider: get(row, "provider")?,
        profile_id: codec::get_id_or(row, "profile_id")?.map(Into::into),
        profile_version: get(row, "profile_version")?,
        user_id: codec::get_id_or(row, "user_id")?.map(Into::into),
        session_id: codec::get_id_or(row, "session_id")?.map(Into::into),
        connection_id: codec::get_id_or(row, "connection_id")?,
        verifier_sealed: get(row, "verifier_sealed")?,
        nonce_hash: get(row, "nonce_hash")?,
        browser_hash: get(row, "browser_hash")?,
        return_to: get(row, "return_to")?,
        redirect_uri: get(row, "redirect_uri")?,
        created_at: codec::get_at(row, "created_at")?,
        expires_at: codec::get_at(row, "expires_at")?,
    })
}

#[async_trait]
impl FlowRepository for PgUnit {
    async fn add_flow(&mut self, flow: &OauthFlow) -> StorageResult<()> {
        sqlx::query("DELETE FROM oauth_flows WHERE tenant_id = $1 AND expires_at < $2")
            .bind(codec::id(flow.tenant_id.0))
            .bind(codec::at(flow.created_at))
            .execute(self.connection())
            .await
            .map_err(failure)?;
        sqlx::query(
            "INSERT INTO oauth_flows (tenant_id, flow_id, state_hash, purpose, provider, profile_id, profile_version, \
             user_id, session_id, connection_id, verifier_sealed, nonce_hash, browser_hash, return_to, \
             redirect_uri, created_at, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
        )
        .bind(codec::id(flow.tenant_id.0))
        .bind(codec::id(flow.flow_id.0))
        .bind(flow.state_hash.clone())
        .bind(flow.purpose.clone())
        .bind(flow.provider.clone())
        .bind(flow.profile_id.map(|id| codec::id(id.0)))
        .bind(flow.profile_version)
        .bind(flow.user_id.map(|id| codec::id(id.0)))
        .bind(flow.session_id.map(|id| codec::id(id.0)))
        .bind(flow.connection_id.map(codec::id))
        .bind(flow.verifier_sealed.clone())
        .bind(flow.nonce_hash.clone())
        .bind(flow.browser_hash.clone())
        .bind(flow.return_to.clone())
        .bind(flow.redirect_uri.clone())
        .bind(codec::at(flow.created_at))
        .bind(codec::at(flow.expires_at))
        .execute(self.connection())
        .await
        .map_err(failure)?;
        Ok(())
    }

    async fn take_flow(
        &mut self,
        tenant_id: TenantId,
        state_hash: &[u8],
    ) -> StorageResult<Option<OauthFlow>> {
        let row = sqlx::query(
            "DELETE FROM oauth_flows WHERE tenant_id = $1 AND state_hash = $2 RETURNING *",
        )
        .bind(codec::id(tenant_id.0))
        .bind(state_hash.to_vec())
        .fetch_optional(self.connection())
        .await
        .map_err(failure)?;
        row.as_ref().map(flow).transpose()
    }
}
