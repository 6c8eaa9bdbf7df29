//! Series and their occurrences, on the way out and on the way in.

use std::collections::BTreeMap;

use chrono::{Datelike as _, Days, NaiveDate, TimeDelta, Weekday};
use daybind_domain::ids::EntryId;
use daybind_domain::view::EntryView;
use daybind_fakes::DuplicateTransaction;
use daybind_services::repeat_form::RepeatInput;
use daybind_services::schedule::{self, EntryInput};
use daybind_services::series::PartInput;
use daybind_services::{CalendarPort as _, Provider};
use serde_json::{Value, json};

use crate::bench::{Database, World, actor};

/// A Monday some weeks ahead, so many days later.
pub(crate) fn monday(w: &World, later: u64) -> NaiveDate {
    let soon = w.services.now().date_naive() + TimeDelta::days(14);
    soon.week(Weekday::Mon).last_day() + Days::new(1 + later)
}

/// What the form sends for a new entry of Tess's, nine to ten on that Monday.
pub(crate) fn planned(w: &World, title: &str, kind: &str) -> EntryInput {
    let day = monday(w, 0);
    EntryInput {
        title: title.to_owned(),
        start: format!("{day}T09:00"),
        end: format!("{day}T10:00"),
        assignees: vec![w.tess.user_id().to_string()],
        repeat: RepeatInput {
            kind: kind.to_owned(),
            ..RepeatInput::default()
        },
        ..EntryInput::default()
    }
}

pub(crate) async fn plan(w: &World, input: &EntryInput) -> EntryId {
    let id = schedule::create(&w.services, w.port.as_ref(), &w.admin, input).await;
    w.drain().await;
    id.unwrap()
}

pub(crate) async fn open(w: &World, id: EntryId, day: &str) -> EntryView {
    schedule::entry(&w.services, w.port.as_ref(), &w.admin, &id.to_string(), day)
        .await
        .unwrap()
}

/// Changes a part of a series as the form does.
pub(crate) async fn change(
    w: &World,
    view: &EntryView,
    scope: &str,
    with: impl FnOnce(&mut EntryInput),
) {
    let (repeat, part) = (view.repeat.clone().unwrap(), view.part.clone().unwrap());
    let mut input = EntryInput {
        title: view.title.clone(),
        notes: view.notes.clone(),
        shows: view.shows.clone(),
        private: view.private,
        location: view.location.clone(),
        all_day: view.all_day,
        start: view.start_local.clone(),
        end: view.end_local.clone(),
        assignees: view
            .assignees
            .iter()
            .map(|person| person.user_id.clone())
            .collect(),
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
    };
    with(&mut input);
    let (id, version) = (&view.entry_id, view.version);
    schedule::update(&w.services, w.port.as_ref(), &w.admin, id, version, &input)
        .await
        .unwrap();
    w.drain().await;
}

pub(crate) async fn remove(w: &World, view: &EntryView, scope: &str) {
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
    w.drain().await;
}

/// The one series of that title in the calendar.
pub(crate) fn there(w: &World, title: &str) -> Value {
    let mut found = w.named(title);
    found.retain(|event| event["recurrence"].is_array() || event["recurrence"].is_object());
    assert_eq!(found.len(), 1, "{title}: {found:?}");
    found.remove(0)
}

pub(crate) fn id_of(event: &Value) -> String {
    event["id"].as_str().unwrap().to_owned()
}

/// The title of every occurrence that differs from its series, "-" for those taken out.
fn exceptions(w: &World, series: &Value) -> BTreeMap<String, String> {
    let found = w.fakes.exceptions(w.fake, &w.calendar, &id_of(series));
    let title = w.key("title");
    found
        .into_iter()
        .map(|(day, event)| {
            let shown = event[title].as_str().unwrap_or("-");
            (day, shown.to_owned())
        })
        .collect()
}

