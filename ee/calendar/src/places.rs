//! Who works at a mailbox. Graph refuses a fifth call at a time for one mailbox, so there are never more than three of ours,
//! on all servers together: two of jobs and one for what a person waits for.
//!
//! A worker makes one call at a time ([`crate::gate`]), and a connection has at most two jobs at work, so one that has its
//! account to itself needs no place for them and writes nothing. Only where connections share an account do their jobs
//! take one.

use std::future::Future;
use std::pin::Pin;

use chrono::Duration;
use daybind_ee_storage::{Connection, Place, calendar};
use daybind_services::internal;
use daybind_storage::StorageResult;

use crate::engine::Engine;
use crate::limits::Buckets;
use crate::tokens::Stop;

/// What is done there. On the heap: a run is large, and is passed from hand to hand here.
pub type Work<'a, T> = Pin<Box<dyn Future<Output = Result<T, Stop>> + Send + 'a>>;

/// How long a place is a dead holder's.
const LEASE: Duration = Duration::seconds(45);
/// How often a holder says that it lives.
const BEAT: std::time::Duration = std::time::Duration::from_secs(15);
/// A person waits so often for the place, and so long in between.
const WAITS: u32 = 50;
const WAIT: std::time::Duration = std::time::Duration::from_millis(200);
/// Places of jobs.
const JOBS: [i32; 2] = [1, 2];
/// The place of what a person waits for.
const PERSON: [i32; 1] = [3];

/// Does a job's work at the connection's mailbox.
///
/// # Errors
/// [`Stop::Busy`] when there is no place; the work's own.
pub async fn for_job<T>(
    engine: &Engine,
    connection: &Connection,
    work: Work<'_, T>,
) -> Result<T, Stop> {
    let tenant_id = connection.tenant_id;
    let mut unit = engine.read(tenant_id).await?;
    let sharing = calendar(unit.as_mut())?
        .count_at_account(tenant_id, &connection.provider, &connection.account_id)
        .await?;
    drop(unit);
    if sharing < 2 {
        return work.await;
    }
    match take(engine, connection, &JOBS).await? {
        Some(place) => hold(engine, place, work).await,
        None => Err(Stop::Busy),
    }
}

/// Does what a person waits for at the connection's mailbox; waits for a while for whoever is there on a person's behalf.
///
/// # Errors
/// [`Stop::Busy`] when the wait was too long; the work's own.
pub async fn for_person<T>(
    engine: &Engine,
    connection: &Connection,
    work: Work<'_, T>,
) -> Result<T, Stop> {
    for _ in 0..WAITS {
        if let Some(place) = take(engine, connection, &PERSON).await? {
            return hold(engine, place, work).await;
        }
        tokio::time::sleep(WAIT).await;
    }
    Err(Stop::Busy)
}

async fn take(
    engine: &Engine,
    connection: &Connection,
    numbers: &[i32],
) -> Result<Option<Place>, Stop> {
    let Buckets {
        tenant_id,
        mailbox: bucket,
        ..
    } = Buckets::of(connection);
    let mut place = Place {
        tenant_id,
        bucket,
        number: 0,
        holder: uuid::Uuid::new_v4(),
    };
    let now = engine.now();
    let mut unit = engine.begin(tenant_id).await?;
    for number in numbers {
        place.number = *number;
        let taken = calendar(unit.as_mut())?
            .take_place(&place, now + LEASE, now)
            .await?;
        if taken {
            unit.save().await?;
            return Ok(Some(place));
        }
    }
    unit.cancel().await?;
    Ok(None)
}

async fn hold<T>(engine: &Engine, place: Place, work: Work<'_, T>) -> Result<T, Stop> {
    let beat = async {
        loop {
            tokio::time::sleep(BEAT).await;
            if let Ok(false) = keep(engine, &place).await {
                // It was taken for dead, and somebody else is there now.
                return;
            }
        }
    };
    let done = tokio::select! {
        done = work => done,
        () = beat => Err(Stop::Busy),
    };
    if let Err(error) = leave(engine, &place).await {
        tracing::warn!(
            ?error,
            "could not give a place at a mailbox back; it lapses"
        );
    }
    done
}

async fn keep(engine: &Engine, place: &Place) -> StorageResult<bool> {
    let scope = daybind_storage::Scope::Tenant(place.tenant_id);
    let mut unit = engine.store.begin(scope).await?;
    let kept = calendar(unit.as_mut())?
        .keep_place(place, engine.now() + LEASE)
        .await?;
    unit.save().await?;
    Ok(kept)
}

async fn leave(engine: &Engine, place: &Place) -> Result<(), Stop> {
    let mut unit = engine.begin(place.tenant_id).await?;
    let rows = calendar(unit.as_mut()).map_err(internal)?;
    rows.leave_place(place).await?;
    unit.save().await?;
    Ok(())
}
