//! What a look for due jobs costs depends on what is due, not on how many connections there are.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on must fail loudly"
)]

use chrono::{DateTime, TimeDelta, Utc};
use daybind_storage::{FinishJob, Scope, Store as _, UnitOfWork};
use daybind_storage_postgres::{PgStore, PgUnit, testing};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

const IDLE: i64 = 100_000;
const KINDS: &[&str] = &["calendar.sync", "calendar.subscription"];

/// Rows of the jobs that this connection read lately: by scanning the table, and through indexes.
async fn read_so_far(unit: &mut Box<dyn UnitOfWork>) -> (i64, i64) {
    let unit = unit.as_any_mut().downcast_mut::<PgUnit>().unwrap();
    sqlx::query_as(
        "SELECT coalesce(seq_tup_read, 0), coalesce(idx_tup_fetch, 0) \
         FROM pg_stat_xact_user_tables WHERE relname = 'jobs'",
    )
    .fetch_one(unit.connection())
    .await
    .unwrap()
}

/// What a statement says its plan is, with the same values as the store sends.
async fn plan(url: &str, statement: &str) -> String {
    let mut owner = PgConnection::connect(url).await.unwrap();
    let lines: Vec<String> = sqlx::query_scalar(AssertSqlSafe(format!("EXPLAIN {statement}")))
        .fetch_all(&mut owner)
        .await
        .unwrap();
    lines.join("\n")
}

/// A hundred thousand connections whose next poll is later, a few of them due: ticks, and jobs that end, read what is
/// due and nothing else, also once the plan is the one for any values.
#[tokio::test]
async fn a_tick_costs_what_is_due() {
    let url = testing::database_url().await;
    let store = PgStore::connect_sized(&url, 1).await.unwrap();
    store.migrate().await.unwrap();
    let mut owner = PgConnection::connect(&url).await.unwrap();
    owner
        .execute(AssertSqlSafe(format!(
            "INSERT INTO jobs (tenant_id, job_id, kind, key, payload, state, attempt, max_attempts, run_at, poked, \
             created_at, updated_at) SELECT ('00000000-0000-4000-8000-' || lpad((n % 500)::text, 12, '0'))::uuid, \
             gen_random_uuid(), 'calendar.sync', n::text, '{{}}', 'queued', 0, 12, \
             now() + interval '1 minute' + n * interval '3 milliseconds', 0, now(), now() \
             FROM generate_series(1, {IDLE}) AS n"
        )))
        .await
        .unwrap();
    owner.execute("ANALYZE jobs").await.unwrap();
    let due = "SELECT tenant_id, job_id, run_at FROM jobs WHERE state = 'queued' AND run_at <= now() \
               ORDER BY run_at LIMIT 10";
    let said = plan(&url, due).await;
    assert!(
        said.contains("Index Scan using jobs_due") && !said.contains("Sort"),
        "{said}"
    );

    let now: DateTime<Utc> = store.clock().await.unwrap();
    // Nothing is due. More ticks than a connection plans anew.
    for _ in 0..12 {
        let mut unit = store.begin(Scope::System).await.unwrap();
        let lease = now + TimeDelta::seconds(45);
        let jobs = unit.claim_jobs(KINDS, 10, now, lease).await.unwrap();
        assert!(jobs.is_empty());
        assert_eq!(read_so_far(&mut unit).await, (0, 0));
        unit.cancel().await.unwrap();
    }
    // Time passes: the first few are due, are claimed, and end.
    let later = now + TimeDelta::seconds(60) + TimeDelta::milliseconds(100);
    let mut worked = 0;
    for _ in 0..12 {
        let mut unit = store.begin(Scope::System).await.unwrap();
        let before = read_so_far(&mut unit).await;
        let lease = later + TimeDelta::seconds(45);
        let jobs = unit.claim_jobs(KINDS, 10, later, lease).await.unwrap();
        for job in &jobs {
            unit.extend_lease(job, lease).await.unwrap();
            let again = FinishJob::Again(later + TimeDelta::minutes(5));
            unit.finish_job(job, &again, later).await.unwrap();
        }
        worked += jobs.len();
        let after = read_so_far(&mut unit).await;
        let (scanned, fetched) = (after.0 - before.0, after.1 - before.1);
        let due = i64::try_from(jobs.len()).unwrap();
        assert_eq!(scanned, 0, "the table is never read as a whole");
        assert!(fetched <= 20 * due + 20, "{fetched} rows for {due} jobs");
        unit.save().await.unwrap();
    }
    assert!((20..200).contains(&worked), "{worked}");
}
