//! What the calendar pages get to see.

use std::collections::HashSet;

use chrono_tz::Tz;
use daybind_domain::ids::EntryId;
use daybind_domain::user::Permission;
use daybind_domain::view::{
    CalendarProfileView, ConnectOption, ConnectionView, GoogleClientView, LinkView, SyncMark,
};
use daybind_ee_storage::{Connection, Mapping, Pause, Subscription, calendar};
use daybind_services::privacy;
use daybind_services::profiles::mask;
use daybind_services::{Actor, AppResult, Provider, Services, StableRoute, internal, localtime};
use daybind_storage::{Entry, StorageResult, UnitOfWork};
use daybind_words::t;

use crate::admin;
use crate::doubts::ATTEMPTS;
use crate::faults::said;
use crate::marks::{People, answer};
use crate::merge::Flow;
use crate::oauth::{self, TWICE, is_ending};
use crate::questions;
use crate::retry::BRAKE;
use crate::sync::{is_live, wanted, window};

pub fn label(provider: &str) -> &'static str {
    if provider == "google" {
        "Google Calendar"
    } else {
        "Outlook"
    }
}

/// One's own connections, and what can be connected.
///
/// # Errors
/// Forbidden.
pub async fn profile(services: &Services, actor: &Actor) -> AppResult<CalendarProfileView> {
    actor.require(Permission::OwnProfile)?;
    let mut unit = services.read(actor.tenant_id).await?;
    let rows = calendar(unit.as_mut()).map_err(internal)?;
    let own = rows
        .list_user_connections(actor.tenant_id, actor.user_id())
        .await
        .map_err(internal)?;
    let mut connections = Vec::new();
    for row in own.iter().filter(|row| !is_ending(row)) {
        let name = &actor.user.display_name;
        let mut shown = connection_view(services, actor, unit.as_mut(), row, name).await?;
        if shown.syncing {
            let steps = first_sync(services, unit.as_mut(), row).await;
            shown.status_text = steps.map_err(internal)?;
        }
        connections.push(shown);
    }
    let mends = actor.may(Permission::SettingsUpdate);
    let mut options = Vec::new();
    for provider in [Provider::Google, Provider::Microsoft] {
        let client = oauth::client(services, unit.as_mut(), actor.tenant_id, provider).await;
        let scopes: &[&str] = match provider {
            Provider::Google => &[
                t!("Read and change events, to keep your schedule in step"),
                t!("See the list of your calendars, so that you can choose one"),
            ],
            Provider::Microsoft => &[
                t!("Calendars.ReadWrite: read and change events, to keep your schedule in step"),
                t!("User.Read: see which account you connected"),
                t!("offline_access: keep working while you are away"),
            ],
        };
        options.push(ConnectOption {
            provider: provider.as_str().to_owned(),
            label: label(provider.as_str()).to_owned(),
            available: client.is_ok(),
            ask: client
                .as_ref()
                .err()
                .filter(|_| !mends)
                .map(|error| admin::message(services, provider, &error.message)),
            mend: client
                .as_ref()
                .err()
                .filter(|_| mends)
                .map(|_| admin::place(provider)),
            reason: client.err().map(|error| {
                [Some(error.message), error.next_step]
                    .into_iter()
                    .flatten()
                    .collect::<Vec<_>>()
                    .join(" ")
            }),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        });
    }
    Ok(CalendarProfileView {
        connections,
        options,
    })
}

