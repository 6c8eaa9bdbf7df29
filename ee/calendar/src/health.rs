//! Operations > Health: what needs a person, those first by whom most people are held up, and how sync is.

use chrono::Duration;
use chrono_tz::Tz;
use daybind_domain::activity::{HealthItemView, HealthView};
use daybind_domain::connection_view::FactView;
use daybind_domain::user::Permission;
use daybind_ee_storage::{Coverage, OwnedConnection, SyncHealth, Waiting, calendar};
use daybind_services::{Actor, AppResult, Services, internal, localtime, profiles};
use daybind_storage::Scope;
use daybind_words::{Said, t};

use crate::coverage::count;
use crate::retry::BRAKE;
use crate::views::label;

/// Failed runs are counted for so long.
const DAY: Duration = Duration::hours(24);
/// So many people are named.
const NAMED: usize = 3;
const CALENDARS: &str = "/msp/settings?tab=integrations&category=calendar";
const PROVIDERS: &str = "/msp/settings?tab=integrations&category=providers";

/// How sync is.
///
/// # Errors
/// Forbidden without `system_settings:read`.
pub async fn health(services: &Services, actor: &Actor) -> AppResult<HealthView> {
    actor.require(Permission::SettingsRead)?;
    let now = services.now();
    let zone = localtime::zone(&actor.user.time_zone);
    let secrets = profiles::attention(services, actor).await?;
    let mut unit = services.read(actor.tenant_id).await?;
    let tenant_id = actor.tenant_id;
    let rows = calendar(unit.as_mut()).map_err(internal)?;
    let counted = rows.coverage(tenant_id, now).await.map_err(internal)?;
    let waiting = rows.list_waiting(tenant_id).await.map_err(internal)?;
    let asked = rows.list_asked(tenant_id).await.map_err(internal)?;
    let oldest = rows.longest_without_sync(tenant_id).await;
    let oldest = oldest.map_err(internal)?;
    let seen = rows.sync_health(tenant_id, now - DAY, now).await;
    let seen = seen.map_err(internal)?;
    drop(unit);
    let mut unit = services.store.read(Scope::System).await.map_err(internal)?;
    let queue = unit.job_stats().await.map_err(internal)?;
    drop(unit);
    let mut items: Vec<(usize, HealthItemView)> = KINDS
        .iter()
        .filter_map(|kind| kind.item(&waiting))
        .collect();
    items.extend(conflicts(counted.conflicts, &asked));
    // Whoever signs in or syncs through it is held up when it ends.
    let all = count(counted.connections);
    items.extend(secrets.into_iter().map(|secret| {
        let item = HealthItemView {
            title: secret.text,
            text: t!("Sign-in and sync through it stop when it has ended.").to_owned(),
            action: t!("Rotate the secret").to_owned(),
            href: secret.href,
        };
        (all, item)
    }));
    items.sort_by_key(|(people, _)| std::cmp::Reverse(*people));
    let mut signals = signals(&counted, oldest.as_ref(), &seen, zone);
    signals.push(fact(
        t!("Providers that ask to slow down"),
        match counted.held {
            0 => t!("None.").to_owned(),
            1 => t!("1 calendar waits for the time its provider named, and goes on by itself.")
                .to_owned(),
            many => t!(
                "{many} calendars wait for the time their providers named, and go on by themselves."
            ),
        },
    ));
    signals.push(fact(
        t!("Work of this installation"),
        t!(
            "Jobs queued: {}. Running: {}. Given up: {}.",
            queue.queued,
            queue.running,
            queue.dead
        ),
    ));
    Ok(HealthView {
        items: items.into_iter().map(|(_, item)| item).collect(),
        signals,
        at: localtime::date_time(now, zone),
    })
}

fn fact(label: &str, text: String) -> FactView {
    FactView {
        label: label.to_owned(),
        text,
    }
}

