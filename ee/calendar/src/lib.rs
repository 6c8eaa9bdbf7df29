//! Calendar sync, the Enterprise half: keeps the schedule and the technicians' Google and Outlook calendars in step.
//!
//! [`CalendarRuntime`] is the port the shared half calls. Inside: `oauth`, `callback` and `consent` connect accounts,
//! `webhook`, `intake` and `subscribe` learn of changes, `sync` pulls (through `integrate`) and pushes (through `push`), and
//! `merge` alone decides who wins. `bearer` holds the tokens. Every call to a connected account passes
//! the `gate`, which keeps the `limits`.

daybind_words::catalogue!();

mod actions;
mod activity;
mod admin;
mod admit;
mod bearer;
mod beside;
mod callback;
mod chooser;
mod conflicts;
mod consent;
mod coverage;
mod detail;
mod disconnect;
mod doubts;
pub mod engine;
pub mod event;
mod faults;
mod following;
mod forgotten;
mod gate;
mod google;
mod graph;
mod guides;
mod health;
mod history;
mod import;
mod inbox;
mod incoming;
mod intake;
mod integrate;
pub mod limits;
mod manage;
pub mod many;
mod marks;
pub mod merge;
mod oauth;
mod occurrences;
mod places;
pub mod preview;
pub mod provider;
mod pull;
mod push;
mod questions;
mod reading;
mod rebind;
mod removals;
mod renewal;
mod retry;
pub mod rules;
mod runs;
mod runtime;
mod search;
mod split;
mod statements;
mod subscribe;
mod sync;
mod timeline;
mod tokens;
mod trial;
mod versions;
mod views;
mod webhook;
mod wire;
mod wording;
pub mod zones;

use daybind_domain::Cloud;
use daybind_services::Endpoints;

pub use guides::GUIDES;
pub use runtime::CalendarRuntime;
pub use wording::WORDING;

/// Adds the calendar hosts to the endpoints.
///
/// # Errors
/// A message for the operator when a value is not an http(s) URL.
pub fn register_endpoints(
    endpoints: &mut Endpoints,
    get: &dyn Fn(&str) -> Option<String>,
) -> Result<(), String> {
    for (cloud, variable, host) in oauth::GRAPH {
        if cloud == Cloud::Global {
            endpoints.add(get, variable, host)?;
        } else {
            endpoints.add_national(get, variable, host)?;
        }
    }
    endpoints.add(
        get,
        oauth::GOOGLE_AUTH_URL,
        "https://accounts.google.com/o/oauth2/v2/auth",
    )?;
    endpoints.add(
        get,
        oauth::GOOGLE_TOKEN_URL,
        "https://oauth2.googleapis.com/token",
    )?;
    endpoints.add(get, oauth::GOOGLE_API_URL, "https://www.googleapis.com")?;
    endpoints.add(
        get,
        oauth::GOOGLE_REVOKE_URL,
        "https://oauth2.googleapis.com/revoke",
    )
}
