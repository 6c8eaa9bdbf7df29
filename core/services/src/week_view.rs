//! The grid of a week, from its entries.

use std::ops::Range;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use daybind_domain::schedule::When;
use daybind_domain::view::EntryView;
use daybind_domain::week_grid::{
    GridChip, GridDay, GridHour, GridMark, GridMore, GridSlot, GridView, Place,
};

use crate::localtime;
use crate::week_grid::{Axis, DayAxis, arrange, now_text, row, rows};

/// An entry of the week, and when it is.
pub type Planned = (When, EntryView);

/// The grid: entries in order of their begin, times in `zone`.
#[must_use]
pub fn grid(axis: &Axis, planned: &[Planned], zone: Tz, now: DateTime<Utc>) -> GridView {
    let parts: Vec<Vec<(Range<i64>, &EntryView)>> = axis
        .days
        .iter()
        .map(|day| {
            planned
                .iter()
                .filter_map(|(when, view)| Some((part(axis, day, when)?, view)))
                .collect()
        })
        .collect();
    let window = axis.window(parts.iter().flatten().map(|(part, _)| part.clone()));
    let row_of = |minute: i64| row(minute, &window) + 1;
    let rows_of = |part: Range<i64>| rows(&part, &window);
    let hours = axis.hours();
    let inside: Vec<&(i64, i64, bool)> = hours
        .iter()
        .filter(|(minute, ..)| window.contains(minute))
        .collect();
    let mut legend: Vec<GridMark> = planned.iter().filter_map(|(_, view)| mark(view)).collect();
    legend.sort_by(|a, b| a.state.cmp(&b.state));
    legend.dedup();
    let days = axis.days.iter().zip(&parts).map(|(day, parts)| {
        let missing = axis.missing(day);
        let places: Vec<Range<u16>> = parts
            .iter()
            .map(|(part, _)| rows_of(part.clone()))
            .collect();
        let arranged = arrange(&places);
        let today = now.with_timezone(&zone).date_naive() == day.date;
        let minute = axis.minute(day, now, false);
        GridDay {
            date: day.date.to_string(),
            title: localtime::day(day.date, "%a %-d %b", "%a, %-d. %b"),
            today,
            now: (today && window.contains(&minute)).then(|| (row_of(minute), now_text(now, zone))),
            slots: slots(&inside, &window, &missing, day),
            missing: missing
                .iter()
                .map(|part| part.start.max(window.start)..part.end.min(window.end))
                .filter(|part| part.start < part.end)
                .map(|part| {
                    let rows = rows_of(part);
                    (rows.start + 1, rows.end - rows.start)
                })
                .collect(),
            whole: planned
                .iter()
                .filter(|(when, _)| match when {
                    When::AllDay { start, end } => (*start..*end).contains(&day.date),
                    When::Timed { .. } => false,
                })
                .map(|(_, view)| chip(view, Place::default()))
                .collect(),
            chips: parts
                .iter()
                .zip(&arranged.places)
                .filter_map(|((_, view), place)| Some(chip(view, (*place)?)))
                .collect(),
            more: arranged
                .more
                .iter()
                .map(|(count, place)| GridMore {
                    count: *count,
                    place: *place,
                })
                .collect(),
        }
    });
    let days = days.collect();
    GridView {
        hours: inside
            .iter()
            .map(|(minute, hour, _)| GridHour {
                label: format!("{hour:02}:00"),
                row: row_of(*minute),
            })
            .collect(),
        days,
        legend,
    }
}

/// The stretch of the axis that an entry with times has on a day.
fn part(axis: &Axis, day: &DayAxis, when: &When) -> Option<Range<i64>> {
    let When::Timed { start, end, .. } = when else {
        return None;
    };
    if *start >= day.instants.end || *end <= day.instants.start {
        return None;
    }
    Some(axis.minute(day, *start, false)..axis.minute(day, *end, true))
}

/// The hours of a day that an entry can begin at: typed times mean the first of two equal hours, so the second has no link.
fn slots(
    hours: &[&(i64, i64, bool)],
    window: &Range<i64>,
    missing: &[Range<i64>],
    day: &DayAxis,
) -> Vec<GridSlot> {
    let ends = hours.iter().skip(1).map(|(minute, ..)| *minute);
    hours
        .iter()
        .zip(ends.chain([window.end]))
        .filter(|((minute, _, again), _)| {
            !again && !missing.iter().any(|part| part.contains(minute))
        })
        .map(|((minute, hour, _), end)| {
            let rows = rows(&(*minute..end), window);
            GridSlot {
                row: rows.start + 1,
                span: rows.end - rows.start,
                at: format!("{}T{hour:02}:00", day.date),
            }
        })
        .collect()
}

fn mark(view: &EntryView) -> Option<GridMark> {
    view.sync.as_ref().map(|mark| GridMark {
        state: mark.state.clone(),
        word: mark.word.clone(),
    })
}

