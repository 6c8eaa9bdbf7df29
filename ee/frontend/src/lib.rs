//! The browser half of the Enterprise edition.

use daybind_domain::Edition;
use daybind_ee_app::Site;
use leptos::prelude::*;
use wasm_bindgen::prelude::wasm_bindgen;

/// Takes over the server-rendered page; the generated start script calls it once.
///
/// The server says in `data-edition` which edition runs, so that both halves render the same when Enterprise was lowered
/// to Community.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    daybind_app::speak_as_the_page();
    let said = document()
        .document_element()
        .and_then(|html| html.get_attribute("data-edition"));
    let edition = if said.as_deref() == Some(Edition::Enterprise.as_str()) {
        Edition::Enterprise
    } else {
        Edition::Community
    };
    leptos::mount::hydrate_lazy(move || {
        provide_context(edition);
        daybind_app::app::<Site>()
    });
}
