//! Syncs that ended since the list was read: counted, and shown on demand, so that no row moves under anybody's pointer.

use std::time::Duration;

use daybind_app::ApiError;
use daybind_app::api::activity::list_calendar_activity;
use daybind_app::live::Live;
use daybind_app::ui::keep_focus;
use daybind_domain::activity::{ActivityPageView, ActivityQuery};
use daybind_words::t;
use leptos::prelude::*;

/// How long changes are gathered before the list is asked.
const GATHER: Duration = Duration::from_secs(1);
/// No more than one announcement in that time.
const SPEAK: Duration = Duration::from_secs(10);

type Page = Resource<Result<ActivityPageView, ApiError>>;

/// What is new beside the list that is shown.
#[derive(Clone, Copy)]
pub(crate) struct News {
    live: Live,
    query: Memo<ActivityQuery>,
    page: Page,
    /// How many new runs match the filters: as many as fit a page at most.
    count: RwSignal<usize>,
    said: RwSignal<String>,
    paused: RwSignal<bool>,
    shows: RwSignal<usize>,
    gathering: StoredValue<bool>,
    speaking: StoredValue<bool>,
}

impl News {
    /// Follows the list.
    pub(crate) fn of(query: Memo<ActivityQuery>, page: Page) -> Self {
        let news = Self {
            live: Live::current(),
            query,
            page,
            count: RwSignal::default(),
            said: RwSignal::default(),
            paused: RwSignal::default(),
            shows: RwSignal::default(),
            gathering: StoredValue::default(),
            speaking: StoredValue::default(),
        };
        news.live.listen(&["run"], move || news.gather());
        // A list that was read anew has them.
        Effect::new(move || {
            page.track();
            news.count.set(0);
        });
        keep_focus(page, move || news.shows.get());
        news
    }

    fn gather(self) {
        // Older pages stay what they are.
        let asks =
            !self.paused.get_untracked() && self.query.with_untracked(|q| q.after.is_empty());
        if asks && !self.gathering.get_value() {
            self.gathering.set_value(true);
            set_timeout(move || self.look(), GATHER);
        }
    }

    fn look(self) {
        self.gathering.try_set_value(false);
        let Some(asked) = self.query.try_get_untracked() else {
            return;
        };
        leptos::task::spawn_local(async move {
            let list = ActivityQuery {
                run: String::new(),
                ..asked.clone()
            };
            // A failure is no news; the next change asks again.
            let Ok(now) = list_calendar_activity(list).await else {
                return;
            };
            let count = self.page.try_with_untracked(|shown| match shown {
                Some(Ok(shown)) => {
                    let known = |id: &str| shown.rows.iter().any(|row| row.run_id == id);
                    now.rows
                        .iter()
                        .take_while(|row| !known(&row.run_id))
                        .count()
                }
                _ => 0,
            });
            let same = self
                .query
                .try_get_untracked()
                .is_some_and(|now| now == asked);
            if let Some(count) = count.filter(|_| same) {
                self.count.set(count);
                self.speak();
            }
        });
    }

    fn text(self) -> String {
        match self.count.try_get_untracked() {
            None | Some(0) => String::new(),
            Some(1) => t!("1 new sync").to_owned(),
            Some(count) => t!("{count} new syncs"),
        }
    }

    fn speak(self) {
        let text = self.text();
        let quiet = self.speaking.try_get_value() != Some(false);
        if quiet || text.is_empty() || self.said.get_untracked() == text {
            return;
        }
        self.said.set(text);
        self.speaking.set_value(true);
        set_timeout(
            move || {
                self.speaking.try_set_value(false);
                self.speak();
            },
            SPEAK,
        );
    }
}

/// Whether the list is followed, a way to stop that, and what is new. There is nothing to follow without a program.
#[component]
pub(crate) fn Following(news: News) -> impl IntoView {
    let state = move || match (news.paused.get(), news.live.connected()) {
        (true, _) => t!("Paused"),
        (false, Some(true)) => t!("Live"),
        (false, Some(false)) => t!("Reconnecting"),
        (false, None) => "",
    };
    let pause = move |_| {
        news.paused.update(|paused| *paused = !*paused);
        news.gather();
    };
    let show = move |_| {
        news.shows.update(|shows| *shows += 1);
        news.page.refetch();
    };
    view! {
        <div class="db-following">
            {move || {
                news.live.connected().is_some().then(|| view! {
                    <p>{state}</p>
                    <button type="button" class="db-btn db-btn--quiet" on:click=pause>
                        {move || if news.paused.get() { t!("Resume") } else { t!("Pause") }}
                    </button>
                })
            }}
            {move || {
                let count = news.count.get();
                (count > 0).then(|| view! {
                    <button type="button" class="db-btn db-btn--secondary" on:click=show>
                        {t!("{} – show", news.text())}
                    </button>
                })
            }}
            <p class="db-visually-hidden" role="status">{news.said}</p>
        </div>
    }
    .into_any()
}
