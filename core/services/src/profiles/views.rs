//! What pages see of profiles: finished words, this edition's consumers only, no secret.

use chrono::{DateTime, NaiveDate, Utc};
use daybind_domain::Consumer;
use daybind_domain::expiry::{Expiry, expiry};
use daybind_domain::ids::UserId;
use daybind_domain::profile_view::{
    AttentionView, CheckView, NeedView, ProfileDetailView, SecretView, Standing,
};
use daybind_domain::user::Permission;
use daybind_domain::view::{BindingView, ProfileView, ProvidersView};
use daybind_storage::{Binding, Profile, ProfileCheck, SecretSlot, StagedSecret, User};
use daybind_words::t;

use super::guard::in_use;
use super::secrets::mask;
use super::{find, parse_id, readiness, standing};
use crate::auth::Actor;
use crate::context::Services;
use crate::failure::{AppResult, internal};
use crate::localtime;
use crate::verify::{self, CREDENTIALS, Later, TENANT, explain::explain};

/// Everything read at once, for the words of one page.
pub(crate) struct Page<'a> {
    services: &'a Services,
    actor: &'a Actor,
    users: Vec<User>,
    checks: Vec<ProfileCheck>,
    bindings: Vec<Binding>,
}

impl Page<'_> {
    fn time(&self, at: DateTime<Utc>) -> String {
        localtime::date_time(at, localtime::zone(&self.actor.user.time_zone))
    }

    fn name(&self, id: Option<UserId>) -> &str {
        id.and_then(|id| self.users.iter().find(|user| user.user_id == id))
            .map_or(t!("somebody who has left"), |user| {
                user.display_name.as_str()
            })
    }

    fn today(&self) -> NaiveDate {
        self.services.now().date_naive()
    }

    fn profile(&self, profile: &Profile) -> ProfileView {
        let missing = super::missing(profile);
        let ends = expiry(profile.secret.expires_on, self.today());
        let verified =
            standing::verified_at(&self.checks, profile).map(|at| t!("Verified {}", self.time(at)));
        ProfileView {
            profile_id: profile.profile_id.to_string(),
            display_name: profile.fields.display_name.clone(),
            client_id: profile.fields.client_id.clone(),
            directory_id: profile.fields.directory_id.clone(),
            secret_hint: profile
                .client_secret_sealed
                .as_ref()
                .map(|_| mask(profile.client_secret_last4.as_deref())),
            ready: missing.is_empty(),
            missing,
            archived: profile.archived_at.is_some(),
            standing: standing::standing(self.services, &self.checks, profile, self.today()),
            expiry: (profile.client_secret_sealed.is_some() && ends != Expiry::Unknown)
                .then(|| (capital(&ends.words()), ends.warns())),
            verified,
            used_by: self
                .visible_uses(profile)
                .map(|guide| guide.label.to_owned())
                .collect(),
            version: profile.version,
        }
    }

    fn visible_uses(
        &self,
        profile: &Profile,
    ) -> impl Iterator<Item = &'static crate::guide::ConsumerGuide> {
        let bound: Vec<Consumer> = self
            .bindings
            .iter()
            .filter(|binding| binding.profile_id == profile.profile_id)
            .map(|binding| binding.consumer)
            .collect();
        self.services
            .guides()
            .filter(move |guide| bound.contains(&guide.consumer))
    }

    fn binding(&self, consumer: Consumer, profiles: &[Profile]) -> BindingView {
        let guide = self.services.guide(consumer);
        let binding = self.bindings.iter().find(|row| row.consumer == consumer);
        let profile = binding.and_then(|b| profiles.iter().find(|p| p.profile_id == b.profile_id));
        let lacking = profile.map(super::missing).unwrap_or_default();
        BindingView {
            consumer: consumer.as_str().to_owned(),
            label: self.services.label(consumer).to_owned(),
            help: guide.map_or("", |guide| (guide.help)()).to_owned(),
            redirect_uri: guide
                .and_then(|guide| guide.redirect_paths.first())
                .map(|path| self.services.absolute(path)),
            scopes: guide
                .map(|guide| guide.scopes)
                .unwrap_or_default()
                .iter()
                .map(|scope| scope.name.to_owned())
                .collect(),
            profile_id: binding.map(|b| b.profile_id.to_string()),
            profile_name: profile.map(|p| p.fields.display_name.clone()),
            ready: profile.is_some() && lacking.is_empty(),
            problem: profile
                .is_some()
                .then(|| lacking.join(", "))
                .filter(|text| !text.is_empty()),
            set_by: binding.map(|b| {
                t!(
                    "Set by {} on {}",
                    self.name(Some(b.updated_by)),
                    self.time(b.updated_at)
                )
            }),
        }
    }

    fn secret(&self, meta: &SecretLine<'_>) -> SecretView {
        let ends = expiry(meta.expires_on, self.today());
        SecretView {
            hint: mask(Some(meta.last4)),
            added: meta.added_at.map_or_else(
                || t!("Nobody noted when it was added.").to_owned(),
                |at| t!("Added by {} on {}", self.name(meta.added_by), self.time(at)),
            ),
            expires: match meta.expires_on {
                Some(day) => format!("{} ({day})", capital(&ends.words())),
                None => t!("No expiry date is recorded.").to_owned(),
            },
            expires_on: meta
                .expires_on
                .map(|day| day.to_string())
                .unwrap_or_default(),
            warns: ends.warns(),
            usable: false,
            note: None,
        }
    }

    fn staged(&self, secret: &StagedSecret) -> SecretView {
        let mut view = self.secret(&SecretLine {
            last4: &secret.last4,
            added_by: secret.added_by,
            added_at: secret.added_at,
            expires_on: secret.expires_on,
        });
        match secret.slot {
            SecretSlot::Next => {
                view.usable = secret.verified_at.is_some();
                view.note = Some(secret.verified_at.map_or_else(
                    || t!("Microsoft has not confirmed it yet.").to_owned(),
                    |at| t!("Microsoft accepted it on {}.", self.time(at)),
                ));
            }
            SecretSlot::Previous => {
                view.usable = secret.destroy_at.is_some_and(|at| at > self.services.now());
                view.note = secret
                    .destroy_at
                    .map(|at| t!("It is destroyed on {}.", self.time(at)));
            }
        }
        view
    }

    fn check_view(&self, profile: &Profile, name: &str, title: &str) -> CheckView {
        let mut view = CheckView {
            name: name.to_owned(),
            title: title.to_owned(),
            standing: Standing::NotTested,
            text: t!("Nobody has tested this with the current ids and secret.").to_owned(),
            next_step: None,
            place: None,
            when: None,
            ids: Vec::new(),
            more: None,
            sign_in: None,
        };
        let Some(check) = standing::latest(&self.checks, profile, name) else {
            return view;
        };
        view.when = Some(t!(
            "{}, by {}",
            self.time(check.checked_at),
            self.name(Some(check.checked_by))
        ));
        match check.outcome.as_str() {
            "passed" => {
                view.standing = Standing::Working;
                view.text = passed_text(name, verify::detail(check).1);
            }
            "waiting" => {
                view.standing = Standing::Waiting;
                view.text = t!("The sign-in was started and has not come back.").to_owned();
                view.next_step = Some(look_up().to_owned());
            }
            "unavailable" => {
                view.text = t!("Microsoft could not be reached, so nothing is known.").to_owned();
                view.next_step = Some(t!("Try again in a few minutes.").to_owned());
            }
            _ => self.failed(profile, check, &mut view),
        }
        match verify::detail(check).0 {
            Some((Later::NotRenewed, at)) => {
                view.text = t!(
                    "{} Microsoft could not be reached on {}; this is the last known result.",
                    view.text,
                    self.time(at)
                );
            }
            Some((Later::Begun, at)) => {
                view.text = t!(
                    "{} Another test was started on {} and has not come back.",
                    view.text,
                    self.time(at)
                );
                view.next_step.get_or_insert_with(|| look_up().to_owned());
            }
            None => {}
        }
        view
    }

    fn failed(&self, profile: &Profile, check: &ProfileCheck, view: &mut CheckView) {
        let explanation = explain(check.error.as_deref().unwrap_or_default(), check.number);
        view.standing = Standing::Failed;
        view.text = explanation.meaning.to_owned();
        if check.error.as_deref() == Some("missing_scope") {
            view.text = t!(
                "{} Missing: {}.",
                view.text,
                verify::detail(check).1.unwrap_or_default()
            );
        }
        view.next_step = Some(explanation.next_step.to_owned());
        view.place = Some(explanation.place.to_owned()).filter(|place| !place.is_empty());
        let named = |label: &str, id: &Option<String>| id.clone().map(|id| (label.to_owned(), id));
        view.ids.extend(
            check
                .error
                .clone()
                .map(|error| (t!("Error").to_owned(), error)),
        );
        view.ids.extend(
            check
                .number
                .map(|number| (t!("Number").to_owned(), t!("AADSTS{number}"))),
        );
        view.ids.extend(named(t!("Trace ID"), &check.trace_id));
        view.ids
            .extend(named(t!("Correlation ID"), &check.correlation_id));
        view.more = check.number.map(|number| {
            format!(
                "{}/error?code={number}",
                self.services
                    .endpoints
                    .microsoft_login(profile.fields.cloud)
            )
        });
    }

    fn expiry_check(&self, profile: &Profile) -> CheckView {
        let ends = expiry(profile.secret.expires_on, self.today());
        let standing = match ends {
            Expiry::Unknown => Standing::NotTested,
            Expiry::Far { .. } => Standing::Working,
            Expiry::Near { step, .. } if step > 30 => Standing::Working,
            Expiry::Near { .. } => Standing::NeedsYou,
            Expiry::Expired { .. } => Standing::Failed,
        };
        let (text, next_step) = match ends {
            Expiry::Unknown => (
                t!("No expiry date is recorded, so Daybind cannot warn in time.").to_owned(),
                Some(t!("Copy the date from Entra into the profile.")),
            ),
            _ => (
                t!("The client secret {}.", ends.words()),
                matches!(standing, Standing::NeedsYou | Standing::Failed).then_some(t!(
                    "Create a new client secret in Entra and rotate it here."
                )),
            ),
        };
        CheckView {
            name: "secret_expiry".to_owned(),
            title: t!("The secret's expiry is known and more than 30 days away").to_owned(),
            standing,
            text,
            next_step: next_step.map(str::to_owned),
            place: None,
            when: None,
            ids: Vec::new(),
            more: None,
            sign_in: None,
        }
    }

    fn checks(&self, profile: &Profile) -> Vec<CheckView> {
        let mut list = vec![
            self.check_view(profile, TENANT, t!("The directory exists")),
            self.check_view(
                profile,
                CREDENTIALS,
                t!("Microsoft accepts the application and its secret"),
            ),
            self.expiry_check(profile),
        ];
        for guide in self.services.guides() {
            let name = verify::sign_in::check_name(guide.consumer);
            let title = t!("Test sign-in for {}", guide.label);
            let mut view = self.check_view(profile, &name, &title);
            match guide.untested {
                Some(why) => why().clone_into(&mut view.text),
                None if profile.client_secret_sealed.is_none() => {
                    view.next_step = Some(t!("Add the client secret first.").to_owned());
                }
                None => view.sign_in = Some(guide.consumer.as_str().to_owned()),
            }
            list.push(view);
        }
        list
    }
}

