//! A profile put together step by step: what was answered is kept on the server until the profile exists.
//!
//! A draft holds no secret. The fifth step makes the profile and keeps its id; the sixth works on the profile itself.

use chrono::TimeDelta;
use daybind_domain::paste::read_overview;
use daybind_domain::profile::{check_profile, is_guid};
use daybind_domain::profile_view::DraftView;
use daybind_domain::user::Permission;
use daybind_domain::{AppError, Cloud, Consumer};
use daybind_storage::{Draft, UnitOfWork};
use daybind_words::t;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::{ProfileInput, create_in, parse_id};
use crate::auth::Actor;
use crate::context::Services;
use crate::failure::{AppResult, internal};
use crate::localtime;
use crate::verify::entra::{self, Failure};

/// A draft older than that says so.
const OLD: TimeDelta = TimeDelta::days(7);

/// Stands for an id in checks of other fields.
const ANY: &str = "00000000-0000-0000-0000-000000000000";

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Answers {
    consumers: Vec<String>,
    /// Stored name; empty: the global one.
    cloud: String,
    display_name: String,
    entered: Vec<String>,
    uris_done: bool,
    client_id: String,
    directory_id: String,
    directory_note: Option<String>,
    profile_id: Option<String>,
}

impl Answers {
    /// The furthest step that can be opened.
    fn reached(&self) -> u8 {
        if self.profile_id.is_some() {
            6
        } else if !self.client_id.is_empty() && !self.directory_id.is_empty() {
            5
        } else if self.uris_done {
            4
        } else if !self.display_name.is_empty() {
            3
        } else if !self.consumers.is_empty() {
            2
        } else {
            1
        }
    }
}

async fn read(unit: &mut dyn UnitOfWork, actor: &Actor) -> AppResult<(Answers, Option<Draft>)> {
    let draft = unit
        .find_draft(actor.tenant_id, actor.user_id())
        .await
        .map_err(internal)?;
    let answers = match &draft {
        Some(draft) => serde_json::from_value(draft.answers.clone()).map_err(internal)?,
        None => Answers::default(),
    };
    Ok((answers, draft))
}

/// The reader's draft, or an empty one.
///
/// # Errors
/// Forbidden without `system_settings:read`.
pub async fn draft(services: &Services, actor: &Actor) -> AppResult<DraftView> {
    actor.require(Permission::SettingsRead)?;
    let mut unit = services.read(actor.tenant_id).await?;
    let (mut answers, draft) = read(unit.as_mut(), actor).await?;
    // A profile that is gone again (deleted meanwhile) leaves the draft where it was before its secret.
    if let Some(id) = answers.profile_id.as_deref().and_then(|id| id.parse().ok()) {
        let there = unit
            .find_profile(actor.tenant_id, id)
            .await
            .map_err(internal)?;
        if there.is_none() {
            answers.profile_id = None;
        }
    }
    let now = services.now();
    let old = draft
        .filter(|draft| now - draft.updated_at > OLD)
        .map(|draft| {
            localtime::date_time(draft.updated_at, localtime::zone(&actor.user.time_zone))
        });
    // Community has one consumer, so there is nothing to choose.
    let mut guides = services.guides();
    if let (Some(only), None) = (guides.next(), guides.next())
        && answers.consumers.is_empty()
    {
        answers.consumers.push(only.consumer.as_str().to_owned());
    }
    let visible = |name: &String| {
        Consumer::parse(name).is_some_and(|consumer| services.guide(consumer).is_some())
    };
    answers.consumers.retain(visible);
    Ok(DraftView {
        reached: answers.reached(),
        guides: services
            .guides()
            .map(|guide| guide.view(services, &answers.client_id))
            .collect(),
        cloud: Cloud::parse(&answers.cloud)
            .unwrap_or_default()
            .as_str()
            .to_owned(),
        consumers: answers.consumers,
        display_name: answers.display_name,
        entered: answers.entered,
        client_id: answers.client_id,
        directory_id: answers.directory_id,
        directory_note: answers.directory_note,
        profile_id: answers.profile_id,
        old,
        can_update: actor.may(Permission::SettingsUpdate),
    })
}

