//! Starting other programs: one environment for all of them, and three ways to wait.

use anyhow::{Context as _, Result, bail};
use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// What every child process is given: the workspace, a `PATH` with the pinned tools, a toolchain.
pub struct Context {
    /// Folder of the root `Cargo.toml`.
    pub root: PathBuf,
    /// Cargo's target folder.
    pub target: PathBuf,
    /// Toolchain that has the wasm32 target, where that is not the active one.
    pub toolchain: Option<String>,
    path: Vec<PathBuf>,
}

impl Context {
    /// Finds the workspace this binary belongs to.
    pub fn discover() -> Result<Self> {
        let manifest = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest
            .parent()
            .context("xtask has no parent folder")?
            .to_path_buf();
        let target = env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| root.join("target"), |dir| root.join(dir));
        let path = env::var_os("PATH")
            .map(|path| env::split_paths(&path).collect())
            .unwrap_or_default();
        Ok(Self {
            root,
            target,
            toolchain: None,
            path,
        })
    }

    /// Puts a folder of tools in front of `PATH` for every later child.
    pub fn prepend_path(&mut self, folder: PathBuf) {
        self.path.retain(|entry| *entry != folder);
        self.path.insert(0, folder);
    }

    /// The file `program` names on this context's `PATH`.
    pub fn which(&self, program: &str) -> Option<PathBuf> {
        self.path
            .iter()
            .map(|folder| folder.join(program))
            .find(|candidate| candidate.is_file())
    }

    /// A command in the workspace root, with the common environment.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        // Cargo describes *this* package to the programs it runs. Handed on, that makes build
        // scripts which watch those variables run again, and one toolchain load another's libraries.
        for (name, _) in env::vars_os() {
            if name.to_str().is_some_and(is_cargos_own) {
                command.env_remove(&name);
            }
        }
        if let Ok(path) = env::join_paths(&self.path) {
            command.env("PATH", path);
        }
        if let Some(toolchain) = &self.toolchain {
            command.env("RUSTUP_TOOLCHAIN", toolchain);
        }
        command
    }

    /// `cargo` with the common environment.
    pub fn cargo<I, S>(&self, args: I) -> Command
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        let mut command = self.command("cargo");
        command.args(args);
        command
    }
}

/// Whether a variable describes the package cargo is running, rather than the user's settings.
fn is_cargos_own(name: &str) -> bool {
    matches!(
        name,
        "CARGO" | "LD_LIBRARY_PATH" | "DYLD_FALLBACK_LIBRARY_PATH" | "RUST_RECURSION_COUNT"
    ) || name.starts_with("CARGO_PKG_")
        || name.starts_with("CARGO_MANIFEST_")
}

/// Prints one line of progress.
pub fn note(message: &str) {
    eprintln!("xtask: {message}");
}

static REMEMBERED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Says something that must not be missed: now, and again before the closing line.
pub fn remember(message: String) {
    note(&message);
    REMEMBERED
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(message);
}

/// What was to be said again.
pub fn remembered() -> Vec<String> {
    REMEMBERED
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone()
}

/// The command as one would type it, for messages.
pub fn display(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(
        command
            .get_args()
            .map(|arg| arg.to_string_lossy().into_owned()),
    );
    words.join(" ")
}

/// Runs to the end with inherited output; an exit code other than zero is an error.
pub fn run(command: &mut Command) -> Result<()> {
    let line = display(command);
    note(&line);
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("could not start `{line}`"))?;
    if !status.success() {
        bail!("`{line}` ended with {status}");
    }
    Ok(())
}

/// Runs quietly; the trimmed standard output, or `None` when it could not start or failed.
pub fn output(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// What [`tee`] saw.
pub struct Seen {
    /// Whether the exit code was zero.
    pub success: bool,
    /// Everything written to standard output.
    pub stdout: String,
}

/// Runs to the end, showing standard output and keeping a copy of it.
pub fn tee(command: &mut Command) -> Result<Seen> {
    let line = display(command);
    note(&line);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("could not start `{line}`"))?;
    let pipe = child.stdout.take().context("no standard output")?;
    let mut stdout = String::new();
    let mut reader = BufReader::new(pipe);
    let mut bytes = Vec::new();
    while reader.read_until(b'\n', &mut bytes)? > 0 {
        let text = String::from_utf8_lossy(&bytes);
        // A closed pipe behind us must not stop the tests.
        let _ = std::io::stdout().write_all(text.as_bytes());
        stdout.push_str(&text);
        bytes.clear();
    }
    let status = child.wait()?;
    Ok(Seen {
        success: status.success(),
        stdout,
    })
}

/// Runs with a deadline; `false` when it failed, could not start, or was stopped for being late.
pub fn within(command: &mut Command, limit: Duration) -> bool {
    note(&display(command));
    let Ok(mut child) = command.stdin(Stdio::null()).spawn() else {
        return false;
    };
    let end = Instant::now() + limit;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) if Instant::now() < end => thread::sleep(Duration::from_millis(100)),
            Ok(None) | Err(_) => {
                // Already gone is as good as stopped.
                let _ = child.kill();
                let _ = child.wait();
                return false;
            }
        }
    }
}

/// Copies a folder and everything below it.
pub fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

/// The folder for Daybind's own built tools: `$XDG_CACHE_HOME` or `~/.cache`, then `daybind`.
pub fn cache_dir() -> Result<PathBuf> {
    let set = |name: &str| env::var_os(name).filter(|value: &OsString| !value.is_empty());
    set("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| set("HOME").map(|home| PathBuf::from(home).join(".cache")))
        .map(|cache| cache.join("daybind"))
        .context("neither XDG_CACHE_HOME nor HOME is set")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_cargo_settings_pass_through() {
        assert!(is_cargos_own("CARGO_PKG_NAME"));
        assert!(is_cargos_own("CARGO_MANIFEST_DIR"));
        assert!(is_cargos_own("LD_LIBRARY_PATH"));
        assert!(!is_cargos_own("CARGO_HOME"));
        assert!(!is_cargos_own("CARGO_TARGET_DIR"));
        assert!(!is_cargos_own("DATABASE_URL"));
    }

    #[test]
    fn a_late_program_is_stopped() {
        let begin = Instant::now();
        assert!(!within(
            Command::new("sleep").arg("30"),
            Duration::from_millis(200)
        ));
        assert!(begin.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn tee_keeps_what_was_printed_and_the_outcome() {
        let seen = tee(Command::new("sh").args(["-c", "echo one; echo two; exit 3"])).unwrap();
        assert!(!seen.success);
        assert_eq!(seen.stdout, "one\ntwo\n");
    }
}
