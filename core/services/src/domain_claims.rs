//! The port behind which proving login domains lives.
//!
//! Community plugs in [`CommunityClaims`], which refuses before anything is read; its login domains are advisory.

use async_trait::async_trait;
use daybind_domain::login_domain::DomainClaimsView;
use daybind_domain::{AppError, DOMAINS_ENTERPRISE_ONLY, ErrorCode};

use crate::auth::Actor;
use crate::failure::AppResult;

/// Claims on login domains and their proof.
#[async_trait]
pub trait DomainClaims: Send + Sync + 'static {
    /// The tenant's domains with their proof (`system_settings:read`).
    async fn list(&self, actor: &Actor) -> AppResult<DomainClaimsView>;

    /// Asks for a domain: what must be published appears in [`list`](Self::list). Asking again for a pending or verified
    /// domain changes nothing.
    async fn request(&self, actor: &Actor, domain: &str) -> AppResult<()>;

    /// Replaces what must be published by something new. Only while the claim is pending.
    async fn renew(&self, actor: &Actor, domain_id: &str) -> AppResult<()>;

    /// Looks for the proof now.
    async fn check(&self, actor: &Actor, domain_id: &str) -> AppResult<()>;

    /// Gives the domain up: nobody is led to this MSP through it any more. `confirmed` says that the impact was read.
    async fn revoke(&self, actor: &Actor, domain_id: &str, confirmed: bool) -> AppResult<()>;

    /// Looks for the proof of every claim that is due; how many. Called once in a while on every server.
    async fn check_due(&self) -> AppResult<usize>;
}

/// The Community edition's port.
#[derive(Debug, Clone, Copy, Default)]
pub struct CommunityClaims;

fn refused<T>() -> AppResult<T> {
    Err(AppError::new(
        ErrorCode::EnterpriseOnly,
        DOMAINS_ENTERPRISE_ONLY,
    ))
}

#[async_trait]
impl DomainClaims for CommunityClaims {
    async fn list(&self, _actor: &Actor) -> AppResult<DomainClaimsView> {
        refused()
    }

    async fn request(&self, _actor: &Actor, _domain: &str) -> AppResult<()> {
        refused()
    }

    async fn renew(&self, _actor: &Actor, _domain_id: &str) -> AppResult<()> {
        refused()
    }

    async fn check(&self, _actor: &Actor, _domain_id: &str) -> AppResult<()> {
        refused()
    }

    async fn revoke(&self, _actor: &Actor, _domain_id: &str, _confirmed: bool) -> AppResult<()> {
        refused()
    }

    async fn check_due(&self) -> AppResult<usize> {
        Ok(0)
    }
}
