//! The lanes of the job queue.

use daybind_domain::ids::TenantId;

use super::fixture::{at, tenant, unit};
use crate::{ClaimedJob, FinishJob, JobStats, NewJob, Scope, StorageError, Store};

const KIND: &str = "calendar.sync";

fn job(tenant_id: TenantId, run_at: i64) -> NewJob {
    NewJob {
        tenant_id,
        kind: KIND,
        key: "one".to_owned(),
        payload: serde_json::json!({"run_at": run_at}),
        run_at: at(run_at),
        max_attempts: 3,
    }
}

async fn enqueue(store: &dyn Store, job: &NewJob, now: i64) {
    let mut u = unit(store, job.tenant_id).await;
    u.enqueue_job(job, at(now)).await.unwrap();
    u.save().await.unwrap();
}

async fn claim(store: &dyn Store, now: i64) -> Vec<ClaimedJob> {
    let mut u = store.begin(Scope::System).await.unwrap();
    let jobs = u
        .claim_jobs(&[KIND], 10, at(now), at(now + LEASE))
        .await
        .unwrap();
    u.save().await.unwrap();
    jobs
}

async fn finish(
    store: &dyn Store,
    job: &ClaimedJob,
    outcome: FinishJob,
    now: i64,
) -> Result<(), StorageError> {
    let mut u = unit(store, job.tenant_id).await;
    u.finish_job(job, &outcome, at(now)).await?;
    u.save().await
}

/// So long [`claim`] leases, in seconds.
const LEASE: i64 = 60;

async fn running(store: &dyn Store, tenant_id: TenantId, now: i64) -> bool {
    let mut u = unit(store, tenant_id).await;
    u.is_running(tenant_id, KIND, "one", at(now)).await.unwrap()
}

async fn stats(store: &dyn Store) -> JobStats {
    store
        .read(Scope::System)
        .await
        .unwrap()
        .job_stats()
        .await
        .unwrap()
}

/// What has waited longest for a worker: of what is due, and nobody is at.
pub async fn the_oldest_due_is_known(store: &dyn Store) {
    let (a, _) = tenant(store, "A").await;
    enqueue(store, &job(a, 100), 0).await;
    let oldest = async |now| {
        let mut u = store.read(Scope::System).await.unwrap();
        u.oldest_due(at(now)).await.unwrap()
    };
    assert_eq!(oldest(99).await, None);
    assert_eq!(oldest(400).await, Some(at(100)));
    let mut u = unit(store, a).await;
    assert_eq!(u.oldest_due(at(400)).await.unwrap(), Some(at(100)));
    drop(u);
    assert_eq!(claim(store, 100).await.len(), 1);
    assert_eq!(oldest(400).await, None, "somebody is at it");
}

/// A thousand notifications are one job; the earlier time and the newest payload win.
pub async fn jobs_of_one_lane_are_merged(store: &dyn Store) {
    let (a, _) = tenant(store, "A").await;
    for run_at in [50, 10, 90] {
        enqueue(store, &job(a, run_at), 0).await;
    }
    assert_eq!(
        stats(store).await,
        JobStats {
            queued: 1,
            running: 0,
            dead: 0
        }
    );
    assert!(claim(store, 9).await.is_empty());
    let claimed = claim(store, 10).await;
    assert_eq!((claimed.len(), claimed[0].attempt), (1, 1));
    assert_eq!(claimed[0].payload, serde_json::json!({"run_at": 90}));
    finish(store, &claimed[0], FinishJob::Done, 11)
        .await
        .unwrap();
    assert_eq!(stats(store).await, JobStats::default());
    enqueue(store, &job(a, 20), 12).await;
    let mut u = unit(store, a).await;
    u.remove_job(a, KIND, "one").await.unwrap();
    u.remove_job(a, KIND, "one").await.unwrap();
    u.save().await.unwrap();
    assert_eq!(stats(store).await, JobStats::default());
}

