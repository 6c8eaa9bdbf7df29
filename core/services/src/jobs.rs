//! The worker: claims due jobs, keeps their leases alive, and records how they ended.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use daybind_domain::ids::TenantId;
use daybind_storage::{ClaimedJob, FinishJob, Scope, StorageError};
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::context::Services;
use crate::port::CalendarPort;
use crate::upkeep;

/// How long a claim holds without a heartbeat. A dead worker's jobs are taken over after that.
pub const LEASE: TimeDelta = TimeDelta::seconds(45);
/// The longest a due job waits when nobody woke the worker (another server queued it).
const POLL: Duration = Duration::from_secs(1);
/// Jobs one server works on at a time.
const AT_ONCE: usize = 10;
/// That many of these places are for tenants that have no more than a [`SHARE`], so that one whose calls take long does
/// not keep the others waiting for longer than a job takes.
const KEPT_FREE: usize = 2;
/// What a tenant may have of the places kept free.
const SHARE: usize = 4;

/// [`LEASE`], or what `DAYBIND_TEST_LEASE_MS` says: tests that kill servers do not want to wait that long. Release
/// builds know no such variable.
#[must_use]
pub fn lease() -> TimeDelta {
    #[cfg(debug_assertions)]
    if let Some(wanted) = std::env::var("DAYBIND_TEST_LEASE_MS")
        .ok()
        .and_then(|text| text.parse().ok())
    {
        return TimeDelta::milliseconds(wanted);
    }
    LEASE
}

/// Runs jobs until `stop`; then lets those that run finish, for at most `grace`, and gives up their leases' renewal.
pub async fn work(
    services: Services,
    port: Arc<dyn CalendarPort>,
    stop: CancellationToken,
    grace: Duration,
) {
    let kinds: Vec<&str> = upkeep::KINDS
        .iter()
        .chain(&[upkeep::CHANGED])
        .chain(port.job_kinds())
        .copied()
        .collect();
    let mut crew = Crew::default();
    while !stop.is_cancelled() {
        crew.tidy();
        let claimed = crew.claim(&services, &kinds).await;
        let busy = !claimed.is_empty();
        for job in claimed {
            crew.put_to_work(&services, &port, job);
        }
        if busy && crew.running.len() < AT_ONCE {
            continue;
        }
        tokio::select! {
            () = stop.cancelled() => break,
            () = services.wake.notified() => {}
            () = tokio::time::sleep(POLL) => {}
            () = crew.one_ended() => {}
        }
    }
    let mut running = crew.running;
    let drained = tokio::time::timeout(grace, async {
        while running.join_next().await.is_some() {}
    });
    if drained.await.is_err() {
        tracing::warn!(
            left = running.len(),
            "stopped before every job ended; their leases will run out"
        );
    }
}

/// The jobs that run on this server, and whose they are.
#[derive(Default)]
struct Crew {
    running: JoinSet<()>,
    tenants: HashMap<Id, TenantId>,
}

impl Crew {
    fn put_to_work(&mut self, services: &Services, port: &Arc<dyn CalendarPort>, job: ClaimedJob) {
        let tenant = job.tenant_id;
        let (services, port) = (services.clone(), Arc::clone(port));
        let task = self.running.spawn(async move {
            run(services, port, job).await;
        });
        self.tenants.insert(task.id(), tenant);
    }

    /// Forgets what has ended. A job that panicked stays leased and is taken up again when its lease runs out.
    fn tidy(&mut self) {
        while let Some(ended) = self.running.try_join_next_with_id() {
            self.tenants.remove(&id_of(ended));
        }
    }

    /// Waits until a job ends; for ever, if none runs.
    async fn one_ended(&mut self) {
        match self.running.join_next_with_id().await {
            Some(ended) => {
                self.tenants.remove(&id_of(ended));
            }
            None => std::future::pending().await,
        }
    }

    /// Claims what there is room for: any tenant's first, for the last places only of those that have few.
    async fn claim(&self, services: &Services, kinds: &[&str]) -> Vec<ClaimedJob> {
        let free = AT_ONCE.saturating_sub(self.running.len());
        let wide = free.saturating_sub(KEPT_FREE);
        let mut claimed = Vec::new();
        if wide > 0 {
            claimed = claim(services, kinds, &[], wide).await;
        }
        if claimed.len() == wide && free > wide {
            let full = self.full(&claimed);
            claimed.extend(claim(services, kinds, &full, free - wide).await);
        }
        claimed
    }

    /// Tenants that have their share of this server.
    fn full(&self, claimed: &[ClaimedJob]) -> Vec<TenantId> {
        let mut counts: HashMap<TenantId, usize> = HashMap::new();
        let claimed = claimed.iter().map(|job| job.tenant_id);
        for tenant in self.tenants.values().copied().chain(claimed) {
            *counts.entry(tenant).or_default() += 1;
        }
        counts.retain(|_, count| *count >= SHARE);
        counts.into_keys().collect()
    }
}

fn id_of(ended: Result<(Id, ()), JoinError>) -> Id {
    match ended {
        Ok((id, ())) => id,
        Err(error) => error.id(),
    }
}

