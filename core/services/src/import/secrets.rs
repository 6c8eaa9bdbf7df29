//! The predecessor's secret store, where it is a directory: `<directory>/tenants/<tenant id>/<secret name>`.

use std::path::{Path, PathBuf};

use daybind_domain::ids::TenantId;
use daybind_domain::profile::check_secret;
use secrecy::{ExposeSecret as _, SecretString};

use super::facts::{ClientSecret, Legacy};

/// No secret is longer.
const LIMIT: u64 = 16 * 1024;

/// A directory of tenant secrets.
#[derive(Debug, Clone)]
pub struct SecretStore {
    root: PathBuf,
}

impl SecretStore {
    /// A store rooted there.
    ///
    /// # Errors
    /// What to give instead when there is no such directory, or it has no `tenants` in it.
    pub fn open(root: &Path) -> Result<Self, String> {
        if root.join("tenants").is_dir() {
            Ok(Self {
                root: root.to_owned(),
            })
        } else {
            Err(format!(
                "{} has no directory `tenants` in it. Give the predecessor's secrets directory, or leave --secrets out",
                root.display()
            ))
        }
    }

    pub(super) fn client_secret(&self, tenant_id: TenantId, name: &str) -> ClientSecret {
        match self.read(tenant_id, name) {
            Ok(None) => ClientSecret::Absent,
            Ok(Some(text)) if text.expose_secret().is_empty() => ClientSecret::Absent,
            Ok(Some(text)) if text.expose_secret().starts_with("enc:") => {
                ClientSecret::Unusable("it is encrypted".to_owned())
            }
            Ok(Some(text)) => match check_secret(text.expose_secret()) {
                Ok(secret) => ClientSecret::Found(SecretString::from(secret)),
                Err(why) => ClientSecret::Unusable(why),
            },
            Err(why) => ClientSecret::Unusable(why),
        }
    }

    pub(super) fn legacy(&self, tenant_id: TenantId) -> Option<Legacy> {
        let plain = |name| {
            let text = self.read(tenant_id, name).ok().flatten()?;
            Some(text.expose_secret().to_lowercase()).filter(|text| !text.is_empty())
        };
        Some(Legacy {
            client_id: plain("microsoft_client_id")?,
            directory_id: plain("microsoft_tenant_id"),
        })
    }

    /// `None` when there is no such secret. The name comes from the database and must stay a name.
    fn read(&self, tenant_id: TenantId, name: &str) -> Result<Option<SecretString>, String> {
        let plain = !name.is_empty()
            && name.len() <= 200
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
        if !plain {
            return Err("the name under which it is stored is not a plain name".to_owned());
        }
        let path = self
            .root
            .join("tenants")
            .join(tenant_id.to_string())
            .join(name);
        match std::fs::metadata(&path) {
            Ok(found) if found.is_file() && found.len() <= LIMIT => {}
            Ok(_) => return Err("what is stored is no secret".to_owned()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("its file cannot be read ({})", error.kind())),
        }
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Some(SecretString::from(text.trim()))),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                Err("it is not text; it may be encrypted".to_owned())
            }
            Err(error) => Err(format!("its file cannot be read ({})", error.kind())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn reads_what_is_a_secret_and_says_why_the_rest_is_not() {
        let dir = tempfile::tempdir().unwrap();
        assert!(SecretStore::open(dir.path()).is_err());
        let tenant = TenantId(Uuid::from_u128(7));
        let own = dir.path().join("tenants").join(tenant.to_string());
        std::fs::create_dir_all(&own).unwrap();
        std::fs::write(own.join("good"), " q8Q~value \n").unwrap();
        std::fs::write(own.join("guid"), "22222222-2222-4222-8222-222222222222").unwrap();
        std::fs::write(own.join("binary"), [0xff, 0xfe, 0x00]).unwrap();
        std::fs::write(own.join("sealed"), "enc:AAAA").unwrap();
        std::fs::write(dir.path().join("outside"), "not yours").unwrap();
        let store = SecretStore::open(dir.path()).unwrap();
        match store.client_secret(tenant, "good") {
            ClientSecret::Found(secret) => assert_eq!(secret.expose_secret(), "q8Q~value"),
            other => panic!("{other:?}"),
        }
        for name in ["guid", "binary", "sealed", "../../outside", ""] {
            assert!(
                matches!(store.client_secret(tenant, name), ClientSecret::Unusable(_)),
                "{name}"
            );
        }
        assert!(matches!(
            store.client_secret(tenant, "absent"),
            ClientSecret::Absent
        ));
    }
}
