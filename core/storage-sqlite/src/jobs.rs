//! The job queue.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use daybind_domain::ids::TenantId;
use daybind_storage::{
    ClaimedJob, FinishJob, JobRepository, JobStats, NewJob, Scope, StorageError, StorageResult,
    at_claim, merged,
};
use uuid::Uuid;

use crate::SqliteUnit;
use crate::codec::{self, Row, failure, get};

fn claimed(row: &Row) -> StorageResult<ClaimedJob> {
    Ok(ClaimedJob {
        tenant_id: codec::get_id(row, "tenant_id")?.into(),
        job_id: codec::get_id(row, "job_id")?.into(),
        kind: get(row, "kind")?,
        key: get(row, "key")?,
        payload: at_claim(codec::get_json(row, "payload")?),
        attempt: get(row, "attempt")?,
        max_attempts: get(row, "max_attempts")?,
        run_at: codec::get_at(row, "run_at")?,
        lease_token: codec::get_id(row, "lease_token")?,
        poked: get(row, "poked")?,
    })
}

/// There is one writer at a time, so two claimers never see the same job.
const CLAIM: &str = "UPDATE jobs SET state = 'running', attempt = attempt + 1, lease_token = $4, lease_until = $5, \
    updated_at = $2 WHERE (tenant_id, job_id) IN (SELECT tenant_id, job_id FROM jobs \
    WHERE kind IN (SELECT value FROM json_each($1)) AND tenant_id NOT IN (SELECT value FROM json_each($6)) \
    AND ((state = 'queued' AND run_at <= $2) OR (state = 'running' AND lease_until <= $2)) \
    ORDER BY run_at LIMIT $3) RETURNING *";

/// Back to the queue at `$4`, or at `$7` if that is earlier and it was poked after the claim (`$5`), with a fresh count of
/// attempts.
const AGAIN: &str = "UPDATE jobs SET state = 'queued', attempt = 0, lease_token = NULL, lease_until = NULL, \
    last_error = NULL, run_at = CASE WHEN poked > $5 AND $7 < $4 THEN $7 ELSE $4 END, updated_at = $6, \
    payload = CASE WHEN poked > $5 AND payload->>'then' IS NOT NULL \
    THEN json_set(json_remove(payload, '$.then'), '$.cause', payload->>'then') \
    ELSE json_remove(payload, '$.then', '$.cause') END \
    WHERE tenant_id = $1 AND job_id = $2 AND lease_token = $3 AND state = 'running'";

/// Back to the queue at `$4`, or at once (`$5`) if it was poked after the claim (`$7`): that request may be what mends it.
const RETRY: &str = "UPDATE jobs SET state = 'queued', lease_token = NULL, lease_until = NULL, last_error = $6, \
    run_at = CASE WHEN poked > $7 AND $5 < $4 THEN $5 ELSE $4 END, updated_at = $5, \
    payload = CASE WHEN payload->>'then' IS NULL THEN payload ELSE json_set(json_remove(payload, '$.then'), '$.cause', \
    CASE WHEN payload->>'cause' = 'person' THEN 'person' ELSE payload->>'then' END) END \
    WHERE tenant_id = $1 AND job_id = $2 AND lease_token = $3 AND state = 'running'";

/// Back to the queue at `$4` as it was claimed.
const LATER: &str = "UPDATE jobs SET state = 'queued', attempt = attempt - 1, lease_token = NULL, lease_until = NULL, \
    run_at = $4, updated_at = $5, \
    payload = CASE WHEN payload->>'then' IS NULL THEN payload ELSE json_set(json_remove(payload, '$.then'), '$.cause', \
    CASE WHEN payload->>'cause' = 'person' THEN 'person' ELSE payload->>'then' END) END \
    WHERE tenant_id = $1 AND job_id = $2 AND lease_token = $3 AND state = 'running'";

/// Dead, unless somebody poked the lane after the claim (`$4`): that request has not been tried yet.
const DEAD: &str = "UPDATE jobs SET state = CASE WHEN poked > $4 THEN 'queued' ELSE 'dead' END, \
    attempt = CASE WHEN poked > $4 THEN 0 ELSE attempt END, lease_token = NULL, lease_until = NULL, \
    last_error = $6, run_at = $5, updated_at = $5, \
    payload = CASE WHEN payload->>'then' IS NULL THEN payload ELSE json_set(json_remove(payload, '$.then'), '$.cause', \
    CASE WHEN payload->>'cause' = 'person' THEN 'person' ELSE payload->>'then' END) END \
    WHERE tenant_id = $1 AND job_id = $2 AND lease_token = $3 AND state = 'running'";

