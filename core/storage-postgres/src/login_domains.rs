//! Login domains and their challenges.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use daybind_domain::ids::{LoginDomainId, TenantId};
use daybind_domain::login_domain::ClaimStatus;
use daybind_storage::{
    DomainChallenge, LoginDomain, LoginDomainRepository, Scope, StorageError, StorageResult,
};

use crate::PgUnit;
use crate::codec::{self, Row, failure, get};

fn login_domain(row: &Row) -> StorageResult<LoginDomain> {
    Ok(LoginDomain {
        tenant_id: codec::get_id(row, "tenant_id")?.into(),
        domain_id: codec::get_id(row, "domain_id")?.into(),
        domain: get(row, "domain")?,
        status: ClaimStatus::parse(get(row, "claim_status")?),
        status_changed_at: codec::get_at(row, "claim_status_updated_at")?,
        status_changed_by: codec::get_id_or(row, "claim_status_updated_by")?.map(Into::into),
        verified_at: codec::get_at_or(row, "verified_at")?,
        version: get(row, "version")?,
        created_by: codec::get_id(row, "created_by")?.into(),
        created_at: codec::get_at(row, "created_at")?,
    })
}

fn challenge(row: &Row) -> StorageResult<DomainChallenge> {
    Ok(DomainChallenge {
        tenant_id: codec::get_id(row, "tenant_id")?.into(),
        domain_id: codec::get_id(row, "domain_id")?.into(),
        host: get(row, "challenge_host")?,
        value: get(row, "challenge_value")?,
        created_by: codec::get_id(row, "created_by")?.into(),
        created_at: codec::get_at(row, "created_at")?,
        expires_at: codec::get_at(row, "expires_at")?,
        checked_at: codec::get_at_or(row, "checked_at")?,
        outcome: get(row, "outcome")?,
        seen: serde_json::from_value(codec::get_json(row, "seen")?)
            .map_err(StorageError::database)?,
        missing_since: codec::get_at_or(row, "missing_since")?,
        next_check_at: codec::get_at(row, "next_check_at")?,
    })
}

impl PgUnit {
    /// Row-level security lets the system scope see every tenant's login domains; one statement of a tenant's unit may
    /// borrow that sight. The tenant's own rights stay as they are.
    async fn look_over_all_tenants(&mut self, on: bool) -> StorageResult<()> {
        let scope = match (on, self.scope) {
            (true, _) | (false, Scope::System) => "system",
            (false, Scope::Tenant(_)) => "tenant",
        };
        sqlx::query("SELECT set_config('daybind.scope', $1, true)")
            .bind(scope)
            .execute(self.connection())
            .await
            .map_err(failure)?;
        Ok(())
    }
}

#[async_trait]
impl LoginDomainRepository for PgUnit {
    async fn list_login_domains(&mut self, tenant_id: TenantId) -> StorageResult<Vec<LoginDomain>> {
        let rows =
            sqlx::query("SELECT * FROM msp_sso_login_domains WHERE tenant_id = $1 ORDER BY domain")
                .bind(codec::id(tenant_id.0))
                .fetch_all(self.connection())
                .await
                .map_err(failure)?;
        rows.iter().map(login_domain).collect()
    }

    async fn find_login_domain(
        &mut self,
        tenant_id: TenantId,
        domain_id: LoginDomainId,
    ) -> StorageResult<Option<LoginDomain>> {
        let row = sqlx::query(
            "SELECT * FROM msp_sso_login_domains WHERE tenant_id = $1 AND domain_id = $2",
        )
        .bind(codec::id(tenant_id.0))
        .bind(codec::id(domain_id.0))
        .fetch_optional(self.connection())
        .await
        .map_err(failure)?;
        row.as_ref().map(login_domain).transpose()
    }

