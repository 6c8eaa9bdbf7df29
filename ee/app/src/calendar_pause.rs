//! Pausing one's own connection, and going on.

use daybind_app::api::calendar::PauseCalendarProvider;
use daybind_app::ui::{SelectField, Submit};
use leptos::prelude::*;

/// How long a pause can last, as its forms offer it.
#[must_use]
pub fn lengths() -> Vec<(String, String)> {
    [
        ("1", "For an hour"),
        ("8", "For 8 hours"),
        ("24", "For a day"),
        ("168", "For a week"),
        ("", "Until it is resumed"),
    ]
    .map(|(hours, label)| (hours.to_owned(), label.to_owned()))
    .to_vec()
}

/// Goes on with a paused connection.
#[component]
pub fn Resume(connection_id: String, pause: ServerAction<PauseCalendarProvider>) -> impl IntoView {
    view! {
        <ActionForm action=pause>
            <input type="hidden" name="connection_id" value=connection_id/>
            <input type="hidden" name="action" value="resume"/>
            <Submit label="Resume" pending=pause.pending()/>
        </ActionForm>
    }
    .into_any()
}

/// Asks how long, and pauses.
#[component]
pub fn Pause(connection_id: String, pause: ServerAction<PauseCalendarProvider>) -> impl IntoView {
    let id = format!("pause-of-{connection_id}");
    view! {
        <details class="db-disclosure">
            <summary>"Pause"</summary>
            <p>"Nothing travels in either direction meanwhile. What changes on either side is taken over when it goes on."</p>
            <ActionForm action=pause>
                <input type="hidden" name="connection_id" value=connection_id/>
                <input type="hidden" name="action" value="pause"/>
                <SelectField id name="hours" label="How long" options=lengths() selected="24" optional=true/>
                <Submit label="Pause sync" pending=pause.pending() look="secondary"/>
            </ActionForm>
        </details>
    }
    .into_any()
}
