//! Background work that both editions have.

use chrono::{DateTime, Utc};
use daybind_domain::ids::{ProfileId, TenantId};
use daybind_storage::{ClaimedJob, FinishJob, NewJob, StorageResult, UnitOfWork};

use crate::context::Services;
use crate::jobs::backoff;
use crate::port::CalendarPort;
use crate::profiles::secrets;

/// The job kinds handled here.
pub const KINDS: &[&str] = &[secrets::DESTROY];

/// Runs a job of one of [`KINDS`]; `None` for any other.
pub async fn run(services: &Services, job: &ClaimedJob) -> Option<FinishJob> {
    match job.kind.as_str() {
        secrets::DESTROY => Some(secrets::destroy_due(services, job).await),
        _ => None,
    }
}

/// The job that tells consumers of a profile that its secret or its ids were changed; the key is the profile's id.
pub const CHANGED: &str = "profile.changed";

/// Queues the word that a profile was changed, within the transaction that changes it.
///
/// # Errors
/// A storage error.
pub async fn profile_changed(
    unit: &mut dyn UnitOfWork,
    tenant_id: TenantId,
    profile_id: ProfileId,
    now: DateTime<Utc>,
) -> StorageResult<()> {
    let job = NewJob {
        tenant_id,
        kind: CHANGED,
        key: profile_id.to_string(),
        payload: serde_json::Value::Null,
        run_at: now,
        max_attempts: 20,
    };
    unit.enqueue_job(&job, now).await
}

/// Passes the word on to whoever waits for a repaired profile.
pub async fn announce(services: &Services, port: &dyn CalendarPort, job: &ClaimedJob) -> FinishJob {
    match port.profile_changed(job.tenant_id).await {
        Ok(()) => FinishJob::Done,
        Err(error) => FinishJob::Retry {
            at: services.now() + backoff(job.attempt, None),
            error: error.reference.unwrap_or_else(|| "internal".to_owned()),
        },
    }
}
