//! What the audit log calls the things the calendar side of Enterprise does.

use daybind_services::audit::{COMMUNITY, Wording};
use daybind_words::t;

/// Of everything Enterprise does.
pub const WORDING: Wording = Wording {
    action: |code| action(code).or_else(|| (COMMUNITY.action)(code)),
    field: |code| field(code).or_else(|| (COMMUNITY.field)(code)),
    value: |field, code| value(field, code).or_else(|| (COMMUNITY.value)(field, code)),
};

fn action(code: &str) -> Option<&'static str> {
    let text = match code {
        "calendar.conflict_resolved" => t!("Conflict answered"),
        "calendar.connected" => t!("Calendar connected"),
        "calendar.deletions_answered" => t!("Deletions answered"),
        "calendar.disconnected" => t!("Calendar disconnected"),
        "calendar.erased" => t!("Connection's data erased"),
        "calendar.imported" => t!("Calendar connection imported"),
        "calendar.paused" => t!("Calendar paused"),
        "calendar.read_again" => t!("Calendar read from the start"),
        "calendar.resumed" => t!("Calendar resumed"),
        "calendar.rules_changed" => t!("Calendar's rules changed"),
        "calendar.updated" => t!("Calendar connection changed"),
        "google_client.saved" => t!("Google client saved"),
        _ => return None,
    };
    Some(text)
}

fn field(code: &str) -> Option<&'static str> {
    let text = match code {
        "answer" => t!("Answer"),
        "calendar" => t!("Calendar"),
        "choices" => t!("Choices"),
        "complete" => t!("Complete"),
        "copies" => t!("copies"),
        "deletion_policy" => t!("When a work entry's event is deleted"),
        "deletions" => t!("Deletions"),
        "direction" => t!("Direction"),
        "entry" => t!("Entry"),
        "grant" => t!("grant"),
        "import_rule" => t!("What comes in"),
        "left_at_provider" => t!("Left at the provider"),
        "mappings" => t!("Entries mapped"),
        "occurrences" => t!("Occurrences"),
        "remove_copies" => t!("Copies taken away"),
        "show_private" => t!("Private events shown"),
        "subscriptions" => t!("subscriptions"),
        "until" => t!("Until"),
        _ => return None,
    };
    Some(text)
}

fn value(field: &str, code: &str) -> Option<&'static str> {
    let text = match (field, code) {
        ("direction", "bidirectional") => t!("both ways"),
        ("direction", "to_external") => t!("to the calendar only"),
        ("direction", "from_external") => t!("from the calendar only"),
        ("provider", "google") => "Google",
        ("provider", "microsoft") => "Microsoft",
        ("reason", "owner_inactive") => t!("its owner is not active any more"),
        ("reason", "time_is_over") => t!("its time was over"),
        _ => return None,
    };
    Some(text)
}
