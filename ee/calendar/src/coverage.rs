//! Settings > Integrations > Calendar: how many people are connected, and which connections wait for somebody.

use chrono::{DateTime, Utc};
use daybind_domain::Consumer;
use daybind_domain::ids::TenantId;
use daybind_domain::user::Permission;
use daybind_domain::view::{
    CalendarSettingsView, ConnectionView, CoverageQuery, CoverageView, PersonView,
};
use daybind_ee_storage::{
    CalendarRepository, Connection, ConnectionFilter, Coverage, Show, Unconnected, calendar,
    found_in,
};
use daybind_services::{Actor, AppResult, Lines, Provider, Services, bindings, csv, internal};
use daybind_storage::Profile;
use daybind_words::t;
use futures::stream;

use crate::statements;
use crate::timeline::utc;
use crate::views::connection_view;

/// Rows on one page.
const PAGE: i64 = 50;

/// Which connections the query asks for; none where it names none: `without` names people, other words nothing.
///
/// # Errors
/// An internal error.
pub async fn filter(
    rows: &mut dyn CalendarRepository,
    tenant_id: TenantId,
    query: &CoverageQuery,
) -> AppResult<Option<ConnectionFilter>> {
    let show = match query.show.as_str() {
        "" => Show::All,
        "attention" => Show::Attention,
        "conflicts" => Show::Conflicts,
        "paused" => Show::Paused,
        _ => return Ok(None),
    };
    let only = match query.find.trim() {
        "" => None,
        text => {
            let found = rows.search_connections(tenant_id, text).await;
            Some(found.map_err(internal)?)
        }
    };
    Ok(Some(ConnectionFilter {
        show,
        provider: Some(query.provider.clone()).filter(|provider| !provider.is_empty()),
        only,
    }))
}

fn coverage_view(counted: &Coverage) -> CoverageView {
    CoverageView {
        people: count(counted.people),
        connected: count(counted.connected),
        attention: count(counted.attention),
        conflicts: count(counted.conflicts),
        paused: count(counted.paused),
    }
}

/// A number of rows.
pub fn count(rows: i64) -> usize {
    usize::try_from(rows).unwrap_or(0)
}

/// The people without a connection whose names have that in them, by name: that page of them, and how many there are.
async fn without(
    rows: &mut dyn CalendarRepository,
    tenant_id: TenantId,
    counted: &Coverage,
    query: &CoverageQuery,
) -> AppResult<(Turn, Vec<Unconnected>)> {
    let find = query.find.trim();
    if find.is_empty() {
        let turn = Turn::to(counted.people - counted.connected, &query.page);
        let page = rows.page_unconnected(tenant_id, (PAGE, turn.before()));
        return Ok((turn, page.await.map_err(internal)?));
    }
    let all = everybody_without(rows, tenant_id, find).await?;
    let turn = Turn::to(i64::try_from(all.len()).unwrap_or(i64::MAX), &query.page);
    let page = all.into_iter().skip(count(turn.before()));
    Ok((turn, page.take(count(PAGE)).collect()))
}

async fn everybody_without(
    rows: &mut dyn CalendarRepository,
    tenant_id: TenantId,
    find: &str,
) -> AppResult<Vec<Unconnected>> {
    let all = rows.page_unconnected(tenant_id, (i64::MAX, 0)).await;
    let mut all = all.map_err(internal)?;
    all.retain(|person| found_in(find, &[&person.name]));
    Ok(all)
}

/// What the query asks for.
///
/// # Errors
/// Forbidden without `system_settings:read`.
pub async fn settings(
    services: &Services,
    actor: &Actor,
    query: &CoverageQuery,
) -> AppResult<CalendarSettingsView> {
    actor.require(Permission::SettingsRead)?;
    let tenant_id = actor.tenant_id;
    let mut unit = services.read(tenant_id).await?;
    let bound = bindings::bound_profile(services, unit.as_mut(), tenant_id, Consumer::Calendar);
    let microsoft_profile = bound.await?.ok();
    let rows = calendar(unit.as_mut()).map_err(internal)?;
    let google = rows.find_google_client(tenant_id).await;
    let google_ready = google.map_err(internal)?.is_some();
    let counted = rows.coverage(tenant_id, services.now()).await;
    let counted = counted.map_err(internal)?;
    let mut turn = Turn::to(0, "");
    let mut people = Vec::new();
    let mut connections = Vec::new();
    if query.show == "without" {
        (turn, people) = without(rows, tenant_id, &counted, query).await?;
    } else if let Some(filter) = filter(rows, tenant_id, query).await? {
        let matching = rows.count_connections(tenant_id, &filter).await;
        turn = Turn::to(matching.map_err(internal)?, &query.page);
        let page = rows.page_connections(tenant_id, &filter, (PAGE, turn.before()));
        let page = page.await.map_err(internal)?;
        let profiles = unit.list_profiles(tenant_id).await.map_err(internal)?;
        for one in page {
            let shown = connection_view(services, actor, unit.as_mut(), &one.row, &one.owner);
            connections.push(ConnectionView {
                through: through(&one.row, &profiles),
                ..shown.await?
            });
        }
    }
    Ok(CalendarSettingsView {
        coverage: coverage_view(&counted),
        connections,
        without: people
            .into_iter()
            .map(|person| PersonView {
                user_id: person.user_id.to_string(),
                name: person.name,
            })
            .collect(),
        matching: count(turn.rows),
        page: count(turn.page),
        pages: count(turn.pages),
        can_update: actor.may(Permission::SettingsUpdate),
        microsoft_profile: microsoft_profile.map(|profile| profile.fields.display_name),
        google_ready,
        rules: statements::rules(),
    })
}

