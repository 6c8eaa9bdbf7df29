//! One connection as an administrator sees it: how it is, and what its owner chose.

use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use daybind_domain::AppError;
use daybind_domain::connection_view::{ConnectionDetailView, FactView};
use daybind_domain::ids::{ConnectionId, ProfileId};
use daybind_domain::user::Permission;
use daybind_ee_storage::{Connection, Mapping, Subscription, calendar};
use daybind_services::{Actor, AppResult, Services, internal, localtime};
use daybind_words::t;

use crate::oauth::is_ending;
use crate::renewal;
use crate::sync::{is_live, may_sync};
use crate::views::{connection_view, label};

pub(crate) fn fact(label: &str, text: impl Into<String>) -> FactView {
    FactView {
        label: label.to_owned(),
        text: text.into(),
    }
}

/// The connection.
///
/// # Errors
/// Forbidden without `system_settings:read`; not found.
pub async fn detail(
    services: &Services,
    actor: &Actor,
    connection_id: &str,
) -> AppResult<ConnectionDetailView> {
    actor.require(Permission::SettingsRead)?;
    let missing = || AppError::not_found(t!("The calendar connection"));
    let id: ConnectionId = connection_id.parse().map_err(|_| missing())?;
    let mut unit = services.read(actor.tenant_id).await?;
    let rows = calendar(unit.as_mut()).map_err(internal)?;
    let found = rows.find_connection(actor.tenant_id, id).await;
    let row = found
        .map_err(internal)?
        .filter(|row| !is_ending(row))
        .ok_or_else(missing)?;
    let subscriptions = rows.list_subscriptions(actor.tenant_id, id).await;
    let subscriptions = subscriptions.map_err(internal)?;
    let mappings = rows.list_mappings(actor.tenant_id, id).await;
    let mappings = mappings.map_err(internal)?;
    let owner = unit.find_user(actor.tenant_id, row.user_id).await;
    let owner = owner
        .map_err(internal)?
        .map(|user| user.display_name)
        .unwrap_or_default();
    let profile = match row.profile_id {
        Some(profile) => unit
            .find_profile(actor.tenant_id, ProfileId(profile))
            .await
            .map_err(internal)?
            .map(|profile| profile.fields.display_name),
        None => None,
    };
    let (now, zone) = (services.now(), localtime::zone(&actor.user.time_zone));
    let connection = connection_view(services, actor, unit.as_mut(), &row, &owner).await?;
    let mut health = vec![
        fact(t!("Access"), access(&row, zone)),
        fact(t!("Issued by"), issued_by(&row, profile)),
        fact(t!("Push subscription"), push(&subscriptions, now, zone)),
        fact(t!("Last notification"), heard(&subscriptions, zone)),
    ];
    let asked = renewal::outcome(unit.as_mut(), &row, &subscriptions, (now, zone)).await?;
    health.extend(asked.map(|text| fact(t!("Renewal"), text)));
    health.extend([
        fact(t!("Failures"), failures(&row, zone)),
        fact(t!("Last full pass"), full_pass(&row, zone)),
        fact(t!("Lag"), lag(&row, now, zone)),
        fact(t!("Entries"), entries(&mappings)),
    ]);
    Ok(ConnectionDetailView {
        health,
        no_subscription: renewal::none_here(services).map(str::to_owned),
        choices: choices(&row),
        connection,
        owners_page: services.absolute("/msp/profile?tab=calendar"),
        can_update: actor.may(Permission::SettingsUpdate),
    })
}

fn access(row: &Connection, zone: Tz) -> String {
    if row.status == "needs_reconnect" {
        return t!(
            "The account does not let Daybind in. Its owner reconnects it under Profile > Calendar."
        )
        .to_owned();
    }
    t!(
        "Daybind renews its access by itself; the token at hand ends on {}.",
        localtime::date_time(row.access_token_expires_at, zone)
    )
}

fn issued_by(row: &Connection, profile: Option<String>) -> String {
    match (row.provider.as_str(), profile) {
        ("google", _) => t!("The Google OAuth client {}.", row.client_id),
        (_, Some(name)) => t!(
            "The Microsoft profile “{name}”, Application (client) ID {}.",
            row.client_id
        ),
        (_, None) => t!("The Application (client) ID {}.", row.client_id),
    }
}

fn push(subscriptions: &[Subscription], now: DateTime<Utc>, zone: Tz) -> String {
    let active = subscriptions
        .iter()
        .filter(|row| row.state == "active" && row.expires_at > now)
        .max_by_key(|row| row.expires_at);
    let Some(active) = active else {
        return t!("None at present: Daybind looks for changes by itself.").to_owned();
    };
    t!(
        "On, until {}, and renewed before.",
        localtime::date_time(active.expires_at, zone)
    )
}

