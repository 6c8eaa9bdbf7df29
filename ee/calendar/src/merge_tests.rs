//! The decisions, case by case and for any contents.

use super::*;
use chrono::{TimeDelta, TimeZone};
use daybind_domain::schedule::ShowAs;
use proptest::prelude::*;

fn content(title: &str, notes: &str, location: &str, hour: u32) -> EntryContent {
    EntryContent {
        title: title.to_owned(),
        notes: notes.to_owned(),
        location: location.to_owned(),
        when: When::Timed {
            start: Utc.with_ymd_and_hms(2026, 11, 24, hour, 0, 0).unwrap(),
            end: Utc.with_ymd_and_hms(2026, 11, 24, hour + 1, 0, 0).unwrap(),
            zone: "Europe/Berlin".to_owned(),
        },
        repeats: None,
        shows: ShowAs::Busy,
        private: false,
        status: EntryStatus::Scheduled,
    }
}

fn rules(policy: Policy, flow: Flow) -> Rules {
    let local_at = Utc.with_ymd_and_hms(2026, 11, 20, 8, 0, 0).unwrap();
    Rules {
        policy,
        flow,
        local_at,
        remote_at: Some(local_at + TimeDelta::seconds(1)),
    }
}

const ASK: (Policy, Flow) = (Policy::Ask, Flow::Both);

fn any_content() -> impl Strategy<Value = EntryContent> {
    let rules =
        proptest::sample::select(&[None, Some("FREQ=DAILY"), Some("FREQ=DAILY;COUNT=3")][..]);
    let marks = (proptest::bool::ANY, proptest::bool::ANY);
    ("[ab]", "[ab]", "[ab]", 8_u32..10, rules, marks).prop_map(
        |(t, n, l, h, rule, (free, private))| EntryContent {
            repeats: rule.map(|text| text.parse().unwrap()),
            shows: if free { ShowAs::Free } else { ShowAs::Busy },
            private,
            ..content(&t, &n, &l, h)
        },
    )
}

fn any_rules() -> impl Strategy<Value = Rules> {
    let policy = proptest::sample::select(&Policy::ALL[..]);
    let flow = proptest::sample::select(&[Flow::Both, Flow::Out, Flow::In][..]);
    let age = proptest::option::of(-2_i64..3);
    (policy, flow, age).prop_map(|(policy, flow, age)| {
        let mut made = rules(policy, flow);
        made.remote_at = age.map(|age| made.local_at + TimeDelta::seconds(age));
        made
    })
}

#[test]
fn changes_of_different_fields_meet() {
    let base = content("a", "a", "a", 8);
    let local = content("b", "a", "a", 8);
    let remote = content("a", "a", "b", 9);
    let outcome = decide(Some(&base), &local, &remote, &rules(ASK.0, ASK.1));
    assert_eq!(outcome.local, content("b", "a", "b", 9));
    assert_eq!(outcome.local, outcome.remote);
    assert!(outcome.apply && outcome.push && outcome.conflicts.is_empty());
}

/// Both have two values only: with a base, whoever changed one says what the other side would have said.
#[test]
fn availability_and_privacy_are_never_in_dispute() {
    let base = content("a", "a", "a", 8);
    for (local, remote) in [(false, true), (true, false), (true, true)] {
        let with = |changed| EntryContent {
            shows: if changed { ShowAs::Free } else { ShowAs::Busy },
            private: changed,
            ..base.clone()
        };
        let outcome = decide(
            Some(&base),
            &with(local),
            &with(remote),
            &rules(ASK.0, ASK.1),
        );
        assert_eq!(
            (&outcome.local, &outcome.remote),
            (&with(true), &with(true))
        );
        assert!(outcome.conflicts.is_empty());
    }
    // Without one nobody knows who changed it.
    let free = EntryContent {
        shows: ShowAs::Free,
        ..base.clone()
    };
    let outcome = decide(None, &base, &free, &rules(ASK.0, ASK.1));
    assert_eq!(outcome.conflicts, [Field::Shows]);
}

/// W8: a rule from here and a first occurrence from there would be a series that neither side meant.
#[test]
fn time_and_rule_of_a_series_go_together() {
    let series = |rule: &str, hour| EntryContent {
        repeats: Some(rule.parse().unwrap()),
        ..content("a", "a", "a", hour)
    };
    let base = series("FREQ=WEEKLY;BYDAY=TU", 8);
    let local = series("FREQ=DAILY", 8);
    let remote = series("FREQ=WEEKLY;BYDAY=TU", 9);
    let outcome = decide(Some(&base), &local, &remote, &rules(ASK.0, ASK.1));
    assert_eq!(outcome.conflicts, [Field::When, Field::Repeat]);
    assert!(!outcome.apply && !outcome.push);
    for (policy, winner) in [(Policy::Schedule, &local), (Policy::Calendar, &remote)] {
        let outcome = decide(Some(&base), &local, &remote, &rules(policy, Flow::Both));
        assert_eq!((&outcome.local, &outcome.remote), (winner, winner));
    }
    // One side alone, and a title from the other: both arrive.
    let named = EntryContent {
        title: "b".to_owned(),
        ..base.clone()
    };
    let outcome = decide(Some(&base), &named, &local, &rules(ASK.0, ASK.1));
    assert_eq!(outcome.local.repeats, local.repeats);
    assert_eq!(outcome.remote.title, "b");
}

/// M-32: no silent overwrite. The predecessor pushed, then pulled, and the last writer won (W5).
#[test]
fn asking_overwrites_neither_side() {
    let base = content("a", "a", "a", 8);
    let local = content("b", "a", "a", 8);
    let remote = content("c", "a", "a", 8);
    let outcome = decide(Some(&base), &local, &remote, &rules(ASK.0, ASK.1));
    assert_eq!(outcome.conflicts, [Field::Title]);
    assert!(!outcome.apply && !outcome.push);
    assert_eq!(outcome.base, base);
}

