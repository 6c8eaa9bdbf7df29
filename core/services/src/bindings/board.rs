//! The board: which consumer uses which profile, how that stands, and since when.

use daybind_domain::Consumer;
use daybind_domain::bindings::{BindingState, BoardRow, BoardView, UndoView};
use daybind_domain::expiry::expiry;
use daybind_domain::ids::UserId;
use daybind_domain::profile_view::Standing;
use daybind_domain::user::Permission;
use daybind_storage::{Binding, BindingUndo, Profile, ProfileCheck, User};
use daybind_words::t;

use super::profile_ref;
use super::undo::{stands, token};
use crate::auth::Actor;
use crate::context::Services;
use crate::failure::{AppResult, internal};
use crate::localtime;
use crate::profiles::missing;
use crate::profiles::standing::{refused, standing, verified_at};
use crate::verify::sign_in::check_name;

/// One row per consumer of the edition, in display order. Hidden consumers are not in it, bound or not.
///
/// # Errors
/// Forbidden without `system_settings:read`.
pub async fn board(services: &Services, actor: &Actor) -> AppResult<BoardView> {
    actor.require(Permission::SettingsRead)?;
    let tenant_id = actor.tenant_id;
    let mut unit = services.read(tenant_id).await?;
    let all = Rows {
        profiles: unit.list_profiles(tenant_id).await.map_err(internal)?,
        bindings: unit.list_bindings(tenant_id).await.map_err(internal)?,
        changes: unit.list_undo(tenant_id).await.map_err(internal)?,
        users: unit.list_users(tenant_id).await.map_err(internal)?,
        checks: unit.list_checks(tenant_id).await.map_err(internal)?,
    };
    Ok(BoardView {
        rows: services
            .edition
            .visible_consumers()
            .iter()
            .map(|consumer| all.row(services, actor, *consumer))
            .collect(),
        choices: all
            .profiles
            .iter()
            .filter(|profile| profile.archived_at.is_none())
            .count(),
        can_update: actor.may(Permission::SettingsUpdate),
    })
}

struct Rows {
    profiles: Vec<Profile>,
    bindings: Vec<Binding>,
    changes: Vec<BindingUndo>,
    users: Vec<User>,
    checks: Vec<ProfileCheck>,
}

impl Rows {
    fn row(&self, services: &Services, actor: &Actor, consumer: Consumer) -> BoardRow {
        let zone = localtime::zone(&actor.user.time_zone);
        let binding = self.bindings.iter().find(|row| row.consumer == consumer);
        let profile = binding.and_then(|row| {
            self.profiles
                .iter()
                .find(|profile| profile.profile_id == row.profile_id)
        });
        let (state, state_text) = self.state(services, actor, consumer, binding, profile);
        BoardRow {
            consumer: consumer.as_str().to_owned(),
            label: consumer.label().to_owned(),
            help: help(consumer).to_owned(),
            profile: profile.map(profile_ref),
            state,
            state_text,
            set_by: binding.map(|row| {
                t!(
                    "Set by {} on {}",
                    self.name(row.updated_by),
                    localtime::date_time(row.updated_at, zone)
                )
            }),
            undo: self.undo(services, actor, consumer, binding),
        }
    }

    fn undo(
        &self,
        services: &Services,
        actor: &Actor,
        consumer: Consumer,
        binding: Option<&Binding>,
    ) -> Option<UndoView> {
        let change = self
            .changes
            .iter()
            .find(|change| change.consumer == consumer && change.undo_until > services.now())
            .filter(|change| stands(change, binding))?;
        let back_to = match change.before {
            None => None,
            Some(id) => {
                let active =
                    |profile: &&Profile| profile.profile_id == id && profile.archived_at.is_none();
                let profile = self.profiles.iter().find(active)?;
                Some(profile.fields.display_name.clone())
            }
        };
        let zone = localtime::zone(&actor.user.time_zone);
        let who = if change.changed_by == actor.user_id() {
            t!("by" => "you")
        } else {
            self.name(change.changed_by)
        };
        Some(UndoView {
            text: t!(
                "Changed by {who} at {}",
                localtime::clock(change.changed_at, zone)
            ),
            until: localtime::clock(change.undo_until, zone),
            back_to,
            token: token(change),
        })
    }

    fn state(
        &self,
        services: &Services,
        actor: &Actor,
        consumer: Consumer,
        binding: Option<&Binding>,
        profile: Option<&Profile>,
    ) -> (BindingState, Option<String>) {
        let needs_you = |text: String| (BindingState::NeedsYou, Some(text));
        let profile = match (binding, profile) {
            (None, _) => return (BindingState::Unbound, Some(unbound(consumer).to_owned())),
            (Some(_), None) => {
                return needs_you(
                    t!("The profile does not exist any more. Choose another one.").to_owned(),
                );
            }
            (Some(_), Some(profile)) => profile,
        };
        let lacking = missing(profile);
        let today = services.now().date_naive();
        match standing(services, &self.checks, profile, today) {
            Standing::Off => needs_you(
                t!("The profile is archived. Restore it, or choose another one.").to_owned(),
            ),
            _ if !lacking.is_empty() => needs_you(t!("Not ready: {}.", lacking.join(", "))),
            Standing::Failed => needs_you(
                t!("Microsoft refused the last check. Open the profile to see why and where to mend it.")
                    .to_owned(),
            ),
            // What this service's own sign-in showed weighs more than what the directory says of the secret.
            _ if refused(&self.checks, profile, &check_name(consumer)) => needs_you(t!(
                "The last test sign-in for {} failed. Open the profile to see why.",
                services.label(consumer)
            )),
            Standing::NeedsYou => needs_you(t!(
                "The client secret {}. Open the profile to rotate it.",
                expiry(profile.secret.expires_on, today).words()
            )),
            _ => match verified_at(&self.checks, profile) {
                Some(at) => {
                    let zone = localtime::zone(&actor.user.time_zone);
                    let text = t!("Verified {}", localtime::date_time(at, zone));
                    (BindingState::Working, Some(text))
                }
                None => (
                    BindingState::NotTested,
                    Some(t!("Open the profile to verify it.").to_owned()),
                ),
            },
        }
    }

    fn name(&self, id: UserId) -> &str {
        let user = self.users.iter().find(|user| user.user_id == id);
        user.map_or(t!("somebody who has left"), |user| {
            user.display_name.as_str()
        })
    }
}

fn help(consumer: Consumer) -> &'static str {
    match consumer {
        Consumer::MspSso => t!("Technicians sign in to Daybind with their Microsoft work account."),
        Consumer::Email => t!("Messages from Microsoft 365 mailboxes become tickets."),
        Consumer::Calendar => {
            t!("Schedule entries stay in step with technicians' Outlook calendars.")
        }
        Consumer::Teams => t!("The Daybind tab, bot and message extension in Microsoft Teams."),
    }
}

fn unbound(consumer: Consumer) -> &'static str {
    match consumer {
        Consumer::MspSso => t!("Signing in with Microsoft is off until you choose a profile."),
        Consumer::Email => {
            t!("Microsoft 365 mailboxes cannot be connected until you choose a profile.")
        }
        Consumer::Calendar => {
            t!("Outlook calendars cannot be connected until you choose a profile.")
        }
        Consumer::Teams => t!("Daybind cannot be used in Teams until you choose a profile."),
    }
}
