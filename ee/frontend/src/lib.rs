//! The browser half of the Enterprise edition.

use daybind_app::App;
use daybind_domain::Edition;
use leptos::prelude::*;
use wasm_bindgen::prelude::wasm_bindgen;

/// Takes over the server-rendered page; the generated start script calls it once.
///
/// The server says in `data-edition` which edition runs, so that both halves render the same when Enterprise was lowered
/// to Community.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    let said = document()
        .document_element()
        .and_then(|html| html.get_attribute("data-edition"));
    let edition = if said.as_deref() == Some(Edition::Enterprise.as_str()) {
        Edition::Enterprise
    } else {
        Edition::Community
    };
    let entries = daybind_ee_app::entries().lowered(edition);
    leptos::mount::hydrate_body(move || {
        provide_context(entries);
        view! { <App/> }
    });
}
