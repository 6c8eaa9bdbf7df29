//! What the build is made of (M-42): no unsafe code of ours, exactly the locked dependencies, a bill of materials; that
//! every promise of `docs/testing.md` is shown by a test (M-45), and that the catalogues hold the texts there are.

use super::count::Count;
use super::{checks, sbom};
use crate::build::Edition;
use crate::ids;
use crate::process::{self, Context};
use crate::words;
use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Runs the checks, each with a look at something bad that it must notice.
pub fn run(context: &Context) -> Result<Count> {
    let mut list = vec![
        ("unsafe code is forbidden".to_owned(), forbidden(context)),
        ("the lock file is exact".to_owned(), locked(context)),
        (
            "a stale lock file is noticed".to_owned(),
            notices_stale_lock(context),
        ),
    ];
    let pinned = fs::read_to_string(context.root.join("end2end/package.json"))
        .and_then(|asked| {
            let lock = fs::read_to_string(context.root.join("end2end/package-lock.json"))?;
            Ok((asked, lock))
        })
        .map_err(Into::into)
        .and_then(|(asked, lock)| moving_tags(&asked, &lock));
    list.push(("no npm package follows a moving tag".to_owned(), pinned));
    for edition in Edition::BOTH {
        list.push((
            format!("{edition} bill of materials"),
            sbom::write(context, edition),
        ));
    }
    let promises = ids::check(context).map(|kept| {
        println!("{kept} promises of docs/testing.md are shown by tests");
    });
    list.push(("promises".to_owned(), promises));
    let texts = words::check(context).map(|count| println!("{count} texts are in the catalogues"));
    list.push(("catalogues of texts".to_owned(), texts));
    checks(list)
}

/// Every crate of the workspace takes the workspace's lints, and those forbid unsafe code: `forbid`, unlike `deny`, cannot
/// be lifted further in.
fn forbidden(context: &Context) -> Result<()> {
    let root = fs::read_to_string(context.root.join("Cargo.toml"))?;
    let text = process::output(&mut context.cargo([
        "metadata",
        "--format-version",
        "1",
        "--no-deps",
        "--offline",
    ]))
    .context("cargo metadata failed")?;
    let metadata: Value = serde_json::from_str(&text)?;
    let mut manifests = Vec::new();
    for package in metadata["packages"].as_array().context("no packages")? {
        let path = package["manifest_path"].as_str().context("no manifest")?;
        manifests.push((path.to_owned(), fs::read_to_string(path)?));
    }
    if manifests.len() < 10 {
        bail!(
            "only {} crates found: the check sees nothing",
            manifests.len()
        );
    }
    lints(&root, &manifests)
}

fn lints(root: &str, manifests: &[(String, String)]) -> Result<()> {
    let section = |text: &str, name: &str, line: &str| {
        text.split("\n[").any(|part| {
            part.starts_with(&format!("{name}]")) && part.lines().any(|l| l.trim() == line)
        })
    };
    if !section(root, "workspace.lints.rust", "unsafe_code = \"forbid\"") {
        bail!(
            "the root Cargo.toml does not say `unsafe_code = \"forbid\"` under [workspace.lints.rust]"
        );
    }
    let open: Vec<&str> = manifests
        .iter()
        .filter(|(_, text)| !section(text, "lints", "workspace = true"))
        .map(|(path, _)| path.as_str())
        .collect();
    if !open.is_empty() {
        bail!(
            "these crates do not take the workspace's lints ([lints] workspace = true): {open:?}"
        );
    }
    Ok(())
}

/// The manifests are met by `Cargo.lock` as it stands, so that no build changes it.
fn locked(context: &Context) -> Result<()> {
    process::output(&mut context.cargo(["metadata", "--format-version", "1", "--locked"]))
        .map(|_| ())
        .context("Cargo.lock does not fit the manifests; run a cargo command and commit it")
}

fn notices_stale_lock(context: &Context) -> Result<()> {
    let folder = context.target.join("stale-lock");
    fs::create_dir_all(folder.join("src"))?;
    fs::write(
        folder.join("Cargo.toml"),
        "[package]\nname = \"stale\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\nserde = \"1\"\n\n[workspace]\n",
    )?;
    fs::write(
        folder.join("Cargo.lock"),
        "version = 4\n\n[[package]]\nname = \"stale\"\nversion = \"0.1.0\"\n",
    )?;
    fs::write(folder.join("src/lib.rs"), "")?;
    let noticed = fails_for_the_lock(context, &folder);
    fs::remove_dir_all(&folder)?;
    noticed
}

fn fails_for_the_lock(context: &Context, folder: &Path) -> Result<()> {
    let output = context
        .cargo(["metadata", "--format-version", "1", "--locked", "--offline"])
        .current_dir(folder)
        .output()?;
    let text = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        bail!("a stale lock file changed nothing");
    }
    if !text.contains("lock") {
        bail!("failed for another reason:\n{text}");
    }
    Ok(())
}

/// A package that asks for another by a tag (`latest`) makes `npm ci` refuse the lock file on the day the tag moves, unless
/// `overrides` of `package.json` name a version.
fn moving_tags(manifest: &str, lock: &str) -> Result<()> {
    let manifest: Value = serde_json::from_str(manifest)?;
    let lock: Value = serde_json::from_str(lock)?;
    let packages = lock["packages"].as_object().context("no packages")?;
    let mut open = Vec::new();
    for (name, package) in packages {
        for kind in ["dependencies", "devDependencies", "optionalDependencies"] {
            for (wanted, range) in package[kind].as_object().into_iter().flatten() {
                let tag = range.as_str().is_some_and(|range| {
                    !range.is_empty() && range.chars().all(|c| c.is_ascii_lowercase() && c != 'x')
                });
                if tag && manifest["overrides"][wanted].is_null() {
                    open.push(format!("{name} asks for {wanted} {range}"));
                }
            }
        }
    }
    if !open.is_empty() {
        bail!("name a version under \"overrides\" in end2end/package.json: {open:?}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{lints, moving_tags};

    /// M-42: what asks for `latest` is noticed until a version is named for it.
    #[test]
    fn an_npm_package_by_a_moving_tag_is_noticed() {
        let lock = r#"{"packages":{"node_modules/a":{"dependencies":{"b":"latest","c":"*","d":"^1.0.0"}}}}"#;
        let open = moving_tags("{}", lock).expect_err("b moves").to_string();
        assert!(open.contains("node_modules/a asks for b"), "{open}");
        moving_tags(r#"{"overrides":{"b":"1.0.0"}}"#, lock).expect("named");
    }

    const ROOT: &str = "[workspace]\n\n[workspace.lints.rust]\nunsafe_code = \"forbid\"\n";

    /// M-42: a crate that leaves the workspace's lints, and a workspace that forbids nothing, are noticed.
    #[test]
    fn a_crate_without_the_lints_is_noticed() {
        let good = (
            "a".to_owned(),
            "[package]\n\n[lints]\nworkspace = true\n".to_owned(),
        );
        let bad = (
            "b".to_owned(),
            "[package]\n\n[lints.rust]\nunsafe_code = \"allow\"\n".to_owned(),
        );
        assert!(lints(ROOT, std::slice::from_ref(&good)).is_ok());
        assert!(lints(ROOT, &[good.clone(), bad]).is_err());
        let lax = ROOT.replace("forbid", "deny");
        assert!(lints(&lax, &[good]).is_err());
    }
}