fn chip(view: &EntryView, place: Place) -> GridChip {
    GridChip {
        entry_id: view.entry_id.clone(),
        part: view
            .part
            .as_ref()
            .map(|part| part.day.clone())
            .unwrap_or_default(),
        title: view.title.clone(),
        time_text: view.time_text.clone(),
        status: view.status.clone(),
        mark: mark(view),
        place,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::localtime;

    fn axis(day: &str, zone: Tz) -> Axis {
        Axis::new(localtime::monday(day.parse().unwrap()), zone)
    }

    fn view(id: &str) -> EntryView {
        EntryView {
            entry_id: id.to_owned(),
            version: 1,
            title: format!("Title {id}"),
            notes: String::new(),
            location: String::new(),
            shows: "busy".to_owned(),
            private: false,
            all_day: false,
            start_local: String::new(),
            end_local: String::new(),
            day: String::new(),
            time_text: String::new(),
            status: "scheduled".to_owned(),
            assignees: Vec::new(),
            repeat: None,
            part: None,
            sync: None,
        }
    }

    fn timed(id: &str, start: &str, end: &str) -> Planned {
        let when = When::Timed {
            start: start.parse().unwrap(),
            end: end.parse().unwrap(),
            zone: "Europe/Berlin".to_owned(),
        };
        (when, view(id))
    }

    fn places(day: &GridDay) -> Vec<(&str, u16, u16)> {
        day.chips
            .iter()
            .map(|chip| (chip.entry_id.as_str(), chip.place.row, chip.place.span))
            .collect()
    }

    #[test]
    fn an_entry_over_midnight_is_on_both_days() {
        let zone = localtime::zone("Europe/Berlin");
        let axis = axis("2026-11-24", zone);
        let planned = [
            timed("night", "2026-11-24T22:00:00Z", "2026-11-25T01:30:00Z"),
            timed("day", "2026-11-24T08:00:00Z", "2026-11-24T09:00:00Z"),
        ];
        let grid = grid(
            &axis,
            &planned,
            zone,
            "2026-11-25T08:35:00Z".parse().unwrap(),
        );
        // The whole day is shown.
        assert_eq!(grid.hours.len(), 24);
        assert_eq!(places(&grid.days[1]), [("night", 93, 4), ("day", 37, 4)]);
        assert_eq!(places(&grid.days[2]), [("night", 1, 10)]);
        assert_eq!(
            grid.days.iter().map(|day| day.today).collect::<Vec<_>>(),
            [false, false, true, false, false, false, false]
        );
        // 09:35 stands in the row that begins at 09:30.
        assert_eq!(grid.days[2].now, Some((39, "Now, 09:35".to_owned())));
    }

    #[test]
    fn whole_days_stand_above_on_each_of_them() {
        let zone = localtime::zone("America/New_York");
        let axis = axis("2026-11-24", zone);
        let when = When::AllDay {
            start: "2026-11-22".parse().unwrap(),
            end: "2026-11-25".parse().unwrap(),
        };
        let now = "2026-11-01T08:35:00Z".parse().unwrap();
        let grid = grid(&axis, &[(when, view("fair"))], zone, now);
        let whole: Vec<usize> = grid.days.iter().map(|day| day.whole.len()).collect();
        assert_eq!(whole, [1, 1, 0, 0, 0, 0, 0]);
        assert_eq!(grid.days[0].slots.len(), 12);
        assert_eq!(grid.days[0].slots[0].at, "2026-11-23T07:00");
        assert!(grid.days.iter().all(|day| day.now.is_none() && !day.today));
    }

    #[test]
    fn on_the_day_the_clocks_go_back_the_second_hour_has_its_own_rows() {
        let zone = localtime::zone("Europe/Berlin");
        let axis = axis("2026-10-25", zone);
        let planned = [timed(
            "twice",
            "2026-10-25T00:30:00Z",
            "2026-10-25T01:30:00Z",
        )];
        let grid = grid(
            &axis,
            &planned,
            zone,
            "2026-10-01T00:00:00Z".parse().unwrap(),
        );
        // From 02:30 to 02:30: an hour long. The week begins at 02:00.
        assert_eq!(places(&grid.days[6]), [("twice", 3, 4)]);
        assert_eq!(grid.hours[0].label, "02:00");
        assert_eq!(
            (grid.hours[1].label.as_str(), grid.hours[1].row),
            ("02:00", 5)
        );
        assert_eq!(grid.days[0].missing, [(5, 4)]);
        assert!(grid.days[6].missing.is_empty());
        // Typed times mean the first 02:00.
        let offered = |day: &GridDay| {
            day.slots
                .iter()
                .filter(|s| s.at.ends_with("T02:00"))
                .count()
        };
        assert_eq!((offered(&grid.days[0]), offered(&grid.days[6])), (1, 1));
    }
}
