//! What every call to a connected account passes: one call at a time for each worker, never more than the provider allows,
//! and none while it asked to be left alone, whichever connection it told so.

use std::future::Future;

use async_trait::async_trait;
use chrono::{DateTime, Duration, Utc};
use daybind_domain::schedule::EntryContent;
use daybind_ee_storage::{Connection, calendar};
use daybind_storage::StorageResult;
use tokio::sync::Mutex;

use crate::engine::Engine;
use crate::faults::Fault;
use crate::limits::Buckets;
use crate::merge::Field;
use crate::provider::{
    Account, CalendarProvider, CopyKey, DeltaFrom, DeltaPage, LostSubscription, Original,
    ProviderError, ProviderResult, RemoteCalendar, RemoteEvent, SubscribeRequest, Subscribed,
};
use crate::tokens::Stop;

/// Those that waited for the same end of a hold come back over so long a time.
const SPREAD: Duration = Duration::seconds(5);

/// A provider behind the gate.
pub struct Gated {
    engine: Engine,
    buckets: Buckets,
    provider: Box<dyn CalendarProvider>,
    turn: Mutex<()>,
}

/// Refuses to reach a provider that asked to be left alone, about this account or this app registration.
///
/// # Errors
/// [`Stop::Held`], or the database's.
pub async fn open(engine: &Engine, connection: &Connection) -> Result<Buckets, Stop> {
    let buckets = Buckets::of(connection);
    let now = engine.now();
    let mut unit = engine.read(buckets.tenant_id).await?;
    let both = [buckets.mailbox.as_str(), buckets.app.as_str()];
    let held = calendar(unit.as_mut())?
        .held_until(buckets.tenant_id, both, now)
        .await?;
    match held {
        Some(until) => Err(Stop::Held(
            until + SPREAD * rand::random_range(0..1000) / 1000,
        )),
        None => Ok(buckets),
    }
}

impl Gated {
    /// Puts a provider behind the gate.
    #[must_use]
    pub fn new(engine: Engine, buckets: Buckets, provider: Box<dyn CalendarProvider>) -> Self {
        Self {
            engine,
            buckets,
            provider,
            turn: Mutex::new(()),
        }
    }

    async fn pass<T>(
        &self,
        call: impl Future<Output = ProviderResult<T>> + Send,
    ) -> ProviderResult<T> {
        let _turn = self.turn.lock().await;
        let engine = &self.engine;
        match engine.usage.admit(engine, &self.buckets).await {
            Ok(None) => {}
            Ok(Some(until)) => {
                let provider = self.buckets.provider.clone();
                metrics::counter!("daybind_provider_held_back_total", "provider" => provider)
                    .increment(1);
                let after = (until - engine.now()).to_std().unwrap_or_default();
                return Err(ProviderError::Throttled { after: Some(after) });
            }
            Err(error) => {
                tracing::warn!(%error, "could not count a call to a provider");
                return Err(ProviderError::Transient("quota"));
            }
        }
        let answer = call.await;
        let asked = match &answer {
            Err(ProviderError::Throttled { after: Some(after) }) => {
                Some((&self.buckets.mailbox, after))
            }
            Err(ProviderError::Exhausted { after }) => Some((&self.buckets.app, after)),
            _ => None,
        };
        if let Some((bucket, after)) = asked {
            let until =
                Duration::from_std(*after).map_or(engine.now(), |after| engine.now() + after);
            if let Err(error) = self.hold(bucket, until).await {
                // The connection that was told so waits all the same.
                tracing::warn!(%error, "could not note for others what the provider asked for");
            }
        }
        answer
    }

    async fn hold(&self, bucket: &str, until: DateTime<Utc>) -> StorageResult<()> {
        let tenant_id = self.buckets.tenant_id;
        let scope = daybind_storage::Scope::Tenant(tenant_id);
        let mut unit = self.engine.store.begin(scope).await?;
        calendar(unit.as_mut())?
            .hold(tenant_id, bucket, until, self.engine.now())
            .await?;
        unit.save().await
    }
}

