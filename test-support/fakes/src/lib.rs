//! Stand-ins for Google (OAuth + Calendar v3) and Microsoft (Entra login v2 + Graph v1.0 calendar).
//!
//! They speak the providers' wire contracts over plain HTTP on 127.0.0.1, keep everything in memory
//! and misbehave on demand. Tests use [`FakeProviders`]; people use the `daybind-fakes` binary.
//! Both drive the same state: each helper here has a twin under `/_control` (see [`control`]).

pub mod control;
mod fault;
mod google;
mod google_events;
mod google_push;
mod google_series;
mod graph;
mod graph_events;
mod graph_series;
mod graph_subscriptions;
mod graph_view;
mod http;
mod id_token;
mod oauth;
mod oauth_google;
mod oauth_microsoft;
mod options;
mod record;
mod server;
mod split;
mod state;
mod ui;
mod webhooks;
mod zones;

pub use fault::{Fault, FaultKind};
pub use id_token::{TestKey, object_id};
pub use options::{DuplicateTransaction, FakeAccount, FakeOptions, GoogleClient, MicrosoftClient};
pub use state::{LogEntry, Provider};

use chrono::TimeDelta;
use serde_json::Value;
use server::Shared;
use std::collections::BTreeMap;
use tokio::task::JoinHandle;
use url::Url;

/// A running pair of fake providers. Dropping it stops the server and pending webhook deliveries.
pub struct FakeProviders {
    /// Root of the server, e.g. `http://127.0.0.1:41234/`.
    pub base_url: Url,
    shared: Shared,
    tasks: Vec<JoinHandle<()>>,
}