/// A connection as its owner or the administrator sees it.
///
/// # Errors
/// A storage error.
pub async fn connection_view(
    services: &Services,
    actor: &Actor,
    unit: &mut dyn UnitOfWork,
    row: &Connection,
    owner: &str,
) -> AppResult<ConnectionView> {
    let rows = calendar(unit).map_err(internal)?;
    let subscriptions = rows
        .list_subscriptions(row.tenant_id, row.connection_id)
        .await
        .map_err(internal)?;
    let now = services.now();
    let pushed = |s: &Subscription| s.state == "active" && s.expires_at > now;
    let zone = localtime::zone(&actor.user.time_zone);
    // Questions quote the calendar, which is its owner's alone.
    let waiting = if row.user_id == actor.user_id() {
        questions::open(unit, row, zone).await?
    } else {
        Vec::new()
    };
    let (status, status_text) = match &row.pause {
        Some(pause) if matches!(row.status.as_str(), "connected" | "error") => (
            "paused".to_owned(),
            paused_text(actor, unit, pause, zone).await?,
        ),
        _ if row.status == "connected" && disagrees(unit, row).await? => (
            row.status.clone(),
            t!("Everything else is in step.").to_owned(),
        ),
        _ => (row.status.clone(), status_text(row, zone)),
    };
    Ok(ConnectionView {
        connection_id: row.connection_id.to_string(),
        provider: row.provider.clone(),
        provider_label: label(&row.provider).to_owned(),
        account: row.account_email.clone(),
        calendar_name: row.calendar_name.clone().unwrap_or_default(),
        status,
        status_text,
        direction: row.direction.clone(),
        last_sync: row.last_sync_at.map(|at| localtime::date_time(at, zone)),
        delivery: match subscriptions
            .iter()
            .filter(|s| pushed(s))
            .map(|s| s.expires_at)
            .max()
        {
            Some(ends) => t!(
                "Changes arrive as they happen (push), with a check every five minutes. The subscription ends on {}; \
                 Daybind renews it before.",
                localtime::date_time(ends, zone)
            ),
            None => t!("Daybind looks for changes every minute while something happens in the calendar, and every ten minutes at most while nothing does.").to_owned(),
        },
        owner: owner.to_owned(),
        through: String::new(),
        rules: questions::rules_view(row),
        questions: waiting,
        paused: row.pause.is_some(),
        syncing: row.status == "connected" && row.pause.is_none() && in_first_sync(row),
    })
}

/// Whether nothing is left of a connection's syncs but what somebody has to answer.
async fn disagrees(unit: &mut dyn UnitOfWork, row: &Connection) -> AppResult<bool> {
    if row.last_error.is_some() || row.last_sync_at.is_none() {
        return Ok(false);
    }
    let open = calendar(unit)
        .map_err(internal)?
        .list_open_conflicts(row.tenant_id, row.connection_id)
        .await
        .map_err(internal)?;
    Ok(!open.is_empty())
}

/// It has not been in step yet, and nothing has gone wrong so far.
fn in_first_sync(row: &Connection) -> bool {
    row.last_sync_at.is_none() && row.last_error.is_none()
}

/// How far the first sync has come. Occurrences of a series are part of it and not counted.
async fn first_sync(
    services: &Services,
    unit: &mut dyn UnitOfWork,
    row: &Connection,
) -> StorageResult<String> {
    let mappings = calendar(unit)?
        .list_mappings(row.tenant_id, row.connection_id)
        .await?;
    let synced: HashSet<EntryId> = mappings
        .iter()
        .filter(|mapping| mapping.state == "synced" && mapping.series_event_id.is_none())
        .map(|mapping| mapping.entry_id)
        .collect();
    let done = synced.len();
    if !Flow::parse(&row.direction).goes_out() {
        return Ok(match done {
            1 => t!("The first sync is on its way: 1 event so far.").to_owned(),
            done => t!("The first sync is on its way: {done} events so far."),
        });
    }
    let (from, to) = window(row, services.now());
    let listed = unit
        .list_entries(row.tenant_id, from, to, Some(row.user_id))
        .await?;
    let waiting = listed.iter().filter(|entry| {
        entry.occurrence_of.is_none() && wanted(row, entry) && !synced.contains(&entry.entry_id)
    });
    let all = done + waiting.count();
    Ok(t!(
        "The first sync is on its way: {done} of {all} entries are synced."
    ))
}

/// Who paused a connection, since when and until when.
async fn paused_text(
    actor: &Actor,
    unit: &mut dyn UnitOfWork,
    pause: &Pause,
    zone: Tz,
) -> AppResult<String> {
    let by = if pause.by == actor.user_id() {
        t!("by" => "you").to_owned()
    } else {
        unit.find_user(actor.tenant_id, pause.by)
            .await
            .map_err(internal)?
            .map_or_else(
                || t!("by" => "somebody").to_owned(),
                |user| user.display_name,
            )
    };
    let ends = match pause.until {
        Some(until) => t!(
            "It goes on by itself on {}.",
            localtime::date_time(until, zone)
        ),
        None => t!("It goes on when somebody resumes it.").to_owned(),
    };
    Ok(t!(
        "Paused by {by} on {}. {ends} Changes on both sides wait; nothing is lost.",
        localtime::date_time(pause.since, zone)
    ))
}

