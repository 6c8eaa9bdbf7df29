//! `bench`: the figures of the sync engine.

use crate::build::{self, Edition};
use crate::prerequisites;
use crate::process::{self, Context};
use crate::setup::{self, Need};
use anyhow::{Result, bail};
use clap::Args;
use std::process::ExitCode;

/// Options of `bench`.
#[derive(Args)]
pub struct BenchArgs {
    /// Passed on to the measuring program; `-- --help` lists what it takes.
    #[arg(last = true)]
    rest: Vec<String>,
}

/// Builds the Enterprise server and the measuring program with optimisations, and runs it.
///
/// # Errors
/// When a part does not build, or a measurement cannot be made.
pub fn run(context: &mut Context, args: &BenchArgs) -> Result<ExitCode> {
    setup::prepare(context, &[Need::Rust, Need::Postgres])?;
    let Some(postgres) = prerequisites::postgres_bin(context) else {
        bail!("PostgreSQL's programs are missing");
    };
    let mut build = context.cargo(["build", "--release"]);
    build
        .args(["--package", Edition::Ee.server_package()])
        .args(["--package", "daybind-ee-bench", "--bins"])
        .env("RUSTFLAGS", build::ERASED);
    process::run(&mut build)?;
    let server = Edition::Ee.server(context, true);
    let mut command = context.command(server.with_file_name("daybind-bench"));
    command
        .arg("run")
        .arg("--server")
        .arg(&server)
        .args(&args.rest)
        .env("DAYBIND_TEST_POSTGRES_BIN", postgres);
    process::run(&mut command)?;
    Ok(ExitCode::SUCCESS)
}
