//! Durable jobs: queued in the transaction that causes them, leased, retried, never lost.
//!
//! A job belongs to a *lane*, named by its kind and key. At most one job of a lane is queued or running; queueing
//! another one while it waits merges the two, and while it runs makes it run once more afterwards. A thousand
//! notifications for one connection are one job.

use std::collections::BTreeMap;
use std::slice;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use daybind_domain::ids::{JobId, TenantId};
use uuid::Uuid;

use crate::StorageResult;

/// A job to queue. Table `jobs`.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// Whose.
    pub tenant_id: TenantId,
    /// What to do, for example `calendar.sync`.
    pub kind: &'static str,
    /// What to do it to; with the kind and the tenant it names the lane.
    pub key: String,
    /// Arguments that the key does not carry. A merged job keeps the newest.
    ///
    /// The member `cause` says why it is to run, and is that one run's: it goes when the run is done. `person` is kept until
    /// then, whatever else is asked for meanwhile. What is asked for while it runs is the cause of the run after it.
    pub payload: serde_json::Value,
    /// Not before.
    pub run_at: DateTime<Utc>,
    /// After that many failed attempts it is dead until somebody retries it.
    pub max_attempts: i32,
}

/// A job this worker holds until `lease_until`.
#[derive(Debug, Clone)]
pub struct ClaimedJob {
    /// Whose.
    pub tenant_id: TenantId,
    /// Key.
    pub job_id: JobId,
    /// What to do.
    pub kind: String,
    /// To what.
    pub key: String,
    /// Arguments.
    pub payload: serde_json::Value,
    /// 1 at the first try.
    pub attempt: i32,
    /// The most tries.
    pub max_attempts: i32,
    /// Since when it was due.
    pub run_at: DateTime<Utc>,
    /// Proves the lease; every further call must carry it.
    pub lease_token: Uuid,
    /// Counts how often the lane was poked; what came after the claim is run again.
    pub poked: i64,
}

/// How a claimed job ended.
#[derive(Debug, Clone)]
pub enum FinishJob {
    /// Done. Queued again at once if the lane was poked meanwhile.
    Done,
    /// Done, and due again then (periodic lanes), or earlier if the lane was poked meanwhile.
    Again(DateTime<Utc>),
    /// The same, but a lane that was poked meanwhile rests until `rest` first.
    Rested {
        /// When it is due again.
        at: DateTime<Utc>,
        /// When it is due again at the earliest.
        rest: DateTime<Utc>,
    },
    /// Not begun: the same work again then, for the same cause. It counts as no attempt.
    Later(DateTime<Utc>),
    /// Failed; try again then, or at once if the lane was poked meanwhile.
    Retry {
        /// When.
        at: DateTime<Utc>,
        /// A short code for the operator, never provider text.
        error: String,
    },
    /// Failed for good until somebody retries it by hand.
    Dead {
        /// A short code for the operator.
        error: String,
    },
}

/// Figures of the queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JobStats {
    /// Waiting or due.
    pub queued: i64,
    /// Held by a worker.
    pub running: i64,
    /// Given up.
    pub dead: i64,
}

/// One job for each lane, as queueing these one after the other would leave it: the earliest time, the newest arguments.
///
/// Sorted by tenant, kind and key: whoever locks several lanes does so in this order, so that nobody waits in a circle.
#[must_use]
pub fn merged(jobs: &[NewJob]) -> Vec<NewJob> {
    let mut lanes = BTreeMap::new();
    for job in jobs {
        lanes
            .entry((job.tenant_id, job.kind, job.key.as_str()))
            .and_modify(|lane: &mut NewJob| {
                let run_at = lane.run_at.min(job.run_at);
                let asked = lane.payload["cause"] == PERSON && job.payload["cause"].is_string();
                *lane = NewJob {
                    run_at,
                    ..job.clone()
                };
                if asked {
                    lane.payload["cause"] = PERSON.into();
                }
            })
            .or_insert_with(|| job.clone());
    }
    lanes.into_values().collect()
}

/// The cause that outranks the others.
const PERSON: &str = "person";

/// The arguments as a worker gets them. Of a job whose worker died, what was asked for while it ran (`then`) is this run's, too.
#[must_use]
pub fn at_claim(mut payload: serde_json::Value) -> serde_json::Value {
    let then = payload
        .as_object_mut()
        .and_then(|members| members.remove("then"));
    if let Some(then) = then
        && (then == PERSON || payload["cause"].is_null())
    {
        payload["cause"] = then;
    }
    payload
}

/// The job queue.
#[async_trait]
pub trait JobRepository {
    /// Queues a job or pokes the lane's job: an earlier `run_at` wins, a dead job comes back to life with attempt 0.
    async fn enqueue_job(&mut self, job: &NewJob, now: DateTime<Utc>) -> StorageResult<()> {
        self.enqueue_jobs(slice::from_ref(job), now).await
    }

    /// The same for any number of jobs, several of one lane too ([`merged`]). One statement on PostgreSQL.
    async fn enqueue_jobs(&mut self, jobs: &[NewJob], now: DateTime<Utc>) -> StorageResult<()>;

    /// When the job was due that has waited longest for a worker, over all tenants (system scope) or in one.
    async fn oldest_due(&mut self, now: DateTime<Utc>) -> StorageResult<Option<DateTime<Utc>>>;

    /// Claims up to `limit` due jobs of the given kinds over all tenants (system scope), also those whose lease ran
    /// out. A kind that is not listed is never touched.
    async fn claim_jobs(
        &mut self,
        kinds: &[&str],
        limit: i64,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
    ) -> StorageResult<Vec<ClaimedJob>>;

    /// The same, passing over the tenants in `full`.
    async fn claim_jobs_beside(
        &mut self,
        kinds: &[&str],
        full: &[TenantId],
        limit: i64,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
    ) -> StorageResult<Vec<ClaimedJob>>;

    /// Prolongs the lease. `NotFound` when it was lost; the caller must stop.
    async fn extend_lease(
        &mut self,
        job: &ClaimedJob,
        lease_until: DateTime<Utc>,
    ) -> StorageResult<()>;

    /// Ends the job. `NotFound` when the lease was lost: nothing the caller did in this unit may be saved.
    async fn finish_job(
        &mut self,
        job: &ClaimedJob,
        outcome: &FinishJob,
        now: DateTime<Utc>,
    ) -> StorageResult<()>;

    /// Whether somebody holds a lease on the lane's job at `now`.
    async fn is_running(
        &mut self,
        tenant_id: TenantId,
        kind: &str,
        key: &str,
        now: DateTime<Utc>,
    ) -> StorageResult<bool>;

    /// Drops the lane's job if it is not running; fine when there is none.
    async fn remove_job(&mut self, tenant_id: TenantId, kind: &str, key: &str)
    -> StorageResult<()>;

    /// Figures over all tenants (system scope) or of one (its scope).
    async fn job_stats(&mut self) -> StorageResult<JobStats>;
}
