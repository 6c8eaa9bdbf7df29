//! The browser half of the Community edition.

use daybind_app::{App, Entries};
use leptos::prelude::*;
use wasm_bindgen::prelude::wasm_bindgen;

/// Takes over the server-rendered page; the generated start script calls it once.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(|| {
        provide_context(Entries::community());
        view! { <App/> }
    });
}
