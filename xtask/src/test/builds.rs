//! Both editions as they are shipped, and the size of what browsers download.

use super::checks;
use super::count::Count;
use crate::build::{self, Edition};
use crate::process::{self, Context};
use anyhow::{Context as _, Result, bail};
use std::fs;
use std::path::Path;

/// Node carries the brotli that web servers use; level 11 is what a precompressed file gets.
const BROTLI: &str = "const z = require('zlib'), f = require('fs').readFileSync(process.argv[1]); \
    console.log(z.brotliCompressSync(f, { params: { [z.constants.BROTLI_PARAM_QUALITY]: 11 } }).length)";

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
    let packed = brotli(context, &file)?;
    let limit = edition.wasm_limit();
    println!("{edition} WASM: {raw} bytes, {packed} as brotli (limit {limit})");
    if packed > limit {
        bail!("{packed} bytes as brotli; at most {limit} are allowed");
    }
    Ok(())
}

fn brotli(context: &Context, file: &Path) -> Result<u64> {
    process::output(context.command("node").args(["-e", BROTLI]).arg(file))
        .and_then(|text| text.parse().ok())
        .context("node could not compress the WASM")
}