/// Many at once leave what they would leave one after the other: lanes that are new, wait, run or are dead, twice in one
/// call and over tenants, each with its own arguments.
pub async fn jobs_queued_together_are_queued_one_by_one(store: &dyn Store) {
    let ((a, _), (b, _)) = (tenant(store, "A").await, tenant(store, "B").await);
    let of = |tenant_id, key: &str, run_at| NewJob {
        key: key.to_owned(),
        ..job(tenant_id, run_at)
    };
    for key in ["runs", "dies"] {
        enqueue(store, &of(a, key, 0), 0).await;
    }
    let claimed = claim(store, 1).await;
    let find = |key: &str| claimed.iter().find(|job| job.key == key).unwrap();
    let dead = FinishJob::Dead {
        error: "gone".to_owned(),
    };
    finish(store, find("dies"), dead, 2).await.unwrap();
    enqueue(store, &of(a, "waits", 50), 2).await;

    let mut u = unit(store, a).await;
    u.enqueue_jobs(&[], at(3)).await.unwrap();
    let together = [
        of(a, "waits", 40),
        of(a, "dies", 10),
        of(a, "new", 20),
        of(a, "runs", 5),
        of(a, "new", 70),
        NewJob {
            kind: "calendar.other",
            max_attempts: 7,
            ..of(a, "new", 30)
        },
    ];
    u.enqueue_jobs(&together, at(3)).await.unwrap();
    u.save().await.unwrap();
    enqueue(store, &of(b, "new", 60), 3).await;
    finish(store, find("runs"), FinishJob::Done, 4)
        .await
        .unwrap();

    let mut u = store.begin(Scope::System).await.unwrap();
    let kinds = [KIND, "calendar.other"];
    let due = u.claim_jobs(&kinds, 10, at(40), at(99)).await.unwrap();
    u.save().await.unwrap();
    let mut seen: Vec<_> = due
        .iter()
        .map(|job| {
            let argument = job.payload["run_at"].as_i64().unwrap();
            let key = (job.kind.as_str(), job.key.as_str());
            (key, job.attempt, job.max_attempts, job.run_at, argument)
        })
        .collect();
    seen.sort();
    assert_eq!(
        seen,
        [
            (("calendar.other", "new"), 1, 7, at(30), 30),
            ((KIND, "dies"), 1, 3, at(10), 10),
            ((KIND, "new"), 1, 3, at(20), 70),
            ((KIND, "runs"), 1, 3, at(4), 5),
            ((KIND, "waits"), 1, 3, at(40), 40),
        ]
    );
    let left = claim(store, 60).await;
    assert_eq!((left.len(), left[0].tenant_id), (1, b));
}

/// Who comes second gets nothing.
pub async fn a_job_is_claimed_once(store: &dyn Store) {
    let (a, _) = tenant(store, "A").await;
    enqueue(store, &job(a, 0), 0).await;
    let first = claim(store, 1).await;
    assert_eq!(first.len(), 1);
    assert!(claim(store, 1).await.is_empty());
    assert_eq!(
        stats(store).await,
        JobStats {
            queued: 0,
            running: 1,
            dead: 0
        }
    );
}

/// A worker that went silent loses its job, and cannot end it any more.
pub async fn an_expired_lease_is_taken_over(store: &dyn Store) {
    let (a, _) = tenant(store, "A").await;
    enqueue(store, &job(a, 0), 0).await;
    let lost = claim(store, 0).await.remove(0);
    let mut u = unit(store, a).await;
    u.extend_lease(&lost, at(100)).await.unwrap();
    u.save().await.unwrap();
    assert!(claim(store, 99).await.is_empty());
    let taken = claim(store, 100).await.remove(0);
    assert_eq!(taken.attempt, 2);
    let mut u = unit(store, a).await;
    assert!(matches!(
        u.extend_lease(&lost, at(200)).await,
        Err(StorageError::NotFound)
    ));
    drop(u);
    assert!(matches!(
        finish(store, &lost, FinishJob::Done, 101).await,
        Err(StorageError::NotFound)
    ));
    finish(store, &taken, FinishJob::Done, 101).await.unwrap();
}

