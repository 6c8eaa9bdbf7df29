//! Whole journeys in one process: connect, sync both ways, go to Community and come back, disconnect.

use std::sync::Arc;
use std::time::Duration;

use daybind_fakes::{FakeProviders, Fault, FaultKind, Provider};
use daybind_guards::canary::{own_secrets, scan};
use daybind_guards::{Call, Database, Site, made};
use daybind_server::Composition;
use daybind_services::jobs;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::connected::{connect, providers, reachable, set_up};
use crate::disputed::disputes;

/// Runs the job worker of a site's state until it is told to stop.
pub struct Worker {
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Worker {
    pub async fn start(state: &daybind_guards::AppState) -> Self {
        state.calendar.start().await.unwrap();
        let stop = CancellationToken::new();
        let task = tokio::spawn(jobs::work(
            state.services.clone(),
            Arc::clone(&state.calendar),
            stop.clone(),
            Duration::from_secs(10),
        ));
        Self { stop, task }
    }

    pub async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

/// Waits until it is so, at most half a minute.
pub async fn until(what: &str, mut so: impl FnMut() -> bool) {
    for _ in 0..300 {
        if so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("never came: {what}");
}

/// Connects one account of a provider and chooses its first writable calendar; connection and calendar.
pub async fn choose(site: &Site, fakes: &FakeProviders, provider: Provider) -> (String, String) {
    let target = connect(site, &site.own, provider.name(), 0).await;
    let connection = target.rsplit('=').next().unwrap().to_owned();
    let calendars = fakes.calendars(provider);
    let calendar = calendars
        .iter()
        .find(|c| c["account"] == "person0@example.test" && c["canWrite"] == true)
        .unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let form = format!(
        "connection_id={connection}&calendar_id={}&direction=bidirectional",
        calendar.replace('@', "%40")
    );
    made(
        site,
        Call::form("/_fn/update_calendar_provider", &form),
        &site.own,
    )
    .await;
    (connection, calendar)
}

/// An entry for the administrator, two days from now.
async fn entry(site: &Site, title: &str) -> Call {
    let users = site.db.values(&site.own.id, "users", "user_id").await;
    let day = site.state.services.now() + chrono::TimeDelta::days(2);
    let day = day.format("%Y-%m-%d");
    let form = format!(
        "title={title}&start={day}T09%3A00&end={day}T10%3A00&assignees%5B0%5D={}",
        users[0]
    );
    Call::form("/_fn/save_schedule_entry", &form).cookie(&site.own.admin)
}

async fn add_entry(site: &Site, title: &str) {
    made(site, entry(site, title).await, &site.own).await;
}

fn titles(fakes: &FakeProviders, provider: Provider, calendar: &str) -> Vec<String> {
    let key = match provider {
        Provider::Google => "summary",
        Provider::Microsoft => "subject",
    };
    fakes
        .events(provider, calendar)
        .iter()
        .map(|event| event[key].as_str().unwrap_or_default().to_owned())
        .collect()
}

fn has(fakes: &FakeProviders, provider: Provider, calendar: &str, title: &str) -> bool {
    titles(fakes, provider, calendar)
        .iter()
        .any(|known| known == title)
}

/// How often a provider was called; what it delivers by itself does not count.
fn calls(fakes: &FakeProviders) -> usize {
    let log = fakes.log();
    log.iter()
        .filter(|entry| !entry.operation.ends_with(".webhook"))
        .count()
}

/// M-09: Enterprise to Community and back keeps every row and comes back working: under Community nothing of calendars
/// runs, is claimed, shown or called, the schedule goes on, and afterwards what changed meanwhile reaches the calendar.
async fn there_and_back(database: Database) {
    let fakes = providers();
    let site = reachable(database, &fakes).await;
    set_up(&site, &site.own).await;
    let (connection, calendar) = choose(&site, &fakes, Provider::Google).await;
    // Another connection, with something of every kind that an address can be about.
    connect(&site, &site.own, "microsoft", 0).await;
    disputes(&site, &site.own).await;
    let worker = Worker::start(&site.state).await;
    add_entry(&site, "Before").await;
    until("the first entry", || {
        has(&fakes, Provider::Google, &calendar, "Before")
    })
    .await;
    worker.stop().await;

    let before = site.db.rows(&site.own.id).await;
    let called = calls(&fakes);
    for (composition, what) in [
        (Some(Composition::community()), "the Community binary"),
        (None, "the Enterprise binary, lowered"),
    ] {
        let (state, community) = site.again(composition, &[("DAYBIND_EDITION", "ce")]);
        let worker = Worker::start(&state).await;
        for path in [
            "/msp/schedule",
            "/msp/settings?tab=integrations&category=providers",
            "/msp/profile?tab=profile",
        ] {
            let page = Call::get(path)
                .cookie(&site.own.admin)
                .send(&community)
                .await;
            assert_eq!(page.status.as_u16(), 200, "{what}: {path}");
        }
        for endpoint in site
            .endpoints
            .iter()
            .filter(|e| e.offered == daybind_server::policy::Offered::Enterprise)
        {
            let call = site.example(endpoint, &site.own, 0).await;
            let refused = call.cookie(&site.own.admin).send(&community).await;
            assert_eq!(refused.status.as_u16(), 501, "{what}: {}", endpoint.path);
        }
        tokio::time::sleep(Duration::from_millis(1500)).await;
        worker.stop().await;
        assert_eq!(called, calls(&fakes), "{what} calls nobody");
        let mut after = site.db.rows(&site.own.id).await;
        // Sessions note when they were last used.
        after.insert("sessions".to_owned(), before["sessions"].clone());
        assert_eq!(before, after, "{what} keeps every row");
    }
    // The schedule goes on under Community.
    let (_, community) = site.again(Some(Composition::community()), &[("DAYBIND_EDITION", "ce")]);
    let saved = entry(&site, "Meanwhile").await.send(&community).await;
    assert!(saved.status.is_success(), "{saved:?}");
    assert_eq!(called, calls(&fakes), "Community calls nobody");

    let (state, enterprise) = site.again(None, &[]);
    let worker = Worker::start(&state).await;
    until("what was added meanwhile", || {
        has(&fakes, Provider::Google, &calendar, "Meanwhile")
    })
    .await;
    let event = fakes
        .events(Provider::Google, &calendar)
        .into_iter()
        .find(|event| event["summary"] == "Before")
        .unwrap();
    fakes
        .patch_event(
            Provider::Google,
            &calendar,
            event["id"].as_str().unwrap(),
            &json!({ "summary": "From outside" }),
        )
        .unwrap();
    let poke = Call::form(
        "/_fn/sync_calendar_provider",
        &format!("connection_id={connection}"),
    );
    let poked = poke.cookie(&site.own.admin).send(&enterprise).await;
    assert!(poked.status.is_success(), "{poked:?}");
    let mut seen = Vec::new();
    for _ in 0..300 {
        seen = site
            .db
            .values(&site.own.id, "schedule_entries", "title")
            .await;
        if seen.iter().any(|title| title == "From outside") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(seen.iter().any(|title| title == "From outside"), "{seen:?}");
    worker.stop().await;
    let copies = titles(&fakes, Provider::Google, &calendar);
    for title in ["From outside", "Meanwhile"] {
        let count = copies.iter().filter(|known| *known == title).count();
        assert_eq!(count, 1, "nothing came twice: {copies:?}");
    }
}

/// M-09 on SQLite.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_edition_is_switched_there_and_back_on_sqlite() {
    there_and_back(Database::Sqlite).await;
}

/// M-09 on PostgreSQL.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_edition_is_switched_there_and_back_on_postgres() {
    there_and_back(Database::Postgres).await;
}

/// M-18, U1, U14: both providers connected, synced both ways, refused, throttled, revoked and disconnected: no client
/// secret, code, verifier, token or channel secret that the providers ever gave or got stands in an answer, an address,
/// a log line or, unsealed, in a row.
async fn journeys_leak_nothing(database: Database) {
    let fakes = providers();
    let site = reachable(database, &fakes).await;
    set_up(&site, &site.own).await;
    let worker = Worker::start(&site.state).await;
    let mut connections = Vec::new();
    for provider in [Provider::Google, Provider::Microsoft] {
        let (connection, calendar) = choose(&site, &fakes, provider).await;
        add_entry(&site, provider.name()).await;
        until(provider.name(), || {
            has(&fakes, provider, &calendar, provider.name())
        })
        .await;
        connections.push((provider, connection));
    }
    // While all of it is alive: later, disconnecting takes the channels away.
    until("both subscriptions", || {
        let own = fakes.secrets();
        own.iter()
            .filter(|secret| secret.starts_with(&site.own.id))
            .count()
            >= 2
    })
    .await;
    let mut secrets = fakes.secrets();
    assert!(
        secrets.len() >= 12,
        "{} secrets of the providers",
        secrets.len()
    );
    // Callbacks that fail in every way, with what a browser may bring along.
    for provider in ["google", "microsoft"] {
        for query in [
            "",
            "?code=stolen-code-4711&state=made-up-state",
            "?error=access_denied&error_description=Provider+words+0815&state=made-up-state",
            "?error=%3Cscript%3E&error_description=Provider+words+0815",
        ] {
            let path = format!("/api/auth/{provider}/calendar/callback{query}");
            let answer = site.send(Call::get(&path).cookie(&site.own.admin)).await;
            let said = answer.everything();
            for word in [
                "stolen-code-4711",
                "made-up-state",
                "Provider words",
                "Provider+words",
                "script",
            ] {
                assert!(!said.contains(word), "{path}: {answer:?}");
            }
        }
    }
    // Tokens that end, a provider that fails with words of its own, grants that are gone.
    fakes.expire_access_tokens(Provider::Google);
    fakes.expire_access_tokens(Provider::Microsoft);
    for (_, connection) in &connections {
        let form = format!("connection_id={connection}");
        for path in ["/_fn/list_remote_calendars", "/_fn/sync_calendar_provider"] {
            site.send(Call::form(path, &form).cookie(&site.own.admin))
                .await;
        }
    }
    for operation in ["google.calendarList.list", "microsoft.calendars.list"] {
        let kind = FaultKind::Status {
            status: 500,
            retry_after: None,
            reason: Some("Provider words 0815".to_owned()),
        };
        fakes.arm(Fault::new(operation, 1, kind));
    }
    for (_, connection) in &connections {
        let form = format!("connection_id={connection}");
        site.send(Call::form("/_fn/list_remote_calendars", &form).cookie(&site.own.admin))
            .await;
    }
    fakes.clear_faults();
    fakes.revoke_grants(Provider::Google);
    for (_, connection) in &connections {
        let form = format!("connection_id={connection}");
        site.send(Call::form("/_fn/sync_calendar_provider", &form).cookie(&site.own.admin))
            .await;
    }
    tokio::time::sleep(Duration::from_millis(1500)).await;
    for path in [
        "/msp/profile?tab=calendar",
        "/msp/settings?tab=integrations&category=calendar",
        "/msp/settings?tab=integrations&category=providers",
        "/msp/schedule",
    ] {
        site.send(Call::get(path).cookie(&site.own.admin)).await;
    }
    for read in [
        "get_calendar_providers",
        "get_calendar_settings",
        "get_google_client",
        "list_microsoft_profiles",
        "list_schedule",
    ] {
        site.send(Call::form(&format!("/_fn/{read}"), "").cookie(&site.own.admin))
            .await;
    }
    for (_, connection) in &connections {
        let form = format!("connection_id={connection}");
        made(
            &site,
            Call::form("/_fn/delete_calendar_provider", &form),
            &site.own,
        )
        .await;
    }
    tokio::time::sleep(Duration::from_millis(1000)).await;
    worker.stop().await;
    secrets.extend(fakes.secrets());
    secrets.extend(own_secrets(&site));
    secrets.push("stolen-code-4711".to_owned());
    scan(&site, &secrets).await;
}

/// M-18 on SQLite.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_secret_leaves_a_journey_on_sqlite() {
    journeys_leak_nothing(Database::Sqlite).await;
}

/// M-18 on PostgreSQL.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_secret_leaves_a_journey_on_postgres() {
    journeys_leak_nothing(Database::Postgres).await;
}
