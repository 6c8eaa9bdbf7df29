//! Settings > Integrations > Calendar: how many people are connected, and which connections wait for somebody.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use daybind_domain::Consumer;
use daybind_domain::ids::{ConnectionId, TenantId, UserId};
use daybind_domain::user::{Permission, UserType};
use daybind_domain::view::{CalendarSettingsView, CoverageQuery, CoverageView, PersonView};
use daybind_ee_storage::{Connection, calendar};
use daybind_services::{Actor, AppResult, Lines, Services, bindings, csv, internal};
use daybind_storage::{UnitOfWork, User};
use futures::stream;

use crate::oauth::is_ending;
use crate::timeline::utc;
use crate::views::connection_view;

/// Rows on one page.
const PAGE: usize = 50;

/// The MSP's people and connections.
pub struct Survey {
    users: Vec<User>,
    /// Without those that are being disconnected.
    all: Vec<Connection>,
    conflicts: BTreeMap<ConnectionId, i64>,
}

impl Survey {
    /// As it stands.
    ///
    /// # Errors
    /// An internal error.
    pub async fn read(unit: &mut dyn UnitOfWork, tenant_id: TenantId) -> AppResult<Self> {
        let users = unit.list_users(tenant_id).await.map_err(internal)?;
        let rows = calendar(unit).map_err(internal)?;
        let mut all = rows.list_connections(tenant_id).await.map_err(internal)?;
        all.retain(|row| !is_ending(row));
        let open = rows
            .count_open_conflicts(tenant_id)
            .await
            .map_err(internal)?;
        Ok(Self {
            users,
            all,
            conflicts: open.into_iter().collect(),
        })
    }

    /// The connections, without those that are being disconnected.
    #[must_use]
    pub fn rows(&self) -> &[Connection] {
        &self.all
    }

    /// Whose these are: each once, by name.
    pub fn owners<'a>(&'a self, rows: impl Iterator<Item = &'a Connection>) -> Vec<&'a str> {
        let names = self.names();
        let owners: BTreeSet<&str> = rows
            .filter_map(|row| names.get(&row.user_id).copied())
            .collect();
        owners.into_iter().collect()
    }

    /// How many conflicts are open, and who is asked.
    #[must_use]
    pub fn conflicts(&self) -> (i64, Vec<&str>) {
        let asked = self.all.iter();
        let asked = asked.filter(|row| self.conflicts.contains_key(&row.connection_id));
        (self.conflicts.values().sum(), self.owners(asked))
    }

    fn names(&self) -> BTreeMap<UserId, &str> {
        self.users
            .iter()
            .map(|user| (user.user_id, user.display_name.as_str()))
            .collect()
    }

    fn people(&self) -> impl Iterator<Item = &User> {
        self.users
            .iter()
            .filter(|user| user.is_active && user.user_type == UserType::Internal)
    }

    fn connected(&self) -> BTreeSet<UserId> {
        self.all.iter().map(|row| row.user_id).collect()
    }

    fn coverage(&self) -> CoverageView {
        let connected = self.connected();
        let counted =
            |count: &dyn Fn(&Connection) -> bool| self.all.iter().filter(|row| count(row)).count();
        CoverageView {
            people: self.people().count(),
            connected: self
                .people()
                .filter(|user| connected.contains(&user.user_id))
                .count(),
            attention: counted(&waits),
            conflicts: usize::try_from(self.conflicts.values().sum::<i64>()).unwrap_or(0),
            paused: counted(&|row| row.pause.is_some()),
        }
    }

    /// The people without a connection whose names have that in them, by name.
    fn without(&self, find: &str) -> Vec<&User> {
        let (connected, find) = (self.connected(), find.trim().to_lowercase());
        let mut missing: Vec<&User> = self
            .people()
            .filter(|user| !connected.contains(&user.user_id))
            .filter(|user| user.display_name.to_lowercase().contains(&find))
            .collect();
        missing.sort_by_key(|user| user.display_name.to_lowercase());
        missing
    }