/// A reason for which connections stand still.
struct Kind {
    holds: fn(&Waiting) -> bool,
    what: fn(&str, bool) -> String,
    text: Said,
    action: Said,
    href: &'static str,
}

const fn kind(
    holds: fn(&Waiting) -> bool,
    what: fn(&str, bool) -> String,
    text: Said,
    action: Said,
    href: &'static str,
) -> Kind {
    Kind {
        holds,
        what,
        text,
        action,
        href,
    }
}

fn reason(row: &Waiting) -> &str {
    row.reason.as_deref().unwrap_or_default()
}

fn of_client(row: &Waiting) -> bool {
    matches!(reason(row), "secret" | "token_refused" | "not_ready")
}

/// Every connection that does not work by itself is of one kind.
const KINDS: [Kind; 6] = [
    kind(
        |row| row.status == "error" && of_client(row),
        |who, one| {
            if one {
                t!("one" => "{who} cannot sync because a provider does not accept the client secret or the app registration.")
            } else {
                t!(
                    "{who} cannot sync because a provider does not accept the client secret or the app registration."
                )
            }
        },
        || {
            t!(
                "Renew the secret, or check the app registration; all of them go on by themselves then."
            )
        },
        || t!("Open Providers"),
        PROVIDERS,
    ),
    kind(
        |row| row.status == "needs_reconnect" && reason(row) == "unbound",
        |who, one| {
            if one {
                t!("one" => "{who} cannot use Outlook because no Microsoft profile is chosen for Calendar.")
            } else {
                t!("{who} cannot use Outlook because no Microsoft profile is chosen for Calendar.")
            }
        },
        || {
            t!(
                "Choose the profile they were connected with, and they go on; with another one they reconnect."
            )
        },
        || t!("Choose a profile"),
        PROVIDERS,
    ),
    kind(
        |row| row.status == "needs_reconnect" && reason(row) != "unbound",
        |who, one| {
            if one {
                t!("one" => "{who} must reconnect.")
            } else {
                t!("{who} must reconnect.")
            }
        },
        || {
            t!(
                "Only they can let Daybind in again. Each connection's page has a link for its owner."
            )
        },
        || t!("Show them"),
        "/msp/settings?tab=integrations&category=calendar&show=attention",
    ),
    kind(
        |row| row.status == "paused" && reason(row) == BRAKE,
        |who, one| {
            if one {
                t!("{who} is asked whether unusually many deletions are meant.")
            } else {
                t!("{who} are asked whether unusually many deletions are meant.")
            }
        },
        || t!("Nothing was deleted; nothing is synced until they answer under Profile > Calendar."),
        || t!("Show them"),
        "/msp/settings?tab=integrations&category=calendar&show=attention",
    ),
    kind(
        |row| row.status == "error" && !of_client(row),
        |who, one| {
            if one {
                t!("{who} has a calendar that has been failing for an hour or more.")
            } else {
                t!("{who} have a calendar that has been failing for an hour or more.")
            }
        },
        || t!("Daybind goes on trying. Each connection's page says why, and since when."),
        || t!("Show them"),
        "/msp/settings?tab=integrations&category=calendar&show=attention",
    ),
    kind(
        |row| row.status == "configuring",
        |who, one| {
            if one {
                t!("{who} has let Daybind in and not chosen a calendar yet.")
            } else {
                t!("{who} have let Daybind in and not chosen a calendar yet.")
            }
        },
        || t!("They choose it under Profile > Calendar."),
        || t!("Show them"),
        "/msp/settings?tab=integrations&category=calendar&show=attention",
    ),
];

impl Kind {
    fn item(&self, waiting: &[Waiting]) -> Option<(usize, HealthItemView)> {
        let mut held_up: Vec<&Waiting> = waiting.iter().filter(|row| (self.holds)(row)).collect();
        // They are in order: somebody may wait for several reasons of the same kind.
        held_up.dedup_by_key(|row| row.user_id);
        let people: Vec<&str> = held_up.iter().map(|row| row.owner.as_str()).collect();
        (!people.is_empty()).then(|| {
            let item = HealthItemView {
                title: (self.what)(&named(&people), people.len() == 1),
                text: (self.text)().to_owned(),
                action: (self.action)().to_owned(),
                href: self.href.to_owned(),
            };
            (people.len(), item)
        })
    }
}

