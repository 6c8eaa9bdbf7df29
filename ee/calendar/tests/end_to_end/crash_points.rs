//! Every declared crash point: the server dies there, another one takes over, and what is promised holds. A point without a
//! test here fails [`every_point_has_its_test`]; one that is never reached fails its own test.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use chrono::TimeDelta;
use daybind_domain::ids::EntryId;
use daybind_domain::schedule::EntryStatus;
use daybind_domain::view::{CalendarRulesView, ConnectionView};
use daybind_ee_calendar::CalendarRuntime;
use daybind_ee_calendar::engine::{Engine, POINTS, Points};
use daybind_ee_storage::{Subscription, calendar};
use daybind_fakes::{DuplicateTransaction, Fault, FaultKind};
use daybind_services::{Actor, CalendarPort as _, Provider, StableRoute, demo};
use daybind_storage::Scope;
use serde_json::{Value, json};

use crate::bench::{Database, World, actor, location};
use crate::everyday::event;

const SYNC: [&str; 9] = [
    "run.claimed",
    "call.before_send",
    "call.after_response",
    "map.before_commit",
    "map.after_commit",
    "page.before_commit",
    "page.after_commit",
    "run.before_commit",
    "run.after_commit",
];
const CONSENT: [&str; 4] = [
    "consent.taken",
    "consent.exchanged",
    "consent.before_commit",
    "consent.after_commit",
];
const REFRESH: [&str; 2] = ["refresh.before_commit", "refresh.after_commit"];
const SUBSCRIPTION: [&str; 5] = [
    "subscription.intended",
    "subscription.made",
    "subscription.kept",
    "subscription.renewed",
    "subscription.ended",
];
const DISCONNECT: [&str; 3] = [
    "disconnect.copy_removed",
    "disconnect.revoked",
    "disconnect.after_commit",
];
const WEBHOOK: [&str; 2] = ["webhook.before_commit", "webhook.after_commit"];

const SYNC_JOB: &[&str] = &["calendar.sync"];
const LOOK: &[&str] = &["calendar.subscription"];
const END: &[&str] = &["calendar.disconnect"];

/// M-30: whoever declares a point shows what a crash there does.
#[test]
fn every_point_has_its_test() {
    let groups: [&[&str]; 6] = [
        &SYNC,
        &CONSENT,
        &REFRESH,
        &SUBSCRIPTION,
        &DISCONNECT,
        &WEBHOOK,
    ];
    let mut tested = groups.concat();
    let mut declared = POINTS.to_vec();
    tested.sort_unstable();
    declared.sort_unstable();
    assert_eq!(tested, declared);
}

/// Dies at one point, after having passed it so many times. A panic unwinds like a process ends: open transactions are rolled
/// back, and nothing is tidied up.
struct Doom {
    at: &'static str,
    passes: AtomicUsize,
    died: AtomicBool,
}

#[async_trait]
impl Points for Doom {
    async fn reach(&self, point: &'static str) {
        let before = |left: usize| left.checked_sub(1);
        if point == self.at
            && self
                .passes
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, before)
                .is_err()
        {
            self.died.store(true, Ordering::SeqCst);
            std::panic::panic_any(format!("the server dies at {point}"));
        }
    }
}

/// A server that will die.
struct Doomed {
    port: Arc<CalendarRuntime>,
    doom: Arc<Doom>,
}

impl Doomed {
    fn new(w: &World, at: &'static str, passes: usize) -> Self {
        let doom = Arc::new(Doom {
            at,
            passes: AtomicUsize::new(passes),
            died: AtomicBool::new(false),
        });
        let engine = Engine {
            points: Arc::clone(&doom) as Arc<dyn Points>,
            ..Engine::new(w.services.clone())
        };
        let port = Arc::new(CalendarRuntime::with_engine(engine));
        Self { port, doom }
    }

    fn has_died(&self) {
        assert!(
            self.doom.died.load(Ordering::SeqCst),
            "{} was never reached",
            self.doom.at
        );
    }

