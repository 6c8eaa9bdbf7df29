//! Background work that both editions have.

use daybind_storage::{ClaimedJob, FinishJob};

use crate::context::Services;
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
