use chrono::TimeZone;
use proptest::prelude::*;

use super::*;

fn axis(monday: &str, zone: &str) -> Axis {
    Axis::new(monday.parse().unwrap(), localtime::zone(zone))
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[test]
fn an_hour_that_comes_twice_is_on_the_axis_twice() {
    let axis = axis("2026-10-19", "Europe/Berlin");
    assert_eq!(axis.length(), 25 * 60);
    let sunday = &axis.days[6];
    // 02:30 of summer, 02:30 of winter, 03:00.
    for (text, minute) in [
        ("2026-10-25T00:30:00Z", 150),
        ("2026-10-25T01:00:00Z", 180),
        ("2026-10-25T01:30:00Z", 210),
        ("2026-10-25T02:00:00Z", 240),
    ] {
        assert_eq!(axis.minute(sunday, at(text), false), minute, "{text}");
    }
    assert!(axis.missing(sunday).is_empty());
    // On other days the second one is missing, and equal times stand side by side.
    let monday = &axis.days[0];
    assert_eq!(axis.missing(monday), vec![180..240; 1]);
    assert_eq!(axis.minute(monday, at("2026-10-19T07:00:00Z"), false), 600);
    assert_eq!(axis.minute(sunday, at("2026-10-25T08:00:00Z"), false), 600);
    // What ends where the missing hour begins does not reach over it.
    assert_eq!(axis.minute(monday, at("2026-10-19T01:00:00Z"), true), 180);
    assert_eq!(axis.minute(monday, at("2026-10-19T01:00:00Z"), false), 240);
    let second: Vec<_> = axis.hours().into_iter().filter(|hour| hour.2).collect();
    assert_eq!(second, [(180, 2, true)]);
    assert_eq!(axis.hours().len(), 25);
}

#[test]
fn a_skipped_hour_is_missing_on_its_day_only() {
    let axis = axis("2026-03-23", "Europe/Berlin");
    assert_eq!(axis.length(), 24 * 60);
    assert_eq!(axis.missing(&axis.days[6]), vec![120..180; 1]);
    assert!(
        axis.days[..6]
            .iter()
            .all(|day| axis.missing(day).is_empty())
    );
    let sunday = &axis.days[6];
    assert_eq!(axis.minute(sunday, at("2026-03-29T00:59:00Z"), false), 119);
    assert_eq!(axis.minute(sunday, at("2026-03-29T01:00:00Z"), false), 180);
}

#[test]
fn zones_with_odd_turns_have_their_days_too() {
    // Half an hour.
    let howe = axis("2026-03-30", "Australia/Lord_Howe");
    assert_eq!(howe.length(), 24 * 60 + 30);
    // Midnight is skipped: Beirut, 29 March 2026.
    let beirut = axis("2026-03-23", "Asia/Beirut");
    assert_eq!(beirut.missing(&beirut.days[6]), vec![0..60; 1]);
    // A whole day is left out: Samoa, 30 December 2011.
    let apia = axis("2011-12-26", "Pacific/Apia");
    assert_eq!(apia.missing(&apia.days[4]), vec![0..1440; 1]);
    assert!(apia.missing(&apia.days[3]).is_empty() && apia.missing(&apia.days[5]).is_empty());
}

#[test]
fn the_window_has_the_working_hours_and_what_is_planned() {
    let axis = axis("2026-11-23", "Europe/Berlin");
    assert_eq!(axis.window(std::iter::empty()), 420..1140);
    assert_eq!(axis.window([390..400, 1150..1441].into_iter()), 360..1440);
}

#[test]
fn what_overlaps_stands_side_by_side_and_the_rest_is_counted() {
    let place = |row, span, lane, lanes| {
        Some(Place {
            row,
            span,
            lane,
            lanes,
        })
    };
    let two = arrange(&[0..4, 2..6, 6..8]);
    assert_eq!(
        two.places,
        [place(1, 4, 0, 2), place(3, 4, 1, 2), place(7, 2, 0, 1)]
    );
    assert!(two.more.is_empty());
    let five = arrange(&[0..4, 0..4, 0..4, 0..4, 2..8]);
    assert_eq!(five.places.iter().flatten().count(), 2);
    assert_eq!(
        five.more,
        [(
            3,
            Place {
                row: 1,
                span: 8,
                lane: 2,
                lanes: 3
            }
        )]
    );
}

fn parts() -> impl Strategy<Value = Vec<Range<u16>>> {
    prop::collection::vec((0_u16..90, 1_u16..18), 0..24).prop_map(|all| {
        all.into_iter()
            .map(|(start, length)| start..start + length)
            .collect()
    })
}

proptest! {
    /// Nothing covers anything, everything is shown or counted, and what is shown keeps its rows.
    #[test]
    fn nothing_covers_anything_and_nothing_is_lost(parts in parts()) {
        let arranged = arrange(&parts);
        let shown = arranged.places.iter().flatten().count();
        let counted: u32 = arranged.more.iter().map(|(count, _)| count).sum();
        prop_assert_eq!(shown + usize::try_from(counted).unwrap(), parts.len());
        for (part, place) in parts.iter().zip(&arranged.places) {
            if let Some(place) = place {
                prop_assert_eq!((place.row, place.span), (part.start + 1, part.end - part.start));
            }
        }
        let all: Vec<Place> = arranged.places.iter().flatten().copied()
            .chain(arranged.more.iter().map(|(_, place)| *place)).collect();
        // Six columns: each place takes its share of them.
        let columns = |place: &Place| {
            let width = 6 / u16::from(place.lanes);
            let first = u16::from(place.lane) * width;
            first..first + width
        };
        let meet = |a: Range<u16>, b: Range<u16>| a.start < b.end && b.start < a.end;
        for (index, one) in all.iter().enumerate() {
            prop_assert!(one.lane < one.lanes && one.lanes <= LANES_MAX);
            for other in &all[index + 1..] {
                let rows = meet(one.row..one.row + one.span, other.row..other.row + other.span);
                prop_assert!(!(rows && meet(columns(one), columns(other))), "{one:?} {other:?}");
            }
        }
    }

    /// On every day of every zone the axis goes on as the time does, as fast, and leaves out what the day does not have.
    #[test]
    fn the_axis_is_as_long_as_the_day(
        zone in prop::sample::select(vec!["Europe/Berlin", "America/New_York", "America/Havana",
            "Asia/Beirut", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia", "UTC"]),
        week in 0_u64..1100,
        minutes in prop::collection::vec(0_i64..1500, 2..6),
    ) {
        let monday = NaiveDate::from_ymd_opt(2010, 1, 4).unwrap() + Days::new(7 * week);
        let axis = Axis::new(monday, localtime::zone(zone));
        prop_assert_eq!(axis.days.len(), 7);
        for day in &axis.days {
            let length = (day.instants.end - day.instants.start).num_minutes();
            let missing: i64 = axis.missing(day).iter().map(|part| part.end - part.start).sum();
            prop_assert_eq!(length + missing, axis.length(), "{} {}", zone, day.date);
            let mut minutes = minutes.clone();
            minutes.sort_unstable();
            let placed: Vec<i64> = minutes.iter()
                .map(|minute| axis.minute(day, day.instants.start + Duration::minutes(*minute), false))
                .collect();
            prop_assert!(placed.is_sorted(), "{placed:?}");
            prop_assert!(placed.iter().all(|minute| (0..=axis.length()).contains(minute)));
        }
        for pair in axis.days.windows(2) {
            prop_assert_eq!(pair[0].instants.end, pair[1].instants.start);
        }
    }

    /// Rows are inside the grid, and never fewer than text needs.
    #[test]
    fn rows_stay_inside(start in 420_i64..1140, length in 1_i64..700) {
        let window = 420..1140;
        let rows = rows(&(start..(start + length).min(1140)), &window);
        prop_assert!(rows.end <= 48 && rows.end - rows.start >= 2, "{rows:?}");
        prop_assert!(i64::from(rows.start) * 15 + 420 <= start);
    }
}

#[test]
fn now_is_said_in_the_readers_time() {
    let at = Utc.with_ymd_and_hms(2026, 11, 24, 8, 5, 0).unwrap();
    assert_eq!(now_text(at, localtime::zone("Europe/Berlin")), "Now, 09:05");
}