    /// Works until it dies; what it held runs out.
    async fn work(self, w: &World, kinds: &[&str]) {
        assert!(w.fakes.settle(std::time::Duration::from_secs(20)).await);
        w.pass(TimeDelta::seconds(1));
        let now = w.services.now();
        let mut unit = w.services.store.begin(Scope::System).await.unwrap();
        let lease = now + TimeDelta::seconds(45);
        let due = unit.claim_jobs(kinds, 10, now, lease).await.unwrap();
        unit.save().await.unwrap();
        for job in due {
            let (port, claimed) = (Arc::clone(&self.port), job.clone());
            let Ok(outcome) = tokio::spawn(async move { port.run_job(&claimed).await }).await
            else {
                break;
            };
            let mut unit = w.services.store.begin(Scope::System).await.unwrap();
            unit.finish_job(&job, &outcome, w.services.now())
                .await
                .unwrap();
            unit.save().await.unwrap();
        }
        self.has_died();
        w.pass(TimeDelta::seconds(61));
    }

    /// Answers requests until it dies.
    async fn serve(&self, route: StableRoute, request: Request<Body>) -> Option<Response> {
        let port = Arc::clone(&self.port);
        let answer = tokio::spawn(async move { port.serve(route, request).await }).await;
        self.has_died();
        answer.ok()
    }
}

async fn world(database: Database, provider: Provider) -> World {
    World::new(database, provider, DuplicateTransaction::Existing).await
}

async fn due(w: &World, id: &str) {
    w.port.sync_calendar_provider(&w.tess, id).await.unwrap();
}

/// How often the provider's events were written.
fn writes(w: &World) -> u64 {
    let words = ["insert", "create", "update", "patch", "delete"];
    let counters = w.fakes.counters();
    let counted = counters.iter().filter(|(name, _)| {
        name.contains(".events.") && words.iter().any(|word| name.ends_with(word))
    });
    counted.map(|(_, count)| count).sum()
}

/// M-30, M-32: at every point of a run: what is new is copied once, a change in either direction arrives, what is called off
/// goes, and then nothing more is written.
async fn a_run_that_dies(database: Database, provider: Provider) {
    let w = world(database, provider).await;
    let id = w.connection().await;
    let (ours, theirs) = (w.add("Ours").await, w.add("Theirs 0").await);
    let mut last = w.add("Passing").await;
    w.drain().await;
    for (nth, point) in SYNC.into_iter().enumerate() {
        let word = |word: &str| format!("{word} {nth} {point}");
        let was = w.entry(theirs).await.content.title;
        w.outside(
            &w.named(&was)[0],
            &json!({ w.key("title"): word("Theirs") }),
        );
        w.edit(ours, |entry| entry.content.title = word("Ours"))
            .await;
        let gone = w.entry(last).await.content.title;
        w.edit(last, |entry| entry.content.status = EntryStatus::Cancelled)
            .await;
        last = w.add(&word("New")).await;
        due(&w, &id).await;
        Doomed::new(&w, point, 0).work(&w, SYNC_JOB).await;
        w.drain().await;
        let count = |title: &str| w.named(title).len();
        assert_eq!(
            [
                count(&word("Ours")),
                count(&word("New")),
                count(&word("Theirs")),
                count(&gone)
            ],
            [1, 1, 1, 0],
            "{point}"
        );
        assert_eq!(w.entry(theirs).await.content.title, word("Theirs"));
        assert_eq!(w.entry(ours).await.content.title, word("Ours"));
        for id in [ours, theirs, last] {
            assert_eq!(w.mark(id).await, "synced", "{point}");
        }
        let rest = writes(&w);
        w.sync().await;
        assert_eq!(writes(&w), rest, "{point}: rest is silent");
    }
    assert_eq!(w.status().await, "connected");
}

async fn of(w: &World, whose: &Actor) -> Vec<ConnectionView> {
    let view = w.port.get_calendar_providers(whose).await.unwrap();
    view.connections
}