async fn change(
    services: &Services,
    actor: &Actor,
    edit: impl FnOnce(&mut Answers),
) -> AppResult<()> {
    let mut unit = services.begin(actor.tenant_id).await?;
    let (mut answers, _) = read(unit.as_mut(), actor).await?;
    edit(&mut answers);
    write(services, actor, unit.as_mut(), &answers).await?;
    unit.save().await.map_err(internal)
}

async fn write(
    services: &Services,
    actor: &Actor,
    unit: &mut dyn UnitOfWork,
    answers: &Answers,
) -> AppResult<()> {
    let now = services.now();
    unit.put_draft(&Draft {
        tenant_id: actor.tenant_id,
        user_id: actor.user_id(),
        answers: serde_json::to_value(answers).map_err(internal)?,
        created_at: now,
        updated_at: now,
    })
    .await
    .map_err(internal)
}

/// Step 1: what the profile is for.
///
/// # Errors
/// Forbidden; nothing chosen, or something this edition does not have.
pub async fn choose(services: &Services, actor: &Actor, consumers: &[String]) -> AppResult<()> {
    actor.require(Permission::SettingsUpdate)?;
    let chosen: Vec<String> = services
        .guides()
        .map(|guide| guide.consumer.as_str().to_owned())
        .filter(|name| consumers.contains(name))
        .collect();
    if chosen.is_empty() {
        return Err(AppError::field("consumers", t!("Choose at least one use.")));
    }
    change(services, actor, |answers| answers.consumers = chosen).await
}

/// Step 2: the name, as here and in Entra, and in which of Microsoft's clouds that is (empty: the global one).
///
/// # Errors
/// Forbidden; an unusable name, or one that is taken; an unknown cloud.
pub async fn name(
    services: &Services,
    actor: &Actor,
    display_name: &str,
    cloud: &str,
) -> AppResult<()> {
    actor.require(Permission::SettingsUpdate)?;
    let fields = check_profile(display_name, ANY, ANY, cloud).map_err(AppError::invalid)?;
    let mut unit = services.read(actor.tenant_id).await?;
    let taken = unit
        .list_profiles(actor.tenant_id)
        .await
        .map_err(internal)?
        .iter()
        .any(|profile| {
            profile.archived_at.is_none()
                && profile.fields.display_name_normalized == fields.display_name_normalized
        });
    drop(unit);
    if taken {
        return Err(AppError::field("display_name", super::taken()));
    }
    change(services, actor, |answers| {
        answers.display_name = fields.display_name;
        if Cloud::parse(&answers.cloud).unwrap_or_default() != fields.cloud {
            // What one cloud said about the directory is not true of the other.
            answers.directory_note = None;
        }
        fields.cloud.as_str().clone_into(&mut answers.cloud);
    })
    .await
}

/// Step 3: which redirect URIs have been entered in Entra. All of the chosen consumers' must be.
///
/// # Errors
/// Forbidden; some are missing.
pub async fn uris(services: &Services, actor: &Actor, entered: &[String]) -> AppResult<()> {
    actor.require(Permission::SettingsUpdate)?;
    let view = draft(services, actor).await?;
    let wanted: Vec<String> = view
        .guides
        .iter()
        .filter(|guide| view.consumers.contains(&guide.consumer))
        .flat_map(|guide| guide.redirect_uris.clone())
        .collect();
    let kept: Vec<String> = wanted
        .iter()
        .filter(|uri| entered.contains(uri))
        .cloned()
        .collect();
    let complete = kept.len() == wanted.len();
    change(services, actor, |answers| {
        answers.entered = kept;
        answers.uris_done = complete;
    })
    .await?;
    if complete {
        Ok(())
    } else {
        Err(AppError::field(
            "entered",
            t!(
                "Enter every redirect URI in Entra and tick it here. What you have ticked is saved."
            ),
        ))
    }
}

