//! Keeps the request log of a test run, so that it can be checked against the providers' own descriptions
//! (`test-support/contracts/check-log.mjs`).

use crate::state::State;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// Names the folder; without it nothing is kept.
const FOLDER: &str = "DAYBIND_FAKES_LOG_DIR";

/// Writes the log as JSON into the folder, named after the thread (in tests: the test) and the process.
pub(crate) fn keep(state: &State) -> anyhow::Result<()> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else {
        return Ok(());
    };
    std::fs::create_dir_all(&folder)?;
    let thread = std::thread::current();
    let name: String = thread
        .name()
        .unwrap_or("unnamed")
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let file = folder.join(format!("{name}-{}-{count}.json", std::process::id()));
    std::fs::write(file, serde_json::to_vec(&state.log)?)?;
    Ok(())
}
