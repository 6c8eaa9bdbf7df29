//! News about what a page shows, kept back until its reader asks for them.

use std::time::Duration;

use daybind_words::t;
use leptos::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Live;
use crate::error::ApiError;
use crate::ui::keep_focus;

/// How long changes are gathered before it is looked whether the page would show something else.
const GATHER: Duration = Duration::from_secs(1);

/// Stands behind a page's content: when one of the topics changed and the page would look different, it says so and shows
/// it on demand. Nothing moves by itself.
#[component]
pub fn Changed<T, F, R>(
    /// Kinds of things the page shows.
    topics: &'static [&'static str],
    /// What it shows.
    shown: Resource<Result<T, ApiError>>,
    /// Reads it again.
    read: R,
    /// What there is to say.
    text: &'static str,
) -> impl IntoView
where
    T: PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static,
    F: Future<Output = Result<T, ApiError>> + 'static,
    R: Fn() -> F + Copy + 'static,
{
    let (news, shows) = (RwSignal::new(false), RwSignal::new(0));
    let waits = StoredValue::new(false);
    let look = move || {
        waits.set_value(false);
        leptos::task::spawn_local(async move {
            // A failure is no news; the next change looks again.
            if let Ok(now) = read().await {
                let same = shown
                    .try_with_untracked(|shown| matches!(shown, Some(Ok(shown)) if *shown == now));
                news.try_set(same == Some(false));
            }
        });
    };
    Live::current().listen(topics, move || {
        if !waits.get_value() {
            waits.set_value(true);
            set_timeout(look, GATHER);
        }
    });
    // Whatever has been read anew shows them.
    Effect::new(move || {
        shown.track();
        news.set(false);
    });
    keep_focus(shown, move || shows.get());
    let show = move |_| {
        shows.update(|shows| *shows += 1);
        shown.refetch();
    };
    view! {
        <div class="db-news" role="status">
            {move || {
                news.get().then(|| view! {
                    <p>{text}" "<button type="button" class="db-btn db-btn--secondary" on:click=show>{t!("Show")}</button></p>
                })
            }}
        </div>
    }
    .into_any()
}