/// Step 4: the ids, each in its field or as a block from Entra's Overview page. The directory is looked up live.
///
/// # Errors
/// Forbidden; malformed ids; Microsoft says that there is no such directory.
pub async fn ids(
    services: &Services,
    actor: &Actor,
    overview: &str,
    client_id: &str,
    directory_id: &str,
) -> AppResult<()> {
    actor.require(Permission::SettingsUpdate)?;
    let pasted = read_overview(overview);
    // What stands in a field of its own is meant; the block fills what is empty.
    let pick = |typed: &str, found: Option<String>| {
        if typed.trim().is_empty() {
            found.unwrap_or_default()
        } else {
            typed.to_owned()
        }
    };
    let client_id = pick(client_id, pasted.client_id);
    let directory_id = pick(directory_id, pasted.directory_id);
    if !overview.trim().is_empty() && client_id.is_empty() && directory_id.is_empty() {
        return Err(AppError::field(
            "overview",
            t!(
                "No ids were found in it. Copy the whole block from the Overview page, labels included."
            ),
        ));
    }
    let cloud = draft(services, actor).await?.cloud;
    let fields =
        check_profile("name", &client_id, &directory_id, &cloud).map_err(AppError::invalid)?;
    if fields.client_id == fields.directory_id {
        return Err(AppError::field(
            "client_id",
            t!(
                "Both fields hold the same id. The Application (client) ID stands one line above the Directory (tenant) ID."
            ),
        ));
    }
    let note = match entra::metadata(services, fields.cloud, &fields.directory_id).await {
        Ok(found) if is_guid(&fields.directory_id) => {
            t!("Microsoft knows the directory {found}.")
        }
        Ok(found) => t!("Microsoft knows this domain: it belongs to the directory {found}."),
        Err(Failure::Refused(refusal)) => {
            let words = crate::verify::explain::explain(&refusal.error, refusal.number);
            return Err(AppError::field(
                "directory_id",
                format!("{} {}", words.meaning, words.next_step),
            ));
        }
        Err(Failure::Unreachable) => {
            t!("Microsoft could not be reached, so the directory was not checked. The last step checks it again.")
                .to_owned()
        }
    };
    change(services, actor, |answers| {
        answers.client_id = fields.client_id;
        answers.directory_id = fields.directory_id;
        answers.directory_note = Some(note);
    })
    .await
}

/// Step 5: the secret. Makes the profile; the draft keeps its id. Answers the profile's id.
///
/// # Errors
/// Forbidden; an earlier step is missing; wrong fields as in [`super::create`].
pub async fn secret(
    services: &Services,
    actor: &Actor,
    secret: SecretString,
    secret_expires_on: &str,
) -> AppResult<String> {
    actor.require(Permission::SettingsUpdate)?;
    let mut unit = services.begin(actor.tenant_id).await?;
    let (mut answers, _) = read(unit.as_mut(), actor).await?;
    if let Some(id) = &answers.profile_id {
        let there = unit
            .find_profile(actor.tenant_id, parse_id(id)?)
            .await
            .map_err(internal)?;
        // Sent twice: the profile is there already.
        if there.is_some() {
            return Ok(id.clone());
        }
    }
    if answers.client_id.is_empty() || answers.display_name.is_empty() {
        return Err(AppError::new(
            daybind_domain::ErrorCode::NotReady,
            t!("An earlier step is not finished."),
        )
        .next_step(t!("Go back to the first step that is not ticked.")));
    }
    let input = ProfileInput {
        display_name: answers.display_name.clone(),
        client_id: answers.client_id.clone(),
        directory_id: answers.directory_id.clone(),
        cloud: answers.cloud.clone(),
        client_secret: secret,
        secret_expires_on: secret_expires_on.to_owned(),
    };
    let id = create_in(services, actor, unit.as_mut(), input)
        .await?
        .to_string();
    answers.profile_id = Some(id.clone());
    write(services, actor, unit.as_mut(), &answers).await?;
    unit.save().await.map_err(internal)?;
    Ok(id)
}

/// Ends the walkthrough, or starts it over. A profile that was made stays.
///
/// # Errors
/// Forbidden.
pub async fn close(services: &Services, actor: &Actor) -> AppResult<()> {
    actor.require(Permission::SettingsUpdate)?;
    let mut unit = services.begin(actor.tenant_id).await?;
    unit.remove_draft(actor.tenant_id, actor.user_id())
        .await
        .map_err(internal)?;
    unit.save().await.map_err(internal)
}
