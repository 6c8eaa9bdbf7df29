//! Dependencies: bans, licences, sources and, where they can be fetched, advisories.

use super::checks;
use super::count::Count;
use crate::process::{self, Context};
use anyhow::{Context as _, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const ADVISORIES: &str = "https://github.com/rustsec/advisory-db";
/// The same, as cargo-deny spells it when it clones.
const DENYS_ADDRESS: &str = "https://github.com/RustSec/advisory-db";
/// Always in the graph, so banning it must make the check fail.
const BANNED_FOR_THE_TEST: &str = "serde";

/// Names a clone of the advisory database, where GitHub cannot be reached.
const ADVISORY_DB: &str = "DAYBIND_ADVISORY_DB";
/// Set for a release: without the advisory database, the gate fails.
const REQUIRED: &str = "DAYBIND_REQUIRE_ADVISORIES";
/// An advisory that does not exist, about [`BANNED_FOR_THE_TEST`].
const PLANTED: &str = "RUSTSEC-2000-9999";

/// Runs cargo-deny, and shows that it does fail where it should (M-42).
pub fn run(context: &Context) -> Result<Count> {
    let mut list = vec![(
        "bans, licences, sources".to_owned(),
        process::run(
            &mut context.cargo(["deny", "--locked", "check", "bans", "licenses", "sources"]),
        ),
    )];
    list.push(("a banned crate is noticed".to_owned(), self_test(context)));
    list.push((
        "a planted advisory is noticed".to_owned(),
        finds_planted(context),
    ));
    match source(context)? {
        Source::Clone(folder) => {
            list.push(("advisories".to_owned(), advisories(context, Some(&folder))));
        }
        Source::GitHub => list.push(("advisories".to_owned(), advisories(context, None))),
        Source::None => {
            let state = format!(
                "advisories NOT CHECKED: {ADVISORIES} cannot be reached. Clone it where it can be, bring the clone here, \
                 and name its folder in {ADVISORY_DB}; for a release set {REQUIRED}=1, which makes this a failure"
            );
            if std::env::var_os(REQUIRED).is_some() {
                list.push(("advisories".to_owned(), Err(anyhow::anyhow!(state))));
            } else {
                // Not counted as passed, and said again at the end.
                process::remember(state);
            }
        }
    }
    checks(list)
}

/// Where advisories come from.
enum Source {
    Clone(PathBuf),
    GitHub,
    None,
}

fn source(context: &Context) -> Result<Source> {
    if let Some(folder) = std::env::var_os(ADVISORY_DB).map(PathBuf::from) {
        let folder = fs::canonicalize(&folder)
            .with_context(|| format!("{ADVISORY_DB} names no folder: {}", folder.display()))?;
        if !folder.join("crates").is_dir() || !folder.join(".git").exists() {
            bail!(
                "{} is no clone of {ADVISORIES}: it needs its folders `crates` and `.git`",
                folder.display()
            );
        }
        return Ok(Source::Clone(folder));
    }
    let reachable = process::within(
        context
            .command("git")
            .env("GIT_TERMINAL_PROMPT", "0")
            .args(["ls-remote", "--quiet", ADVISORIES, "HEAD"]),
        Duration::from_secs(10),
    );
    Ok(if reachable {
        Source::GitHub
    } else {
        Source::None
    })
}

/// The check, against the database of GitHub or of a clone.
fn advisories(context: &Context, clone: Option<&Path>) -> Result<()> {
    let mut command = context.cargo(["deny", "--locked"]);
    if let Some(folder) = clone {
        from_clone(context, &mut command, folder)?;
    }
    process::run(command.args(["check", "advisories"]))
}

/// Makes cargo-deny take a clone for GitHub's database, kept apart from the user's own copy.
fn from_clone(context: &Context, command: &mut Command, folder: &Path) -> Result<()> {
    let kept = context.target.join("advisories");
    if kept.exists() {
        fs::remove_dir_all(&kept)?;
    }
    fs::create_dir_all(&kept)?;
    let config = fs::read_to_string(context.root.join("deny.toml"))?;
    let config =
        with_db_path(&config, &kept.join("db")).context("deny.toml has no [advisories]")?;
    let file = kept.join("deny.toml");
    fs::write(&file, config)?;
    command
        .arg("--config")
        .arg(file)
        .env("GIT_CONFIG_COUNT", "1")
        .env(
            "GIT_CONFIG_KEY_0",
            format!("url.file://{}.insteadOf", folder.display()),
        )
        .env("GIT_CONFIG_VALUE_0", DENYS_ADDRESS);
    Ok(())
}

/// A database with one made-up advisory must make the check fail, for that advisory.
fn finds_planted(context: &Context) -> Result<()> {
    let folder = context.target.join("planted-advisories");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let crates = folder.join("crates").join(BANNED_FOR_THE_TEST);
    fs::create_dir_all(&crates)?;
    fs::write(
        crates.join(format!("{PLANTED}.md")),
        format!(
            "```toml\n[advisory]\nid = \"{PLANTED}\"\npackage = \"{BANNED_FOR_THE_TEST}\"\ndate = \"2000-01-01\"\n\n\
             [versions]\npatched = [\">= 999.0.0\"]\n```\n\n# Planted\n\nShows that the gate closes.\n"
        ),
    )?;
    let git = |args: &[&str]| {
        let mut command = context.command("git");
        command.args([
            "-c",
            "user.name=Daybind",
            "-c",
            "user.email=dev@daybind.invalid",
        ]);
        command.args(args).current_dir(&folder);
        process::output(&mut command).with_context(|| format!("git {args:?} failed"))
    };
    git(&["init", "--quiet", "--initial-branch", "main"])?;
    git(&["add", "--all"])?;
    git(&["commit", "--quiet", "--message", "Planted"])?;
    let mut command = context.cargo(["deny", "--locked"]);
    from_clone(context, &mut command, &folder)?;
    let output = command.args(["check", "advisories"]).output()?;
    fs::remove_dir_all(&folder)?;
    let text = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        bail!("a planted advisory about {BANNED_FOR_THE_TEST} changed nothing");
    }
    if !text.contains(PLANTED) {
        bail!("failed for another reason:\n{text}");
    }
    Ok(())
}

