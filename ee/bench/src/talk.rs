//! How often providers are asked, and what a first sync costs.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use chrono::TimeDelta;
use daybind_domain::ids::EntryId;
use daybind_domain::schedule::{EntryContent, EntryStatus, ShowAs, When};
use daybind_services::{CalendarPort as _, EntryChange, Provider, demo};
use daybind_storage::NewEntry;
use serde_json::{Value, json};

use crate::report::Report;
use crate::world::{Person, World};

/// Changes of one burst in the calendar.
const BURST: usize = 50;

/// Measures a server, with each provider.
pub async fn measure(server: &Path, events: usize, report: &mut Report) -> Result<()> {
    for provider in [Provider::Google, Provider::Microsoft] {
        let world = World::start(server, provider, 1).await?;
        world.connect().await?;
        outbound(&world, report).await?;
        inbound(&world, report).await?;
        nothing(&world, report).await?;
        drop(world);
        first(server, provider, events, report).await?;
    }
    Ok(())
}

fn name(world: &World, what: &str) -> String {
    let provider = match world.provider {
        Provider::Google => "Google",
        Provider::Microsoft => "Microsoft",
    };
    format!("{provider}: {what}")
}

fn words(asked: &BTreeMap<String, u64>) -> String {
    let all: Vec<String> = asked
        .iter()
        .map(|(name, count)| format!("{count} {name}"))
        .collect();
    if all.is_empty() {
        "nothing".to_owned()
    } else {
        all.join(", ")
    }
}

/// The reads of changes among what was asked.
fn pages(asked: &BTreeMap<String, u64>) -> u64 {
    ["google.events.list", "microsoft.view.delta"]
        .iter()
        .filter_map(|name| asked.get(*name))
        .sum()
}

fn person(world: &World) -> Result<&Person> {
    world.people.first().context("nobody is connected")
}

