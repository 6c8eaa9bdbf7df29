//! Everything a command needs before it can begin.

use crate::prerequisites::{self, Program};
use crate::process::Context;
use crate::toolchain;
use crate::tools::{self, Tool};
use anyhow::Result;

/// One group of things a command may need.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Need {
    /// A C compiler and a Rust toolchain with the wasm32 target.
    Rust,
    /// What a debug build of an edition takes.
    Build,
    /// What a release build takes on top.
    ReleaseBuild,
    /// The dependency checker.
    Deny,
    /// PostgreSQL's server programs, and a pooler in front of them.
    Postgres,
    /// Node.
    Node,
    /// A browser.
    Browser,
    /// What the stand-ins' contracts are checked with.
    Contracts,
}

impl Need {
    /// Everything there is.
    pub const ALL: [Self; 8] = [
        Self::Rust,
        Self::Build,
        Self::ReleaseBuild,
        Self::Deny,
        Self::Postgres,
        Self::Node,
        Self::Browser,
        Self::Contracts,
    ];

    fn programs(self) -> &'static [Program] {
        match self {
            Self::Rust => &[Program::C],
            Self::Build | Self::ReleaseBuild | Self::Node => &[Program::Node],
            Self::Deny => &[],
            Self::Postgres => &[Program::Postgres, Program::PgBouncer],
            Self::Browser => &[Program::Chromium],
            Self::Contracts => &[Program::Node, Program::Python],
        }
    }

    fn tools(self) -> &'static [Tool] {
        match self {
            Self::Build => &[Tool::CargoLeptos, Tool::WasmBindgen, Tool::Sass],
            Self::ReleaseBuild => &[Tool::Binaryen],
            Self::Deny => &[Tool::CargoDeny],
            Self::Rust | Self::Postgres | Self::Node | Self::Browser | Self::Contracts => &[],
        }
    }
}

/// Gets what `needs` name. Does nothing, within a second, when all of it is there.
///
/// # Errors
/// When something is missing that cannot be installed here; the message says what would help.
pub fn prepare(context: &mut Context, needs: &[Need]) -> Result<()> {
    // The system's programs first: they are quick to find missing, and the rest builds with them.
    let mut programs: Vec<Program> = Vec::new();
    for program in needs.iter().flat_map(|need| need.programs()) {
        if !programs.contains(program) {
            programs.push(*program);
        }
    }
    prerequisites::ensure(context, &programs)?;
    if needs.contains(&Need::Rust) {
        toolchain::ensure(context)?;
    }
    for need in needs {
        tools::ensure(context, need.tools())?;
    }
    tools::tidy()
}