/// What arrives while the job runs is not lost.
pub async fn a_poke_while_running_runs_again(store: &dyn Store) {
    let (a, _) = tenant(store, "A").await;
    enqueue(store, &job(a, 0), 0).await;
    let first = claim(store, 0).await.remove(0);
    enqueue(store, &job(a, 5), 1).await;
    assert!(claim(store, 5).await.is_empty());
    finish(store, &first, FinishJob::Done, 6).await.unwrap();
    let second = claim(store, 6).await.remove(0);
    assert_eq!(second.attempt, 1);
    enqueue(store, &job(a, 7), 7).await;
    finish(store, &second, FinishJob::Again(at(500)), 8)
        .await
        .unwrap();
    let third = claim(store, 8).await.remove(0);
    finish(store, &third, FinishJob::Again(at(500)), 9)
        .await
        .unwrap();
    assert!(claim(store, 499).await.is_empty());
    let fourth = claim(store, 500).await.remove(0);
    let rested = |at_, rest| FinishJob::Rested {
        at: at(at_),
        rest: at(rest),
    };
    enqueue(store, &job(a, 501), 501).await;
    finish(store, &fourth, rested(900, 505), 502).await.unwrap();
    assert!(claim(store, 504).await.is_empty(), "it rests");
    let fifth = claim(store, 505).await.remove(0);
    finish(store, &fifth, rested(900, 510), 506).await.unwrap();
    assert!(claim(store, 899).await.is_empty(), "nobody poked it");
    assert_eq!(claim(store, 900).await.len(), 1);
}

/// Attempts count up, death waits for somebody, and a poke revives.
pub async fn failed_jobs_retry_die_and_revive(store: &dyn Store) {
    let (a, _) = tenant(store, "A").await;
    enqueue(store, &job(a, 0), 0).await;
    let first = claim(store, 0).await.remove(0);
    finish(
        store,
        &first,
        FinishJob::Retry {
            at: at(30),
            error: "timeout".to_owned(),
        },
        1,
    )
    .await
    .unwrap();
    assert!(claim(store, 29).await.is_empty());
    let second = claim(store, 30).await.remove(0);
    assert_eq!(second.attempt, 2);
    // What came while it failed may have mended it: it is tried at once.
    enqueue(store, &job(a, 30), 30).await;
    let later = FinishJob::Retry {
        at: at(900),
        error: "timeout".to_owned(),
    };
    finish(store, &second, later, 31).await.unwrap();
    assert!(!running(store, a, 31).await);
    let second = claim(store, 31).await.remove(0);
    assert_eq!(second.attempt, 3);
    assert!(running(store, a, 31).await);
    assert!(!running(store, a, 31 + LEASE).await, "its lease is over");
    finish(
        store,
        &second,
        FinishJob::Dead {
            error: "gone".to_owned(),
        },
        31,
    )
    .await
    .unwrap();
    assert_eq!(
        stats(store).await,
        JobStats {
            queued: 0,
            running: 0,
            dead: 1
        }
    );
    assert!(claim(store, 9999).await.is_empty());
    enqueue(store, &job(a, 40), 40).await;
    assert_eq!(claim(store, 40).await.remove(0).attempt, 1);
}

/// An edition that does not know a kind leaves its jobs as they are.
pub async fn unknown_kinds_are_not_touched(store: &dyn Store) {
    let (a, _) = tenant(store, "A").await;
    enqueue(store, &job(a, 0), 0).await;
    let mut u = store.begin(Scope::System).await.unwrap();
    assert!(
        u.claim_jobs(&["other"], 10, at(10), at(70))
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        u.claim_jobs(&[], 10, at(10), at(70))
            .await
            .unwrap()
            .is_empty()
    );
    u.save().await.unwrap();
    assert_eq!(claim(store, 10).await.remove(0).attempt, 1);
}

