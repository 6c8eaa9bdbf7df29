//! The command line, the same for both binaries.

use clap::{Parser, Subcommand};

use crate::Composition;
use crate::commands;

/// Daybind keeps Microsoft profiles, binds them to consumers, and (Enterprise) keeps schedules and calendars in step.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve pages and run background work (the default).
    Serve,
    /// Bring the database to this version's schema.
    Migrate,
    /// Seed a demo tenant and print its log-ins. Repeating it adds nothing.
    Demo {
        /// Also store the credentials of the local provider fakes and bind them.
        #[arg(long)]
        providers: bool,
    },
    /// Manage people.
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
    /// Check configuration, database and keys, and say what to mend.
    Doctor,
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Add an administrator, and the MSP if it is the first. The password is read from standard input.
    Create {
        /// Email address.
        #[arg(long)]
        email: String,
        /// Shown name.
        #[arg(long)]
        name: String,
        /// The MSP's name.
        #[arg(long)]
        tenant: String,
        /// IANA time zone.
        #[arg(long, default_value = "UTC")]
        time_zone: String,
    },
}

/// Parses the command line and runs the command.
pub(crate) async fn main(composition: Composition) -> anyhow::Result<()> {
    let cli = Cli::parse();
    crate::telemetry::start();
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => crate::serve::serve(composition).await,
        Command::Migrate => commands::migrate(composition).await,
        Command::Demo { providers } => commands::demo(composition, providers).await,
        Command::Doctor => commands::doctor(composition).await,
        Command::User {
            command:
                UserCommand::Create {
                    email,
                    name,
                    tenant,
                    time_zone,
                },
        } => commands::create_admin(composition, &email, &name, &tenant, &time_zone).await,
    }
}
