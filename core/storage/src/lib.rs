//! The repository traits: everything services may ask of a database, without saying which database it is.
//!
//! A [`Store`] opens a [`UnitOfWork`]; all repositories are reached through it, and nothing is kept unless
//! [`UnitOfWork::save`] succeeds. PostgreSQL and SQLite implement the traits in crates of their own and pass the one
//! suite in [`contract`] (feature `contract`).
//!
//! # How to add a repository
//! 1. Write its rows and its trait in a module here, tenant first in every signature that is not inherited from the
//!    unit's scope, and add it to [`UnitOfWork`].
//! 2. Add a migration with the same number to `migrations/postgres` and `migrations/sqlite`; `tenant_id` leads the
//!    primary key, every unique key and every foreign key; on PostgreSQL enable *and force* row-level security.
//! 3. Implement it in both crates, methods in the same order, then extend the contract suite.

pub mod audit;
#[cfg(feature = "contract")]
pub mod contract;
pub mod error;
pub mod flows;
pub mod identities;
pub mod jobs;
pub mod ledger;
pub mod limits;
pub mod live;
pub mod login_domains;
pub mod predecessor;
pub mod profile_parts;
pub mod profiles;
pub mod schedule;
pub mod users;
pub mod vault;

use std::any::Any;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use daybind_domain::ids::TenantId;

pub use audit::{AuditActor, AuditCursor, AuditFilter, AuditRepository, AuditRow, Origin};
pub use error::{StorageError, StorageResult};
pub use flows::{FlowRepository, OauthFlow};
pub use identities::{Identity, IdentityRepository, IdentityRequest, Proof, RequestState};
pub use jobs::{ClaimedJob, FinishJob, JobRepository, JobStats, NewJob, at_claim, merged};
pub use ledger::{LedgerRepository, LedgerRow};
pub use limits::{LimitRepository, Rate};
pub use live::{LiveEvent, LivePlace, LiveRepository};
pub use login_domains::{DomainChallenge, LoginDomain, LoginDomainRepository};
pub use predecessor::{AlgaBinding, AlgaDatabase, AlgaDomain, AlgaProfile, AlgaTenant};
pub use profile_parts::{
    CheckRepository, Draft, DraftRepository, ProfileCheck, SecretRepository, SecretSlot,
    StagedSecret,
};
pub use profiles::{
    Binding, BindingRepository, BindingUndo, Profile, ProfileRepository, SecretMeta, read_cloud,
};
pub use schedule::{Entry, NewEntry, ScheduleRepository, repeats_until};
pub use users::{
    LoginCandidate, NewUser, Session, SessionRepository, SignInSettings, Tenant, User,
    UserRepository,
};
pub use vault::{RowKey, SealedColumn, SealedValue, VaultRepository};

/// On whose behalf a unit of work runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Sees and writes one tenant's rows only. On PostgreSQL, row-level security enforces it.
    Tenant(TenantId),
    /// Sees what must be found before a tenant is known: log-ins by email, due jobs, the list of tenants. On PostgreSQL
    /// only the tables with a `system` policy answer; all others stay empty.
    System,
}

/// Migrations by number, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaState {
    /// Those this binary was built with.
    pub known: Vec<i64>,
    /// Those the database has; empty before the first migration.
    pub applied: Vec<i64>,
}

/// A database.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Opens a unit of work that may write. On SQLite there is one at a time.
    async fn begin(&self, scope: Scope) -> StorageResult<Box<dyn UnitOfWork>>;

    /// Opens a unit of work for reading. Writing through it is an error on SQLite.
    async fn read(&self, scope: Scope) -> StorageResult<Box<dyn UnitOfWork>>;

    /// Applies all migrations that are missing.
    async fn migrate(&self) -> StorageResult<()>;

    /// Whether the database answers and has every migration of this binary (and perhaps newer ones, while a new version
    /// is rolled out).
    async fn ready(&self) -> StorageResult<()>;

    /// The migrations this binary has and those the database has.
    async fn schema(&self) -> StorageResult<SchemaState>;

    /// The database server's clock.
    async fn clock(&self) -> StorageResult<DateTime<Utc>>;

    /// Whether the database is reached over a network (and may therefore be shared by several servers).
    fn is_remote(&self) -> bool;

    /// Takes the database for this server alone, where no two may serve it, until the store is dropped or the process
    /// ends, however it ends. `false` when another server has it.
    fn take_alone(&self) -> StorageResult<bool> {
        Ok(true)
    }

    /// Closes all connections after what runs has ended.
    async fn close(&self);
}

/// One transaction. Dropping it without [`save`](Self::save) cancels it.
#[async_trait]
pub trait UnitOfWork:
    UserRepository
    + SessionRepository
    + ProfileRepository
    + SecretRepository
    + CheckRepository
    + DraftRepository
    + BindingRepository
    + ScheduleRepository
    + JobRepository
    + FlowRepository
    + IdentityRepository
    + AuditRepository
    + LedgerRepository
    + VaultRepository
    + LoginDomainRepository
    + LimitRepository
    + LiveRepository
    + Send
    + Any
{
    /// Commits.
    async fn save(self: Box<Self>) -> StorageResult<()>;

    /// Rolls back.
    async fn cancel(self: Box<Self>) -> StorageResult<()>;

    /// The scope it was opened with.
    fn scope(&self) -> Scope;

    /// For crates that keep more tables in the same transaction (the Enterprise storage).
    fn as_any_mut(&mut self) -> &mut (dyn Any + Send);
}
