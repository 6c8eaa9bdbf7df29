//! How long is kept what sync did: runs, changes, and conflicts that were settled.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Duration, Utc};
use daybind_ee_storage::calendar;
use daybind_services::{AppResult, internal};
use daybind_storage::{Scope, StorageResult};

use crate::engine::Engine;

/// Says for how many days.
pub const DAYS: &str = "DAYBIND_HISTORY_DAYS";
/// Without it.
const DEFAULT: i64 = 90;
/// What it may say.
const SENSIBLE: std::ops::RangeInclusive<i64> = 1..=3650;
/// What is known of a provider's limits is forgotten when it is older.
const IDLE: Duration = Duration::days(1);
/// How often what is too old is looked for.
const PAUSE: Duration = Duration::hours(1);

/// How long history is kept, by [`DAYS`].
///
/// # Errors
/// What to say to the operator when it is no number of days from 1 to 3650.
pub fn kept(get: &dyn Fn(&str) -> Option<String>) -> Result<Duration, String> {
    let Some(text) = get(DAYS) else {
        return Ok(Duration::days(DEFAULT));
    };
    let days = text.trim().parse().ok();
    days.filter(|days| SENSIBLE.contains(days))
        .map(Duration::days)
        .ok_or_else(|| format!("{DAYS} must be a number of days from 1 to 3650, not {text:?}"))
}

/// When this server last looked.
#[derive(Debug, Default)]
pub struct Looked(Mutex<Option<DateTime<Utc>>>);

impl Looked {
    fn is_due(&self, now: DateTime<Utc>) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = last.is_none_or(|at| at + PAUSE <= now);
        if due {
            *last = Some(now);
        }
        due
    }
}

/// Removes what is too old, of every tenant, at most once an hour. A failure is tried again an hour later.
///
/// # Errors
/// An internal error.
pub async fn prune(engine: &Engine, looked: &Looked) -> AppResult<()> {
    let now = engine.now();
    if !looked.is_due(now) {
        return Ok(());
    }
    let gone = remove(engine, now - engine.keep_activity)
        .await
        .map_err(internal)?;
    if gone > 0 {
        tracing::info!(rows = gone, "history of sync that was too old is removed");
    }
    Ok(())
}

async fn remove(engine: &Engine, before: DateTime<Utc>) -> StorageResult<u64> {
    let mut unit = engine.store.read(Scope::System).await?;
    let tenants = unit.list_tenants().await?;
    drop(unit);
    let mut gone = 0;
    for tenant in tenants {
        let scope = Scope::Tenant(tenant.tenant_id);
        let mut unit = engine.store.begin(scope).await?;
        let rows = calendar(unit.as_mut())?;
        gone += rows.prune_activity(tenant.tenant_id, before).await?;
        let idle = engine.now() - IDLE;
        rows.prune_limits(tenant.tenant_id, idle).await?;
        unit.save().await?;
    }
    Ok(gone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_a_number_within_reason() {
        let with = |text: &str| {
            let text = text.to_owned();
            kept(&move |_| Some(text.clone()))
        };
        assert_eq!(kept(&|_| None).unwrap(), Duration::days(90));
        assert_eq!(with(" 30 ").unwrap(), Duration::days(30));
        for wrong in ["", "0", "-1", "3651", "a month"] {
            let said = with(wrong).unwrap_err();
            assert!(said.contains("DAYBIND_HISTORY_DAYS must be"), "{said}");
        }
    }
}
