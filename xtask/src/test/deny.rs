//! Dependencies: bans, licences, sources and, where they can be fetched, advisories.

use super::checks;
use super::count::Count;
use crate::process::{self, Context};
use anyhow::{Context as _, Result, bail};
use std::fs;
use std::path::Path;
use std::time::Duration;

const ADVISORIES: &str = "https://github.com/rustsec/advisory-db";
/// Always in the graph, so banning it must make the check fail.
const BANNED_FOR_THE_TEST: &str = "serde";

/// Runs cargo-deny, and shows that it does fail where it should.
pub fn run(context: &Context) -> Result<Count> {
    let mut list = vec![(
        "bans, licences, sources".to_owned(),
        process::run(
            &mut context.cargo(["deny", "--locked", "check", "bans", "licenses", "sources"]),
        ),
    )];
    list.push(("a banned crate is noticed".to_owned(), self_test(context)));
    // Needs the advisory database; where GitHub cannot be reached, there is nothing to compare with.
    let reachable = process::within(
        context
            .command("git")
            .env("GIT_TERMINAL_PROMPT", "0")
            .args(["ls-remote", "--quiet", ADVISORIES, "HEAD"]),
        Duration::from_secs(10),
    );
    if reachable {
        let checked = process::run(&mut context.cargo(["deny", "check", "advisories"]));
        list.push(("advisories".to_owned(), checked));
    } else {
        process::note("advisories not checked: their database cannot be reached");
    }
    checks(list)
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

#[cfg(test)]
mod tests {
    use super::with_ban;

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