const ENQUEUE: &str = "INSERT INTO jobs (tenant_id, job_id, kind, key, payload, state, attempt, max_attempts, run_at, poked, \
    created_at, updated_at) VALUES ($1, $2, $3, $4, $5, 'queued', 0, $6, $7, 0, $8, $8) \
    ON CONFLICT (tenant_id, kind, key) DO UPDATE SET \
    payload = CASE WHEN excluded.payload->>'cause' IS NULL THEN excluded.payload \
    WHEN jobs.state = 'running' AND jobs.payload->>'cause' IS NULL \
    THEN json_set(json_remove(excluded.payload, '$.cause'), '$.then', \
    CASE WHEN jobs.payload->>'then' = 'person' THEN 'person' ELSE excluded.payload->>'cause' END) \
    WHEN jobs.state = 'running' THEN json_set(excluded.payload, '$.cause', jobs.payload->>'cause', '$.then', \
    CASE WHEN jobs.payload->>'then' = 'person' THEN 'person' ELSE excluded.payload->>'cause' END) \
    WHEN jobs.payload->>'cause' = 'person' THEN json_set(excluded.payload, '$.cause', 'person') \
    ELSE excluded.payload END, \
    max_attempts = excluded.max_attempts, poked = jobs.poked + 1, \
    run_at = CASE WHEN jobs.state = 'dead' OR excluded.run_at < jobs.run_at THEN excluded.run_at \
    ELSE jobs.run_at END, \
    attempt = CASE WHEN jobs.state = 'dead' THEN 0 ELSE jobs.attempt END, \
    state = CASE WHEN jobs.state = 'dead' THEN 'queued' ELSE jobs.state END, \
    updated_at = excluded.updated_at";

#[async_trait]
impl JobRepository for SqliteUnit {
    async fn enqueue_jobs(&mut self, jobs: &[NewJob], now: DateTime<Utc>) -> StorageResult<()> {
        for job in merged(jobs) {
            sqlx::query(ENQUEUE)
                .bind(codec::id(job.tenant_id.0))
                .bind(codec::id(Uuid::new_v4()))
                .bind(job.kind)
                .bind(job.key)
                .bind(codec::json(&job.payload))
                .bind(job.max_attempts)
                .bind(codec::at(job.run_at))
                .bind(codec::at(now))
                .execute(self.connection())
                .await
                .map_err(failure)?;
        }
        Ok(())
    }

    async fn oldest_due(&mut self, now: DateTime<Utc>) -> StorageResult<Option<DateTime<Utc>>> {
        let query = match self.scope {
            Scope::System => {
                sqlx::query_scalar("SELECT min(run_at) FROM jobs WHERE state = 'queued' AND run_at <= $1")
                    .bind(codec::at(now))
            }
            Scope::Tenant(id) => sqlx::query_scalar(
                "SELECT min(run_at) FROM jobs WHERE state = 'queued' AND run_at <= $1 AND tenant_id = $2",
            )
            .bind(codec::at(now))
            .bind(codec::id(id.0)),
        };
        let micros: Option<i64> = query.fetch_one(self.connection()).await.map_err(failure)?;
        Ok(micros.and_then(DateTime::from_timestamp_micros))
    }

    async fn claim_jobs(
        &mut self,
        kinds: &[&str],
        limit: i64,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
    ) -> StorageResult<Vec<ClaimedJob>> {
        self.claim_jobs_beside(kinds, &[], limit, now, lease_until)
            .await
    }

    async fn claim_jobs_beside(
        &mut self,
        kinds: &[&str],
        full: &[TenantId],
        limit: i64,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
    ) -> StorageResult<Vec<ClaimedJob>> {
        let rows = sqlx::query(CLAIM)
            .bind(codec::names(kinds))
            .bind(codec::at(now))
            .bind(limit)
            .bind(codec::id(Uuid::new_v4()))
            .bind(codec::at(lease_until))
            .bind(codec::ids(full.iter().map(|tenant| tenant.0)))
            .fetch_all(self.connection())
            .await
            .map_err(failure)?;
        // RETURNING promises no order.
        let mut jobs = rows
            .iter()
            .map(claimed)
            .collect::<StorageResult<Vec<_>>>()?;
        jobs.sort_by_key(|job| job.run_at);
        Ok(jobs)
    }

    async fn extend_lease(
        &mut self,
        job: &ClaimedJob,
        lease_until: DateTime<Utc>,
    ) -> StorageResult<()> {
        let done = sqlx::query(
            "UPDATE jobs SET lease_until = $4 \
             WHERE tenant_id = $1 AND job_id = $2 AND lease_token = $3 AND state = 'running'",
        )
        .bind(codec::id(job.tenant_id.0))
        .bind(codec::id(job.job_id.0))
        .bind(codec::id(job.lease_token))
        .bind(codec::at(lease_until))
        .execute(self.connection())
        .await
        .map_err(failure)?;
        if done.rows_affected() == 0 {
            Err(StorageError::NotFound)
        } else {
            Ok(())
        }
    }

