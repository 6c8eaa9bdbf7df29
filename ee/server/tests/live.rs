//! Open pages hear of syncs: the real binary against a stand-in, two servers on one database, and a stop with open streams.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on must fail loudly"
)]

mod support;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use daybind_fakes::{FakeOptions, FakeProviders};
use reqwest::{Client, Response};
use tokio::process::Command;

use support::{Server, connect, sign_in_as};

/// What a stream has told so far, a line each.
struct Stream(Response, String);

impl Stream {
    async fn open(browser: &Client, url: &str) -> Self {
        let answer = browser.get(format!("{url}/_live")).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200);
        let mut stream = Self(answer, String::new());
        stream.until(|text| text.contains("data: hello")).await;
        stream
    }

    /// Reads on until it is so.
    async fn until(&mut self, so: impl Fn(&str) -> bool) {
        let heard = tokio::time::timeout(Duration::from_secs(30), async {
            while !so(&self.1) {
                let more = self.0.chunk().await.unwrap();
                let more = more.unwrap_or_else(|| panic!("it ended after {}", self.1));
                self.1 += std::str::from_utf8(&more).unwrap();
            }
        });
        if heard.await.is_err() {
            panic!("only {}", self.1);
        }
    }

    /// The topics that were told.
    fn topics(&self) -> BTreeSet<&str> {
        let lines = self
            .1
            .lines()
            .filter_map(|line| line.strip_prefix("data: "));
        lines
            .filter_map(|line| Some(line.split_once(' ')?.0))
            .collect()
    }
}

async fn syncs_are_told(database: Option<String>) {
    let fakes = FakeProviders::start(FakeOptions {
        auto_approve: true,
        ..FakeOptions::default()
    })
    .unwrap();
    let two = database.is_some();
    let server = Server::new(&fakes, database);
    server.seed().await;
    let mut first = server.start(&[], "first.log").await;
    let mut second = None;
    let mut beside = server.url.clone();
    if two {
        let (child, url) = server.start_beside_at(&[], "second.log").await;
        second = Some(child);
        beside = url;
    }
    let (admin, tess, tom) = (
        sign_in_as(&server, "admin").await,
        sign_in_as(&server, "tess").await,
        sign_in_as(&server, "tom").await,
    );
    // Cookies are the host's, whatever the port.
    let mut all = Stream::open(&admin, &beside).await;
    let mut own = Stream::open(&tess, &beside).await;
    let mut other = Stream::open(&tom, &beside).await;
    connect(&server, "google").await;
    for stream in [&mut all, &mut own] {
        stream
            .until(|text| {
                ["data: run ", "data: connection ", "data: entry "]
                    .iter()
                    .all(|topic| text.contains(topic))
            })
            .await;
        // Ids, and nothing that a calendar or an entry says.
        for line in stream
            .1
            .lines()
            .filter_map(|line| line.strip_prefix("data: "))
        {
            let id = line.split_once(' ').map(|(_, id)| id);
            assert!(
                line == "hello" || id.is_some_and(|id| id.parse::<uuid::Uuid>().is_ok()),
                "{line}"
            );
        }
    }
    // A change of the other technician's own comes after everything that did not concern him.
    let week = tom
        .post(format!("{}/_fn/list_schedule", server.url))
        .form(&[("week", "")])
        .send()
        .await
        .unwrap();
    let week: serde_json::Value = week.json().await.unwrap();
    let form = [
        (
            "assignees[]",
            week["people"][0]["user_id"].as_str().unwrap(),
        ),
        ("title", "Quarterly review"),
        ("start", "2027-03-01T09:00"),
        ("end", "2027-03-01T10:00"),
    ];
    let saved = tom
        .post(format!("{}/_fn/save_schedule_entry", server.url))
        .form(&form)
        .send()
        .await
        .unwrap();
    assert!(saved.status().is_success(), "{}", saved.status());
    other.until(|text| text.contains("data: entry ")).await;
    assert_eq!(other.topics(), BTreeSet::from(["entry"]));
    assert_eq!(other.1.matches("data: entry ").count(), 1, "{}", other.1);

    // A stop does not wait for open streams.
    let asked = Instant::now();
    for child in second.iter_mut().chain([&mut first]) {
        let id = child.id().unwrap().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().await;
        assert!(sent.unwrap().success());
    }
    for child in second.iter_mut().chain([&mut first]) {
        let status = tokio::time::timeout(Duration::from_secs(25), child.wait()).await;
        assert!(status.unwrap().unwrap().success());
    }
    assert!(
        asked.elapsed() < Duration::from_secs(10),
        "{:?}",
        asked.elapsed()
    );
    for mut stream in [all, own, other] {
        // The end of a whole answer, not of a connection that was cut.
        while stream.0.chunk().await.unwrap().is_some() {}
    }
}

/// F6, on one server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite() {
    syncs_are_told(None).await;
}

/// F6, with listeners on another server than the one that is asked to change something.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres() {
    syncs_are_told(Some(
        daybind_storage_postgres::testing::database_url().await,
    ))
    .await;
}
