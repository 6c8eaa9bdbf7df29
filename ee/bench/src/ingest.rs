//! Notifications: how many a second beside a bare handler, how fast at half of that, and a flood.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use daybind_services::Provider;
use tokio::process::Command;

use crate::bare;
use crate::load::{self, Target};
use crate::report::{Report, median, quantile};
use crate::world::{World, answers, free_address};

/// Requests under way at a time.
const WORKERS: usize = 32;
/// Connections that are notified.
const PEOPLE: usize = 20;
const FLOOD: u64 = 20_000;

/// Measures ingest of a server.
pub async fn measure(server: &Path, pairs: usize, seconds: u64, report: &mut Report) -> Result<()> {
    let world = World::start(server, Provider::Microsoft, PEOPLE).await?;
    world.connect().await?;
    world.execute(bare::TABLE).await?;
    let listen = free_address()?;
    let _bare = Command::new(std::env::current_exe()?)
        .args(["bare", "--database", &world.database, "--listen"])
        .arg(listen.to_string())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context("the bare handler does not start")?;
    let bodies = Arc::new(world.messages());
    let ours = Target {
        url: format!("{}/api/calendar/webhooks/microsoft", world.url),
        bodies: Arc::clone(&bodies),
    };
    let bare = Target {
        url: format!("http://{listen}/"),
        bodies,
    };
    answers(&bare.url).await?;
    let client = reqwest::Client::builder().no_proxy().build()?;
    let time = Duration::from_secs(seconds);
    for target in [&bare, &ours] {
        load::flat_out(&client, target, WORKERS, Duration::from_secs(1)).await?;
    }
    let (mut ratios, mut rates, mut bares) = (Vec::new(), Vec::new(), Vec::new());
    let mut refused = 0;
    for pair in 0..pairs {
        // Each goes first as often as the other.
        let order = if pair % 2 == 0 {
            [&bare, &ours]
        } else {
            [&ours, &bare]
        };
        let mut of = Vec::new();
        for target in order {
            let outcome = load::flat_out(&client, target, WORKERS, time).await?;
            refused += outcome.refused;
            of.push(outcome.rate());
        }
        if pair % 2 == 1 {
            of.swap(0, 1);
        }
        eprintln!(
            "bench: pair {pair}: bare {:.0}/s, ours {:.0}/s",
            of[0], of[1]
        );
        bares.push(of[0]);
        rates.push(of[1]);
        ratios.push(of[1] / of[0]);
    }
    let (ratio, rate) = (median(ratios), median(rates));
    report.add(
        "Webhook ingest beside a bare handler",
        "at least 0.7",
        format!(
            "{ratio:.2} ({rate:.0}/s beside {:.0}/s, {refused} refused)",
            median(bares)
        ),
        Some(ratio >= 0.7 && refused == 0),
    );
    world.quiet().await?;

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a rate of requests"
    )]
    let count = (rate / 2.0 * seconds as f64) as u64;
    let outcome = load::evenly(&client, &ours, count, time).await?;
    let p99 = quantile(&outcome.times, 0.99);
    report.add(
        "Acknowledgement at half that rate, p99",
        "under 50 ms",
        format!(
            "{:.1} ms (p50 {:.1} ms, {} refused)",
            p99.as_secs_f64() * 1e3,
            quantile(&outcome.times, 0.5).as_secs_f64() * 1e3,
            outcome.refused
        ),
        Some(p99 < Duration::from_millis(50) && outcome.refused == 0),
    );
    world.quiet().await?;

    let before = world.fakes.counters();
    let outcome = load::evenly(&client, &ours, FLOOD, Duration::from_secs(10)).await?;
    world.quiet().await?;
    let pulls = world
        .asked(&before)
        .get("microsoft.view.delta")
        .copied()
        .unwrap_or_default();
    report.add(
        "20,000 notifications for 20 connections in 10 s",
        "all acknowledged, few pulls",
        format!(
            "{} acknowledged, the last after {:.1} s; {pulls} pulls",
            outcome.acknowledged,
            outcome.took.as_secs_f64()
        ),
        Some(outcome.acknowledged == FLOOD && pulls <= FLOOD / 20),
    );
    Ok(())
}
