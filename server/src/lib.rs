//! The server both editions run: configuration, command line, HTTP, background work.
//!
//! An entry (`daybind` or `daybind-ee`) hands in a [`Composition`]; nothing here knows which.

pub mod again;
mod alone;
pub mod assemble;
pub mod audit_csv;
pub mod bindings_cli;
pub mod cli;
pub mod client_address;
pub mod commands;
pub mod config;
pub mod csp;
pub mod doctor;
pub mod downloads;
#[cfg(debug_assertions)]
pub mod gallery;
pub mod guard;
pub mod health;
pub mod import;
pub mod keyfile;
pub mod keys;
mod language;
pub mod live;
mod metrics;
pub mod policy;
pub mod router;
pub mod serve;
pub mod signin;
mod sso;
pub mod telemetry;

use std::process::ExitCode;
use std::sync::Arc;

use daybind_app::pages::routes::Pages;
pub use daybind_domain::Edition;
use daybind_services::audit::Wording;
use daybind_services::{
    CalendarPort, CommunityClaims, CommunityPort, ConsumerGuide, DomainClaims, Endpoints, Services,
};
use leptos::config::LeptosOptions;
use leptos::prelude::AnyView;

/// Reads one environment variable.
pub type ReadEnv<'a> = &'a dyn Fn(&str) -> Option<String>;

daybind_app::pages! {
    schedule: daybind_app::Entries::community,
    providers: daybind_app::Entries::community,
    login_domains: daybind_app::Entries::community,
    calendar_settings: daybind_app::Entries::community,
    calendar_profile: daybind_app::Entries::community,
    operations: daybind_app::Entries::community,
    others: daybind_app::Entries::community,
}

/// An edition's pages, as the router needs them.
#[derive(Clone, Copy)]
pub struct PagesOf {
    /// The routes.
    pub app: fn() -> AnyView,
    /// The document around them.
    pub shell: fn(LeptosOptions) -> AnyView,
}

impl PagesOf {
    /// Those of an edition.
    #[must_use]
    pub fn of<P: Pages>() -> Self {
        Self {
            app: daybind_app::app::<P>,
            shell: daybind_app::shell::<P>,
        }
    }
}

/// What makes an edition: handed in by its entry.
#[derive(Clone, Copy)]
pub struct Composition {
    /// The edition that was linked.
    pub built: Edition,
    /// Its pages.
    pub pages: PagesOf,
    /// What its consumers need in Entra.
    pub guides: &'static [ConsumerGuide],
    /// What the audit log's codes are called.
    pub wording: Wording,
    /// Adds the hosts only this edition talks to.
    pub endpoints: fn(&mut Endpoints, ReadEnv<'_>) -> Result<(), String>,
    /// Makes its calendar port.
    pub calendar: fn(Services, ReadEnv<'_>) -> anyhow::Result<Arc<dyn CalendarPort>>,
    /// Makes its proof of login domains.
    pub domains: fn(Services, ReadEnv<'_>) -> anyhow::Result<Arc<dyn DomainClaims>>,
    /// Variables of hosts a form may lead to (the content security policy names them).
    pub form_targets: &'static [&'static str],
    /// Where cargo-leptos puts the built site during development.
    pub site_root: &'static str,
}

impl Composition {
    /// The Community edition.
    #[must_use]
    pub fn community() -> Self {
        Self {
            built: Edition::Community,
            pages: PagesOf::of::<Site>(),
            guides: daybind_services::guide::COMMUNITY,
            wording: daybind_services::audit::COMMUNITY,
            endpoints: |_, _| Ok(()),
            calendar: |_, _| Ok(Arc::new(CommunityPort)),
            domains: |_, _| Ok(Arc::new(CommunityClaims)),
            form_targets: &[],
            site_root: "target/site-ce",
        }
    }
}

/// An exit code for a command that has said all there is to say.
#[derive(Debug, thiserror::Error)]
#[error("exit code {0}")]
pub struct Exit(pub u8);

/// Runs the command line. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done but something is left for an operator.
pub fn run(composition: Composition) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        // Server rendering can stall on fewer than four threads.
        .worker_threads(std::thread::available_parallelism().map_or(4, |n| n.get().max(4)))
        .enable_all()
        .build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(cli::main(composition)),
        Err(error) => Err(error.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<Exit>() => {
            ExitCode::from(error.downcast_ref::<Exit>().map_or(1, |exit| exit.0))
        }
        Err(error) => {
            eprintln!("daybind: {error:#}");
            ExitCode::FAILURE
        }
    }
}
