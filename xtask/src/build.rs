//! Building an edition with cargo-leptos, and where its parts end up.

use crate::process::{self, Context};
use crate::{compress, parts};
use anyhow::Result;
use clap::ValueEnum;
use std::fmt;
use std::path::PathBuf;

/// The flag cargo-leptos gives the compiler in debug builds. Everything else that builds the same
/// crates gives it too: with other flags cargo would keep a second copy of every dependency.
pub const ERASED: &str = "--cfg erase_components";

/// Which composition root to build.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Edition {
    /// Community.
    Ce,
    /// Enterprise.
    Ee,
}

impl Edition {
    /// Both, in the order they are built.
    pub const BOTH: [Self; 2] = [Self::Ee, Self::Ce];

    /// Name of the cargo-leptos project.
    pub fn project(self) -> &'static str {
        match self {
            Self::Ce => "daybind-ce",
            Self::Ee => "daybind-ee",
        }
    }

    /// Name of the server program.
    pub fn binary(self) -> &'static str {
        match self {
            Self::Ce => "daybind",
            Self::Ee => "daybind-ee",
        }
    }

    /// Package of the server program.
    pub fn server_package(self) -> &'static str {
        match self {
            Self::Ce => "daybind-server",
            Self::Ee => "daybind-ee-server",
        }
    }

    /// Package of the WASM entry.
    pub fn frontend_package(self) -> &'static str {
        match self {
            Self::Ce => "daybind-frontend",
            Self::Ee => "daybind-ee-frontend",
        }
    }

    /// Most the brotli-compressed WASM of a release build may weigh, in bytes: the program that starts first, and that
    /// with the parts of the page that needs most. The product allows 300,000 and 450,000 to start with and aims at 240,000
    /// and 300,000; the second number keeps pages from growing unseen.
    pub fn wasm_limits(self) -> (u64, u64) {
        match self {
            Self::Ce => (240_000, 420_000),
            Self::Ee => (240_000, 530_000),
        }
    }

    /// Folder with the WASM, styles and assets, as the root manifest says.
    pub fn site(self, context: &Context) -> PathBuf {
        context.root.join(match self {
            Self::Ce => "target/site-ce",
            Self::Ee => "target/site-ee",
        })
    }

    /// Folder with what the browser runs.
    pub fn pkg(self, context: &Context) -> PathBuf {
        self.site(context).join("pkg")
    }

    /// The WASM file that starts first.
    pub fn wasm(self, context: &Context) -> PathBuf {
        self.pkg(context).join("daybind.wasm")
    }

    /// The server program of a debug or release build.
    pub fn server(self, context: &Context, release: bool) -> PathBuf {
        profile_dir(context, release).join(self.binary())
    }
}

impl fmt::Display for Edition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Ce => "CE",
            Self::Ee => "EE",
        })
    }
}

/// The stand-ins' program.
pub fn fakes(context: &Context) -> PathBuf {
    profile_dir(context, false).join("daybind-fakes")
}

fn profile_dir(context: &Context, release: bool) -> PathBuf {
    context
        .target
        .join(if release { "release" } else { "debug" })
}

/// Builds server and WASM in the same profile, for running.
///
/// # Errors
/// When the build fails.
pub fn edition(context: &Context, edition: Edition, release: bool) -> Result<()> {
    let mut command = context.cargo(["leptos", "build", "--split", "--project", edition.project()]);
    // cargo-leptos adds its own flag to these; with ours there too it would stand there twice.
    command.env_remove("RUSTFLAGS");
    if release {
        command.arg("--release");
    }
    process::run(&mut command)?;
    parts::mark(&edition.pkg(context))?;
    if release {
        compress::write(context, &edition.site(context))
    } else {
        compress::remove(&edition.site(context))
    }
}

/// Builds the debug server and the release WASM, for the tests: an optimised server takes minutes
/// longer and shows nothing more, while only a release WASM has the size that users download.
///
/// # Errors
/// When either half fails.
pub fn for_tests(context: &Context, edition: Edition) -> Result<()> {
    let leptos = |half: &str| {
        let mut command = context.cargo(["leptos", "build", "--project", edition.project(), half]);
        command.env_remove("RUSTFLAGS");
        command
    };
    process::run(&mut leptos("--server-only"))?;
    // Both halves must erase alike, or hydration would walk a tree of another shape.
    process::run(
        leptos("--frontend-only")
            .args(["--release", "--split"])
            .env("RUSTFLAGS", ERASED),
    )?;
    parts::mark(&edition.pkg(context))?;
    compress::write(context, &edition.site(context))
}

/// Builds the stand-ins.
///
/// # Errors
/// When the build fails.
pub fn build_fakes(context: &Context) -> Result<()> {
    process::run(
        context
            .cargo(["build", "--package", "daybind-fakes"])
            .env("RUSTFLAGS", ERASED),
    )
}
