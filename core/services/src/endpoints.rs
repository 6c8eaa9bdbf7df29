//! Hosts of the outside world, as configured.

use std::collections::BTreeMap;

use url::Url;

const MICROSOFT_LOGIN: &str = "DAYBIND_MICROSOFT_LOGIN_URL";

/// Base addresses of providers. The Community edition knows Microsoft's log-in only; the Enterprise entry adds the
/// calendar hosts under names of its own, so that no Community file names them.
#[derive(Debug, Clone)]
pub struct Endpoints {
    /// `DAYBIND_MICROSOFT_LOGIN_URL`, without trailing slash.
    pub microsoft_login: String,
    more: BTreeMap<&'static str, String>,
}

impl Endpoints {
    /// Reads the environment through `get`.
    ///
    /// # Errors
    /// A message for the operator when a value is not an http(s) URL.
    pub fn from_env(get: &dyn Fn(&str) -> Option<String>) -> Result<Self, String> {
        Ok(Self {
            microsoft_login: read(get, MICROSOFT_LOGIN, "https://login.microsoftonline.com")?,
            more: BTreeMap::new(),
        })
    }

    /// Adds a host the Enterprise entry needs: environment variable and default.
    ///
    /// # Errors
    /// A message for the operator when the value is not an http(s) URL.
    pub fn add(
        &mut self,
        get: &dyn Fn(&str) -> Option<String>,
        variable: &'static str,
        default: &str,
    ) -> Result<(), String> {
        let value = read(get, variable, default)?;
        self.more.insert(variable, value);
        Ok(())
    }

    /// Every host this edition talks to: variable and address.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, &str)> {
        std::iter::once((MICROSOFT_LOGIN, self.microsoft_login.as_str())).chain(
            self.more
                .iter()
                .map(|(variable, address)| (*variable, address.as_str())),
        )
    }

    /// The address stored under a variable's name, without trailing slash.
    #[must_use]
    pub fn get(&self, variable: &str) -> Option<&str> {
        self.more.get(variable).map(String::as_str)
    }
}

fn read(
    get: &dyn Fn(&str) -> Option<String>,
    variable: &str,
    default: &str,
) -> Result<String, String> {
    let text = get(variable).unwrap_or_else(|| default.to_owned());
    let url = Url::parse(text.trim())
        .map_err(|error| format!("{variable} is not a URL ({error}). Example: {default}"))?;
    if matches!(url.scheme(), "http" | "https") && url.host().is_some() {
        Ok(url.as_str().trim_end_matches('/').to_owned())
    } else {
        Err(format!(
            "{variable} must be an http or https URL. Example: {default}"
        ))
    }
}
