//! The port behind which the Enterprise edition reads what only it knows.

use async_trait::async_trait;
use daybind_domain::ids::TenantId;
use daybind_storage::AlgaTenant;

use super::{ImportError, Line, Plan, Request, Usage};
use crate::context::Services;

/// The half of an import that belongs to the Enterprise edition.
#[async_trait]
pub trait ImportPort: Send + Sync {
    /// One sentence for the top of the report.
    fn note(&self) -> Option<&'static str>;

    /// Signs that consumers were in use over there.
    async fn usage(
        &self,
        request: &Request,
        tenant_id: TenantId,
    ) -> Result<Vec<Usage>, ImportError>;

    /// Imports (or, in a dry run, reports) the rest of a tenant, after the shared half is committed.
    async fn import(
        &self,
        services: &Services,
        request: &Request,
        tenant: &AlgaTenant,
        target: TenantId,
        plan: &Plan,
    ) -> Result<Vec<Line>, ImportError>;
}

/// Community's answer.
#[derive(Debug, Clone, Copy, Default)]
pub struct LeftForEnterprise;

#[async_trait]
impl ImportPort for LeftForEnterprise {
    fn note(&self) -> Option<&'static str> {
        Some(
            "Features of the Enterprise edition were left for it: run the same import with the Enterprise binary to \
             bring them over.",
        )
    }

    async fn usage(
        &self,
        _request: &Request,
        _tenant_id: TenantId,
    ) -> Result<Vec<Usage>, ImportError> {
        Ok(Vec::new())
    }

    async fn import(
        &self,
        _services: &Services,
        _request: &Request,
        _tenant: &AlgaTenant,
        _target: TenantId,
        _plan: &Plan,
    ) -> Result<Vec<Line>, ImportError> {
        Ok(Vec::new())
    }
}
