//! What providers allow, and how much of it is used.
//!
//! A limit is about a bucket: an account's mailbox, or an app registration. A server counts its own calls by the minute
//! and tells the others of them only once they are many, so that a quiet connection costs no write.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Duration, Utc};
use daybind_domain::ids::TenantId;
use daybind_ee_storage::{Connection, calendar};
use daybind_services::flow::hash;
use daybind_services::{Provider, Services};
use daybind_storage::StorageResult;

/// Says how many calls a minute Google allows the MSP's project.
pub const GOOGLE: &str = "DAYBIND_GOOGLE_CALLS_PER_MINUTE";
/// Google's quota of a project made from May 2026 on.
const GOOGLE_APP: u32 = 10_000;
/// Google's quota of one user of a project, a minute.
const GOOGLE_MAILBOX: u32 = 600;
/// Graph's of one mailbox and app: 10,000 in ten minutes. What it allows an app, 13,000 a second over all its
/// directories, is more than the places at all mailboxes can ask for.
const MICROSOFT_MAILBOX: u32 = 1_000;
/// That much of a limit is used; the rest is for clocks that differ and for what the other servers have not told yet.
const USED: u32 = 90;
/// Beyond that much of a limit, a server tells the others what it asked for.
const TOLD: u32 = 5;
/// How often, then.
const EXCHANGE: Duration = Duration::seconds(5);
/// That much of an app's limit is for looking whether there is anything new; the rest is for what is known to be.
const LOOKS: u32 = 50;
/// How long the count of an app's connections is believed.
const COUNTED: Duration = Duration::minutes(10);

/// What a connection's calls count for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buckets {
    /// Whose.
    pub tenant_id: TenantId,
    /// At which provider.
    pub provider: String,
    /// The account's.
    pub mailbox: String,
    /// The app registration's.
    pub app: String,
}

impl Buckets {
    /// Those of a connection.
    #[must_use]
    pub fn of(connection: &Connection) -> Self {
        // Nobody's account is told by what is kept about a limit after they disconnected.
        let named = |what, id| {
            let id = URL_SAFE_NO_PAD.encode(hash(id));
            format!("{what}:{}:{id}", connection.provider)
        };
        Self {
            tenant_id: connection.tenant_id,
            provider: connection.provider.clone(),
            mailbox: named("mailbox", &connection.account_id),
            app: named("app", &connection.client_id),
        }
    }
}

/// How many calls a minute each provider allows.
#[derive(Debug, Clone, Copy)]
pub struct Allowed {
    /// Google's, of a project.
    pub google_app: u32,
    /// Google's, of an account.
    pub google_mailbox: u32,
    /// Microsoft's, of a mailbox.
    pub microsoft_mailbox: u32,
}

impl Default for Allowed {
    fn default() -> Self {
        Self {
            google_app: GOOGLE_APP,
            google_mailbox: GOOGLE_MAILBOX,
            microsoft_mailbox: MICROSOFT_MAILBOX,
        }
    }
}

impl Allowed {
    /// What the environment says ([`GOOGLE`]), or the providers' usual ones.
    ///
    /// # Errors
    /// What to say to the operator when it is no number from 60 on.
    pub fn from_env(get: &dyn Fn(&str) -> Option<String>) -> Result<Self, String> {
        let mut allowed = Self::default();
        if let Some(text) = get(GOOGLE) {
            let calls = text.trim().parse().ok().filter(|calls| *calls >= 60);
            allowed.google_app = calls.ok_or_else(|| {
                format!("{GOOGLE} must be a number of calls from 60 on, not {text:?}")
            })?;
        }
        Ok(allowed)
    }

    fn app(&self, provider: &str) -> Option<u32> {
        (provider == Provider::Google.as_str()).then_some(self.google_app)
    }

    fn mailbox(&self, provider: &str) -> u32 {
        if provider == Provider::Google.as_str() {
            self.google_mailbox
        } else {
            self.microsoft_mailbox
        }
    }
}

/// One minute of one bucket.
#[derive(Debug, Clone, Copy)]
struct Minute {
    /// Of the Unix clock.
    number: i64,
    /// What all servers told of.
    told: u32,
    /// What this one did not tell of yet.
    own: u32,
    /// What this one asked for altogether.
    asked: u32,
    /// When it last told.
    at: DateTime<Utc>,
    limit: u32,
}

impl Minute {
    fn used(&self) -> u32 {
        self.told.saturating_add(self.own)
    }
}

