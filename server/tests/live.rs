//! The stream of changes from outside: the whole router of the Community server, both databases.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use axum::Router;
use axum::body::{Body, BodyDataStream};
use axum::http::Request;
use daybind_guards::{Call, Database, Plan, Site, email, sign_in};
use daybind_storage::Scope;
use futures::StreamExt as _;
use tower::ServiceExt as _;

/// Longer than the reader and a commit take.
const SOON: Duration = Duration::from_secs(10);
/// Long enough for several looks of the reader.
const A_WHILE: Duration = Duration::from_secs(3);

/// One open stream.
struct Stream {
    body: BodyDataStream,
    text: String,
    /// The id of the last message that had one.
    last: String,
}

impl Stream {
    async fn open(router: &Router, cookie: &str, last: &str) -> Self {
        let mut request = Request::get("/_live").header("host", "127.0.0.1:3000");
        if !cookie.is_empty() {
            request = request.header("cookie", cookie);
        }
        if !last.is_empty() {
            request = request.header("last-event-id", last);
        }
        let request = request.body(Body::empty()).unwrap();
        let answer = router.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status().as_u16(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        Self {
            body: answer.into_body().into_data_stream(),
            text: String::new(),
            last: last.to_owned(),
        }
    }

    /// The lines of the next message with data; none at the end, or when nothing comes for so long.
    async fn next(&mut self, wait: Duration) -> Option<Vec<String>> {
        let until = tokio::time::Instant::now() + wait;
        loop {
            if let Some((message, rest)) = self.text.split_once("\n\n") {
                let (message, rest) = (message.to_owned(), rest.to_owned());
                self.text = rest;
                let field = |name: &'static str| {
                    message
                        .lines()
                        .filter_map(move |line| line.strip_prefix(name))
                        .map(|value| value.trim_start().to_owned())
                };
                if let Some(id) = field("id:").next() {
                    self.last = id;
                }
                let data: Vec<_> = field("data:").filter(|data| data != "beat").collect();
                if !data.is_empty() {
                    return Some(data);
                }
                continue;
            }
            match tokio::time::timeout_at(until, self.body.next()).await {
                Ok(Some(more)) => self.text += std::str::from_utf8(&more.unwrap()).unwrap(),
                Ok(None) | Err(_) => return None,
            }
        }
    }

    /// It says that it is there.
    async fn hello(&mut self) {
        assert_eq!(self.next(SOON).await.unwrap(), ["hello"]);
    }

    /// It says that it is there; and what was changed shortly before, if some transaction of the cluster is older still, has
    /// been told.
    async fn settled(&mut self) {
        self.hello().await;
        while self.next(A_WHILE).await.is_some() {}
    }

    /// Everything until so many lines have come.
    async fn lines(&mut self, count: usize) -> Vec<String> {
        let mut lines = Vec::new();
        while lines.len() < count {
            let more = self.next(SOON).await;
            lines.extend(more.unwrap_or_else(|| panic!("{lines:?} and no more")));
        }
        lines
    }

    /// Nothing comes, and it stays open.
    async fn is_silent(&mut self) {
        assert_eq!(self.next(A_WHILE).await, None);
        let ended = tokio::time::timeout(Duration::from_millis(1), self.body.next()).await;
        assert!(!matches!(ended, Ok(None)), "it has ended");
    }

    /// It ends, without a word.
    async fn ends(&mut self) {
        self.ends_within(SOON).await;
    }

    async fn ends_within(&mut self, wait: Duration) {
        assert_eq!(self.next(wait).await, None);
        let ended = tokio::time::timeout(Duration::from_millis(1), self.body.next()).await;
        assert!(matches!(ended, Ok(None)), "it goes on");
    }
}

async fn site(database: Database) -> Site {
    Site::new(Plan::community(database, Vec::new())).await
}

async fn person(site: &Site, role: &str) -> String {
    let sql = format!(
        "SELECT CAST(user_id AS TEXT) FROM users WHERE tenant_id = '{}' AND user_type = 'internal' AND role = '{role}'",
        site.own.id
    );
    site.db.texts(&sql).await.remove(0)
}

/// A new entry of a person; the line that tells of it.
async fn add(site: &Site, title: &str, assignee: &str) -> String {
    let form = format!(
        "title={title}&start=2027-03-01T09%3A00&end=2027-03-01T10%3A00&assignees%5B%5D={assignee}"
    );
    let call = Call::form("/_fn/save_schedule_entry", &form).cookie(&site.own.admin);
    let answer = site.send(call).await;
    assert!(answer.status.as_u16() < 400, "{answer:?}");
    let sql =
        format!("SELECT CAST(entry_id AS TEXT) FROM schedule_entries WHERE title = '{title}'");
    format!("entry {}", site.db.texts(&sql).await.remove(0))
}

