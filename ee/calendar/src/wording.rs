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
        "calendar.renewal_requested" => t!("Push subscription renewal asked for"),
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
        "conflict_policy" => t!("Both sides changed the same"),
        "deletion_policy" => t!("The event of work that is the owner's alone was deleted"),
        "deletions" => t!("Deletions"),
        "direction" => t!("Direction"),
        "entry" => t!("Entry"),
        "grant" => t!("grant"),
        "import_rule" => t!("Comes in besides schedule entries"),
        "left_at_provider" => t!("Left at the provider"),
        "mappings" => t!("Entries mapped"),
        "occurrences" => t!("Occurrences"),
        "remove_copies" => t!("Copies taken away"),
        "show_private" => t!("Private events show their words"),
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
        ("conflict_policy" | "deletion_policy", "ask") => t!("ask the owner"),
        ("conflict_policy", "schedule") => t!("the schedule's version stays"),
        ("conflict_policy", "calendar") => t!("the calendar's version stays"),
        ("conflict_policy", "newest") => t!("the newer version stays"),
        ("deletion_policy", "cancel") => t!("call the work off"),
        ("deletion_policy" | "answer", "put_back") => t!("put the event back"),
        ("answer", "accept") => t!("delete on the other side too"),
        ("answer", "look_again") => t!("look again"),
        ("import_rule", "nothing") => t!("nothing else"),
        ("import_rule", "marked") => t!("events with @daybind (or @alga) in title or notes"),
        ("import_rule", "busy") => t!("all events, as busy blocks without words"),
        ("provider", "google") => "Google",
        ("provider", "microsoft") => "Microsoft",
        ("reason", "owner_inactive") => t!("its owner is not active any more"),
        ("reason", "time_is_over") => t!("its time was over"),
        _ => return None,
    };
    Some(text)
}