#[async_trait]
impl CalendarProvider for Gated {
    async fn account(&self) -> ProviderResult<Account> {
        self.pass(self.provider.account()).await
    }

    async fn calendars(&self) -> ProviderResult<Vec<RemoteCalendar>> {
        self.pass(self.provider.calendars()).await
    }

    async fn delta(
        &self,
        calendar: &str,
        from: &DeltaFrom,
        page: Option<&str>,
    ) -> ProviderResult<DeltaPage> {
        self.pass(self.provider.delta(calendar, from, page)).await
    }

    async fn get(&self, calendar: &str, id: &str) -> ProviderResult<RemoteEvent> {
        self.pass(self.provider.get(calendar, id)).await
    }

    async fn find_copy(&self, calendar: &str, key: CopyKey) -> ProviderResult<Option<RemoteEvent>> {
        self.pass(self.provider.find_copy(calendar, key)).await
    }

    fn carries(&self, content: &EntryContent) -> Result<(), Fault> {
        self.provider.carries(content)
    }

    async fn find_occurrence(
        &self,
        calendar: &str,
        series: &str,
        original: Original,
    ) -> ProviderResult<Option<RemoteEvent>> {
        self.pass(self.provider.find_occurrence(calendar, series, original))
            .await
    }

    async fn revive(
        &self,
        calendar: &str,
        id: &str,
        content: &EntryContent,
    ) -> ProviderResult<RemoteEvent> {
        self.pass(self.provider.revive(calendar, id, content)).await
    }

    async fn exceptions(&self, calendar: &str, series: &str) -> ProviderResult<Vec<RemoteEvent>> {
        self.pass(self.provider.exceptions(calendar, series)).await
    }

    async fn find_same(&self, calendar: &str, uid: &str) -> ProviderResult<Vec<RemoteEvent>> {
        self.pass(self.provider.find_same(calendar, uid)).await
    }

    async fn continuations(
        &self,
        calendar: &str,
        series: &str,
    ) -> ProviderResult<Vec<RemoteEvent>> {
        self.pass(self.provider.continuations(calendar, series))
            .await
    }

    async fn create(
        &self,
        calendar: &str,
        key: CopyKey,
        content: &EntryContent,
    ) -> ProviderResult<RemoteEvent> {
        self.pass(self.provider.create(calendar, key, content))
            .await
    }

    async fn update(
        &self,
        calendar: &str,
        id: &str,
        etag: Option<&str>,
        content: &EntryContent,
        fields: &[Field],
    ) -> ProviderResult<RemoteEvent> {
        self.pass(self.provider.update(calendar, id, etag, content, fields))
            .await
    }

    async fn delete(&self, calendar: &str, id: &str, etag: Option<&str>) -> ProviderResult<()> {
        self.pass(self.provider.delete(calendar, id, etag)).await
    }

    async fn subscribe(
        &self,
        calendar: &str,
        request: &SubscribeRequest,
    ) -> ProviderResult<Subscribed> {
        self.pass(self.provider.subscribe(calendar, request)).await
    }

    async fn renew(
        &self,
        external_id: &str,
        until: DateTime<Utc>,
    ) -> ProviderResult<DateTime<Utc>> {
        self.pass(self.provider.renew(external_id, until)).await
    }

    async fn unsubscribe(
        &self,
        external_id: &str,
        resource_id: Option<&str>,
    ) -> ProviderResult<()> {
        self.pass(self.provider.unsubscribe(external_id, resource_id))
            .await
    }
    async fn unsubscribe_lost(
        &self,
        calendar: &str,
        lost: &LostSubscription<'_>,
    ) -> ProviderResult<()> {
        self.pass(self.provider.unsubscribe_lost(calendar, lost))
            .await
    }
}
