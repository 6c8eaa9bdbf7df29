//! Everything the fakes remember.

use crate::fault::Fault;
use crate::id_token::TestKey;
use crate::options::FakeOptions;
use crate::webhooks::Job;
use crate::zones;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap, VecDeque};
use tokio::sync::mpsc::UnboundedSender;

/// Which provider a call or helper is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// Google OAuth and Calendar v3.
    Google,
    /// Entra login and Graph.
    Microsoft,
}

impl Provider {
    /// `google` or `microsoft`, as in control paths and operation names.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Google => "google",
            Self::Microsoft => "microsoft",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "google" => Some(Self::Google),
            "microsoft" => Some(Self::Microsoft),
            _ => None,
        }
    }
}

/// One request the fakes answered, or one webhook delivery they made (operation `*.webhook`).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LogEntry {
    /// Growing number.
    pub seq: u64,
    /// RFC 3339.
    pub at: String,
    /// Operation name as in the counters.
    pub operation: String,
    /// HTTP method.
    pub method: String,
    /// Path, or the whole address of a webhook.
    pub path: String,
    /// Query string with codes and tokens redacted.
    pub query: String,
    /// Status answered; 0 when a webhook target could not be reached.
    pub status: u16,
    /// Request body: JSON, or a form as a JSON object.
    pub request: Option<Value>,
    /// JSON body answered.
    pub response: Option<Value>,
    /// Armed fault that fired, if any.
    pub fault: Option<Value>,
}

/// An event in its provider's shape.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// Change number of the last change.
    pub seq: u64,
    pub deleted: bool,
    pub body: Value,
    /// Graph's singleValueExtendedProperties, not part of plain answers.
    pub extended: Vec<Value>,
    /// Every change, oldest first. Lets delta tell what a client knows.
    pub history: Vec<Past>,
}

/// State of an event after one change.
#[derive(Debug, Clone)]
pub(crate) struct Past {
    pub seq: u64,
    /// `None` when the change was the deletion.
    pub range: Option<(DateTime<Utc>, DateTime<Utc>)>,
    pub body: Value,
}

impl Event {
    /// What the event looked like to somebody who synced at `seq`.
    pub(crate) fn at(&self, seq: u64) -> Option<&Past> {
        self.history.iter().rev().find(|p| p.seq <= seq)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Calendar {
    pub provider: Provider,
    pub id: String,
    pub account: String,
    /// Accounts it is shared with, to be changed by them.
    pub shared_with: Vec<String>,
    pub name: String,
    pub zone: String,
    pub can_write: bool,
    pub primary: bool,
    pub events: BTreeMap<String, Event>,
    /// Raised to invalidate all sync tokens.
    pub epoch: u64,
}

/// An authorization code waiting to be redeemed.
#[derive(Debug, Clone)]
pub(crate) struct Code {
    pub provider: Provider,
    pub account: String,
    pub client_id: String,
    pub redirect_uri: String,
    pub challenge: String,
    /// What an ID token must repeat.
    pub nonce: Option<String>,
    pub scope: String,
    pub tenant: String,
    pub offline: bool,
    pub expires: DateTime<Utc>,
    pub used: bool,
}

/// An access or refresh token.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub provider: Provider,
    /// Groups all tokens of one consent.
    pub grant: String,
    /// `None` for app-only tokens.
    pub account: Option<String>,
    pub scope: String,
    pub expires: DateTime<Utc>,
}

#[derive(Debug, Clone)]
pub(crate) struct Channel {
    pub id: String,
    pub resource_id: String,
    pub resource_uri: String,
    pub account: String,
    pub calendar: String,
    pub address: String,
    pub token: Option<String>,
    pub expires: DateTime<Utc>,
    pub number: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct Subscription {
    pub id: String,
    pub account: String,
    /// `None` watches all calendars of the mailbox.
    pub calendar: Option<String>,
    pub body: Value,
    pub expires: DateTime<Utc>,
}

pub(crate) struct State {
    pub options: FakeOptions,
    /// Without trailing slash.
    pub base: String,
    pub seq: u64,
    pub calendars: Vec<Calendar>,
    pub codes: HashMap<String, Code>,
    /// PKCE verifiers that clients sent.
    pub verifiers: Vec<String>,
    /// ID tokens that were given out.
    pub id_tokens: Vec<String>,
    /// What tests change in the claims of ID tokens.
    pub claims: Value,
    pub signing_key: TestKey,
    pub access: HashMap<String, Token>,
    pub refresh: HashMap<String, Token>,
    /// Google accounts that consented before: no second refresh token without `prompt=consent`.
    pub consented: Vec<String>,
    pub channels: Vec<Channel>,
    pub used_channel_ids: Vec<String>,
    pub subscriptions: Vec<Subscription>,
    pub faults: Vec<Fault>,
    pub held: HashMap<Provider, Job>,
    pub log: VecDeque<LogEntry>,
    pub log_seq: u64,
    pub counters: BTreeMap<String, u64>,
    /// Time spent answering requests.
    pub busy: std::time::Duration,
    /// Calls with an access token that are being answered, and the most there were at a time.
    pub at_once: (usize, usize),
    pub outbox: UnboundedSender<Job>,
    /// Push messages sent or waiting that have not come to their end.
    pub undelivered: usize,
    /// How far the time of push subscriptions has been moved on.
    pub ahead: TimeDelta,
}

impl State {
    pub(crate) fn new(options: FakeOptions, base: &str, outbox: UnboundedSender<Job>) -> Self {
        let mut state = Self {
            options,
            base: base.trim_end_matches('/').to_owned(),
            seq: 1,
            calendars: Vec::new(),
            codes: HashMap::new(),
            verifiers: Vec::new(),
            id_tokens: Vec::new(),
            claims: json!({}),
            signing_key: TestKey::First,
            access: HashMap::new(),
            refresh: HashMap::new(),
            consented: Vec::new(),
            channels: Vec::new(),
            used_channel_ids: Vec::new(),
            subscriptions: Vec::new(),
            faults: Vec::new(),
            held: HashMap::new(),
            log: VecDeque::new(),
            log_seq: 0,
            counters: BTreeMap::new(),
            busy: std::time::Duration::ZERO,
            at_once: (0, 0),
            outbox,
            undelivered: 0,
            ahead: TimeDelta::zero(),
        };
        state.reset();
        state
    }