async fn titles(w: &World, whose: &Actor) -> Vec<String> {
    let now = w.services.now();
    let mut unit = w.services.read(demo::TENANT).await.unwrap();
    let (from, to) = (now - TimeDelta::days(30), now + TimeDelta::days(300));
    let found = unit
        .list_entries(demo::TENANT, from, to, Some(whose.user_id()))
        .await
        .unwrap();
    let titles = found.into_iter().map(|entry| entry.content.title);
    let mut titles: Vec<_> = titles.filter(|title| title.starts_with("Visit")).collect();
    titles.sort();
    titles
}

/// Consent of the second account for somebody, up to where the provider sends the browser back to.
async fn sent_back(w: &World, whose: &Actor, connection: Option<&str>) -> String {
    let start = w
        .port
        .initiate_calendar_oauth(whose, w.provider.as_str(), connection)
        .await
        .unwrap();
    let hint = if connection.is_some() {
        ""
    } else {
        "&login_hint=second@example.test"
    };
    let answer = w
        .services
        .http
        .get(format!("{start}{hint}"))
        .send()
        .await
        .unwrap();
    answer.headers()["location"].to_str().unwrap().to_owned()
}

fn callback(back: &str, whose: &Actor) -> Request<Body> {
    let mut request = Request::get(back).body(Body::empty()).unwrap();
    request.extensions_mut().insert(Some(whose.clone()));
    request
}

/// Connects the second account, without a calendar yet; connection and calendar.
async fn second_account(w: &World, whose: &Actor) -> (String, String) {
    let back = sent_back(w, whose, None).await;
    let done = location(&w.call_back(Some(whose), &back).await);
    assert!(done.contains("calendarAuth=success"), "{done}");
    let id = of(w, whose).await[0].connection_id.clone();
    let calendars = w.port.list_remote_calendars(whose, &id).await.unwrap();
    (id, calendars[0].calendar_id.clone())
}

/// M-30: a first sync of two pages that dies before and after the first page, and after the last one, brings everything in
/// once.
async fn a_first_sync_that_dies(database: Database, provider: Provider) {
    let w = world(database, provider).await;
    let tom = actor(&w.services, "tom@demo.daybind.test").await;
    let (id, chosen) = second_account(&w, &tom).await;
    let mut all = Vec::new();
    for nth in 0..260 {
        let title = format!("Visit {nth:03} @daybind");
        w.fakes
            .create_event(w.fake, &chosen, &event(&w, &title, &json!({})))
            .unwrap();
        all.push(title);
    }
    let rules = CalendarRulesView {
        import_rule: "marked".to_owned(),
        ..of(&w, &tom).await[0].rules.clone()
    };
    w.port
        .update_calendar_rules(&tom, &id, &rules)
        .await
        .unwrap();
    w.port
        .update_calendar_provider(&tom, &id, Some(&chosen), None)
        .await
        .unwrap();
    let steps = [
        ("page.before_commit", 0, 0),
        ("page.after_commit", 0, 250),
        ("page.before_commit", 1, 250),
        ("page.after_commit", 1, 260),
    ];
    for (point, passes, there) in steps {
        let doomed = Doomed::new(&w, point, passes);
        doomed.work(&w, SYNC_JOB).await;
        let found = titles(&w, &tom).await;
        assert_eq!(found.len(), there, "{point} {passes}");
        let card = of(&w, &tom).await.remove(0);
        let so_far = format!("The first sync is on its way: {there} of ");
        assert!(card.syncing, "{point} {passes}");
        assert!(
            card.status_text.starts_with(&so_far),
            "{}",
            card.status_text
        );
    }
    w.drain().await;
    assert_eq!(titles(&w, &tom).await, all);
    assert_eq!(of(&w, &tom).await[0].status, "connected");
}

