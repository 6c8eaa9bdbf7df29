//! Whether the disk has room for what the steps write: a full one would fail them one after the other, each in another way.

use crate::process::Context;
use anyhow::{Result, bail};
use std::path::Path;

/// What every step writes from a clean clone, in GiB: the target folder, the browser's profiles and traces.
const ROOM: u64 = 14;
const GIB: u64 = 1 << 30;

/// Refuses to begin where the tests would fill the disk. A target folder that is there already has most of it.
///
/// # Errors
/// When there is too little room; the message says where and how much.
pub fn ensure(context: &Context) -> Result<()> {
    if context.target.join("debug").is_dir() {
        return Ok(());
    }
    match free(context, &context.root) {
        // A system without `df` finds out by itself.
        Some(free) if free < ROOM * GIB => bail!(
            "{} has {} GiB free, and the tests write about {ROOM}: make room, or name a folder on another disk in \
             CARGO_TARGET_DIR",
            context.root.display(),
            free / GIB
        ),
        _ => Ok(()),
    }
}

fn free(context: &Context, folder: &Path) -> Option<u64> {
    let output = context.command("df").arg("-Pk").arg(folder).output().ok()?;
    read(&String::from_utf8_lossy(&output.stdout))
}

/// The available bytes in what `df -Pk` prints (POSIX: KiB in the fourth column of the second line).
fn read(printed: &str) -> Option<u64> {
    let blocks: u64 = printed
        .lines()
        .nth(1)?
        .split_whitespace()
        .nth(3)?
        .parse()
        .ok()?;
    Some(blocks * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_df_prints() {
        let printed =
            "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/x 100 40 60 40% /\n";
        assert_eq!(read(printed), Some(60 * 1024));
        assert_eq!(read("df: no such file\n"), None);
    }
}
