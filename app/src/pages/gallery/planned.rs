//! The schedule: the grid's entries and the agenda's, in every status and with every mark that the edition has.

use daybind_domain::view::{EntryView, PersonView, SyncMark};
use daybind_domain::week_grid::{
    GridChip, GridDay, GridHour, GridMark, GridMore, GridSlot, GridView, Place,
};
use leptos::prelude::*;

use super::sample;
use crate::pages::schedule::{Entry, Here};
use crate::pages::schedule_grid::Grid;
use crate::ui::Section;

const STATUSES: [&str; 3] = ["scheduled", "cancelled", "completed"];
/// Rows of the grid from here on are shown: four hours.
const HOURS: u16 = 4;

fn short(mark: &SyncMark) -> GridMark {
    GridMark {
        state: mark.state.clone(),
        word: mark.word.clone(),
    }
}

fn chip(number: usize, status: &str, mark: Option<GridMark>, place: Place) -> GridChip {
    GridChip {
        entry_id: format!("sample-{number}"),
        part: String::new(),
        title: "Replace the switch".to_owned(),
        time_text: if place.row == 0 {
            "All day"
        } else {
            "09:00 – 10:00"
        }
        .to_owned(),
        status: status.to_owned(),
        mark,
        place,
    }
}

fn at(row: u16, span: u16, lane: u8, lanes: u8) -> Place {
    Place {
        row,
        span,
        lane,
        lanes,
    }
}

/// A week whose days show one thing each: the statuses, what stands side by side, what is too much, an hour that the day does
/// not have, this moment; and the marks, one below the other.
fn week(marks: &[SyncMark]) -> GridView {
    let slots = |date: &str| {
        let slot = |hour: u16| GridSlot {
            row: 1 + 4 * hour,
            span: 4,
            at: format!("{date}T{:02}:00", 8 + hour),
        };
        (0..HOURS).map(slot).collect()
    };
    let mut days: Vec<GridDay> = (1..=7)
        .map(|number: u16| {
            let date = format!("2026-06-{number:02}");
            GridDay {
                slots: slots(&date),
                title: format!("{number} June"),
                date,
                today: number == 3,
                now: (number == 3).then(|| (7, "Now, 09:30".to_owned())),
                missing: if number == 7 {
                    vec![(5, 4)]
                } else {
                    Vec::new()
                },
                whole: Vec::new(),
                chips: Vec::new(),
                more: Vec::new(),
            }
        })
        .collect();
    let mut number = 0;
    let mut next = |status: &str, mark: Option<GridMark>, place: Place| {
        number += 1;
        chip(number, status, mark, place)
    };
    for (day, status) in days.iter_mut().zip(STATUSES) {
        day.whole.push(next(status, None, Place::default()));
        day.chips.push(next(status, None, at(1, 4, 0, 1)));
    }
    days[3].chips.push(next(STATUSES[0], None, at(1, 1, 0, 1)));
    for lane in 0..2 {
        days[3]
            .chips
            .push(next(STATUSES[0], None, at(5, 6, lane, 3)));
    }
    days[3].more.push(GridMore {
        count: 2,
        place: at(5, 6, 2, 3),
    });
    for (index, mark) in marks.iter().enumerate() {
        let row = 1 + 5 * u16::try_from(index % 3).unwrap_or(0);
        let day = &mut days[4 + index / 3];
        day.chips
            .push(next(STATUSES[0], Some(short(mark)), at(row, 5, 0, 1)));
    }
    GridView {
        hours: (0..HOURS)
            .map(|hour| GridHour {
                label: format!("{:02}:00", 8 + hour),
                row: 1 + 4 * hour,
            })
            .collect(),
        days,
        legend: marks.iter().map(short).collect(),
    }
}

fn entry(number: usize, status: &str, sync: Option<SyncMark>) -> EntryView {
    EntryView {
        entry_id: format!("agenda-{number}"),
        version: 1,
        title: format!("Replace switch {number}"),
        notes: String::new(),
        location: "Server room".to_owned(),
        shows: if status == "completed" {
            "free"
        } else {
            "busy"
        }
        .to_owned(),
        private: status != "scheduled",
        all_day: false,
        start_local: "2026-06-03T09:00".to_owned(),
        end_local: "2026-06-03T10:00".to_owned(),
        day: "2026-06-03".to_owned(),
        time_text: "09:00 – 10:00".to_owned(),
        status: status.to_owned(),
        assignees: vec![PersonView {
            user_id: "sample".to_owned(),
            name: "Ada Example".to_owned(),
        }],
        repeat: None,
        part: None,
        sync,
    }
}

pub(super) fn samples(marks: &[SyncMark]) -> AnyView {
    let plain = STATUSES.into_iter().map(|status| (status, None));
    let marked = marks.iter().map(|mark| ("scheduled", Some(mark.clone())));
    let entries: Vec<_> = plain
        .chain(marked)
        .enumerate()
        .map(|(number, (status, sync))| {
            view! { <Entry entry=entry(number + 1, status, sync) here=Here::default()/> }
        })
        .collect();
    let planned = week(marks);
    let grid = view! {
        <Section title="Week" id="week">
            <div class="db-schedule__wide"><Grid grid=planned here=Here::default()/></div>
            <p class="db-schedule__narrow">"The week has no room here: the agenda shows the same."</p>
        </Section>
    };
    let agenda = view! {
        <Section title="Agenda" id="agenda">
            <ol class="db-agenda">
                <li class="db-agenda__day">
                    <h2 class="db-agenda__title"><time datetime="2026-06-03">"Wednesday, 3 June"</time></h2>
                    <ul class="db-agenda__entries">{entries}</ul>
                </li>
                <li class="db-agenda__day">
                    <h2 class="db-agenda__title"><time datetime="2026-06-04">"Thursday, 4 June"</time></h2>
                    <p class="db-agenda__none">"Free"</p>
                </li>
            </ol>
        </Section>
    };
    view! {
        {sample("week", grid.into_any())}
        {sample("agenda", agenda.into_any())}
    }
    .into_any()
}
