//! What every service needs, in one place.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use daybind_domain::ids::TenantId;
use daybind_domain::{Consumer, Edition};
use daybind_storage::{Scope, Store, UnitOfWork};
use daybind_words::t;
use tokio::sync::Notify;
use url::Url;
use uuid::Uuid;

use crate::audit::Wording;
use crate::endpoints::Endpoints;
use crate::failure::{AppResult, internal};
use crate::guide::ConsumerGuide;
use crate::live::Live;
use crate::outbound::Outbound;
use crate::seal::Keyring;
use crate::sso::issuer::Issuers;

/// Tells the time; a parameter so that tests can set it.
pub trait Clock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> DateTime<Utc>;
}

/// The computer's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        // Whole microseconds: what both databases keep, so that a value read back equals the one written.
        let now = Utc::now();
        DateTime::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now)
    }
}

/// The shared means of all services. Cheap to clone.
#[derive(Clone)]
pub struct Services {
    /// The edition that runs.
    pub edition: Edition,
    /// What each consumer of the linked edition needs in Entra. Ask through [`Services::guide`].
    pub guides: &'static [ConsumerGuide],
    /// What the audit log's codes are called.
    pub wording: Wording,
    /// The database.
    pub store: Arc<dyn Store>,
    /// Opens and seals secrets.
    pub keyring: Arc<Keyring>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Where browsers reach this server; the base of every redirect URI. No trailing slash.
    pub public_url: Url,
    /// Where Microsoft's log-in lives, and (Enterprise) where the calendar providers live.
    pub endpoints: Arc<Endpoints>,
    /// The one HTTP client for calls to providers: no redirects, bounded times, public addresses only.
    pub http: Outbound,
    /// Who signs for the directories people come from.
    pub issuers: Arc<Issuers>,
    /// Wakes the job worker when something was queued in this process.
    pub wake: Arc<Notify>,
    /// Tells open pages what has changed.
    pub live: Live,
}

impl Services {
    /// Opens a writing unit of work for one tenant.
    ///
    /// # Errors
    /// An internal error with a reference, logged.
    pub async fn begin(&self, tenant_id: TenantId) -> AppResult<Box<dyn UnitOfWork>> {
        self.store
            .begin(Scope::Tenant(tenant_id))
            .await
            .map_err(internal)
    }

    /// Opens a reading unit of work for one tenant.
    ///
    /// # Errors
    /// An internal error with a reference, logged.
    pub async fn read(&self, tenant_id: TenantId) -> AppResult<Box<dyn UnitOfWork>> {
        self.store
            .read(Scope::Tenant(tenant_id))
            .await
            .map_err(internal)
    }

    /// The guides of the consumers this edition shows, in their order.
    pub fn guides(&self) -> impl Iterator<Item = &'static ConsumerGuide> {
        let visible = self.edition.visible_consumers();
        let all = self.guides;
        visible
            .iter()
            .filter_map(|consumer| all.iter().find(|guide| guide.consumer == *consumer))
    }

    /// What a visible consumer needs; `None` for one this edition does not show.
    #[must_use]
    pub fn guide(&self, consumer: Consumer) -> Option<&'static ConsumerGuide> {
        self.guides().find(|guide| guide.consumer == consumer)
    }

    /// A consumer's name on the screen. One this edition does not show has none of its own.
    #[must_use]
    pub fn label(&self, consumer: Consumer) -> &'static str {
        self.guide(consumer)
            .map_or(t!("an Enterprise feature"), |guide| guide.label)
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// A new time-ordered id (UUID version 7, RFC 9562).
    #[must_use]
    pub fn new_id(&self) -> Uuid {
        Uuid::now_v7()
    }

    /// An absolute URL below [`Self::public_url`]; `path` begins with a slash.
    #[must_use]
    pub fn absolute(&self, path: &str) -> String {
        format!("{}{path}", self.public_url.as_str().trim_end_matches('/'))
    }
}