    /// Now, by the clock push subscriptions end by.
    pub(crate) fn push_time(&self) -> DateTime<Utc> {
        Utc::now() + self.ahead
    }

    pub(crate) fn reset(&mut self) {
        self.codes.clear();
        self.claims = json!({});
        self.access.clear();
        self.refresh.clear();
        self.consented.clear();
        self.channels.clear();
        self.used_channel_ids.clear();
        self.subscriptions.clear();
        self.faults.clear();
        self.held.clear();
        self.log.clear();
        self.counters.clear();
        self.busy = std::time::Duration::ZERO;
        // Sync tokens from before the reset must not be honoured.
        let epoch = self.calendars.first().map_or(1, |c| c.epoch + 1);
        self.calendars = self
            .options
            .accounts
            .iter()
            .flat_map(|a| calendars_of(a, epoch))
            .collect();
    }

    pub(crate) fn calendar(&self, provider: Provider, id: &str) -> Option<&Calendar> {
        self.calendars
            .iter()
            .find(|c| c.provider == provider && c.id == id)
    }

    pub(crate) fn calendar_mut(&mut self, provider: Provider, id: &str) -> Option<&mut Calendar> {
        self.calendars
            .iter_mut()
            .find(|c| c.provider == provider && c.id == id)
    }

    pub(crate) fn next_seq(&mut self) -> u64 {
        self.seq += 1;
        self.seq
    }

    pub(crate) fn rotate_signing_key(&mut self) {
        self.signing_key = match self.signing_key {
            TestKey::First => TestKey::Second,
            TestKey::Second => TestKey::First,
        };
    }

    pub(crate) fn expire_access_tokens(&mut self, provider: Provider) {
        for token in self.access.values_mut().filter(|t| t.provider == provider) {
            token.expires = DateTime::UNIX_EPOCH;
        }
    }

    pub(crate) fn revoke_grants(&mut self, provider: Provider) {
        self.access.retain(|_, t| t.provider != provider);
        self.refresh.retain(|_, t| t.provider != provider);
        self.codes.retain(|_, c| c.provider != provider);
        if provider == Provider::Google {
            self.consented.clear();
        }
    }

    pub(crate) fn expire_sync_tokens(&mut self, provider: Provider) {
        for calendar in self.calendars.iter_mut().filter(|c| c.provider == provider) {
            calendar.epoch += 1;
        }
    }

    pub(crate) fn share(&mut self, calendar: &str, with: &str) {
        if let Some(calendar) = self.calendar_mut(Provider::Google, calendar) {
            calendar.shared_with.push(with.to_owned());
        }
    }

    pub(crate) fn describe_calendars(&self, provider: Provider) -> Vec<Value> {
        self.calendars
            .iter()
            .filter(|c| c.provider == provider)
            .map(|c| {
                json!({"id": c.id, "account": c.account, "name": c.name, "canWrite": c.can_write,
                       "primary": c.primary, "timeZone": c.zone})
            })
            .collect()
    }

