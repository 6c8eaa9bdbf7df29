//! The Rust tests.

use super::count::{Count, cargo_test};
use crate::build::ERASED;
use crate::prerequisites;
use crate::process::{self, Context};
use anyhow::{Result, bail};

/// Every crate with tests that run on the host, in one call: their features then unify once. The WASM
/// entries stay out, because `hydrate` and `ssr` must never meet in one build.
pub const HOST_PACKAGES: [&str; 14] = [
    "daybind-domain",
    "daybind-storage",
    "daybind-storage-sqlite",
    "daybind-storage-postgres",
    "daybind-services",
    "daybind-app",
    "daybind-server",
    "daybind-ee-storage",
    "daybind-ee-calendar",
    "daybind-ee-app",
    "daybind-ee-server",
    "daybind-fakes",
    "daybind-guards",
    "xtask",
];

/// `cargo test` on all of them.
pub fn run(context: &Context) -> Result<Count> {
    let mut command = context.cargo(["test", "--no-fail-fast"]);
    for package in HOST_PACKAGES {
        command.args(["--package", package]);
    }
    command.env("RUSTFLAGS", ERASED);
    let Some(postgres) = prerequisites::postgres_bin(context) else {
        bail!("PostgreSQL's programs are missing");
    };
    let Some(pgbouncer) = prerequisites::pgbouncer(context) else {
        bail!("PgBouncer is missing");
    };
    command
        .env("DAYBIND_TEST_POSTGRES_BIN", postgres)
        .env("DAYBIND_TEST_PGBOUNCER", pgbouncer);
    let seen = process::tee(&mut command)?;
    Ok(cargo_test(&seen.stdout).with_exit(seen.success))
}