fn self_test(context: &Context) -> Result<()> {
    let config = fs::read_to_string(context.root.join("deny.toml"))?;
    let changed = with_ban(&config, BANNED_FOR_THE_TEST).context("deny.toml has no `deny` list")?;
    let file = context.target.join("deny-self-test.toml");
    fs::create_dir_all(&context.target)?;
    fs::write(&file, changed)?;
    let found = finds_ban(context, &file);
    fs::remove_file(&file)?;
    found
}

fn finds_ban(context: &Context, config: &Path) -> Result<()> {
    let output = context
        .cargo(["deny", "--locked", "--config"])
        .arg(config)
        .args(["check", "bans"])
        .output()?;
    let text = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        bail!("banning {BANNED_FOR_THE_TEST} changed nothing");
    }
    if !text.contains("error[banned]") || !text.contains(BANNED_FOR_THE_TEST) {
        bail!("failed for another reason:\n{text}");
    }
    Ok(())
}

/// The configuration with one more banned crate.
fn with_ban(config: &str, package: &str) -> Option<String> {
    let list = "\ndeny = [\n";
    let at = config.find(list)? + list.len();
    let (head, tail) = config.split_at(at);
    Some(format!("{head}  {{ crate = \"{package}\" }},\n{tail}"))
}

/// The configuration with another place for advisory databases.
fn with_db_path(config: &str, folder: &Path) -> Option<String> {
    let section = "\n[advisories]\n";
    let at = config.find(section)? + section.len();
    let (head, tail) = config.split_at(at);
    Some(format!("{head}db-path = \"{}\"\n{tail}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::{with_ban, with_db_path};
    use std::path::Path;

    #[test]
    fn the_database_is_kept_elsewhere() {
        let changed =
            with_db_path("x\n[advisories]\nyanked = \"deny\"\n", Path::new("/db")).unwrap();
        assert_eq!(
            changed,
            "x\n[advisories]\ndb-path = \"/db\"\nyanked = \"deny\"\n"
        );
        assert!(with_db_path("[bans]\n", Path::new("/db")).is_none());
    }

    #[test]
    fn a_ban_is_added_to_the_list() {
        let changed = with_ban("[bans]\ndeny = [\n  { crate = \"a\" },\n]\n", "b").unwrap();
        assert_eq!(
            changed,
            "[bans]\ndeny = [\n  { crate = \"b\" },\n  { crate = \"a\" },\n]\n"
        );
        assert!(with_ban("[bans]\n", "b").is_none());
    }
}
