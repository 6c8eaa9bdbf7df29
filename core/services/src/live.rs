//! Changes as they happen, for open pages: what kind of thing changed, and which. A page reads again what it shows, through
//! its ordinary door, so that nothing here needs a right of its own but whom a change concerns.
//!
//! One reader per process asks the database once a second, while any page listens; whoever listens goes on after the place
//! of the last change they heard, on whichever server, and hears each change once.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex as StdMutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use daybind_domain::ids::{SessionId, TenantId};
use daybind_domain::user::Permission;
use daybind_storage::{LiveEvent, LivePlace, Scope, StorageResult};
use tokio::sync::{Mutex, broadcast};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::auth::{self, Actor};
use crate::context::Services;
use crate::failure::{AppResult, internal};

/// How often the database is asked.
const LOOK: Duration = Duration::from_secs(1);
/// The longest silence: after that a heartbeat, and a look whether the session still holds.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long changes are kept; whoever was away for longer reads everything again.
const KEPT: TimeDelta = TimeDelta::hours(1);
/// Most changes read at once. Whoever missed more reads everything again.
const AT_ONCE: i64 = 1000;
/// Open streams of one session on one server. A browser has about six connections to a server that speaks HTTP/1.1, and
/// other requests need some of them.
const STREAMS: usize = 4;
/// Batches a listener may be behind before it reads from the database again.
const BEHIND: usize = 64;

/// Changes as they were read together.
type Batch = Arc<Vec<LiveEvent>>;

/// The listeners of this process. Cheap to clone.
#[derive(Clone, Default)]
pub struct Live {
    reader: Arc<Mutex<Option<broadcast::Sender<Batch>>>>,
    open: Arc<StdMutex<HashMap<SessionId, usize>>>,
    stop: CancellationToken,
}

impl Live {
    /// Ends every stream; for a server that stops.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// From now on nothing is missed: what is not yet in the database then will come.
    async fn subscribe(&self, services: &Services) -> AppResult<broadcast::Receiver<Batch>> {
        let mut reader = self.reader.lock().await;
        if let Some(sender) = reader.as_ref() {
            return Ok(sender.subscribe());
        }
        let mut unit = services.store.read(Scope::System).await.map_err(internal)?;
        let from = unit.live_head().await.map_err(internal)?;
        drop(unit);
        let (sender, receiver) = broadcast::channel(BEHIND);
        *reader = Some(sender.clone());
        tokio::spawn(read(services.clone(), sender, from));
        Ok(receiver)
    }

    /// A place among the streams of a session; none when it has its number.
    fn enter(&self, session_id: SessionId) -> Option<Seat> {
        let mut open = lock(&self.open);
        let count = open.entry(session_id).or_default();
        (*count < STREAMS).then(|| {
            *count += 1;
            Seat {
                open: Arc::clone(&self.open),
                session_id,
            }
        })
    }
}

fn lock<T>(mutex: &StdMutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Counts stay right whoever panicked.
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// One open stream of a session.
struct Seat {
    open: Arc<StdMutex<HashMap<SessionId, usize>>>,
    session_id: SessionId,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = lock(&self.open);
        if let Some(count) = open.get_mut(&self.session_id) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.session_id);
            }
        }
    }
}

/// Reads for everybody, until nobody listens.
async fn read(services: Services, sender: broadcast::Sender<Batch>, mut place: LivePlace) {
    let live = services.live.clone();
    loop {
        tokio::select! {
            () = live.stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        {
            // Nobody subscribes between the question and the end.
            let mut reader = live.reader.lock().await;
            if sender.receiver_count() == 0 {
                *reader = None;
                return;
            }
        }
        loop {
            match events(&services, None, place).await {
                Ok(batch) => {
                    let full = batch.len() as i64 >= AT_ONCE;
                    if let Some(last) = batch.last() {
                        place = last.place;
                        // Nobody may listen any more.
                        let _ = sender.send(Arc::new(batch));
                    }
                    if !full {
                        break;
                    }
                }
                Err(error) => {
                    // The next look begins at the same place.
                    tracing::warn!(%error, "cannot read what has changed; open pages wait");
                    break;
                }
            }
        }
    }
}

async fn events(
    services: &Services,
    tenant_id: Option<TenantId>,
    after: LivePlace,
) -> StorageResult<Vec<LiveEvent>> {
    let scope = tenant_id.map_or(Scope::System, Scope::Tenant);
    let mut unit = services.store.read(scope).await?;
    unit.live_events(tenant_id, after, AT_ONCE).await
}

/// Removes what nobody goes on from any more.
///
/// # Errors
/// An internal error, logged.
pub async fn prune(services: &Services) -> AppResult<()> {
    let before = services.now() - KEPT;
    let mut unit = services
        .store
        .begin(Scope::System)
        .await
        .map_err(internal)?;
    unit.prune_live(before).await.map_err(internal)?;
    unit.save().await.map_err(internal)
}

/// Where a listener is, as it is told to it and comes back from it: `xact.seq.seconds`, hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    place: LivePlace,
    at: i64,
}