/// What stands in the connection's way, whose turn it is, and when it goes on by itself.
fn status_text(row: &Connection, zone: Tz) -> String {
    let text = match (row.status.as_str(), row.status_reason.as_deref()) {
        ("configuring", _) => t!("Choose a calendar to start."),
        ("needs_reconnect", Some("client_changed")) => {
            t!(
                "The administrator changed the app registration. Reconnect to go on; nothing was lost."
            )
        }
        ("needs_reconnect", Some("imported")) => {
            t!(
                "Brought over from your former system. Reconnect with the same account to go on; nothing is synced until then."
            )
        }
        ("needs_reconnect", Some(TWICE)) => {
            t!(
                "Another connection has the same calendar. Disconnect one of the two; to keep this one, reconnect it afterwards. Nothing was removed."
            )
        }
        ("needs_reconnect", Some("unbound")) => {
            t!(
                "Outlook is switched off until an administrator chooses a Microsoft profile for Calendar. Nothing was lost."
            )
        }
        ("needs_reconnect", _) => {
            t!("The account no longer lets Daybind in. Reconnect to go on; nothing was lost.")
        }
        ("paused", Some(BRAKE)) => {
            t!(
                "Daybind stopped before it would have deleted unusually much. Answer the question below; nothing was lost."
            )
        }
        ("paused", _) => t!("Sync is paused."),
        ("error", Some("secret")) => {
            t!(
                "The provider does not accept Daybind's client secret. An administrator must renew it under Settings > Integrations > Providers; you need not do anything, and nothing was lost."
            )
        }
        ("error", Some("token_refused")) => {
            t!(
                "The provider refuses Daybind's app registration. An administrator must check it under Settings > Integrations > Providers; you need not do anything, and nothing was lost."
            )
        }
        ("error", Some("not_ready")) => {
            t!(
                "The provider's settings are incomplete. An administrator must complete them under Settings > Integrations > Providers."
            )
        }
        ("error", Some("calendar_missing")) => {
            t!(
                "The calendar is not in the account any more. Restore it there, or disconnect and choose another."
            )
        }
        ("error", Some("permission")) => {
            t!(
                "The account may not read this calendar any more. Ask its owner to share it again, or disconnect and choose another."
            )
        }
        ("error", Some("refused")) => {
            t!(
                "The provider refuses what Daybind asks for. Choose Sync now to try again; if that does not help, reconnect."
            )
        }
        ("error", reason) => return failing_text(row, reason, zone),
        _ if row.last_error.is_some() => return failing_text(row, row.last_error.as_deref(), zone),
        _ if row.last_sync_at.is_none() => t!("The first sync is on its way."),
        _ => t!("Everything is in step."),
    };
    text.to_owned()
}

/// Failures that pass by themselves: since when, and when it is tried again.
fn failing_text(row: &Connection, reason: Option<&str>, zone: Tz) -> String {
    let what = match reason {
        Some("throttled") => t!("The provider asks Daybind to slow down"),
        Some("database" | "internal") => {
            t!("The last sync did not finish because of a fault in Daybind")
        }
        _ => t!("The provider does not give a usable answer"),
    };
    let since = match row.failing.since.filter(|_| row.status == "error") {
        Some(since) => t!(", since {}", localtime::date_time(since, zone)),
        None => String::new(),
    };
    let again = match (row.failing.retry_at, row.failing.held_until) {
        (_, Some(at)) => t!(
            "It goes on by itself on {}.",
            localtime::date_time(at, zone)
        ),
        (Some(at), None) => t!(
            "Daybind tries again by itself on {}; Sync now tries at once.",
            localtime::date_time(at, zone)
        ),
        (None, None) => t!("Daybind tries again by itself.").to_owned(),
    };
    t!("{what}{since}. {again} Nothing was lost.")
}

/// The tenant's Google client without its secret.
///
/// # Errors
/// Forbidden without `system_settings:read`.
pub async fn google_client(services: &Services, actor: &Actor) -> AppResult<GoogleClientView> {
    actor.require(Permission::SettingsRead)?;
    let mut unit = services.read(actor.tenant_id).await?;
    let rows = calendar(unit.as_mut()).map_err(internal)?;
    let row = rows
        .find_google_client(actor.tenant_id)
        .await
        .map_err(internal)?;
    Ok(GoogleClientView {
        secret_hint: row.as_ref().map(|row| mask(Some(&row.client_secret_last4))),
        client_id: row.map(|row| row.client_id).unwrap_or_default(),
        redirect_uri: services.absolute(StableRoute::Callback(Provider::Google).path()),
        can_update: actor.may(Permission::SettingsUpdate),
    })
}

