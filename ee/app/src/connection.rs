//! How a connection is worded, wherever it is shown.

use daybind_app::ui::{Direction, LaneSide, StatusKind};
use daybind_domain::view::ConnectionView;
use daybind_words::t;

/// How a connection's stored status is shown.
#[must_use]
pub fn status(status: &str) -> StatusKind {
    match status {
        "connected" => StatusKind::Working,
        "configuring" | "needs_reconnect" => StatusKind::NeedsYou,
        "paused" => StatusKind::Paused,
        _ => StatusKind::Failed,
    }
}

/// How its card shows a connection: a question waits for its owner, and until the first sync has ended nothing is proven.
#[must_use]
pub fn standing(connection: &ConnectionView) -> StatusKind {
    match status(&connection.status) {
        StatusKind::Working if !connection.questions.is_empty() => StatusKind::NeedsYou,
        StatusKind::Working if connection.last_sync.is_none() => StatusKind::Syncing,
        kind => kind,
    }
}

/// The direction of a connection in one sentence.
#[must_use]
pub fn direction_sentence(direction: &str, provider: &str) -> String {
    match direction {
        "to_external" => t!("Changes in Daybind go to {provider}. Changes there stay there."),
        "from_external" => {
            t!("Changes in {provider} come to Daybind. Changes here stay here.")
        }
        _ => t!("Changes in Daybind go to {provider}, and changes there come back."),
    }
}

/// The picture's direction.
#[must_use]
pub fn direction(direction: &str) -> Direction {
    match direction {
        "to_external" => Direction::Out,
        "from_external" => Direction::In,
        _ => Direction::Both,
    }
}

/// The schedule's lane and the calendar's; `entries` says whose entries they are.
#[must_use]
pub fn lanes(connection: &ConnectionView, entries: &str) -> (LaneSide, LaneSide) {
    let calendar = if connection.calendar_name.is_empty() {
        t!("No calendar chosen yet").to_owned()
    } else {
        connection.calendar_name.clone()
    };
    // The main calendar of a Google account has the account's name.
    let mut stations = vec![calendar, connection.account.clone()];
    stations.dedup();
    (
        LaneSide {
            title: "Daybind".to_owned(),
            stations: vec![entries.to_owned()],
        },
        LaneSide {
            title: connection.provider_label.clone(),
            stations,
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_status_is_a_failure_and_never_a_success() {
        assert_eq!(status("connected"), StatusKind::Working);
        assert_eq!(status("surprise"), StatusKind::Failed);
    }

    #[test]
    fn each_direction_has_its_sentence() {
        assert!(
            direction_sentence("to_external", "Outlook")
                .starts_with("Changes in Daybind go to Outlook. ")
        );
        assert!(
            direction_sentence("from_external", "Outlook").starts_with("Changes in Outlook come")
        );
        assert!(direction_sentence("bidirectional", "Outlook").ends_with("come back."));
    }
}
