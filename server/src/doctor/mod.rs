//! `doctor`: looks at everything an installation depends on, and says what to do about each finding.
//!
//! It writes nothing and seals nothing. Its output can be pasted into an issue: no secret is in it.

mod checks;
mod hosts;

use daybind_services::Keyring;
use serde::Serialize;

use crate::config::Config;
use crate::{Composition, Exit, ReadEnv, assemble};

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Outcome {
    /// As it should be.
    Ok,
    /// Works, with a limit worth knowing.
    Warn,
    /// Does not work.
    Fail,
    /// Could not be looked at, because something before it failed or it was not asked for.
    Skip,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub check: &'static str,
    /// How it came out.
    pub outcome: Outcome,
    /// What was found.
    pub found: String,
    /// What to do about it; empty when there is nothing to do.
    pub fix: String,
}

impl Finding {
    fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self {
            check,
            outcome: Outcome::Ok,
            found: found.into(),
            fix: String::new(),
        }
    }

    fn warn(check: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            check,
            outcome: Outcome::Warn,
            found: found.into(),
            fix: fix.into(),
        }
    }

    fn fail(check: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            check,
            outcome: Outcome::Fail,
            found: found.into(),
            fix: fix.into(),
        }
    }

    fn skip(check: &'static str, found: impl Into<String>) -> Self {
        Self {
            check,
            outcome: Outcome::Skip,
            found: found.into(),
            fix: String::new(),
        }
    }
}

/// `doctor`
pub(crate) async fn run(composition: Composition, json: bool, offline: bool) -> anyhow::Result<()> {
    let variables: Vec<String> = std::env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .collect();
    let findings = examine(
        &composition,
        &|name| std::env::var(name).ok(),
        &variables,
        offline,
    )
    .await;
    if json {
        println!("{}", serde_json::to_string_pretty(&findings)?);
    } else {
        print(&findings);
    }
    if findings.iter().any(|f| f.outcome == Outcome::Fail) {
        return Err(Exit(1).into());
    }
    Ok(())
}

fn print(findings: &[Finding]) {
    for finding in findings {
        let outcome = match finding.outcome {
            Outcome::Ok => "OK  ",
            Outcome::Warn => "WARN",
            Outcome::Fail => "FAIL",
            Outcome::Skip => "SKIP",
        };
        println!("{outcome}  {}: {}", finding.check, finding.found);
        if !finding.fix.is_empty() {
            println!("      → {}", finding.fix);
        }
    }
    let count = |outcome| findings.iter().filter(|f| f.outcome == outcome).count();
    println!(
        "{} checks: {} failed, {} with a warning.",
        findings.len(),
        count(Outcome::Fail),
        count(Outcome::Warn)
    );
}

/// All checks, in the order in which they build on each other. `variables`: names of the whole environment.
pub async fn examine(
    composition: &Composition,
    get: ReadEnv<'_>,
    variables: &[String],
    offline: bool,
) -> Vec<Finding> {
    let mut all = Vec::new();
    let config = match Config::read(composition, get) {
        Ok(config) => config,
        Err(error) => {
            all.push(Finding::fail(
                "configuration",
                format!("{error:#}"),
                "Correct the named variable; README.md lists all of them.",
            ));
            all.push(Finding::skip(
                "everything else",
                "needs a configuration that can be read",
            ));
            return all;
        }
    };
    all.push(Finding::ok(
        "configuration",
        format!("edition {}", config.edition.as_str()),
    ));
    all.extend(checks::unknown_variables(&config, variables));
    all.push(checks::public_url(&config));
    let keyring = match checks::keyring(&config, get) {
        Ok(keyring) => Some(keyring),
        Err(finding) => {
            all.push(finding);
            None
        }
    };
    all.extend(checks::key_file(&config, get));
    all.extend(database(&config, keyring.as_ref()).await);
    all.extend(hosts::reachable(&config, offline).await);
    all
}

async fn database(config: &Config, keyring: Option<&Keyring>) -> Vec<Finding> {
    let mut all = Vec::new();
    if config.database_url.is_none() && !config.data_dir.join("daybind.sqlite3").exists() {
        all.push(Finding::warn(
            "database",
            "the embedded database does not exist yet",
            "Start Daybind once; it makes the database. For a server others rely on set DATABASE_URL (PostgreSQL).",
        ));
        return all;
    }
    let store = match assemble::open(config).await {
        Ok(store) => store,
        Err(error) => {
            all.push(Finding::fail(
                "database",
                checks::without_password(&format!("{error:#}"), config),
                "Check that the server runs, and host, port, database, user and password in DATABASE_URL.",
            ));
            all.push(Finding::skip(
                "schema, database clock, canary",
                "need the database",
            ));
            return all;
        }
    };
    all.push(Finding::ok(
        "database",
        if store.is_remote() {
            "PostgreSQL answers"
        } else {
            "the embedded database opens"
        },
    ));
    let schema = checks::schema(store.as_ref()).await;
    let usable = schema.outcome != Outcome::Fail;
    all.push(schema);
    all.push(checks::database_clock(store.as_ref()).await);
    all.push(match keyring {
        Some(keyring) if usable => checks::canary(store.as_ref(), keyring).await,
        _ => Finding::skip("master key", "needs a usable key and this version's schema"),
    });
    store.close().await;
    all
}
