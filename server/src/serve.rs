//! `serve`: pages and background work until SIGTERM or Ctrl-C.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use daybind_app::server::AppState;
use daybind_services::{Services, jobs, keys, limits, live};
use daybind_storage::Scope;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{Composition, assemble, commands, metrics};

/// How long running jobs may take to end after a stop was asked for.
const GRACE: Duration = Duration::from_secs(20);

/// Serves until stopped.
pub(crate) async fn serve(composition: Composition) -> anyhow::Result<()> {
    let (config, state) = commands::assemble(composition).await?;
    let services = state.services.clone();
    if services.store.is_remote() {
        services.store.ready().await.context(
            "the database does not have this version's schema; run the migrate command first",
        )?;
    } else {
        // Two servers on one file would wait for each other at every write.
        let alone = services.store.take_alone().with_context(|| {
            format!(
                "cannot lock the embedded database in {}",
                config.data_dir.display()
            )
        })?;
        if !alone {
            anyhow::bail!(
                "another server serves the embedded database in {}; stop it first, or set DATABASE_URL: any number of \
                 servers can share a PostgreSQL database",
                config.data_dir.display()
            );
        }
        services
            .store
            .migrate()
            .await
            .context("cannot bring the embedded database up to date")?;
    }
    // Before anything listens: with the wrong key nothing must be sealed.
    if keys::guard(services.store.as_ref(), &services.keyring).await? == keys::Standing::Rotating {
        tracing::warn!("a master key rotation has not finished; run the keys rotate command");
    }
    let app = assemble::routes(&composition, &config, &state)?;
    let listener = TcpListener::bind(config.listen).await.with_context(|| {
        format!(
            "cannot listen on {}; set DAYBIND_LISTEN to a free address",
            config.listen
        )
    })?;
    let stop = CancellationToken::new();
    tokio::spawn(stop_on_signal(stop.clone()));
    if let Some(listen) = config.metrics_listen {
        metrics::serve(listen, stop.clone()).await?;
    }
    state.calendar.start().await?;
    let worker = tokio::spawn(jobs::work(
        services.clone(),
        Arc::clone(&state.calendar),
        stop.clone(),
        GRACE,
    ));
    tracing::info!(
        edition = config.edition.as_str(),
        listen = %listener.local_addr()?,
        "Daybind serves at {}", config.public_url
    );
    welcome(&services).await?;
    let stopped = stop.clone();
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let housekeeping = tokio::spawn(housekeeping(state.clone(), stop.clone()));
    let open = services.live.clone();
    let serving = axum::serve(listener, app).with_graceful_shutdown(async move {
        stopped.cancelled().await;
        // Streams of open pages end by themselves only; their browsers come back to the next server.
        open.stop();
    });
    // A client that never finishes its request must not keep the server from stopping.
    let overtime = async {
        stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = serving => served.context("the server stopped unexpectedly")?,
        () = overtime => tracing::warn!("some requests had not ended; they are cut off"),
    }
    worker.await.context("the job worker failed")?;
    housekeeping.await.context("the housekeeping failed")?;
    services.store.close().await;
    tracing::info!("stopped");
    Ok(())
}

/// Says how the first administrator comes in, as long as there is nobody.
async fn welcome(services: &Services) -> anyhow::Result<()> {
    let mut unit = services.store.read(Scope::System).await?;
    if unit.list_tenants().await?.is_empty() {
        tracing::warn!(
            "nobody can sign in yet: add the first administrator with `user create --email … --name … --tenant …`"
        );
    }
    Ok(())
}

/// What every server does once a minute. Each step is safe beside the same step on other servers.
async fn housekeeping(state: AppState, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(Duration::from_secs(60)) => {}
        }
        // A failure is logged where it happens; the next minute tries again.
        jobs::measure(&state.services).await;
        let _ = limits::purge(&state.services).await;
        let _ = live::prune(&state.services).await;
        let _ = state.domains.check_due().await;
        let _ = state.calendar.housekeep().await;
    }
}

async fn stop_on_signal(stop: CancellationToken) {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminated) => tokio::select! {
                _ = interrupted => {}
                _ = terminated.recv() => {}
            },
            Err(_) => drop(interrupted.await),
        }
    }
    #[cfg(not(unix))]
    drop(interrupted.await);
    tracing::info!("stopping: no new work, letting what runs finish");
    stop.cancel();
}