    /// The connections that the query asks for, on all of its pages: those that wait for somebody first, then by person.
    #[must_use]
    pub fn matching(&self, query: &CoverageQuery) -> Vec<&Connection> {
        let (names, find) = (self.names(), query.find.trim().to_lowercase());
        let owner = |row: &Connection| names.get(&row.user_id).copied().unwrap_or_default();
        let mut found: Vec<&Connection> = self
            .all
            .iter()
            .filter(|row| match query.show.as_str() {
                "attention" => waits(row),
                "conflicts" => self.conflicts.contains_key(&row.connection_id),
                "paused" => row.pause.is_some(),
                "" => true,
                // `without` names people, other words nothing: what is done with all that match is done with none then.
                _ => false,
            })
            .filter(|row| query.provider.is_empty() || row.provider == query.provider)
            .filter(|row| {
                let calendar = row.calendar_name.as_deref().unwrap_or_default();
                let texts = [owner(row), row.account_email.as_str(), calendar];
                texts.iter().any(|text| text.to_lowercase().contains(&find))
            })
            .collect();
        found.sort_by_key(|row| (!waits(row), owner(row).to_lowercase(), row.created_at));
        found
    }
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
    let mut unit = services.read(actor.tenant_id).await?;
    let bound =
        bindings::bound_profile(services, unit.as_mut(), actor.tenant_id, Consumer::Calendar);
    let microsoft_profile = bound.await?.ok();
    let google_ready = calendar(unit.as_mut())
        .map_err(internal)?
        .find_google_client(actor.tenant_id)
        .await
        .map_err(internal)?
        .is_some();
    let survey = Survey::read(unit.as_mut(), actor.tenant_id).await?;
    let mut view = CalendarSettingsView {
        coverage: survey.coverage(),
        connections: Vec::new(),
        without: Vec::new(),
        matching: 0,
        page: 1,
        pages: 1,
        can_update: actor.may(Permission::SettingsUpdate),
        microsoft_profile: microsoft_profile.map(|profile| profile.fields.display_name),
        google_ready,
    };
    if query.show == "without" {
        let page = turn_to(&mut view, survey.without(&query.find), &query.page);
        view.without = page
            .into_iter()
            .map(|user| PersonView {
                user_id: user.user_id.to_string(),
                name: user.display_name.clone(),
            })
            .collect();
        return Ok(view);
    }
    let names = survey.names();
    for row in turn_to(&mut view, survey.matching(query), &query.page) {
        let owner = names.get(&row.user_id).copied().unwrap_or_default();
        let shown = connection_view(services, actor, unit.as_mut(), row, owner);
        view.connections.push(shown.await?);
    }
    Ok(view)
}

/// The connections that the query asks for, on all of its pages, as CSV.
///
/// # Errors
/// Forbidden without `system_settings:read`.
pub async fn file(services: &Services, actor: &Actor, query: &CoverageQuery) -> AppResult<Lines> {
    actor.require(Permission::SettingsRead)?;
    let mut unit = services.read(actor.tenant_id).await?;
    let survey = Survey::read(unit.as_mut(), actor.tenant_id).await?;
    drop(unit);
    let mut text = String::from(csv::MARK);
    if query.show == "without" {
        csv::line(&mut text, &["person", "email"]);
        for user in survey.without(&query.find) {
            csv::line(&mut text, &[&user.display_name, &user.email]);
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
        let names = survey.names();
        let at = |at: Option<DateTime<Utc>>| at.map(utc).unwrap_or_default();
        for row in survey.matching(query) {
            let reason = row.status_reason.as_ref().or(row.last_error.as_ref());
            let conflicts = survey.conflicts.get(&row.connection_id).unwrap_or(&0);
            csv::line(
                &mut text,
                &[
                    names.get(&row.user_id).copied().unwrap_or_default(),
                    &row.provider,
                    &row.account_email,
                    row.calendar_name.as_deref().unwrap_or_default(),
                    &row.direction,
                    &row.status,
                    reason.map(String::as_str).unwrap_or_default(),
                    &at(row.pause.as_ref().map(|pause| pause.since)),
                    &at(row.last_sync_at),
                    &conflicts.to_string(),
                    &row.connection_id.to_string(),
                ],
            );
        }
    }
    Ok(Box::pin(stream::once(async { Ok(text) })))
}

/// Whether a connection goes on only when somebody does something about it.
fn waits(row: &Connection) -> bool {
    row.status != "connected"
}

/// The rows of the page that was asked for; of the last one, where there are fewer.
fn turn_to<T>(view: &mut CalendarSettingsView, rows: Vec<T>, wanted: &str) -> Vec<T> {
    view.matching = rows.len();
    view.pages = rows.len().div_ceil(PAGE).max(1);
    view.page = wanted.parse().unwrap_or(1).clamp(1, view.pages);
    let before = (view.page - 1) * PAGE;
    rows.into_iter().skip(before).take(PAGE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_turned_within_what_there_is() {
        for (rows, wanted, page, pages, first) in [
            (0, "", 1, 1, None),
            (50, "1", 1, 1, Some(0)),
            (51, "2", 2, 2, Some(50)),
            (51, "9", 2, 2, Some(50)),
            (51, "0", 1, 2, Some(0)),
            (51, "x", 1, 2, Some(0)),
        ] {
            let mut view = CalendarSettingsView {
                coverage: CoverageView::default(),
                connections: Vec::new(),
                without: Vec::new(),
                matching: 0,
                page: 0,
                pages: 0,
                can_update: false,
                microsoft_profile: None,
                google_ready: false,
            };
            let shown = turn_to(&mut view, (0..rows).collect(), wanted);
            assert_eq!((view.page, view.pages), (page, pages), "{rows} {wanted}");
            assert_eq!(shown.first().copied(), first, "{rows} {wanted}");
            assert_eq!(view.matching, rows);
        }
    }
}
