//! The master key against the database: the canary at start, and rotation.

use daybind_domain::ids::TenantId;
use daybind_storage::{
    AuditRow, Origin, Scope, SealedColumn, StorageError, StorageResult, Store, Tenant,
};
use serde::Serialize;
use thiserror::Error;
use uuid::Uuid;

use crate::context::{Clock, SystemClock};
use crate::crash;
use crate::seal::{Keyring, SealError};

/// Values rewritten in one transaction.
const BATCH: i64 = 100;

/// Why the configured keys are not used.
#[derive(Debug, Error)]
pub enum KeyError {
    /// The canary does not open.
    #[error(
        "the master key is not the one this database was sealed with ({0}). Nothing was written. Give the right key in \
         DAYBIND_MASTER_KEY_FILE or DAYBIND_MASTER_KEY; see docs/runbook.md, \"Master key\""
    )]
    Foreign(#[source] SealError),
    /// No canary yet, and there are values none of the keys opens.
    #[error(
        "{0} stored secrets were sealed under a master key that is not configured. Nothing was written. Add that key to \
         DAYBIND_MASTER_KEY_FILE or DAYBIND_MASTER_KEY; see docs/runbook.md, \"Master key\""
    )]
    Unknown(u64),
    /// The database.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The cipher refused.
    #[error(transparent)]
    Seal(SealError),
}

/// How the keys stand to the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The canary is under the key that seals.
    Current,
    /// The canary is under an older key of the ring: a rotation was begun and has not finished.
    Rotating,
    /// There is no canary yet.
    New,
}

/// Whether the configured keys are those of the database. Reads only.
///
/// # Errors
/// [`KeyError::Foreign`], [`KeyError::Unknown`].
pub async fn standing(store: &dyn Store, keyring: &Keyring) -> Result<Standing, KeyError> {
    let mut unit = store.read(Scope::System).await?;
    let canary = unit.find_canary().await?;
    drop(unit);
    match canary {
        Some(canary) => match keyring.check_canary(&canary) {
            Ok(true) => Ok(Standing::Current),
            Ok(false) => Ok(Standing::Rotating),
            Err(error) => Err(KeyError::Foreign(error)),
        },
        None => {
            let held: Vec<String> = keyring
                .ids()
                .iter()
                .flat_map(|id| [format!("v1.{id}."), format!("v2.{id}.")])
                .collect();
            match otherwise(store, &held).await? {
                0 => Ok(Standing::New),
                strange => Err(KeyError::Unknown(strange)),
            }
        }
    }
}

/// Refuses to go on with keys that are not those of the database; leaves a canary if there was none. To be called
/// before anything is sealed and before a server listens.
///
/// # Errors
/// As [`standing`]; nothing was written then.
pub async fn guard(store: &dyn Store, keyring: &Keyring) -> Result<Standing, KeyError> {
    let standing = self::standing(store, keyring).await?;
    if standing != Standing::New {
        return Ok(standing);
    }
    let canary = keyring.canary().map_err(KeyError::Seal)?;
    let mut unit = store.begin(Scope::System).await?;
    let added = unit.add_canary(&canary, SystemClock.now()).await?;
    unit.save().await?;
    if added {
        Ok(Standing::New)
    } else {
        // Another server was first. It may have another key.
        Box::pin(self::standing(store, keyring)).await
    }
}

/// A value no key of the ring opens at its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unreadable {
    /// Whose.
    pub tenant_id: TenantId,
    /// Table.
    pub table: String,
    /// Column.
    pub column: String,
    /// Row.
    pub row: Uuid,
    /// Why, without the value.
    pub why: String,
}

/// What a rotation did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Rotation {
    /// Id of the key that seals.
    pub key: String,
    /// Columns looked through, `table.column`.
    pub columns: Vec<String>,
    /// Values rewritten by this run.
    pub rewritten: u64,
    /// Values that could not be.
    pub unreadable: Vec<Unreadable>,
    /// Values still under another key. Older keys may be removed when this is 0, and not before.
    pub left: u64,
}

