//! Tests that run on Node: the contracts of the stand-ins, and the journeys in a browser.

use super::checks;
use super::count::{Count, node_test, playwright};
use super::unit;
use crate::build::{self, Edition};
use crate::prerequisites;
use crate::process::{self, Context};
use anyhow::{Context as _, Result};
use std::path::Path;
use std::process::Command;
use std::{fs, io};

fn npm(context: &Context, folder: &Path, args: &[&str]) -> Command {
    let mut command = context.command("npm");
    command
        .args(args)
        .current_dir(folder)
        // The system's browser is used; Playwright's own would be another 150 MB.
        .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
    command
}

fn install(context: &Context, folder: &Path) -> Result<()> {
    let args = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
    process::run(&mut npm(context, folder, &args))
}

/// The stand-ins against the providers' official SDKs; then every request and answer of that run, and of
/// the Rust tests in which Daybind talks to the stand-ins, against the providers' own descriptions.
pub fn contracts(context: &Context) -> Result<Count> {
    let folder = context.root.join("test-support/contracts");
    install(context, &folder)?;
    build::build_fakes(context)?;
    let logs = context.target.join("contract-logs/smoke");
    if logs.exists() {
        fs::remove_dir_all(&logs)?;
    }
    let mut command = npm(context, &folder, &["run", "smoke"]);
    command
        .env("DAYBIND_FAKES_BIN", build::fakes(context))
        .env("DAYBIND_FAKES_LOG_DIR", &logs);
    let seen = process::tee(&mut command)?;
    let mut count = node_test(&seen.stdout).with_exit(seen.success);

    // The step `unit` leaves them; alone, this step runs the tests itself.
    let talks = unit::request_logs(context);
    if !talks.exists() {
        unit::talks(context)?;
    }
    let mut list = Vec::new();
    for logs in [&logs, &talks] {
        let missing = || format!("no request logs in {}", logs.display());
        let mut found = fs::read_dir(logs)
            .and_then(|files| {
                files
                    .map(|file| Ok(file?.path()))
                    .collect::<io::Result<Vec<_>>>()
            })
            .with_context(missing)?;
        found.sort();
        let mut check = npm(context, &folder, &["run", "--silent", "check-log", "--"]);
        list.push((logs.display().to_string(), process::run(check.args(&found))));
    }
    count += checks(list)?;
    Ok(count)
}

/// The journeys of both editions; the suite starts the servers it needs.
pub fn e2e(context: &Context) -> Result<Count> {
    let folder = context.root.join("end2end");
    install(context, &folder)?;
    let report = context.target.join("playwright.json");
    if report.exists() {
        fs::remove_file(&report)?;
    }
    let mut command = suite(context, &folder, &["test", "--reporter=list,json"])?;
    command
        .env("PLAYWRIGHT_JSON_OUTPUT_NAME", &report)
        .env("PLAYWRIGHT_JSON_OUTPUT_FILE", &report);
    let seen = process::tee(&mut command)?;
    let text = fs::read_to_string(&report).context("Playwright left no report")?;
    Ok(playwright(&text)?.with_exit(seen.success))
}

/// Playwright with everything its fixtures start.
fn suite(context: &Context, folder: &Path, args: &[&str]) -> Result<Command> {
    let browser = prerequisites::chromium(context).context("no Chromium")?;
    let postgres = prerequisites::postgres_bin(context).context("no PostgreSQL")?;
    let mut command = context.command("npx");
    command
        .arg("playwright")
        .args(args)
        .current_dir(folder)
        .env("DAYBIND_BIN_EE", Edition::Ee.server(context, false))
        .env("DAYBIND_BIN_CE", Edition::Ce.server(context, false))
        .env("DAYBIND_SITE_EE", Edition::Ee.site(context))
        .env("DAYBIND_SITE_CE", Edition::Ce.site(context))
        .env("DAYBIND_FAKES_BIN", build::fakes(context))
        .env("DAYBIND_CHROMIUM", browser)
        .env("DAYBIND_TEST_POSTGRES_BIN", postgres);
    Ok(command)
}

/// Takes the pictures of `docs/screens` anew.
///
/// # Errors
/// When a build or a journey to a screen fails.
pub fn screens(context: &Context) -> Result<()> {
    let folder = context.root.join("end2end");
    install(context, &folder)?;
    for edition in Edition::BOTH {
        build::for_tests(context, edition)?;
    }
    build::build_fakes(context)?;
    let args = ["test", "--config", "screens/screens.config.ts"];
    process::run(&mut suite(context, &folder, &args)?)
}
