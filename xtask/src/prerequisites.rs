//! Programs of the system that Daybind does not build itself.
//!
//! Where they are missing, they come from the system's package manager when that needs no
//! question (root on Debian or Ubuntu); anywhere else the one command that would is printed.

use crate::process::{self, Context};
use anyhow::{Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// One program that must be there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Program {
    /// A C compiler and linker, for `ring` and SQLite.
    C,
    /// Node and npm, for the style compiler and the browser tests.
    Node,
    /// PostgreSQL's server programs; tests start clusters of their own with them.
    Postgres,
    /// The pooler in front of PostgreSQL that one test goes through.
    PgBouncer,
    /// The browser that Playwright drives.
    Chromium,
    /// Python with pip, which fetches Google's description of its calendar API.
    Python,
}

impl Program {
    fn is_there(self, context: &Context) -> bool {
        match self {
            Self::C => context.which("cc").is_some(),
            Self::Node => context.which("node").is_some() && context.which("npm").is_some(),
            Self::Postgres => postgres_bin(context).is_some(),
            Self::PgBouncer => pgbouncer(context).is_some(),
            Self::Chromium => chromium(context).is_some(),
            Self::Python => {
                process::output(context.command("python3").args(["-m", "pip", "--version"]))
                    .is_some()
            }
        }
    }

    fn debian_packages(self) -> &'static [&'static str] {
        match self {
            Self::C => &["build-essential"],
            Self::Node => &["nodejs", "npm"],
            Self::Postgres => &["postgresql"],
            Self::PgBouncer => &["pgbouncer"],
            Self::Chromium => &["chromium"],
            Self::Python => &["python3", "python3-pip"],
        }
    }
}

/// Makes sure all of `wanted` are there.
///
/// # Errors
/// When one is missing and cannot be installed here; the message holds the command that would.
pub fn ensure(context: &Context, wanted: &[Program]) -> Result<()> {
    let missing: Vec<Program> = wanted
        .iter()
        .copied()
        .filter(|program| !program.is_there(context))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing
        .iter()
        .flat_map(|program| program.debian_packages().iter().copied())
        .collect();
    install(context, &packages)?;
    for program in missing {
        if !program.is_there(context) {
            bail!("{program:?} is still missing after installing {packages:?}");
        }
    }
    Ok(())
}

/// Installs Debian packages, or says how.
///
/// # Errors
/// When this is not root on Debian or Ubuntu, or apt fails.
pub fn install(context: &Context, packages: &[&str]) -> Result<()> {
    let list = packages.join(" ");
    if !is_debian() || !is_root(context) {
        bail!(
            "missing programs. On Debian or Ubuntu, run this, then try again:\n  sudo apt-get install -y {list}"
        );
    }
    let apt = |args: &[&str]| {
        let mut command = context.command("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").args(args);
        command
    };
    process::run(&mut apt(&["update", "-qq"]))?;
    process::run(apt(&["install", "-y", "-qq", "--no-install-recommends"]).args(packages))
}

/// Whether the system's packages are Debian's or Ubuntu's.
pub fn is_debian() -> bool {
    fs::read_to_string("/etc/os-release").is_ok_and(|text| names_debian(&text))
}

fn names_debian(os_release: &str) -> bool {
    os_release.lines().any(|line| {
        line.strip_prefix("ID=")
            .or_else(|| line.strip_prefix("ID_LIKE="))
            .is_some_and(|value| value.contains("debian") || value.contains("ubuntu"))
    })
}

/// Whether this process may install packages without asking.
pub fn is_root(context: &Context) -> bool {
    process::output(context.command("id").arg("-u")).as_deref() == Some("0")
}

/// The folder with `initdb` and `pg_ctl`; Debian keeps them off `PATH`.
pub fn postgres_bin(context: &Context) -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|bin| bin.join("initdb").is_file())
        .collect();
    folders.sort();
    folders.pop().or_else(|| {
        context
            .which("initdb")
            .and_then(|path| path.parent().map(Path::to_path_buf))
    })
}

/// The pooler; Debian keeps it off an ordinary `PATH`.
pub fn pgbouncer(context: &Context) -> Option<PathBuf> {
    let debians = PathBuf::from("/usr/sbin/pgbouncer");
    debians
        .is_file()
        .then_some(debians)
        .or_else(|| context.which("pgbouncer"))
}

/// The browser the tests drive.
pub fn chromium(context: &Context) -> Option<PathBuf> {
    ["chromium", "chromium-browser", "google-chrome"]
        .iter()
        .find_map(|name| context.which(name))
}

#[cfg(test)]
mod tests {
    use super::names_debian;

    #[test]
    fn debian_and_its_children_are_recognised() {
        assert!(names_debian("PRETTY_NAME=\"x\"\nID=debian\n"));
        assert!(names_debian("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n"));
        assert!(!names_debian(
            "ID=fedora\nHOME_URL=\"https://not.debian.example\"\n"
        ));
    }
}
