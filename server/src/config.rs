//! Configuration: the environment, read once, with an error that says what to do for every wrong value.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use daybind_domain::Edition;
use daybind_services::{Endpoints, Keyring};
use secrecy::SecretString;
use url::Url;

use crate::client_address::TrustedProxies;
use crate::{Composition, ReadEnv, keyfile};

/// Everything the environment decides.
#[derive(Debug)]
pub struct Config {
    /// The edition that runs.
    pub edition: Edition,
    /// `DATABASE_URL`; the embedded SQLite database when absent.
    pub database_url: Option<SecretString>,
    /// `DAYBIND_DATA_DIR`: the embedded database and the generated master key.
    pub data_dir: PathBuf,
    /// `DAYBIND_LISTEN`.
    pub listen: SocketAddr,
    /// `DAYBIND_METRICS_LISTEN`: where `/metrics` is served, if anywhere.
    pub metrics_listen: Option<SocketAddr>,
    /// `DAYBIND_PUBLIC_URL`.
    pub public_url: Url,
    /// `LEPTOS_SITE_ROOT`: the built site.
    pub site_root: String,
    /// Hosts of the outside world.
    pub endpoints: Endpoints,
    /// `DAYBIND_TRUSTED_PROXIES`: whose `X-Forwarded-For` is believed.
    pub trusted_proxies: TrustedProxies,
}

impl Config {
    /// Reads the environment.
    ///
    /// # Errors
    /// What is wrong and what to write instead.
    pub fn read(composition: &Composition, get: ReadEnv<'_>) -> anyhow::Result<Self> {
        let edition = Edition::decide(composition.built, get("DAYBIND_EDITION").as_deref())
            .map_err(anyhow::Error::msg)?;
        let listen: SocketAddr = get("DAYBIND_LISTEN")
            .unwrap_or_else(|| "127.0.0.1:3000".to_owned())
            .parse()
            .context("DAYBIND_LISTEN must be an address and a port, for example 127.0.0.1:3000")?;
        let metrics_listen = get("DAYBIND_METRICS_LISTEN")
            .filter(|text| !text.is_empty())
            .map(|text| text.parse())
            .transpose()
            .context(
                "DAYBIND_METRICS_LISTEN must be an address and a port, for example 127.0.0.1:9464",
            )?;
        let public_url = get("DAYBIND_PUBLIC_URL").unwrap_or_else(|| format!("http://{listen}"));
        let public_url = Url::parse(&public_url)
            .context("DAYBIND_PUBLIC_URL must be the address browsers use, for example https://daybind.example.com")?;
        if !matches!(public_url.scheme(), "http" | "https") || public_url.path() != "/" {
            bail!("DAYBIND_PUBLIC_URL must be http(s)://host[:port] without a path");
        }
        let mut endpoints = Endpoints::from_env(get).map_err(anyhow::Error::msg)?;
        if edition == composition.built {
            (composition.endpoints)(&mut endpoints, get).map_err(anyhow::Error::msg)?;
        }
        Ok(Self {
            edition,
            database_url: get("DATABASE_URL")
                .filter(|url| !url.is_empty())
                .map(SecretString::from),
            data_dir: get("DAYBIND_DATA_DIR")
                .unwrap_or_else(|| ".daybind".to_owned())
                .into(),
            listen,
            metrics_listen,
            public_url,
            site_root: get("LEPTOS_SITE_ROOT").unwrap_or_else(|| composition.site_root.to_owned()),
            endpoints,
            trusted_proxies: TrustedProxies::parse(
                &get("DAYBIND_TRUSTED_PROXIES").unwrap_or_default(),
            )?,
        })
    }

    /// Where the master keys are.
    ///
    /// # Errors
    /// A remote database without a configured key is refused: a key made here would be lost with this machine, and
    /// another server could not read what this one sealed.
    pub fn key_source(&self, get: ReadEnv<'_>) -> anyhow::Result<KeySource> {
        match (get("DAYBIND_MASTER_KEY"), get("DAYBIND_MASTER_KEY_FILE")) {
            (Some(_), Some(_)) => {
                bail!("Set DAYBIND_MASTER_KEY or DAYBIND_MASTER_KEY_FILE, not both")
            }
            (Some(key), None) => Ok(KeySource::Variable(SecretString::from(key))),
            (None, Some(file)) => Ok(KeySource::File(file.into())),
            (None, None) if self.database_url.is_some() => bail!(
                "DATABASE_URL is set but there is no master key. Make one with `openssl rand -base64 32`, keep it \
                 safe, and give it in DAYBIND_MASTER_KEY_FILE (a file) or DAYBIND_MASTER_KEY"
            ),
            (None, None) => Ok(KeySource::Own(self.data_dir.join("master.key"))),
        }
    }

    /// Reads the master keys, or makes one in the data directory for the embedded database.
    ///
    /// # Errors
    /// As [`Self::key_source`]; keys that are malformed or weak.
    pub fn keyring(&self, get: ReadEnv<'_>) -> anyhow::Result<Keyring> {
        match self.key_source(get)? {
            KeySource::Variable(text) => Ok(Keyring::parse(&text)?),
            KeySource::File(path) => Ok(Keyring::from_file(&path)?),
            KeySource::Own(path) => {
                if !path.exists() {
                    keyfile::create(&path)?;
                }
                Ok(Keyring::from_file(&path)?)
            }
        }
    }
}

/// Where the master keys are.
#[derive(Debug)]
pub enum KeySource {
    /// `DAYBIND_MASTER_KEY`.
    Variable(SecretString),
    /// `DAYBIND_MASTER_KEY_FILE`.
    File(PathBuf),
    /// The file in the data directory that Daybind made for its embedded database.
    Own(PathBuf),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &'static [(&'static str, &'static str)]) -> impl Fn(&str) -> Option<String> {
        move |name| {
            pairs
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        }
    }

    #[test]
    fn a_remote_database_without_a_master_key_is_refused() {
        let get = env(&[("DATABASE_URL", "postgres://db/daybind")]);
        let config = Config::read(&Composition::community(), &get).unwrap();
        let refusal = config.keyring(&get).unwrap_err().to_string();
        assert!(refusal.contains("DAYBIND_MASTER_KEY_FILE"), "{refusal}");
    }

    #[test]
    fn the_embedded_database_gets_a_private_key_that_stays() {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::read(&Composition::community(), &env(&[])).unwrap();
        config.data_dir = dir.path().to_owned();
        config.keyring(&env(&[])).unwrap();
        let path = dir.path().join("master.key");
        let first = std::fs::read(&path).unwrap();
        config.keyring(&env(&[])).unwrap();
        assert_eq!(first, std::fs::read(&path).unwrap());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(
                std::fs::metadata(&path).unwrap().permissions().mode() & 0o077,
                0
            );
        }
    }

    #[test]
    fn the_community_binary_refuses_to_be_enterprise() {
        let refusal = Config::read(
            &Composition::community(),
            &env(&[("DAYBIND_EDITION", "ee")]),
        )
        .unwrap_err();
        assert!(refusal.to_string().contains("daybind-ee"));
    }
}
