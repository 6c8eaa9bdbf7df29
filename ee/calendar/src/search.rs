//! What calendar sync adds to the search: its pages, what can be done there, connections and runs.

use daybind_domain::ids::ConnectionId;
use daybind_domain::search::{SearchGroup, SearchHit};
use daybind_domain::user::Permission;
use daybind_ee_storage::{CalendarRepository, Connection, ConnectionFilter, Show, calendar};
use daybind_services::search::{Found, MOST, Wanted, hit};
use daybind_services::{Actor, AppResult, Services, internal};
use daybind_words::t;
use uuid::Uuid;

use crate::coverage::count;
use crate::oauth::is_ending;
use crate::views::label;

/// Settings > Integrations > Calendar.
const SETTINGS: &str = "/msp/settings?tab=integrations&category=calendar";
const OWN: &str = "/msp/profile?tab=calendar";

/// All pages and all that can be done there, and the connections and the run that are wanted; the MSP's only for who may read
/// its settings.
///
/// # Errors
/// An internal error.
pub async fn search(services: &Services, actor: &Actor, wanted: &Wanted) -> AppResult<Found> {
    let mut found = Found::default();
    if actor.may(Permission::OwnProfile) {
        own(&mut found);
    }
    if !actor.may(Permission::SettingsRead) {
        if actor.may(Permission::OwnProfile) && !wanted.is_empty() {
            let mut unit = services.read(actor.tenant_id).await?;
            let rows = calendar(unit.as_mut()).map_err(internal)?;
            let hits = own_connections(rows, actor, wanted).await?;
            found.groups = vec![SearchGroup {
                title: t!("Calendar connections").to_owned(),
                hits,
            }];
        }
        return Ok(found);
    }
    everybodys(&mut found);
    if actor.may(Permission::SettingsUpdate) {
        found.actions.push(hit(
            t!("Set up the Google client"),
            t!("Settings > Providers"),
            "/msp/settings?tab=integrations&category=providers#google-heading",
        ));
    }
    if !wanted.is_empty() {
        let mut unit = services.read(actor.tenant_id).await?;
        let rows = calendar(unit.as_mut()).map_err(internal)?;
        let groups = [
            (
                t!("Calendar connections"),
                connections(rows, actor, wanted).await?,
            ),
            (t!("Syncs"), runs(rows, actor, wanted).await?),
        ];
        found.groups = groups
            .map(|(title, hits)| SearchGroup {
                title: title.to_owned(),
                hits,
            })
            .to_vec();
    }
    Ok(found)
}

/// What everybody of the MSP has.
fn own(found: &mut Found) {
    found.pages.extend([
        hit(t!("Calendar"), t!("Profile"), OWN),
        hit(
            t!("My conflicts"),
            t!("Profile > Calendar"),
            format!("{OWN}&view=conflicts"),
        ),
    ]);
    found.actions.push(hit(
        t!("Connect a calendar"),
        t!("Profile > Calendar"),
        format!("{OWN}#connect-heading"),
    ));
}

/// What there is about all people of the MSP.
fn everybodys(found: &mut Found) {
    let asked = |query: &str| format!("{SETTINGS}&{query}");
    found.pages.extend([
        hit(
            t!("Calendar connections"),
            t!("Settings > Calendar"),
            SETTINGS,
        ),
        hit(
            t!("Connections that need attention"),
            t!("Settings > Calendar"),
            asked("show=attention"),
        ),
        hit(
            t!("People without a connection"),
            t!("Settings > Calendar"),
            asked("show=without"),
        ),
        hit(
            t!("Conflicts"),
            t!("Settings > Calendar"),
            asked("view=conflicts"),
        ),
        hit(
            t!("Activity"),
            t!("Operations"),
            "/msp/operations?view=activity",
        ),
        hit(
            t!("Health"),
            t!("Operations"),
            "/msp/operations?view=health",
        ),
    ]);
}