/// F6: whoever comes back with the last id hears what was missed, each change once, in its order, on any server.
async fn nothing_is_lost_or_doubled(database: Database) {
    let site = site(database).await;
    let (_, other) = site.again(None, &[]);
    let technician = person(&site, "technician").await;
    let mut stream = Stream::open(&site.router, &site.own.technician, "").await;
    stream.hello().await;
    let first = add(&site, "First", &technician).await;
    assert_eq!(stream.lines(1).await, [first]);
    let last = stream.last.clone();
    drop(stream);

    let missed = [
        add(&site, "Second", &technician).await,
        add(&site, "Third", &technician).await,
    ];
    for router in [&other, &site.router] {
        let mut back = Stream::open(router, &site.own.technician, &last).await;
        back.hello().await;
        assert_eq!(back.lines(2).await, missed);
        back.is_silent().await;
        assert_ne!(back.last, last);
        // Nothing was left over either.
        let mut again = Stream::open(router, &site.own.technician, &back.last).await;
        again.hello().await;
        again.is_silent().await;
    }
}

/// What one server changes, the listeners of another one hear.
async fn another_server_tells(database: Database) {
    let site = site(database).await;
    let (_, other) = site.again(None, &[]);
    let technician = person(&site, "technician").await;
    let mut streams = Vec::new();
    for router in [&site.router, &other] {
        let mut stream = Stream::open(router, &site.own.technician, "").await;
        stream.hello().await;
        streams.push(stream);
    }
    let mut expected = Vec::new();
    for n in 0..3 {
        expected.push(add(&site, &format!("Entry{n}"), &technician).await);
    }
    for stream in &mut streams {
        assert_eq!(stream.lines(3).await, expected);
    }
}

/// A change that takes a lower number and is committed later is not lost behind the higher one.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_slow_transaction_is_not_passed_by() {
    let site = site(Database::Postgres).await;
    let technician = person(&site, "technician").await;
    let slow_entry = add(&site, "Slow", &technician).await;
    let mut stream = Stream::open(&site.router, &site.own.technician, "").await;
    stream.settled().await;
    let services = &site.state.services;
    let tenant = site.own.id.parse().unwrap();
    let id = slow_entry.split_once(' ').unwrap().1.parse().unwrap();
    let mut slow = services.store.begin(Scope::Tenant(tenant)).await.unwrap();
    let mut entry = slow.find_entry(tenant, id).await.unwrap().unwrap();
    entry.content.title = "Slower".to_owned();
    slow.update_entry(&entry, services.now()).await.unwrap();
    let quick = add(&site, "Quick", &technician).await;
    stream.is_silent().await;
    let seen = stream.last.clone();
    slow.save().await.unwrap();
    assert_eq!(stream.lines(2).await, [slow_entry.clone(), quick.clone()]);
    let mut back = Stream::open(&site.router, &site.own.technician, &seen).await;
    back.hello().await;
    assert_eq!(back.lines(2).await, [slow_entry, quick]);
}

/// Nobody of another tenant hears of it, no client-portal user and nobody who is signed out; a technician hears of their own
/// entries only, whoever plans for all of all.
async fn only_whom_it_concerns(database: Database) {
    let site = site(database).await;
    let (admin, technician) = (
        person(&site, "admin").await,
        person(&site, "technician").await,
    );
    let mut all = Stream::open(&site.router, &site.own.admin, "").await;
    let mut own = Stream::open(&site.router, &site.own.technician, "").await;
    let mut foreign = Stream::open(&site.router, &site.foreign.admin, "").await;
    for stream in [&mut all, &mut own, &mut foreign] {
        stream.settled().await;
    }
    let theirs = add(&site, "Theirs", &technician).await;
    let mine = add(&site, "Mine", &admin).await;
    assert_eq!(all.lines(2).await, [theirs.clone(), mine.clone()]);
    assert_eq!(own.lines(1).await, std::slice::from_ref(&theirs));
    own.is_silent().await;
    foreign.is_silent().await;
    // Nor does a place before everything open more than one's own.
    let mut stolen = Stream::open(&site.router, &site.foreign.admin, "0.0.ffffffff").await;
    stolen.hello().await;
    let heard = stolen.next(SOON).await.unwrap();
    assert!(!heard.contains(&theirs) && !heard.contains(&mine));
    stolen.is_silent().await;
    for cookie in ["", "daybind=x.y", &site.own.client] {
        let mut refused = Stream::open(&site.router, cookie, "").await;
        assert_eq!(refused.next(SOON).await.unwrap(), ["over"]);
        refused.ends().await;
    }
}

