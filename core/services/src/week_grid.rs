//! Where things stand in the grid of a week.
//!
//! All seven days share one axis of wall-clock time, in minutes. Where a day of the week has an hour twice, the axis has it
//! twice, and the other days miss the second one; where a day skips an hour, that day misses it. So an hour is as tall as
//! it is long on every day, and equal times stand side by side.

use std::ops::Range;

use chrono::{DateTime, Days, Duration, NaiveDate, NaiveTime, Timelike, Utc};
use chrono_tz::Tz;
use daybind_domain::week_grid::{LANES_MAX, Place, ROW_MINUTES, ROWS_MAX};
use daybind_words::t;

use crate::localtime;

const DAY: i64 = 24 * 60;
/// The hours that are always shown, in minutes; entries outside them make the grid taller.
const SHOWN: Range<i64> = 7 * 60..19 * 60;
/// The fewest rows of an entry: one line of text, and a target of 24 px.
const SPAN_MIN: u16 = 2;

/// One day of the axis.
#[derive(Debug, Clone)]
pub struct DayAxis {
    /// The day.
    pub date: NaiveDate,
    /// Its first instant and the first one after it; equal where the zone leaves the day out.
    pub instants: Range<DateTime<Utc>>,
    turn: Option<Turn>,
}

/// The clocks are set: at that instant from one minute of the day to another one.
#[derive(Debug, Clone, Copy)]
struct Turn {
    at: DateTime<Utc>,
    from: i64,
    to: i64,
}

/// The axis of a week in a zone.
#[derive(Debug, Clone)]
pub struct Axis {
    zone: Tz,
    /// Monday to Sunday.
    pub days: Vec<DayAxis>,
    /// Where clocks are set back: the minutes that come twice. They come again right after.
    twice: Option<Range<i64>>,
}

impl Axis {
    /// The axis of the week that begins on that Monday.
    #[must_use]
    pub fn new(monday: NaiveDate, zone: Tz) -> Self {
        let days: Vec<DayAxis> = (0..7)
            .filter_map(|offset| monday.checked_add_days(Days::new(offset)))
            .map(|date| day_axis(date, zone))
            .collect();
        let twice = days
            .iter()
            .filter_map(|day| day.turn)
            .find(|turn| turn.to < turn.from)
            .map(|turn| turn.to..turn.from);
        Self { zone, days, twice }
    }

    fn extra(&self) -> i64 {
        self.twice
            .as_ref()
            .map_or(0, |twice| twice.end - twice.start)
    }

    /// How long it is, in minutes.
    #[must_use]
    pub fn length(&self) -> i64 {
        DAY + self.extra()
    }

    /// Where a minute of the wall clock stands on a day that has it once; `end` for what ends there.
    fn stands(&self, wall: i64, end: bool) -> i64 {
        match &self.twice {
            Some(twice) if wall > twice.end || (wall == twice.end && !end) => wall + self.extra(),
            _ => wall,
        }
    }

    /// Where an instant stands, in minutes from the axis' begin; `end` for the end of something. What lies outside the day
    /// stands at its edge.
    #[must_use]
    pub fn minute(&self, day: &DayAxis, at: DateTime<Utc>, end: bool) -> i64 {
        if at >= day.instants.end {
            return self.length();
        }
        let at = at.max(day.instants.start);
        let wall = wall_minute(day.date, at, self.zone);
        match day.turn {
            Some(turn) if turn.to < turn.from => {
                if at >= turn.at {
                    wall + (turn.from - turn.to)
                } else {
                    wall
                }
            }
            _ => self.stands(wall, end),
        }
    }

