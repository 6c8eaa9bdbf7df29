//! Pausing one's own connection, and going on.

use daybind_app::api::calendar::PauseCalendarProvider;
use daybind_app::ui::{SelectField, Submit};
use daybind_words::t;
use leptos::prelude::*;

/// How long a pause can last, as its forms offer it.
#[must_use]
pub fn lengths() -> Vec<(String, String)> {
    [
        ("1", t!("For an hour")),
        ("8", t!("For 8 hours")),
        ("24", t!("For a day")),
        ("168", t!("For a week")),
        ("", t!("Until it is resumed")),
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
            <Submit label=t!("Resume") pending=pause.pending()/>
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
            <summary>{t!("Pause")}</summary>
            <p>{t!("Nothing travels in either direction meanwhile. What changes on either side is taken over when it goes on.")}</p>
            <ActionForm action=pause>
                <input type="hidden" name="connection_id" value=connection_id/>
                <input type="hidden" name="action" value="pause"/>
                <SelectField id name="hours" label=t!("How long") options=lengths() selected="24" optional=true/>
                <Submit label=t!("Pause sync") pending=pause.pending() look="secondary"/>
            </ActionForm>
        </details>
    }
    .into_any()
}
