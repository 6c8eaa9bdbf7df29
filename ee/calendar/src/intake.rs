//! From a notification to a queued sync, many in one commit.
//!
//! Row-level security makes a transaction one tenant's, so each tenant has its own batch. While one is on its way into the
//! database, what arrives waits for the next one, and everybody is answered after the commit that holds what they brought. A
//! flood thus costs few transactions, each with a constant number of statements. What waits is in memory alone: nobody has
//! been told that it arrived, so the provider repeats what a crash takes.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use daybind_domain::ids::{SubscriptionId, TenantId};
use daybind_ee_storage::{Notice, Notified, calendar};
use daybind_services::Provider;
use daybind_storage::{Scope, StorageResult};
use subtle::ConstantTimeEq as _;
use tokio::sync::oneshot;

use crate::engine::Engine;
use crate::{subscribe, sync};

/// So many notifications of one tenant wait at most; the provider repeats the others.
const WAITING_MAX: usize = 10_000;
/// Providers hang up after ten seconds; a batch that takes longer than this has nobody left to answer.
const BATCH_MAX: Duration = Duration::from_secs(8);
/// So long one waits for an answer, also behind a batch that takes long: what is not stored by then is to be repeated.
const ANSWER_MAX: Duration = Duration::from_secs(9);

/// What a notification asks for. Nothing in it is believed before the secret was compared.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Poke {
    /// At whose door it came.
    pub provider: Provider,
    /// The subscription it names.
    pub subscription_id: SubscriptionId,
    /// Digest of the secret it carries.
    pub secret_hash: Vec<u8>,
    /// What it says of the subscription itself.
    pub lifecycle: Lifecycle,
}

/// What Graph says of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lifecycle {
    /// Nothing, or that notifications were missed: a sync is all it needs.
    Lives,
    /// It was removed.
    Removed,
    /// It ends unless it is renewed.
    Ends,
}

/// It could not be stored; the provider shall repeat it.
#[derive(Debug)]
pub struct Refused;

/// The batches of one server. Cheap to clone.
#[derive(Clone)]
pub struct Intake(Arc<Inner>);

struct Inner {
    engine: Engine,
    /// The tenants whose batch is on its way, with what waits for the next one.
    waiting: Mutex<HashMap<TenantId, Batch>>,
}

#[derive(Default)]
struct Batch {
    pokes: HashSet<Poke>,
    answers: Vec<oneshot::Sender<()>>,
}

impl Intake {
    /// With nothing under way.
    pub fn new(engine: Engine) -> Self {
        Self(Arc::new(Inner {
            engine,
            waiting: Mutex::default(),
        }))
    }

    /// Returns after the commit that queued whatever these rightly ask for.
    ///
    /// # Errors
    /// [`Refused`] at once when too many wait, later when the commit failed or took too long.
    pub async fn take(&self, tenant_id: TenantId, pokes: HashSet<Poke>) -> Result<(), Refused> {
        let (answer, answered) = oneshot::channel();
        match self.0.waiting().entry(tenant_id) {
            Entry::Occupied(mut waiting) => {
                let batch = waiting.get_mut();
                if batch.answers.len() >= WAITING_MAX
                    || batch.pokes.len() + pokes.len() > WAITING_MAX
                {
                    return Err(Refused);
                }
                batch.pokes.extend(pokes);
                batch.answers.push(answer);
            }
            Entry::Vacant(place) => {
                place.insert(Batch {
                    pokes,
                    answers: vec![answer],
                });
                // Not in the caller's future: who hangs up must not take the others' answers along.
                tokio::spawn(Arc::clone(&self.0).work(tenant_id));
            }
        }
        match tokio::time::timeout(ANSWER_MAX, answered).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Refused),
        }
    }
}

/// Lets go of whoever still waits when the work ends in the middle, by a panic.
struct Place<'a> {
    inner: &'a Inner,
    tenant_id: TenantId,
    left: bool,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if !self.left {
            self.inner.waiting().remove(&self.tenant_id);
        }
    }
}

impl Inner {
    fn waiting(&self) -> MutexGuard<'_, HashMap<TenantId, Batch>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What waits; gives the tenant's place up when nothing does.
    fn next(&self, tenant_id: TenantId) -> Option<Batch> {
        let mut waiting = self.waiting();
        let batch = mem::take(waiting.get_mut(&tenant_id)?);
        if batch.answers.is_empty() {
            waiting.remove(&tenant_id);
            return None;
        }
        Some(batch)
    }

