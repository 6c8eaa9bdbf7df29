//! Both editions as they are shipped, and the size of what browsers download.

use super::checks;
use super::count::Count;
use crate::build::{self, Edition};
use crate::process::Context;
use crate::{compress, parts};
use anyhow::{Context as _, Result, bail};
use std::collections::BTreeMap;
use std::fs;

/// Builds both editions and the stand-ins, and weighs the WASM.
pub fn run(context: &Context) -> Result<Count> {
    let mut list = Vec::new();
    for edition in Edition::BOTH {
        let built = build::for_tests(context, edition);
        let good = built.is_ok();
        list.push((format!("{edition} build"), built));
        if good {
            list.push((format!("{edition} WASM size"), weigh(context, edition)));
        }
    }
    list.push(("stand-ins".to_owned(), build::build_fakes(context)));
    checks(list)
}

fn weigh(context: &Context, edition: Edition) -> Result<()> {
    let file = edition.wasm(context);
    let raw = fs::metadata(&file)
        .with_context(|| format!("no {}", file.display()))?
        .len();
    let first = compress::size(&file)?;
    let (most_first, most_page) = edition.wasm_limits();
    println!("{edition} WASM to start with: {raw} bytes, {first} as brotli (limit {most_first})");
    let pkg = edition.pkg(context);
    let mut sizes = BTreeMap::new();
    let mut fullest = (0, String::new());
    for (page, parts) in parts::pages(&pkg)? {
        let mut whole = first;
        for part in parts {
            whole += match sizes.get(&part) {
                Some(size) => *size,
                None => {
                    let size = compress::size(&pkg.join(format!("{part}.wasm")))?;
                    sizes.insert(part, size);
                    size
                }
            };
        }
        println!(
            "  with {}: {whole}",
            page.trim_matches(|c: char| !c.is_alphabetic())
        );
        fullest = fullest.max((whole, page));
    }
    if first > most_first {
        bail!("{first} bytes as brotli to start with; at most {most_first} are allowed");
    }
    if fullest.0 > most_page {
        bail!(
            "{} bytes as brotli with {}; at most {most_page} are allowed",
            fullest.0,
            fullest.1
        );
    }
    Ok(())
}
