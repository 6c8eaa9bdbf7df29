//! Build tools of exact versions, kept in the user's cache folder under their version.

use crate::process::{self, Context};
use anyhow::{Context as _, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// A tool Daybind's commands use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tool {
    /// Builds the server and the WASM half together.
    CargoLeptos,
    /// Makes the JavaScript glue; must be exactly the version in `Cargo.lock`.
    WasmBindgen,
    /// Checks licences, bans and sources of dependencies.
    CargoDeny,
    /// Compiles the styles.
    Sass,
    /// `wasm-opt`, which shrinks the release WASM. npm's: Debian's is too old for current output.
    Binaryen,
}

const CARGO_LEPTOS: &str = "0.3.11";
const CARGO_DENY: &str = "0.20.2";
const SASS: &str = "1.108.2";
const BINARYEN: &str = "132.0.0";

/// Makes sure the tools are there and puts them on the context's `PATH`.
///
/// # Errors
/// When one cannot be installed, or `Cargo.lock` names no wasm-bindgen.
pub fn ensure(context: &mut Context, tools: &[Tool]) -> Result<()> {
    for tool in tools {
        match tool {
            Tool::CargoLeptos => {
                // With downloads off, it uses the tools on PATH or says what is missing.
                let features = ["--features", "no_downloads"];
                cargo_tool(
                    context,
                    "cargo-leptos",
                    "cargo-leptos",
                    CARGO_LEPTOS,
                    &features,
                )?;
            }
            Tool::CargoDeny => {
                cargo_tool(context, "cargo-deny", "cargo-deny", CARGO_DENY, &[])?;
            }
            Tool::WasmBindgen => {
                let lock = fs::read_to_string(context.root.join("Cargo.lock"))
                    .context("could not read Cargo.lock")?;
                let version = locked_version(&lock, "wasm-bindgen")
                    .context("Cargo.lock names no wasm-bindgen")?;
                cargo_tool(context, "wasm-bindgen-cli", "wasm-bindgen", version, &[])?;
            }
            Tool::Sass => npm_tool(context, "sass", "sass", SASS)?,
            Tool::Binaryen => npm_tool(context, "binaryen", "wasm-opt", BINARYEN)?,
        }
    }
    Ok(())
}

/// The version of a package in the text of a `Cargo.lock`; the first, where there are several.
pub fn locked_version<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name);
    lines.next()?;
    lines
        .next()?
        .strip_prefix("version = \"")?
        .strip_suffix('"')
}

fn tool_dir(package: &str, version: &str) -> Result<PathBuf> {
    Ok(process::cache_dir()?
        .join("tools")
        .join(format!("{package}-{version}")))
}

/// Whether `<program> --version` tells exactly this version.
fn answers(context: &Context, program: &Path, version: &str) -> bool {
    process::output(context.command(program).arg("--version"))
        .is_some_and(|text| text.split_whitespace().any(|word| word == version))
}

fn cargo_tool(
    context: &mut Context,
    package: &str,
    program: &str,
    version: &str,
    extra: &[&str],
) -> Result<()> {
    let folder = tool_dir(package, version)?;
    let bin = folder.join("bin");
    if bin.join(program).is_file() && answers(context, &bin.join(program), version) {
        context.prepend_path(bin);
        return Ok(());
    }
    if let Some(path) = context.which(program)
        && answers(context, &path, version)
    {
        return Ok(());
    }
    process::note(&format!("building {package} {version} (once)"));
    let cache = process::cache_dir()?;
    fs::create_dir_all(&cache)?;
    let install = |locked: &[&str]| {
        let mut command = context.cargo(["install", package, "--version"]);
        command
            .arg(format!("={version}"))
            .args(extra)
            .args(locked)
            .arg("--root")
            .arg(&folder)
            // Not in the workspace: its settings are not meant for the tools.
            .current_dir(&cache)
            .env("CARGO_TARGET_DIR", cache.join("build"))
            // The tools work for seconds at a time: what counts is how soon they are there.
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
            .env("CARGO_PROFILE_RELEASE_DEBUG", "0")
            .env_remove("RUSTFLAGS");
        command
    };
    // A tool may ask for a newer compiler than it needs, and its lock file may name versions that a
    // mirrored registry does not hold (yet): each is tried without before giving up.
    let ways: [(&str, &[&str]); 3] = [
        ("as published", &["--locked"]),
        (
            "whatever compiler it asks for",
            &["--locked", "--ignore-rust-version"],
        ),
        ("with compatible dependencies", &["--ignore-rust-version"]),
    ];
    let mut outcome = Ok(());
    for (how, arguments) in ways {
        process::note(&format!("{package}: {how}"));
        outcome = process::run(&mut install(arguments));
        if outcome.is_ok() {
            break;
        }
    }
    outcome?;
    context.prepend_path(bin);
    Ok(())
}

fn npm_tool(context: &mut Context, package: &str, program: &str, version: &str) -> Result<()> {
    let folder = tool_dir(package, version)?;
    let bin = folder.join("node_modules/.bin");
    if !bin.join(program).exists() {
        fs::create_dir_all(&folder)?;
        process::run(
            context
                .command("npm")
                .args(["install", "--no-audit", "--no-fund", "--loglevel=error"])
                .arg("--prefix")
                .arg(&folder)
                .arg(format!("{package}@{version}"))
                .current_dir(&folder),
        )?;
    }
    context.prepend_path(bin);
    Ok(())
}

/// Removes the build files of the tools; the tools themselves stay.
pub fn tidy() -> Result<()> {
    let build = process::cache_dir()?.join("build");
    if build.exists() {
        fs::remove_dir_all(build)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::locked_version;

    const LOCK: &str = r#"
[[package]]
name = "wasm-bindgen"
version = "0.2.130"
source = "registry+https://github.com/rust-lang/crates.io-index"

[[package]]
name = "wasm-bindgen-backend"
version = "0.2.99"
"#;

    #[test]
    fn the_lock_file_names_the_version() {
        assert_eq!(locked_version(LOCK, "wasm-bindgen"), Some("0.2.130"));
        assert_eq!(locked_version(LOCK, "wasm-bindgen-backend"), Some("0.2.99"));
        assert_eq!(locked_version(LOCK, "wasm"), None);
    }
}