async fn claim(
    services: &Services,
    kinds: &[&str],
    full: &[TenantId],
    limit: usize,
) -> Vec<ClaimedJob> {
    let now = services.now();
    let limit = i64::try_from(limit).unwrap_or(1);
    let claimed = async {
        let mut unit = services.store.begin(Scope::System).await?;
        let jobs = unit
            .claim_jobs_beside(kinds, full, limit, now, now + lease())
            .await?;
        if jobs.is_empty() {
            unit.cancel().await?;
        } else {
            unit.save().await?;
        }
        Ok::<_, StorageError>(jobs)
    };
    claimed.await.unwrap_or_else(|error| {
        tracing::warn!(%error, "could not look for due jobs; trying again");
        Vec::new()
    })
}

/// Measures how long the oldest due job has waited: what no worker takes is seen by nobody otherwise.
pub async fn measure(services: &Services) {
    let now = services.now();
    let oldest = async {
        let mut unit = services.store.read(Scope::System).await?;
        unit.oldest_due(now).await
    };
    match oldest.await {
        Ok(oldest) => {
            let age = oldest.map_or(0.0, |at| (now - at).as_seconds_f64().max(0.0));
            metrics::gauge!("daybind_job_oldest_due_seconds").set(age);
        }
        Err(error) => tracing::warn!(%error, "could not measure the queue"),
    }
}

/// Runs one claimed job and records how it ended; `None` when its lease was lost meanwhile.
pub async fn run(
    services: Services,
    port: Arc<dyn CalendarPort>,
    job: ClaimedJob,
) -> Option<FinishJob> {
    let waited = (services.now() - job.run_at).to_std().unwrap_or_default();
    metrics::histogram!("daybind_job_wait_seconds", "kind" => job.kind.clone()).record(waited);
    let outcome = tokio::select! {
        outcome = execute(&services, port.as_ref(), &job) => outcome,
        () = heartbeat(&services, &job) => {
            tracing::warn!(job = %job.job_id, kind = job.kind, "lease lost; stopped working on the job");
            return None;
        }
    };
    let outcome = match outcome {
        FinishJob::Retry { error, .. } if job.attempt >= job.max_attempts => {
            FinishJob::Dead { error }
        }
        other => other,
    };
    let end = match &outcome {
        FinishJob::Done | FinishJob::Again(_) | FinishJob::Rested { .. } => "done",
        FinishJob::Later(_) => "later",
        FinishJob::Retry { .. } => "retry",
        FinishJob::Dead { .. } => "dead",
    };
    metrics::counter!("daybind_jobs_total", "kind" => job.kind.clone(), "end" => end).increment(1);
    match &outcome {
        FinishJob::Retry { error, at } => {
            tracing::warn!(job = %job.job_id, kind = job.kind, attempt = job.attempt, error, %at, "job failed; will retry");
        }
        FinishJob::Dead { error } => {
            tracing::error!(job = %job.job_id, kind = job.kind, attempt = job.attempt, error, "job given up until somebody retries it");
        }
        FinishJob::Done | FinishJob::Again(_) | FinishJob::Rested { .. } | FinishJob::Later(_) => {}
    }
    let finished = async {
        let mut unit = services.store.begin(Scope::System).await?;
        unit.finish_job(&job, &outcome, services.now()).await?;
        unit.save().await
    };
    if let Err(error) = finished.await {
        tracing::warn!(job = %job.job_id, %error, "could not record how a job ended; it will run again");
    }
    Some(outcome)
}

async fn execute(services: &Services, port: &dyn CalendarPort, job: &ClaimedJob) -> FinishJob {
    if job.kind == upkeep::CHANGED {
        return upkeep::announce(services, port, job).await;
    }
    match upkeep::run(services, job).await {
        Some(outcome) => outcome,
        None => port.run_job(job).await,
    }
}

/// Prolongs the lease, three times as often as it must, until it is lost.
async fn heartbeat(services: &Services, job: &ClaimedJob) {
    let pause = lease().to_std().unwrap_or_default() / 3;
    loop {
        tokio::time::sleep(pause).await;
        let extended = async {
            let mut unit = services.store.begin(Scope::System).await?;
            unit.extend_lease(job, services.now() + lease()).await?;
            unit.save().await
        };
        match extended.await {
            Ok(()) => {}
            Err(StorageError::NotFound) => return,
            Err(error) => tracing::warn!(job = %job.job_id, %error, "could not prolong a lease"),
        }
    }
}

/// When to try again after `attempt` failures: 5 s doubling to 30 minutes, with up to a quarter of random delay, and
/// never before what the provider asked for.
#[must_use]
pub fn backoff(attempt: i32, asked: Option<Duration>) -> TimeDelta {
    let doublings = u32::try_from(attempt.saturating_sub(1)).unwrap_or(0).min(9);
    let base = (5_u64 << doublings).min(1800);
    let base = base.max(asked.map_or(0, |asked| asked.as_secs().min(86_400)));
    let jitter = rand::random_range(0..=base.saturating_mul(250));
    TimeDelta::milliseconds(
        i64::try_from(base.saturating_mul(1000).saturating_add(jitter)).unwrap_or(i64::MAX),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_grows_is_bounded_and_honours_retry_after() {
        assert!(backoff(1, None) >= TimeDelta::seconds(5));
        assert!(backoff(1, None) <= TimeDelta::seconds(7));
        assert!(backoff(40, None) <= TimeDelta::seconds(2250));
        assert!(backoff(1, Some(Duration::from_secs(120))) >= TimeDelta::seconds(120));
    }
}
