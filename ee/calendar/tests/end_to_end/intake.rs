//! Notifications on their way into the database: many in one commit, and nobody at another's expense.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use chrono::{DateTime, TimeDelta, Utc};
use daybind_domain::ids::{ConnectionId, SubscriptionId, TenantId, UserId};
use daybind_ee_calendar::CalendarRuntime;
use daybind_ee_storage::{Notice, Subscription, calendar};
use daybind_fakes::DuplicateTransaction;
use daybind_services::{CalendarPort as _, Clock, Provider, Services, StableRoute, demo, flow};
use daybind_storage::{FinishJob, NewJob, SchemaState, Scope, StorageResult, Store, UnitOfWork};
use serde_json::json;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::bench::{Database, World};
use crate::fairness::{connection, other_tenant};

const SECRET: &str = "se.cret";
/// What is promised to come comes within this time.
const SOON: Duration = Duration::from_secs(20);

/// The database behind a gate that can be shut for one tenant's writes.
struct Gate {
    store: Arc<dyn Store>,
    whose: TenantId,
    shut: AtomicBool,
    opened: Notify,
    /// Units of work for writing that were asked for, of whichever tenant.
    writes: AtomicUsize,
    reads: AtomicUsize,
}

impl Gate {
    /// A server with the gate in front of its database, open for now.
    fn before(w: &World, whose: TenantId) -> (Arc<Self>, Arc<CalendarRuntime>) {
        let gate = Arc::new(Self {
            store: Arc::clone(&w.services.store),
            whose,
            shut: AtomicBool::new(false),
            opened: Notify::new(),
            writes: AtomicUsize::new(0),
            reads: AtomicUsize::new(0),
        });
        let services = Services {
            store: Arc::clone(&gate) as Arc<dyn Store>,
            clock: Arc::new(Still(w.services.now())),
            ..w.services.clone()
        };
        (gate, Arc::new(CalendarRuntime::new(services)))
    }

    fn shut(&self) {
        self.shut.store(true, Ordering::SeqCst);
    }

    fn open(&self) {
        self.shut.store(false, Ordering::SeqCst);
        self.opened.notify_waiters();
    }

    /// Units of work asked for so far: for reading, for writing.
    fn units(&self) -> (usize, usize) {
        let of = |count: &AtomicUsize| count.load(Ordering::SeqCst);
        (of(&self.reads), of(&self.writes))
    }

    /// Waits until so many have asked to write.
    async fn asked(&self, writes: usize) {
        let asked = async {
            while self.units().1 < writes {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        timeout(SOON, asked).await.unwrap();
    }
}

#[async_trait]
impl Store for Gate {
    async fn begin(&self, scope: Scope) -> StorageResult<Box<dyn UnitOfWork>> {
        self.writes.fetch_add(1, Ordering::SeqCst);
        loop {
            let opened = self.opened.notified();
            if !self.shut.load(Ordering::SeqCst) || scope != Scope::Tenant(self.whose) {
                return self.store.begin(scope).await;
            }
            opened.await;
        }
    }

    async fn read(&self, scope: Scope) -> StorageResult<Box<dyn UnitOfWork>> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.store.read(scope).await
    }

    async fn migrate(&self) -> StorageResult<()> {
        self.store.migrate().await
    }

    async fn ready(&self) -> StorageResult<()> {
        self.store.ready().await
    }

    async fn schema(&self) -> StorageResult<SchemaState> {
        self.store.schema().await
    }

    async fn clock(&self) -> StorageResult<DateTime<Utc>> {
        self.store.clock().await
    }

    fn is_remote(&self) -> bool {
        self.store.is_remote()
    }

    async fn close(&self) {
        self.store.close().await;
    }
}

/// A clock that stands, so that no breath ends in the midst of a test.
struct Still(DateTime<Utc>);

impl Clock for Still {
    fn now(&self) -> DateTime<Utc> {
        self.0
    }
}

/// A connection with a subscription, and nothing due.
#[derive(Clone, Copy)]
struct Line {
    tenant_id: TenantId,
    connection_id: ConnectionId,
    subscription_id: SubscriptionId,
}

impl Line {
    async fn new(w: &World, whose: (TenantId, UserId), number: usize) -> Self {
        let connection_id = connection(w, whose, number, -3600).await;
        let line = Self {
            tenant_id: whose.0,
            connection_id,
            subscription_id: SubscriptionId(w.services.new_id()),
        };
        let now = w.services.now();
        let row = Subscription {
            tenant_id: line.tenant_id,
            subscription_id: line.subscription_id,
            connection_id,
            provider: "microsoft".to_owned(),
            external_id: Some(format!("external {number}")),
            resource_id: None,
            secret_hash: flow::hash(SECRET),
            state: "active".to_owned(),
            expires_at: now + TimeDelta::days(2),
            renew_at: Some(now + TimeDelta::days(1)),
            last_notified_at: None,
            created_at: now,
        };
        let mut unit = w.services.begin(whose.0).await.unwrap();
        let rows = calendar(unit.as_mut()).unwrap();
        rows.add_subscription(&row).await.unwrap();
        unit.save().await.unwrap();
        line
    }

