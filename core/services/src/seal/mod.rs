//! Secrets at rest: XChaCha20-Poly1305 under a named key, bound to the place they belong to.
//!
//! A sealed value reads `v2.<key id>.<base64url(nonce ‖ ciphertext ‖ tag)>`. Key id, tenant, table, row and column are
//! the associated data, so a value copied to another row or column does not open. There is no way to read a value that
//! does not authenticate. `v1` is what 0.1.0 wrote (under the master key itself); it opens, and a rotation rewrites it.
//!
//! Every sealed value lives in a column whose name ends in `_sealed`, of a table whose key is the tenant, or the tenant
//! and an id, or the tenant, an id and a name; [`SecretPlace::row`] is that id (or the tenant's), and where there is a
//! name it stands in [`SecretPlace::column`]. That is what lets `keys rotate` rewrite every secret of the database,
//! those of the other edition included, from the schema alone.

mod keys;
mod ring;

use daybind_domain::ids::TenantId;
use thiserror::Error;
use uuid::Uuid;

pub use keys::Purpose;
pub use ring::{Keyring, split};

/// Where a secret is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretPlace {
    /// Whose.
    pub tenant_id: TenantId,
    /// Table name.
    pub table: &'static str,
    /// Primary key after the tenant.
    pub row: Uuid,
    /// Column name.
    pub column: &'static str,
}

/// Why a secret could not be sealed or opened, or a key not be used.
#[derive(Debug, Error)]
pub enum SealError {
    /// Not a sealed value of ours.
    #[error("the stored secret is not in a known form")]
    Malformed,
    /// Sealed under a key we do not hold.
    #[error("the stored secret needs master key {0}, which is not configured")]
    UnknownKey(String),
    /// Altered, moved, or sealed under a different key of the same id.
    #[error("the stored secret does not belong here or was altered")]
    Rejected,
    /// The master key itself is unusable.
    #[error("{0}")]
    BadKey(String),
}

#[cfg(test)]
mod tests;