/// M-30: consent that is cut off leaves nothing behind or a whole connection, its state is used up, and consent given anew
/// leads to one connection. A connection that waits for consent goes on waiting, or goes on.
async fn consent_that_dies(database: Database, provider: Provider) {
    let w = world(database, provider).await;
    let tom = actor(&w.services, "tom@demo.daybind.test").await;
    for point in CONSENT {
        let back = sent_back(&w, &tom, None).await;
        let doomed = Doomed::new(&w, point, 0);
        let route = StableRoute::Callback(provider);
        assert!(doomed.serve(route, callback(&back, &tom)).await.is_none());
        let kept = usize::from(point == "consent.after_commit");
        assert_eq!(of(&w, &tom).await.len(), kept, "{point}");
        let again = location(&w.call_back(Some(&tom), &back).await);
        assert!(again.ends_with("calendarError=invalid_state"), "{again}");
        assert_eq!(of(&w, &tom).await.len(), kept, "{point}");

        let (id, chosen) = second_account(&w, &tom).await;
        assert_eq!(of(&w, &tom).await.len(), 1, "{point}");
        w.port
            .update_calendar_provider(&tom, &id, Some(&chosen), None)
            .await
            .unwrap();
        w.drain().await;
        assert_eq!(of(&w, &tom).await[0].status, "connected");
        w.port
            .delete_calendar_provider(&tom, &id, false)
            .await
            .unwrap();
        w.drain().await;
        assert_eq!(w.fakes.subscriptions(w.fake).len(), 1, "Tess's");
    }

    let id = w.connection().await;
    for point in CONSENT {
        w.fakes.revoke_grants(w.fake);
        w.pass(TimeDelta::hours(2));
        w.sync().await;
        assert_eq!(w.status().await, "needs_reconnect");
        let before = w.row().await;
        let back = sent_back(&w, &w.tess, Some(&id)).await;
        let doomed = Doomed::new(&w, point, 0);
        let route = StableRoute::Callback(provider);
        assert!(
            doomed
                .serve(route, callback(&back, &w.tess))
                .await
                .is_none()
        );
        if point != "consent.after_commit" {
            assert_eq!(w.row().await, before, "{point}: as it was");
            let done = w.authorize(&w.tess, Some(&id)).await;
            assert!(location(&done).contains("calendarAuth=success"), "{point}");
        }
        w.drain().await;
        assert_eq!(w.status().await, "connected", "{point}");
        assert_eq!(of(&w, &w.tess).await.len(), 1);
    }
}

/// M-30, M-35: tokens that were got and not kept are asked for again with the old refresh token; those that were kept are
/// the ones in force. The connection goes on either way.
async fn a_refresh_that_dies(database: Database, provider: Provider) {
    let w = world(database, provider).await;
    let id = w.connection().await;
    let asked = || w.asked("google.token", "microsoft.token");
    for (point, requests) in REFRESH.into_iter().zip([2, 1]) {
        w.fakes.expire_access_tokens(w.fake);
        w.pass(TimeDelta::hours(2));
        let (before, tokens) = (asked(), w.row().await.access_token_sealed);
        due(&w, &id).await;
        Doomed::new(&w, point, 0).work(&w, SYNC_JOB).await;
        let kept = w.row().await.access_token_sealed != tokens;
        assert_eq!((asked() - before, kept), (1, requests == 1), "{point}");
        w.add(point).await;
        w.drain().await;
        assert_eq!(asked() - before, requests, "{point}");
        assert_eq!(w.status().await, "connected");
        assert_eq!(w.named(point).len(), 1);
    }
}

async fn rows(w: &World) -> Vec<Subscription> {
    let id = w.connection().await.parse().unwrap();
    let mut unit = w.services.read(demo::TENANT).await.unwrap();
    let rows = calendar(unit.as_mut()).unwrap();
    rows.list_subscriptions(demo::TENANT, id).await.unwrap()
}

fn live(w: &World) -> usize {
    w.fakes.subscriptions(w.fake).len()
}