    fn token(self, secret: &str) -> String {
        format!("{}.{}.{secret}", self.tenant_id, self.subscription_id)
    }

    async fn row(self, w: &World) -> Subscription {
        let mut unit = w.services.read(self.tenant_id).await.unwrap();
        let rows = calendar(unit.as_mut()).unwrap();
        let row = rows.find_subscription(self.tenant_id, self.subscription_id);
        row.await.unwrap().unwrap()
    }

    fn sync(self) -> (String, String) {
        ("calendar.sync".to_owned(), self.connection_id.to_string())
    }
}

async fn world(database: Database) -> (World, (TenantId, UserId)) {
    let duplicate = DuplicateTransaction::Existing;
    let w = World::new(database, Provider::Microsoft, duplicate).await;
    let tess = (demo::TENANT, w.tess.user_id());
    (w, tess)
}

fn item(token: &str) -> serde_json::Value {
    json!({ "clientState": token, "changeType": "updated" })
}

/// Delivers a message to the server, as Graph does.
fn send(
    port: &Arc<CalendarRuntime>,
    items: impl IntoIterator<Item = serde_json::Value>,
) -> JoinHandle<StatusCode> {
    let body = json!({ "value": items.into_iter().collect::<Vec<_>>() }).to_string();
    let route = StableRoute::Webhook(Provider::Microsoft);
    let request = Request::post(route.path()).body(Body::from(body)).unwrap();
    let port = Arc::clone(port);
    tokio::spawn(async move { port.serve(route, request).await.status() })
}

async fn status(answer: JoinHandle<StatusCode>) -> StatusCode {
    timeout(SOON, answer).await.unwrap().unwrap()
}

/// The lanes with a job that is due.
async fn due(w: &World) -> BTreeSet<(String, String)> {
    let now = w.services.now();
    let mut unit = w.services.store.begin(Scope::System).await.unwrap();
    let kinds = w.port.job_kinds();
    let due = unit.claim_jobs(kinds, 50, now, now).await.unwrap();
    unit.cancel().await.unwrap();
    due.into_iter().map(|job| (job.kind, job.key)).collect()
}

/// M-24: whatever comes while one batch is on its way is one batch, and nobody is answered before it is committed.
async fn many_are_few_commits(database: Database) {
    let (w, tess) = world(database).await;
    let lines = [Line::new(&w, tess, 1).await, Line::new(&w, tess, 2).await];
    let (gate, port) = Gate::before(&w, demo::TENANT);
    gate.shut();
    let first = send(&port, [item(&lines[0].token(SECRET))]);
    gate.asked(1).await;
    let mut answers = vec![first];
    for number in 0..200 {
        answers.push(send(&port, [item(&lines[number % 2].token(SECRET))]));
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(answers.iter().all(|answer| !answer.is_finished()));
    assert!(due(&w).await.is_empty(), "nothing is stored yet");
    gate.open();
    for answer in answers {
        assert_eq!(status(answer).await, StatusCode::ACCEPTED);
    }
    assert_eq!(gate.units(), (2, 2), "201 notifications, two batches");
    assert_eq!(due(&w).await, lines.map(Line::sync).into());
    for line in lines {
        assert!(line.row(&w).await.last_notified_at.is_some());
    }
}

/// U6: a batch whose commit fails is confirmed to nobody, and the server goes on when the database does.
async fn a_failed_commit_is_told_to_all(database: Database) {
    let (w, tess) = world(database).await;
    let line = Line::new(&w, tess, 1).await;
    let (gate, port) = Gate::before(&w, demo::TENANT);
    w.break_commits().await;
    gate.shut();
    let mut answers = vec![send(&port, [item(&line.token(SECRET))])];
    gate.asked(1).await;
    for number in 0..20 {
        // A forged one is told the same.
        let secret = if number % 2 == 0 { SECRET } else { "forged" };
        answers.push(send(&port, [item(&line.token(secret))]));
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    gate.open();
    for answer in answers {
        assert_eq!(status(answer).await, StatusCode::SERVICE_UNAVAILABLE);
    }
    assert!(due(&w).await.is_empty());
    assert_eq!(line.row(&w).await.last_notified_at, None);
    w.mend("calendar_subscriptions").await;
    let again = send(&port, [item(&line.token(SECRET))]);
    assert_eq!(status(again).await, StatusCode::ACCEPTED);
    assert_eq!(due(&w).await, [line.sync()].into());
}

/// Whoever hangs up takes nobody else's answer along: neither the one whose message began the batch, nor one in it.
async fn hanging_up_is_nobody_elses_loss(database: Database) {
    let (w, tess) = world(database).await;
    let lines = [
        Line::new(&w, tess, 1).await,
        Line::new(&w, tess, 2).await,
        Line::new(&w, tess, 3).await,
    ];
    let (gate, port) = Gate::before(&w, demo::TENANT);
    gate.shut();
    let [first, second, third] = {
        let first = send(&port, [item(&lines[0].token(SECRET))]);
        gate.asked(1).await;
        let next = |line: Line| send(&port, [item(&line.token(SECRET))]);
        [first, next(lines[1]), next(lines[2])]
    };
    tokio::time::sleep(Duration::from_millis(300)).await;
    first.abort();
    second.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    assert!(second.await.unwrap_err().is_cancelled());
    gate.open();
    assert_eq!(status(third).await, StatusCode::ACCEPTED);
    assert_eq!(due(&w).await, lines.map(Line::sync).into());
}

/// W42: while one tenant's batch hangs, another tenant's are answered; also when both are in one message.
async fn a_slow_tenant_holds_up_nobody_else(database: Database) {
    let (w, tess) = world(database).await;
    let otto = other_tenant(&w).await;
    let (slow, other) = (Line::new(&w, tess, 1).await, Line::new(&w, otto, 2).await);
    let (gate, port) = Gate::before(&w, demo::TENANT);
    gate.shut();
    let waiting = send(&port, [item(&slow.token(SECRET))]);
    gate.asked(1).await;
    let both = send(
        &port,
        [item(&slow.token(SECRET)), item(&other.token(SECRET))],
    );
    gate.asked(2).await;
    for _ in 0..3 {
        let answer = send(&port, [item(&other.token(SECRET))]);
        assert_eq!(status(answer).await, StatusCode::ACCEPTED);
    }
    assert_eq!(due(&w).await, [other.sync()].into());
    assert!(!waiting.is_finished() && !both.is_finished());
    gate.open();
    for answer in [waiting, both] {
        assert_eq!(status(answer).await, StatusCode::ACCEPTED);
    }
    assert_eq!(due(&w).await, [slow.sync(), other.sync()].into());
}

/// M-23, U5: forged ones cost no write, alone or among right ones, and touch nothing they name.
async fn forged_ones_cost_no_write(database: Database) {
    let (w, tess) = world(database).await;
    let otto = other_tenant(&w).await;
    let (line, named) = (Line::new(&w, tess, 1).await, Line::new(&w, tess, 2).await);
    let foreign = Line::new(&w, otto, 3).await;
    let (gate, port) = Gate::before(&w, demo::TENANT);
    let forged = || {
        // Another tenant's subscription, right but for the tenant.
        let moved = foreign.token(SECRET).replacen(
            &foreign.tenant_id.to_string(),
            &demo::TENANT.to_string(),
            1,
        );
        let removed = json!({
            "clientState": named.token("forged"), "lifecycleEvent": "subscriptionRemoved",
        });
        [item(&named.token("forged")), removed, item(&moved)]
    };
    assert_eq!(status(send(&port, forged())).await, StatusCode::ACCEPTED);
    assert_eq!(gate.units(), (1, 0));
    gate.shut();
    let mut answers = vec![send(&port, [item(&line.token(SECRET))])];
    gate.asked(1).await;
    for _ in 0..10 {
        answers.push(send(&port, forged()));
        answers.push(send(&port, [item(&line.token(SECRET))]));
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    gate.open();
    for answer in answers {
        assert_eq!(status(answer).await, StatusCode::ACCEPTED);
    }
    assert_eq!(
        gate.units(),
        (3, 1),
        "the right one's look was coming already"
    );
    assert_eq!(due(&w).await, [line.sync()].into());
    for untouched in [named, foreign] {
        let row = untouched.row(&w).await;
        assert_eq!((row.last_notified_at, row.state.as_str()), (None, "active"));
    }
}

/// M-24: while the look it asks for is queued and has not begun, a notification costs no write; one that has begun may be
/// past what the notification is about, and one that is due later comes too late.
async fn a_look_that_is_coming_is_enough(database: Database) {
    let (w, tess) = world(database).await;
    let (line, late) = (Line::new(&w, tess, 1).await, Line::new(&w, tess, 2).await);
    let (gate, port) = Gate::before(&w, demo::TENANT);
    let now = w.services.now();
    let right = |line: Line| item(&line.token(SECRET));
    assert_eq!(
        status(send(&port, [right(line)])).await,
        StatusCode::ACCEPTED
    );
    assert_eq!(gate.units(), (1, 1));
    for reads in 2..5 {
        assert_eq!(
            status(send(&port, [right(line)])).await,
            StatusCode::ACCEPTED
        );
        assert_eq!(gate.units(), (reads, 1));
    }
    let ends =
        json!({ "clientState": line.token(SECRET), "lifecycleEvent": "reauthorizationRequired" });
    assert_eq!(status(send(&port, [ends])).await, StatusCode::ACCEPTED);
    assert_eq!(gate.units(), (5, 2));
    assert!(due(&w).await.contains(&line.sync()));

    let mut unit = w.services.store.begin(Scope::System).await.unwrap();
    let until = now + TimeDelta::hours(1);
    let begun = unit.claim_jobs(&["calendar.sync"], 50, w.services.now(), until);
    let begun = begun.await.unwrap();
    unit.save().await.unwrap();
    assert_eq!(begun.len(), 1);
    assert_eq!(
        status(send(&port, [right(line)])).await,
        StatusCode::ACCEPTED
    );
    assert_eq!(gate.units(), (6, 3));
    let mut unit = w.services.store.begin(Scope::System).await.unwrap();
    let finish = FinishJob::Again(until);
    unit.finish_job(&begun[0], &finish, w.services.now())
        .await
        .unwrap();
    unit.save().await.unwrap();
    assert!(
        due(&w).await.contains(&line.sync()),
        "it is looked at again"
    );

    let mut unit = w.services.begin(demo::TENANT).await.unwrap();
    let job = NewJob {
        tenant_id: demo::TENANT,
        kind: "calendar.sync",
        key: late.connection_id.to_string(),
        payload: json!({}),
        run_at: until,
        max_attempts: i32::MAX,
    };
    unit.enqueue_jobs(&[job], now).await.unwrap();
    let heard = Notice {
        heard: vec![late.subscription_id],
        ..Notice::default()
    };
    let rows = calendar(unit.as_mut()).unwrap();
    rows.note_notice(demo::TENANT, &heard, now).await.unwrap();
    unit.save().await.unwrap();
    assert_eq!(
        status(send(&port, [right(late)])).await,
        StatusCode::ACCEPTED
    );
    assert_eq!(gate.units(), (7, 4));
    assert_eq!(
        status(send(&port, [right(late)])).await,
        StatusCode::ACCEPTED
    );
    assert_eq!(gate.units(), (8, 4));
}

/// M-24: what waits is bounded. What is too much is refused at once, to be repeated; what waits already is not lost.
async fn what_waits_is_bounded(database: Database) {
    let (w, tess) = world(database).await;
    let line = Line::new(&w, tess, 1).await;
    let (gate, port) = Gate::before(&w, demo::TENANT);
    gate.shut();
    let mut answers = vec![send(&port, [item(&line.token(SECRET))])];
    gate.asked(1).await;
    let thousand = |message: usize| {
        (0..1000).map(move |number| item(&line.token(&format!("{message}.{number}"))))
    };
    for message in 0..10 {
        answers.push(send(&port, thousand(message)));
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let over = send(&port, [item(&line.token(SECRET))]);
    assert_eq!(status(over).await, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answers.iter().all(|answer| !answer.is_finished()));
    gate.open();
    for answer in answers {
        assert_eq!(status(answer).await, StatusCode::ACCEPTED);
    }
    assert_eq!(due(&w).await, [line.sync()].into());
    let again = send(&port, [item(&line.token(SECRET))]);
    assert_eq!(status(again).await, StatusCode::ACCEPTED);
}

/// A batch that hangs is given up while its senders still listen, and those behind it are served.
async fn a_batch_that_hangs_is_given_up(database: Database) {
    let (w, tess) = world(database).await;
    let line = Line::new(&w, tess, 1).await;
    let (gate, port) = Gate::before(&w, demo::TENANT);
    gate.shut();
    let first = send(&port, [item(&line.token(SECRET))]);
    gate.asked(1).await;
    let second = send(&port, [item(&line.token(SECRET))]);
    assert_eq!(status(first).await, StatusCode::SERVICE_UNAVAILABLE);
    gate.open();
    assert_eq!(status(second).await, StatusCode::ACCEPTED);
    assert_eq!(due(&w).await, [line.sync()].into());
}

/// What Graph says of subscriptions, several in one batch, has its effect on each and on no other.
async fn lifecycles_are_noted_each(database: Database) {
    let (w, tess) = world(database).await;
    let otto = other_tenant(&w).await;
    let mut lines = Vec::new();
    for number in 0..4 {
        lines.push(Line::new(&w, tess, number).await);
    }
    let foreign = Line::new(&w, otto, 9).await;
    let renew_at = lines[0].row(&w).await.renew_at;
    let of = |line: Line, event: &str| json!({ "clientState": line.token(SECRET), "lifecycleEvent": event });
    let message = [
        of(lines[0], "subscriptionRemoved"),
        of(lines[1], "reauthorizationRequired"),
        of(lines[2], "missed"),
        item(&lines[1].token(SECRET)),
    ];
    assert_eq!(status(send(&w.port, message)).await, StatusCode::ACCEPTED);
    let mut rows = Vec::new();
    for line in &lines {
        rows.push(line.row(&w).await);
    }
    let states: Vec<_> = rows.iter().map(|row| row.state.as_str()).collect();
    assert_eq!(states, ["stopping", "active", "active", "active"]);
    let heard = rows[0].last_notified_at;
    assert!(heard.is_some());
    let heards: Vec<_> = rows.iter().map(|row| row.last_notified_at).collect();
    assert_eq!(heards, [heard, heard, heard, None]);
    let renewals: Vec<_> = rows.iter().map(|row| row.renew_at).collect();
    assert_eq!(renewals[1], heard);
    assert!([0, 2, 3].iter().all(|at| renewals[*at] > heard));
    assert!(renew_at.is_some());
    let subscribe = |line: Line| {
        let key = line.connection_id.to_string();
        ("calendar.subscription".to_owned(), key)
    };
    let expected = [
        lines[0].sync(),
        lines[1].sync(),
        lines[2].sync(),
        subscribe(lines[0]),
        subscribe(lines[1]),
    ];
    assert_eq!(due(&w).await, expected.into());

    // The repository by itself: ids that are gone or another tenant's are passed over.
    let mut unit = w.services.begin(demo::TENANT).await.unwrap();
    let rows = calendar(unit.as_mut()).unwrap();
    let gone = SubscriptionId(w.services.new_id());
    let named = [lines[3].subscription_id, gone, foreign.subscription_id];
    let found = rows
        .find_notified(demo::TENANT, &named, "calendar.sync")
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].connection_id, lines[3].connection_id);
    assert_eq!(found[0].secret_hash, flow::hash(SECRET));
    let notice = Notice {
        heard: named.to_vec(),
        dropped: named.to_vec(),
        to_renew: Vec::new(),
    };
    let now = w.services.now();
    rows.note_notice(demo::TENANT, &notice, now).await.unwrap();
    unit.save().await.unwrap();
    assert_eq!(lines[3].row(&w).await.state, "stopping");
    assert_eq!(foreign.row(&w).await.state, "active");
    assert_eq!(foreign.row(&w).await.last_notified_at, None);
}

/// One test for each database.
macro_rules! on_both_databases {
    ($($sqlite:ident, $postgres:ident: $run:ident;)+) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $sqlite() {
            $run(Database::Sqlite).await;
        }

        #[tokio::test(flavor = "multi_thread")]
        async fn $postgres() {
            $run(Database::Postgres).await;
        }
    )+};
}

on_both_databases! {
    many_on_sqlite, many_on_postgres: many_are_few_commits;
    failing_on_sqlite, failing_on_postgres: a_failed_commit_is_told_to_all;
    hanging_up_on_sqlite, hanging_up_on_postgres: hanging_up_is_nobody_elses_loss;
    slow_tenant_on_sqlite, slow_tenant_on_postgres: a_slow_tenant_holds_up_nobody_else;
    forged_on_sqlite, forged_on_postgres: forged_ones_cost_no_write;
    coming_on_sqlite, coming_on_postgres: a_look_that_is_coming_is_enough;
    bounded_on_sqlite, bounded_on_postgres: what_waits_is_bounded;
    given_up_on_sqlite, given_up_on_postgres: a_batch_that_hangs_is_given_up;
    lifecycles_on_sqlite, lifecycles_on_postgres: lifecycles_are_noted_each;
}
