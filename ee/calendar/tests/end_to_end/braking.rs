//! The brake on what goes out: a run that would take unusually much out of a calendar asks first.

use chrono::{Days, NaiveDate};
use daybind_domain::ids::EntryId;
use daybind_domain::schedule::EntryStatus;
use daybind_domain::view::QuestionView;
use daybind_fakes::DuplicateTransaction;
use daybind_services::schedule;
use daybind_services::series::PartInput;
use daybind_services::{CalendarPort as _, Provider};

use crate::bench::{Database, World};
use crate::series::{id_of, monday, open, plan, planned};

async fn questions(w: &World) -> Vec<QuestionView> {
    let view = w.port.get_calendar_providers(&w.tess).await.unwrap();
    view.connections[0].questions.clone()
}

/// What is asked, which is one thing.
async fn asked(w: &World) -> (String, String, String) {
    let mut found = questions(w).await;
    assert_eq!(found.len(), 1, "{found:?}");
    let question = found.remove(0);
    (w.status().await, question.kind, question.title)
}

/// The events and the occurrences taken out of series.
fn calendar(w: &World) -> (usize, usize) {
    let key = w.key("title");
    let events: Vec<_> = w
        .fakes
        .events(w.fake, &w.calendar)
        .into_iter()
        .filter(|event| {
            event[key]
                .as_str()
                .is_some_and(|title| title.starts_with("Job"))
        })
        .collect();
    let series = events
        .iter()
        .filter(|event| event["recurrence"].is_array() || event["recurrence"].is_object());
    let out = series
        .map(|event| {
            let exceptions = w.fakes.exceptions(w.fake, &w.calendar, &id_of(event));
            let gone = exceptions.values().filter(|event| event[key].is_null());
            gone.count()
        })
        .sum();
    (events.len(), out)
}

/// Calls an entry off and has the next run see it together with what comes after it.
async fn call_off(w: &World, id: EntryId) {
    w.edit(id, |entry| entry.content.status = EntryStatus::Cancelled)
        .await;
}

/// Takes the occurrence of that day out of its series, in the schedule.
async fn take_out(w: &World, series: EntryId, day: NaiveDate) {
    delete(w, series, day, "this").await;
}

async fn delete(w: &World, series: EntryId, day: NaiveDate, scope: &str) {
    let view = open(w, series, &day.to_string()).await;
    let part = view.part.clone().unwrap();
    let part = PartInput {
        day: part.day,
        scope: scope.to_owned(),
        series_version: part.series_version,
    };
    let (id, version) = (&view.entry_id, view.version);
    schedule::delete(&w.services, w.port.as_ref(), &w.admin, id, version, &part)
        .await
        .unwrap();
}

fn question(title: &str) -> (String, String, String) {
    let [status, kind] = ["paused", "many_removals"].map(str::to_owned);
    (status, kind, title.to_owned())
}

/// W2: six of eight copies and two occurrences would go: nothing goes before the owner said so. "Look again" keeps them and asks
/// again, or goes on when the work is back; what was asked about is what an answer covers.
async fn much_that_would_go_waits(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let series = plan(&w, &planned(&w, "Job round", "daily")).await;
    let mut ids = Vec::new();
    for nth in 0..7 {
        ids.push(w.add(&format!("Job {nth}")).await);
    }
    w.drain().await;
    assert_eq!(calendar(&w), (8, 0));

    for id in &ids[..4] {
        call_off(&w, *id).await;
    }
    for later in [1, 2] {
        take_out(&w, series, monday(&w, later)).await;
    }
    let gone = asked_for(&w).await;
    assert_eq!(gone.as_deref(), Some("many_deletions"));
    let title = "6 events would be removed from the calendar at once, 2 of them out of series";
    assert_eq!(asked(&w).await, question(title));
    assert_eq!(calendar(&w), (8, 0), "nothing was removed");
    // Nothing goes meanwhile, whatever runs.
    w.edit(ids[6], |entry| entry.content.title = "Job six".to_owned())
        .await;
    w.drain().await;
    assert_eq!(w.named("Job 6").len(), 1);
    assert_eq!(calendar(&w), (8, 0));

    // Not meant, but still so: asked again. Then one is planned again: five are no more than usual.
    w.answer("all", "look_again").await;
    w.drain().await;
    assert_eq!((asked(&w).await, calendar(&w)), (question(title), (8, 0)));
    w.edit(ids[0], |entry| {
        entry.content.status = EntryStatus::Scheduled;
    })
    .await;
    w.answer("all", "look_again").await;
    w.drain().await;
    assert_eq!(w.status().await, "connected");
    assert!(questions(&w).await.is_empty());
    assert_eq!(calendar(&w), (5, 2));
    assert_eq!(w.named("Job 0").len(), 1);
}

