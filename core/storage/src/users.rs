//! Tenants, users and sessions.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use daybind_domain::ids::{SessionId, TenantId, UserId};
use daybind_domain::user::{Role, UserType};

use crate::StorageResult;

/// An MSP. Table `tenants`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Key.
    pub tenant_id: TenantId,
    /// Shown name.
    pub name: String,
    /// IANA zone in which the MSP plans.
    pub time_zone: String,
}

/// A person. Table `users`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Whose.
    pub tenant_id: TenantId,
    /// Key.
    pub user_id: UserId,
    /// As typed.
    pub email: String,
    /// Shown name.
    pub display_name: String,
    /// Internal or client portal.
    pub user_type: UserType,
    /// What an internal user may do.
    pub role: Role,
    /// Inactive people cannot sign in and hold no session.
    pub is_active: bool,
    /// IANA zone in which they see times.
    pub time_zone: String,
}

/// A person to add.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// All but the password.
    pub user: User,
    /// `email` trimmed and in lower case; unique per tenant.
    pub email_normalized: String,
    /// argon2id PHC string, or `None` when they only sign in through Microsoft.
    pub password_hash: Option<String>,
}

/// What a password sign-in needs before a tenant is known.
#[derive(Debug, Clone)]
pub struct LoginCandidate {
    /// Whose.
    pub tenant_id: TenantId,
    /// Who.
    pub user_id: UserId,
    /// argon2id PHC string.
    pub password_hash: Option<String>,
    /// Inactive people are refused after the hash was checked all the same.
    pub is_active: bool,
}

/// A signed-in browser. Table `sessions`. The cookie's token is stored as SHA-256 only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Whose.
    pub tenant_id: TenantId,
    /// Key.
    pub session_id: SessionId,
    /// Who.
    pub user_id: UserId,
    /// SHA-256 of the token, 32 bytes.
    pub token_hash: Vec<u8>,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it was last used; ends after a time of idleness.
    pub last_seen_at: DateTime<Utc>,
    /// When it ends whatever happens.
    pub expires_at: DateTime<Utc>,
    /// How the person proved who they are: `password` or `microsoft`.
    pub method: String,
    /// What the browser called itself at sign-in.
    pub user_agent: Option<String>,
    /// The network address at sign-in.
    pub address: Option<String>,
}

/// Who may sign in with a password. Table `sign_in_settings`; no row means everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInSettings {
    /// Whose.
    pub tenant_id: TenantId,
    /// Whether technicians may. Administrators always may.
    pub technician_passwords: bool,
    /// Who decided.
    pub updated_by: UserId,
    /// When.
    pub updated_at: DateTime<Utc>,
}

/// Tenants and people.
#[async_trait]
pub trait UserRepository {
    /// Adds a tenant (system scope or its own).
    async fn add_tenant(&mut self, tenant: &Tenant, now: DateTime<Utc>) -> StorageResult<()>;

    /// All tenants (system scope), or the one of the scope.
    async fn list_tenants(&mut self) -> StorageResult<Vec<Tenant>>;

    /// Adds a person. `Duplicate` when the tenant has that email.
    async fn add_user(&mut self, user: &NewUser, now: DateTime<Utc>) -> StorageResult<()>;

    /// Looks a person up.
    async fn find_user(
        &mut self,
        tenant_id: TenantId,
        user_id: UserId,
    ) -> StorageResult<Option<User>>;

    /// The tenant's people by name; all of them.
    async fn list_users(&mut self, tenant_id: TenantId) -> StorageResult<Vec<User>>;

    /// Everybody with that normalised email, over all tenants (system scope).
    async fn find_login(&mut self, email_normalized: &str) -> StorageResult<Vec<LoginCandidate>>;

    /// The tenant's active internal people who have no password, by name.
    async fn list_without_password(&mut self, tenant_id: TenantId) -> StorageResult<Vec<User>>;

    /// The argon2id PHC string of one person, if they have a password. `NotFound` when there is no such person.
    async fn find_password(
        &mut self,
        tenant_id: TenantId,
        user_id: UserId,
    ) -> StorageResult<Option<String>>;

    /// Replaces a person's password hash. `NotFound` when there is no such person.
    async fn set_password(
        &mut self,
        tenant_id: TenantId,
        user_id: UserId,
        password_hash: &str,
    ) -> StorageResult<()>;

    /// Who may sign in with a password, if the tenant decided.
    async fn find_sign_in_settings(
        &mut self,
        tenant_id: TenantId,
    ) -> StorageResult<Option<SignInSettings>>;

    /// Stores that decision.
    async fn set_sign_in_settings(&mut self, settings: &SignInSettings) -> StorageResult<()>;
}

/// Sessions.
#[async_trait]
pub trait SessionRepository {
    /// Adds a session.
    async fn add_session(&mut self, session: &Session) -> StorageResult<()>;

    /// The session with that token hash, ended or not.
    async fn find_session(
        &mut self,
        tenant_id: TenantId,
        token_hash: &[u8],
    ) -> StorageResult<Option<Session>>;

    /// Notes that it was used.
    async fn touch_session(
        &mut self,
        tenant_id: TenantId,
        session_id: SessionId,
        now: DateTime<Utc>,
    ) -> StorageResult<()>;

    /// Ends a session; ending one that is gone is fine.
    async fn remove_session(
        &mut self,
        tenant_id: TenantId,
        session_id: SessionId,
    ) -> StorageResult<()>;

    /// A person's sessions, ended ones too, last used first.
    async fn list_sessions(
        &mut self,
        tenant_id: TenantId,
        user_id: UserId,
    ) -> StorageResult<Vec<Session>>;

    /// Whether anybody has a session that began that way.
    async fn has_session_by(&mut self, tenant_id: TenantId, method: &str) -> StorageResult<bool>;

    /// Ends all of a person's sessions but one; which.
    async fn remove_other_sessions(
        &mut self,
        tenant_id: TenantId,
        user_id: UserId,
        keep: Option<SessionId>,
    ) -> StorageResult<Vec<SessionId>>;

    /// Removes the tenant's sessions that expired, or were last used before `idle_since`.
    async fn purge_sessions(
        &mut self,
        tenant_id: TenantId,
        now: DateTime<Utc>,
        idle_since: DateTime<Utc>,
    ) -> StorageResult<()>;
}
