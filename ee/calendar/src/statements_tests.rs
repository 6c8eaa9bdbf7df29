//! That the statements are those of the engine.

use super::*;
use crate::admit::ImportRule;
use crate::merge::brakes;

fn text(label: &str) -> String {
    let found = rules().into_iter().find(|fact| fact.label == label);
    found.unwrap_or_else(|| panic!("no {label}")).text
}

#[test]
fn what_is_said_of_a_new_connection_is_how_one_begins() {
    let begin = ConnectionSettings::default();
    let days = text("Which days");
    assert!(days.contains(&format!("from {} days back", begin.window_past_days)));
    assert!(days.contains(&format!("to {} days ahead", begin.window_future_days)));
    assert_eq!(
        ImportRule::parse(&begin.import_rule),
        Some(ImportRule::Nothing)
    );
    assert!(text("What comes in").ends_with("A new connection brings in nothing."));
    assert!(!begin.show_private);
    assert!(text("Private events").contains("unless the owner lets their words in"));
    assert_eq!(begin.conflict_policy, "ask");
    assert!(text("Both sides changed the same").starts_with("The owner is asked"));
    for fact in rules() {
        assert!(
            fact.text.ends_with('.') && !fact.text.contains("  "),
            "{fact:?}"
        );
    }
}

/// The words that mark an event, and the numbers of the brake, are the engine's own.
#[test]
fn words_and_numbers_are_those_that_sync_works_with() {
    let imports = text("What comes in");
    for marker in MARKERS {
        assert!(imports.contains(marker), "{imports}");
    }
    let brake = text("Deletions");
    assert!(brakes(BRAKE_FREE + 1, 0) && !brakes(BRAKE_FREE, 0));
    let many = BRAKE_FREE + 1;
    assert!(brakes(many, many * BRAKE_PART - 1) && !brakes(many, many * BRAKE_PART));
    assert!(
        brake.contains(&format!("more than {BRAKE_FREE} events")),
        "{brake}"
    );
    assert!(brake.contains(&format!("one in {BRAKE_PART}")), "{brake}");
}
