//! `run` and `fakes`: Daybind on this machine, for trying and developing.

use crate::build::{self, Edition};
use crate::process::{self, Context};
use crate::setup::{self, Need};
use anyhow::{Result, bail};
use clap::Args;
use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitCode};

/// Options of `run`.
#[derive(Args)]
pub struct RunArgs {
    /// Which edition to build and start.
    #[arg(long, value_enum, default_value = "ee")]
    edition: Edition,
    /// Also start stand-ins for Microsoft 365 and Google, and connect the demo tenant to them.
    #[arg(long)]
    demo_providers: bool,
    /// Build with optimisations: slower to build, quicker pages.
    #[arg(long)]
    release: bool,
}

/// Options of `fakes`.
#[derive(Args)]
pub struct FakesArgs {
    /// Where the stand-ins listen.
    #[arg(long, default_value = FAKES)]
    listen: String,
}

/// Where the stand-ins listen unless told otherwise.
const FAKES: &str = "127.0.0.1:4400";
const LISTEN: &str = "127.0.0.1:3000";

/// Runs the stand-ins ($1, address $2) beside the server ($3), and ends both together. A shell can
/// wait for either a signal or a child; the Rust standard library cannot.
const TOGETHER: &str = r#"
"$1" --listen "$2" & fakes=$!
"$3" serve & server=$!
trap 'kill -TERM "$server" 2>/dev/null' INT TERM
wait "$server"; code=$?
while kill -0 "$server" 2>/dev/null; do wait "$server"; code=$?; done
kill -TERM "$fakes" 2>/dev/null
wait "$fakes" 2>/dev/null
exit "$code"
"#;

/// Builds, migrates, seeds and starts the server; returns when the server ends.
///
/// # Errors
/// When a part fails to build or start.
pub fn run(context: &mut Context, args: &RunArgs) -> Result<ExitCode> {
    if args.demo_providers && args.edition == Edition::Ce {
        bail!("the Community edition talks to no calendar provider: leave --demo-providers out");
    }
    let mut needs = vec![Need::Rust, Need::Build];
    if args.release {
        needs.push(Need::ReleaseBuild);
    }
    setup::prepare(context, &needs)?;
    build::edition(context, args.edition, args.release)?;
    if args.demo_providers {
        build::build_fakes(context)?;
    }

    let variables = variables(context, args);
    let binary = args.edition.server(context, args.release);
    let server = |command: &str| {
        let mut server = context.command(&binary);
        server.arg(command).envs(variables.iter().cloned());
        server
    };
    process::run(&mut server("migrate"))?;
    let mut demo = server("demo");
    if args.demo_providers {
        demo.arg("--providers");
    }
    process::run(&mut demo)?;

    let listen = env::var("DAYBIND_LISTEN").unwrap_or_else(|_| LISTEN.to_owned());
    let url = env::var("DAYBIND_PUBLIC_URL").unwrap_or_else(|_| format!("http://{listen}"));
    process::note(&format!(
        "Daybind {} is starting on {url} (stop with Ctrl-C); log-ins are listed above",
        args.edition
    ));
    if args.demo_providers {
        let mut shell = context.command("sh");
        shell.args(["-c", TOGETHER, "daybind"]);
        shell.arg(build::fakes(context)).arg(FAKES).arg(&binary);
        replace_with(shell.envs(variables))
    } else {
        replace_with(&mut server("serve"))
    }
}

/// Builds and starts the stand-ins alone.
///
/// # Errors
/// When they fail to build or start.
pub fn fakes(context: &mut Context, args: &FakesArgs) -> Result<ExitCode> {
    setup::prepare(context, &[Need::Rust])?;
    build::build_fakes(context)?;
    process::note("start Daybind beside the stand-ins with these settings:");
    for (name, value) in provider_urls(&args.listen) {
        process::note(&format!("  {name}={value}"));
    }
    let mut command = context.command(build::fakes(context));
    replace_with(command.arg("--listen").arg(&args.listen))
}

/// What the server is told, apart from what the caller's environment already says.
fn variables(context: &Context, args: &RunArgs) -> Vec<(&'static str, OsString)> {
    let mut variables: Vec<(&'static str, OsString)> = vec![
        ("LEPTOS_SITE_ROOT", args.edition.site(context).into()),
        ("LEPTOS_OUTPUT_NAME", "daybind".into()),
        ("LEPTOS_SITE_PKG_DIR", "pkg".into()),
    ];
    if env::var_os("DAYBIND_DATA_DIR").is_none() {
        variables.push(("DAYBIND_DATA_DIR", data_dir(&context.root)));
    }
    if args.demo_providers {
        variables.extend(
            provider_urls(FAKES)
                .into_iter()
                .map(|(name, value)| (name, value.into())),
        );
    }
    variables
}

fn data_dir(root: &Path) -> OsString {
    root.join(".daybind").into()
}

/// The settings that point Daybind at stand-ins on this address.
fn provider_urls(listen: &str) -> [(&'static str, String); 6] {
    [
        ("DAYBIND_MICROSOFT_LOGIN_URL", "ms/login"),
        ("DAYBIND_MICROSOFT_GRAPH_URL", "ms/graph"),
        ("DAYBIND_GOOGLE_AUTH_URL", "google/o/oauth2/v2/auth"),
        ("DAYBIND_GOOGLE_TOKEN_URL", "google/token"),
        ("DAYBIND_GOOGLE_API_URL", "google/api"),
        ("DAYBIND_GOOGLE_REVOKE_URL", "google/revoke"),
    ]
    .map(|(name, path)| (name, format!("http://{listen}/{path}")))
}

/// Becomes the program, so that Ctrl-C and SIGTERM reach it itself.
#[cfg(unix)]
fn replace_with(command: &mut Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    let line = process::display(command);
    Err(anyhow::Error::new(command.exec()).context(format!("could not start `{line}`")))
}

/// Runs the program to its end; the console sends Ctrl-C to both.
#[cfg(not(unix))]
fn replace_with(command: &mut Command) -> Result<ExitCode> {
    Ok(if command.status()?.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::unix::fs::PermissionsExt;
    use std::process::Stdio;

    #[test]
    fn every_provider_host_can_be_pointed_at_the_stand_ins() {
        let urls = provider_urls("127.0.0.1:9");
        assert!(urls.iter().all(|(name, url)| {
            name.starts_with("DAYBIND_") && url.starts_with("http://127.0.0.1:9/")
        }));
    }

    #[test]
    fn a_signal_ends_server_and_stand_ins_and_keeps_the_exit_code() {
        let folder = env::temp_dir().join(format!("xtask-together-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let script = |name: &str, text: &str| {
            let path = folder.join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
            path
        };
        let fakes = script(
            "fakes",
            "#!/bin/sh\ntrap 'echo fakes ended; exit 0' TERM\nwhile :; do sleep 0.1; done\n",
        );
        let server = script(
            "server",
            "#!/bin/sh\ntrap 'echo server ended; exit 7' TERM\necho ready\nwhile :; do sleep 0.1; done\n",
        );
        let mut shell = Command::new("sh")
            .args(["-c", TOGETHER, "daybind"])
            .args([fakes.as_os_str(), "x".as_ref(), server.as_os_str()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = shell.stdout.take().unwrap();
        let mut ready = [0; 6];
        out.read_exact(&mut ready).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(300));
        assert!(
            Command::new("kill")
                .args(["-TERM", &shell.id().to_string()])
                .status()
                .unwrap()
                .success()
        );
        let mut rest = String::new();
        out.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "server ended\nfakes ended\n");
        assert_eq!(shell.wait().unwrap().code(), Some(7));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