impl FakeProviders {
    /// Binds `127.0.0.1:options.port` (0 picks a free port) and serves on the current tokio runtime.
    ///
    /// # Errors
    /// When the port is taken or no HTTP client can be built.
    pub fn start(options: FakeOptions) -> anyhow::Result<Self> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", options.port))?;
        listener.set_nonblocking(true)?;
        let base_url = Url::parse(&format!("http://{}/", listener.local_addr()?))?;
        let (shared, tasks) = server::spawn(listener, &base_url, options)?;
        Ok(Self {
            base_url,
            shared,
            tasks,
        })
    }

    /// Stops serving and delivering.
    pub fn stop(self) {
        drop(self);
    }

    /// Environment for a Daybind server that should talk to these fakes.
    #[must_use]
    pub fn env(&self) -> Vec<(String, String)> {
        env_for(&self.base_url)
    }

    /// Forgets events, grants, channels, faults, log and counters.
    pub fn reset(&self) {
        self.shared.lock().reset();
    }

    /// Calendars of all accounts at one provider: `id, account, name, canWrite, primary, timeZone`.
    #[must_use]
    pub fn calendars(&self, provider: Provider) -> Vec<Value> {
        self.shared.lock().describe_calendars(provider)
    }

    /// Shares a Google calendar with another account, which may change it and sees it under the same id.
    pub fn share(&self, calendar: &str, with: &str) {
        self.shared.lock().share(calendar, with);
    }

    /// Events of a calendar in the provider's own shape; deleted ones are left out.
    #[must_use]
    pub fn events(&self, provider: Provider, calendar: &str) -> Vec<Value> {
        control::list_events(&self.shared, provider, calendar)
    }

    /// Occurrences that differ from their series, by the day the series gives them; null for deleted ones.
    #[must_use]
    pub fn exceptions(
        &self,
        provider: Provider,
        calendar: &str,
        series: &str,
    ) -> BTreeMap<String, Value> {
        control::exceptions(&self.shared, provider, calendar, series)
    }

    /// Creates an event as the user in the external calendar; answers the stored event.
    ///
    /// # Errors
    /// When the calendar is unknown or the provider would refuse the body.
    pub fn create_event(
        &self,
        provider: Provider,
        calendar: &str,
        body: &Value,
    ) -> anyhow::Result<Value> {
        control::create_event(&self.shared, provider, calendar, body)
    }

    /// Puts an invitation with that iCalendar UID into a calendar, as the mail of its organiser does; answers the stored event.
    ///
    /// # Errors
    /// When the calendar is unknown or the provider would refuse the body.
    pub fn invite(
        &self,
        provider: Provider,
        calendar: &str,
        uid: &str,
        body: &Value,
    ) -> anyhow::Result<Value> {
        control::invite(&self.shared, provider, calendar, uid, body)
    }

    /// Splits a series as the user does with "this and following": from that day on, in the series' own zone, another one
    /// goes on, with what `patch` says. At Microsoft it has the first one's extended properties only if `keeps_properties`.
    ///
    /// # Errors
    /// When calendar or event are unknown or the provider would refuse the body.
    pub fn split_series(
        &self,
        provider: Provider,
        calendar: &str,
        event: &str,
        day: chrono::NaiveDate,
        patch: &Value,
        keeps_properties: bool,
    ) -> anyhow::Result<Value> {
        control::split_series(
            &self.shared,
            provider,
            calendar,
            event,
            (day, patch),
            keeps_properties,
        )
    }

    /// Changes an event as the user in the external calendar (merge of `patch`).
    ///
    /// # Errors
    /// When calendar or event are unknown or the provider would refuse the body.
    pub fn patch_event(
        &self,
        provider: Provider,
        calendar: &str,
        event: &str,
        patch: &Value,
    ) -> anyhow::Result<Value> {
        control::patch_event(&self.shared, provider, calendar, event, patch)
    }

    /// Deletes an event as the user in the external calendar.
    ///
    /// # Errors
    /// When calendar or event are unknown.
    pub fn delete_event(
        &self,
        provider: Provider,
        calendar: &str,
        event: &str,
    ) -> anyhow::Result<()> {
        control::delete_event(&self.shared, provider, calendar, event)
    }

    /// Arms a fault; faults for one operation fire in the order they were armed.
    pub fn arm(&self, fault: Fault) {
        self.shared.lock().faults.push(fault);
    }

    /// Disarms everything.
    pub fn clear_faults(&self) {
        self.shared.lock().faults.clear();
    }

    /// All logged requests and webhook deliveries, oldest first, secrets redacted.
    #[must_use]
    pub fn log(&self) -> Vec<LogEntry> {
        self.shared.lock().log.iter().cloned().collect()
    }

    /// Answered requests per operation, e.g. `google.events.insert`.
    #[must_use]
    pub fn counters(&self) -> BTreeMap<String, u64> {
        self.shared.lock().counters.clone()
    }

    /// Time spent answering requests so far, delays on demand included; requests answered at once add up.
    #[must_use]
    pub fn busy(&self) -> std::time::Duration {
        self.shared.lock().busy
    }

    /// The most calls with an access token that were being answered at the same time since this was last asked.
    #[must_use]
    pub fn most_at_once(&self) -> usize {
        let mut state = self.shared.lock();
        let (now, most) = state.at_once;
        state.at_once = (now, now);
        most
    }

    /// Makes every access token of a provider fail with 401 from now on; refresh still works.
    pub fn expire_access_tokens(&self, provider: Provider) {
        self.shared.lock().expire_access_tokens(provider);
    }

    /// Kills all grants: refreshing answers `invalid_grant`, bearer tokens 401.
    pub fn revoke_grants(&self, provider: Provider) {
        self.shared.lock().revoke_grants(provider);
    }

    /// Changes the claims of every ID token from now on; `null` removes a claim, an empty object undoes all changes.
    pub fn set_claims(&self, patch: Value) {
        self.shared.lock().claims = patch;
    }

    /// Signs ID tokens with the other key from now on and publishes only that one.
    pub fn rotate_signing_key(&self) {
        self.shared.lock().rotate_signing_key();
    }

    /// Makes every sync token / delta link answer 410 from now on.
    pub fn expire_sync_tokens(&self, provider: Provider) {
        self.shared.lock().expire_sync_tokens(provider);
    }

    /// Moves the time on by which push subscriptions end.
    pub fn pass(&self, time: TimeDelta) {
        self.shared.lock().ahead += time;
    }

    /// Ends all push subscriptions of a provider without a word.
    pub fn forget_subscriptions(&self, provider: Provider) {
        let mut state = self.shared.lock();
        match provider {
            Provider::Google => state.channels.clear(),
            Provider::Microsoft => state.subscriptions.clear(),
        }
    }

    /// Sends a Graph lifecycle notification (`reauthorizationRequired`, `subscriptionRemoved`,
    /// `missed`) to every subscription with a lifecycle URL; `subscriptionRemoved` also removes it.
    pub fn send_lifecycle(&self, event: &str) {
        graph_subscriptions::send_lifecycle(&mut self.shared.lock(), event);
    }

    /// Everything a client of the fakes must keep to itself: its secrets, the codes, verifiers and tokens it was given or
    /// sent, and the secrets of its push channels. What to search its answers and logs for.
    #[must_use]
    pub fn secrets(&self) -> Vec<String> {
        self.shared.lock().secrets()
    }

    /// Waits until every push message sent so far was answered or given up, so that what the receiver did about it
    /// is committed. Answers `false` when that takes longer than `limit`.
    pub async fn settle(&self, limit: std::time::Duration) -> bool {
        let idle = async {
            while self.shared.lock().undelivered > 0 {
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(limit, idle).await.is_ok()
    }

    /// Live Google channels and Graph subscriptions, secrets redacted.
    #[must_use]
    pub fn subscriptions(&self, provider: Provider) -> Vec<Value> {
        self.shared.lock().describe_subscriptions(provider)
    }
}

impl Drop for FakeProviders {
    fn drop(&mut self) {
        if let Err(error) = record::keep(&self.shared.lock()) {
            tracing::error!(%error, "the request log could not be kept");
        }
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// The `DAYBIND_*` provider addresses for fakes at `base`.
pub(crate) fn env_for(base: &Url) -> Vec<(String, String)> {
    let base = base.as_str().trim_end_matches('/');
    [
        ("DAYBIND_MICROSOFT_LOGIN_URL", "/ms/login"),
        ("DAYBIND_MICROSOFT_GRAPH_URL", "/ms/graph"),
        ("DAYBIND_GOOGLE_AUTH_URL", "/google/o/oauth2/v2/auth"),
        ("DAYBIND_GOOGLE_TOKEN_URL", "/google/token"),
        ("DAYBIND_GOOGLE_API_URL", "/google/api"),
        ("DAYBIND_GOOGLE_REVOKE_URL", "/google/revoke"),
    ]
    .into_iter()
    .map(|(name, path)| (name.to_owned(), format!("{base}{path}")))
    .collect()
}
