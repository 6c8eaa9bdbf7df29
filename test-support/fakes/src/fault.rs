//! Misbehaviour on demand, armed per operation.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One armed misbehaviour. JSON: `{"operation":"google.events.insert","count":2,"kind":"status",
/// "status":429,"retry_after":1}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Fault {
    /// Operation name as shown by the counters, a prefix ending in `*`, or `google.webhook` /
    /// `microsoft.webhook` for deliveries.
    pub operation: String,
    /// How often it fires.
    #[serde(default = "one")]
    pub count: u32,
    /// What happens.
    #[serde(flatten)]
    pub kind: FaultKind,
}

const fn one() -> u32 {
    1
}

/// The kinds of misbehaviour. `*_after` and body faults happen after the call took effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultKind {
    /// Answer this status without executing, in the provider's error shape.
    Status {
        /// HTTP status.
        status: u16,
        /// `Retry-After` in seconds.
        #[serde(default)]
        retry_after: Option<u64>,
        /// Error reason (Google) or code (Graph, OAuth) instead of the usual one.
        #[serde(default)]
        reason: Option<String>,
    },
    /// Execute, then answer this status all the same.
    StatusAfter {
        /// HTTP status.
        status: u16,
    },
    /// Wait before executing.
    DelayBefore {
        /// Milliseconds.
        ms: u64,
    },
    /// Execute, then wait before answering.
    DelayAfter {
        /// Milliseconds.
        ms: u64,
    },
    /// Close the connection without executing.
    DropBefore,
    /// Execute, then close the connection without an answer.
    DropAfter,
    /// Announce the whole body, send half of it, close.
    Truncate,
    /// Answer the right status with a body that is not JSON.
    Malformed,
    /// Execute, then answer with this merged over the answer (RFC 7396).
    Patch {
        /// What to merge.
        body: Value,
    },
    /// Execute, then answer with that many MiB of something else.
    Huge {
        /// Size.
        mib: usize,
    },
    /// Send the browser or client elsewhere (307) without executing.
    Redirect {
        /// Where.
        to: String,
    },
    /// Execute, send half of the answer, then nothing for so long.
    Stall {
        /// Milliseconds.
        ms: u64,
    },
    /// Token endpoint: 400 `invalid_grant`.
    InvalidGrant,
    /// Webhook: deliver twice.
    Duplicate,
    /// Webhook: never deliver.
    Lose,
    /// Webhook: hold until the next message of this provider went out.
    Reorder,
}

impl Fault {
    /// A fault firing `count` times.
    #[must_use]
    pub fn new(operation: &str, count: u32, kind: FaultKind) -> Self {
        Self {
            operation: operation.to_owned(),
            count,
            kind,
        }
    }

    fn matches(&self, operation: &str) -> bool {
        self.operation
            .strip_suffix('*')
            .map_or(self.operation == operation, |prefix| {
                operation.starts_with(prefix)
            })
    }
}

/// Takes one firing of the first fault armed for `operation`.
pub(crate) fn take(faults: &mut Vec<Fault>, operation: &str) -> Option<FaultKind> {
    let at = faults
        .iter()
        .position(|f| f.count > 0 && f.matches(operation))?;
    let fault = faults.get_mut(at)?;
    fault.count -= 1;
    let kind = fault.kind.clone();
    if fault.count == 0 {
        faults.remove(at);
    }
    Some(kind)
}
