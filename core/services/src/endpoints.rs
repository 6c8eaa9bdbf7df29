//! Hosts of the outside world, as configured.

use daybind_domain::Cloud;
use url::Url;

const MICROSOFT_LOGIN: &str = "DAYBIND_MICROSOFT_LOGIN_URL";

/// The log-in hosts: which variable names them, and what they are without it. GCC High and DoD share one.
const LOGINS: [(&str, &str); 3] = [
    (MICROSOFT_LOGIN, "https://login.microsoftonline.com"),
    (
        "DAYBIND_MICROSOFT_LOGIN_URL_US_GOV",
        "https://login.microsoftonline.us",
    ),
    (
        "DAYBIND_MICROSOFT_LOGIN_URL_CHINA",
        "https://login.partner.microsoftonline.cn",
    ),
];

/// One host.
#[derive(Debug, Clone)]
struct Host {
    variable: &'static str,
    /// Without trailing slash.
    address: String,
    /// The operator named it.
    named: bool,
    /// The operator named it, or every installation needs it.
    wanted: bool,
}

/// Base addresses of providers. The Community edition knows Microsoft's log-in only; the Enterprise entry adds the
/// calendar hosts under names of its own, so that no Community file names them.
#[derive(Debug, Clone)]
pub struct Endpoints {
    hosts: Vec<Host>,
}

impl Endpoints {
    /// Reads the environment through `get`.
    ///
    /// # Errors
    /// A message for the operator when a value is not an http(s) URL.
    pub fn from_env(get: &dyn Fn(&str) -> Option<String>) -> Result<Self, String> {
        let mut endpoints = Self { hosts: Vec::new() };
        for (variable, default) in LOGINS {
            if variable == MICROSOFT_LOGIN {
                endpoints.add(get, variable, default)?;
            } else {
                endpoints.add_national(get, variable, default)?;
            }
        }
        Ok(endpoints)
    }

    /// The log-in host of a cloud, without trailing slash.
    #[must_use]
    pub fn microsoft_login(&self, cloud: Cloud) -> &str {
        let (variable, default) = LOGINS[match cloud {
            Cloud::Global => 0,
            Cloud::UsGovHigh | Cloud::UsGovDod => 1,
            Cloud::China => 2,
        }];
        self.get(variable).unwrap_or(default)
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
        self.hosts.push(Host {
            variable,
            address: read(get, variable, default)?,
            named: get(variable).is_some(),
            wanted: true,
        });
        Ok(())
    }

    /// Adds a host of a national cloud, which few installations need.
    ///
    /// # Errors
    /// A message for the operator when the value is not an http(s) URL.
    pub fn add_national(
        &mut self,
        get: &dyn Fn(&str) -> Option<String>,
        variable: &'static str,
        default: &str,
    ) -> Result<(), String> {
        self.add(get, variable, default)?;
        if let Some(host) = self.hosts.last_mut() {
            host.wanted = host.named;
        }
        Ok(())
    }

    /// The hosts every installation of this edition talks to, and those of national clouds the operator named: variable
    /// and address.
    pub fn wanted(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let wanted = self.hosts.iter().filter(|host| host.wanted);
        wanted.map(|host| (host.variable, host.address.as_str()))
    }

    /// The addresses that the operator named, wherever they are.
    pub fn named(&self) -> impl Iterator<Item = &str> {
        let named = self.hosts.iter().filter(|host| host.named);
        named.map(|host| host.address.as_str())
    }

    /// Every variable that names a host.
    pub fn variables(&self) -> impl Iterator<Item = &'static str> {
        self.hosts.iter().map(|host| host.variable)
    }

    /// The address stored under a variable's name, without trailing slash.
    #[must_use]
    pub fn get(&self, variable: &str) -> Option<&str> {
        let host = self.hosts.iter().find(|host| host.variable == variable);
        host.map(|host| host.address.as_str())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cloud_has_its_log_in() {
        let endpoints = Endpoints::from_env(&|_| None).unwrap();
        let hosts = Cloud::ALL.map(|cloud| endpoints.microsoft_login(cloud));
        assert_eq!(
            hosts,
            [
                "https://login.microsoftonline.com",
                "https://login.microsoftonline.us",
                "https://login.microsoftonline.us",
                "https://login.partner.microsoftonline.cn",
            ]
        );
        assert_eq!(endpoints.wanted().count(), 1, "few need another cloud");

        let own = |name: &str| {
            (name == "DAYBIND_MICROSOFT_LOGIN_URL_CHINA").then(|| "http://own.test/x/".to_owned())
        };
        let endpoints = Endpoints::from_env(&own).unwrap();
        assert_eq!(endpoints.microsoft_login(Cloud::China), "http://own.test/x");
        assert_eq!(
            endpoints.microsoft_login(Cloud::UsGovDod),
            "https://login.microsoftonline.us"
        );
        assert_eq!(endpoints.wanted().count(), 2);
        assert_eq!(endpoints.variables().count(), 3);
    }
}