/// One's own connections by account, calendar and id, for whoever sees no others.
async fn own_connections(
    rows: &mut dyn CalendarRepository,
    actor: &Actor,
    wanted: &Wanted,
) -> AppResult<Vec<SearchHit>> {
    let own = rows.list_user_connections(actor.tenant_id, actor.user_id());
    let own = own.await.map_err(internal)?;
    let shown = own.into_iter().filter(|row| !is_ending(row));
    let hits = shown.filter_map(|row| {
        let id = row.connection_id.to_string();
        let calendar = row.calendar_name.as_deref().unwrap_or_default();
        let texts = [
            actor.user.display_name.as_str(),
            &row.account_email,
            calendar,
            &id,
        ];
        let found = wanted.is_in(&texts);
        found.then(|| hit(&actor.user.display_name, told(&row), OWN))
    });
    Ok(hits.collect())
}

/// What tells a connection from others of its owner.
fn told(row: &Connection) -> String {
    let provider = label(&row.provider);
    match &row.calendar_name {
        Some(calendar) => format!("{provider}, {}, {calendar}", row.account_email),
        None => format!("{provider}, {}", row.account_email),
    }
}

/// Connections by owner, account, calendar and id.
async fn connections(
    rows: &mut dyn CalendarRepository,
    actor: &Actor,
    wanted: &Wanted,
) -> AppResult<Vec<SearchHit>> {
    let filter = ConnectionFilter {
        show: Show::All,
        provider: None,
        only: Some(keys(rows, actor, wanted).await?),
    };
    let most = i64::try_from(MOST).unwrap_or(i64::MAX);
    let matching = rows.count_connections(actor.tenant_id, &filter).await;
    let matching = count(matching.map_err(internal)?);
    let page = rows.page_connections(actor.tenant_id, &filter, (most, 0));
    let mut hits: Vec<SearchHit> = page
        .await
        .map_err(internal)?
        .into_iter()
        .map(|one| {
            let href = format!("{SETTINGS}&connection={}", one.row.connection_id);
            hit(one.owner, told(&one.row), href)
        })
        .collect();
    if matching > MOST {
        hits.push(hit(
            t!("All {matching} connections"),
            t!("Settings > Calendar"),
            SETTINGS,
        ));
    }
    Ok(hits)
}

/// The keys of those in whose texts every word stands.
async fn keys(
    rows: &mut dyn CalendarRepository,
    actor: &Actor,
    wanted: &Wanted,
) -> AppResult<Vec<ConnectionId>> {
    let mut keys: Option<Vec<ConnectionId>> = None;
    for word in wanted.words() {
        let found = rows.search_connections(actor.tenant_id, word).await;
        let mut found = found.map_err(internal)?;
        if let Some(id) = id(word) {
            found.push(ConnectionId(id));
        }
        keys = Some(match keys {
            None => found,
            Some(earlier) => earlier
                .into_iter()
                .filter(|key| found.contains(key))
                .collect(),
        });
    }
    Ok(keys.unwrap_or_default())
}

/// Ids as pages and logs write them; shorter forms are words like others.
fn id(word: &str) -> Option<Uuid> {
    (word.len() == 36).then(|| word.parse().ok()).flatten()
}

/// The run that has this id, as the log and Activity name it.
async fn runs(
    rows: &mut dyn CalendarRepository,
    actor: &Actor,
    wanted: &Wanted,
) -> AppResult<Vec<SearchHit>> {
    let Some(run_id) = wanted.only().and_then(id) else {
        return Ok(Vec::new());
    };
    let run = rows.find_run(actor.tenant_id, run_id).await;
    let Some(run) = run.map_err(internal)? else {
        return Ok(Vec::new());
    };
    let connection = rows
        .find_connection(actor.tenant_id, run.connection_id)
        .await;
    let connection = connection.map_err(internal)?;
    let account = connection
        .filter(|row| !is_ending(row))
        .map(|row| format!("{}, {}", label(&row.provider), row.account_email));
    Ok(vec![hit(
        t!("Sync {run_id}"),
        account.unwrap_or_default(),
        format!("/msp/operations?view=activity&run={run_id}"),
    )])
}