/// Of the subscriptions at hand: what an earlier one brought is not kept.
fn heard(subscriptions: &[Subscription], zone: Tz) -> String {
    let heard = subscriptions.iter().filter_map(|row| row.last_notified_at);
    heard.max().map_or_else(
        || t!("None has arrived since the subscription was made.").to_owned(),
        |at| format!("{}.", localtime::date_time(at, zone)),
    )
}

/// When everything was last read, which is what the cursor's span of time was counted from.
fn full_pass(row: &Connection, zone: Tz) -> String {
    let Some(start) = row.cursor_window_start else {
        return t!("None yet.").to_owned();
    };
    let at = start + Duration::days(row.settings.window_past_days.into());
    let when = localtime::date_time(at, zone);
    match row.cursor {
        Some(_) => t!("{when}. Since then only changes are read."),
        None => t!("{when}. The next sync reads everything again."),
    }
}

/// What changed before the last sync has travelled, so that nothing is behind by more than the time since.
fn lag(row: &Connection, now: DateTime<Utc>, zone: Tz) -> String {
    let Some(at) = row.last_sync_at else {
        return t!("Not synced yet.").to_owned();
    };
    let when = localtime::date_time(at, zone);
    if !may_sync(row) {
        return t!("Both sides were last compared on {when}. Nothing travels at present.");
    }
    let minutes = (now - at).num_minutes();
    match (minutes, minutes / 60) {
        (..1, _) => t!("Less than a minute: both sides were last compared on {when}."),
        (_, 0) => t!("At most {minutes} min: both sides were last compared on {when}."),
        (_, full) => {
            let hours = full + 1;
            t!("At most {hours} h: both sides were last compared on {when}.")
        }
    }
}

fn failures(row: &Connection, zone: Tz) -> String {
    let Some(since) = row.failing.since else {
        return t!("None.").to_owned();
    };
    let runs = match row.failing.runs {
        1 => t!("One run has failed").to_owned(),
        runs => t!("{runs} runs in a row have failed"),
    };
    let next = row.failing.retry_at.map_or_else(
        || t!("It goes on when its owner does something").to_owned(),
        |at| t!("Daybind tries again on {}", localtime::date_time(at, zone)),
    );
    t!(
        "{runs} since {}. {next}.",
        localtime::date_time(since, zone)
    )
}

fn entries(mappings: &[Mapping]) -> String {
    let live: Vec<&Mapping> = mappings.iter().filter(|row| is_live(row)).collect();
    let of = |state: &str| live.iter().filter(|row| row.state == state).count();
    let ours = live.iter().filter(|row| row.origin == "schedule").count();
    let words = match live.len() {
        0 => return t!("None are in this calendar yet.").to_owned(),
        1 => t!("1 entry has an event in this calendar").to_owned(),
        many => t!("{many} entries have an event in this calendar"),
    };
    t!(
        "{words}, {ours} of them made by Daybind. Conflicts: {}. Failed: {}.",
        of("conflict"),
        of("failed")
    )
}

fn choices(row: &Connection) -> Vec<FactView> {
    let name = label(&row.provider);
    let settings = &row.settings;
    let way = match row.direction.as_str() {
        "to_external" => t!("From Daybind to {name} only."),
        "from_external" => t!("From {name} to Daybind only."),
        _ => t!("Both ways.").to_owned(),
    };
    let conflicts = match settings.conflict_policy.as_str() {
        "schedule" => t!("The schedule's version stays."),
        "calendar" => t!("The calendar's version stays."),
        "newest" => t!("The newer version stays."),
        _ => t!("The owner is asked."),
    };
    let deletions = match settings.deletion_policy.as_str() {
        "cancel" => t!("The work is called off."),
        "put_back" => t!("The event is put back."),
        _ => t!("The owner is asked."),
    };
    let import = match settings.import_rule.as_str() {
        "marked" => t!("Events with @daybind (or @alga) in title or notes."),
        "busy" => t!("All events, as busy blocks without words."),
        _ => t!("Nothing else."),
    };
    let private = if settings.show_private {
        t!("With their words.")
    } else {
        t!("As “Busy”, without words.")
    };
    vec![
        fact(t!("Direction"), way),
        fact(t!("Both sides changed the same"), conflicts),
        fact(
            t!("The event of work that is the owner's alone was deleted"),
            deletions,
        ),
        fact(t!("Comes in besides schedule entries"), import),
        fact(t!("Private events"), private),
        fact(
            t!("Looks at"),
            t!(
                "{} days back and {} days ahead.",
                settings.window_past_days,
                settings.window_future_days
            ),
        ),
    ]
}