impl Mark {
    fn new(place: LivePlace, at: DateTime<Utc>) -> Self {
        Self {
            place,
            at: at.timestamp(),
        }
    }

    /// Reads one; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(|part| i64::from_str_radix(part, 16));
        let mut next = || parts.next()?.ok();
        let mark = Self {
            place: LivePlace {
                xact: next()?,
                seq: next()?,
            },
            at: next()?,
        };
        parts.next().is_none().then_some(mark)
    }
}

impl std::fmt::Display for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let LivePlace { xact, seq } = self.place;
        write!(f, "{xact:x}.{seq:x}.{:x}", self.at)
    }
}

/// What a listener is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// It is connected. With the place to go on from, when it came with none that is good.
    Hello(Option<Mark>),
    /// These changed, each once: topic and id. The place to go on from.
    Changed(Vec<(String, String)>, Mark),
    /// So much, or so long ago, that everything has to be read again. The place to go on from.
    Everything(Mark),
    /// Nothing, but the line holds.
    Heartbeat,
    /// The session has ended: nothing more will come, and it is no use to ask again.
    Over,
}

/// One stream.
pub struct Listener {
    services: Services,
    actor: Actor,
    receiver: broadcast::Receiver<Batch>,
    mark: Mark,
    next: VecDeque<Told>,
    /// No seat was left: it gets what there is, and comes back for more.
    once: bool,
    ended: bool,
    checked: Instant,
    _seat: Option<Seat>,
}

impl Listener {
    /// Begins to listen, after the place of the last change that was heard. With `once`, or when the session has as many
    /// streams as it may, it ends after what there is now.
    ///
    /// # Errors
    /// An internal error, logged.
    pub async fn begin(
        services: &Services,
        actor: Actor,
        after: Option<Mark>,
        once: bool,
    ) -> AppResult<Self> {
        let seat = if once {
            None
        } else {
            services.live.enter(actor.session_id)
        };
        let receiver = services.live.subscribe(services).await?;
        let now = services.now();
        let mut unit = services.read(actor.tenant_id).await?;
        let head = Mark::new(unit.live_head().await.map_err(internal)?, now);
        drop(unit);
        // A restored database may have begun to count anew.
        let good = after.filter(|mark| {
            mark.at >= (now - KEPT).timestamp()
                && mark.place.xact <= head.place.xact.saturating_add(1)
        });
        let mut listener = Self {
            services: services.clone(),
            actor,
            receiver,
            mark: good.unwrap_or(head),
            next: VecDeque::new(),
            once: seat.is_none(),
            ended: false,
            checked: Instant::now(),
            _seat: seat,
        };
        match (after, good) {
            (Some(_), None) => {
                listener.next.push_back(Told::Hello(None));
                listener.next.push_back(Told::Everything(head));
            }
            (_, Some(_)) => {
                listener.next.push_back(Told::Hello(None));
                listener.catch_up(head).await?;
            }
            (None, None) => listener.next.push_back(Told::Hello(Some(head))),
        }
        Ok(listener)
    }

    /// Whether it comes back for more instead of waiting.
    #[must_use]
    pub fn is_once(&self) -> bool {
        self.once
    }

