//! Entries that repeat, through their services, on both databases.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::sync::Arc;

use daybind_domain::schedule::EntryContent;
use daybind_domain::view::EntryView;
use daybind_domain::{Edition, ErrorCode};
use daybind_services::repeat_form::RepeatInput;
use daybind_services::schedule::{self, EntryInput};
use daybind_services::series::PartInput;
use daybind_services::{
    Actor, AppResult, CommunityPort, Endpoints, Keyring, Services, SystemClock, demo, outbound,
    privacy,
};
use daybind_storage::Store;
use support::{actor, on_both};
use url::Url;

on_both! {
    a_series_fills_its_weeks_and_ends,
    one_occurrence_has_its_own_values,
    this_and_the_following_become_another_series,
    the_whole_series_moves_and_its_own_values_stay,
    what_the_rule_no_longer_has_stands_for_itself,
    parts_of_a_series_are_deleted,
    somebody_elses_change_is_noticed,
    an_occurrence_is_as_private_as_its_series,
    private_words_are_for_those_concerned,
}

struct World {
    services: Services,
    admin: Actor,
    tess: Actor,
}

/// A Monday visit from nine to ten, in the reader's zone.
fn typed(who: &Actor, kind: &str) -> EntryInput {
    EntryInput {
        title: "Visit".to_owned(),
        start: "2027-03-01T09:00".to_owned(),
        end: "2027-03-01T10:00".to_owned(),
        assignees: vec![who.user_id().to_string()],
        repeat: RepeatInput {
            kind: kind.to_owned(),
            ..RepeatInput::default()
        },
        ..EntryInput::default()
    }
}

/// What the form would send if nothing were touched but the scope.
fn shown(view: &EntryView, scope: &str) -> EntryInput {
    let repeat = view.repeat.clone().unwrap();
    let part = view.part.clone().unwrap();
    EntryInput {
        title: view.title.clone(),
        notes: view.notes.clone(),
        location: view.location.clone(),
        shows: view.shows.clone(),
        private: view.private,
        all_day: view.all_day,
        start: view.start_local.clone(),
        end: view.end_local.clone(),
        assignees: view.assignees.iter().map(|p| p.user_id.clone()).collect(),
        repeat: RepeatInput {
            kind: repeat.kind,
            every: repeat.every.to_string(),
            days: repeat.days,
            ends: repeat.ends,
            until: repeat.until,
            count: repeat.count,
        },
        part: PartInput {
            day: part.day,
            scope: scope.to_owned(),
            series_version: part.series_version,
        },
    }
}

impl World {
    async fn new(store: Arc<dyn Store>) -> Self {
        store.migrate().await.unwrap();
        let services = Services {
            edition: Edition::Community,
            guides: daybind_services::guide::COMMUNITY,
            wording: daybind_services::audit::COMMUNITY,
            store,
            keyring: Arc::new(Keyring::parse(&Keyring::generate()).unwrap()),
            clock: Arc::new(SystemClock),
            public_url: Url::parse("http://127.0.0.1:3000").unwrap(),
            endpoints: Arc::new(Endpoints::from_env(&|_| None).unwrap()),
            http: outbound::client(&Endpoints::from_env(&|_| None).unwrap()).unwrap(),
            wake: Arc::default(),
            live: daybind_services::live::Live::default(),
            issuers: Arc::default(),
        };
        demo::seed(&services).await.unwrap();
        Self {
            admin: actor(&services, "admin@demo.daybind.test").await,
            tess: actor(&services, "tess@demo.daybind.test").await,
            services,
        }
    }

    async fn add(&self, input: &EntryInput) -> String {
        schedule::create(&self.services, &CommunityPort, &self.admin, input)
            .await
            .unwrap()
            .to_string()
    }

    async fn open(&self, id: &str, day: &str) -> EntryView {
        schedule::entry(&self.services, &CommunityPort, &self.admin, id, day)
            .await
            .unwrap()
    }

    async fn save(&self, view: &EntryView, input: &EntryInput) -> AppResult<()> {
        let (services, id) = (&self.services, &view.entry_id);
        schedule::update(
            services,
            &CommunityPort,
            &self.admin,
            id,
            view.version,
            input,
        )
        .await
    }

    async fn remove(&self, view: &EntryView, scope: &str) {
        let part = shown(view, scope).part;
        let (services, id) = (&self.services, &view.entry_id);
        schedule::delete(
            services,
            &CommunityPort,
            &self.admin,
            id,
            view.version,
            &part,
        )
        .await
        .unwrap();
    }