    /// Commits one batch after the other until nothing waits.
    async fn work(self: Arc<Self>, tenant_id: TenantId) {
        let mut place = Place {
            inner: &self,
            tenant_id,
            left: false,
        };
        while let Some(batch) = self.next(tenant_id) {
            #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
            let size = batch.answers.len() as f64;
            metrics::histogram!("daybind_webhook_batch_size").record(size);
            let committed =
                tokio::time::timeout(BATCH_MAX, self.commit(tenant_id, &batch.pokes)).await;
            match committed {
                Ok(Ok(())) => {
                    for answer in batch.answers {
                        // Whoever hung up has been served all the same.
                        let _ = answer.send(());
                    }
                }
                Ok(Err(error)) => {
                    tracing::error!(owner = "ee", %error, requests = size, "could not queue notifications; the provider will repeat them");
                }
                Err(_) => {
                    tracing::error!(
                        owner = "ee",
                        requests = size,
                        "queueing notifications took too long; the provider will repeat them"
                    );
                }
            }
        }
        place.left = true;
    }

    /// Queues what is rightly asked for, in one transaction.
    async fn commit(&self, tenant_id: TenantId, pokes: &HashSet<Poke>) -> StorageResult<()> {
        let scope = Scope::Tenant(tenant_id);
        let named: BTreeSet<_> = pokes.iter().map(|poke| poke.subscription_id).collect();
        let named: Vec<_> = named.into_iter().collect();
        let mut unit = self.engine.store.read(scope).await?;
        let known = calendar(unit.as_mut())?
            .find_notified(tenant_id, &named, sync::JOB)
            .await?;
        drop(unit);
        let known: HashMap<_, _> = known
            .into_iter()
            .map(|row| (row.subscription_id, row))
            .collect();
        let now = self.engine.now();
        // Only what is right, and asks for more than is on its way, costs a write.
        let right: Vec<_> = pokes
            .iter()
            .filter_map(|poke| {
                let row = known.get(&poke.subscription_id);
                let Some(row) = row.filter(|row| is_right(poke, row)) else {
                    crate::webhook::ignored(poke.provider);
                    return None;
                };
                let news = sync::may_sync_now(row) && !is_coming(poke, row, now);
                news.then_some((poke, row))
            })
            .collect();
        if right.is_empty() {
            return Ok(());
        }
        let of = |wanted: fn(Lifecycle) -> bool| -> Vec<SubscriptionId> {
            let of = right.iter().filter(|(poke, _)| wanted(poke.lifecycle));
            let ids: BTreeSet<_> = of.map(|(poke, _)| poke.subscription_id).collect();
            ids.into_iter().collect()
        };
        let notice = Notice {
            heard: of(|_| true),
            dropped: of(|lifecycle| lifecycle == Lifecycle::Removed),
            to_renew: of(|lifecycle| lifecycle == Lifecycle::Ends),
        };
        let jobs: Vec<_> = right
            .iter()
            .flat_map(|(poke, row)| {
                let renews = poke.lifecycle != Lifecycle::Lives;
                let renewal = renews.then(|| subscribe::job(tenant_id, row.connection_id, now));
                // The first of a burst is answered with a look at once, the others with one a breath later.
                let due = if in_burst(row, now) {
                    now + sync::BREATH
                } else {
                    now
                };
                let sync = sync::job(tenant_id, row.connection_id, "notification", due);
                renewal.into_iter().chain([sync])
            })
            .collect();
        let mut unit = self.engine.store.begin(scope).await?;
        calendar(unit.as_mut())?
            .note_notice(tenant_id, &notice, now)
            .await?;
        unit.enqueue_jobs(&jobs, now).await?;
        self.engine.point("webhook.before_commit").await;
        unit.save().await?;
        self.engine.point("webhook.after_commit").await;
        tracing::debug!(
            owner = "ee",
            subscriptions = notice.heard.len(),
            "calendar notifications"
        );
        self.engine.wake.notify_waiters();
        Ok(())
    }
}

fn is_right(poke: &Poke, row: &Notified) -> bool {
    row.provider == poke.provider.as_str() && bool::from(row.secret_hash.ct_eq(&poke.secret_hash))
}

/// Whether it was heard of within a breath.
fn in_burst(row: &Notified, now: DateTime<Utc>) -> bool {
    row.last_notified_at
        .is_some_and(|at| at + sync::BREATH > now)
}

/// Whether the look that the notification asks for is committed and has not begun: what was read here was read after the
/// notification came, so that look sees whatever it is about. Nothing is written then, not even when it was heard of.
fn is_coming(poke: &Poke, row: &Notified, now: DateTime<Utc>) -> bool {
    poke.lifecycle == Lifecycle::Lives
        && in_burst(row, now)
        && row.queued_for.is_some_and(|at| at <= now + sync::BREATH)
}