/// Rewrites every sealed value of the database under the first key, in batches. Which columns there are is asked of the
/// schema, so those of the other edition are rewritten too. Interrupted, it goes on where it was: what is done is under
/// the new key and is not looked at again. The canary follows last, when nothing is left.
///
/// # Errors
/// [`KeyError::Foreign`] before anything is touched; storage failures, after which a repetition goes on.
pub async fn rotate(store: &dyn Store, keyring: &Keyring) -> Result<Rotation, KeyError> {
    guard(store, keyring).await?;
    let prefix = keyring.current_prefix();
    let (tenants, columns) = survey(store).await?;
    let mut done = Rotation {
        key: keyring.ids().into_iter().next().unwrap_or_default(),
        columns: columns
            .iter()
            .map(|column| format!("{}.{}", column.table, column.column))
            .collect(),
        ..Rotation::default()
    };
    for tenant in &tenants {
        let before = done.rewritten;
        for column in &columns {
            rewrite(store, keyring, tenant.tenant_id, column, &prefix, &mut done).await?;
        }
        if done.rewritten > before {
            note(store, tenant.tenant_id, &done.key, done.rewritten - before).await?;
        }
    }
    done.left = otherwise(store, &[prefix]).await?;
    if done.left == 0 {
        crash::point("keys.before_canary");
        let canary = keyring.canary().map_err(KeyError::Seal)?;
        let mut unit = store.begin(Scope::System).await?;
        unit.update_canary(&canary, SystemClock.now()).await?;
        unit.save().await?;
    }
    Ok(done)
}

/// How many values of the whole database are not under the key that seals.
///
/// # Errors
/// Storage failures.
pub async fn left_behind(store: &dyn Store, keyring: &Keyring) -> StorageResult<u64> {
    otherwise(store, &[keyring.current_prefix()]).await
}

async fn survey(store: &dyn Store) -> StorageResult<(Vec<Tenant>, Vec<SealedColumn>)> {
    let mut unit = store.read(Scope::System).await?;
    Ok((unit.list_tenants().await?, unit.sealed_columns().await?))
}

async fn otherwise(store: &dyn Store, prefixes: &[String]) -> StorageResult<u64> {
    let (tenants, columns) = survey(store).await?;
    let mut count = 0;
    for tenant in tenants {
        let mut unit = store.read(Scope::Tenant(tenant.tenant_id)).await?;
        for column in &columns {
            let found = unit
                .count_sealed_otherwise(tenant.tenant_id, column, prefixes)
                .await?;
            count += u64::try_from(found).unwrap_or_default();
        }
    }
    Ok(count)
}

async fn rewrite(
    store: &dyn Store,
    keyring: &Keyring,
    tenant_id: TenantId,
    column: &SealedColumn,
    prefix: &str,
    done: &mut Rotation,
) -> Result<(), KeyError> {
    let mut after = (Uuid::nil(), String::new());
    loop {
        let mut unit = store.begin(Scope::Tenant(tenant_id)).await?;
        let values = unit
            .sealed_values(tenant_id, column, prefix, (after.0, &after.1), BATCH)
            .await?;
        let Some(last) = values.last() else {
            return Ok(());
        };
        after = (last.row, last.label.clone());
        let mut rewritten = 0;
        for value in &values {
            match keyring.rewrap(
                tenant_id,
                &column.table,
                value.row,
                &value.label,
                &value.sealed,
            ) {
                Ok(Some(fresh)) => {
                    // A value that changed meanwhile belongs to somebody else's write; the count at the end sees it.
                    if unit
                        .replace_sealed(tenant_id, column, value, &fresh)
                        .await?
                    {
                        rewritten += 1;
                    }
                }
                Ok(None) => {}
                Err(error) => done.unreadable.push(Unreadable {
                    tenant_id,
                    table: column.table.clone(),
                    column: column.column.clone(),
                    row: value.row,
                    why: error.to_string(),
                }),
            }
        }
        crash::point("keys.before_batch_save");
        unit.save().await?;
        done.rewritten += rewritten;
        crash::point("keys.after_batch_save");
    }
}

async fn note(
    store: &dyn Store,
    tenant_id: TenantId,
    key: &str,
    rewritten: u64,
) -> StorageResult<()> {
    let mut unit = store.begin(Scope::Tenant(tenant_id)).await?;
    unit.add_audit(&AuditRow {
        tenant_id,
        audit_id: Uuid::now_v7().into(),
        at: SystemClock.now(),
        actor: None,
        action: "master_key.rotated".to_owned(),
        subject: format!("master_key:{key}"),
        detail: serde_json::json!({ "rewritten": rewritten }),
        request_id: None,
        note: None,
        origin: Origin::default(),
    })
    .await?;
    unit.save().await
}
