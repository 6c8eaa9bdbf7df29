//! Series in the random interleavings: both sides plan, reword, split, move and delete, and in the end both show the same.

use std::collections::BTreeSet;

use chrono::{DateTime, Days, TimeDelta, Utc};
use daybind_domain::ErrorCode;
use daybind_domain::ids::EntryId;
use daybind_domain::schedule::{EntryStatus, When};
use daybind_domain::view::EntryView;
use daybind_ee_calendar::event::canonical;
use daybind_services::recurrence::{days_between, first_day, occurrence};
use daybind_services::repeat_form::RepeatInput;
use daybind_services::schedule::{self, EntryInput};
use daybind_services::series::PartInput;
use daybind_services::{demo, localtime};
use daybind_storage::Entry;
use rand::Rng;
use rand::rngs::StdRng;

use crate::calendar::{edit, shown};
use crate::world::World;

const ZONE: &str = "Europe/Berlin";
/// How far the two sides are compared.
const AHEAD: TimeDelta = TimeDelta::days(40);

/// Start, title, and the rest.
type Shown = (DateTime<Utc>, String, String);

/// One thing that somebody does, on either side.
pub async fn step(world: &mut World<'_>, rng: &mut StdRng) {
    let series = series_here(world).await;
    match rng.random_range(0..12) {
        0..3 if series.len() < 3 => plan(world, rng).await,
        0..7 => here(world, rng, &series).await,
        _ => there(world, rng),
    }
}

async fn entries(world: &World<'_>) -> Vec<Entry> {
    let now = world.stored.services.now();
    let mut unit = world.stored.services.read(demo::TENANT).await.unwrap();
    unit.list_entries(demo::TENANT, now, now + AHEAD, None)
        .await
        .unwrap()
}

async fn series_here(world: &World<'_>) -> Vec<EntryId> {
    entries(world)
        .await
        .iter()
        .filter(|entry| entry.content.repeats.is_some())
        .map(|entry| entry.entry_id)
        .collect()
}

fn repeat(rng: &mut StdRng) -> RepeatInput {
    let text = |known: &[&str], at: usize| known[at].to_owned();
    RepeatInput {
        kind: text(&["daily", "weekly", "monthly"], rng.random_range(0..3)),
        every: text(&["1", "2"], rng.random_range(0..2)),
        days: Vec::new(),
        ends: text(&["", "count"], rng.random_range(0..2)),
        until: String::new(),
        count: text(&["3", "9"], rng.random_range(0..2)),
    }
}

async fn plan(world: &mut World<'_>, rng: &mut StdRng) {
    let day = world.stored.services.now().date_naive() + Days::new(rng.random_range(2..5));
    let input = EntryInput {
        title: world.word(),
        notes: world.word(),
        start: format!("{day}T09:00"),
        end: format!("{day}T10:00"),
        assignees: vec![world.stored.tess.user_id().to_string()],
        repeat: repeat(rng),
        ..EntryInput::default()
    };
    let (services, tess) = (&world.stored.services, &world.stored.tess);
    schedule::create(services, &world.worker.port, tess, &input)
        .await
        .unwrap();
}

fn typed(view: &EntryView, scope: &str) -> EntryInput {
    let repeat = view.repeat.clone();
    let part = view.part.clone();
    EntryInput {
        title: view.title.clone(),
        notes: view.notes.clone(),
        location: view.location.clone(),
        shows: view.shows.clone(),
        private: view.private,
        all_day: view.all_day,
        start: view.start_local.clone(),
        end: view.end_local.clone(),
        assignees: view
            .assignees
            .iter()
            .map(|person| person.user_id.clone())
            .collect(),
        repeat: repeat.map_or_else(RepeatInput::default, |repeat| RepeatInput {
            kind: repeat.kind,
            every: repeat.every.to_string(),
            days: repeat.days,
            ends: repeat.ends,
            until: repeat.until,
            count: repeat.count,
        }),
        part: part.map_or_else(PartInput::default, |part| PartInput {
            day: part.day,
            scope: scope.to_owned(),
            series_version: part.series_version,
        }),
    }
}

/// Moves both ends by some hours.
fn later(text: &str, hours: i64) -> String {
    let zone = localtime::zone(ZONE);
    let at = localtime::parse_input(text, zone).unwrap();
    localtime::input_value(at + TimeDelta::hours(hours), zone)
}

