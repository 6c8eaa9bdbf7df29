//! Bringing an MSP over from a predecessor (PRD, "Migration"; docs/runbook.md, "Import").
//!
//! An operator runs it; nothing in a running server does any of this (no request ever fills in a binding). What is read
//! over there becomes [`Facts`]; a pure function turns facts and what is here already into a [`Plan`]; the plan is
//! carried out in a few transactions, each with its rows of the import ledger. So a second run changes nothing, and an
//! interrupted one goes on where it stopped.

mod apply;
mod bindings;
mod domains;
mod facts;
mod plan;
mod port;
mod report;
mod secrets;

pub use apply::Step;
pub use domains::NewDomain;
pub use facts::{ClientSecret, Facts, Legacy, Usage};
pub use plan::{Here, NewBinding, NewProfile, Plan, plan};
pub use port::{ImportPort, LeftForEnterprise};
pub use report::{Line, Mark, Report};
pub use secrets::SecretStore;

use daybind_domain::ids::TenantId;
use daybind_storage::{AlgaDatabase, AlgaTenant, StorageError};
use secrecy::SecretString;
use thiserror::Error;

use crate::context::Services;
use crate::seal::SealError;

/// The name of this predecessor in the ledger.
pub const SOURCE: &str = "alga";

/// What an import is asked to do.
#[derive(Debug, Clone)]
pub struct Request {
    /// The predecessor's database (for the Enterprise half, which reads more of it).
    pub from: SecretString,
    /// Report only.
    pub dry_run: bool,
    /// Only these tenants; all when empty.
    pub tenants: Vec<TenantId>,
    /// The tenant here that the one tenant over there becomes, if not one of the same id.
    pub into: Option<TenantId>,
    /// The predecessor's directory of tenant secrets, if it can be read.
    pub secrets: Option<SecretStore>,
}

/// Why an import stopped. What was committed stays; repeating the command goes on.
#[derive(Debug, Error)]
pub enum ImportError {
    /// The other database lacks the tables.
    #[error(
        "this is no Alga PSA database: it has no tables tenants and microsoft_profiles. Check --from"
    )]
    NotAlga,
    /// A tenant that was asked for is not there.
    #[error("the predecessor has no tenant {0}. Check --tenant")]
    NoSuchTenant(TenantId),
    /// `--into` names a tenant that is not here.
    #[error("there is no MSP {0} here. Check --into")]
    NoSuchTarget(TenantId),
    /// A secret could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The predecessor's database, or ours.
    #[error("{what}: {error}{}", cause(.error))]
    Storage {
        /// At which step.
        what: String,
        /// Why.
        error: StorageError,
    },
}

fn cause(error: &StorageError) -> String {
    use std::error::Error as _;
    error
        .source()
        .map(|source| format!(" ({source})"))
        .unwrap_or_default()
}

/// Names the step at which a storage failure happened.
pub fn at(what: impl Into<String>) -> impl FnOnce(StorageError) -> ImportError {
    let what = what.into();
    move |error| ImportError::Storage { what, error }
}

/// Imports all tenants asked for, one after the other.
///
/// # Errors
/// [`ImportError`]. Everything finished before stays and is not repeated by the next run.
pub async fn run(
    services: &Services,
    port: &dyn ImportPort,
    alga: &mut dyn AlgaDatabase,
    request: &Request,
) -> Result<Report, ImportError> {
    let tenants = chosen(alga, request).await?;
    let mut report = Report::new(services.edition, request.dry_run);
    if tenants.is_empty() {
        report.lines.push(Line::todo(
            "no_tenants",
            None,
            "the predecessor's database",
            "has no tenant",
            "Check that --from names the right database.",
        ));
    }
    if let Some(note) = port.note() {
        report.notes.push(note.to_owned());
    }
    for tenant in tenants {
        let lines = one(services, port, alga, request, &tenant).await?;
        report.lines.extend(lines);
    }
    Ok(report)
}

async fn chosen(
    alga: &mut dyn AlgaDatabase,
    request: &Request,
) -> Result<Vec<AlgaTenant>, ImportError> {
    let all = alga.tenants().await.map_err(|error| match error {
        StorageError::NotFound => ImportError::NotAlga,
        error => at("reading the predecessor's tenants")(error),
    })?;
    for wanted in &request.tenants {
        if !all.iter().any(|tenant| tenant.tenant_id == *wanted) {
            return Err(ImportError::NoSuchTenant(*wanted));
        }
    }
    Ok(all
        .into_iter()
        .filter(|tenant| request.tenants.is_empty() || request.tenants.contains(&tenant.tenant_id))
        .collect())
}

async fn one(
    services: &Services,
    port: &dyn ImportPort,
    alga: &mut dyn AlgaDatabase,
    request: &Request,
    tenant: &AlgaTenant,
) -> Result<Vec<Line>, ImportError> {
    let target = request.into.unwrap_or(tenant.tenant_id);
    let here = apply::here(services, target).await?;
    if request.into.is_some() && here.tenant.is_none() {
        return Err(ImportError::NoSuchTarget(target));
    }
    let usage = port.usage(request, tenant.tenant_id).await?;
    let facts = facts::read(alga, request, tenant, usage).await?;
    let plan = plan(services.edition, target, &facts, &here);
    let mut lines = plan.lines.clone();
    if !request.dry_run {
        apply::apply(services, target, &plan).await?;
    }
    lines.extend(
        port.import(services, request, tenant, target, &plan)
            .await?,
    );
    Ok(lines)
}
