//! `keys list` and `keys rotate`.

use std::io::Read as _;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use daybind_services::keys::{self, Rotation};
use daybind_services::{Keyring, crash};
use daybind_storage::Store;
use secrecy::{ExposeSecret, SecretString};

use crate::config::{Config, KeySource};
use crate::{Composition, Exit, assemble, keyfile};

/// What `keys rotate` is asked to do.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct RotateOptions {
    /// Make another new key even though a rotation to an earlier one may be unfinished.
    #[arg(long, conflicts_with = "new_key_stdin")]
    new: bool,
    /// Read the new key (base64 of 32 random bytes) from standard input instead of making one.
    #[arg(long)]
    new_key_stdin: bool,
    /// Remove the older keys from the key file once nothing in the database needs them.
    #[arg(long)]
    drop_old: bool,
    /// Report as JSON.
    #[arg(long)]
    json: bool,
}

fn env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// `keys list`
pub(crate) async fn list(composition: Composition) -> anyhow::Result<()> {
    let config = Config::read(&composition, &env)?;
    let keyring = config.keyring(&env)?;
    let store = assemble::open(&config).await?;
    store
        .ready()
        .await
        .context("run the migrate command first")?;
    let standing = keys::standing(store.as_ref(), &keyring).await?;
    let left = keys::left_behind(store.as_ref(), &keyring).await?;
    for (at, id) in keyring.ids().iter().enumerate() {
        println!(
            "{id}  {}",
            if at == 0 { "seals and opens" } else { "opens" }
        );
    }
    println!("Stored secrets under another key than the first: {left}");
    if standing == keys::Standing::Rotating || left > 0 {
        println!("Run `keys rotate` to rewrite them.");
    }
    Ok(())
}

/// `keys rotate`
pub(crate) async fn rotate(composition: Composition, options: RotateOptions) -> anyhow::Result<()> {
    let config = Config::read(&composition, &env)?;
    let source = config.key_source(&env)?;
    let before = config.keyring(&env)?;
    let store = assemble::open(&config).await?;
    store
        .ready()
        .await
        .context("run the migrate command first")?;
    // The keys at hand must be the database's before a new one is added to them.
    keys::guard(store.as_ref(), &before).await?;
    let wanted = options.new || options.new_key_stdin || before.ids().len() == 1;
    let keyring = if wanted {
        add_key(&source, options.new_key_stdin)?;
        config.keyring(&env)?
    } else {
        before
    };
    crash::point("keys.after_new_key");
    let done = keys::rotate(store.as_ref(), &keyring).await?;
    report(&done, &keyring, options.json)?;
    if done.left > 0 {
        return Err(Exit(1).into());
    }
    if options.drop_old {
        drop_old(store.as_ref(), &source, &keyring).await?;
    }
    Ok(())
}

fn file(source: &KeySource) -> Option<&PathBuf> {
    match source {
        KeySource::Variable(_) => None,
        KeySource::File(path) | KeySource::Own(path) => Some(path),
    }
}

fn add_key(source: &KeySource, from_stdin: bool) -> anyhow::Result<()> {
    let Some(path) = file(source) else {
        bail!(
            "The master key is in DAYBIND_MASTER_KEY, which this command cannot change. Make a key with `openssl rand \
             -base64 32`, set DAYBIND_MASTER_KEY to the new key, a comma and the present key, restart every server, \
             and run this command again"
        );
    };
    let fresh = if from_stdin {
        let mut text = String::new();
        std::io::stdin().take(1024).read_to_string(&mut text)?;
        SecretString::from(text.trim())
    } else {
        Keyring::generate()
    };
    if fresh.expose_secret().contains([',', '\n']) {
        bail!("Give one key on standard input");
    }
    let mut ring = vec![fresh];
    ring.extend(keyfile::keys(path)?);
    // Refused before the file is touched: weak, malformed, or the same key again.
    let text: Vec<&str> = ring.iter().map(ExposeSecret::expose_secret).collect();
    Keyring::parse(&SecretString::from(text.join("\n")))?;
    keyfile::replace(path, &ring)
}

fn report(done: &Rotation, keyring: &Keyring, json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(done)?);
        return Ok(());
    }
    println!("Key {} seals.", done.key);
    println!(
        "{} stored secrets rewritten; looked at: {}.",
        done.rewritten,
        done.columns.join(", ")
    );
    for bad in &done.unreadable {
        println!(
            "NOT READABLE  {}.{} of {} (MSP {}): {}. Enter that secret again in Daybind, then run this command again.",
            bad.table, bad.column, bad.row, bad.tenant_id, bad.why
        );
    }
    let old: Vec<String> = keyring.ids().into_iter().skip(1).collect();
    if done.left > 0 {
        println!(
            "{} stored secrets still need an older key. Keep these keys: {}.",
            done.left,
            old.join(", ")
        );
    } else if !old.is_empty() {
        println!(
            "Nothing in the database needs these keys any more: {}. Backups made before now still do: keep a copy as \
             long as you keep those.",
            old.join(", ")
        );
    }
    Ok(())
}

async fn drop_old(store: &dyn Store, source: &KeySource, keyring: &Keyring) -> anyhow::Result<()> {
    let Some(path) = file(source) else {
        bail!(
            "The master key is in DAYBIND_MASTER_KEY, which this command cannot change. Remove the older keys there"
        );
    };
    // Counted again: a server that has not taken up the new key may have sealed something meanwhile.
    let left = keys::left_behind(store, keyring).await?;
    if left > 0 {
        bail!(
            "{left} stored secrets were sealed under an older key just now. Run this command again"
        );
    }
    let newest = keyfile::keys(path)?.into_iter().take(1).collect::<Vec<_>>();
    keyfile::replace(path, &newest)?;
    eprintln!("The older keys were removed from {}.", path.display());
    Ok(())
}
