//! Carries out a plan: one transaction for each step, its ledger and audit rows in the same.

use daybind_domain::ids::{TenantId, UserId};
use daybind_domain::login_domain::ClaimStatus;
use daybind_storage::{
    AuditRow, Binding, LedgerRow, LoginDomain, Origin, Profile, Scope, SecretMeta, StorageResult,
    UnitOfWork,
};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use uuid::Uuid;

use super::plan::{Here, NewProfile, Plan};
use super::{ImportError, SOURCE, at};
use crate::context::Services;
use crate::crash;
use crate::profiles::{last_four, secret_place};

/// Whose hand an imported row bears where the predecessor does not say.
pub(super) const NOBODY: UserId = UserId(Uuid::nil());

/// What is here of an MSP.
pub(super) async fn here(services: &Services, target: TenantId) -> Result<Here, ImportError> {
    read_here(services, target)
        .await
        .map_err(at(format!("reading what is here of MSP {target}")))
}

async fn read_here(services: &Services, target: TenantId) -> StorageResult<Here> {
    let mut unit = services.store.read(Scope::Tenant(target)).await?;
    Ok(Here {
        tenant: unit.list_tenants().await?.into_iter().next(),
        profiles: unit.list_profiles(target).await?,
        bindings: unit.list_bindings(target).await?,
        domains: unit
            .list_login_domains(target)
            .await?
            .into_iter()
            .map(|row| row.domain)
            .collect(),
        ledger: unit
            .list_ledger(target, SOURCE)
            .await?
            .into_iter()
            .map(|row| ((row.kind, row.source_id), row.target_id))
            .collect(),
    })
}

/// The tools of one step.
pub struct Step<'s> {
    services: &'s Services,
    target: TenantId,
    /// Its transaction.
    pub unit: Box<dyn UnitOfWork>,
}

impl<'s> Step<'s> {
    /// Begins a step.
    ///
    /// # Errors
    /// `Database`.
    pub async fn begin(services: &'s Services, target: TenantId) -> StorageResult<Self> {
        Ok(Self {
            services,
            target,
            unit: services.store.begin(Scope::Tenant(target)).await?,
        })
    }

    /// Enters a row of the predecessor in the ledger.
    ///
    /// # Errors
    /// `Duplicate` when another run entered it at the same moment.
    pub async fn enter(
        &mut self,
        kind: &str,
        source_id: impl ToString,
        target_id: Option<Uuid>,
    ) -> StorageResult<()> {
        self.unit
            .add_ledger(&LedgerRow {
                tenant_id: self.target,
                source: SOURCE.to_owned(),
                kind: kind.to_owned(),
                source_id: source_id.to_string(),
                target_id,
                imported_at: self.services.now(),
            })
            .await
    }

    /// Writes an audit row.
    ///
    /// # Errors
    /// `Database`.
    pub async fn audit(
        &mut self,
        action: &str,
        subject: String,
        detail: Value,
    ) -> StorageResult<()> {
        self.unit
            .add_audit(&AuditRow {
                tenant_id: self.target,
                audit_id: self.services.new_id().into(),
                at: self.services.now(),
                actor: None,
                action: action.to_owned(),
                subject,
                detail,
                request_id: None,
                note: None,
                origin: Origin::default(),
            })
            .await
    }

    /// Commits.
    ///
    /// # Errors
    /// `Database`.
    pub async fn save(self) -> StorageResult<()> {
        self.unit.save().await
    }
}

pub(super) async fn apply(
    services: &Services,
    target: TenantId,
    plan: &Plan,
) -> Result<(), ImportError> {
    let failed = |what: &str| at(format!("bringing over {what} of MSP {target}"));
    if let Some(tenant) = &plan.tenant {
        let step = async {
            let mut step = Step::begin(services, target).await?;
            step.unit.add_tenant(tenant, services.now()).await?;
            step.enter("tenant", target, Some(target.0)).await?;
            step.audit(
                "tenant.imported",
                format!("tenant:{target}"),
                json!({ "name": tenant.name }),
            )
            .await?;
            step.save().await
        };
        step.await.map_err(failed("the MSP"))?;
        crash::point("import.after_tenant");
    }
    profiles(services, target, plan).await?;
    crash::point("import.after_profiles");
    bindings(services, target, plan)
        .await
        .map_err(failed("the bindings"))?;
    crash::point("import.after_bindings");
    domains(services, target, plan)
        .await
        .map_err(failed("the login domains"))?;
    crash::point("import.after_domains");
    Ok(())
}