/// "Ada", "Ada and Tom", "Ada, Tom, Tess and 4 more"
fn named(people: &[&str]) -> String {
    match people {
        [one] => (*one).to_owned(),
        [first, second] => t!("{first} and {second}"),
        [first, second, third] => t!("{first}, {second} and {third}"),
        more => t!(
            "{} and {} more",
            more[..NAMED].join(", "),
            more.len() - NAMED
        ),
    }
}

fn conflicts(open: i64, asked: &[String]) -> Option<(usize, HealthItemView)> {
    let people: Vec<&str> = asked.iter().map(String::as_str).collect();
    (open > 0 && !people.is_empty()).then(|| {
        let title = match open {
            1 => t!(
                "1 entry was changed differently on both sides; {} is asked.",
                named(&people)
            ),
            many if people.len() == 1 => t!(
                "{many} entries were changed differently on both sides; {} is asked.",
                named(&people)
            ),
            many => t!(
                "{many} entries were changed differently on both sides; {} are asked.",
                named(&people)
            ),
        };
        let item = HealthItemView {
            title,
            text: t!("Neither version is lost; everything else goes on meanwhile.").to_owned(),
            action: t!("Show them").to_owned(),
            href: format!("{CALENDARS}&show=conflicts"),
        };
        (people.len(), item)
    })
}

fn signals(
    counted: &Coverage,
    oldest: Option<&OwnedConnection>,
    seen: &SyncHealth,
    zone: Tz,
) -> Vec<FactView> {
    let (working, paused) = (counted.working, counted.paused);
    let polled = working.saturating_sub(seen.pushed).max(0);
    let looked_at = match polled {
        0 => String::new(),
        1 => t!(" 1 is looked at regularly instead.").to_owned(),
        many => t!(" {many} are looked at regularly instead."),
    };
    let push = match seen.first_end {
        Some(end) => t!(
            "{} at once; the first subscription ends on {} and is renewed before.{looked_at}",
            match seen.pushed {
                1 => t!("1 calendar tells of changes").to_owned(),
                many => t!("{many} calendars tell of changes"),
            },
            localtime::date_time(end, zone)
        ),
        None if working == 0 => t!("No calendar is synced.").to_owned(),
        None => t!("None.{looked_at}"),
    };
    let heard = seen.last_notified_at.map_or_else(
        || t!("None has arrived yet.").to_owned(),
        |at| format!("{}.", localtime::date_time(at, zone)),
    );
    let oldest = oldest.and_then(|one| Some((one.row.last_sync_at?, one)));
    let oldest = oldest.map_or_else(
        || t!("There is none.").to_owned(),
        |(at, one)| {
            t!(
                "{}'s {} was last in step on {}.",
                one.owner,
                label(&one.row.provider),
                localtime::date_time(at, zone)
            )
        },
    );
    vec![
        fact(t!("Calendars"), t!("Working: {working}. Paused: {paused}.")),
        fact(t!("Push notifications"), push),
        fact(t!("Last notification"), heard),
        fact(t!("Longest without a sync"), oldest),
        fact(
            t!("Syncs of the last 24 hours"),
            t!("On record: {}. Failed: {}.", seen.runs, seen.failed),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_named_up_to_three() {
        assert_eq!(named(&["Ada"]), "Ada");
        assert_eq!(named(&["Ada", "Tom"]), "Ada and Tom");
        assert_eq!(named(&["Ada", "Tess", "Tom"]), "Ada, Tess and Tom");
        assert_eq!(named(&["A", "B", "C", "D", "E"]), "A, B, C and 2 more");
    }
}
