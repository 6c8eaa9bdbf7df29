//! How a profile stands: one reading of its fields, its secret and its checks, for the list, the profile and the board.

use chrono::{DateTime, NaiveDate, Utc};
use daybind_domain::expiry::expiry;
use daybind_domain::profile_view::Standing;
use daybind_domain::readiness::is_ready;
use daybind_storage::{Profile, ProfileCheck};

use super::readiness;
use crate::context::Services;
use crate::verify::{self, CREDENTIALS, TENANT};

/// A check's latest result, if it is about the profile as it is now.
pub(crate) fn latest<'a>(
    checks: &'a [ProfileCheck],
    profile: &Profile,
    name: &str,
) -> Option<&'a ProfileCheck> {
    let about = verify::about(profile);
    checks.iter().find(|check| {
        check.profile_id == profile.profile_id && check.name == name && check.subject == about
    })
}

/// Since when directory, application and secret are proven; `None` unless all are.
pub(crate) fn verified_at(checks: &[ProfileCheck], profile: &Profile) -> Option<DateTime<Utc>> {
    let passed = |name| {
        latest(checks, profile, name)
            .filter(|check| check.outcome == "passed")
            .map(|check| check.checked_at)
    };
    let (directory, secret) = passed(TENANT).zip(passed(CREDENTIALS))?;
    Some(directory.min(secret))
}

/// Whether Microsoft refused when the check `name` was made last.
pub(crate) fn refused(checks: &[ProfileCheck], profile: &Profile, name: &str) -> bool {
    latest(checks, profile, name).is_some_and(|check| check.outcome == "failed")
}

/// The worst that is known of a profile, whatever uses it.
pub(crate) fn standing(
    services: &Services,
    checks: &[ProfileCheck],
    profile: &Profile,
    today: NaiveDate,
) -> Standing {
    if profile.archived_at.is_some() {
        Standing::Off
    } else if !is_ready(&readiness(services, profile)) {
        Standing::NeedsYou
    } else if refused(checks, profile, TENANT) || refused(checks, profile, CREDENTIALS) {
        Standing::Failed
    } else if profile.client_secret_sealed.is_some()
        && expiry(profile.secret.expires_on, today).urgent()
    {
        Standing::NeedsYou
    } else if verified_at(checks, profile).is_some() {
        Standing::Working
    } else {
        Standing::NotTested
    }
}
