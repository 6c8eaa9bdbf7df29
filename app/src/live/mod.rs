//! The browser's end of the stream of changes: one for a tab, open while something on the page listens.
//!
//! When the stream is lost the browser comes back by itself and goes on after the last change. While it cannot, listeners
//! are told to look for themselves every 20 seconds.

mod changed;

use std::time::Duration;

use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast as _;
use leptos::wasm_bindgen::prelude::Closure;
use send_wrapper::SendWrapper;
use web_sys::{EventSource, MessageEvent};

pub use changed::{Changed, News, moves};

/// How often it is looked whether the stream still tells anything.
const LOOK: Duration = Duration::from_secs(20);
/// That many looks without a word, not even a heartbeat (one every 15 seconds): the line is dead, though nobody said so.
const DEAD: u8 = 3;

/// The tab's stream.
#[derive(Clone, Copy)]
pub struct Live {
    /// What was told last: lines `topic id`, or `all`.
    told: RwSignal<String>,
    /// Whether changes arrive; not known before the first attempt has ended.
    connected: RwSignal<Option<bool>>,
    /// Nothing on the server, where nobody listens and threads change.
    rest: StoredValue<Option<SendWrapper<Rest>>>,
}

#[derive(Default)]
struct Rest {
    listeners: u32,
    open: Option<Open>,
    look: Option<IntervalHandle>,
    /// The place to go on from.
    mark: String,
    /// Looks since anything was heard.
    quiet: u8,
    /// The session has ended.
    over: bool,
}

struct Open {
    stream: EventSource,
    _heard: Closure<dyn FnMut(MessageEvent)>,
    _lost: Closure<dyn FnMut()>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.stream.set_onmessage(None);
        self.stream.set_onerror(None);
        self.stream.close();
    }
}

impl Live {
    /// A tab's, not open yet.
    pub(crate) fn provide() {
        provide_context(Self {
            told: RwSignal::default(),
            connected: RwSignal::default(),
            rest: StoredValue::new(None),
        });
    }

    /// The one of this tab.
    #[must_use]
    pub fn current() -> Self {
        expect_context()
    }

    /// Whether changes arrive. `None` before the first attempt has ended.
    #[must_use]
    pub fn connected(self) -> Option<bool> {
        self.connected.get()
    }

    /// Calls `react` when something of one of these kinds changed, or may have. Only in the browser, as long as the caller
    /// is on the page.
    pub fn listen(self, topics: &'static [&'static str], react: impl Fn() + 'static) {
        let entered = StoredValue::new(false);
        Effect::new(move |before: Option<()>| {
            let told = self.told.get();
            if before.is_none() {
                entered.set_value(true);
                self.enter();
                return;
            }
            let meant = |line: &str| {
                let topic = line.split(' ').next().unwrap_or_default();
                topic == "all" || topics.contains(&topic)
            };
            if told.split('\n').any(meant) {
                react();
            }
        });
        on_cleanup(move || {
            if entered.try_get_value() == Some(true) {
                self.leave();
            }
        });
    }

    /// `None` where there is nothing to change.
    fn with<T>(self, change: impl FnOnce(&mut Rest) -> T) -> Option<T> {
        self.rest
            .try_update_value(|rest| rest.as_mut().map(|rest| change(rest)))
            .flatten()
    }

    fn enter(self) {
        self.rest.update_value(|rest| {
            rest.get_or_insert_with(|| SendWrapper::new(Rest::default()));
        });
        let first = self.with(|rest| {
            rest.listeners += 1;
            rest.listeners == 1 && !rest.over
        });
        if first == Some(true) {
            self.begin();
            let look = set_interval_with_handle(move || self.look(), LOOK).ok();
            self.with(|rest| rest.look = look);
        }
    }

    fn leave(self) {
        self.with(|rest| {
            rest.listeners -= 1;
            if rest.listeners == 0 {
                rest.open = None;
                if let Some(look) = rest.look.take() {
                    look.clear();
                }
            }
        });
    }

    fn begin(self) {
        let mark = self.with(|rest| rest.mark.clone()).unwrap_or_default();
        let Ok(stream) = EventSource::new(&format!("/_live?after={mark}")) else {
            return;
        };
        let heard = Closure::<dyn FnMut(MessageEvent)>::new(move |message: MessageEvent| {
            self.hear(
                &message.data().as_string().unwrap_or_default(),
                message.last_event_id(),
            );
        });
        let lost = Closure::<dyn FnMut()>::new(move || {
            self.connected.try_set(Some(false));
        });
        stream.set_onmessage(Some(heard.as_ref().unchecked_ref()));
        stream.set_onerror(Some(lost.as_ref().unchecked_ref()));
        self.with(|rest| {
            rest.quiet = 0;
            rest.open = Some(Open {
                stream,
                _heard: heard,
                _lost: lost,
            });
        });
    }

    fn hear(self, data: &str, mark: String) {
        let over = data == "over";
        self.with(|rest| {
            rest.quiet = 0;
            rest.over = over;
            if !mark.is_empty() {
                rest.mark = mark;
            }
            if over {
                rest.open = None;
            }
        });
        match data {
            "beat" => {}
            "hello" => self.connected.set(Some(true)),
            "over" => self.connected.set(Some(false)),
            changed => self.told.set(changed.to_owned()),
        }
    }

    /// Whether it still works; else whoever listens looks for themselves. A session that has ended has nothing to look for.
    fn look(self) {
        let again = self.with(|rest| {
            rest.quiet += 1;
            let closed = rest
                .open
                .as_ref()
                .is_none_or(|open| open.stream.ready_state() == EventSource::CLOSED);
            (rest.over, closed || rest.quiet >= DEAD)
        });
        let Some((false, again)) = again else { return };
        if again {
            self.connected.set(Some(false));
            self.begin();
        }
        if self.connected.get_untracked() != Some(true) {
            self.told.set("all".to_owned());
        }
    }
}