/// What issued the connection, in a few words.
fn through(row: &Connection, profiles: &[Profile]) -> String {
    if row.provider == Provider::Google.as_str() {
        return t!("Google OAuth client").to_owned();
    }
    let known = profiles
        .iter()
        .find(|profile| Some(profile.profile_id.0) == row.profile_id);
    match known {
        Some(profile) => t!("Microsoft profile “{}”", profile.fields.display_name),
        None => t!("A Microsoft profile that is gone").to_owned(),
    }
}

/// The connections that the query asks for, on all of its pages, as CSV.
///
/// # Errors
/// Forbidden without `system_settings:read`.
pub async fn file(services: &Services, actor: &Actor, query: &CoverageQuery) -> AppResult<Lines> {
    actor.require(Permission::SettingsRead)?;
    let tenant_id = actor.tenant_id;
    let mut unit = services.read(tenant_id).await?;
    let rows = calendar(unit.as_mut()).map_err(internal)?;
    let mut text = String::from(csv::MARK);
    if query.show == "without" {
        csv::line(&mut text, &["person", "email"]);
        for person in everybody_without(rows, tenant_id, &query.find).await? {
            csv::line(&mut text, &[&person.name, &person.email]);
        }
    } else {
        csv::line(
            &mut text,
            &[
                "person",
                "provider",
                "account",
                "calendar",
                "direction",
                "status",
                "reason",
                "paused_since_utc",
                "last_sync_utc",
                "conflicts",
                "connection_id",
            ],
        );
        let found = match filter(rows, tenant_id, query).await? {
            Some(filter) => {
                let all = rows.page_connections(tenant_id, &filter, (i64::MAX, 0));
                all.await.map_err(internal)?
            }
            None => Vec::new(),
        };
        let at = |at: Option<DateTime<Utc>>| at.map(utc).unwrap_or_default();
        for one in found {
            let row = one.row;
            let reason = row.status_reason.as_ref().or(row.last_error.as_ref());
            csv::line(
                &mut text,
                &[
                    &one.owner,
                    &row.provider,
                    &row.account_email,
                    row.calendar_name.as_deref().unwrap_or_default(),
                    &row.direction,
                    &row.status,
                    reason.map(String::as_str).unwrap_or_default(),
                    &at(row.pause.as_ref().map(|pause| pause.since)),
                    &at(row.last_sync_at),
                    &one.conflicts.to_string(),
                    &row.connection_id.to_string(),
                ],
            );
        }
    }
    Ok(Box::pin(stream::once(async { Ok(text) })))
}

/// A page among those of so many rows.
#[derive(Debug, PartialEq, Eq)]
struct Turn {
    rows: i64,
    page: i64,
    pages: i64,
}

impl Turn {
    /// The page that was asked for; the last one, where there are fewer.
    fn to(rows: i64, wanted: &str) -> Self {
        let rows = rows.max(0);
        let pages = (rows / PAGE + i64::from(rows % PAGE > 0)).max(1);
        let page = wanted.parse().unwrap_or(1).clamp(1, pages);
        Self { rows, page, pages }
    }

    /// How many rows stand on the pages before.
    fn before(&self) -> i64 {
        (self.page - 1) * PAGE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_turned_within_what_there_is() {
        for (rows, wanted, page, pages, before) in [
            (0, "", 1, 1, 0),
            (50, "1", 1, 1, 0),
            (51, "2", 2, 2, 50),
            (51, "9", 2, 2, 50),
            (51, "0", 1, 2, 0),
            (51, "x", 1, 2, 0),
            (-1, "2", 1, 1, 0),
            (10_000, "9999999999999999999", 1, 200, 0),
            (10_000, "200", 200, 200, 9950),
        ] {
            let turn = Turn::to(rows, wanted);
            assert_eq!(
                (turn.page, turn.pages, turn.before()),
                (page, pages, before),
                "{rows} {wanted}"
            );
            assert_eq!(turn.rows, rows.max(0));
        }
    }
}