    async fn entries(&self, who: &Actor, weeks: &[&str]) -> Vec<EntryView> {
        let mut found = Vec::new();
        for week in weeks {
            let view = schedule::week(&self.services, &CommunityPort, who, Some(week)).await;
            found.extend(view.unwrap().days.into_iter().flat_map(|day| day.entries));
        }
        found
    }

    /// "2027-03-01 09:00 Visit"
    async fn seen(&self, weeks: &[&str]) -> Vec<String> {
        self.entries(&self.admin, weeks)
            .await
            .iter()
            .map(|entry| {
                let (day, time) = entry
                    .start_local
                    .split_once('T')
                    .unwrap_or((&entry.start_local, ""));
                format!("{day} {time} {}", entry.title)
            })
            .collect()
    }
}

const MARCH: [&str; 5] = [
    "2027-03-01",
    "2027-03-08",
    "2027-03-15",
    "2027-03-22",
    "2027-03-29",
];

/// W11: the visit stays at nine when the clocks change (28 March in Berlin).
async fn a_series_fills_its_weeks_and_ends(w: World) {
    let mut input = typed(&w.admin, "weekly");
    input.repeat.days = vec!["WE".to_owned(), "MO".to_owned()];
    input.repeat.ends = "until".to_owned();
    input.repeat.until = "2027-03-29".to_owned();
    // It begins on the first day its rule has.
    input.start = "2027-03-02T09:00".to_owned();
    input.end = "2027-03-02T10:00".to_owned();
    let id = w.add(&input).await;
    assert_eq!(
        w.seen(&["2027-03-01", "2027-03-22", "2027-03-29"]).await,
        [
            "2027-03-03 09:00 Visit",
            "2027-03-22 09:00 Visit",
            "2027-03-24 09:00 Visit",
            "2027-03-29 09:00 Visit"
        ]
    );
    assert!(w.seen(&["2027-02-22", "2027-04-05"]).await.is_empty());
    let view = w.open(&id, "2027-03-24").await;
    assert_eq!(view.start_local, "2027-03-24T09:00");
    assert_eq!(
        view.repeat.unwrap().text,
        "Every week on Monday and Wednesday, until 29 Mar 2027"
    );
    let none = schedule::entry(&w.services, &CommunityPort, &w.admin, &id, "2027-03-23").await;
    assert_eq!(none.unwrap_err().code, ErrorCode::NotFound);
    // Nobody else's schedule shows it.
    assert!(w.entries(&w.tess, &MARCH).await.is_empty());
}

async fn one_occurrence_has_its_own_values(w: World) {
    let id = w.add(&typed(&w.admin, "weekly")).await;
    let view = w.open(&id, "2027-03-08").await;
    let mut input = shown(&view, "this");
    input.title = "Longer visit".to_owned();
    input.start = "2027-03-09T13:00".to_owned();
    input.end = "2027-03-09T15:00".to_owned();
    input.assignees = vec![w.tess.user_id().to_string()];
    w.save(&view, &input).await.unwrap();
    assert_eq!(
        w.seen(&MARCH[..3]).await,
        [
            "2027-03-01 09:00 Visit",
            "2027-03-09 13:00 Longer visit",
            "2027-03-15 09:00 Visit"
        ]
    );
    // Tess has that one only; it is opened and changed by itself.
    let hers = w.entries(&w.tess, &MARCH).await;
    assert_eq!(hers.len(), 1);
    let own = w.open(&hers[0].entry_id, "").await;
    let part = own.part.clone().unwrap();
    assert_eq!(
        (part.series_id.as_str(), part.day.as_str(), part.own),
        (id.as_str(), "2027-03-08", true)
    );
    let mut input = shown(&own, "this");
    input.title = "Short visit".to_owned();
    w.save(&own, &input).await.unwrap();
    assert_eq!(w.seen(&MARCH[1..2]).await, ["2027-03-09 13:00 Short visit"]);
}

