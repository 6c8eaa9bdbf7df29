//! Checks of what is on this machine and in the database.

use chrono::Utc;
use daybind_services::Keyring;
use daybind_services::keys::{self, Standing};
use daybind_storage::Store;
use secrecy::ExposeSecret as _;

use super::Finding;
use crate::ReadEnv;
use crate::config::{Config, KeySource};

/// Variables every edition reads; hosts of the outside world are added by the edition.
const KNOWN: &[&str] = &[
    "DAYBIND_DATA_DIR",
    "DAYBIND_DNS_SERVER",
    "DAYBIND_EDITION",
    "DAYBIND_GOOGLE_CALLS_PER_MINUTE",
    "DAYBIND_HISTORY_DAYS",
    "DAYBIND_IMPORT_FROM",
    "DAYBIND_LISTEN",
    "DAYBIND_LOG",
    "DAYBIND_LOG_FORMAT",
    "DAYBIND_MASTER_KEY",
    "DAYBIND_MASTER_KEY_FILE",
    "DAYBIND_METRICS_LISTEN",
    "DAYBIND_PUBLIC_URL",
    "DAYBIND_TRUSTED_PROXIES",
];

/// A misspelt variable is silently without effect; here it is named.
pub(super) fn unknown_variables(config: &Config, variables: &[String]) -> Vec<Finding> {
    let known: Vec<&str> = KNOWN
        .iter()
        .copied()
        .chain(config.endpoints.variables())
        .collect();
    variables
        .iter()
        .filter(|name| name.starts_with("DAYBIND_") && !name.starts_with("DAYBIND_TEST_"))
        .filter(|name| !known.contains(&name.as_str()))
        .map(|name| {
            let nearest = known
                .iter()
                .min_by_key(|known| distance(known, name))
                .filter(|known| distance(known, name) <= 4);
            Finding::warn(
                "environment",
                format!("{name} is set, but this edition does not read it"),
                nearest.map_or_else(
                    || "Remove it; README.md lists the variables there are.".to_owned(),
                    |nearest| format!("Did you mean {nearest}? If not, remove it."),
                ),
            )
        })
        .collect()
}

/// Edits from one name to the other (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, y) in row.iter_mut().skip(1).zip(b.bytes()) {
            let best = (diagonal + usize::from(x != y))
                .min(left + 1)
                .min(*cell + 1);
            diagonal = *cell;
            *cell = best;
            left = best;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

pub(super) fn public_url(config: &Config) -> Finding {
    const CHECK: &str = "public URL";
    let url = &config.public_url;
    let shown = url.as_str().trim_end_matches('/').to_owned();
    let local = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let unspecified = match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_unspecified(),
        Some(url::Host::Ipv6(address)) => address.is_unspecified(),
        _ => false,
    };
    if unspecified {
        Finding::fail(
            CHECK,
            format!("{shown} is an address to listen on, not one to visit"),
            "Set DAYBIND_PUBLIC_URL to the address browsers use, for example https://daybind.example.com.",
        )
    } else if !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        Finding::fail(
            CHECK,
            "it has more in it than scheme, host and port",
            "Set DAYBIND_PUBLIC_URL to https://host[:port].",
        )
    } else if local {
        Finding::warn(
            CHECK,
            format!("{shown} is this computer only"),
            "Fine for trying out. For others, set DAYBIND_PUBLIC_URL to the https address they use.",
        )
    } else if url.scheme() != "https" {
        Finding::fail(
            CHECK,
            format!(
                "{shown} is not https: Microsoft refuses its redirect URIs, and cookies travel in the clear"
            ),
            "Put a reverse proxy with a certificate in front and set DAYBIND_PUBLIC_URL to its https address.",
        )
    } else if !url.host_str().is_some_and(|host| host.contains('.')) {
        Finding::warn(
            CHECK,
            format!("{shown} has a name that only resolves inside a network"),
            "Use a full name if people or providers outside the network must reach it.",
        )
    } else {
        Finding::ok(CHECK, shown)
    }
}

/// The keys as configured, without making any.
pub(super) fn keyring(config: &Config, get: ReadEnv<'_>) -> Result<Keyring, Finding> {
    const CHECK: &str = "master key";
    let fail = |error: String| {
        Finding::fail(
            CHECK,
            error,
            "Give the key in DAYBIND_MASTER_KEY_FILE or DAYBIND_MASTER_KEY; docs/runbook.md, \"Master key\".",
        )
    };
    let read = match config.key_source(get) {
        Ok(KeySource::Own(path)) if !path.exists() => {
            return Err(Finding::warn(
                CHECK,
                "there is none yet",
                "Start Daybind once; it makes one for its embedded database.",
            ));
        }
        Ok(KeySource::Variable(text)) => Keyring::parse(&text),
        Ok(KeySource::File(path) | KeySource::Own(path)) => Keyring::from_file(&path),
        Err(error) => return Err(fail(format!("{error:#}"))),
    };
    read.map_err(|error| fail(error.to_string()))
}