    async fn add_login_domain(&mut self, domain: &LoginDomain) -> StorageResult<()> {
        sqlx::query(
            "INSERT INTO msp_sso_login_domains (tenant_id, domain_id, domain, claim_status, claim_status_updated_at, \
             claim_status_updated_by, verified_at, version, created_by, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(codec::id(domain.tenant_id.0))
        .bind(codec::id(domain.domain_id.0))
        .bind(domain.domain.clone())
        .bind(domain.status.as_str())
        .bind(codec::at(domain.status_changed_at))
        .bind(domain.status_changed_by.map(|id| codec::id(id.0)))
        .bind(domain.verified_at.map(codec::at))
        .bind(domain.version)
        .bind(codec::id(domain.created_by.0))
        .bind(codec::at(domain.created_at))
        .execute(self.connection())
        .await
        .map_err(failure)?;
        Ok(())
    }

    async fn update_login_domain(&mut self, domain: &LoginDomain) -> StorageResult<()> {
        let done = sqlx::query(
            "UPDATE msp_sso_login_domains SET claim_status = $3, claim_status_updated_at = $4, \
             claim_status_updated_by = $5, verified_at = $6, version = version + 1 \
             WHERE tenant_id = $1 AND domain_id = $2 AND version = $7",
        )
        .bind(codec::id(domain.tenant_id.0))
        .bind(codec::id(domain.domain_id.0))
        .bind(domain.status.as_str())
        .bind(codec::at(domain.status_changed_at))
        .bind(domain.status_changed_by.map(|id| codec::id(id.0)))
        .bind(domain.verified_at.map(codec::at))
        .bind(domain.version)
        .execute(self.connection())
        .await
        .map_err(failure)?;
        if done.rows_affected() == 1 {
            return Ok(());
        }
        let there = self
            .find_login_domain(domain.tenant_id, domain.domain_id)
            .await?;
        Err(if there.is_some() {
            StorageError::Stale
        } else {
            StorageError::NotFound
        })
    }

    async fn remove_login_domain(
        &mut self,
        tenant_id: TenantId,
        domain_id: LoginDomainId,
    ) -> StorageResult<bool> {
        let done = sqlx::query(
            "DELETE FROM msp_sso_login_domains WHERE tenant_id = $1 AND domain_id = $2",
        )
        .bind(codec::id(tenant_id.0))
        .bind(codec::id(domain_id.0))
        .execute(self.connection())
        .await
        .map_err(failure)?;
        Ok(done.rows_affected() == 1)
    }

    async fn claims_on_domain(&mut self, domain: &str) -> StorageResult<Vec<LoginDomain>> {
        self.look_over_all_tenants(true).await?;
        let rows = sqlx::query(
            "SELECT * FROM msp_sso_login_domains WHERE domain = $1 ORDER BY created_at, tenant_id",
        )
        .bind(domain.to_owned())
        .fetch_all(self.connection())
        .await
        .map_err(failure)?;
        self.look_over_all_tenants(false).await?;
        rows.iter().map(login_domain).collect()
    }

    async fn contested_domains(&mut self, tenant_id: TenantId) -> StorageResult<Vec<String>> {
        self.look_over_all_tenants(true).await?;
        let names = sqlx::query_scalar(
            "SELECT mine.domain FROM msp_sso_login_domains mine WHERE mine.tenant_id = $1 AND EXISTS \
             (SELECT 1 FROM msp_sso_login_domains other WHERE other.domain = mine.domain \
             AND other.tenant_id <> mine.tenant_id AND other.claim_status IN ('advisory', 'pending', 'verified')) \
             ORDER BY mine.domain",
        )
        .bind(codec::id(tenant_id.0))
        .fetch_all(self.connection())
        .await
        .map_err(failure)?;
        self.look_over_all_tenants(false).await?;
        Ok(names)
    }

    async fn lock_domain(&mut self, domain: &str) -> StorageResult<()> {
        sqlx::query(
            "SELECT pg_advisory_xact_lock(hashtextextended('daybind.login_domain.' || $1, 0))",
        )
        .bind(domain.to_owned())
        .execute(self.connection())
        .await
        .map_err(failure)?;
        Ok(())
    }

    async fn list_challenges(
        &mut self,
        tenant_id: TenantId,
    ) -> StorageResult<Vec<DomainChallenge>> {
        let rows = sqlx::query(
            "SELECT * FROM msp_sso_domain_verification_challenges WHERE tenant_id = $1 ORDER BY domain_id",
        )
        .bind(codec::id(tenant_id.0))
        .fetch_all(self.connection())
        .await
        .map_err(failure)?;
        rows.iter().map(challenge).collect()
    }

    async fn find_challenge(
        &mut self,
        tenant_id: TenantId,
        domain_id: LoginDomainId,
    ) -> StorageResult<Option<DomainChallenge>> {
        let row = sqlx::query(
            "SELECT * FROM msp_sso_domain_verification_challenges WHERE tenant_id = $1 AND domain_id = $2",
        )
        .bind(codec::id(tenant_id.0))
        .bind(codec::id(domain_id.0))
        .fetch_optional(self.connection())
        .await
        .map_err(failure)?;
        row.as_ref().map(challenge).transpose()
    }

    async fn save_challenge(&mut self, challenge: &DomainChallenge) -> StorageResult<()> {
        sqlx::query(
            "INSERT INTO msp_sso_domain_verification_challenges (tenant_id, domain_id, challenge_host, challenge_value, \
             created_by, created_at, expires_at, checked_at, outcome, seen, missing_since, next_check_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
             ON CONFLICT (tenant_id, domain_id) DO UPDATE SET challenge_host = excluded.challenge_host, \
             challenge_value = excluded.challenge_value, created_by = excluded.created_by, \
             created_at = excluded.created_at, expires_at = excluded.expires_at, checked_at = excluded.checked_at, \
             outcome = excluded.outcome, seen = excluded.seen, missing_since = excluded.missing_since, \
             next_check_at = excluded.next_check_at",
        )
        .bind(codec::id(challenge.tenant_id.0))
        .bind(codec::id(challenge.domain_id.0))
        .bind(challenge.host.clone())
        .bind(challenge.value.clone())
        .bind(codec::id(challenge.created_by.0))
        .bind(codec::at(challenge.created_at))
        .bind(codec::at(challenge.expires_at))
        .bind(challenge.checked_at.map(codec::at))
        .bind(challenge.outcome.clone())
        .bind(codec::json(&serde_json::json!(challenge.seen)))
        .bind(challenge.missing_since.map(codec::at))
        .bind(codec::at(challenge.next_check_at))
        .execute(self.connection())
        .await
        .map_err(failure)?;
        Ok(())
    }

    async fn remove_challenge(
        &mut self,
        tenant_id: TenantId,
        domain_id: LoginDomainId,
    ) -> StorageResult<()> {
        sqlx::query(
            "DELETE FROM msp_sso_domain_verification_challenges WHERE tenant_id = $1 AND domain_id = $2",
        )
        .bind(codec::id(tenant_id.0))
        .bind(codec::id(domain_id.0))
        .execute(self.connection())
        .await
        .map_err(failure)?;
        Ok(())
    }

    async fn take_due_challenges(
        &mut self,
        now: DateTime<Utc>,
        next: DateTime<Utc>,
        limit: i64,
    ) -> StorageResult<Vec<DomainChallenge>> {
        let rows = sqlx::query(
            "UPDATE msp_sso_domain_verification_challenges SET next_check_at = $2 \
             WHERE (tenant_id, domain_id) IN (SELECT tenant_id, domain_id FROM msp_sso_domain_verification_challenges \
             WHERE next_check_at <= $1 ORDER BY next_check_at LIMIT $3 FOR UPDATE SKIP LOCKED) AND next_check_at <= $1 RETURNING *",
        )
        .bind(codec::at(now))
        .bind(codec::at(next))
        .bind(limit)
        .fetch_all(self.connection())
        .await
        .map_err(failure)?;
        rows.iter().map(challenge).collect()
    }
}