    /// The stretches of the axis that a day does not have.
    #[must_use]
    pub fn missing(&self, day: &DayAxis) -> Vec<Range<i64>> {
        if day.instants.is_empty() {
            return std::iter::once(0..self.length()).collect();
        }
        let mut missing = Vec::new();
        let begins = wall_minute(day.date, day.instants.start, self.zone);
        if begins > 0 {
            missing.push(0..self.stands(begins, true));
        }
        let back = match day.turn {
            Some(turn) if turn.from < turn.to => {
                missing.push(self.stands(turn.from, false)..self.stands(turn.to, true));
                false
            }
            turn => turn.is_some(),
        };
        if let Some(twice) = self.twice.as_ref().filter(|_| !back) {
            missing.push(twice.end..twice.end + self.extra());
        }
        missing.retain(|stretch| !stretch.is_empty());
        missing
    }

    /// The hours: where each begins and its wall-clock hour, and whether it comes for the second time.
    #[must_use]
    pub fn hours(&self) -> Vec<(i64, i64, bool)> {
        let mut hours: Vec<(i64, i64, bool)> = (0..24)
            .map(|hour| (self.stands(hour * 60, false), hour, false))
            .collect();
        if let Some(twice) = &self.twice {
            let again = (0..24).filter(|hour| twice.contains(&(hour * 60)));
            hours.extend(again.map(|hour| (hour * 60 + self.extra(), hour, true)));
        }
        hours.sort_unstable();
        hours
    }

    /// The part of the axis that is shown, in whole hours: working hours and whatever is planned outside them.
    #[must_use]
    pub fn window(&self, planned: impl Iterator<Item = Range<i64>>) -> Range<i64> {
        let first = self.stands(SHOWN.start, false);
        let last = self.stands(SHOWN.end, true);
        let (mut from, mut to) = (first, last);
        for part in planned {
            from = from.min(part.start);
            to = to.max(part.end);
        }
        let marks: Vec<i64> = self
            .hours()
            .into_iter()
            .map(|(minute, ..)| minute)
            .chain([self.length()])
            .collect();
        let begin = marks.iter().rev().find(|mark| **mark <= from).copied();
        let end = marks.iter().find(|mark| **mark >= to).copied();
        begin.unwrap_or(0)..end.unwrap_or_else(|| self.length())
    }
}

fn wall_minute(date: NaiveDate, at: DateTime<Utc>, zone: Tz) -> i64 {
    (at.with_timezone(&zone).naive_local() - date.and_time(NaiveTime::MIN))
        .num_minutes()
        .clamp(0, DAY)
}

/// The first instant of a day; of one that its zone leaves out (Samoa, 30 December 2011), that of the next day.
fn begin(date: NaiveDate, zone: Tz) -> DateTime<Utc> {
    localtime::start_of_day(date, zone)
        .or_else(|| localtime::start_of_day(date.succ_opt()?, zone))
        .unwrap_or_else(|| date.and_time(NaiveTime::MIN).and_utc())
}

fn day_axis(date: NaiveDate, zone: Tz) -> DayAxis {
    let next = date.succ_opt().unwrap_or(date);
    let start = begin(date, zone);
    let end = begin(next, zone).max(start);
    DayAxis {
        date,
        turn: turn(date, start, end, zone),
        instants: start..end,
    }
}

/// The turn of the clocks between two instants, to the minute; days with two turns are unknown.
fn turn(date: NaiveDate, start: DateTime<Utc>, end: DateTime<Utc>, zone: Tz) -> Option<Turn> {
    let wall = |at: DateTime<Utc>| {
        (at.with_timezone(&zone).naive_local() - date.and_time(NaiveTime::MIN)).num_minutes()
    };
    // How far the wall clock is ahead of the time that has passed.
    let ahead = |minutes: i64| wall(start + Duration::minutes(minutes)) - minutes;
    let last = (end - start).num_minutes() - 1;
    if last < 1 || ahead(0) == ahead(last) {
        return None;
    }
    let (mut before, mut after) = (0, last);
    while after - before > 1 {
        let middle = i64::midpoint(before, after);
        if ahead(middle) == ahead(0) {
            before = middle;
        } else {
            after = middle;
        }
    }
    Some(Turn {
        at: start + Duration::minutes(after),
        from: ahead(0) + after,
        to: ahead(after) + after,
    })
}