/// Why a job runs is that run's: a person's wish stays the cause until the run is done, whatever comes meanwhile; what comes
/// while it runs is the cause of the next one; a periodic run has none.
pub async fn a_persons_wish_stays_the_cause(store: &dyn Store) {
    let (a, _) = tenant(store, "A").await;
    let because = |cause: &str, now: i64| NewJob {
        payload: serde_json::json!({ "cause": cause }),
        ..job(a, now)
    };
    let cause = |job: &ClaimedJob| job.payload["cause"].as_str().map(str::to_owned);
    let is = |cause: &str| Some(cause.to_owned());
    enqueue(store, &because("notification", 0), 0).await;
    enqueue(store, &because("person", 1), 1).await;
    enqueue(store, &because("notification", 2), 2).await;
    enqueue(store, &because("schedule", 3), 3).await;
    let first = claim(store, 3).await.remove(0);
    assert_eq!(cause(&first), is("person"));

    // Another worker takes it over: the same run, and still that person's.
    enqueue(store, &because("notification", 4), 4).await;
    let again = claim(store, 3 + LEASE).await.remove(0);
    assert_eq!(cause(&again), is("person"));
    enqueue(store, &because("schedule", 70), 70).await;
    let retry = FinishJob::Retry {
        at: at(500),
        error: "later".to_owned(),
    };
    finish(store, &again, retry, 71).await.unwrap();
    let retried = claim(store, 71).await.remove(0);
    assert_eq!(cause(&retried), is("person"), "it is not done yet");
    finish(store, &retried, FinishJob::Later(at(72)), 71)
        .await
        .unwrap();
    assert!(claim(store, 71).await.is_empty());
    let attempt = retried.attempt;
    let retried = claim(store, 72).await.remove(0);
    assert_eq!(cause(&retried), is("person"), "put off is not done");
    assert_eq!(retried.attempt, attempt, "and no attempt");

    // Done: the wish is fulfilled, and the next run is about what came meanwhile.
    enqueue(store, &because("notification", 73), 73).await;
    let done = || FinishJob::Again(at(1000));
    finish(store, &retried, done(), 73).await.unwrap();
    let next = claim(store, 73).await.remove(0);
    assert_eq!(cause(&next), is("notification"));
    enqueue(store, &because("person", 74), 74).await;
    enqueue(store, &because("notification", 75), 75).await;
    finish(store, &next, done(), 76).await.unwrap();
    let asked = claim(store, 76).await.remove(0);
    assert_eq!(cause(&asked), is("person"), "asked for during a run");
    finish(store, &asked, done(), 77).await.unwrap();
    let poll = claim(store, 1000).await.remove(0);
    assert_eq!(cause(&poll), None, "nobody asked for this one");
    enqueue(store, &because("schedule", 1001), 1001).await;
    finish(store, &poll, FinishJob::Again(at(2000)), 1002)
        .await
        .unwrap();
    let after = claim(store, 1002).await.remove(0);
    assert_eq!(cause(&after), is("schedule"));
    finish(store, &after, FinishJob::Done, 1003).await.unwrap();

    // In one statement, too; other arguments are the newest.
    let mut batch = [because("person", 1004), because("notification", 1004)];
    batch[1].payload["more"] = 1.into();
    let mut u = unit(store, a).await;
    u.enqueue_jobs(&batch, at(1004)).await.unwrap();
    u.save().await.unwrap();
    let merged = claim(store, 1004).await.remove(0);
    assert_eq!(
        merged.payload,
        serde_json::json!({ "cause": "person", "more": 1 })
    );
    // Jobs that name no cause are as they were.
    let mut plain = job(a, 1005);
    plain.payload = serde_json::Value::Null;
    enqueue(store, &plain, 1005).await;
    finish(store, &merged, FinishJob::Done, 1006).await.unwrap();
    let plain = claim(store, 1006).await.remove(0);
    assert_eq!(plain.payload, serde_json::Value::Null);
    finish(store, &plain, FinishJob::Again(at(1007)), 1006)
        .await
        .unwrap();
    assert_eq!(claim(store, 1007).await[0].payload, serde_json::Value::Null);
}