/// Who may read the key file.
pub(super) fn key_file(config: &Config, get: ReadEnv<'_>) -> Option<Finding> {
    const CHECK: &str = "master key file";
    let Ok(KeySource::File(path) | KeySource::Own(path)) = config.key_source(get) else {
        return None;
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&path).ok()?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Some(Finding::warn(
                CHECK,
                format!(
                    "others than its owner have rights to {} ({mode:03o})",
                    path.display()
                ),
                format!("chmod 600 {}", path.display()),
            ));
        }
    }
    path.exists()
        .then(|| Finding::ok(CHECK, path.display().to_string()))
}

pub(super) async fn schema(store: &dyn Store) -> Finding {
    const CHECK: &str = "schema";
    match store.schema().await {
        Err(error) => Finding::fail(
            CHECK,
            error.to_string(),
            "Run the migrate command; if that fails, its message says why.",
        ),
        Ok(state) if state.known == state.applied => Finding::ok(
            CHECK,
            format!(
                "version {}",
                state.applied.last().copied().unwrap_or_default()
            ),
        ),
        Ok(state)
            if state
                .known
                .iter()
                .all(|version| state.applied.contains(version)) =>
        {
            Finding::warn(
                CHECK,
                format!(
                    "the database has version {}, this program knows {}",
                    state.applied.last().copied().unwrap_or_default(),
                    state.known.last().copied().unwrap_or_default()
                ),
                "The database belongs to a newer Daybind. This one works for the time of a roll-out; upgrade it.",
            )
        }
        Ok(state) => {
            let missing: Vec<String> = state
                .known
                .iter()
                .filter(|version| !state.applied.contains(version))
                .map(i64::to_string)
                .collect();
            Finding::fail(
                CHECK,
                format!("migrations are missing: {}", missing.join(", ")),
                "Make a backup, then run the migrate command.",
            )
        }
    }
}

pub(super) async fn database_clock(store: &dyn Store) -> Finding {
    const CHECK: &str = "database clock";
    match store.clock().await {
        Ok(theirs) => super::hosts::skew(CHECK, "the database's", theirs - Utc::now()),
        Err(error) => Finding::fail(CHECK, error.to_string(), "See the database check."),
    }
}

pub(super) async fn canary(store: &dyn Store, keyring: &Keyring) -> Finding {
    const CHECK: &str = "master key";
    let ids = keyring.ids().join(", ");
    match keys::standing(store, keyring).await {
        Ok(Standing::Current) => match keys::left_behind(store, keyring).await {
            Ok(0) => Finding::ok(CHECK, format!("opens the canary (keys: {ids})")),
            Ok(left) => Finding::warn(
                CHECK,
                format!("{left} stored secrets are under an older key or form"),
                "Run `keys rotate`; keep the older keys until it says that nothing needs them.",
            ),
            Err(error) => Finding::fail(CHECK, error.to_string(), "See the database check."),
        },
        Ok(Standing::Rotating) => Finding::warn(
            CHECK,
            format!("a rotation has not finished (keys: {ids})"),
            "Run `keys rotate` again; it goes on where it stopped.",
        ),
        Ok(Standing::New) => Finding::ok(
            CHECK,
            format!("usable; the canary is written at the first start (keys: {ids})"),
        ),
        Err(error) => Finding::fail(
            CHECK,
            error.to_string(),
            "Servers refuse to start with this key. Restore the right one; docs/runbook.md, \"Master key\".",
        ),
    }
}

/// Drivers do not print passwords, but a URL that could not be read may be quoted.
pub(super) fn without_password(text: &str, config: &Config) -> String {
    let Some(url) = &config.database_url else {
        return text.to_owned();
    };
    let text = text.replace(url.expose_secret(), "DATABASE_URL");
    match url::Url::parse(url.expose_secret()) {
        Ok(url) => match url.password() {
            Some(password) if !password.is_empty() => text.replace(password, "…"),
            _ => text,
        },
        Err(_) => text,
    }
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn counts_edits() {
        assert_eq!(distance("DAYBIND_LISTEN", "DAYBIND_LISTEN"), 0);
        assert_eq!(distance("DAYBIND_LISTEN", "DAYBIND_LISEN"), 1);
        assert_eq!(distance("abc", "xbcd"), 2);
        assert_eq!(distance("", "abc"), 3);
    }
}
