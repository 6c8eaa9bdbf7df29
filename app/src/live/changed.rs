//! News about what a page shows: shown by themselves where that moves nothing under anybody's hand, kept back until their reader
//! asks for them otherwise.

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
/// How long what was said stands; nothing else is said meanwhile.
const SPEAK: Duration = Duration::from_secs(10);

/// How the present differs from what a page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// Not so that it matters.
    Nothing,
    /// A step on the way, or a mark: shown in place, without a word.
    Small,
    /// Shown in place, and said.
    Said,
    /// Something would appear, go or move: shown on demand.
    Moves,
}

/// All that differs is shown on demand.
pub fn moves<T: PartialEq>(shown: &T, now: &T) -> News {
    if shown == now {
        News::Nothing
    } else {
        News::Moves
    }
}

/// Stands behind a page's content: when one of the topics changed and the page would look different, it shows that in place,
/// or says so and shows it on demand.
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
    /// How two of them differ.
    news: fn(&T, &T) -> News,
    /// Selects what, as long as it is on the page, keeps everything back: a control that has pointer or focus, a form that
    /// is being filled in. Empty for nothing.
    #[prop(optional)]
    hold: &'static str,
) -> impl IntoView
where
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
    F: Future<Output = Result<T, ApiError>> + 'static,
    R: Fn() -> F + Copy + 'static,
{
    let line = Line::default();
    let look = move || {
        // Gone with its page; what is read may be gone, too.
        if line.waits.try_set_value(false).is_some() {
            return;
        }
        let now = read();
        leptos::task::spawn_local(async move {
            // A failure is no news; the next change looks again.
            let Ok(now) = now.await else { return };
            let found = shown.try_with_untracked(|shown| match shown {
                Some(Ok(shown)) => news(shown, &now),
                _ => News::Nothing,
            });
            if found.is_some_and(|found| line.in_place(found, hold, text)) {
                shown.set(Some(Ok(now)));
            }
        });
    };
    Live::current().listen(topics, move || {
        if !line.waits.get_value() {
            line.waits.set_value(true);
            set_timeout(look, GATHER);
        }
    });
    // Whatever has been read anew shows them.
    Effect::new(move || {
        shown.track();
        line.there.set(false);
    });
    Effect::new(move || {
        if line.shows.get() > 0 {
            shown.refetch();
        }
    });
    keep_focus(shown, move || line.shows.get());
    line.view(text)
}

/// What is said, and offered.
#[derive(Clone, Copy, Default)]
struct Line {
    waits: StoredValue<bool>,
    there: RwSignal<bool>,
    said: RwSignal<&'static str>,
    shows: RwSignal<u32>,
}

impl Line {
    /// Whether these news are to be shown in place now. Says what there is to say.
    fn in_place(self, news: News, hold: &str, text: &'static str) -> bool {
        let held = || !hold.is_empty() && matches!(document().query_selector(hold), Ok(Some(_)));
        let kept = news == News::Moves || (news != News::Nothing && held());
        // The page may have gone while it was read.
        let Some(there) = self.there.try_get_untracked() else {
            return false;
        };
        if there != kept {
            self.there.set(kept);
        }
        if news == News::Said && !kept && self.said.get_untracked().is_empty() {
            self.said.set(text);
            set_timeout(
                move || {
                    self.said.try_set("");
                },
                SPEAK,
            );
        }
        news != News::Nothing && !kept
    }

    fn view(self, text: &'static str) -> AnyView {
        let show = move |_| self.shows.update(|shows| *shows += 1);
        view! {
            <div class="db-news" role="status">
                <span class="db-visually-hidden">{self.said}</span>
                {move || {
                    self.there.get().then(|| view! {
                        <p>
                            {text}" "
                            <button type="button" class="db-btn db-btn--secondary" on:click=show>
                                {t!("Show")}
                            </button>
                        </p>
                    })
                }}
            </div>
        }
        .into_any()
    }
}
