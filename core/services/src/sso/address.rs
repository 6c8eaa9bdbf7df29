//! The address somebody typed on the first step of signing in, kept for the second: in a short-lived cookie, so that it
//! stands in no link, no history and no log line.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::context::Services;

/// The longest address (RFC 5321 section 4.5.3.1.3, without the angle brackets).
const LONGEST: usize = 254;

/// The cookie's name.
#[must_use]
pub fn address_cookie(services: &Services) -> &'static str {
    if services.public_url.scheme() == "https" {
        "__Host-daybind-address"
    } else {
        "daybind-address"
    }
}

/// What somebody typed, as an address; `None` for what cannot be one. Nobody is looked up.
#[must_use]
pub fn typed_address(text: &str) -> Option<String> {
    let text = text.trim();
    let (local, domain) = text.rsplit_once('@')?;
    let plain = !text.chars().any(|c| c.is_control() || c.is_whitespace());
    (plain && text.len() <= LONGEST && !local.is_empty() && !domain.is_empty())
        .then(|| text.to_owned())
}

/// The cookie's value for an address.
#[must_use]
pub fn write_address(address: &str) -> String {
    URL_SAFE_NO_PAD.encode(address)
}

/// The address in a cookie's value; `None` for anything this server would not have written.
#[must_use]
pub fn read_address(value: &str) -> Option<String> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(value).ok()?).ok()?;
    typed_address(&text).filter(|address| *address == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_survives_its_cookie_and_nothing_else_does() {
        for address in ["tess@contoso.example", "\"a@b\"@c", "ü@exämple.test"] {
            let value = write_address(typed_address(address).as_deref().unwrap());
            assert!(
                value
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
            );
            assert_eq!(read_address(&value).as_deref(), Some(address));
        }
        assert_eq!(typed_address(" a@b ").as_deref(), Some("a@b"));
        let long = format!("{}@b", "a".repeat(254));
        for wrong in ["", "a", "@b", "a@", "a b@c", "a@b\r\nX: y", &long] {
            assert_eq!(typed_address(wrong), None, "{wrong:?}");
            assert_eq!(read_address(&write_address(wrong)), None, "{wrong:?}");
        }
        assert_eq!(read_address("%%%"), None);
        assert_eq!(read_address(&write_address(" a@b")), None);
    }
}
