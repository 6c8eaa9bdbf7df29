//! Everything a command needs before it can begin.

use crate::prerequisites::{self, Program};
use crate::process::{self, Context};
use crate::toolchain;
use crate::tools::{self, Tool};
use anyhow::{Context as _, Result};
use std::fs::{self, File, TryLockError};
use std::path::Path;

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

/// Gets what `needs` name. Does nothing, within a second, when all of it is there. Another checkout that is at it
/// finishes first: both build their tools in the same folder.
///
/// # Errors
/// When something is missing that cannot be installed here; the message says what would help.
pub fn prepare(context: &mut Context, needs: &[Need]) -> Result<()> {
    let _turn = turn(&process::cache_dir()?)?;
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

/// Waits until nobody else installs anything into `folder`. The turn ends with the file, or with the process.
fn turn(folder: &Path) -> Result<File> {
    fs::create_dir_all(folder).with_context(|| format!("could not create {}", folder.display()))?;
    let path = folder.join("lock");
    let file = File::create(&path).with_context(|| format!("could not open {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            process::note("waiting for another cargo xtask that installs tools");
            file.lock()?;
        }
        Err(TryLockError::Error(error)) => return Err(error.into()),
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time() {
        let folder = std::env::temp_dir().join(format!("daybind-turn-{}", std::process::id()));
        let first = turn(&folder).unwrap();
        let other = File::create(folder.join("lock")).unwrap();
        assert!(matches!(other.try_lock(), Err(TryLockError::WouldBlock)));
        drop(first);
        drop(turn(&folder).unwrap());
        fs::remove_dir_all(&folder).unwrap();
    }
}
