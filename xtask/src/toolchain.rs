//! A Rust toolchain that can build for the browser.
//!
//! In order: the active toolchain; another installed one that has the wasm32 target; adding the
//! target with rustup; and, where rustup's server cannot be reached, Debian's own toolchain with the
//! standard library for wasm32 built from Debian's sources.

use crate::prerequisites;
use crate::process::{self, Context};
use anyhow::{Context as _, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

const TARGET: &str = "wasm32-unknown-unknown";
/// The oldest compiler the workspace accepts (`rust-version` in the root manifest).
const OLDEST: (u32, u32) = (1, 94);
/// Name under which Debian's toolchain is known to rustup.
const DEBIAN: &str = "debian";
/// Long enough for a slow line to fetch 20 MB, short enough to notice an unreachable server.
const RUSTUP_LIMIT: Duration = Duration::from_secs(90);

const DEBIAN_PACKAGES: [&str; 7] = [
    "rustc-web",
    "cargo-web",
    "rust-web-src",
    "rust-web-llvm",
    "rust-web-clippy",
    "rustfmt-web",
    "lld-22",
];

/// Chooses, or makes, a toolchain with the wasm32 target, and has the context use it.
///
/// # Errors
/// When none can be had here; the message holds the command that would help.
pub fn ensure(context: &mut Context) -> Result<()> {
    if can_build_wasm(context, None) {
        return Ok(());
    }
    if let Some(name) = installed(context)
        .into_iter()
        .find(|name| can_build_wasm(context, Some(name)))
    {
        process::note(&format!(
            "using the installed toolchain `{name}`, which has {TARGET}"
        ));
        context.toolchain = Some(name);
        return Ok(());
    }
    let added = process::within(
        context.command("rustup").args(["target", "add", TARGET]),
        RUSTUP_LIMIT,
    );
    if added && can_build_wasm(context, None) {
        return Ok(());
    }
    if !prerequisites::is_debian() || !prerequisites::is_root(context) {
        bail!(
            "no toolchain with {TARGET}. With a reachable rustup server this adds it:\n  rustup target add {TARGET}"
        );
    }
    debian(context)?;
    context.toolchain = Some(DEBIAN.to_owned());
    if !can_build_wasm(context, Some(DEBIAN)) {
        bail!("Debian's toolchain still has no {TARGET}");
    }
    Ok(())
}

/// Whether that toolchain (or the active one) has the standard library for the browser, and is new
/// enough.
fn can_build_wasm(context: &Context, toolchain: Option<&str>) -> bool {
    let rustc = || {
        let mut command = context.command("rustc");
        if let Some(name) = toolchain {
            command.env("RUSTUP_TOOLCHAIN", name);
        }
        command
    };
    let new_enough = process::output(rustc().arg("--version"))
        .and_then(|text| version(&text))
        .is_some_and(|found| found >= OLDEST);
    new_enough
        && process::output(rustc().args(["--print", "target-libdir", "--target", TARGET]))
            .is_some_and(|folder| has_core(Path::new(&folder)))
}

fn has_core(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|entries| {
        entries
            .flatten()
            .any(|entry| entry.file_name().to_string_lossy().starts_with("libcore-"))
    })
}

/// Major and minor version from `rustc 1.96.0 (…)`.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split_whitespace().nth(1)?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// Names of the installed toolchains, without nightlies: their lints and formats differ.
fn installed(context: &Context) -> Vec<String> {
    process::output(context.command("rustup").args(["toolchain", "list"]))
        .map(|text| toolchain_names(&text))
        .unwrap_or_default()
}

fn toolchain_names(list: &str) -> Vec<String> {
    list.lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| !name.starts_with("nightly") && *name != "no")
        .map(ToOwned::to_owned)
        .collect()
}

/// Installs Debian's toolchain, builds the standard library for wasm32 once, links it to rustup.
fn debian(context: &mut Context) -> Result<()> {
    process::note("rustup could not add the target: taking Debian's toolchain (a few minutes)");
    prerequisites::install(context, &DEBIAN_PACKAGES)?;
    let sysroot = PathBuf::from("/usr/lib/rustlib").join(TARGET).join("lib");
    if !has_core(&sysroot) {
        build_std(context, &sysroot)?;
    }
    if context.which("rustup").is_some() {
        process::run(
            context
                .command("rustup")
                .args(["toolchain", "link", DEBIAN, "/usr"]),
        )?;
    } else {
        context.prepend_path(PathBuf::from("/usr/bin"));
    }
    Ok(())
}

fn build_std(context: &Context, sysroot: &Path) -> Result<()> {
    let release = process::output(context.command("/usr/bin/rustc").arg("--version"))
        .and_then(|text| text.split_whitespace().nth(1).map(ToOwned::to_owned))
        .context("Debian's rustc does not tell its version")?;
    let sources = PathBuf::from(format!("/usr/src/rustc-{release}/library"));
    let work = process::cache_dir()?.join(format!("std-{release}"));
    if work.exists() {
        fs::remove_dir_all(&work)?;
    }
    process::copy_tree(&sources, &work)
        .with_context(|| format!("could not copy {}", sources.display()))?;
    process::run(
        context
            .command("/usr/bin/cargo")
            .current_dir(&work)
            .env_remove("RUSTUP_TOOLCHAIN")
            .env_remove("CARGO_TARGET_DIR")
            .env("RUSTC", "/usr/bin/rustc")
            // The standard library uses unstable features by nature, and its crates may only be
            // found through the sysroot.
            .env("RUSTC_BOOTSTRAP", "1")
            .env(
                "RUSTFLAGS",
                "-Zforce-unstable-if-unmarked -Cembed-bitcode=yes",
            )
            .env("CARGO_PROFILE_RELEASE_DEBUG", "0")
            .args(["build", "--release", "--locked", "--target", TARGET])
            .args(["-p", "sysroot", "--features"])
            .arg("panic-unwind,compiler-builtins-mem"),
    )?;
    fs::create_dir_all(sysroot)?;
    let built = work.join("target").join(TARGET).join("release/deps");
    for entry in fs::read_dir(&built)? {
        let path = entry?.path();
        if let (Some(name), Some("rlib")) = (
            path.file_name(),
            path.extension().and_then(|extension| extension.to_str()),
        ) {
            fs::copy(&path, sysroot.join(name))?;
        }
    }
    fs::remove_dir_all(&work)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(
            version("rustc 1.96.0 (ac68faa20 2026-05-25)"),
            Some((1, 96))
        );
        assert_eq!(version("rustc 1.100.0-beta.1"), Some((1, 100)));
        assert!(version("rustc 1.100.0") > Some(OLDEST));
        assert!(version("rustc 1.93.1") < Some(OLDEST));
        assert_eq!(version(""), None);
    }

    #[test]
    fn toolchains_are_listed_without_nightlies_and_remarks() {
        let list = "stable-x86_64-unknown-linux-gnu (active, default)\nnightly-x86_64-unknown-linux-gnu\ndebian\n";
        assert_eq!(
            toolchain_names(list),
            ["stable-x86_64-unknown-linux-gnu", "debian"]
        );
        assert!(toolchain_names("no installed toolchains\n").is_empty());
    }
}
