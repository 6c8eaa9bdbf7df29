//! `import alga`

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use daybind_domain::ids::TenantId;
use daybind_services::import::{self, Mark, Request, SecretStore};
use daybind_services::keys;
use daybind_storage_postgres::PgAlga;
use secrecy::{ExposeSecret as _, SecretString};

use crate::{Composition, Exit, commands};

/// What `import alga` is told.
#[derive(Debug, clap::Args)]
pub struct AlgaOptions {
    /// The Alga PSA database, postgres://user:password@host/database. It is only read. A command line can be seen by
    /// others on this machine: better give it in the variable.
    #[arg(long, env = "DAYBIND_IMPORT_FROM", hide_env_values = true)]
    from: SecretString,
    /// Say what would be done, and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Only this tenant (its id over there); may be repeated.
    #[arg(long = "tenant")]
    tenants: Vec<TenantId>,
    /// Bring the one tenant into this MSP that is here already (its id here).
    #[arg(long, requires = "tenants")]
    into: Option<TenantId>,
    /// Alga PSA's directory of secrets (the one with `tenants` in it), to bring client secrets over.
    #[arg(long)]
    secrets: Option<PathBuf>,
    /// Report as JSON.
    #[arg(long)]
    json: bool,
}

/// `import alga`
pub(crate) async fn alga(composition: Composition, options: AlgaOptions) -> anyhow::Result<()> {
    if options.into.is_some() && options.tenants.len() != 1 {
        bail!("--into takes one tenant: give --tenant once");
    }
    let secrets = options
        .secrets
        .as_deref()
        .map(SecretStore::open)
        .transpose()
        .map_err(anyhow::Error::msg)?;
    let (_, state) = commands::assemble(composition).await?;
    let services = &state.services;
    services
        .store
        .ready()
        .await
        .context("run the migrate command first")?;
    keys::guard(services.store.as_ref(), &services.keyring).await?;
    let mut alga = PgAlga::connect(options.from.expose_secret())
        .await
        .map_err(|error| {
            // The URL may hold a password: it is never repeated.
            anyhow::Error::new(error).context("cannot open the database in --from for reading")
        })?;
    let request = Request {
        from: options.from,
        dry_run: options.dry_run,
        tenants: options.tenants,
        into: options.into,
        secrets,
    };
    let report = import::run(services, state.calendar.import(), &mut alga, &request).await?;
    services.store.close().await;
    if options.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{}", report.text());
    }
    if report.count(Mark::Todo) > 0 {
        return Err(Exit(3).into());
    }
    Ok(())
}
