//! Rate limits, shared by every server that uses the database.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::StorageResult;

/// One thing that may happen so often, by the generic cell rate algorithm (ITU-T I.371): `burst` times at once, then once
/// every `interval_micros`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How often at once.
    pub burst: i64,
    /// Microseconds until one more is allowed.
    pub interval_micros: i64,
}

/// Rate limits. They belong to no tenant (system scope).
#[async_trait]
pub trait LimitRepository {
    /// Counts one use of `(purpose, key_hash)` at `now`. `None` when it is within the rate; otherwise nothing is counted
    /// and the answer is how many microseconds to wait. One statement decides, so that servers cannot race past it.
    async fn count_use(
        &mut self,
        purpose: &str,
        key_hash: &[u8],
        rate: Rate,
        now: DateTime<Utc>,
    ) -> StorageResult<Option<i64>>;

    /// Gives one use back, as if it had not happened.
    async fn return_use(&mut self, purpose: &str, key_hash: &[u8], rate: Rate)
    -> StorageResult<()>;

    /// Forgets what was counted.
    async fn reset_uses(&mut self, purpose: &str, key_hash: &[u8]) -> StorageResult<()>;

    /// Removes every counter that limits nothing any more; how many.
    async fn purge_limits(&mut self, now: DateTime<Utc>) -> StorageResult<u64>;
}