/// A session that ends takes its streams with it, on every server, and nobody else's; other rights begin a new one.
async fn a_stream_ends_with_its_session(database: Database) {
    let site = site(database).await;
    let (_, other) = site.again(None, &[]);
    let mine = sign_in(&site.router, &email("technician", "own")).await;
    let mut stays = Stream::open(&other, &site.own.technician, "").await;
    let mut here = Stream::open(&site.router, &mine, "").await;
    let mut there = Stream::open(&other, &mine, "").await;
    for stream in [&mut stays, &mut here, &mut there] {
        stream.hello().await;
    }
    let out = Call::form("/auth/msp/signout", "").cookie(&mine);
    assert_eq!(site.send(out).await.status.as_u16(), 303);
    for stream in [&mut here, &mut there] {
        assert_eq!(stream.next(SOON).await.unwrap(), ["over"]);
        stream.ends().await;
    }
    stays.is_silent().await;
    let mut back = Stream::open(&site.router, &mine, "").await;
    assert_eq!(back.next(SOON).await.unwrap(), ["over"]);

    let technician = person(&site, "technician").await;
    let changed = format!(
        "UPDATE users SET role = 'admin' WHERE user_id = '{technician}' RETURNING CAST(user_id AS TEXT)"
    );
    assert_eq!(site.db.texts(&changed).await, [technician]);
    // With the next heartbeat.
    stays.ends_within(Duration::from_secs(20)).await;
}

/// A session has a number of streams on a server; one more gets what there is and comes back later, so that the browser
/// keeps connections for everything else.
async fn streams_of_a_session_are_limited(database: Database) {
    let site = site(database).await;
    let technician = person(&site, "technician").await;
    let mut open = Vec::new();
    for _ in 0..4 {
        let mut stream = Stream::open(&site.router, &site.own.technician, "").await;
        stream.hello().await;
        open.push(stream);
    }
    let mut fifth = Stream::open(&site.router, &site.own.technician, "").await;
    let call = Call::get("/_live").cookie(&site.own.technician);
    let whole = site.send(call).await.body;
    assert!(whole.contains("retry: 20000"), "{whole}");
    fifth.hello().await;
    fifth.ends().await;
    let missed = add(&site, "Missed", &technician).await;
    let mut later = Stream::open(&site.router, &site.own.technician, &fifth.last).await;
    later.hello().await;
    assert_eq!(later.lines(1).await, [missed]);
    later.ends().await;
    // Others have their own number, and a place that is left is free.
    let mut others = Stream::open(&site.router, &site.own.admin, "").await;
    others.hello().await;
    others.is_silent().await;
    open.pop();
    let mut next = Stream::open(&site.router, &site.own.technician, "").await;
    next.hello().await;
    next.is_silent().await;
}

/// Whoever was away for too long, or comes with an id nobody gave, reads everything again and goes on from now.
async fn a_place_that_is_gone_means_everything(database: Database) {
    let site = site(database).await;
    for last in ["1.1.1", "7fffffffffffffff.1.7fffffffffffffff"] {
        let mut stream = Stream::open(&site.router, &site.own.technician, last).await;
        stream.hello().await;
        assert_eq!(stream.next(SOON).await.unwrap(), ["all"], "{last}");
        stream.is_silent().await;
        assert_ne!(stream.last, last);
    }
}

/// A server that stops ends its streams at once.
async fn a_stop_ends_every_stream(database: Database) {
    let site = site(database).await;
    let mut stream = Stream::open(&site.router, &site.own.technician, "").await;
    stream.hello().await;
    site.state.services.live.stop();
    stream.ends().await;
}

macro_rules! both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $name() {
                super::$name(super::Database::Sqlite).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $name() {
                super::$name(super::Database::Postgres).await;
            })+
        }
    };
}

both!(
    nothing_is_lost_or_doubled,
    another_server_tells,
    only_whom_it_concerns,
    a_stream_ends_with_its_session,
    streams_of_a_session_are_limited,
    a_place_that_is_gone_means_everything,
    a_stop_ends_every_stream,
);
