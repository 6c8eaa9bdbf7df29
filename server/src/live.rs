//! Changes as they happen, as a stream of server-sent events (WHATWG HTML, "Server-sent events").
//!
//! A message has one word or pair of words a line: `hello` first, then `topic id` for each thing that changed; `all` when
//! everything has to be read again; `beat` when there was nothing to say for a while; `over` when the session has ended and asking again is no use (a status that says so
//! would stand in the browser's console as an error). The id of a message is the place to go on from.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::time::Duration;

use axum::Extension;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse as _, Response};
use daybind_app::server::{AppState, RequestActor};
use daybind_services::live::{Listener, Mark, Told};
use futures::stream::{self, Stream, StreamExt as _};
use serde::Deserialize;

use crate::guard::plain;

/// Where the stream is.
pub const PATH: &str = "/_live";
/// How long a browser waits before it comes back after a loss.
const RETRY: Duration = Duration::from_secs(2);
/// How long one waits that has no stream of its own.
const LATER: Duration = Duration::from_secs(20);

/// What may be asked.
#[derive(Debug, Deserialize)]
pub struct Asked {
    /// The place to go on from, for a stream that is begun anew. `Last-Event-ID` goes before it.
    #[serde(default)]
    after: String,
    /// Anything: only what there is now, without waiting for more.
    #[serde(default)]
    once: String,
}

/// `GET /_live`
pub async fn live(
    State(state): State<AppState>,
    Extension(actor): Extension<RequestActor>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    let actor = actor.0.filter(daybind_services::Actor::is_internal);
    let Some(actor) = actor else {
        return sent(stream::iter([Told::Over]), RETRY);
    };
    let last = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok())
        .filter(|value| !value.is_empty())
        .unwrap_or(&asked.after);
    let after = Mark::parse(last);
    let once = !asked.once.is_empty();
    match Listener::begin(&state.services, actor, after, once).await {
        Ok(listener) => {
            let retry = if listener.is_once() { LATER } else { RETRY };
            let told = stream::unfold(listener, async |mut listener| {
                let told = listener.next().await?;
                Some((told, listener))
            });
            sent(told, retry)
        }
        Err(error) => plain(&error),
    }
}

fn sent(told: impl Stream<Item = Told> + Send + 'static, retry: Duration) -> Response {
    let events = told
        .fuse()
        .map(move |told| Ok::<_, Infallible>(message(told, retry)));
    let mut response = Sse::new(events).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx would keep it until it has enough for a page.
    headers.insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    response
}

fn message(told: Told, retry: Duration) -> Event {
    let event = Event::default();
    match told {
        Told::Hello(mark) => {
            let event = event.retry(retry).data("hello");
            match mark {
                Some(mark) => event.id(mark.to_string()),
                None => event,
            }
        }
        Told::Changed(changed, mark) => {
            let mut lines = String::new();
            for (n, (topic, id)) in changed.iter().enumerate() {
                let line = if n == 0 { "" } else { "\n" };
                let _ = write!(lines, "{line}{topic} {id}");
            }
            event.id(mark.to_string()).data(lines)
        }
        Told::Everything(mark) => event.id(mark.to_string()).data("all"),
        Told::Heartbeat => event.data("beat"),
        Told::Over => event.data("over"),
    }
}
