//! Domain names as people type them, brought to the one form that is stored and compared.

use url::Host;

use daybind_words::t;

/// Mail services anybody can have an address at: nobody's login domain.
const CONSUMER_MAIL: &[&str] = &[
    "126.com",
    "163.com",
    "aol.com",
    "fastmail.com",
    "free.fr",
    "freenet.de",
    "gmail.com",
    "gmx.at",
    "gmx.ch",
    "gmx.com",
    "gmx.de",
    "gmx.net",
    "googlemail.com",
    "hey.com",
    "hotmail.co.uk",
    "hotmail.com",
    "hotmail.de",
    "hotmail.fr",
    "hotmail.it",
    "icloud.com",
    "laposte.net",
    "libero.it",
    "live.co.uk",
    "live.com",
    "live.de",
    "live.fr",
    "mac.com",
    "mail.com",
    "mail.ru",
    "me.com",
    "msn.com",
    "orange.fr",
    "outlook.com",
    "outlook.de",
    "outlook.fr",
    "posteo.de",
    "proton.me",
    "protonmail.com",
    "qq.com",
    "t-online.de",
    "tuta.com",
    "tutanota.com",
    "web.de",
    "yahoo.co.jp",
    "yahoo.co.uk",
    "yahoo.com",
    "yahoo.de",
    "yahoo.fr",
    "yandex.com",
    "yandex.ru",
    "zoho.com",
];

/// The stored form of a domain: ASCII (IDNA, UTS #46), lower case, no trailing dot. Accepts what people paste: an email
/// address, a web address, a leading `@`.
///
/// # Errors
/// What is wrong and what to enter instead.
pub fn normalise(text: &str) -> Result<String, String> {
    let example = t!("Enter a domain like contoso.com.");
    let text = text.trim();
    let text = text.strip_prefix("mailto:").unwrap_or(text);
    let text = text.split_once("://").map_or(text, |(_, rest)| rest);
    let text = text.split(['/', '?', '#']).next().unwrap_or_default();
    let text = text.rsplit('@').next().unwrap_or_default();
    let text = text.strip_suffix('.').unwrap_or(text);
    if text.is_empty() {
        return Err(example.to_owned());
    }
    let Ok(Host::Domain(name)) = Host::parse(text) else {
        return Err(t!("This is not a domain name. {example}"));
    };
    let labels: Vec<&str> = name.split('.').collect();
    // RFC 1035 section 2.3.4 and RFC 1123 section 2.1.
    let sound = name.len() <= 253
        && labels.iter().all(|label| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        });
    if !sound {
        return Err(t!("This is not a domain name. {example}"));
    }
    if labels.len() < 2 {
        return Err(t!("A single word is not enough. {example}"));
    }
    Ok(name)
}

/// As [`normalise`], and refuses what can be nobody's login domain: public suffixes and consumer mail services.
///
/// # Errors
/// What is wrong and what to enter instead.
pub fn login_domain(text: &str) -> Result<String, String> {
    let name = normalise(text)?;
    // The Public Suffix List: `co.uk` or `github.io` belong to everybody below them.
    if psl::domain(name.as_bytes()).is_none() {
        return Err(t!(
            "{name} is shared by many organisations. Enter your own domain below it."
        ));
    }
    if CONSUMER_MAIL.binary_search(&name.as_str()).is_ok() {
        return Err(t!(
            "Anybody can have an address at {name}, so it cannot lead to one MSP. Enter your organisation's own domain."
        ));
    }
    Ok(name)
}

/// The stored form of the domain of an email address; `None` when there is none.
#[must_use]
pub fn of_email(email: &str) -> Option<String> {
    let (_, domain) = email.rsplit_once('@')?;
    normalise(domain).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_paste_becomes_one_form() {
        for typed in [
            "contoso.com",
            " Contoso.COM. ",
            "@contoso.com",
            "mailto:ada@contoso.com",
            "ada@contoso.com",
            "https://contoso.com/path?x#y",
        ] {
            assert_eq!(login_domain(typed).as_deref(), Ok("contoso.com"), "{typed}");
        }
        // IDNA: the Unicode and the ASCII spelling are the same domain.
        assert_eq!(
            login_domain("Bücher.example").as_deref(),
            Ok("xn--bcher-kva.example")
        );
        assert_eq!(
            login_domain("xn--bcher-kva.example").as_deref(),
            Ok("xn--bcher-kva.example")
        );
        // Full-width letters are folded, so that no look-alike of the same name slips past.
        assert_eq!(
            login_domain("ｃｏｎｔｏｓｏ.com").as_deref(),
            Ok("contoso.com")
        );
        assert_eq!(
            login_domain("mail.contoso.co.uk").as_deref(),
            Ok("mail.contoso.co.uk")
        );
        assert_eq!(login_domain("msp.test").as_deref(), Ok("msp.test"));
    }

    #[test]
    fn what_is_nobodys_domain_is_refused() {
        for typed in [
            "",
            ".",
            "@",
            "contoso",
            "192.0.2.1",
            "[::1]",
            "a b.com",
            "-a.com",
            "a_b.com",
            "a..com",
            "x.com:443",
            "com",
            "co.uk",
            "github.io",
            "gmail.com",
            "OUTLOOK.com",
            "someone@hotmail.com",
            &format!("{}.com", "a".repeat(64)),
        ] {
            assert!(login_domain(typed).is_err(), "{typed}");
        }
    }

    #[test]
    fn the_list_of_mail_services_can_be_searched() {
        assert!(CONSUMER_MAIL.is_sorted());
    }

    #[test]
    fn an_email_has_the_domain_after_the_last_at() {
        assert_eq!(
            of_email("\"a@b\"@contoso.com").as_deref(),
            Some("contoso.com")
        );
        assert_eq!(of_email("contoso.com"), None);
        assert_eq!(of_email("a@"), None);
    }
}
