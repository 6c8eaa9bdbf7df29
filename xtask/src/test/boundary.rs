//! No Enterprise crate in a Community build: shown from cargo's own dependency graph.

use super::checks;
use super::count::Count;
use crate::build::Edition;
use crate::process::{self, Context};
use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Checks both Community entries, and that the same look at Enterprise does find its crates.
pub fn run(context: &Context) -> Result<Count> {
    let mut list = Vec::new();
    for edition in Edition::BOTH {
        for (what, package, target) in [
            ("server", edition.server_package(), None),
            (
                "WASM",
                edition.frontend_package(),
                Some("wasm32-unknown-unknown"),
            ),
        ] {
            list.push((
                format!("{edition} {what}"),
                graph(context, edition, package, target),
            ));
        }
    }
    list.push(("manifests".to_owned(), manifests(context)));
    checks(list)
}

fn graph(context: &Context, edition: Edition, package: &str, target: Option<&str>) -> Result<()> {
    let mut command = context.cargo(["tree", "--package", package]);
    // Development dependencies too: a Community test must not need Enterprise code either.
    command.args(["--edges", "all", "--prefix", "none", "--format", "{p}"]);
    if let Some(target) = target {
        command.args(["--target", target]);
    }
    let tree = process::output(&mut command).with_context(|| format!("no graph of {package}"))?;
    let ours = workspace_paths(&tree);
    if !ours.iter().any(|path| path.starts_with(&context.root)) {
        bail!("the graph of {package} names no crate of this workspace: the check sees nothing");
    }
    let enterprise = below(&ours, &context.root.join("ee"));
    match (edition, enterprise.is_empty()) {
        (Edition::Ce, false) => bail!("{package} contains {enterprise:?}"),
        (Edition::Ee, true) => bail!("{package} contains no Enterprise crate: the check is blind"),
        _ => Ok(()),
    }
}

/// The folders in lines such as `daybind-domain v0.1.0 (/src/core/domain)`.
fn workspace_paths(tree: &str) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = tree
        .lines()
        .filter_map(|line| {
            let (_, rest) = line.split_once(" (/")?;
            let (path, _) = rest.split_once(')')?;
            Some(PathBuf::from(format!("/{path}")))
        })
        .collect();
    paths.sort();
    paths.dedup();
    paths
}

fn below<'a>(paths: &'a [PathBuf], folder: &Path) -> Vec<&'a PathBuf> {
    paths
        .iter()
        .filter(|path| path.starts_with(folder))
        .collect()
}

/// No manifest outside `ee/` may name a crate below it, not even an optional one.
fn manifests(context: &Context) -> Result<()> {
    let text = process::output(&mut context.cargo([
        "metadata",
        "--format-version",
        "1",
        "--no-deps",
        "--offline",
    ]))
    .context("cargo metadata failed")?;
    let metadata: Value = serde_json::from_str(&text)?;
    let wrong = crossings(&metadata, &context.root.join("ee"))?;
    if !wrong.is_empty() {
        bail!("shared crates name Enterprise crates: {wrong:?}");
    }
    Ok(())
}

/// Pairs of a package outside `ee` and a dependency of it inside.
fn crossings(metadata: &Value, ee: &Path) -> Result<Vec<(String, String)>> {
    let packages = metadata
        .get("packages")
        .and_then(Value::as_array)
        .context("metadata without packages")?;
    let text = |value: &Value, key: &str| {
        value
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let mut wrong = Vec::new();
    for package in packages {
        if Path::new(&text(package, "manifest_path")).starts_with(ee) {
            continue;
        }
        let dependencies = package.get("dependencies").and_then(Value::as_array);
        for dependency in dependencies.into_iter().flatten() {
            if Path::new(&text(dependency, "path")).starts_with(ee) {
                wrong.push((text(package, "name"), text(dependency, "name")));
            }
        }
    }
    Ok(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// M-06, W40: what the step looks for in the dependency graph of a Community entry.
    #[test]
    fn crates_below_ee_are_found_and_namesakes_are_not() {
        let tree = "daybind-server v0.1.0 (/src/server)\naxum v0.8.9\n\
            daybind-ee-app v0.1.0 (/src/ee/app)\nserde_derive v1.0.0 (proc-macro)\n\
            daybind-server v0.1.0 (/src/server) (*)\neel v0.1.0 (/src/eel)\n";
        let paths = workspace_paths(tree);
        assert_eq!(paths.len(), 3);
        assert_eq!(
            below(&paths, Path::new("/src/ee")),
            [Path::new("/src/ee/app")]
        );
    }

    /// M-06, W40: no shared crate asks for an Enterprise one.
    #[test]
    fn a_shared_manifest_may_not_name_an_enterprise_crate() {
        let metadata = json!({"packages": [
            {"name": "app", "manifest_path": "/src/app/Cargo.toml",
             "dependencies": [{"name": "ee-app", "path": "/src/ee/app"}, {"name": "serde"}]},
            {"name": "ee-server", "manifest_path": "/src/ee/server/Cargo.toml",
             "dependencies": [{"name": "ee-app", "path": "/src/ee/app"}]},
        ]});
        let wrong = crossings(&metadata, Path::new("/src/ee")).unwrap();
        assert_eq!(wrong, [("app".to_owned(), "ee-app".to_owned())]);
    }
}