    async fn finish_job(
        &mut self,
        job: &ClaimedJob,
        outcome: &FinishJob,
        now: DateTime<Utc>,
    ) -> StorageResult<()> {
        if matches!(outcome, FinishJob::Done) {
            let done = sqlx::query(
                "DELETE FROM jobs WHERE tenant_id = $1 AND job_id = $2 AND lease_token = $3 AND state = 'running' \
                 AND poked <= $4",
            )
            .bind(codec::id(job.tenant_id.0))
            .bind(codec::id(job.job_id.0))
            .bind(codec::id(job.lease_token))
            .bind(job.poked)
            .execute(self.connection())
            .await
            .map_err(failure)?;
            if done.rows_affected() == 1 {
                return Ok(());
            }
        }
        let query = match outcome {
            FinishJob::Done | FinishJob::Again(_) | FinishJob::Rested { .. } => sqlx::query(AGAIN),
            FinishJob::Later(_) => sqlx::query(LATER),
            FinishJob::Retry { .. } => sqlx::query(RETRY),
            FinishJob::Dead { .. } => sqlx::query(DEAD),
        }
        .bind(codec::id(job.tenant_id.0))
        .bind(codec::id(job.job_id.0))
        .bind(codec::id(job.lease_token));
        macro_rules! again {
            ($query:ident, $at:expr, $soonest:expr) => {
                $query
                    .bind(codec::at($at))
                    .bind(job.poked)
                    .bind(codec::at(now))
                    .bind(codec::at($soonest))
            };
        }
        let query = match outcome {
            FinishJob::Done => again!(query, now, now),
            FinishJob::Again(at) => again!(query, *at, now),
            FinishJob::Rested { at, rest } => again!(query, *at, *rest),
            FinishJob::Later(at) => query.bind(codec::at(*at)).bind(codec::at(now)),
            FinishJob::Retry { at, error } => query
                .bind(codec::at(*at))
                .bind(codec::at(now))
                .bind(error.clone())
                .bind(job.poked),
            FinishJob::Dead { error } => query
                .bind(job.poked)
                .bind(codec::at(now))
                .bind(error.clone()),
        };
        let done = query.execute(self.connection()).await.map_err(failure)?;
        if done.rows_affected() == 0 {
            Err(StorageError::NotFound)
        } else {
            Ok(())
        }
    }

    async fn is_running(
        &mut self,
        tenant_id: TenantId,
        kind: &str,
        key: &str,
        now: DateTime<Utc>,
    ) -> StorageResult<bool> {
        let row = sqlx::query(
            "SELECT 1 FROM jobs WHERE tenant_id = $1 AND kind = $2 AND key = $3 AND state = 'running' \
             AND lease_until > $4",
        )
        .bind(codec::id(tenant_id.0))
        .bind(kind.to_owned())
        .bind(key.to_owned())
        .bind(codec::at(now))
        .fetch_optional(self.connection())
        .await
        .map_err(failure)?;
        Ok(row.is_some())
    }

    async fn remove_job(
        &mut self,
        tenant_id: TenantId,
        kind: &str,
        key: &str,
    ) -> StorageResult<()> {
        sqlx::query("DELETE FROM jobs WHERE tenant_id = $1 AND kind = $2 AND key = $3 AND state <> 'running'")
            .bind(codec::id(tenant_id.0))
            .bind(kind.to_owned())
            .bind(key.to_owned())
            .execute(self.connection())
            .await
            .map_err(failure)?;
        Ok(())
    }

    async fn job_stats(&mut self) -> StorageResult<JobStats> {
        let rows = match self.scope {
            Scope::System => sqlx::query("SELECT state, count(*) AS jobs FROM jobs GROUP BY state"),
            Scope::Tenant(id) => sqlx::query(
                "SELECT state, count(*) AS jobs FROM jobs WHERE tenant_id = $1 GROUP BY state",
            )
            .bind(codec::id(id.0)),
        }
        .fetch_all(self.connection())
        .await
        .map_err(failure)?;
        let mut stats = JobStats::default();
        for row in &rows {
            let jobs = get(row, "jobs")?;
            match get(row, "state")? {
                "queued" => stats.queued = jobs,
                "running" => stats.running = jobs,
                _ => stats.dead = jobs,
            }
        }
        Ok(stats)
    }
}