/// One subscription is there, is known here, and works.
async fn one_works(w: &World, id: EntryId, point: &str) {
    let known = rows(w).await;
    assert_eq!((live(w), known.len()), (1, 1), "{point}: {known:?}");
    assert_eq!(known[0].state, "active");
    let title = format!("Seen {point}");
    let was = w.entry(id).await.content.title;
    w.outside(&w.named(&was)[0], &json!({ w.key("title"): title }));
    w.once_of(SYNC_JOB).await;
    assert_eq!(w.entry(id).await.content.title, title, "it is told of");
}

/// Everything that is due soon, without waiting for later renewals.
async fn settle(w: &World) {
    for _ in 0..20 {
        if w.once().await.is_empty() {
            return;
        }
    }
    panic!("jobs never end");
}

/// M-30, M-36: a subscription that was made and not kept is ended by the next look, whatever the look was about, and so is an
/// old one that was not ended yet. One is left, and it works.
async fn a_subscription_that_dies(database: Database, provider: Provider) {
    let w = world(database, provider).await;
    let id = w.add("Seen").await;
    w.drain().await;
    for point in SUBSCRIPTION {
        if point == "subscription.renewed" && provider == Provider::Google {
            // Google's are replaced, never renewed.
            continue;
        }
        if point != "subscription.renewed" && provider == Provider::Microsoft {
            w.fakes.forget_subscriptions(w.fake);
        }
        w.pass(TimeDelta::days(6));
        w.once_of(SYNC_JOB).await;
        Doomed::new(&w, point, 0).work(&w, LOOK).await;
        if point == "subscription.made" {
            let known = rows(&w).await;
            let confirmed = known.iter().filter(|row| row.external_id.is_some());
            let old = usize::from(provider == Provider::Google);
            // The old one's row, with Microsoft of one that is not there any more.
            assert_eq!((live(&w), confirmed.count()), (old + 1, 1));
        }
        settle(&w).await;
        one_works(&w, id, point).await;
    }

    // The provider's answer is lost, and nobody dies.
    w.fakes.forget_subscriptions(w.fake);
    w.pass(TimeDelta::days(6));
    let create = w.operation("google.events.watch", "microsoft.subscriptions.create");
    w.fakes.arm(Fault::new(&create, 1, FaultKind::DropAfter));
    w.drain().await;
    one_works(&w, id, "a lost answer").await;

    // The very first one is made and not kept, and the connection ends before anybody looks again.
    w.fakes.forget_subscriptions(w.fake);
    w.execute("DELETE FROM calendar_subscriptions").await;
    let connection = w.connection().await;
    due(&w, &connection).await;
    Doomed::new(&w, "subscription.made", 0).work(&w, LOOK).await;
    assert_eq!(live(&w), 1);
    w.port
        .delete_calendar_provider(&w.tess, &connection, false)
        .await
        .unwrap();
    w.drain().await;
    assert_eq!(live(&w), 0);
    assert_eq!(
        w.rows(&["calendar_providers", "calendar_subscriptions"])
            .await,
        0
    );
}

/// What the audit log says of ended connections.
async fn erased(w: &World) -> Vec<Value> {
    let mut unit = w.services.read(demo::TENANT).await.unwrap();
    let rows = unit.list_audit(demo::TENANT, 500).await.unwrap();
    rows.into_iter()
        .filter(|row| row.action == "calendar.erased")
        .map(|row| row.detail)
        .collect()
}