/// The row, from 0, that a minute of the axis is in.
#[must_use]
pub fn row(minute: i64, window: &Range<i64>) -> u16 {
    let minutes = (minute - window.start).max(0);
    u16::try_from(minutes / i64::from(ROW_MINUTES)).unwrap_or(u16::MAX)
}

/// The rows, from 0, of a stretch of the axis: whole ones, never fewer than a line of text needs.
#[must_use]
pub fn rows(part: &Range<i64>, window: &Range<i64>) -> Range<u16> {
    let step = i64::from(ROW_MINUTES);
    let count = |minutes: i64| u16::try_from(minutes.max(0)).unwrap_or(u16::MAX);
    let all = count((window.end - window.start + step - 1) / step).min(ROWS_MAX);
    let first = row(part.start, window).min(all.saturating_sub(SPAN_MIN));
    let last = count((part.end - window.start + step - 1) / step);
    first
        ..last.clamp(
            (first + SPAN_MIN).min(all.max(first + 1)),
            all.max(first + 1),
        )
}

/// Where the things of one day stand, so that none covers another one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Arranged {
    /// For each, its place; `None` for those only counted.
    pub places: Vec<Option<Place>>,
    /// How many are only counted, and where it says so.
    pub more: Vec<(u32, Place)>,
}

/// Puts what overlaps side by side: whoever begins first stands first, the longer one before the shorter. Things of a
/// group that needs more than [`LANES_MAX`] places share the last place, which counts them.
#[must_use]
pub fn arrange(parts: &[Range<u16>]) -> Arranged {
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|&index| {
        (
            parts[index].start,
            std::cmp::Reverse(parts[index].end),
            index,
        )
    });
    let mut arranged = Arranged {
        places: vec![None; parts.len()],
        more: Vec::new(),
    };
    let mut group: Vec<(usize, usize)> = Vec::new();
    let mut ends: Vec<u16> = Vec::new();
    for index in order {
        let part = &parts[index];
        if ends.iter().all(|end| *end <= part.start) {
            settle(&mut arranged, parts, &group, ends.len());
            group.clear();
            ends.clear();
        }
        let lane = ends
            .iter()
            .position(|end| *end <= part.start)
            .unwrap_or_else(|| {
                ends.push(0);
                ends.len() - 1
            });
        ends[lane] = part.end;
        group.push((index, lane));
    }
    settle(&mut arranged, parts, &group, ends.len());
    arranged
}

/// Gives a group of overlapping things its places.
fn settle(arranged: &mut Arranged, parts: &[Range<u16>], group: &[(usize, usize)], needed: usize) {
    let most = usize::from(LANES_MAX);
    let lanes = u8::try_from(needed.min(most)).unwrap_or(LANES_MAX);
    let place = |part: &Range<u16>, lane: u8| Place {
        row: part.start + 1,
        span: part.end - part.start,
        lane,
        lanes,
    };
    // (rows, how many)
    let mut counted: Vec<(Range<u16>, u32)> = Vec::new();
    for &(index, lane) in group {
        let part = &parts[index];
        if needed <= most || lane + 1 < most {
            let lane = u8::try_from(lane).unwrap_or(LANES_MAX - 1);
            arranged.places[index] = Some(place(part, lane));
            continue;
        }
        // The group is in order of its begins: what touches the last count joins it.
        match counted.last_mut().filter(|(rows, _)| part.start < rows.end) {
            Some((rows, count)) => {
                rows.end = rows.end.max(part.end);
                *count += 1;
            }
            None => counted.push((part.clone(), 1)),
        }
    }
    arranged.more.extend(
        counted
            .iter()
            .map(|(rows, count)| (*count, place(rows, LANES_MAX - 1))),
    );
}

/// "09:30" of an instant, for the reader.
#[must_use]
pub fn now_text(at: DateTime<Utc>, zone: Tz) -> String {
    let local = at.with_timezone(&zone);
    t!("Now, {:02}:{:02}", local.hour(), local.minute())
}

#[cfg(test)]
#[path = "week_grid/tests.rs"]
mod tests;
