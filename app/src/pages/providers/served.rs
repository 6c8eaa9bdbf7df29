//! The place in the page for what the server renders whole.

use std::time::Duration;

use daybind_words::t;
use leptos::ev::MouseEvent;
use leptos::prelude::*;

use crate::api::profiles::microsoft_profile_page;
use crate::pages::failure::Failure;
use crate::pages::query_value;
use crate::pages::settings::category_address;
use crate::ui::PageHead;

/// A profile's page, or a step of the walkthrough: the address says which. All it needs in the browser is one listener
/// for its Copy buttons; its links and forms are plain ones.
#[component]
pub(super) fn Served(
    /// A profile's id, or `new`.
    profile: Memo<String>,
) -> impl IntoView {
    let (panel, saved, number) = (
        query_value("panel"),
        query_value("saved"),
        query_value("number"),
    );
    let sheet = Resource::new(
        move || (profile.get(), panel.get(), saved.get(), number.get()),
        |(profile, panel, saved, number)| microsoft_profile_page(profile, panel, saved, number),
    );
    // Another page in this place, reached without a page load: its heading takes the focus, as a page load would do it.
    Effect::new(move |before: Option<()>| {
        sheet.with(|_| ());
        if before.is_some() {
            set_timeout(focus_heading, Duration::ZERO);
        }
    });
    let live = RwSignal::new(false);
    Effect::new(move |_| live.set(true));
    let said = RwSignal::new("");
    let copy = move |event: MouseEvent| {
        if copied(&event) {
            said.set(t!("Copied"));
        }
    };
    view! {
        <p class="db-visually-hidden" role="status">{said}</p>
        <Transition fallback=|| view! { <p>{t!("Loading the profile …")}</p> }>
            {move || Suspend::new(async move {
                match sheet.await {
                    // Rendered by the server from views that escape what they show.
                    Ok(html) => view! {
                        <div class="db-sheet" class:db-sheet--live=live on:click=copy inner_html=placed(html)></div>
                    }
                    .into_any(),
                    Err(error) => view! {
                        <PageHead title=t!("Microsoft profile")/>
                        <Failure error/>
                        <p><a href=category_address("providers")>{t!("All profiles")}</a></p>
                    }
                    .into_any(),
                }
            })}
        </Transition>
    }
    .into_any()
}

/// What the server renders asks for the focus at page load. In a page that is there already that is the effect's part; a
/// browser would only note in its console that it came too late. No text can look like the tag: it is escaped.
fn placed(html: String) -> String {
    if cfg!(feature = "hydrate") {
        html.replacen(r#"<h1 tabindex="-1" autofocus"#, r#"<h1 tabindex="-1""#, 1)
    } else {
        html
    }
}

fn focus_heading() {
    use leptos::wasm_bindgen::JsCast;
    use leptos::web_sys::HtmlElement;
    let heading = document().query_selector(".db-sheet h1").ok().flatten();
    if let Some(heading) = heading.and_then(|heading| heading.dyn_into::<HtmlElement>().ok()) {
        // Focus is a courtesy: the page is there either way.
        let _ = heading.focus();
    }
}

/// Copies what the clicked Copy button names, if it was one. Answers whether a write was begun.
#[cfg(feature = "hydrate")]
fn copied(event: &MouseEvent) -> bool {
    use leptos::wasm_bindgen::JsCast;
    use leptos::web_sys::Element;
    let button = event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok())
        .and_then(|element| element.closest("[data-copy]").ok().flatten());
    let Some(button) = button else { return false };
    let value = button.get_attribute("data-copy").unwrap_or_default();
    let begun = crate::ui::write_to_clipboard(&value);
    if begun {
        button.set_text_content(Some(t!("Copied")));
    }
    begun
}

#[cfg(not(feature = "hydrate"))]
fn copied(_event: &MouseEvent) -> bool {
    false
}