    /// What comes next; `None` at the end.
    pub async fn next(&mut self) -> Option<Told> {
        loop {
            if let Some(told) = self.next.pop_front() {
                return Some(told);
            }
            if self.once || self.ended {
                return None;
            }
            let stop = self.services.live.stop.clone();
            let heard = tokio::select! {
                () = stop.cancelled() => return None,
                heard = tokio::time::timeout_at(self.checked + HEARTBEAT, self.receiver.recv()) => heard,
            };
            match heard {
                Err(_) => {
                    if self.holds().await {
                        self.next.push_back(Told::Heartbeat);
                    }
                }
                Ok(Ok(batch)) => self.take(&batch).await,
                Ok(Err(broadcast::error::RecvError::Lagged(_))) => {
                    // A failure ends the stream; its browser comes back and goes on from the same place.
                    let caught = match self.head().await {
                        Ok(head) => self.catch_up(head).await,
                        Err(error) => Err(error),
                    };
                    if caught.is_err() {
                        return None;
                    }
                }
                Ok(Err(broadcast::error::RecvError::Closed)) => return None,
            }
        }
    }

    async fn head(&self) -> AppResult<Mark> {
        let mut unit = self.services.read(self.actor.tenant_id).await?;
        let place = unit.live_head().await.map_err(internal)?;
        Ok(Mark::new(place, self.services.now()))
    }

    /// Reads what was missed. `head`: where to go on when it was too much.
    async fn catch_up(&mut self, head: Mark) -> AppResult<()> {
        let tenant = Some(self.actor.tenant_id);
        let missed = events(&self.services, tenant, self.mark.place)
            .await
            .map_err(internal)?;
        if missed.len() as i64 >= AT_ONCE {
            // What comes after the head is told again: everything was read before it.
            self.mark = head;
            self.next.push_back(Told::Everything(head));
        } else {
            self.take(&missed).await;
        }
        Ok(())
    }

    /// Tells what of a batch is new and meant for this listener.
    async fn take(&mut self, batch: &[LiveEvent]) {
        let mut told = HashSet::new();
        let mut changed = Vec::new();
        let (mut last, mut check) = (None, false);
        for event in batch {
            if event.tenant_id != self.actor.tenant_id || event.place <= self.mark.place {
                continue;
            }
            last = Some(mark_of(event));
            match event.topic.as_str() {
                "session" => check |= event.subject_id == self.actor.session_id.0,
                _ if concerns(event, &self.actor) => {
                    let one = (event.topic.clone(), event.subject_id.to_string());
                    if told.insert(one.clone()) {
                        changed.push(one);
                    }
                }
                _ => {}
            }
        }
        if let Some(last) = last {
            self.mark = last;
        }
        if check && !self.holds().await {
            return;
        }
        if !changed.is_empty() {
            self.next.push_back(Told::Changed(changed, self.mark));
        }
    }

    /// Whether the session still holds, with the rights it began with. If not, the stream ends: for good when the session
    /// has ended; with other rights it begins again.
    async fn holds(&mut self) -> bool {
        self.checked = Instant::now();
        match auth::still(&self.services, &self.actor).await {
            Ok(Some(now)) if now == (self.actor.user.user_type, self.actor.user.role) => true,
            Ok(None) => {
                self.next.push_back(Told::Over);
                self.ended = true;
                false
            }
            // Other rights, or a database that does not answer: its browser comes back.
            Ok(Some(_)) | Err(_) => {
                self.ended = true;
                false
            }
        }
    }
}

fn mark_of(event: &LiveEvent) -> Mark {
    Mark::new(event.place, event.at)
}

/// Everything is told to the person it concerns; entries also to whoever plans for all, the rest to whoever reads the settings.
fn concerns(event: &LiveEvent, actor: &Actor) -> bool {
    let others = match event.topic.as_str() {
        "entry" => Permission::ScheduleAll,
        _ => Permission::SettingsRead,
    };
    event.user_id == Some(actor.user_id()) || actor.may(others)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_comes_back_as_it_was_told() {
        let mark = Mark {
            place: LivePlace {
                xact: 77,
                seq: i64::MAX,
            },
            at: 1_795_000_000,
        };
        assert_eq!(Mark::parse(&mark.to_string()), Some(mark));
        for other in ["", "1", "1.2", "1.2.3.4", "1.2.x", "ffffffffffffffff.1.1"] {
            assert_eq!(Mark::parse(other), None, "{other}");
        }
    }
}
