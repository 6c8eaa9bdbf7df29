//! How the parts become one application: database, services, port and routes. `serve`, the other commands and the
//! tests of the whole router all come through here, so that what is tested is what runs.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use axum::Router;
use daybind_app::server::AppState;
use daybind_domain::Cloud;
use daybind_services::{
    CalendarPort, CommunityClaims, CommunityPort, DomainClaims, Services, SystemClock,
};
use daybind_storage::Store;
use daybind_storage_postgres::PgStore;
use daybind_storage_sqlite::SqliteStore;
use leptos::config::LeptosOptions;
use secrecy::ExposeSecret;

use crate::config::Config;
use crate::csp::Policy;
use crate::{Composition, ReadEnv, client_address, router};

/// Opens the configured database.
///
/// # Errors
/// When the address is not one we know, or the database does not answer.
pub async fn open(config: &Config) -> anyhow::Result<Arc<dyn Store>> {
    if let Some(url) = &config.database_url {
        let url = url.expose_secret();
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            bail!(
                "DATABASE_URL must begin with postgres:// (without it, Daybind uses its embedded database)"
            );
        }
        let store = PgStore::connect(url)
            .await
            .context("cannot reach the database in DATABASE_URL")?;
        return Ok(Arc::new(store));
    }
    std::fs::create_dir_all(&config.data_dir).with_context(|| {
        format!(
            "cannot create the data directory {}",
            config.data_dir.display()
        )
    })?;
    let path = config.data_dir.join("daybind.sqlite3");
    let store = SqliteStore::open(&path)
        .await
        .with_context(|| format!("cannot open the embedded database {}", path.display()))?;
    Ok(Arc::new(store))
}

/// Services and port over an opened database.
///
/// # Errors
/// When the master key is missing or wrong, or the HTTP client cannot be set up.
pub fn state(
    composition: &Composition,
    config: &Config,
    get: ReadEnv<'_>,
    store: Arc<dyn Store>,
) -> anyhow::Result<AppState> {
    let services = Services {
        edition: config.edition,
        guides: composition.guides,
        wording: composition.wording,
        store,
        keyring: Arc::new(config.keyring(get)?),
        clock: Arc::new(SystemClock),
        public_url: config.public_url.clone(),
        endpoints: Arc::new(config.endpoints.clone()),
        http: daybind_services::outbound::client(&config.endpoints)
            .context("cannot set up the HTTP client")?,
        issuers: Arc::default(),
        wake: Arc::default(),
        live: daybind_services::live::Live::default(),
    };
    let calendar: Arc<dyn CalendarPort> = if config.edition == composition.built {
        (composition.calendar)(services.clone(), get)?
    } else {
        // The Enterprise binary run as Community behaves as Community does, in every respect.
        Arc::new(CommunityPort)
    };
    let domains: Arc<dyn DomainClaims> = if config.edition == composition.built {
        (composition.domains)(services.clone(), get)?
    } else {
        Arc::new(CommunityClaims)
    };
    Ok(AppState {
        services,
        calendar,
        domains,
    })
}

/// The whole router of this configuration.
///
/// # Errors
/// When the public URL is not an origin.
pub fn routes(
    composition: &Composition,
    config: &Config,
    state: &AppState,
) -> anyhow::Result<Router> {
    let options = LeptosOptions::builder()
        .output_name("daybind")
        .site_root(config.site_root.as_str())
        .site_pkg_dir("pkg")
        .site_addr(config.listen)
        .build();
    let targets = composition
        .form_targets
        .iter()
        .filter_map(|name| config.endpoints.get(name));
    let logins = Cloud::ALL.map(|cloud| config.endpoints.microsoft_login(cloud));
    let policy = Policy::new(targets.chain(logins));
    let router = router::router(state, composition.pages, options, &policy)?;
    Ok(router.layer(axum::middleware::from_fn_with_state(
        config.trusted_proxies.clone(),
        client_address::note,
    )))
}
