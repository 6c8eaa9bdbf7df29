//! The bill of materials of an edition, in CycloneDX 1.5 (<https://cyclonedx.org/docs/1.5/json/>): every crate its server and
//! its WASM are built from, with licence, package URL and the checksum of the lock file.
//!
//! Written here from cargo's own graph: `cargo-cyclonedx` compiles for minutes and leaves a file beside every manifest of
//! the workspace, one for each crate instead of one for what is shipped.

use crate::build::Edition;
use crate::process::{self, Context};
use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// Writes `target/sbom/daybind-<edition>.cdx.json`.
///
/// # Errors
/// When cargo does not tell the graph, or a crate of it lacks a licence or a checksum.
pub fn write(context: &Context, edition: Edition) -> Result<()> {
    let text =
        process::output(&mut context.cargo(["metadata", "--format-version", "1", "--locked"]))
            .context("cargo metadata failed")?;
    let metadata: Value = serde_json::from_str(&text)?;
    let lock = fs::read_to_string(context.root.join("Cargo.lock"))?;
    let roots = [edition.server_package(), edition.frontend_package()];
    let bill = bill(&metadata, &checksums(&lock), &roots, edition.binary())?;
    let folder = context.target.join("sbom");
    fs::create_dir_all(&folder)?;
    let file = folder.join(format!("{}.cdx.json", edition.binary()));
    fs::write(&file, serde_json::to_string_pretty(&bill)?)?;
    let count = bill["components"].as_array().map_or(0, Vec::len);
    println!(
        "{edition} bill of materials: {count} crates, {}",
        file.display()
    );
    Ok(())
}

/// Name and version to SHA-256, from the text of a `Cargo.lock`.
fn checksums(lock: &str) -> BTreeMap<(String, String), String> {
    let value = |part: &str, key: &str| {
        part.lines()
            .find_map(|line| {
                line.strip_prefix(key)?
                    .strip_prefix(" = \"")?
                    .strip_suffix('"')
            })
            .map(str::to_owned)
    };
    lock.split("[[package]]")
        .filter_map(|part| {
            Some((
                (value(part, "name")?, value(part, "version")?),
                value(part, "checksum")?,
            ))
        })
        .collect()
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value[key]
        .as_str()
        .with_context(|| format!("metadata without {key}"))
}

fn bill(
    metadata: &Value,
    checksums: &BTreeMap<(String, String), String>,
    roots: &[&str],
    name: &str,
) -> Result<Value> {
    let list = |value: &'_ Value| value.as_array().cloned().unwrap_or_default();
    let packages: BTreeMap<String, Value> = list(&metadata["packages"])
        .into_iter()
        .map(|package| Ok((text(&package, "id")?.to_owned(), package)))
        .collect::<Result<_>>()?;
    let nodes: BTreeMap<String, Value> = list(&metadata["resolve"]["nodes"])
        .into_iter()
        .map(|node| Ok((text(&node, "id")?.to_owned(), node)))
        .collect::<Result<_>>()?;
    let mut open: Vec<String> = packages
        .iter()
        .filter(|(_, package)| roots.iter().any(|root| package["name"] == *root))
        .map(|(id, _)| id.clone())
        .collect();
    if open.len() != roots.len() {
        bail!("the graph does not hold {roots:?}");
    }
    let (mut seen, mut components, mut dependencies) = (BTreeSet::new(), Vec::new(), Vec::new());
    while let Some(id) = open.pop() {
        if !seen.insert(id.clone()) {
            continue;
        }
        let package = packages
            .get(&id)
            .with_context(|| format!("no package {id}"))?;
        components.push(component(package, checksums)?);
        let mut needs = Vec::new();
        for dependency in list(&nodes.get(&id).with_context(|| format!("no node {id}"))?["deps"]) {
            // What only tests use is not shipped.
            let shipped = list(&dependency["dep_kinds"])
                .iter()
                .any(|kind| kind["kind"] != "dev");
            if shipped {
                let target = text(&dependency, "pkg")?.to_owned();
                needs.push(
                    packages
                        .get(&target)
                        .map(purl)
                        .transpose()?
                        .unwrap_or_default(),
                );
                open.push(target);
            }
        }
        needs.sort();
        needs.dedup();
        dependencies.push(json!({ "ref": purl(package)?, "dependsOn": needs }));
    }
    components.sort_by_key(|component| component["bom-ref"].to_string());
    dependencies.sort_by_key(|dependency| dependency["ref"].to_string());
    Ok(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": { "component": { "type": "application", "name": name, "version": env!("CARGO_PKG_VERSION") } },
        "components": components,
        "dependencies": dependencies,
    }))
}

