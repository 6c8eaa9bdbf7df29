//! An answer that its owner gives while a run looks at the same entry: it counts, and is not asked for again.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use daybind_ee_calendar::CalendarRuntime;
use daybind_ee_calendar::engine::{Engine, Points};
use daybind_fakes::DuplicateTransaction;
use daybind_services::{Actor, AppResult, CalendarPort, Provider, jobs};
use daybind_storage::Scope;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::bench::{Database, World};
use crate::settling::{disputed, place, questions};

/// Answers the one question when a run comes to a point.
struct Answering {
    at: &'static str,
    /// The run goes on only when the answer is stored; otherwise both go on together.
    first: bool,
    port: Arc<CalendarRuntime>,
    tess: Actor,
    connection: String,
    question: String,
    choice: &'static str,
    given: Mutex<Option<JoinHandle<AppResult<()>>>>,
}

impl Answering {
    async fn answer(&self) {
        let (port, tess) = (Arc::clone(&self.port), self.tess.clone());
        let (connection, question) = (self.connection.clone(), self.question.clone());
        let choice = self.choice;
        let mut given = tokio::spawn(async move {
            port.answer_calendar_question(&tess, &connection, &question, "all", choice)
                .await
        });
        if self.first {
            let stored = (&mut given).await.unwrap();
            given = tokio::spawn(async { stored });
        } else {
            // Time to come as far as it can.
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        *self.given.lock().unwrap() = Some(given);
    }
}

#[async_trait]
impl Points for Answering {
    async fn reach(&self, point: &'static str) {
        if point == self.at && self.given.lock().unwrap().is_none() {
            self.answer().await;
        }
    }
}

/// Runs what is due once, with the answer given at that point; what became of the answer.
async fn run_and_answer(
    w: &World,
    at: &'static str,
    first: bool,
    choice: &'static str,
) -> AppResult<()> {
    let answering = Arc::new(Answering {
        at,
        first,
        port: Arc::clone(&w.port),
        tess: w.tess.clone(),
        connection: w.connection().await,
        question: questions(w).await[0].question_id.clone(),
        choice,
        given: Mutex::default(),
    });
    let engine = Engine {
        points: Arc::clone(&answering) as Arc<dyn Points>,
        ..Engine::new(w.services.clone())
    };
    let port = Arc::new(CalendarRuntime::with_engine(engine)) as Arc<dyn CalendarPort>;
    assert!(w.fakes.settle(Duration::from_secs(20)).await);
    w.pass(chrono::TimeDelta::seconds(1));
    let now = w.services.now();
    let mut unit = w.services.store.begin(Scope::System).await.unwrap();
    let until = now + chrono::TimeDelta::seconds(60);
    let due = unit.claim_jobs(&["calendar.sync"], 10, now, until);
    let due = due.await.unwrap();
    unit.save().await.unwrap();
    assert_eq!(due.len(), 1);
    for job in due {
        jobs::run(w.services.clone(), Arc::clone(&port), job)
            .await
            .unwrap();
    }
    let given = answering.given.lock().unwrap().take();
    // The run came to the point.
    given.unwrap().await.unwrap()
}

/// Both sides say this, nothing is asked, and nothing more is written.
async fn settled(w: &World, id: daybind_domain::ids::EntryId, title: &str, location: &str) {
    w.drain().await;
    assert!(questions(w).await.is_empty(), "asked again");
    let entry = w.entry(id).await.content;
    assert_eq!(
        (entry.title.as_str(), entry.location.as_str()),
        (title, location)
    );
    let events = w.named(title);
    assert_eq!(events.len(), 1);
    assert!(events[0]["location"].to_string().contains(location));
    assert_eq!(w.mark(id).await, "synced");
    let version = w.entry(id).await.version;
    w.sync().await;
    assert_eq!(w.entry(id).await.version, version);
}

fn words(choice: &str) -> &'static str {
    match choice {
        "schedule" => "Ours",
        _ => "Theirs",
    }
}

/// W53: while a run writes another field of the entry, its owner answers: the run keeps nothing that it read before.
async fn while_a_run_writes(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    for choice in ["calendar", "schedule"] {
        for at in ["call.before_send", "call.after_response"] {
            let (id, _) = disputed(&w, &format!("Switch {choice} {at}")).await;
            let hall = format!("Hall {choice} {at}");
            w.edit(id, |entry| entry.content.location.clone_from(&hall))
                .await;
            run_and_answer(&w, at, true, choice).await.unwrap();
            settled(&w, id, words(choice), &hall).await;
            remove(&w, id, words(choice)).await;
        }
    }
}

/// W53: while a run takes in what else was changed about the event, its owner answers: one comes after the other.
async fn while_a_run_reads(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    for choice in ["calendar", "schedule"] {
        let (id, copy) = disputed(&w, &format!("Switch {choice}")).await;
        let hall = format!("Roof {choice}");
        let moved: Value = place(&w, &hall);
        w.outside(&copy, &moved);
        run_and_answer(&w, "page.before_commit", false, choice)
            .await
            .unwrap();
        settled(&w, id, words(choice), &hall).await;
        remove(&w, id, words(choice)).await;
    }
}

/// Takes an entry out of the way of the next one.
async fn remove(w: &World, id: daybind_domain::ids::EntryId, title: &str) {
    let done = json!({ w.key("title"): format!("{title}, done {id}") });
    w.outside(&w.named(title)[0], &done);
    w.drain().await;
}

everywhere! {
    writing: while_a_run_writes;
    reading: while_a_run_reads;
}