fn told(pairs: &[(NaiveDate, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(day, title)| (day.to_string(), (*title).to_owned()))
        .collect()
}

/// The rule of a series, as its provider writes it.
fn rule(w: &World, event: &Value) -> Value {
    match w.provider {
        Provider::Google => event["recurrence"].clone(),
        Provider::Microsoft => event["recurrence"]["pattern"].clone(),
    }
}

/// W7, W8, W11, W12: a series goes out as one event with its rule, its end and its zone, nobody is invited, the echo changes
/// nothing, and its changes follow.
async fn a_series_goes_out(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let mut input = planned(&w, "Backup check", "weekly");
    input.repeat.every = "2".to_owned();
    input.repeat.days = vec!["MO".to_owned(), "TH".to_owned()];
    input.repeat.ends = "count".to_owned();
    input.repeat.count = "10".to_owned();
    let id = plan(&w, &input).await;
    let made = there(&w, "Backup check");
    assert!(made["attendees"].as_array().is_none_or(Vec::is_empty));
    assert_eq!(w.mark(id).await, "synced");
    match provider {
        Provider::Google => {
            assert_eq!(
                rule(&w, &made),
                json!(["RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH;COUNT=10"])
            );
            assert_eq!(made["start"]["timeZone"], "Europe/Berlin");
        }
        Provider::Microsoft => {
            assert_eq!(
                rule(&w, &made),
                json!({
                    "type": "weekly", "interval": 2, "daysOfWeek": ["monday", "thursday"],
                    "firstDayOfWeek": "monday",
                })
            );
            let range = &made["recurrence"]["range"];
            assert_eq!(range["numberOfOccurrences"], 10);
            assert_eq!(range["startDate"], monday(&w, 0).to_string());
            assert_eq!(made["start"]["timeZone"], "W. Europe Standard Time");
        }
    }
    let before = (w.entry(id).await, made);
    w.sync().await;
    w.fakes.expire_sync_tokens(w.fake);
    w.sync().await;
    assert_eq!((w.entry(id).await, there(&w, "Backup check")), before);

    // Renamed, moved to Tuesdays at eight, every week: one event still.
    let view = open(&w, id, "").await;
    let tuesday = monday(&w, 1);
    change(&w, &view, "all", |input| {
        input.title = "Backups".to_owned();
        input.start = format!("{tuesday}T08:00");
        input.end = format!("{tuesday}T09:00");
        input.repeat.every = "1".to_owned();
        input.repeat.days = vec!["TU".to_owned()];
    })
    .await;
    assert_eq!(w.mark(id).await, "synced");
    let now = there(&w, "Backups");
    assert_eq!(id_of(&now), id_of(&before.1));
    match provider {
        Provider::Google => assert_eq!(
            rule(&w, &now),
            json!(["RRULE:FREQ=WEEKLY;BYDAY=TU;COUNT=10"])
        ),
        Provider::Microsoft => assert_eq!(rule(&w, &now)["daysOfWeek"], json!(["tuesday"])),
    }
    // Whole days, then no series any more, then gone.
    change(&w, &open(&w, id, "").await, "all", |input| {
        input.all_day = true;
    })
    .await;
    assert_eq!(w.mark(id).await, "synced");
    let view = open(&w, id, "").await;
    assert!(view.all_day);
    w.sync().await;
    assert_eq!(open(&w, id, "").await, view);
    change(&w, &view, "all", |input| input.repeat.kind = String::new()).await;
    let left = w.named("Backups");
    assert_eq!(left.len(), 1);
    assert!(!left[0]["recurrence"].is_array() && !left[0]["recurrence"].is_object());
    assert_eq!(w.mark(id).await, "synced");
}

/// W9: occurrences that are changed, moved, called off or somebody else's are so in the calendar, also after the series was
/// rewritten there, which makes calendars forget them.
async fn occurrences_go_out(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let id = plan(&w, &planned(&w, "Visit", "daily")).await;
    let day = |later| monday(&w, later);
    let opened = |later: u64| {
        let w = &w;
        async move { open(w, id, &monday(w, later).to_string()).await }
    };
    change(&w, &opened(1).await, "this", |input| {
        input.title = "Inspection".to_owned();
    })
    .await;
    change(&w, &opened(2).await, "this", |input| {
        let moved = monday(&w, 12);
        input.title = "Moved".to_owned();
        input.start = format!("{moved}T13:00");
        input.end = format!("{moved}T15:00");
    })
    .await;
    remove(&w, &opened(3).await, "this").await;
    let tom = actor(&w.services, "tom@demo.daybind.test").await;
    change(&w, &opened(4).await, "this", |input| {
        input.assignees = vec![tom.user_id().to_string()];
    })
    .await;
    let expected = told(&[
        (day(1), "Inspection"),
        (day(2), "Moved"),
        (day(3), "-"),
        (day(4), "-"),
    ]);
    let series = there(&w, "Visit");
    assert_eq!(exceptions(&w, &series), expected);
    let writes = w.asked("google.events.patch", "microsoft.events.update");
    w.sync().await;
    w.sync().await;
    assert_eq!(exceptions(&w, &there(&w, "Visit")), expected);
    assert_eq!(
        w.asked("google.events.patch", "microsoft.events.update"),
        writes,
        "nothing is written twice"
    );

    // The series ends earlier: its exceptions are there all the same.
    change(&w, &opened(0).await, "all", |input| {
        input.repeat.ends = "count".to_owned();
        input.repeat.count = "20".to_owned();
    })
    .await;
    assert_eq!(exceptions(&w, &there(&w, "Visit")), expected);
    // It moves by an hour: what had its own time keeps it, the others follow.
    change(&w, &opened(0).await, "all", |input| {
        input.start = format!("{}T10:00", day(0));
        input.end = format!("{}T11:00", day(0));
    })
    .await;
    w.sync().await;
    let series = there(&w, "Visit");
    let kept: BTreeMap<_, _> = exceptions(&w, &series);
    for (day, title) in &expected {
        assert_eq!(kept.get(day), Some(title), "{day}");
    }
    assert_eq!(w.mark(id).await, "synced");

    // Tom's day is Tess's again.
    let week = day(4).to_string();
    let toms = schedule::week(&w.services, w.port.as_ref(), &tom, Some(&week)).await;
    let toms = toms.unwrap().days;
    let toms = toms.iter().flat_map(|day| &day.entries).next().unwrap();
    let view = open(&w, toms.entry_id.parse().unwrap(), "").await;
    change(&w, &view, "this", |input| {
        input.title = "Back".to_owned();
        input.assignees = vec![w.tess.user_id().to_string()];
    })
    .await;
    let back: Vec<Value> = w
        .fakes
        .events(w.fake, &w.calendar)
        .into_iter()
        .filter(|event| event[w.key("title")] == "Back")
        .collect();
    let within = exceptions(&w, &there(&w, "Visit"));
    // Outlook forgets deleted occurrences for good; there it is an event of its own.
    match provider {
        Provider::Google => assert_eq!(within.get(&day(4).to_string()).unwrap(), "Back"),
        Provider::Microsoft => assert_eq!(back.len(), 1),
    }

    // The whole series goes, and everything with it.
    remove(&w, &opened(0).await, "all").await;
    assert!(w.named("Visit").is_empty());
    for title in ["Inspection", "Moved", "Back"] {
        assert!(w.named(title).is_empty(), "{title}");
    }
}

/// W7, W8: a rule Outlook has no pattern for stays whole in the schedule, and the entry says why it does not travel.
async fn outlook_cannot_say_everything(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let id = plan(&w, &planned(&w, "Invoices", "monthly")).await;
    assert_eq!(w.mark(id).await, "synced");
    let before = there(&w, "Invoices");
    // Twice a month: the form has no words for it, Google's calendar has.
    let twice: daybind_domain::recurrence::Rule = "FREQ=MONTHLY;BYMONTHDAY=1,15".parse().unwrap();
    w.edit(id, |entry| {
        entry.content.repeats = Some(twice.clone());
        let first = monday(&w, 0).with_day(15).unwrap() + TimeDelta::days(0);
        entry.content.when = daybind_services::recurrence::when_on(&entry.content.when, first);
    })
    .await;
    w.drain().await;
    assert_eq!(w.entry(id).await.content.repeats, Some(twice.clone()));
    assert_eq!(w.mark(id).await, "failed");
    let marks = w.port.get_schedule_entry_sync_status(&w.tess, &[id]).await;
    let detail = marks.unwrap()[0].clone().unwrap().detail;
    assert!(detail.contains("Outlook cannot express"), "{detail}");
    assert_eq!(rule(&w, &there(&w, "Invoices")), rule(&w, &before));
    // A new one does not arrive cut down either.
    let mut unit = w
        .services
        .begin(daybind_services::demo::TENANT)
        .await
        .unwrap();
    let mut other = w.entry(id).await;
    other.content.title = "Twice".to_owned();
    let new = daybind_storage::NewEntry {
        tenant_id: other.tenant_id,
        entry_id: EntryId(w.services.new_id()),
        content: other.content.clone(),
        occurrence_of: None,
        assignees: other.assignees.clone(),
        created_by: w.admin.user_id(),
    };
    unit.add_entry(&new, w.services.now()).await.unwrap();
    unit.save().await.unwrap();
    w.sync().await;
    assert!(w.named("Twice").is_empty());
    assert_eq!(w.mark(new.entry_id).await, "failed");
    // Said in a way Outlook knows, both travel.
    for id in [id, new.entry_id] {
        w.edit(id, |entry| {
            entry.content.repeats = Some("FREQ=MONTHLY;BYMONTHDAY=15".parse().unwrap());
        })
        .await;
        w.drain().await;
        assert_eq!(w.mark(id).await, "synced");
    }
    assert_eq!(rule(&w, &there(&w, "Twice"))["dayOfMonth"], 15);
}

/// Start and end on a day, in Berlin, as the calendar's owner writes them.
pub(crate) fn times(w: &World, day: NaiveDate, [from, to]: [u32; 2]) -> Value {
    let zone = match w.provider {
        Provider::Google => "Europe/Berlin",
        Provider::Microsoft => "W. Europe Standard Time",
    };
    let point =
        |hour: u32| json!({ "dateTime": format!("{day}T{hour:02}:00:00"), "timeZone": zone });
    json!({ "start": point(from), "end": point(to) })
}

/// The provider's id of the occurrence that a series starting at that hour has on a day.
pub(crate) fn part_id(w: &World, series: &Value, day: NaiveDate, hour: u32) -> String {
    let id = id_of(series);
    match w.provider {
        Provider::Google => {
            let zone: chrono_tz::Tz = "Europe/Berlin".parse().unwrap();
            let at =
                daybind_services::localtime::resolve(day.and_hms_opt(hour, 0, 0).unwrap(), zone);
            format!("{id}_{}", at.unwrap().format("%Y%m%dT%H%M%SZ"))
        }
        Provider::Microsoft => {
            format!("{}_occ_{}=", id.trim_end_matches('='), day.format("%Y%m%d"))
        }
    }
}

pub(crate) fn change_there(w: &World, event: &str, patch: &Value) {
    w.fakes
        .patch_event(w.fake, &w.calendar, event, patch)
        .unwrap();
}

fn delete_there(w: &World, event: &str) {
    w.fakes.delete_event(w.fake, &w.calendar, event).unwrap();
}

/// What Tess's schedule shows in the two weeks from that Monday: "2 09:00 Visit", days after it in front.
pub(crate) async fn seen(w: &World) -> Vec<String> {
    let mut found = Vec::new();
    for week in [0, 7] {
        let day = monday(w, week).to_string();
        let view = schedule::week(&w.services, w.port.as_ref(), &w.tess, Some(&day)).await;
        for entry in view.unwrap().days.into_iter().flat_map(|day| day.entries) {
            let (day, time) = entry.start_local.split_once('T').unwrap();
            let later = day.parse::<NaiveDate>().unwrap() - monday(w, 0);
            let off = if entry.status == "cancelled" {
                " off"
            } else {
                ""
            };
            found.push(format!("{} {time} {}{off}", later.num_days(), entry.title));
        }
    }
    found
}

pub(crate) async fn rule_out(
    w: &World,
    with: impl FnOnce(&mut daybind_domain::view::CalendarRulesView),
) {
    let view = w.port.get_calendar_providers(&w.tess).await.unwrap();
    let mut rules = view.connections[0].rules.clone();
    with(&mut rules);
    let id = w.connection().await;
    w.port
        .update_calendar_rules(&w.tess, &id, &rules)
        .await
        .unwrap();
    w.drain().await;
}

/// W10, W9: a series from the calendar is one entry, its changed, moved and deleted occurrences come along, and nothing is
/// brought in twice. What is changed in the schedule then goes back into the same series.
async fn a_series_comes_in(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    rule_out(&w, |rules| rules.import_rule = "marked".to_owned()).await;
    let mut body = times(&w, monday(&w, 0), [9, 10]);
    body[w.key("title")] = json!("Backup @daybind");
    body["recurrence"] = match provider {
        // Two of them are left out from the start.
        Provider::Google => {
            let out = |later| monday(&w, later).format("%Y%m%dT090000").to_string();
            json!([
                "RRULE:FREQ=WEEKLY;WKST=SU;BYDAY=MO,TU,WE,TH,FR",
                format!("EXDATE;TZID=Europe/Berlin:{},{}", out(10), out(11)),
            ])
        }
        Provider::Microsoft => json!({
            "pattern": {
                "type": "weekly", "interval": 1, "firstDayOfWeek": "sunday",
                "daysOfWeek": ["monday", "tuesday", "wednesday", "thursday", "friday"],
            },
            "range": { "type": "noEnd", "startDate": monday(&w, 0) },
        }),
    };
    let series = w.fakes.create_event(w.fake, &w.calendar, &body).unwrap();
    change_there(
        &w,
        &part_id(&w, &series, monday(&w, 1), 9),
        &json!({ w.key("title"): "Restore" }),
    );
    let mut moved = times(&w, monday(&w, 5), [13, 15]);
    moved[w.key("title")] = json!("Moved");
    change_there(&w, &part_id(&w, &series, monday(&w, 2), 9), &moved);
    delete_there(&w, &part_id(&w, &series, monday(&w, 3), 9));
    if provider == Provider::Microsoft {
        delete_there(&w, &part_id(&w, &series, monday(&w, 10), 9));
        delete_there(&w, &part_id(&w, &series, monday(&w, 11), 9));
    }
    rule_out(&w, |rules| rules.deletion_policy = "cancel".to_owned()).await;
    w.sync().await;
    let all = [
        "0 09:00 Backup @daybind",
        "1 09:00 Restore",
        "3 09:00 Backup @daybind off",
        "4 09:00 Backup @daybind",
        "5 13:00 Moved",
        "7 09:00 Backup @daybind",
        "8 09:00 Backup @daybind",
        "9 09:00 Backup @daybind",
        "10 09:00 Backup @daybind off",
        "11 09:00 Backup @daybind off",
    ];
    assert_eq!(seen(&w).await, all);
    let count = w
        .rows(&["schedule_entries", "calendar_event_mappings"])
        .await;
    w.sync().await;
    w.fakes.expire_sync_tokens(w.fake);
    w.sync().await;
    assert_eq!(seen(&w).await, all);
    assert_eq!(
        w.rows(&["schedule_entries", "calendar_event_mappings"])
            .await,
        count
    );

    // From the schedule back into the same series.
    let day = monday(&w, 8).to_string();
    let view = schedule::week(&w.services, w.port.as_ref(), &w.admin, Some(&day)).await;
    let entries: Vec<EntryView> = view
        .unwrap()
        .days
        .into_iter()
        .flat_map(|day| day.entries)
        .collect();
    let plain = entries
        .iter()
        .find(|entry| entry.part.as_ref().is_some_and(|part| part.day == day))
        .unwrap();
    let id = plain.entry_id.parse().unwrap();
    change(&w, &open(&w, id, &day).await, "this", |input| {
        input.title = "Ours".to_owned();
    })
    .await;
    assert_eq!(exceptions(&w, &series).get(&day).unwrap(), "Ours");
    change(&w, &open(&w, id, "").await, "all", |input| {
        input.title = "Renamed @daybind".to_owned();
    })
    .await;
    assert_eq!(id_of(&there(&w, "Renamed @daybind")), id_of(&series));
    let shown = exceptions(&w, &series);
    for (later, title) in [(1, "Restore"), (2, "Moved"), (3, "-"), (8, "Ours")] {
        assert_eq!(shown.get(&monday(&w, later).to_string()).unwrap(), title);
    }
}

/// W9: an occurrence of our series that is changed, moved or deleted in the calendar is so in the schedule, goes on travelling
/// both ways, and both sides' changes of one occurrence meet as those of any event do.
async fn occurrences_come_in(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let tom = actor(&w.services, "tom@demo.daybind.test").await;
    let mut input = planned(&w, "Visit", "daily");
    input.repeat.ends = "count".to_owned();
    input.repeat.count = "6".to_owned();
    let alone = plan(&w, &input).await;
    let series = there(&w, "Visit");
    let part = |later: u64| part_id(&w, &series, monday(&w, later), 9);
    change_there(&w, &part(1), &json!({ w.key("title"): "Theirs" }));
    change_there(&w, &part(2), &times(&w, monday(&w, 8), [11, 12]));
    w.sync().await;
    assert_eq!(
        seen(&w).await,
        [
            "0 09:00 Visit",
            "1 09:00 Theirs",
            "3 09:00 Visit",
            "4 09:00 Visit",
            "5 09:00 Visit",
            "8 11:00 Visit"
        ]
    );
    // One field each: both survive, in the series' own event.
    let day = monday(&w, 0).to_string();
    let week = schedule::week(&w.services, w.port.as_ref(), &w.tess, Some(&day)).await;
    let week = week.unwrap();
    let theirs = week.days[1].entries[0].entry_id.parse().unwrap();
    change_there(&w, &part(1), &json!({ w.key("title"): "Theirs again" }));
    change(&w, &open(&w, theirs, "").await, "this", |input| {
        input.location = "Cellar".to_owned();
    })
    .await;
    assert_eq!(w.entry(theirs).await.content.title, "Theirs again");
    let shown = w.fakes.exceptions(w.fake, &w.calendar, &id_of(&series));
    let shown = &shown[&monday(&w, 1).to_string()];
    assert!(shown["location"].to_string().contains("Cellar"), "{shown}");
    // The same field: somebody has to say.
    change_there(&w, &part(1), &json!({ w.key("title"): "A" }));
    w.edit(theirs, |entry| entry.content.title = "B".to_owned())
        .await;
    w.drain().await;
    assert_eq!(w.mark(theirs).await, "conflict");
    w.edit(theirs, |entry| entry.content.title = "A".to_owned())
        .await;
    w.drain().await;
    assert_eq!(w.mark(theirs).await, "synced");

    // Deleted there, nobody else does it: a question about that day, the others stay.
    delete_there(&w, &part(4));
    w.sync().await;
    let view = w.port.get_calendar_providers(&w.tess).await.unwrap();
    assert_eq!(view.connections[0].questions.len(), 1);
    w.answer("all", "cancel").await;
    w.drain().await;
    assert!(seen(&w).await.contains(&"4 09:00 Visit off".to_owned()));
    assert_eq!(w.entry(alone).await.deleted_at, None);
    assert_eq!(w.mark(alone).await, "synced");
    // And put back, which Outlook can only do beside the series.
    delete_there(&w, &part(5));
    w.sync().await;
    w.answer("all", "put_back").await;
    w.drain().await;
    assert!(seen(&w).await.contains(&"5 09:00 Visit".to_owned()));
    w.sync().await;
    assert!(seen(&w).await.contains(&"5 09:00 Visit".to_owned()));

    // Others do it too: Tess is taken off that day only.
    let mut input = planned(&w, "Together", "daily");
    input.assignees.push(tom.user_id().to_string());
    let shared = plan(&w, &input).await;
    let series = there(&w, "Together");
    delete_there(&w, &part_id(&w, &series, monday(&w, 1), 9));
    w.sync().await;
    let mine = seen(&w).await;
    assert!(!mine.contains(&"1 09:00 Together".to_owned()), "{mine:?}");
    assert!(mine.contains(&"2 09:00 Together".to_owned()));
    assert!(w.entry(shared).await.assignees.contains(&w.tess.user_id()));
    let toms = schedule::week(&w.services, w.port.as_ref(), &tom, Some(&day)).await;
    let toms = toms.unwrap();
    assert_eq!(toms.days[1].entries[0].title, "Together");
}

/// W9, W11: a series that is moved in the calendar moves in the schedule. Calendars forget its exceptions then: they are put
/// back, what was called off stays so, and what the calendar says about times long left is no deletion.
async fn a_series_is_reworded_outside(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let id = plan(&w, &planned(&w, "Visit", "daily")).await;
    change(
        &w,
        &open(&w, id, &monday(&w, 1).to_string()).await,
        "this",
        |input| {
            input.title = "Inspection".to_owned();
        },
    )
    .await;
    remove(&w, &open(&w, id, &monday(&w, 2).to_string()).await, "this").await;
    let series = there(&w, "Visit");
    let mut patch = times(&w, monday(&w, 0), [14, 15]);
    patch[w.key("title")] = json!("Afternoon");
    change_there(&w, &id_of(&series), &patch);
    w.sync().await;
    w.sync().await;
    let shown = seen(&w).await;
    assert_eq!(
        shown[..3],
        [
            "0 14:00 Afternoon",
            "1 14:00 Inspection",
            "3 14:00 Afternoon"
        ]
    );
    let series = there(&w, "Afternoon");
    let kept = exceptions(&w, &series);
    assert_eq!(kept.get(&monday(&w, 1).to_string()).unwrap(), "Inspection");
    assert_eq!(kept.get(&monday(&w, 2).to_string()).unwrap(), "-");
    assert_eq!(w.mark(id).await, "synced");
    let view = w.port.get_calendar_providers(&w.tess).await.unwrap();
    assert!(view.connections[0].questions.is_empty());

    // The rule gets an end there: what lies behind it stands for itself, and loses nothing.
    let far = open(&w, id, &monday(&w, 9).to_string()).await;
    change(&w, &far, "this", |input| input.title = "Far".to_owned()).await;
    let rule = match provider {
        Provider::Google => json!(["RRULE:FREQ=DAILY;COUNT=5"]),
        Provider::Microsoft => json!({
            "pattern": { "type": "daily", "interval": 1 },
            "range": { "type": "numbered", "numberOfOccurrences": 5, "startDate": monday(&w, 0) },
        }),
    };
    change_there(&w, &id_of(&series), &json!({ "recurrence": rule }));
    w.sync().await;
    w.sync().await;
    assert_eq!(
        seen(&w).await,
        [
            "0 14:00 Afternoon",
            "1 14:00 Inspection",
            "3 14:00 Afternoon",
            "4 14:00 Afternoon",
            "9 14:00 Far"
        ]
    );
    let kept = exceptions(&w, &there(&w, "Afternoon"));
    assert_eq!(kept.get(&monday(&w, 1).to_string()).unwrap(), "Inspection");
    assert_eq!(kept.get(&monday(&w, 2).to_string()).unwrap(), "-");
    assert_eq!(w.named("Far").len(), 1);

    // The event is deleted: one question about the series, and its occurrences go its way.
    delete_there(&w, &id_of(&series));
    w.sync().await;
    let view = w.port.get_calendar_providers(&w.tess).await.unwrap();
    assert_eq!(view.connections[0].questions.len(), 1);
    w.answer("all", "put_back").await;
    w.drain().await;
    assert_eq!(w.mark(id).await, "synced");
    let back = there(&w, "Afternoon");
    assert_ne!(id_of(&back), id_of(&series));
    let kept = exceptions(&w, &back);
    assert_eq!(kept.get(&monday(&w, 1).to_string()).unwrap(), "Inspection");
    assert_eq!(kept.get(&monday(&w, 2).to_string()).unwrap(), "-");
    delete_there(&w, &id_of(&back));
    w.sync().await;
    w.answer("all", "cancel").await;
    w.drain().await;
    assert_eq!(
        seen(&w).await,
        [
            "0 14:00 Afternoon off",
            "1 14:00 Inspection off",
            "3 14:00 Afternoon off",
            "4 14:00 Afternoon off",
            "9 14:00 Far"
        ]
    );
}

on_both! {
    google_series_go_out_on_sqlite: a_series_goes_out(Sqlite, Google);
    google_series_go_out_on_postgres: a_series_goes_out(Postgres, Google);
    microsoft_series_go_out_on_sqlite: a_series_goes_out(Sqlite, Microsoft);
    microsoft_series_go_out_on_postgres: a_series_goes_out(Postgres, Microsoft);
    google_occurrences_go_out_on_sqlite: occurrences_go_out(Sqlite, Google);
    google_occurrences_go_out_on_postgres: occurrences_go_out(Postgres, Google);
    microsoft_occurrences_go_out_on_sqlite: occurrences_go_out(Sqlite, Microsoft);
    microsoft_occurrences_go_out_on_postgres: occurrences_go_out(Postgres, Microsoft);
    microsoft_rules_stay_whole_on_sqlite: outlook_cannot_say_everything(Sqlite, Microsoft);
    microsoft_rules_stay_whole_on_postgres: outlook_cannot_say_everything(Postgres, Microsoft);
    google_series_come_in_on_sqlite: a_series_comes_in(Sqlite, Google);
    google_series_come_in_on_postgres: a_series_comes_in(Postgres, Google);
    microsoft_series_come_in_on_sqlite: a_series_comes_in(Sqlite, Microsoft);
    microsoft_series_come_in_on_postgres: a_series_comes_in(Postgres, Microsoft);
    google_occurrences_come_in_on_sqlite: occurrences_come_in(Sqlite, Google);
    google_occurrences_come_in_on_postgres: occurrences_come_in(Postgres, Google);
    microsoft_occurrences_come_in_on_sqlite: occurrences_come_in(Sqlite, Microsoft);
    microsoft_occurrences_come_in_on_postgres: occurrences_come_in(Postgres, Microsoft);
    google_series_are_reworded_outside_on_sqlite: a_series_is_reworded_outside(Sqlite, Google);
    google_series_are_reworded_outside_on_postgres: a_series_is_reworded_outside(Postgres, Google);
    microsoft_series_are_reworded_outside_on_sqlite: a_series_is_reworded_outside(Sqlite, Microsoft);
    microsoft_series_are_reworded_outside_on_postgres: a_series_is_reworded_outside(Postgres, Microsoft);
}