async fn this_and_the_following_become_another_series(w: World) {
    let mut input = typed(&w.admin, "weekly");
    input.repeat.ends = "count".to_owned();
    input.repeat.count = "5".to_owned();
    let id = w.add(&input).await;
    // An occurrence with its own place later on stays part of it.
    let later = w.open(&id, "2027-03-29").await;
    let mut input = shown(&later, "this");
    input.location = "Cellar".to_owned();
    w.save(&later, &input).await.unwrap();
    let view = w.open(&id, "2027-03-15").await;
    let mut input = shown(&view, "following");
    input.title = "Other visit".to_owned();
    input.start = "2027-03-15T11:00".to_owned();
    input.end = "2027-03-15T12:00".to_owned();
    w.save(&view, &input).await.unwrap();
    assert_eq!(
        w.seen(&MARCH).await,
        [
            "2027-03-01 09:00 Visit",
            "2027-03-08 09:00 Visit",
            "2027-03-15 11:00 Other visit",
            "2027-03-22 11:00 Other visit",
            "2027-03-29 11:00 Other visit"
        ]
    );
    assert!(w.seen(&["2027-04-05"]).await.is_empty());
    assert_eq!(w.open(&id, "").await.repeat.unwrap().until, "2027-03-14");
    let last = w.entries(&w.admin, &MARCH[4..]).await;
    assert_eq!(last[0].location, "Cellar");
    let part = w.open(&last[0].entry_id, "").await.part.unwrap();
    let other = w.open(&part.series_id, "").await;
    assert_ne!(part.series_id, id);
    assert_eq!(other.repeat.unwrap().count, "3");
}

async fn the_whole_series_moves_and_its_own_values_stay(w: World) {
    let id = w.add(&typed(&w.admin, "weekly")).await;
    let view = w.open(&id, "2027-03-08").await;
    let mut input = shown(&view, "this");
    input.location = "Cellar".to_owned();
    w.save(&view, &input).await.unwrap();
    let view = w.open(&id, "2027-03-22").await;
    w.remove(&view, "this").await;
    // The third one is opened, and everything moves to Tuesday at eight.
    let view = w.open(&id, "2027-03-15").await;
    let mut input = shown(&view, "all");
    input.title = "Early visit".to_owned();
    input.start = "2027-03-16T08:00".to_owned();
    input.end = "2027-03-16T09:00".to_owned();
    w.save(&view, &input).await.unwrap();
    assert_eq!(
        w.seen(&MARCH).await,
        [
            "2027-03-02 08:00 Early visit",
            "2027-03-09 08:00 Early visit",
            "2027-03-16 08:00 Early visit",
            "2027-03-30 08:00 Early visit"
        ]
    );
    let places = w.entries(&w.admin, &MARCH).await;
    let cellar: Vec<_> = places
        .iter()
        .filter(|entry| entry.location == "Cellar")
        .collect();
    assert_eq!(cellar.len(), 1);
    assert_eq!(cellar[0].start_local, "2027-03-09T08:00");
    assert_eq!(w.open(&id, "").await.repeat.unwrap().days, ["TU"]);
}

async fn what_the_rule_no_longer_has_stands_for_itself(w: World) {
    let id = w.add(&typed(&w.admin, "daily")).await;
    let view = w.open(&id, "2027-03-03").await;
    let mut input = shown(&view, "this");
    input.title = "Inspection".to_owned();
    w.save(&view, &input).await.unwrap();
    let view = w.open(&id, "2027-03-01").await;
    let mut input = shown(&view, "all");
    input.repeat.kind = "weekly".to_owned();
    w.save(&view, &input).await.unwrap();
    assert_eq!(
        w.seen(&MARCH[..2]).await,
        [
            "2027-03-01 09:00 Visit",
            "2027-03-03 09:00 Inspection",
            "2027-03-08 09:00 Visit"
        ]
    );
    let alone = w.entries(&w.admin, &MARCH[..1]).await;
    assert!(alone[1].part.is_none());
    // And a series that stops repeating leaves the one that was opened.
    let view = w.open(&id, "2027-03-15").await;
    let mut input = shown(&view, "all");
    input.repeat.kind = String::new();
    w.save(&view, &input).await.unwrap();
    assert_eq!(
        w.seen(&MARCH).await,
        ["2027-03-03 09:00 Inspection", "2027-03-15 09:00 Visit"]
    );
}

async fn parts_of_a_series_are_deleted(w: World) {
    let id = w.add(&typed(&w.admin, "weekly")).await;
    w.remove(&w.open(&id, "2027-03-08").await, "this").await;
    assert_eq!(
        w.seen(&MARCH[..3]).await,
        ["2027-03-01 09:00 Visit", "2027-03-15 09:00 Visit"]
    );
    let view = w.open(&id, "2027-03-22").await;
    let mut input = shown(&view, "this");
    input.title = "Inspection".to_owned();
    w.save(&view, &input).await.unwrap();
    w.remove(&w.open(&id, "2027-03-15").await, "following")
        .await;
    assert_eq!(w.seen(&MARCH).await, ["2027-03-01 09:00 Visit"]);
    w.remove(&w.open(&id, "2027-03-01").await, "all").await;
    assert!(w.seen(&MARCH).await.is_empty());
}

