//! Glyphs from the one sprite, `/icons.svg`.

use leptos::prelude::*;

/// Shows the glyph `name` of the sprite (`public/icons.svg` lists them as `<symbol id>`).
///
/// Hidden from assistive technology: the word beside it says the same.
#[component]
pub fn Icon(
    /// The symbol's id, such as `calendar` or `status-ok`.
    name: &'static str,
) -> impl IntoView {
    view! {
        <svg class="db-icon" aria-hidden="true" focusable="false">
            <use href=format!("/icons.svg#{name}")></use>
        </svg>
    }
}

/// The product's mark: two rails joined by an arrow. Decorative, so put the name beside it.
#[component]
pub fn Wordmark() -> impl IntoView {
    view! {
        <svg class="db-wordmark" aria-hidden="true" focusable="false">
            <use href="/icons.svg#wordmark"></use>
        </svg>
    }
}
