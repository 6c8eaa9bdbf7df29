//! The Rust tests.

use super::count::{Count, cargo_test};
use crate::build::ERASED;
use crate::prerequisites;
use crate::process::{self, Context};
use anyhow::{Result, bail};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// Every crate with tests that run on the host, in one call: their features then unify once. The WASM
/// entries stay out, because `hydrate` and `ssr` must never meet in one build.
pub const HOST_PACKAGES: [&str; 18] = [
    "daybind-words",
    "daybind-words-macro",
    "daybind-domain",
    "daybind-storage",
    "daybind-storage-sqlite",
    "daybind-storage-postgres",
    "daybind-services",
    "daybind-app",
    "daybind-server",
    "daybind-ee-storage",
    "daybind-ee-calendar",
    "daybind-ee-domains",
    "daybind-ee-app",
    "daybind-ee-server",
    "daybind-ee-bench",
    "daybind-fakes",
    "daybind-guards",
    "xtask",
];

/// Where the stand-ins of the Rust tests leave their request logs; the step `contracts` checks them.
pub fn request_logs(context: &Context) -> PathBuf {
    context.target.join("contract-logs/unit")
}

/// The environment of every Rust test, with an empty folder for request logs.
fn prepare(context: &Context, command: &mut Command) -> Result<()> {
    let Some(postgres) = prerequisites::postgres_bin(context) else {
        bail!("PostgreSQL's programs are missing");
    };
    let logs = request_logs(context);
    if logs.exists() {
        fs::remove_dir_all(&logs)?;
    }
    command
        .env("RUSTFLAGS", ERASED)
        .env("DAYBIND_TEST_POSTGRES_BIN", postgres)
        .env("DAYBIND_FAKES_LOG_DIR", logs);
    Ok(())
}

/// The tests in which Daybind talks to the stand-ins, for their request logs.
pub fn talks(context: &Context) -> Result<()> {
    let mut command = context.cargo(["test", "--package", "daybind-ee-calendar", "--tests"]);
    prepare(context, &mut command)?;
    process::run(&mut command)
}

/// `cargo test` on all of them.
pub fn run(context: &Context) -> Result<Count> {
    let mut command = context.cargo(["test", "--no-fail-fast"]);
    for package in HOST_PACKAGES {
        command.args(["--package", package]);
    }
    prepare(context, &mut command)?;
    let Some(pgbouncer) = prerequisites::pgbouncer(context) else {
        bail!("PgBouncer is missing");
    };
    command.env("DAYBIND_TEST_PGBOUNCER", pgbouncer);
    let seen = process::tee(&mut command)?;
    Ok(cargo_test(&seen.stdout).with_exit(seen.success))
}
