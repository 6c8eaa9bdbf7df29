//! Settings > Integrations > Calendar: how calendar sync stands for the whole MSP.

use daybind_app::api::calendar::get_calendar_settings;
use daybind_app::pages::failure::Failure;
use daybind_app::pages::settings::category_address;
use daybind_app::ui::{EmptyState, PageHead, Section, StatusKind, StatusTag};
use daybind_domain::view::CalendarSettingsView;
use leptos::prelude::*;

use crate::connection::status;

/// The category: readiness of both providers, every connection, everybody without one.
#[component]
pub fn CalendarSettings() -> impl IntoView {
    let view = Resource::new(|| (), |()| get_calendar_settings());
    view! {
        <PageHead
            title="Calendar"
            lede="Technicians connect their own calendars under Profile > Calendar. Here you see how that stands."
        />
        <Suspense fallback=|| view! { <p>"Loading the connections …"</p> }>
            {move || Suspend::new(async move {
                match view.await {
                    Ok(view) => view! { <Overview view/> }.into_any(),
                    Err(error) => view! { <Failure error/> }.into_any(),
                }
            })}
        </Suspense>
    }
    .into_any()
}

#[component]
fn Overview(view: CalendarSettingsView) -> impl IntoView {
    // Stored is not proven: only somebody's connection tests it.
    let (outlook_kind, outlook) = match view.microsoft_profile {
        Some(name) => (
            StatusKind::NotTested,
            format!("Calendar uses the Microsoft profile “{name}”."),
        ),
        None => (
            StatusKind::NotConnected,
            "No Microsoft profile is chosen for Calendar, so Outlook cannot be connected."
                .to_owned(),
        ),
    };
    let (google_kind, google) = if view.google_ready {
        (StatusKind::NotTested, "Your Google OAuth client is stored.")
    } else {
        (
            StatusKind::NotConnected,
            "No Google OAuth client is stored, so Google Calendar cannot be connected.",
        )
    };
    let connections = if view.connections.is_empty() {
        view! {
            <EmptyState
                title="Nobody has connected a calendar yet"
                text="Technicians do that under Profile > Calendar."
            />
        }
        .into_any()
    } else {
        let rows: Vec<_> = view
            .connections
            .into_iter()
            .map(|connection| {
                let kind = status(&connection.status);
                let calendar = if connection.calendar_name.is_empty() {
                    "Not chosen yet".to_owned()
                } else {
                    connection.calendar_name
                };
                view! {
                    <tr>
                        <th scope="row">{connection.owner}</th>
                        <td data-label="Account">{connection.provider_label}<p class="db-field__hint">{connection.account}</p></td>
                        <td data-label="Calendar">{calendar}</td>
                        <td data-label="Status"><StatusTag kind/><p class="db-field__hint">{connection.status_text}</p></td>
                        <td data-label="Last sync">
                            {connection.last_sync.unwrap_or_else(|| "Never".to_owned())}
                            <p class="db-field__hint">{connection.delivery}</p>
                        </td>
                    </tr>
                }
            })
            .collect();
        view! {
            <table class="db-table" aria-labelledby="connections-heading">
                <thead>
                    <tr>
                        <th scope="col">"Person"</th>
                        <th scope="col">"Account"</th>
                        <th scope="col">"Calendar"</th>
                        <th scope="col">"Status"</th>
                        <th scope="col">"Last sync"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        }
        .into_any()
    };
    let without = if view.without.is_empty() {
        view! { <p>"Everybody has a connected calendar."</p> }.into_any()
    } else {
        let people: Vec<_> = view
            .without
            .into_iter()
            .map(|person| view! { <li>{person.name}</li> })
            .collect();
        view! { <ul>{people}</ul> }.into_any()
    };
    view! {
        <Section title="What can be connected" id="ready-heading">
            <dl class="db-facts">
                <dt>"Outlook"</dt>
                <dd><StatusTag kind=outlook_kind/><p class="db-field__hint">{outlook}</p></dd>
                <dt>"Google Calendar"</dt>
                <dd><StatusTag kind=google_kind/><p class="db-field__hint">{google}</p></dd>
            </dl>
            <p><a href=category_address("providers")>"Change this under Providers"</a></p>
        </Section>
        <Section title="Connections" id="connections-heading">
            {connections}
        </Section>
        <Section title="Without a connection" id="without-heading">
            {without}
        </Section>
    }
    .into_any()
}