/// Whose bucket, and which.
type Key = (TenantId, String);

/// How many connections an app has, as counted then.
#[derive(Debug, Clone, Copy)]
struct Crowd {
    at: DateTime<Utc>,
    connections: i64,
}

/// What a call finds.
enum Room {
    Free,
    /// The others must be told, and asked, first.
    Tell(i64),
    Full,
}

/// What this server used, and what it knows of the others.
#[derive(Debug, Default)]
pub struct Usage {
    /// What is allowed.
    pub allowed: Allowed,
    minutes: Mutex<HashMap<Key, Minute>>,
    crowds: Mutex<HashMap<Key, Crowd>>,
}

fn minute_of(now: DateTime<Utc>) -> i64 {
    now.timestamp().div_euclid(60)
}

/// The next minute, in which everything is allowed anew.
fn next_minute(now: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp((minute_of(now) + 1) * 60, 0).unwrap_or(now)
}

impl Usage {
    /// With other limits than the usual ones.
    #[must_use]
    pub fn new(allowed: Allowed) -> Self {
        Self {
            allowed,
            ..Self::default()
        }
    }

    fn minutes(&self) -> MutexGuard<'_, HashMap<Key, Minute>> {
        self.minutes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn limits<'a>(&self, buckets: &'a Buckets) -> impl Iterator<Item = (&'a String, u32)> {
        let app = self.allowed.app(&buckets.provider);
        let mailbox = self.allowed.mailbox(&buckets.provider);
        let app = app.map(|limit| (&buckets.app, limit));
        app.into_iter().chain([(&buckets.mailbox, mailbox)])
    }

    fn room(&self, key: &Key, limit: u32, now: DateTime<Utc>) -> Room {
        let mut minutes = self.minutes();
        let minute = minutes.entry(key.clone()).or_insert(Minute {
            number: minute_of(now),
            told: 0,
            own: 0,
            asked: 0,
            at: now,
            limit,
        });
        if minute.number < minute_of(now) {
            *minute = Minute {
                number: minute_of(now),
                told: 0,
                own: 0,
                asked: 0,
                at: DateTime::UNIX_EPOCH,
                limit,
            };
        }
        let share = |percent: u32| limit / 100 * percent + limit % 100 * percent / 100;
        if minute.used() >= share(USED) {
            Room::Full
        } else if minute.asked >= share(TOLD) && minute.own > 0 && minute.at + EXCHANGE <= now {
            minute.at = now;
            Room::Tell(i64::from(minute.own))
        } else {
            Room::Free
        }
    }

    /// Counts a call that is about to be made; when it may be made instead, if not now.
    ///
    /// # Errors
    /// A storage error.
    pub async fn admit(
        &self,
        services: &Services,
        buckets: &Buckets,
    ) -> StorageResult<Option<DateTime<Utc>>> {
        let tenant_id = buckets.tenant_id;
        let now = services.now();
        for (bucket, limit) in self.limits(buckets) {
            let key = (tenant_id, bucket.clone());
            if let Room::Tell(calls) = self.room(&key, limit, now) {
                let mut unit = services
                    .store
                    .begin(daybind_storage::Scope::Tenant(tenant_id))
                    .await?;
                let told = calendar(unit.as_mut())?
                    .count_calls(tenant_id, bucket, minute_of(now), calls, now)
                    .await?;
                unit.save().await?;
                let mut minutes = self.minutes();
                if let Some(minute) = minutes.get_mut(&key)
                    && minute.number == minute_of(now)
                {
                    minute.told = u32::try_from(told).unwrap_or(u32::MAX);
                    minute.own = minute.own.saturating_sub(u32::try_from(calls).unwrap_or(0));
                }
            }
            if let Room::Full = self.room(&key, limit, now) {
                return Ok(Some(next_minute(now)));
            }
        }
        let mut minutes = self.minutes();
        for (bucket, _) in self.limits(buckets) {
            if let Some(minute) = minutes.get_mut(&(tenant_id, bucket.clone())) {
                minute.own = minute.own.saturating_add(1);
                minute.asked = minute.asked.saturating_add(1);
            }
        }
        Ok(None)
    }

    /// How long at least lies between two looks at a calendar without cause, so that the looks at all calendars of an app
    /// stay within their part of its limit.
    ///
    /// # Errors
    /// A storage error.
    pub async fn floor(
        &self,
        services: &Services,
        connection: &Connection,
    ) -> StorageResult<Duration> {
        let Some(limit) = self.allowed.app(&connection.provider) else {
            return Ok(Duration::zero());
        };
        let key = (connection.tenant_id, connection.client_id.clone());
        let now = services.now();
        let known = {
            let crowds = self.crowds.lock().unwrap_or_else(PoisonError::into_inner);
            crowds.get(&key).copied()
        };
        let connections = match known {
            Some(crowd) if now - crowd.at < COUNTED => crowd.connections,
            _ => {
                let scope = daybind_storage::Scope::Tenant(connection.tenant_id);
                let mut unit = services.store.read(scope).await?;
                let connections = calendar(unit.as_mut())?
                    .count_through_app(
                        connection.tenant_id,
                        &connection.provider,
                        &connection.client_id,
                    )
                    .await?;
                let mut crowds = self.crowds.lock().unwrap_or_else(PoisonError::into_inner);
                crowds.insert(
                    key,
                    Crowd {
                        at: now,
                        connections,
                    },
                );
                connections
            }
        };
        let a_minute = i64::from(limit / 100 * LOOKS).max(1);
        Ok(Duration::milliseconds(
            connections.saturating_mul(60_000) / a_minute,
        ))
    }

    /// Shows the operator how much of the fullest bucket of each kind is used this minute, as this server knows it, and
    /// forgets minutes that are over.
    pub fn measure(&self, now: DateTime<Utc>) {
        let mut minutes = self.minutes();
        minutes.retain(|_, minute| minute.number >= minute_of(now) - 1);
        let mut fullest: HashMap<(&str, &str), f64> = HashMap::new();
        for provider in [Provider::Google, Provider::Microsoft] {
            for what in ["app", "mailbox"] {
                fullest.insert((provider.as_str(), what), 0.0);
            }
        }
        for ((_, bucket), minute) in minutes.iter() {
            let mut parts = bucket.splitn(3, ':');
            let (Some(what), Some(provider)) = (parts.next(), parts.next()) else {
                continue;
            };
            let share = f64::from(minute.used()) / f64::from(minute.limit.max(1));
            if let Some(most) = fullest.get_mut(&(provider, what)) {
                *most = most.max(share);
            }
        }
        for ((provider, what), share) in fullest {
            let (provider, what) = (provider.to_owned(), what.to_owned());
            metrics::gauge!("daybind_provider_quota_used_ratio", "provider" => provider, "of" => what)
                .set(share);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        (TenantId(uuid::Uuid::nil()), "mailbox:google:x".to_owned())
    }

    fn ask(usage: &Usage, now: DateTime<Utc>) -> Room {
        let room = usage.room(&key(), 100, now);
        if let Room::Free = room {
            let mut minutes = usage.minutes();
            let minute = minutes.get_mut(&key()).unwrap();
            minute.own += 1;
            minute.asked += 1;
        }
        room
    }

    #[test]
    fn a_minute_has_nine_tenths_of_the_limit_and_the_next_one_begins_anew() {
        let usage = Usage::default();
        let now = DateTime::from_timestamp(600, 0).unwrap();
        let free = (0..200).filter(|_| matches!(ask(&usage, now), Room::Free));
        assert_eq!(free.count(), 90);
        assert!(matches!(ask(&usage, now), Room::Full));
        assert_eq!(next_minute(now), now + Duration::minutes(1));
        assert!(matches!(ask(&usage, next_minute(now)), Room::Free));
    }

    #[test]
    fn others_are_told_only_once_there_is_much_to_tell() {
        let usage = Usage::default();
        let mut now = DateTime::from_timestamp(600, 0).unwrap();
        for _ in 0..5 {
            assert!(matches!(ask(&usage, now), Room::Free));
        }
        now += EXCHANGE;
        assert!(matches!(ask(&usage, now), Room::Tell(5)));
        assert!(matches!(ask(&usage, now), Room::Free), "not again so soon");
    }

    #[test]
    fn the_quota_of_the_project_is_a_number() {
        let with = |text: &'static str| Allowed::from_env(&move |_| Some(text.to_owned()));
        assert_eq!(Allowed::from_env(&|_| None).unwrap().google_app, 10_000);
        assert_eq!(with(" 600 ").unwrap().google_app, 600);
        for wrong in ["", "59", "-1", "many"] {
            let said = with(wrong).unwrap_err();
            assert!(
                said.contains("DAYBIND_GOOGLE_CALLS_PER_MINUTE must be"),
                "{said}"
            );
        }
    }
}
