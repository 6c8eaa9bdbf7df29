//! The master key file: made privately, replaced in one step.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use daybind_services::{Keyring, seal};
use secrecy::{ExposeSecret, SecretString};

/// Makes a key file with one new key, readable by its owner only.
pub(crate) fn create(path: &Path) -> anyhow::Result<()> {
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir)
            .with_context(|| format!("cannot create the data directory {}", dir.display()))?;
    }
    write_new(path, Keyring::generate().expose_secret())
        .with_context(|| format!("cannot write the master key to {}", path.display()))?;
    tracing::info!(path = %path.display(), "made a master key; without it stored secrets cannot be read");
    Ok(())
}

/// The keys of a file, each as written, newest first; comments are left out.
pub(crate) fn keys(path: &Path) -> anyhow::Result<Vec<SecretString>> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the master key file {}", path.display()))?;
    Ok(seal::split(&text).map(SecretString::from).collect())
}

/// Replaces the file by one with these keys: written beside it, flushed to the disk, then renamed over it, so that at
/// every moment one of the two is there whole.
pub(crate) fn replace(path: &Path, keys: &[SecretString]) -> anyhow::Result<()> {
    // A mounted secret may be a link; the file it leads to is what must change.
    let path = path
        .canonicalize()
        .with_context(|| format!("cannot find the master key file {}", path.display()))?;
    let mut beside = path.clone().into_os_string();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let failed = || {
        format!(
            "cannot write beside the master key file {}. If it is mounted read-only, change it where it comes from \
             (new key first) and run this command again",
            path.display()
        )
    };
    if beside.exists() {
        // Left by an interrupted run before the rename: nothing was sealed under a key that is only in it.
        std::fs::remove_file(&beside).with_context(failed)?;
    }
    let mut text = String::from("# Daybind master keys. The first seals, all open.\n");
    for key in keys {
        text.push_str(key.expose_secret());
        text.push('\n');
    }
    write_new(&beside, &text).with_context(failed)?;
    std::fs::rename(&beside, &path).with_context(failed)?;
    if let Some(dir) = path.parent() {
        std::fs::File::open(dir).and_then(|dir| dir.sync_all())?;
    }
    Ok(())
}

fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
