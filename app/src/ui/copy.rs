//! A value to take elsewhere.

use daybind_words::t;
use leptos::prelude::*;

use super::Icon;

/// Puts `text` on the clipboard. Silently does nothing where the browser offers none (plain HTTP, old browsers): the
/// value itself is selected by one click, so the person can still copy it by hand. Answers whether a write was begun.
#[cfg(feature = "hydrate")]
pub(crate) fn write_to_clipboard(text: &str) -> bool {
    use leptos::wasm_bindgen::{JsCast, JsValue};
    use leptos::web_sys::js_sys::{Function, Reflect};

    // By reflection, because the typed API would need web-sys features that nothing else here uses.
    let begin = || -> Result<bool, JsValue> {
        let navigator = Reflect::get(&window(), &"navigator".into())?;
        let clipboard = Reflect::get(&navigator, &"clipboard".into())?;
        if clipboard.is_undefined() {
            return Ok(false);
        }
        let write = Reflect::get(&clipboard, &"writeText".into())?.dyn_into::<Function>()?;
        write.call1(&clipboard, &text.into())?;
        Ok(true)
    };
    begin().unwrap_or(false)
}

#[cfg(not(feature = "hydrate"))]
fn write_to_clipboard(_text: &str) -> bool {
    false
}

/// A read-only value in the fixed-width face with a Copy button. The button appears after hydration, because without a
/// script it could do nothing; one click on the value selects all of it either way.
#[component]
pub fn CopyField(
    /// What the value is.
    #[prop(into)]
    label: String,
    /// The value, exactly as it must be pasted.
    #[prop(into)]
    value: String,
    /// It has several lines, shown as such.
    #[prop(optional)]
    lines: bool,
) -> impl IntoView {
    let ready = RwSignal::new(false);
    let copied = RwSignal::new(false);
    Effect::new(move |_| ready.set(true));

    let name = t!("Copy {label}");
    let shown = value.clone();
    let copy = move |_| {
        if write_to_clipboard(&value) {
            copied.set(true);
            set_timeout(
                move || {
                    // The field may be gone by then.
                    let _gone = copied.try_set(false);
                },
                std::time::Duration::from_secs(2),
            );
        }
    };
    view! {
        <div class="db-copyfield">
            <span class="db-copyfield__label">{label}</span>
            <div class="db-copyfield__row">
                <code class="db-copyfield__value" class:db-copyfield__value--lines=lines>{shown}</code>
                <button
                    type="button"
                    class="db-btn"
                    hidden=move || !ready.get()
                    aria-label=name
                    on:click=copy
                >
                    <Icon name="copy" />
                    <span>{move || if copied.get() { t!("Copied") } else { t!("Copy") }}</span>
                </button>
            </div>
            <span class="db-visually-hidden" role="status">
                {move || if copied.get() { t!("Copied") } else { "" }}
            </span>
        </div>
    }
}
