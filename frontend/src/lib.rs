//! The browser half of the Community edition.

use daybind_domain::Edition;
use leptos::prelude::*;
use wasm_bindgen::prelude::wasm_bindgen;

daybind_app::pages! {
    schedule: daybind_app::Entries::community,
    providers: daybind_app::Entries::community,
    login_domains: daybind_app::Entries::community,
    calendar_settings: daybind_app::Entries::community,
    calendar_profile: daybind_app::Entries::community,
    operations: daybind_app::Entries::community,
    others: daybind_app::Entries::community,
}

/// Takes over the server-rendered page; the generated start script calls it once.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    daybind_app::speak_as_the_page();
    leptos::mount::hydrate_lazy(|| {
        provide_context(Edition::Community);
        daybind_app::app::<Site>()
    });
}