    pub(crate) fn describe_subscriptions(&self, provider: Provider) -> Vec<Value> {
        let now = self.push_time();
        match provider {
            Provider::Google => self
                .channels
                .iter()
                .filter(|c| c.expires > now)
                .map(|c| {
                    json!({"id": c.id, "resourceId": c.resource_id, "calendar": c.calendar,
                           "address": c.address, "expiration": zones::millis(c.expires)})
                })
                .collect(),
            Provider::Microsoft => self
                .subscriptions
                .iter()
                .filter(|s| s.expires > now)
                .map(|s| redact(s.body.clone()))
                .collect(),
        }
    }

    /// What no client may show to anybody.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let configured = [
            &self.options.google.client_secret,
            &self.options.microsoft.client_secret,
        ];
        let subscribed = self.subscriptions.iter().filter_map(|subscription| {
            let secret = subscription.body.get("clientState")?;
            secret.as_str().map(str::to_owned)
        });
        configured
            .into_iter()
            .cloned()
            .chain(self.codes.keys().cloned())
            .chain(self.verifiers.iter().cloned())
            .chain(self.id_tokens.iter().cloned())
            .chain(self.access.keys().cloned())
            .chain(self.refresh.keys().cloned())
            .chain(
                self.channels
                    .iter()
                    .filter_map(|channel| channel.token.clone()),
            )
            .chain(subscribed)
            .filter(|secret| !secret.is_empty())
            .collect()
    }

    pub(crate) fn write_log(&mut self, mut entry: LogEntry) {
        self.log_seq += 1;
        entry.seq = self.log_seq;
        entry.at = zones::millis(Utc::now());
        entry.request = entry.request.map(redact);
        entry.response = entry.response.map(redact);
        *self.counters.entry(entry.operation.clone()).or_default() += 1;
        self.log.push_back(entry);
        if self.log.len() > 5000 {
            self.log.pop_front();
        }
    }
}

/// Stable opaque id from a readable seed.
pub(crate) fn stable_id(seed: &str, length: usize) -> String {
    use sha2::{Digest as _, Sha256};
    let hex: String = Sha256::digest(seed)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    hex.repeat(3).chars().take(length).collect()
}

fn calendars_of(account: &crate::options::FakeAccount, epoch: u64) -> Vec<Calendar> {
    let make = |provider, id: String, name: &str, can_write, primary| Calendar {
        provider,
        id,
        account: account.email.clone(),
        shared_with: Vec::new(),
        name: name.to_owned(),
        zone: account.time_zone.clone(),
        can_write,
        primary,
        events: BTreeMap::new(),
        epoch,
    };
    let email = &account.email;
    let google = |kind: &str| stable_id(&format!("google {kind} {email}"), 64);
    let graph = |kind: &str| {
        format!(
            "AAMkA{}AAA=",
            stable_id(&format!("graph {kind} {email}"), 60).to_uppercase()
        )
    };
    let team = format!("{}@group.calendar.google.com", google("team"));
    let holidays = format!("{}@group.calendar.google.com", google("holidays"));
    vec![
        make(Provider::Google, email.clone(), email, true, true),
        make(Provider::Google, team, "Field service", true, false),
        make(
            Provider::Google,
            holidays,
            "Holidays (read only)",
            false,
            false,
        ),
        make(
            Provider::Microsoft,
            graph("default"),
            "Calendar",
            true,
            true,
        ),
        make(
            Provider::Microsoft,
            graph("team"),
            "Field service",
            true,
            false,
        ),
        make(
            Provider::Microsoft,
            graph("holidays"),
            "Holidays (read only)",
            false,
            false,
        ),
    ]
}

const SECRET: &[&str] = &[
    "access_token",
    "refresh_token",
    "id_token",
    "client_secret",
    "code",
    "code_verifier",
    "client_assertion",
    "clientState",
    "validationToken",
    "token",
    "token_value",
];

/// Replaces the string value of every secret member; other members (numbers, objects) stay, so
/// Google's `error.code` survives.
pub(crate) fn redact(mut value: Value) -> Value {
    match &mut value {
        Value::Object(map) => {
            let is_error = map.contains_key("message") || map.contains_key("innerError");
            for (key, inner) in map.iter_mut() {
                if inner.is_string() && SECRET.contains(&key.as_str()) && !is_error {
                    *inner = json!("[redacted]");
                } else {
                    *inner = redact(inner.take());
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                *item = redact(item.take());
            }
        }
        _ => {}
    }
    value
}
