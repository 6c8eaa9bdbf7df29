//! `daybind-fakes`: the fake providers for use by hand, from Playwright and from the shell.

use clap::Parser;
use daybind_fakes::{DuplicateTransaction, FakeAccount, FakeOptions, FakeProviders};
use std::net::SocketAddr;

/// Fake Google and Microsoft calendars on 127.0.0.1.
#[derive(Debug, Parser)]
#[command(name = "daybind-fakes")]
struct Arguments {
    /// Address to listen on; only the loopback address is accepted.
    #[arg(long, default_value = "127.0.0.1:4400")]
    listen: SocketAddr,
    /// Consent without showing the page.
    #[arg(long)]
    auto_approve: bool,
    /// Mail address of a person at both providers; may be repeated.
    #[arg(long = "account")]
    accounts: Vec<String>,
    /// Answer a repeated transactionId with 409 instead of the first event.
    #[arg(long)]
    conflict_on_duplicate: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    anyhow::ensure!(
        arguments.listen.ip() == std::net::IpAddr::from([127, 0, 0, 1]),
        "the fakes listen on 127.0.0.1 only"
    );
    let mut options = FakeOptions {
        port: arguments.listen.port(),
        auto_approve: arguments.auto_approve,
        ..FakeOptions::default()
    };
    if arguments.conflict_on_duplicate {
        options.duplicate_transaction = DuplicateTransaction::Conflict;
    }
    if !arguments.accounts.is_empty() {
        options.accounts = arguments
            .accounts
            .iter()
            .map(|a| FakeAccount::new(a, a))
            .collect();
    }
    let fakes = FakeProviders::start(options)?;
    for (name, value) in fakes.env() {
        println!("{name}={value}");
    }
    eprintln!("Fake calendars: {}", fakes.base_url);
    tokio::signal::ctrl_c().await?;
    fakes.stop();
    Ok(())
}
