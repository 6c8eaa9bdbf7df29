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
    /// Check configuration, database, keys, clock and outbound hosts, and say what to mend. Exit code 1 if anything
    /// fails.
    Doctor {
        /// Report as JSON.
        #[arg(long)]
        json: bool,
        /// Do not call hosts of the outside world.
        #[arg(long)]
        offline: bool,
    },
    /// Bring data over from another product.
    Import {
        #[command(subcommand)]
        command: ImportCommand,
    },
    /// Look at bindings, and lift those that this edition does not show.
    Bindings {
        #[command(subcommand)]
        command: BindingsCommand,
    },
    /// Manage the master key.
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
}

#[derive(Debug, Subcommand)]
enum ImportCommand {
    /// From an Alga PSA database. Repeating it changes nothing; interrupted, it goes on. Exit code 3: done, and the
    /// report lists what an operator must do.
    Alga(crate::import::AlgaOptions),
}

#[derive(Debug, Subcommand)]
enum BindingsCommand {
    /// Show all bindings of an MSP, also those that this edition does not show.
    List(crate::bindings_cli::Whose),
    /// Lift bindings, on record and for good: there is no undo.
    Clear(crate::bindings_cli::ClearOptions),
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Show which keys there are and whether all stored secrets are under the first.
    List,
    /// Make (or take) a new master key and rewrite every stored secret under it. Interrupted, it goes on when repeated.
    Rotate(crate::keys::RotateOptions),
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
    /// Set somebody's password and end all their sessions: the way back in when nothing else works. The password is read
    /// from standard input.
    SetPassword {
        /// Email address.
        #[arg(long)]
        email: String,
        /// The MSP's name, where several have somebody with that address.
        #[arg(long)]
        tenant: Option<String>,
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
        Command::Doctor { json, offline } => crate::doctor::run(composition, json, offline).await,
        Command::Import {
            command: ImportCommand::Alga(options),
        } => crate::import::alga(composition, options).await,
        Command::Bindings { command } => match command {
            BindingsCommand::List(whose) => crate::bindings_cli::list(composition, whose).await,
            BindingsCommand::Clear(options) => {
                crate::bindings_cli::clear(composition, options).await
            }
        },
        Command::Keys { command } => match command {
            KeysCommand::List => crate::keys::list(composition).await,
            KeysCommand::Rotate(options) => crate::keys::rotate(composition, options).await,
        },
        Command::User {
            command:
                UserCommand::Create {
                    email,
                    name,
                    tenant,
                    time_zone,
                },
        } => commands::create_admin(composition, &email, &name, &tenant, &time_zone).await,
        Command::User {
            command: UserCommand::SetPassword { email, tenant },
        } => commands::set_password(composition, &email, tenant.as_deref()).await,
    }
}
