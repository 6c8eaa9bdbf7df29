//! Tenants and people.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use daybind_domain::ids::{TenantId, UserId};
use daybind_domain::user::{Role, UserType};
use daybind_storage::{
    LoginCandidate, NewUser, Scope, SignInSettings, StorageError, StorageResult, Tenant, User,
    UserRepository,
};

use crate::SqliteUnit;
use crate::codec::{self, Row, failure, get};

fn tenant(row: &Row) -> StorageResult<Tenant> {
    Ok(Tenant {
        tenant_id: codec::get_id(row, "tenant_id")?.into(),
        name: get(row, "name")?,
        time_zone: get(row, "time_zone")?,
    })
}

fn user(row: &Row) -> StorageResult<User> {
    Ok(User {
        tenant_id: codec::get_id(row, "tenant_id")?.into(),
        user_id: codec::get_id(row, "user_id")?.into(),
        email: get(row, "email")?,
        display_name: get(row, "display_name")?,
        user_type: UserType::parse(get(row, "user_type")?),
        role: Role::parse(get(row, "role")?),
        is_active: get(row, "is_active")?,
        time_zone: get(row, "time_zone")?,
    })
}

fn candidate(row: &Row) -> StorageResult<LoginCandidate> {
    Ok(LoginCandidate {
        tenant_id: codec::get_id(row, "tenant_id")?.into(),
        user_id: codec::get_id(row, "user_id")?.into(),
        password_hash: get(row, "password_hash")?,
        is_active: get(row, "is_active")?,
    })
}

#[async_trait]
impl UserRepository for SqliteUnit {
    async fn add_tenant(&mut self, tenant: &Tenant, now: DateTime<Utc>) -> StorageResult<()> {
        sqlx::query(
            "INSERT INTO tenants (tenant_id, name, time_zone, created_at) VALUES ($1, $2, $3, $4)",
        )
        .bind(codec::id(tenant.tenant_id.0))
        .bind(tenant.name.clone())
        .bind(tenant.time_zone.clone())
        .bind(codec::at(now))
        .execute(self.connection())
        .await
        .map_err(failure)?;
        Ok(())
    }

    async fn list_tenants(&mut self) -> StorageResult<Vec<Tenant>> {
        let rows = match self.scope {
            Scope::System => sqlx::query("SELECT * FROM tenants ORDER BY name, tenant_id"),
            Scope::Tenant(id) => {
                sqlx::query("SELECT * FROM tenants WHERE tenant_id = $1").bind(codec::id(id.0))
            }
        }
        .fetch_all(self.connection())
        .await
        .map_err(failure)?;
        rows.iter().map(tenant).collect()
    }

