//! Requests in number: as many as go, or so many a second.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::sync::Mutex;

/// Where to send what; each message in turn.
#[derive(Clone)]
pub struct Target {
    /// The address.
    pub url: String,
    /// JSON bodies.
    pub bodies: Arc<Vec<String>>,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Answered with success.
    pub acknowledged: u64,
    /// Answered otherwise, or not at all.
    pub refused: u64,
    /// From the moment a message was due to its answer, sorted.
    pub times: Vec<Duration>,
    /// Until the last answer.
    pub took: Duration,
}

impl Outcome {
    /// Acknowledged messages a second.
    pub fn rate(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
        let count = self.acknowledged as f64;
        count / self.took.as_secs_f64()
    }
}

async fn send(client: &reqwest::Client, target: &Target, n: u64) -> bool {
    let at = usize::try_from(n).unwrap_or_default() % target.bodies.len();
    let request = client
        .post(&target.url)
        .header("content-type", "application/json")
        .body(target.bodies[at].clone());
    match request.send().await {
        // The whole answer, so that the connection is free again.
        Ok(answer) => answer.status().is_success() && answer.bytes().await.is_ok(),
        Err(_) => false,
    }
}

/// As many as go with `workers` at a time.
pub async fn flat_out(
    client: &reqwest::Client,
    target: &Target,
    workers: usize,
    time: Duration,
) -> Result<Outcome> {
    let (good, bad, next) = (
        Arc::new(AtomicU64::new(0)),
        Arc::new(AtomicU64::new(0)),
        Arc::new(AtomicU64::new(0)),
    );
    let began = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..workers {
        let (client, target) = (client.clone(), target.clone());
        let (good, bad, next) = (Arc::clone(&good), Arc::clone(&bad), Arc::clone(&next));
        tasks.push(tokio::spawn(async move {
            while began.elapsed() < time {
                let n = next.fetch_add(1, Ordering::Relaxed);
                let counter = if send(&client, &target, n).await {
                    &good
                } else {
                    &bad
                };
                counter.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    for task in tasks {
        task.await?;
    }
    Ok(Outcome {
        acknowledged: good.load(Ordering::Relaxed),
        refused: bad.load(Ordering::Relaxed),
        times: Vec::new(),
        took: began.elapsed(),
    })
}

/// `count` messages, evenly over `time`, whether or not the earlier ones were answered.
pub async fn evenly(
    client: &reqwest::Client,
    target: &Target,
    count: u64,
    time: Duration,
) -> Result<Outcome> {
    let outcome = Arc::new(Mutex::new(Outcome::default()));
    let began = Instant::now();
    let mut tasks = Vec::new();
    for n in 0..count {
        #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
        let due = time.mul_f64(n as f64 / count as f64);
        if let Some(wait) = due.checked_sub(began.elapsed()) {
            tokio::time::sleep(wait).await;
        }
        let (client, target, outcome) = (client.clone(), target.clone(), Arc::clone(&outcome));
        tasks.push(tokio::spawn(async move {
            let good = send(&client, &target, n).await;
            let time = began.elapsed().saturating_sub(due);
            let mut outcome = outcome.lock().await;
            if good {
                outcome.acknowledged += 1;
                outcome.times.push(time);
            } else {
                outcome.refused += 1;
            }
        }));
    }
    for task in tasks {
        task.await?;
    }
    let mut outcome = std::mem::take(&mut *outcome.lock().await);
    outcome.took = began.elapsed();
    outcome.times.sort_unstable();
    Ok(outcome)
}