/// M-17, M-30: disconnecting that dies at any step ends all the same: no copy, no subscription, no grant, no row is left, which
/// is said once.
async fn a_disconnect_that_dies(database: Database, provider: Provider) {
    let w = world(database, provider).await;
    let tom = actor(&w.services, "tom@demo.daybind.test").await;
    let steps = [["subscription.ended"].as_slice(), &DISCONNECT].concat();
    for (nth, point) in steps.into_iter().enumerate() {
        let (id, chosen) = w.connect_second(&tom).await;
        let title = format!("Tom's {point}");
        let entry = w.add(&title).await;
        w.edit(entry, |entry| entry.assignees = vec![tom.user_id()])
            .await;
        w.drain().await;
        assert_eq!(w.titled(&chosen, &title).len(), 1);
        assert_eq!(live(&w), 2);
        let revoked = w.asked("google.revoke", "");
        w.port
            .delete_calendar_provider(&tom, &id, true)
            .await
            .unwrap();
        Doomed::new(&w, point, 0).work(&w, END).await;
        w.drain().await;
        assert!(w.titled(&chosen, &title).is_empty(), "{point}");
        assert_eq!(live(&w), 1, "{point}: Tess's alone");
        assert_eq!(w.rows(&["calendar_providers"]).await, 1, "{point}");
        if provider == Provider::Google {
            assert!(w.asked("google.revoke", "") > revoked, "{point}");
        }
        let said = erased(&w).await;
        assert_eq!(said.len(), nth + 1, "{point}");
        assert_eq!(said[0]["complete"], true, "{point}: {said:?}");
        assert_eq!(w.entry(entry).await.deleted_at, None, "the work stays");
    }
    w.sync().await;
    assert_eq!(w.status().await, "connected", "the other one lives on");
}

/// What the provider sends for Tess's calendar.
pub(crate) fn notification(w: &World) -> Request<Body> {
    let of = format!("{}.", demo::TENANT);
    let secrets = w.fakes.secrets();
    let token = secrets.iter().rfind(|secret| secret.starts_with(&of));
    let (token, path) = (token.unwrap(), StableRoute::Webhook(w.provider).path());
    match w.provider {
        Provider::Google => Request::post(path)
            .header("x-goog-channel-token", token)
            .header("x-goog-resource-state", "exists")
            .body(Body::empty()),
        Provider::Microsoft => {
            let body = json!({ "value": [{ "clientState": token }] });
            Request::post(path).body(Body::from(body.to_string()))
        }
    }
    .unwrap()
}

/// M-24, M-30: a notification whose server dies before the commit is not acknowledged, and its repetition is heard; after the
/// commit it has its effect, and the repetition has none.
async fn a_notification_that_dies(database: Database, provider: Provider) {
    let w = world(database, provider).await;
    let id = w.add("Told 0").await;
    w.drain().await;
    let route = StableRoute::Webhook(provider);
    for point in WEBHOOK {
        let was = w.entry(id).await.content.title;
        let lost = w.operation("google.webhook", "microsoft.webhook");
        w.fakes.arm(Fault::new(&lost, 1, FaultKind::Lose));
        w.outside(&w.named(&was)[0], &json!({ w.key("title"): point }));
        w.pass(TimeDelta::seconds(2));
        let doomed = Doomed::new(&w, point, 0);
        let answer = doomed.serve(route, notification(&w)).await;
        let status = answer.map(|answer| answer.status());
        assert!(
            status.is_none_or(|status| status == StatusCode::SERVICE_UNAVAILABLE),
            "{point}: {status:?}"
        );
        let ran = w.once_of(SYNC_JOB).await.len();
        assert_eq!(ran, usize::from(point == "webhook.after_commit"));
        let seen = w.entry(id).await.content.title == point;
        assert_eq!(seen, ran == 1, "{point}");

        let (changes, version) = (writes(&w), w.entry(id).await.version);
        let answer = w.port.serve(route, notification(&w)).await;
        assert!(answer.status().is_success());
        w.once_of(SYNC_JOB).await;
        let entry = w.entry(id).await;
        assert_eq!(entry.content.title, point);
        assert_eq!(entry.version == version, seen, "{point}");
        assert_eq!(writes(&w), changes);
    }
}

everywhere! {
    runs: a_run_that_dies;
    first_syncs: a_first_sync_that_dies;
    consents: consent_that_dies;
    refreshes: a_refresh_that_dies;
    subscriptions: a_subscription_that_dies;
    disconnects: a_disconnect_that_dies;
    notifications: a_notification_that_dies;
}
