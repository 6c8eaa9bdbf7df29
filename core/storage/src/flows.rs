//! OAuth round trips in flight.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use daybind_domain::ids::{FlowId, ProfileId, SessionId, TenantId, UserId};

use crate::StorageResult;

/// One OAuth authorization request we sent a browser away with. Table `oauth_flows`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OauthFlow {
    /// Whose.
    pub tenant_id: TenantId,
    /// Key.
    pub flow_id: FlowId,
    /// SHA-256 of the `state` parameter, unique.
    pub state_hash: Vec<u8>,
    /// What for: `calendar_connect`, `msp_sso` (signing in), `msp_sso_link` (adding an account to a signed-in person)
    /// or `test_sign_in.<consumer>`.
    pub purpose: String,
    /// `google` or `microsoft`.
    pub provider: String,
    /// The Microsoft profile used, if any.
    pub profile_id: Option<ProfileId>,
    /// The profile's version at that moment.
    pub profile_version: Option<i64>,
    /// Who asked (`None` before sign-in).
    pub user_id: Option<UserId>,
    /// In which session (`None` before sign-in).
    pub session_id: Option<SessionId>,
    /// The connection being reconnected, if any.
    pub connection_id: Option<uuid::Uuid>,
    /// PKCE code verifier, sealed; column `verifier_sealed` (RFC 7636).
    pub verifier_sealed: String,
    /// SHA-256 of the nonce the ID token must repeat (OpenID Connect Core 3.1.2.1), for flows that ask for one.
    pub nonce_hash: Option<Vec<u8>>,
    /// SHA-256 of the cookie that only the browser which began this has, for flows that begin before sign-in.
    pub browser_hash: Option<Vec<u8>>,
    /// The path of ours to go on to.
    pub return_to: Option<String>,
    /// The exact redirect URI that was sent.
    pub redirect_uri: String,
    /// When it was sent.
    pub created_at: DateTime<Utc>,
    /// Ten minutes later.
    pub expires_at: DateTime<Utc>,
}

/// OAuth flows.
#[async_trait]
pub trait FlowRepository {
    /// Adds a flow, and drops those of the tenant that expired before `flow.created_at`.
    async fn add_flow(&mut self, flow: &OauthFlow) -> StorageResult<()>;

    /// Takes the flow with that state: it is gone afterwards, so a second call finds nothing. Expired flows are taken
    /// and returned too; the caller decides.
    async fn take_flow(
        &mut self,
        tenant_id: TenantId,
        state_hash: &[u8],
    ) -> StorageResult<Option<OauthFlow>>;
}
