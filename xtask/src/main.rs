//! `cargo xtask`: one place for every command of the repository.
//!
//! It needs nothing but Rust to start: everything else a command uses is found, or installed, by
//! [`setup`]. Progress goes to standard error; standard output belongs to the programs it runs and
//! to the closing count line of `test`.

mod bench;
mod build;
mod compress;
mod disk;
mod ids;
mod parts;
mod prerequisites;
mod process;
mod run;
mod setup;
mod test;
mod toolchain;
mod tools;
mod words;

use anyhow::Result;
use clap::{Parser, Subcommand};
use process::Context;
use std::process::ExitCode;

/// Sets up, runs and tests Daybind.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Gets everything that building, running and testing need. Quick when all is there.
    Setup,
    /// Builds Daybind and starts it with a demo tenant.
    Run(run::RunArgs),
    /// Starts the stand-ins for Microsoft 365 and Google by hand.
    Fakes(run::FakesArgs),
    /// Brings the table of docs/testing.md up to date: which test shows which promise.
    Ids,
    /// Brings the catalogues of texts up to date: new texts get an entry to translate, those that are gone lose theirs.
    Words,
    /// Takes the pictures in docs/screens: every screen, light and dark, wide and narrow.
    Screens,
    /// Measures the sync engine: ingest, calls to providers, first sync; a table on standard output.
    Bench(bench::BenchArgs),
    /// Runs every test, or only the named steps; the last line is `N passed, M failed`.
    Test(test::TestArgs),
}

fn main() -> ExitCode {
    match dispatch(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(cli: Cli) -> Result<ExitCode> {
    let mut context = Context::discover()?;
    match cli.command {
        Command::Setup => {
            setup::prepare(&mut context, &setup::Need::ALL)?;
            process::note("everything is set up");
            Ok(ExitCode::SUCCESS)
        }
        Command::Run(args) => run::run(&mut context, &args),
        Command::Fakes(args) => run::fakes(&mut context, &args),
        Command::Ids => {
            ids::write(&context)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Words => {
            words::write(&context)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Screens => {
            setup::prepare(&mut context, test::BROWSER)?;
            test::screens(&context)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Bench(args) => bench::run(&mut context, &args),
        Command::Test(args) => test::run(&mut context, &args),
    }
}