/// How entries stand with their assignees' calendars.
///
/// # Errors
/// An internal error.
pub async fn marks(
    services: &Services,
    actor: &Actor,
    entries: &[EntryId],
) -> AppResult<Vec<Option<SyncMark>>> {
    let mut unit = services.read(actor.tenant_id).await?;
    let mut marks = Vec::with_capacity(entries.len());
    let mut people = People::default();
    for id in entries {
        let entry = unit
            .find_entry(actor.tenant_id, *id)
            .await
            .map_err(internal)?;
        let rows = calendar(unit.as_mut()).map_err(internal)?;
        let mappings = rows
            .list_entry_mappings(actor.tenant_id, *id)
            .await
            .map_err(internal)?;
        let Some(entry) = entry else {
            marks.push(None);
            continue;
        };
        let nowhere = mappings.iter().all(|mapping| mapping.state == "removed");
        let due = nowhere && people.owe(unit.as_mut(), &entry).await.map_err(internal)?;
        let mut mark = if due {
            Mark::Waiting.view(None)
        } else {
            worst(&entry, &mappings)
        };
        if privacy::reads_words(actor, &entry) {
            let mut link = answer(unit.as_mut(), actor, &mappings)
                .await
                .map_err(internal)?;
            if link.is_none() {
                link = meeting(unit.as_mut(), actor, &mappings)
                    .await
                    .map_err(internal)?;
            }
            mark.link = link;
        }
        marks.push(Some(mark));
    }
    Ok(marks)
}

/// The online meeting of an entry: that of the reader's own event, or else that of somebody who does it too.
async fn meeting(
    unit: &mut dyn UnitOfWork,
    actor: &Actor,
    mappings: &[Mapping],
) -> StorageResult<Option<LinkView>> {
    let mut found = None;
    for mapping in mappings.iter().filter(|mapping| is_live(mapping)) {
        let Some(href) = &mapping.meeting_url else {
            continue;
        };
        let connection = calendar(unit)?
            .find_connection(mapping.tenant_id, mapping.connection_id)
            .await?;
        let own = connection.is_some_and(|row| row.user_id == actor.user_id());
        if own || found.is_none() {
            found = Some(LinkView {
                text: t!("Join online meeting").to_owned(),
                href: href.clone(),
            });
        }
        if own {
            break;
        }
    }
    Ok(found)
}

fn worst(entry: &Entry, mappings: &[Mapping]) -> SyncMark {
    let live = mappings.iter().filter(|mapping| mapping.state != "removed");
    let rated = live.map(|mapping| {
        let failed = mapping.error.is_some() && mapping.attempts >= ATTEMPTS;
        let rank = match mapping.state.as_str() {
            "conflict" => 4,
            // Also what is still to be made or taken away.
            "failed" | "creating" | "removing" if failed => 3,
            "synced" if mapping.entry_version == entry.version => 1,
            _ => 2,
        };
        (rank, mapping)
    });
    let Some((rank, mapping)) = rated.max_by_key(|(rank, _)| *rank) else {
        return Mark::NotSynced.view(None);
    };
    let mark = match rank {
        4 => Mark::Conflict,
        3 => Mark::Failed,
        2 => Mark::Waiting,
        // Being in step needs no reason.
        _ => return Mark::Synced.view(None),
    };
    mark.view(mapping.error.as_deref().map(said))
}

/// How an entry can stand with a calendar.
#[derive(Clone, Copy)]
enum Mark {
    Synced,
    Waiting,
    Conflict,
    Failed,
    NotSynced,
}

impl Mark {
    /// State, word, and the reason where nothing more is known.
    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Synced => ("synced", t!("Synced"), t!("In step with the calendar.")),
            Self::Waiting => ("waiting", t!("Waiting"), t!("On its way to the calendar.")),
            Self::Conflict => ("conflict", t!("Conflict"), t!("Changed on both sides.")),
            Self::Failed => (
                "failed",
                t!("Failed"),
                t!("The calendar refused this entry."),
            ),
            Self::NotSynced => (
                "not_synced",
                t!("Not synced"),
                t!("It is in no external calendar."),
            ),
        }
    }

    fn view(self, detail: Option<String>) -> SyncMark {
        let (state, word, usual) = self.words();
        SyncMark {
            state: state.to_owned(),
            word: word.to_owned(),
            detail: detail.unwrap_or_else(|| usual.to_owned()),
            link: None,
        }
    }
}

/// Each mark once, with its usual reason.
#[must_use]
pub fn every_mark() -> Vec<SyncMark> {
    [
        Mark::Synced,
        Mark::Waiting,
        Mark::Conflict,
        Mark::Failed,
        Mark::NotSynced,
    ]
    .map(|mark| mark.view(None))
    .to_vec()
}