async fn outbound(world: &World, report: &mut Report) -> Result<()> {
    let person = person(world)?;
    let before = world.fakes.counters();
    let start = world.ahead(2);
    let entry = NewEntry {
        tenant_id: demo::TENANT,
        entry_id: EntryId(world.services.new_id()),
        content: EntryContent {
            title: "Out".to_owned(),
            notes: String::new(),
            location: String::new(),
            when: When::Timed {
                start,
                end: start + TimeDelta::hours(1),
                zone: "Europe/Berlin".to_owned(),
            },
            repeats: None,
            shows: ShowAs::Busy,
            private: false,
            status: EntryStatus::Scheduled,
        },
        occurrence_of: None,
        assignees: vec![person.actor.user_id()],
        created_by: world.admin.user_id(),
    };
    let change = EntryChange {
        tenant_id: demo::TENANT,
        entry_id: entry.entry_id,
        people: entry.assignees.clone(),
        by: None,
        restored: None,
    };
    let mut unit = world.services.begin(demo::TENANT).await?;
    unit.add_entry(&entry, world.services.now()).await?;
    world.port.entry_changed(unit.as_mut(), &change).await?;
    unit.save().await?;
    let began = Instant::now();
    while world
        .fakes
        .events(world.fake(), &person.calendar)
        .is_empty()
    {
        ensure!(
            began.elapsed() < Duration::from_secs(60),
            "it never arrives"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    world.quiet().await?;
    let asked = world.asked(&before);
    let writes: u64 = ["google.events.insert", "microsoft.events.create"]
        .iter()
        .filter_map(|name| asked.get(*name))
        .sum();
    report.add(
        &name(world, "calls for one change in the schedule"),
        "1 write",
        words(&asked),
        Some(writes == 1 && asked.values().sum::<u64>() == writes + pages(&asked)),
    );
    Ok(())
}

fn event(provider: Provider, title: &str, at: chrono::DateTime<chrono::Utc>) -> Value {
    let (start, end) = (at, at + TimeDelta::minutes(30));
    match provider {
        Provider::Google => json!({
            "summary": title,
            "start": {"dateTime": start.to_rfc3339(), "timeZone": "Europe/Berlin"},
            "end": {"dateTime": end.to_rfc3339(), "timeZone": "Europe/Berlin"},
        }),
        Provider::Microsoft => {
            let plain =
                |at: chrono::DateTime<chrono::Utc>| at.format("%Y-%m-%dT%H:%M:%S").to_string();
            json!({
                "subject": title,
                "start": {"dateTime": plain(start), "timeZone": "UTC"},
                "end": {"dateTime": plain(end), "timeZone": "UTC"},
            })
        }
    }
}

async fn inbound(world: &World, report: &mut Report) -> Result<()> {
    let person = person(world)?;
    let before = world.fakes.counters();
    for n in 0..BURST {
        let body = event(world.provider, &format!("In {n}"), world.ahead(3));
        world
            .fakes
            .create_event(world.fake(), &person.calendar, &body)?;
    }
    world.quiet().await?;
    let asked = world.asked(&before);
    report.add(
        &name(world, "calls for a burst of 50 changes in the calendar"),
        "one delta page",
        words(&asked),
        // A burst that begins while a run is on its way is read by that run and the one after it.
        Some((1..=2).contains(&pages(&asked)) && asked.values().sum::<u64>() == pages(&asked)),
    );
    Ok(())
}

async fn nothing(world: &World, report: &mut Report) -> Result<()> {
    let written = world.written().await?;
    let before = world.fakes.counters();
    let token = world.tokens().pop().context("no subscription")?;
    // To ourselves, where the client for the world outside does not go.
    let client = reqwest::Client::builder().no_proxy().build()?;
    let route = format!("{}/api/calendar/webhooks", world.url);
    let request = match world.provider {
        Provider::Google => client
            .post(format!("{route}/google"))
            .header("x-goog-channel-token", token)
            .header("x-goog-resource-state", "exists"),
        Provider::Microsoft => client
            .post(format!("{route}/microsoft"))
            .json(&json!({"value": [{"clientState": token}]})),
    };
    ensure!(
        request.send().await?.status().is_success(),
        "not acknowledged"
    );
    world.quiet().await?;
    let asked = world.asked(&before);
    let now = world.written().await?;
    let changed: BTreeMap<String, u64> = now
        .into_iter()
        .filter_map(|(table, rows)| {
            let more = rows - written.get(&table).copied().unwrap_or_default();
            Some((table, u64::try_from(more).ok().filter(|more| *more > 0)?))
        })
        .collect();
    // What the notification marks is not the sync's: its subscription, and its job, which the worker takes and ends.
    let marks = ["jobs", "calendar_subscriptions"];
    let beyond = changed
        .keys()
        .filter(|table| !marks.contains(&table.as_str()));
    report.add(
        &name(world, "a sync with nothing to do"),
        "one call, nothing written",
        format!("{}; rows written: {}", words(&asked), words(&changed)),
        Some(asked.values().sum::<u64>() == 1 && beyond.count() == 0),
    );
    Ok(())
}

/// The first sync of a full calendar, as a whole and beside the stand-in's own time.
async fn first(
    server: &Path,
    provider: Provider,
    events: usize,
    report: &mut Report,
) -> Result<()> {
    let world = World::start(server, provider, 1).await?;
    let person = person(&world)?;
    for n in 0..events {
        let minutes = i64::try_from(n)? * 4;
        let at = world.ahead(1) + TimeDelta::minutes(minutes);
        let body = event(provider, &format!("Event {n}"), at);
        world
            .fakes
            .create_event(world.fake(), &person.calendar, &body)?;
    }
    let (idle, _) = world.memory()?;
    let busy = world.fakes.busy();
    let before = world.fakes.counters();
    let began = Instant::now();
    world.choose(person).await?;
    // The worker looks into the queue once a second; the time counts from the first page asked for.
    let mut asked_at = began;
    while pages(&world.asked(&before)) == 0 {
        ensure!(
            began.elapsed() < Duration::from_secs(60),
            "nothing is asked"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
        asked_at = Instant::now();
    }
    loop {
        let view = world.port.get_calendar_providers(&person.actor).await?;
        if view.connections[0].status == "connected" && view.connections[0].last_sync.is_some() {
            break;
        }
        ensure!(began.elapsed() < Duration::from_secs(300), "it never ends");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let wall = asked_at.elapsed();
    let own = world.fakes.busy() - busy;
    let asked = world.asked(&before);
    let (_, most) = world.memory()?;
    let ratio = wall.as_secs_f64() / own.as_secs_f64();
    report.add(
        &name(&world, &format!("first sync of {events} events")),
        "at most 1.5 times the provider's own time",
        format!(
            "{ratio:.2} times ({:.2} s beside {:.2} s, {} pages)",
            wall.as_secs_f64(),
            own.as_secs_f64(),
            pages(&asked)
        ),
        Some(ratio <= 1.5),
    );
    report.add(
        &name(&world, "memory of the server during it"),
        "bounded by a page",
        format!("{idle} MiB before, {most} MiB at most"),
        Some(most.saturating_sub(idle) <= 32),
    );
    Ok(())
}