/// <https://github.com/package-url/purl-spec>, type `cargo`.
fn purl(package: &Value) -> Result<String> {
    Ok(format!(
        "pkg:cargo/{}@{}",
        text(package, "name")?,
        text(package, "version")?
    ))
}

fn component(package: &Value, checksums: &BTreeMap<(String, String), String>) -> Result<Value> {
    let (name, version, purl) = (
        text(package, "name")?,
        text(package, "version")?,
        purl(package)?,
    );
    let licence = package["license"].as_str();
    let mut component = json!({
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
        "licenses": [match licence {
            // Old manifests part alternatives with a slash.
            Some(expression) => json!({ "expression": expression.replace('/', " OR ") }),
            None => json!({ "license": { "name": package["license_file"].as_str().with_context(|| format!("{name} has no licence"))? } }),
        }],
    });
    if package["source"].is_null() {
        // Ours: no registry, no checksum.
        return Ok(component);
    }
    let sum = checksums
        .get(&(name.to_owned(), version.to_owned()))
        .with_context(|| format!("{name} {version} has no checksum in Cargo.lock"))?;
    component["hashes"] = json!([{ "alg": "SHA-256", "content": sum }]);
    Ok(component)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(licence: &Value) -> Value {
        json!({
            "packages": [
                { "id": "s", "name": "server", "version": "1.0.0", "license": "MIT", "source": null },
                { "id": "a", "name": "a", "version": "2.0.0", "license": licence, "source": "registry" },
                { "id": "t", "name": "t", "version": "3.0.0", "license": "MIT", "source": "registry" },
            ],
            "resolve": { "nodes": [
                { "id": "s", "deps": [
                    { "pkg": "a", "dep_kinds": [{ "kind": null }] },
                    { "pkg": "t", "dep_kinds": [{ "kind": "dev" }] },
                ] },
                { "id": "a", "deps": [] },
                { "id": "t", "deps": [] },
            ] },
        })
    }

    /// M-42: what is shipped stands in the bill with its checksum, what only tests use does not, and a crate without
    /// checksum or licence is noticed.
    #[test]
    fn the_bill_holds_what_is_shipped() {
        let sums = checksums("[[package]]\nname = \"a\"\nversion = \"2.0.0\"\nchecksum = \"ab\"\n");
        let whole = bill(
            &metadata(&json!("MIT/Apache-2.0")),
            &sums,
            &["server"],
            "daybind",
        )
        .unwrap();
        let names: Vec<_> = whole["components"]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| &c["name"])
            .collect();
        assert_eq!(names, ["a", "server"]);
        assert_eq!(whole["components"][0]["hashes"][0]["content"], "ab");
        assert_eq!(
            whole["components"][0]["licenses"][0]["expression"],
            "MIT OR Apache-2.0"
        );
        assert_eq!(
            whole["dependencies"][1]["dependsOn"],
            json!(["pkg:cargo/a@2.0.0"])
        );
        assert!(
            bill(
                &metadata(&json!("MIT")),
                &BTreeMap::new(),
                &["server"],
                "daybind"
            )
            .is_err()
        );
        assert!(bill(&metadata(&Value::Null), &sums, &["server"], "daybind").is_err());
        assert!(bill(&metadata(&json!("MIT")), &sums, &["other"], "daybind").is_err());
    }
}
