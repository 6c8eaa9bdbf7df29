//! `bindings list` and `bindings clear`: what the pages of this edition may not show.

use anyhow::{Context as _, bail};
use clap::Args;
use daybind_domain::Consumer;
use daybind_services::bindings::{self, Bound, Clear};
use daybind_services::{Services, keys};
use daybind_storage::{Scope, Tenant};

use crate::Composition;
use crate::commands::assemble;

/// Whose bindings.
#[derive(Debug, Args)]
pub(crate) struct Whose {
    /// The MSP's name or id.
    #[arg(long)]
    tenant: String,
}

/// Which bindings to lift.
#[derive(Debug, Args)]
pub(crate) struct ClearOptions {
    #[command(flatten)]
    whose: Whose,
    /// One consumer's: `msp_sso` or a name that `bindings list` shows.
    #[arg(long, conflicts_with = "hidden", required_unless_present = "hidden")]
    consumer: Option<String>,
    /// All that this edition does not show.
    #[arg(long)]
    hidden: bool,
}

async fn tenant(services: &Services, wanted: &str) -> anyhow::Result<Tenant> {
    let mut unit = services.store.read(Scope::System).await?;
    let all = unit.list_tenants().await?;
    let mut found: Vec<_> = all
        .into_iter()
        .filter(|known| known.name == wanted || known.tenant_id.to_string() == wanted)
        .collect();
    match (found.pop(), found.is_empty()) {
        (Some(tenant), true) => Ok(tenant),
        (Some(_), false) => bail!("several MSPs are named {wanted}; give the id"),
        (None, _) => bail!("there is no MSP {wanted}"),
    }
}

fn tell(row: &Bound) -> String {
    let hidden = if row.visible {
        ""
    } else {
        " (not shown in this edition)"
    };
    format!("{}: {}{hidden}", row.consumer.as_str(), row.profile)
}

/// `bindings list`
pub(crate) async fn list(composition: Composition, whose: Whose) -> anyhow::Result<()> {
    let (_, state) = assemble(composition).await?;
    let tenant = tenant(&state.services, &whose.tenant).await?;
    let rows = bindings::bound(&state.services, tenant.tenant_id).await?;
    if rows.is_empty() {
        println!("{} has no bindings.", tenant.name);
    }
    for row in &rows {
        println!("{}", tell(row));
    }
    Ok(())
}

/// `bindings clear`
pub(crate) async fn clear(composition: Composition, options: ClearOptions) -> anyhow::Result<()> {
    let (_, state) = assemble(composition).await?;
    let services = &state.services;
    keys::guard(services.store.as_ref(), &services.keyring).await?;
    let tenant = tenant(services, &options.whose.tenant).await?;
    let which = match &options.consumer {
        None => Clear::Hidden,
        Some(name) => {
            Clear::One(Consumer::parse(name).with_context(|| format!("{name} is not a consumer"))?)
        }
    };
    let lifted =
        bindings::clear(services, state.calendar.as_ref(), tenant.tenant_id, which).await?;
    if lifted.is_empty() {
        println!("There was nothing to lift.");
    }
    for row in &lifted {
        println!("Lifted {}", tell(row));
    }
    Ok(())
}
