//! Which Microsoft profile each consumer uses: the explicit row, and nothing else (PRD, "Consumer Resolution").
//!
//! [`resolve`] is the only way a consumer finds its profile. [`board`] lists, [`review`] says what a change would do,
//! [`change`] does it in one transaction, [`undo`] takes the last one back, [`clear`] is the command line's.

use daybind_words::t;

mod board;
mod change;
mod operator;
mod resolve;
mod review;
mod undo;

pub use board::board;
pub use change::{Change, change, set_binding};
pub use operator::{Bound, Clear, bound, clear};
pub use resolve::{Resolved, Unresolved, bound_profile, decide, resolve};
pub use review::{choices, review};
pub use undo::{UNDO_FOR, undo};

use daybind_domain::bindings::ProfileRef;
use daybind_domain::{AppError, CONSUMER_ENTERPRISE_ONLY, Cloud, Consumer, ErrorCode};
use daybind_storage::{Binding, Profile};

use crate::context::Services;
use crate::failure::AppResult;
use crate::profiles::missing;

/// An app registration, as far as what it issued (tokens, consents, installed packages) depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// Application (client) ID.
    pub client_id: String,
    /// Directory (tenant) ID or verified domain.
    pub directory_id: String,
    /// Microsoft's cloud.
    pub cloud: Cloud,
}

impl App {
    /// The app registration a profile stands for.
    #[must_use]
    pub fn of(profile: &Profile) -> Self {
        Self {
            client_id: profile.fields.client_id.clone(),
            directory_id: profile.fields.directory_id.clone(),
            cloud: profile.fields.cloud,
        }
    }
}

/// Reads the name of a consumer this edition has.
pub(crate) fn visible(services: &Services, consumer: &str) -> AppResult<Consumer> {
    let consumer = Consumer::parse(consumer)
        .ok_or_else(|| AppError::field("consumer", t!("This is not a Microsoft consumer.")))?;
    if services.edition.visible_consumers().contains(&consumer) {
        Ok(consumer)
    } else {
        Err(AppError::new(
            ErrorCode::EnterpriseOnly,
            CONSUMER_ENTERPRISE_ONLY,
        ))
    }
}

/// Names the state of a binding; another state has another name.
fn stamp(binding: Option<&Binding>) -> String {
    binding.map_or_else(
        || "unbound".to_owned(),
        |row| format!("{}.{}", row.updated_at.timestamp_micros(), row.profile_id),
    )
}

fn profile_ref(profile: &Profile) -> ProfileRef {
    ProfileRef {
        profile_id: profile.profile_id.to_string(),
        name: profile.fields.display_name.clone(),
        client_id: profile.fields.client_id.clone(),
        directory_id: profile.fields.directory_id.clone(),
        missing: missing(profile),
    }
}

fn archived(profile: &Profile) -> AppError {
    AppError::new(
        ErrorCode::Conflict,
        t!(
            "{} is archived and cannot be bound.",
            profile.fields.display_name
        ),
    )
    .next_step(t!("Choose an active profile."))
}

fn changed_meanwhile(label: &str) -> AppError {
    AppError::new(
        ErrorCode::Conflict,
        t!("Somebody changed what {label} uses while you were looking at this page. Nothing was done."),
    )
    .next_step(t!("Open the review again: it shows what is bound now and what your change would do."))
}