/// The occurrences of a series alone: eight are asked about; more than that are asked about anew; then they go, and what
/// else happens to the series goes on.
async fn occurrences_taken_out_count(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let series = plan(&w, &planned(&w, "Job round", "daily")).await;
    assert_eq!(calendar(&w), (1, 0));
    for later in 1..=8 {
        take_out(&w, series, monday(&w, later)).await;
    }
    w.drain().await;
    let title = "8 occurrences of series would be removed from the calendar at once";
    assert_eq!((asked(&w).await, calendar(&w)), (question(title), (1, 0)));

    // One more than was asked about.
    take_out(&w, series, monday(&w, 9)).await;
    w.answer("all", "accept").await;
    w.drain().await;
    let title = "9 occurrences of series would be removed from the calendar at once";
    assert_eq!((asked(&w).await, calendar(&w)), (question(title), (1, 0)));

    w.answer("all", "accept").await;
    w.drain().await;
    assert_eq!(w.status().await, "connected");
    assert!(questions(&w).await.is_empty());
    assert_eq!(calendar(&w), (1, 9));
    // The answer was for that run.
    for later in 10..=15 {
        take_out(&w, series, monday(&w, later)).await;
    }
    w.drain().await;
    let title = "6 occurrences of series would be removed from the calendar at once";
    assert_eq!((asked(&w).await, calendar(&w)), (question(title), (1, 9)));
    w.answer("all", "accept").await;
    w.drain().await;
    assert_eq!(calendar(&w), (1, 15));
}

/// What is no loss is not counted: what was out of a series before the calendar had it, what goes with its series, and a
/// series that ends earlier. Nobody is asked.
async fn what_goes_with_its_series_is_no_loss(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let id = w.row().await.connection_id.to_string();
    let direction = |word: &'static str| {
        let (w, id) = (&w, id.clone());
        async move {
            w.port
                .update_calendar_provider(&w.tess, &id, None, Some(word))
                .await
                .unwrap();
            w.drain().await;
        }
    };
    direction("from_external").await;
    let series = plan(&w, &planned(&w, "Job round", "daily")).await;
    for later in 1..=8 {
        take_out(&w, series, monday(&w, later)).await;
    }
    w.drain().await;
    assert_eq!(calendar(&w), (0, 0));
    direction("bidirectional").await;
    assert_eq!(
        (w.status().await, calendar(&w)),
        ("connected".to_owned(), (1, 8))
    );
    assert!(questions(&w).await.is_empty());

    // Occurrences that were moved are events of their own here, and go with their series.
    for later in 10..=17 {
        let day = monday(&w, 0) + Days::new(later);
        let view = open(&w, series, &day.to_string()).await;
        crate::series::change(&w, &view, "this", |input| input.notes = "Later".to_owned()).await;
    }
    assert_eq!(w.status().await, "connected");
    delete(&w, series, monday(&w, 0), "all").await;
    w.drain().await;
    assert_eq!(
        (w.status().await, calendar(&w)),
        ("connected".to_owned(), (0, 0))
    );
    assert!(questions(&w).await.is_empty());
}

/// Why the next run stopped.
async fn asked_for(w: &World) -> Option<String> {
    w.once().await;
    w.row().await.status_reason
}

everywhere! {
    much_waits: much_that_would_go_waits;
    occurrences_count: occurrences_taken_out_count;
    no_loss: what_goes_with_its_series_is_no_loss;
}