async fn here(world: &mut World<'_>, rng: &mut StdRng, series: &[EntryId]) {
    if series.is_empty() {
        return;
    }
    let word = world.word();
    let (services, tess) = (&world.stored.services, &world.stored.tess);
    let port = &world.worker.port;
    // An entry that has values of its own is opened by its id, any other occurrence by its series and day.
    let now = services.now();
    let own: Vec<EntryId> = entries(world)
        .await
        .iter()
        .filter(|entry| entry.occurrence_of.is_some())
        .map(|entry| entry.entry_id)
        .collect();
    let view = if !own.is_empty() && rng.random_bool(0.3) {
        let id = own[rng.random_range(0..own.len())].to_string();
        schedule::entry(services, port, tess, &id, "").await
    } else {
        let id = series[rng.random_range(0..series.len())];
        let mut unit = services.read(demo::TENANT).await.unwrap();
        let entry = unit.find_entry(demo::TENANT, id).await.unwrap().unwrap();
        let taken: BTreeSet<_> = unit
            .list_occurrences(demo::TENANT, &[id])
            .await
            .unwrap()
            .iter()
            .filter_map(|row| row.occurrence_of)
            .map(|of| of.day)
            .collect();
        drop(unit);
        let days = days_between(&entry.content, now, now + TimeDelta::days(20));
        let mut free = days.into_iter().filter(|day| !taken.contains(day));
        let Some(day) = free.nth(rng.random_range(0..3)) else {
            return;
        };
        schedule::entry(services, port, tess, &id.to_string(), &day.to_string()).await
    };
    // Called off or taken off meanwhile: not hers to open.
    let Ok(view) = view else {
        return;
    };
    let scope = ["this", "this", "following", "all"][rng.random_range(0..4)];
    let mut input = typed(&view, scope);
    match rng.random_range(0..10) {
        0..4 => input.title = word,
        4 => input.notes = word,
        5 if rng.random_bool(0.5) => {
            input.shows = if input.shows == "free" {
                "busy"
            } else {
                "free"
            }
            .to_owned();
        }
        5 => input.private = !input.private,
        6 | 7 => {
            let hours = rng.random_range(1..4);
            input.start = later(&input.start, hours);
            input.end = later(&input.end, hours);
        }
        8 if scope != "this" => input.repeat = repeat(rng),
        _ => {
            let (id, version) = (&view.entry_id, view.version);
            let gone = schedule::delete(services, port, tess, id, version, &input.part);
            gone.await.unwrap();
            return;
        }
    }
    let (id, version) = (&view.entry_id, view.version);
    let done = schedule::update(services, port, tess, id, version, &input).await;
    // What was moved behind the series' last day does not make a series that ends before it.
    assert!(
        done.as_ref()
            .err()
            .is_none_or(|error| error.code == ErrorCode::Invalid),
        "{done:?}"
    );
}

fn there(world: &mut World<'_>, rng: &mut StdRng) {
    let word = world.word();
    let mut state = world.calendar.state();
    let series = state.series();
    if series.is_empty() {
        return;
    }
    let series = &series[rng.random_range(0..series.len())];
    let id = if rng.random_bool(0.7) {
        let Some(id) = state.nth(series, rng.random_range(0..8)) else {
            return;
        };
        id
    } else {
        series.clone()
    };
    let hours = TimeDelta::hours(rng.random_range(1..4));
    match rng.random_range(0..12) {
        0..3 => state.write(&id, |content| content.title = word),
        3 => {
            // A calendar hides a series as a whole.
            let (id, field) = if rng.random_bool(0.5) {
                (&id, "shows")
            } else {
                (series, "private")
            };
            state.write(id, |content| edit(content, field, &word));
        }
        4..7 => state.write(&id, |content| {
            if let When::Timed { start, end, .. } = &mut content.when {
                *start += hours;
                *end += hours;
            }
        }),
        7 => {
            let rule = ["FREQ=DAILY", "FREQ=DAILY;COUNT=4", "FREQ=DAILY;INTERVAL=2"];
            let rule = rule[rng.random_range(0..3)];
            state.write(series, |content| {
                content.repeats = Some(rule.parse().unwrap());
            });
        }
        8 | 9 => {
            let word = rng.random_bool(0.5).then_some(word.as_str());
            state.split(&id, word);
        }
        _ => state.remove(&id),
    }
}

/// What the schedule has Tess do.
async fn planned(
    world: &World<'_>,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Vec<(DateTime<Utc>, String, String)> {
    let tess = world.stored.people[0];
    let all = entries(world).await;
    let ids: Vec<EntryId> = all.iter().map(|entry| entry.entry_id).collect();
    let mut unit = world.stored.services.read(demo::TENANT).await.unwrap();
    let rows = unit.list_occurrences(demo::TENANT, &ids).await.unwrap();
    drop(unit);
    let mut found = Vec::new();
    for entry in &all {
        if entry.content.status == EntryStatus::Cancelled || !entry.assignees.contains(&tess) {
            continue;
        }
        let content = canonical(&entry.content);
        let mut show = |content: &daybind_domain::schedule::EntryContent| {
            if let When::Timed { start, .. } = &content.when {
                found.push(shown(*start, content));
            }
        };
        if content.repeats.is_none() {
            show(&content);
            continue;
        }
        let own: BTreeSet<_> = rows
            .iter()
            .filter_map(|row| row.occurrence_of)
            .filter(|of| of.series == entry.entry_id)
            .map(|of| of.day)
            .collect();
        for day in days_between(&content, from, to) {
            if !own.contains(&day) {
                show(&occurrence(&content, day));
            }
        }
    }
    found.retain(|(at, ..)| *at >= from && *at < to);
    found.sort();
    found
}

/// Both sides show the same, unless somebody has to decide; a series begins on a day of its own; nothing was deleted here by
/// sync, and no occurrence is there twice.
pub async fn check(world: &World<'_>) {
    let mappings = world.mappings().await;
    for entry in entries(world).await {
        if let Some(rule) = &entry.content.repeats {
            let first = first_day(&entry.content.when);
            assert!(
                daybind_services::recurrence::has_day(rule, first, first),
                "{entry:?}"
            );
        }
    }
    if mappings.iter().any(|row| row.state == "conflict") {
        return;
    }
    let now = world.stored.services.now();
    let (from, to) = (now, now + AHEAD - TimeDelta::days(2));
    let here = planned(world, from, to).await;
    let there = world.calendar.state().view(from, to);
    if here != there {
        // What is there twice counts twice.
        let only = |a: &[Shown], b: &[Shown]| -> Vec<Shown> {
            let mut left = a.to_vec();
            for item in b {
                if let Some(at) = left.iter().position(|other| other == item) {
                    left.remove(at);
                }
            }
            left
        };
        panic!(
            "only here {:?}\nonly there {:?}\nmappings {mappings:#?}\nevents {:#?}",
            only(&here, &there),
            only(&there, &here),
            world.calendar.state().events
        );
    }
}
