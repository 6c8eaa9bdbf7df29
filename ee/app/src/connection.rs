//! How a connection is worded, wherever it is shown.

use daybind_domain::view::ConnectionView;
use leptos::prelude::*;

/// Class and word of a connection's status.
#[must_use]
pub fn status(status: &str) -> (&'static str, &'static str) {
    match status {
        "connected" => ("db-status db-status--synced", "Working"),
        "configuring" => ("db-status db-status--waiting", "Choose a calendar"),
        "paused" => ("db-status db-status--not_synced", "Paused"),
        "needs_reconnect" => ("db-status db-status--failed", "Reconnect"),
        _ => ("db-status db-status--failed", "Error"),
    }
}

/// The direction of a connection in one sentence.
#[must_use]
pub fn direction_sentence(direction: &str, provider: &str) -> String {
    match direction {
        "to_external" => format!("Changes in Daybind go to {provider}. Changes there stay there."),
        "from_external" => {
            format!("Changes in {provider} come to Daybind. Changes here stay here.")
        }
        _ => format!("Changes in Daybind go to {provider}, and changes there come back."),
    }
}

/// Two lanes, one per side, and the direction between them. The sentence says the same in words.
#[component]
pub fn Lanes(
    /// The connection shown.
    connection: ConnectionView,
) -> impl IntoView {
    let arrow = match connection.direction.as_str() {
        "to_external" => "→",
        "from_external" => "←",
        _ => "⇄",
    };
    let calendar = if connection.calendar_name.is_empty() {
        "No calendar chosen yet".to_owned()
    } else {
        connection.calendar_name
    };
    let sentence = direction_sentence(&connection.direction, &connection.provider_label);
    view! {
        <div class="db-lane-card__lanes">
            <div class="db-lane">
                <p class="db-lane__title">"Daybind"</p>
                <p>"Your schedule entries"</p>
            </div>
            <p class="db-lane-card__link" aria-hidden="true">{arrow}</p>
            <div class="db-lane db-lane--right">
                <p class="db-lane__title">{connection.provider_label}</p>
                <p>{calendar}</p>
                <p>{connection.account}</p>
            </div>
        </div>
        <p>{sentence}</p>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_status_is_an_error_and_never_a_success() {
        assert_eq!(status("connected").1, "Working");
        assert_eq!(status("surprise").1, "Error");
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