    async fn add_user(&mut self, new: &NewUser, now: DateTime<Utc>) -> StorageResult<()> {
        sqlx::query(
            "INSERT INTO users (tenant_id, user_id, email, email_normalized, display_name, user_type, role, \
             password_hash, is_active, time_zone, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(codec::id(new.user.tenant_id.0))
        .bind(codec::id(new.user.user_id.0))
        .bind(new.user.email.clone())
        .bind(new.email_normalized.clone())
        .bind(new.user.display_name.clone())
        .bind(new.user.user_type.as_str())
        .bind(new.user.role.as_str())
        .bind(new.password_hash.clone())
        .bind(new.user.is_active)
        .bind(new.user.time_zone.clone())
        .bind(codec::at(now))
        .execute(self.connection())
        .await
        .map_err(failure)?;
        Ok(())
    }

    async fn find_user(
        &mut self,
        tenant_id: TenantId,
        user_id: UserId,
    ) -> StorageResult<Option<User>> {
        let row = sqlx::query("SELECT * FROM users WHERE tenant_id = $1 AND user_id = $2")
            .bind(codec::id(tenant_id.0))
            .bind(codec::id(user_id.0))
            .fetch_optional(self.connection())
            .await
            .map_err(failure)?;
        row.as_ref().map(user).transpose()
    }

    async fn list_users(&mut self, tenant_id: TenantId) -> StorageResult<Vec<User>> {
        let rows =
            sqlx::query("SELECT * FROM users WHERE tenant_id = $1 ORDER BY display_name, user_id")
                .bind(codec::id(tenant_id.0))
                .fetch_all(self.connection())
                .await
                .map_err(failure)?;
        rows.iter().map(user).collect()
    }

    async fn find_login(&mut self, email_normalized: &str) -> StorageResult<Vec<LoginCandidate>> {
        let rows = match self.scope {
            Scope::System => {
                sqlx::query("SELECT * FROM users WHERE email_normalized = $1 ORDER BY tenant_id")
                    .bind(email_normalized.to_owned())
            }
            Scope::Tenant(id) => {
                sqlx::query("SELECT * FROM users WHERE email_normalized = $1 AND tenant_id = $2")
                    .bind(email_normalized.to_owned())
                    .bind(codec::id(id.0))
            }
        }
        .fetch_all(self.connection())
        .await
        .map_err(failure)?;
        rows.iter().map(candidate).collect()
    }

    async fn list_without_password(&mut self, tenant_id: TenantId) -> StorageResult<Vec<User>> {
        let rows = sqlx::query(
            "SELECT * FROM users WHERE tenant_id = $1 AND is_active AND user_type = 'internal' \
             AND password_hash IS NULL ORDER BY display_name, user_id",
        )
        .bind(codec::id(tenant_id.0))
        .fetch_all(self.connection())
        .await
        .map_err(failure)?;
        rows.iter().map(user).collect()
    }

    async fn find_password(
        &mut self,
        tenant_id: TenantId,
        user_id: UserId,
    ) -> StorageResult<Option<String>> {
        let row =
            sqlx::query("SELECT password_hash FROM users WHERE tenant_id = $1 AND user_id = $2")
                .bind(codec::id(tenant_id.0))
                .bind(codec::id(user_id.0))
                .fetch_optional(self.connection())
                .await
                .map_err(failure)?
                .ok_or(StorageError::NotFound)?;
        get(&row, "password_hash")
    }

    async fn set_password(
        &mut self,
        tenant_id: TenantId,
        user_id: UserId,
        password_hash: &str,
    ) -> StorageResult<()> {
        let done = sqlx::query(
            "UPDATE users SET password_hash = $3 WHERE tenant_id = $1 AND user_id = $2",
        )
        .bind(codec::id(tenant_id.0))
        .bind(codec::id(user_id.0))
        .bind(password_hash.to_owned())
        .execute(self.connection())
        .await
        .map_err(failure)?;
        if done.rows_affected() == 1 {
            Ok(())
        } else {
            Err(StorageError::NotFound)
        }
    }

    async fn find_sign_in_settings(
        &mut self,
        tenant_id: TenantId,
    ) -> StorageResult<Option<SignInSettings>> {
        let row = sqlx::query("SELECT * FROM sign_in_settings WHERE tenant_id = $1")
            .bind(codec::id(tenant_id.0))
            .fetch_optional(self.connection())
            .await
            .map_err(failure)?;
        row.as_ref()
            .map(|row| {
                Ok(SignInSettings {
                    tenant_id,
                    technician_passwords: get(row, "technician_passwords")?,
                    updated_by: codec::get_id(row, "updated_by")?.into(),
                    updated_at: codec::get_at(row, "updated_at")?,
                })
            })
            .transpose()
    }

    async fn set_sign_in_settings(&mut self, settings: &SignInSettings) -> StorageResult<()> {
        sqlx::query(
            "INSERT INTO sign_in_settings (tenant_id, technician_passwords, updated_by, updated_at) \
             VALUES ($1, $2, $3, $4) ON CONFLICT (tenant_id) DO UPDATE SET \
             technician_passwords = excluded.technician_passwords, updated_by = excluded.updated_by, \
             updated_at = excluded.updated_at",
        )
        .bind(codec::id(settings.tenant_id.0))
        .bind(settings.technician_passwords)
        .bind(codec::id(settings.updated_by.0))
        .bind(codec::at(settings.updated_at))
        .execute(self.connection())
        .await
        .map_err(failure)?;
        Ok(())
    }
}
