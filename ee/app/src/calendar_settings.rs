//! Settings > Integrations > Calendar: how calendar sync stands for the whole MSP.

use daybind_app::api::calendar::get_calendar_settings;
use daybind_app::pages::failure::Failure;
use daybind_app::pages::settings::category_address;
use daybind_domain::view::CalendarSettingsView;
use leptos::prelude::*;

use crate::connection::status;

/// The category: readiness of both providers, every connection, everybody without one.
#[component]
pub fn CalendarSettings() -> impl IntoView {
    let view = Resource::new(|| (), |()| get_calendar_settings());
    view! {
        <div class="db-page-head">
            <div>
                <h1>"Calendar"</h1>
                <p>"Technicians connect their own calendars under Profile > Calendar. Here you see how that stands."</p>
            </div>
        </div>
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
    let (outlook_class, outlook_word, outlook) = match view.microsoft_profile {
        Some(name) => (
            "db-status db-status--synced",
            "Bound",
            format!("Calendar uses the Microsoft profile “{name}”."),
        ),
        None => (
            "db-status db-status--not_synced",
            "Not chosen",
            "No Microsoft profile is chosen for Calendar, so Outlook cannot be connected."
                .to_owned(),
        ),
    };
    let (google_class, google_word, google) = if view.google_ready {
        (
            "db-status db-status--synced",
            "Ready",
            "Your Google OAuth client is stored.",
        )
    } else {
        (
            "db-status db-status--not_synced",
            "Not set up",
            "No Google OAuth client is stored, so Google Calendar cannot be connected.",
        )
    };
    let connections = if view.connections.is_empty() {
        view! { <div class="db-empty"><p>"Nobody has connected a calendar yet."</p></div> }
            .into_any()
    } else {
        let rows: Vec<_> = view
            .connections
            .into_iter()
            .map(|connection| {
                let (class, word) = status(&connection.status);
                view! {
                    <tr>
                        <th scope="row">{connection.owner}</th>
                        <td>{connection.provider_label}<p class="db-field__hint">{connection.account}</p></td>
                        <td>{connection.calendar_name}</td>
                        <td><span class=class>{word}</span><p class="db-field__hint">{connection.status_text}</p></td>
                        <td>
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
        <section class="db-section" aria-labelledby="ready-heading">
            <h2 id="ready-heading" class="db-section__title">"What can be connected"</h2>
            <ul>
                <li>"Outlook: "<span class=outlook_class>{outlook_word}</span>" "{outlook}</li>
                <li>"Google Calendar: "<span class=google_class>{google_word}</span>" "{google}</li>
            </ul>
            <p><a href=category_address("providers")>"Change this under Providers"</a></p>
        </section>
        <section class="db-section" aria-labelledby="connections-heading">
            <h2 id="connections-heading" class="db-section__title">"Connections"</h2>
            {connections}
        </section>
        <section class="db-section" aria-labelledby="without-heading">
            <h2 id="without-heading" class="db-section__title">"Without a connection"</h2>
            {without}
        </section>
    }
    .into_any()
}
