//! What sync works with: the shared means, plus whatever a test must be able to replace: how providers are reached,
//! where ids come from, and what happens at the declared points.

use std::ops::Deref;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::TimeDelta;
use daybind_ee_storage::Connection;
use daybind_services::{Services, crash};
use uuid::Uuid;

use crate::gate::{self, Gated};
use crate::limits::Usage;
use crate::provider::CalendarProvider;
use crate::tokens::HttpProviders;

pub use crate::tokens::Stop;

/// Reaches a connection's provider.
#[async_trait]
pub trait ProviderSource: Send + Sync + 'static {
    /// A client whose token works; with `fresh`, one with a token that was not tried before.
    ///
    /// # Errors
    /// [`Stop`]
    async fn connect(
        &self,
        engine: &Engine,
        connection: &mut Connection,
        fresh: bool,
    ) -> Result<Box<dyn CalendarProvider>, Stop>;
}

/// Makes ids.
pub trait Ids: Send + Sync + 'static {
    /// A new one.
    fn next(&self) -> Uuid;
}

/// Time-ordered ids (UUID version 7, RFC 9562).
pub struct TimeOrdered;

impl Ids for TimeOrdered {
    fn next(&self) -> Uuid {
        Uuid::now_v7()
    }
}

/// Places at which a crash must do no harm. A test stops a worker at each of them.
pub const POINTS: [&str; 25] = [
    "run.claimed",
    "call.before_send",
    "call.after_response",
    "map.before_commit",
    "map.after_commit",
    "page.before_commit",
    "page.after_commit",
    "run.before_commit",
    "run.after_commit",
    // Consent: the state is used up; the code is exchanged; the grant is stored; the browser has no answer yet.
    "consent.taken",
    "consent.exchanged",
    "consent.before_commit",
    "consent.after_commit",
    // The newest tokens are here and nowhere else; they are kept.
    "refresh.before_commit",
    "refresh.after_commit",
    // A subscription: made at the provider, kept with the old one still there, prolonged or ended over there only.
    "subscription.intended",
    "subscription.made",
    "subscription.kept",
    "subscription.renewed",
    "subscription.ended",
    // What disconnecting did at the provider, and the end.
    "disconnect.copy_removed",
    "disconnect.revoked",
    "disconnect.after_commit",
    // A notification, before and after it is queued; nobody was answered.
    "webhook.before_commit",
    "webhook.after_commit",
];

/// What happens at the declared points.
#[async_trait]
pub trait Points: Send + Sync + 'static {
    /// Called at each of [`POINTS`]; a worker that shall die there never gets an answer.
    async fn reach(&self, point: &'static str);
}

/// Goes on, unless the process was asked to die at this point (debug builds).
pub struct GoOn;

#[async_trait]
impl Points for GoOn {
    async fn reach(&self, point: &'static str) {
        crash::point(point);
    }
}

/// The means of sync. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    /// The shared means.
    pub services: Services,
    /// How providers are reached.
    pub providers: Arc<dyn ProviderSource>,
    /// Where ids come from.
    pub ids: Arc<dyn Ids>,
    /// What happens at the declared points.
    pub points: Arc<dyn Points>,
    /// How long runs, changes and settled conflicts are kept.
    pub keep_activity: TimeDelta,
    /// How much of the providers' limits is used.
    pub usage: Arc<Usage>,
}

impl Engine {
    /// As in production.
    #[must_use]
    pub fn new(services: Services) -> Self {
        Self {
            services,
            providers: Arc::new(HttpProviders),
            ids: Arc::new(TimeOrdered),
            points: Arc::new(GoOn),
            keep_activity: TimeDelta::days(90),
            usage: Arc::default(),
        }
    }

    /// A provider client with a token that works, behind the gate.
    ///
    /// # Errors
    /// [`Stop`]
    pub async fn connect(
        &self,
        connection: &mut Connection,
        fresh: bool,
    ) -> Result<Box<dyn CalendarProvider>, Stop> {
        let buckets = gate::open(self, connection).await?;
        let provider = self.providers.connect(self, connection, fresh).await?;
        Ok(Box::new(Gated::new(self.clone(), buckets, provider)))
    }

    /// A new id.
    #[must_use]
    pub fn next_id(&self) -> Uuid {
        self.ids.next()
    }

    /// Passes a declared point.
    pub async fn point(&self, name: &'static str) {
        debug_assert!(POINTS.contains(&name), "{name}");
        self.points.reach(name).await;
    }
}

impl Deref for Engine {
    type Target = Services;

    fn deref(&self) -> &Services {
        &self.services
    }
}