#[test]
fn each_policy_settles_a_conflict_its_way() {
    let base = content("a", "a", "a", 8);
    let local = content("b", "a", "a", 8);
    let remote = content("c", "a", "a", 8);
    let mut newest = rules(Policy::Newest, Flow::Both);
    let title = |rules: &Rules| {
        let outcome = decide(Some(&base), &local, &remote, rules);
        assert!(outcome.conflicts.is_empty());
        assert_eq!(outcome.local, outcome.remote);
        outcome.local.title
    };
    assert_eq!(title(&rules(Policy::Schedule, Flow::Both)), "b");
    assert_eq!(title(&rules(Policy::Calendar, Flow::Both)), "c");
    assert_eq!(title(&newest), "c");
    newest.remote_at = Some(newest.local_at);
    assert_eq!(title(&newest), "b", "the schedule on a tie");
    newest.remote_at = None;
    assert_eq!(
        title(&newest),
        "b",
        "the schedule when the provider is silent"
    );
}

/// W4: "to calendar only" protects the schedule whatever happens in the calendar.
#[test]
fn one_way_connections_never_change_their_source() {
    let base = content("a", "a", "a", 8);
    let (local, remote) = (content("b", "a", "a", 8), content("a", "c", "a", 9));
    for policy in Policy::ALL {
        let out = decide(Some(&base), &local, &remote, &rules(policy, Flow::Out));
        assert!(!out.apply && out.push && out.remote == local);
        let inward = decide(Some(&base), &local, &remote, &rules(policy, Flow::In));
        assert!(!inward.push && inward.apply);
        assert_eq!(inward.local, content("b", "c", "a", 9));
    }
}

/// W1, W3: a deletion in one technician's calendar never ends what others work on.
#[test]
fn deletions_respect_the_others_and_the_policy() {
    for policy in DeletionPolicy::ALL {
        for flow in [Flow::Both, Flow::In] {
            assert_eq!(decide_deletion(flow, policy, true), Deletion::TakeOff);
        }
        for others in [true, false] {
            assert_eq!(
                decide_deletion(Flow::Out, policy, others),
                Deletion::PutBack
            );
        }
        assert_eq!(DeletionPolicy::parse(policy.as_str()), Some(policy));
    }
    let sole = |policy| decide_deletion(Flow::Both, policy, false);
    assert_eq!(sole(DeletionPolicy::default()), Deletion::Ask);
    assert_eq!(sole(DeletionPolicy::Cancel), Deletion::Cancel);
    assert_eq!(sole(DeletionPolicy::PutBack), Deletion::PutBack);
}

/// W2: more than five and more than a tenth.
#[test]
fn the_brake_takes_the_larger_of_five_and_a_tenth() {
    assert!(!brakes(5, 5) && brakes(6, 6));
    assert!(!brakes(10, 100) && brakes(11, 100));
    assert!(!brakes(0, 0));
}

proptest! {
    #[test]
    fn both_sides_converge_except_where_somebody_must_decide(
        base in proptest::option::of(any_content()), local in any_content(), remote in any_content(),
        rules in any_rules(),
    ) {
        let outcome = decide(base.as_ref(), &local, &remote, &rules);
        let left = differing(&outcome.local, &outcome.remote);
        match rules.flow {
            Flow::In => prop_assert!(!outcome.push && outcome.conflicts.is_empty()),
            Flow::Out => prop_assert!(!outcome.apply && left.is_empty()),
            // Of a series in dispute both halves are, also where they happen to say the same.
            Flow::Both => {
                let halves = [Field::When, Field::Repeat];
                prop_assert!(left.iter().all(|field| outcome.conflicts.contains(field)));
                prop_assert!(outcome.conflicts.iter().all(|field| left.contains(field)
                    || (halves.contains(field) && left.iter().any(|other| halves.contains(other)))));
            }
        }
        prop_assert!(rules.policy == Policy::Ask || outcome.conflicts.is_empty());
    }

    #[test]
    fn deciding_again_changes_nothing(
        base in proptest::option::of(any_content()), local in any_content(), remote in any_content(),
        rules in any_rules(),
    ) {
        let first = decide(base.as_ref(), &local, &remote, &rules);
        prop_assume!(base.is_some() || first.conflicts.is_empty());
        let again = decide(Some(&first.base), &first.local, &first.remote, &rules);
        prop_assert!(!again.apply && !again.push);
        prop_assert_eq!(again.base, first.base);
        prop_assert_eq!(again.conflicts, first.conflicts);
    }

    #[test]
    fn every_value_comes_from_one_of_the_sides(
        base in any_content(), local in any_content(), remote in any_content(), rules in any_rules(),
    ) {
        let outcome = decide(Some(&base), &local, &remote, &rules);
        for field in Field::ALL {
            for made in [&outcome.local, &outcome.remote] {
                prop_assert!(field.same(made, &local) || field.same(made, &remote));
            }
        }
    }

    #[test]
    fn an_unchanged_side_takes_the_other(
        base in any_content(), changed in any_content(), policy in proptest::sample::select(&Policy::ALL[..]),
    ) {
        let rules = rules(policy, Flow::Both);
        let outcome = decide(Some(&base), &base, &changed, &rules);
        prop_assert_eq!(&outcome.local, &changed);
        prop_assert!(outcome.conflicts.is_empty() && !outcome.push);
        let outcome = decide(Some(&base), &changed, &base, &rules);
        prop_assert_eq!(&outcome.remote, &changed);
        prop_assert!(outcome.conflicts.is_empty() && !outcome.apply);
    }
}
