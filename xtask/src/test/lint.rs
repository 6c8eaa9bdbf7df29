//! Formatting and lints.

use super::checks;
use super::count::Count;
use super::unit::HOST_PACKAGES;
use crate::build::{ERASED, Edition};
use crate::process::{self, Context};
use anyhow::Result;
use std::process::Command;

/// `rustfmt` on every crate.
pub fn fmt(context: &Context) -> Result<Count> {
    let formatted = process::run(&mut context.cargo(["fmt", "--all", "--check"]));
    checks([("rustfmt".to_owned(), formatted)])
}

/// Clippy with warnings as errors: what both editions are made of on the host; the Community server
/// on its own, so that it cannot lean on a feature only Enterprise asks for; and both WASM entries.
pub fn clippy(context: &Context) -> Result<Count> {
    let mut list = Vec::new();
    let mut host = context.cargo(["clippy", "--all-targets"]);
    for package in HOST_PACKAGES {
        host.args(["--package", package]);
    }
    list.push(("host".to_owned(), lint(&mut host)));
    let mut community = context.cargo(["clippy", "--package", Edition::Ce.server_package()]);
    list.push(("CE server".to_owned(), lint(&mut community)));
    for edition in Edition::BOTH {
        let mut wasm = context.cargo(["clippy", "--lib", "--package", edition.frontend_package()]);
        wasm.args(["--target", "wasm32-unknown-unknown"]);
        list.push((format!("{edition} WASM"), lint(&mut wasm)));
    }
    checks(list)
}

fn lint(command: &mut Command) -> Result<()> {
    process::run(
        command
            .args(["--", "--deny", "warnings"])
            .env("RUSTFLAGS", ERASED),
    )
}