async fn profiles(services: &Services, target: TenantId, plan: &Plan) -> Result<(), ImportError> {
    if plan.profiles.is_empty() && plan.adopted.is_empty() {
        return Ok(());
    }
    let failed = || at(format!("bringing over the profiles of MSP {target}"));
    let mut step = Step::begin(services, target).await.map_err(failed())?;
    for new in &plan.profiles {
        let profile = sealed(services, target, new)?;
        step.unit.add_profile(&profile).await.map_err(failed())?;
        step.enter("profile", new.profile_id, Some(new.profile_id.0))
            .await
            .map_err(failed())?;
        step.audit(
            "profile.imported",
            format!("microsoft_profile:{}", new.profile_id),
            json!({
                "display_name": new.fields.display_name,
                "client_id": new.fields.client_id,
                "directory_id": new.fields.directory_id,
                "client_secret": if new.secret.is_some() { "changed" } else { "missing" },
                "archived": new.archived_at.is_some(),
            }),
        )
        .await
        .map_err(failed())?;
    }
    for (source, known) in &plan.adopted {
        step.enter("profile", source, Some(known.0))
            .await
            .map_err(failed())?;
    }
    crash::point("import.before_profiles_save");
    step.save().await.map_err(failed())
}

fn sealed(services: &Services, target: TenantId, new: &NewProfile) -> Result<Profile, ImportError> {
    let now = services.now();
    let sealed = new
        .secret
        .as_ref()
        .map(|secret| {
            services
                .keyring
                .seal(&secret_place(target, new.profile_id), secret)
        })
        .transpose()?;
    Ok(Profile {
        tenant_id: target,
        profile_id: new.profile_id,
        fields: new.fields.clone(),
        client_secret_sealed: sealed,
        client_secret_last4: new
            .secret
            .as_ref()
            .map(|secret| last_four(secret.expose_secret())),
        secret: SecretMeta {
            added_by: None,
            added_at: new.secret.as_ref().map(|_| now),
            expires_on: None,
        },
        archived_at: new.archived_at,
        version: 1,
        created_by: new.created_by,
        created_at: now,
        updated_by: None,
        updated_at: now,
    })
}

async fn bindings(services: &Services, target: TenantId, plan: &Plan) -> StorageResult<()> {
    if plan.bindings.is_empty() {
        return Ok(());
    }
    let mut step = Step::begin(services, target).await?;
    for new in &plan.bindings {
        // Somebody bound it since the plan was made: theirs stays, and the next run says so.
        if step
            .unit
            .find_binding(target, new.consumer)
            .await?
            .is_some()
        {
            continue;
        }
        let binding = Binding {
            tenant_id: target,
            consumer: new.consumer,
            profile_id: new.profile_id,
            updated_by: NOBODY,
            updated_at: services.now(),
        };
        step.unit.set_binding(&binding).await?;
        step.enter("binding", new.consumer.as_str(), Some(new.profile_id.0))
            .await?;
        step.audit(
            "binding.imported",
            format!("consumer:{}", new.consumer.as_str()),
            json!({ "before": null, "after": new.profile_id.to_string(), "reason": new.reason }),
        )
        .await?;
    }
    crash::point("import.before_bindings_save");
    step.save().await
}

async fn domains(services: &Services, target: TenantId, plan: &Plan) -> StorageResult<()> {
    if plan.domains.is_empty() {
        return Ok(());
    }
    let mut step = Step::begin(services, target).await?;
    let now = services.now();
    for new in &plan.domains {
        let row = LoginDomain {
            tenant_id: target,
            domain_id: new.domain_id,
            domain: new.domain.clone(),
            status: ClaimStatus::Advisory,
            status_changed_at: now,
            status_changed_by: None,
            verified_at: None,
            version: 1,
            created_by: new.created_by,
            created_at: now,
        };
        step.unit.add_login_domain(&row).await?;
        step.enter("login_domain", new.domain_id, Some(new.domain_id.0))
            .await?;
        step.audit(
            "login_domain.imported",
            format!("login_domain:{}", new.domain),
            json!({ "before": null, "after": row.status.as_str() }),
        )
        .await?;
    }
    crash::point("import.before_domains_save");
    step.save().await
}