struct SecretLine<'a> {
    last4: &'a str,
    added_by: Option<UserId>,
    added_at: Option<DateTime<Utc>>,
    expires_on: Option<NaiveDate>,
}

/// What to do when Microsoft showed an error page and nobody came back.
fn look_up() -> &'static str {
    t!("If Microsoft showed an error page instead, look its number up below.")
}

fn passed_text(name: &str, detail: Option<&str>) -> String {
    match name {
        TENANT => detail
            .filter(|id| daybind_domain::profile::is_guid(id))
            .map_or_else(
                || t!("Microsoft knows this directory.").to_owned(),
                |id| t!("Microsoft knows this directory as {id}."),
            ),
        CREDENTIALS => {
            t!("Microsoft issued a token for this application and secret. That says nothing about redirect URIs and consent.")
                .to_owned()
        }
        _ => t!(
            "A real sign-in came back to this redirect URI, its code was accepted, and every permission was granted.{} Nothing else was stored of it.",
            detail.map(|told| format!(" {told}")).unwrap_or_default()
        ),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

async fn load<'a>(
    services: &'a Services,
    actor: &'a Actor,
) -> AppResult<(Page<'a>, Vec<Profile>, Box<dyn daybind_storage::UnitOfWork>)> {
    let tenant_id = actor.tenant_id;
    let mut unit = services.read(tenant_id).await?;
    let profiles = unit.list_profiles(tenant_id).await.map_err(internal)?;
    let page = Page {
        services,
        actor,
        users: unit.list_users(tenant_id).await.map_err(internal)?,
        checks: unit.list_checks(tenant_id).await.map_err(internal)?,
        bindings: unit.list_bindings(tenant_id).await.map_err(internal)?,
    };
    Ok((page, profiles, unit))
}

/// Everything the Providers page shows, for this edition only.
///
/// # Errors
/// Forbidden without `system_settings:read`.
pub async fn providers(services: &Services, actor: &Actor) -> AppResult<ProvidersView> {
    actor.require(Permission::SettingsRead)?;
    let (page, profiles, _unit) = load(services, actor).await?;
    Ok(ProvidersView {
        profiles: profiles.iter().map(|row| page.profile(row)).collect(),
        bindings: services
            .guides()
            .map(|guide| page.binding(guide.consumer, &profiles))
            .collect(),
        can_update: actor.may(Permission::SettingsUpdate),
    })
}

/// Everything about one profile.
///
/// # Errors
/// Forbidden without `system_settings:read`; not found.
pub async fn detail(
    services: &Services,
    actor: &Actor,
    profile_id: &str,
) -> AppResult<ProfileDetailView> {
    actor.require(Permission::SettingsRead)?;
    let profile_id = parse_id(profile_id)?;
    let (page, profiles, mut unit) = load(services, actor).await?;
    let profile = find(unit.as_mut(), actor.tenant_id, profile_id).await?;
    let staged = unit
        .list_secrets(actor.tenant_id, profile_id)
        .await
        .map_err(internal)?;
    let in_slot = |wanted: SecretSlot| {
        staged
            .iter()
            .find(|secret| secret.slot == wanted)
            .map(|secret| page.staged(secret))
    };
    let needs = readiness(services, &profile)
        .into_iter()
        .map(|need| NeedView {
            consumer: need.consumer.map(|which| services.label(which).to_owned()),
            what: need.what,
            remedy: need.remedy.to_owned(),
            blocks: need.blocks,
        })
        .collect();
    let twins = profiles
        .iter()
        .filter(|other| {
            other.profile_id != profile_id
                && other.archived_at.is_none()
                && other.fields.client_id == profile.fields.client_id
                && other.fields.directory_id == profile.fields.directory_id
        })
        .map(|other| other.fields.display_name.clone())
        .collect();
    let mut history = vec![t!(
        "Created by {} on {}",
        page.name(Some(profile.created_by)),
        page.time(profile.created_at)
    )];
    if profile.version > 1 {
        history.push(t!(
            "Last changed by {} on {}",
            page.name(profile.updated_by),
            page.time(profile.updated_at)
        ));
    }
    if let Some(at) = profile.archived_at {
        history.push(t!("Archived on {}", page.time(at)));
    }
    Ok(ProfileDetailView {
        cloud: profile.fields.cloud.as_str().to_owned(),
        secret: profile.client_secret_sealed.as_ref().map(|_| {
            page.secret(&SecretLine {
                last4: profile.client_secret_last4.as_deref().unwrap_or_default(),
                added_by: profile.secret.added_by,
                added_at: profile.secret.added_at,
                expires_on: profile.secret.expires_on,
            })
        }),
        next: in_slot(SecretSlot::Next),
        previous: in_slot(SecretSlot::Previous).filter(|secret| secret.usable),
        needs,
        checks: page.checks(&profile),
        guides: services
            .guides()
            .map(|guide| guide.view(services, &profile.fields.client_id))
            .collect(),
        twins,
        in_use: in_use(services, &page.bindings, profile_id),
        bound: page
            .visible_uses(&profile)
            .map(|guide| (guide.consumer.as_str().to_owned(), guide.label.to_owned()))
            .collect(),
        history,
        can_update: actor.may(Permission::SettingsUpdate),
        profile: page.profile(&profile),
    })
}

/// What belongs on top of every page: secrets with a week or less left, or expired. Empty for who may not change them.
///
/// # Errors
/// An internal error.
pub async fn attention(services: &Services, actor: &Actor) -> AppResult<Vec<AttentionView>> {
    if !actor.may(Permission::SettingsUpdate) {
        return Ok(Vec::new());
    }
    let mut unit = services.read(actor.tenant_id).await?;
    let profiles = unit
        .list_profiles(actor.tenant_id)
        .await
        .map_err(internal)?;
    let today = services.now().date_naive();
    Ok(profiles
        .iter()
        .filter(|profile| profile.archived_at.is_none() && profile.client_secret_sealed.is_some())
        .filter_map(|profile| {
            let ends = expiry(profile.secret.expires_on, today);
            ends.urgent().then(|| AttentionView {
                text: t!(
                    "The client secret of “{}” {}.",
                    profile.fields.display_name,
                    ends.words()
                ),
                href: format!(
                    "/msp/settings?tab=integrations&category=providers&profile={}&panel=rotate",
                    profile.profile_id
                ),
            })
        })
        .collect())
}
