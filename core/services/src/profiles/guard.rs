//! What stands in the way of a change: bindings, and other people's changes.

use chrono::NaiveDate;
use daybind_domain::ids::ProfileId;
use daybind_domain::profile::ProfileFields;
use daybind_domain::{AppError, ErrorCode, FieldError};
use daybind_storage::{Binding, Profile, StorageError, UnitOfWork};
use daybind_words::t;

use crate::auth::Actor;
use crate::context::Services;
use crate::failure::{AppResult, internal, stored};
use crate::localtime;

pub(crate) fn changed(error: StorageError) -> AppError {
    match error {
        StorageError::Duplicate(_) => AppError::field("display_name", super::taken()),
        other => stored(t!("The profile"), other),
    }
}

/// Who uses a profile, as a sentence; `None` when nobody does. Consumers this edition does not show are counted, but
/// not named.
#[must_use]
pub fn in_use(services: &Services, bindings: &[Binding], profile_id: ProfileId) -> Option<String> {
    let mut named = Vec::new();
    let mut hidden = false;
    for binding in bindings.iter().filter(|b| b.profile_id == profile_id) {
        match services.guide(binding.consumer) {
            Some(guide) => named.push(guide.label),
            None => hidden = true,
        }
    }
    match (named.as_slice(), hidden) {
        ([], false) => None,
        ([], true) => Some(t!("It is also in use by an Enterprise feature.").to_owned()),
        (_, false) => Some(t!("It is in use by {}.", listed(&named))),
        (_, true) => Some(t!(
            "It is in use by {}, and also in use by an Enterprise feature.",
            listed(&named)
        )),
    }
}

/// "A", "A and B", "A, B and C".
fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => t!("{} and {last}", first.join(", ")),
    }
}

/// Refuses while anything is bound to the profile.
pub(super) async fn free(
    services: &Services,
    unit: &mut dyn UnitOfWork,
    profile: &Profile,
    verb: &str,
) -> AppResult<()> {
    let bindings = unit
        .list_bindings(profile.tenant_id)
        .await
        .map_err(internal)?;
    in_use(services, &bindings, profile.profile_id)
        .map_or(Ok(()), |reason| Err(bound(profile, verb, &reason)))
}

fn bound(profile: &Profile, verb: &str, reason: &str) -> AppError {
    AppError::new(
        ErrorCode::Conflict,
        t!("{} cannot be {verb}. {reason}", profile.fields.display_name),
    )
    .next_step(t!("Choose another profile for it first, or unbind it."))
}

/// Says why the database refused: somebody bound the profile at the same moment, changed it, or something made through
/// it is still stored.
pub(super) async fn refused(
    services: &Services,
    profile: &Profile,
    verb: &str,
    error: StorageError,
) -> AppError {
    if !matches!(error, StorageError::Reference(_)) {
        return changed(error);
    }
    let now = async {
        let mut unit = services.read(profile.tenant_id).await?;
        free(services, unit.as_mut(), profile, verb).await
    };
    match now.await {
        Err(reason) => reason,
        // No binding: what refers to it is a connection that was made through it, which only one edition shows.
        Ok(()) if services.edition.calendar_available() => AppError::new(
            ErrorCode::Conflict,
            t!(
                "{} cannot be {verb}. Connections that people made through it still refer to it.",
                profile.fields.display_name
            ),
        )
        .next_step(t!(
            "Disconnect or reconnect them through another profile first."
        )),
        Ok(()) => bound(
            profile,
            verb,
            t!("It is also in use by an Enterprise feature."),
        ),
    }
}

/// The designed answer to a stale edit: who changed the profile and when, and each field that differs from what was
/// typed.
pub(super) async fn stale(
    actor: &Actor,
    unit: &mut dyn UnitOfWork,
    current: &Profile,
    typed: &ProfileFields,
    expires_on: Option<NaiveDate>,
) -> AppError {
    let who = match current.updated_by {
        Some(id) => unit
            .find_user(actor.tenant_id, id)
            .await
            .ok()
            .flatten()
            .map_or_else(|| t!("Somebody").to_owned(), |user| user.display_name),
        None => t!("Somebody").to_owned(),
    };
    let zone = localtime::zone(&actor.user.time_zone);
    let at = localtime::date_time(current.updated_at, zone);
    let date =
        |day: Option<NaiveDate>| day.map_or_else(|| t!("no date").to_owned(), |d| d.to_string());
    let pairs = [
        (
            "display_name",
            current.fields.display_name.clone(),
            typed.display_name.clone(),
        ),
        (
            "client_id",
            current.fields.client_id.clone(),
            typed.client_id.clone(),
        ),
        (
            "directory_id",
            current.fields.directory_id.clone(),
            typed.directory_id.clone(),
        ),
        (
            "cloud",
            current.fields.cloud.label().to_owned(),
            typed.cloud.label().to_owned(),
        ),
        (
            "secret_expires_on",
            date(current.secret.expires_on),
            date(expires_on),
        ),
    ];
    let fields: Vec<FieldError> = pairs
        .into_iter()
        .filter(|(_, now, wanted)| now != wanted)
        .map(|(name, now, wanted)| FieldError {
            field: name.to_owned(),
            message: t!("Now stored: {now}. You typed: {wanted}."),
        })
        .collect();
    let mut error = AppError::new(
        ErrorCode::Conflict,
        t!("{who} changed this profile on {at}, while you were editing it."),
    )
    .next_step(t!("The page shows what is stored now. Enter your values again where they should win, and save."));
    error.fields = fields;
    error
}
