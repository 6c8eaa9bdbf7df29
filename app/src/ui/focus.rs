//! Where the focus goes when what had it is gone.

use std::time::Duration;

use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use leptos::web_sys::HtmlElement;

/// Moves the focus to the page's main part if nothing has it. For the browser only.
pub fn regain_focus() {
    let lost = document()
        .active_element()
        .is_none_or(|element| element.tag_name() == "BODY");
    let main = document()
        .get_element_by_id("main")
        .and_then(|main| main.dyn_into::<HtmlElement>().ok());
    if let Some(main) = main.filter(|_| lost) {
        // Focus is a courtesy: the page is there either way.
        let _ = main.focus();
    }
}

/// A list that is read again after an action may take away the button that was pressed; whoever stood there goes on in the
/// page, not before it. The page's frame does that where an action changes the address; this does it where the same
/// action is repeated.
///
/// `done` tells the successes so far (see [`successes`](super::successes)). What is read again without one, such as every
/// minute, moves nothing.
pub fn keep_focus<T, K>(list: Resource<T>, done: impl Fn() -> K + 'static)
where
    T: Send + Sync + 'static,
    K: PartialEq + 'static,
{
    Effect::new(move |before: Option<K>| {
        list.with(|_| ());
        let now = untrack(&done);
        if before.is_some_and(|before| before != now) {
            // The new list is in the document one tick later than the resource says.
            set_timeout(regain_focus, Duration::ZERO);
        }
        now
    });
}
