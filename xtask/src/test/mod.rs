//! `test`: every test there is, step by step, closed by one count line.
//!
//! A step that fails does not keep the later ones from running, unless they need what it makes.

mod artefacts;
mod boundary;
mod browser;
mod builds;
mod count;
mod deny;
mod lint;
mod sbom;
mod supply;
mod unit;

use crate::disk;
use crate::process::{self, Context};
use crate::setup::{self, Need};
use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use count::Count;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Options of `test`.
#[derive(Args)]
pub struct TestArgs {
    /// Steps to run; all of them unless named.
    #[arg(value_enum)]
    steps: Vec<Step>,
}

/// One step; they run in this order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, ValueEnum)]
enum Step {
    /// Formatting.
    Fmt,
    /// Dependencies: bans, licences, sources, advisories.
    Deny,
    /// No unsafe code, locked dependencies, a bill of materials, every promise of docs/testing.md shown by a test.
    Supply,
    /// Lints, both editions, host and WASM.
    Clippy,
    /// Rust tests: rules, stores on SQLite and PostgreSQL, providers, servers.
    Unit,
    /// No Enterprise crate in a Community build.
    Boundary,
    /// Both editions, with the size of their WASM.
    Build,
    /// No provider's calendar host in the Community files.
    Artefacts,
    /// The stand-ins against the providers' own SDKs and descriptions.
    Contracts,
    /// Journeys in a real browser, both editions.
    E2e,
}

impl Step {
    fn name(self) -> &'static str {
        match self {
            Self::Fmt => "fmt",
            Self::Deny => "deny",
            Self::Supply => "supply",
            Self::Clippy => "clippy",
            Self::Unit => "unit",
            Self::Boundary => "boundary",
            Self::Build => "build",
            Self::Artefacts => "artefacts",
            Self::Contracts => "contracts",
            Self::E2e => "e2e",
        }
    }

    fn needs(self) -> &'static [Need] {
        match self {
            Self::Fmt | Self::Supply | Self::Clippy | Self::Boundary => &[Need::Rust],
            Self::Deny => &[Need::Rust, Need::Deny],
            Self::Unit => &[Need::Rust, Need::Postgres],
            Self::Build | Self::Artefacts => &[Need::Rust, Need::Build, Need::ReleaseBuild],
            Self::Contracts => &[Need::Rust, Need::Contracts, Need::Postgres],
            Self::E2e => BROWSER,
        }
    }

    /// Whether the step looks at what `build` makes.
    fn uses_build(self) -> bool {
        matches!(self, Self::Artefacts | Self::E2e)
    }

    fn run(self, context: &Context) -> Result<Count> {
        match self {
            Self::Fmt => lint::fmt(context),
            Self::Deny => deny::run(context),
            Self::Supply => supply::run(context),
            Self::Clippy => lint::clippy(context),
            Self::Unit => unit::run(context),
            Self::Boundary => boundary::run(context),
            Self::Build => builds::run(context),
            Self::Artefacts => artefacts::run(context),
            Self::Contracts => browser::contracts(context),
            Self::E2e => browser::e2e(context),
        }
    }
}

/// What the browser needs: both editions as built for the tests, and Chromium.
pub const BROWSER: &[Need] = &[
    Need::Rust,
    Need::Build,
    Need::ReleaseBuild,
    Need::Node,
    Need::Postgres,
    Need::Browser,
];
pub use browser::screens;

struct Outcome {
    step: Step,
    count: Count,
    took: Duration,
    failure: Option<String>,
}

/// Runs the steps and prints the summary.
///
/// # Errors
/// When what the steps need cannot be set up.
pub fn run(context: &mut Context, args: &TestArgs) -> Result<ExitCode> {
    let steps = plan(&args.steps);
    let begin = Instant::now();
    let mut needs: Vec<Need> = Vec::new();
    for need in steps.iter().flat_map(|step| step.needs()) {
        if !needs.contains(need) {
            needs.push(*need);
        }
    }
    if let Err(error) = disk::ensure(context).and_then(|()| setup::prepare(context, &needs)) {
        println!("0 passed, 1 failed");
        return Err(error);
    }
    let prepared = begin.elapsed();

    let mut outcomes: Vec<Outcome> = Vec::new();
    for step in steps {
        process::note(&format!("== {} ==", step.name()));
        let begin = Instant::now();
        let build_failed = outcomes
            .iter()
            .any(|outcome| outcome.step == Step::Build && !outcome.passed());
        let result = if step.uses_build() && build_failed {
            Err(anyhow::anyhow!("not run: the build failed"))
        } else {
            step.run(context)
        };
        let outcome = Outcome::new(step, result, begin.elapsed());
        if let Some(failure) = &outcome.failure {
            process::note(&format!("{} failed: {failure}", step.name()));
        }
        outcomes.push(outcome);
    }

    println!("\n{:<10} {:>7.1} s", "setup", prepared.as_secs_f64());
    let mut total = Count::default();
    for outcome in &outcomes {
        total += outcome.count;
        println!(
            "{:<10} {:>7.1} s  {:>4} passed, {} failed{}",
            outcome.step.name(),
            outcome.took.as_secs_f64(),
            outcome.count.passed,
            outcome.count.failed,
            if outcome.passed() { "" } else { "  FAILED" }
        );
    }
    for said in process::remembered() {
        println!("{said}");
    }
    println!("{total}");
    Ok(if total.failed == 0 && total.passed > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The steps asked for, in order, each once, with the build for those that look at it.
fn plan(asked: &[Step]) -> Vec<Step> {
    let mut steps = if asked.is_empty() {
        Step::value_variants().to_vec()
    } else {
        asked.to_vec()
    };
    if steps.iter().any(|step| step.uses_build()) {
        steps.push(Step::Build);
    }
    steps.sort();
    steps.dedup();
    steps
}

impl Outcome {
    /// A step that ended in an error counts at least one failure, whatever its runner counted.
    fn new(step: Step, result: Result<Count>, took: Duration) -> Self {
        let (mut count, failure) = match result {
            Ok(count) => (count, None),
            Err(error) => (Count::default(), Some(format!("{error:#}"))),
        };
        if failure.is_some() || count == Count::default() {
            count.failed = count.failed.max(1);
        }
        Self {
            step,
            count,
            took,
            failure,
        }
    }

    fn passed(&self) -> bool {
        self.count.failed == 0
    }
}

/// Runs a list of checks that each pass or fail as a whole; all are tried.
fn checks(list: impl IntoIterator<Item = (String, Result<()>)>) -> Result<Count> {
    let mut count = Count::default();
    for (name, result) in list {
        match result {
            Ok(()) => count.passed += 1,
            Err(error) => {
                process::note(&format!("{name}: {error:#}"));
                count.failed += 1;
            }
        }
    }
    if count == Count::default() {
        bail!("nothing was checked");
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_steps_run_in_order_unless_some_are_named() {
        assert_eq!(plan(&[]), Step::value_variants());
        assert_eq!(
            plan(&[Step::Unit, Step::Fmt, Step::Unit]),
            [Step::Fmt, Step::Unit]
        );
        assert_eq!(plan(&[Step::E2e]), [Step::Build, Step::E2e]);
    }

    #[test]
    fn an_error_or_an_empty_run_is_a_failure() {
        let took = Duration::ZERO;
        assert!(!Outcome::new(Step::Unit, Ok(Count::default()), took).passed());
        assert!(!Outcome::new(Step::Unit, Err(anyhow::anyhow!("no")), took).passed());
        let good = Count {
            passed: 3,
            failed: 0,
        };
        assert!(Outcome::new(Step::Unit, Ok(good), took).passed());
    }
}
