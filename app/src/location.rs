//! Addresses of settings and profile, and where stale ones lead (PRD, "Calendar Surface Contract").

use daybind_domain::Edition;

/// The query of a settings or profile address, decoded.
pub type Query<'a> = &'a [(String, String)];

/// Where a request for `path` with `query` should be sent instead, if anywhere.
///
/// Unknown parameters are kept. In Community `category=calendar` leads to Providers with a notice, `tab=calendar` to the
/// profile without one.
#[must_use]
pub fn canonical(edition: Edition, path: &str, query: Query<'_>) -> Option<String> {
    let value = |name: &str| {
        query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    let calendar = edition.calendar_available();
    match path {
        "/msp/settings" | "/msp/settings/integrations" => {
            let category = value("category").unwrap_or_default();
            let wanted = category.to_ascii_lowercase();
            let valid = ["providers", "sign-in", "login-domains"].contains(&wanted.as_str())
                || (calendar && wanted == "calendar");
            let target = if valid { wanted.as_str() } else { "providers" };
            let settled = path == "/msp/settings"
                && category == target
                && value("tab") == Some("integrations");
            (!settled).then(|| {
                let mut next = vec![("tab", "integrations"), ("category", target)];
                if wanted == "calendar" && !valid {
                    next.push(("notice", "enterprise"));
                }
                address(
                    "/msp/settings",
                    &next,
                    query,
                    &["tab", "category", "notice"],
                )
            })
        }
        "/msp/profile" => {
            let tab = value("tab").unwrap_or_default();
            let wanted = tab.to_ascii_lowercase();
            let valid = matches!(wanted.as_str(), "profile" | "security")
                || (calendar && wanted == "calendar");
            let target = if valid { wanted.as_str() } else { "profile" };
            (tab != target).then(|| address("/msp/profile", &[("tab", target)], query, &["tab"]))
        }
        "/msp/operations" => {
            let view = value("view").unwrap_or_default();
            let valid = view == "audit" || (calendar && matches!(view, "activity" | "health"));
            (!valid).then(|| address("/msp/operations", &[("view", "audit")], query, &["view"]))
        }
        "/" | "/msp" => Some("/msp/schedule".to_owned()),
        _ => None,
    }
}

fn address(path: &str, set: &[(&str, &str)], query: Query<'_>, replaced: &[&str]) -> String {
    let kept = query
        .iter()
        .filter(|(key, _)| !replaced.contains(&key.as_str()))
        .map(|(key, value)| (key.as_str(), value.as_str()));
    let parts: Vec<String> = set
        .iter()
        .copied()
        .chain(kept)
        .map(|(key, value)| format!("{}={}", encode(key), encode(value)))
        .collect();
    format!("{path}?{}", parts.join("&"))
}

/// Percent-encodes everything but unreserved characters (RFC 3986 section 2.3).
#[must_use]
pub fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn go(edition: Edition, path: &str, query: &[(&str, &str)]) -> Option<String> {
        let query: Vec<_> = query
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        canonical(edition, path, &query)
    }

    #[test]
    fn community_sends_calendar_addresses_to_valid_places() {
        assert_eq!(
            go(
                Edition::Community,
                "/msp/settings",
                &[("tab", "integrations"), ("category", "calendar")]
            )
            .as_deref(),
            Some("/msp/settings?tab=integrations&category=providers&notice=enterprise")
        );
        assert_eq!(
            go(
                Edition::Community,
                "/msp/profile",
                &[("tab", "Calendar"), ("x", "ä&b")]
            )
            .as_deref(),
            Some("/msp/profile?tab=profile&x=%C3%A4%26b")
        );
    }

    #[test]
    fn enterprise_keeps_calendar_addresses() {
        assert_eq!(
            go(
                Edition::Enterprise,
                "/msp/settings",
                &[("tab", "integrations"), ("category", "calendar")]
            ),
            None
        );
        assert_eq!(
            go(Edition::Enterprise, "/msp/profile", &[("tab", "calendar")]),
            None
        );
        assert_eq!(
            go(
                Edition::Enterprise,
                "/msp/profile",
                &[("tab", "Calendar"), ("calendarAuth", "success")]
            )
            .as_deref(),
            Some("/msp/profile?tab=calendar&calendarAuth=success")
        );
    }

    #[test]
    fn both_editions_keep_login_domains_and_security() {
        for edition in [Edition::Community, Edition::Enterprise] {
            let domains = [("tab", "integrations"), ("category", "login-domains")];
            assert_eq!(go(edition, "/msp/settings", &domains), None);
            assert_eq!(go(edition, "/msp/profile", &[("tab", "security")]), None);
        }
    }

    #[test]
    fn a_canonical_address_is_a_fixed_point() {
        for edition in [Edition::Community, Edition::Enterprise] {
            for (path, query) in [
                ("/msp/settings", vec![]),
                ("/msp/settings/integrations", vec![("category", "nonsense")]),
                ("/msp/profile", vec![("tab", "nope")]),
                ("/msp/operations", vec![("action", "binding.")]),
            ] {
                let next = go(edition, path, &query).expect("moved");
                let (path, query) = next.split_once('?').expect("a query");
                let query: Vec<_> = query.split('&').filter_map(|p| p.split_once('=')).collect();
                assert_eq!(go(edition, path, &query), None);
            }
        }
    }
}
