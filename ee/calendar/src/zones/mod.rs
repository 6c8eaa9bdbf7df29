//! Windows and IANA zone names, by Unicode CLDR's `windowsZones`.
//!
//! What nobody knows is `None`, never a guess: an event's instants need no name, and a series without one is left alone.

mod aliases;

use aliases::ALIASES;
use chrono::{DateTime, NaiveDate, NaiveTime, Offset as _, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;

/// CLDR's code for the world: the zone a Windows name means where no territory is told.
const WORLD: &str = "001";
/// How Graph names UTC for events made elsewhere (seen as `originalStartTimeZone`). Its sibling `tzone://Microsoft/Custom`
/// names no zone, as does Exchange's "Customized Time Zone".
const EXCHANGE_UTC: &str = "tzone://Microsoft/Utc";

/// The zone of a Windows or IANA name, as written in CLDR or in the time zone database.
#[must_use]
pub fn zone(name: &str) -> Option<Tz> {
    if name == EXCHANGE_UTC {
        return Some(Tz::UTC);
    }
    let iana = localzone::win_zone_to_iana(name, Some(WORLD)).unwrap_or(name);
    iana.parse().ok()
}

/// The Windows name whose clock is this zone's, from that time on: Graph knows all of them, of the IANA names some. `None`
/// where Windows has no such clock (Antarctica/Troll), or CLDR names one that shows another time.
#[must_use]
pub fn graph_name(named: Tz, from: DateTime<Utc>) -> Option<&'static str> {
    let name = ALIASES
        .iter()
        .find(|(alias, _)| *alias == named.name())
        .map_or(named.name(), |(_, known)| known);
    let (windows, _) = localzone::iana_to_win_zone(name)?;
    let main = zone(windows)?;
    let lasting = same_clock(named, main, from) && same_clock(named, main, far_off()?);
    lasting.then_some(windows)
}

/// When every zone keeps to the last rule that is known of it.
fn far_off() -> Option<DateTime<Utc>> {
    Some(
        NaiveDate::from_ymd_opt(2036, 1, 1)?
            .and_time(NaiveTime::MIN)
            .and_utc(),
    )
}

/// Whether both zones show the same time on every day of a year.
#[must_use]
pub fn same_clock(a: Tz, b: Tz, from: DateTime<Utc>) -> bool {
    a == b
        || (0..366).all(|day| {
            let at = (from + TimeDelta::days(day)).naive_utc();
            a.offset_from_utc_datetime(&at).fix() == b.offset_from_utc_datetime(&at).fix()
        })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chrono_tz::TZ_VARIANTS;

    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-11-28T12:00:00Z".parse().unwrap()
    }

    /// Zones without a Windows clock; everything else has one.
    const WITHOUT: [&str; 5] = [
        "America/Coyhaique",
        "America/Scoresbysund",
        "Antarctica/Casey",
        "Antarctica/Troll",
        "Antarctica/Vostok",
    ];

    /// Every zone there is goes out under a Windows name that comes back as the same clock, or under none.
    #[test]
    fn every_zone_has_a_windows_name_with_its_clock_or_none() {
        let mut without = BTreeSet::new();
        let mut windows = BTreeSet::new();
        for named in TZ_VARIANTS {
            match graph_name(named, now()) {
                None => {
                    without.insert(named.name());
                }
                Some(name) => {
                    assert!(
                        same_clock(zone(name).unwrap(), named, now()),
                        "{} {name}",
                        named.name()
                    );
                    windows.insert(name);
                }
            }
        }
        assert_eq!(without, WITHOUT.into_iter().collect());
        // CLDR lists 139; of each, some zone that people live in goes out.
        assert_eq!(windows.len(), 139);
    }

    #[test]
    fn names_that_a_place_had_before_and_has_now_are_one() {
        for (names, windows) in [
            (["Asia/Kolkata", "Asia/Calcutta"], "India Standard Time"),
            (["Europe/Kyiv", "Europe/Kiev"], "FLE Standard Time"),
            (
                ["America/Argentina/Buenos_Aires", "America/Buenos_Aires"],
                "Argentina Standard Time",
            ),
            (["Asia/Kathmandu", "Asia/Katmandu"], "Nepal Standard Time"),
            (["Asia/Ho_Chi_Minh", "Asia/Saigon"], "SE Asia Standard Time"),
            (
                ["Europe/Vienna", "Europe/Berlin"],
                "W. Europe Standard Time",
            ),
            (["US/Eastern", "America/New_York"], "Eastern Standard Time"),
            (["UTC", "Etc/UTC"], "UTC"),
        ] {
            for name in names {
                assert_eq!(
                    graph_name(name.parse().unwrap(), now()),
                    Some(windows),
                    "{name}"
                );
            }
        }
        for (alias, known) in ALIASES {
            assert!(
                localzone::iana_to_win_zone(alias).is_none(),
                "{alias} needs no alias"
            );
            assert!(localzone::iana_to_win_zone(known).is_some(), "{known}");
        }
    }

    #[test]
    fn windows_names_mean_the_zone_of_the_world() {
        for (windows, iana) in [
            ("W. Europe Standard Time", "Europe/Berlin"),
            ("US Mountain Standard Time", "America/Phoenix"),
            ("Aus Central W. Standard Time", "Australia/Eucla"),
            ("Yukon Standard Time", "America/Whitehorse"),
            ("South Sudan Standard Time", "Africa/Juba"),
            ("UTC-02", "Etc/GMT+2"),
            ("UTC", "Etc/UTC"),
            (EXCHANGE_UTC, "UTC"),
            ("Europe/Kyiv", "Europe/Kyiv"),
        ] {
            assert_eq!(zone(windows).map(Tz::name), Some(iana), "{windows}");
        }
        for nobody_knows in [
            "tzone://Microsoft/Custom",
            "Customized Time Zone",
            "Berlin Standard Time",
            "",
        ] {
            assert_eq!(zone(nobody_knows), None, "{nobody_knows}");
        }
    }

    /// Two weeks a year are enough to be another clock.
    #[test]
    fn a_clock_that_is_another_for_a_while_is_another() {
        let [berlin, london, cairo, bucharest] = [
            "Europe/Berlin",
            "Europe/London",
            "Africa/Cairo",
            "Europe/Bucharest",
        ]
        .map(|name| name.parse().unwrap());
        assert!(!same_clock(berlin, london, now()));
        assert!(!same_clock(cairo, bucharest, now()));
        assert!(same_clock(berlin, "Europe/Vienna".parse().unwrap(), now()));
    }
}