async fn somebody_elses_change_is_noticed(w: World) {
    let id = w.add(&typed(&w.admin, "weekly")).await;
    let before = w.open(&id, "2027-03-08").await;
    let mut input = shown(&before, "all");
    input.title = "Renamed".to_owned();
    w.save(&before, &input).await.unwrap();
    for scope in ["this", "following", "all"] {
        let refused = w.save(&before, &shown(&before, scope)).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::Conflict, "{scope}");
    }
    // The same occurrence twice, too: the second one finds it taken.
    let now = w.open(&id, "2027-03-08").await;
    w.save(&now, &shown(&now, "this")).await.unwrap();
    let again = w.save(&now, &shown(&now, "this")).await.unwrap_err();
    assert_eq!(again.code, ErrorCode::Conflict);
    let mut odd = shown(&now, "none");
    odd.part.day = "2027-03-15".to_owned();
    assert_eq!(
        w.save(&now, &odd).await.unwrap_err().code,
        ErrorCode::Invalid
    );
}

/// Calendars cannot hide one occurrence alone, so neither does the schedule; whether it takes its time is its own affair.
async fn an_occurrence_is_as_private_as_its_series(w: World) {
    let id = w.add(&typed(&w.admin, "weekly")).await;
    let view = w.open(&id, "2027-03-08").await;
    let mut input = shown(&view, "this");
    (input.shows, input.private) = ("free".to_owned(), true);
    let refused = w.save(&view, &input).await.unwrap_err();
    assert_eq!(refused.fields[0].field, "private");
    input.private = false;
    w.save(&view, &input).await.unwrap();
    // The series becomes private, the occurrence with it; it stays free.
    let view = w.open(&id, "2027-03-15").await;
    let mut input = shown(&view, "all");
    input.private = true;
    w.save(&view, &input).await.unwrap();
    let seen = w.entries(&w.admin, &MARCH[..3]).await;
    let seen: Vec<_> = seen.iter().map(|e| (e.shows.as_str(), e.private)).collect();
    assert_eq!(seen, [("busy", true), ("free", true), ("busy", true)]);
    // From the third on it is another series, as private as it was made.
    let view = w.open(&id, "2027-03-15").await;
    let mut input = shown(&view, "following");
    (input.shows, input.private) = ("free".to_owned(), false);
    w.save(&view, &input).await.unwrap();
    let seen = w.entries(&w.admin, &MARCH[1..3]).await;
    let seen: Vec<_> = seen.iter().map(|e| (e.shows.as_str(), e.private)).collect();
    assert_eq!(seen, [("free", true), ("free", false)]);
}

/// The rule itself, for every kind of reader; `server/tests/private.rs` asks through the door.
async fn private_words_are_for_those_concerned(w: World) {
    let mut input = typed(&w.admin, "");
    (input.title, input.notes) = ("Appraisal".to_owned(), "Salary".to_owned());
    (input.location, input.private) = ("Room 7".to_owned(), true);
    let id = w.add(&input).await;
    let read = || async {
        let mut unit = w.services.read(w.admin.tenant_id).await.unwrap();
        let id = id.parse().unwrap();
        let found = unit.find_entry(w.admin.tenant_id, id).await.unwrap();
        found.unwrap()
    };
    let words = |content: &EntryContent| {
        [&content.title, &content.notes, &content.location].map(String::clone)
    };
    let told = ["Appraisal", "Salary", "Room 7"].map(str::to_owned);
    let hidden = ["Busy", "", ""].map(str::to_owned);
    let mut entry = read().await;
    assert_eq!(words(&privacy::seen_by(&w.admin, &entry)), told);
    let seen = privacy::seen_by(&w.tess, &entry);
    assert_eq!((words(&seen), &seen.when), (hidden, &entry.content.when));
    entry.assignees = vec![w.tess.user_id()];
    assert_eq!(words(&privacy::seen_by(&w.tess, &entry)), told);
    let mut open = read().await;
    open.content.private = false;
    assert_eq!(words(&privacy::seen_by(&w.tess, &open)), told);
}
