//! `cargo xtask bench`: the figures of the sync engine, each beside what it is compared with, in one run on one machine.
//!
//! The server is a process of its own, as it is shipped; so is the bare handler beside it. PostgreSQL is private and does
//! not wait for the disk, on either side. Providers and load come from this process. Absolute numbers are this machine's;
//! what counts are the ratios and the counts.

mod bare;
mod ingest;
mod load;
mod pages;
mod report;
mod talk;
mod world;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

use report::Report;

/// Measures Daybind.
#[derive(Parser)]
#[command(name = "daybind-bench")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measures a server.
    Run {
        /// The Enterprise server's program.
        #[arg(long)]
        server: PathBuf,
        /// Paired runs of the ingest measurement.
        #[arg(long, default_value_t = 5)]
        pairs: usize,
        /// Seconds each run lasts.
        #[arg(long, default_value_t = 4)]
        seconds: u64,
        /// Events of the first sync.
        #[arg(long, default_value_t = 10_000)]
        events: usize,
    },
    /// Measures the administrator's pages of a large MSP alone; part of `run`.
    Pages {
        /// The Enterprise server's program.
        #[arg(long)]
        server: PathBuf,
    },
    /// The handler that ingest is compared with; started by `run`.
    #[command(hide = true)]
    Bare {
        /// PostgreSQL.
        #[arg(long)]
        database: String,
        /// Address to listen on.
        #[arg(long)]
        listen: std::net::SocketAddr,
    },
}

#[tokio::main]
async fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Bare { database, listen } => bare::serve(&database, listen).await,
        Command::Run {
            server,
            pairs,
            seconds,
            events,
        } => {
            let mut report = Report::default();
            ingest::measure(&server, pairs, seconds, &mut report).await?;
            talk::measure(&server, events, &mut report).await?;
            pages::measure(&server, &mut report).await?;
            report.print();
            Ok(())
        }
        Command::Pages { server } => {
            let mut report = Report::default();
            pages::measure(&server, &mut report).await?;
            report.print();
            Ok(())
        }
    }
}
