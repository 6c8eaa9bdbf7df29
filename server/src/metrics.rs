//! `GET /metrics` in Prometheus' text format, on a listener of its own that only operators should reach.
//!
//! Off unless `DAYBIND_METRICS_LISTEN` names an address; then nothing is measured either. No name, address or id of a tenant
//! or a person is in it.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::routing::get;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Durations are told as these shares of what came in lately: the median, and the slowest twentieth and hundredth.
const QUANTILES: [f64; 3] = [0.5, 0.95, 0.99];
/// How often what was measured is put in order.
const UPKEEP: Duration = Duration::from_secs(5);

/// Measures from now on, and serves the figures until `stop`.
///
/// # Errors
/// When the address cannot be listened on.
pub(crate) async fn serve(listen: SocketAddr, stop: CancellationToken) -> anyhow::Result<()> {
    let handle = PrometheusBuilder::new()
        .set_quantiles(&QUANTILES)
        .context("cannot set up the metrics")?
        .install_recorder()
        .context("cannot set up the metrics")?;
    let listener = TcpListener::bind(listen).await.with_context(|| {
        format!("cannot listen on {listen}; set DAYBIND_METRICS_LISTEN to a free address")
    })?;
    tracing::info!(listen = %listener.local_addr()?, "metrics are served at /metrics");
    tokio::spawn(upkeep(handle.clone(), stop.clone()));
    let app = Router::new().route("/metrics", get(move || std::future::ready(handle.render())));
    let serving =
        axum::serve(listener, app).with_graceful_shutdown(async move { stop.cancelled().await });
    tokio::spawn(async move {
        if let Err(error) = serving.await {
            tracing::error!(%error, "metrics are not served any more");
        }
    });
    Ok(())
}

async fn upkeep(handle: PrometheusHandle, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(UPKEEP) => handle.run_upkeep(),
        }
    }
}
