//! Where to go on to after signing in: a path of ours, or the schedule.

use url::Url;

/// Where one goes without another wish.
pub const HOME: &str = "/msp/schedule";

/// Reads a wish. Whatever is not plainly a path of the MSP's side on this server becomes [`HOME`], so that no link can
/// send people elsewhere after they signed in (CWE-601).
#[must_use]
pub fn return_to(wish: &str) -> String {
    inside(wish).unwrap_or_else(|| HOME.to_owned())
}

fn inside(wish: &str) -> Option<String> {
    let odd = |c: char| !c.is_ascii_graphic() || matches!(c, '\\' | '#' | '"' | '<' | '>' | '`');
    if wish.len() > 2000 || wish.chars().any(odd) || !wish.starts_with("/msp/") {
        return None;
    }
    let base = Url::parse("https://daybind.invalid/").ok()?;
    let target = base.join(wish).ok()?;
    let (path, query) = (target.path(), target.query());
    // Whatever a later decoder could read as a separator, a dot segment or a control character stays out of the path.
    let encoded = path.contains('%') || path.contains("//") || path.contains("/.");
    // A path that reading changes is none of our links; neither is the bare folder, which is no page.
    let changed = wish.split('?').next() != Some(path) || path == "/msp/";
    if target.origin() != base.origin() || encoded || changed {
        return None;
    }
    Some(match query {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every trick we know to leave the host, in every spelling: hosts, schemes, separators, encodings, control characters.
    fn corpus() -> Vec<String> {
        let hosts = [
            "evil.test",
            "evil.test:443",
            "user@evil.test",
            "127.0.0.1",
            "[::1]",
            "2130706433",
        ];
        let slashes = [
            "//",
            "///",
            "////",
            "/\\",
            "\\\\",
            "\\/",
            "/\t/",
            "/\n/",
            "/\r/",
            "/%09/",
            "/%0a/",
            "/%5c",
            "%2f%2f",
            "/%2f",
            "%5c%5c",
            "/.//",
            "/./\\",
            "/\u{3000}/",
            "\u{ff0f}\u{ff0f}",
            "/\u{200b}/",
            "/;/",
            "/@",
        ];
        let schemes = [
            "http://",
            "https://",
            "HTTPS://",
            "https:",
            "https:/",
            "https:///",
            "http:\\\\",
            "javascript:alert(1)//",
            "java\tscript:alert(1)//",
            "data:text/html,",
            "vbscript:",
            "ftp://",
            "file:///",
            "blob:https://",
            "//\\",
            " https://",
            "\thttps://",
            "\u{0}https://",
            "view-source:https://",
            "msp://",
        ];
        let mut all = Vec::new();
        for host in hosts {
            for slash in slashes {
                all.push(format!("{slash}{host}"));
                all.push(format!("{slash}{host}/msp/schedule"));
            }
            for scheme in schemes {
                all.push(format!("{scheme}{host}/msp/"));
            }
        }
        for path in [
            "",
            "/",
            "msp/schedule",
            "/msp",
            "/mspx/",
            "/MSP/schedule",
            "/%6dsp/schedule",
            "/msp/../auth/msp/signout",
            "/msp/..//evil.test",
            "/msp/../../evil.test",
            "/msp/%2e%2e/auth",
            "/msp/.%2e/auth",
            "/msp/..%2fauth",
            "/msp/..%5cauth",
            "/msp/\\evil.test",
            "/msp/\\\\evil.test",
            "/msp//evil.test",
            "/msp/%2f%2fevil.test",
            "/msp/a\r\nSet-Cookie: x=1",
            "/msp/a%0d%0aSet-Cookie:%20x=1",
            "/msp/\u{0}",
            "/msp/a b",
            "/msp/<script>",
            "/msp/\"onload=x",
            "/msp/./schedule/..",
            "/msp/#@evil.test",
            "/auth/msp/signout",
            "/api/auth/callback/azure-ad",
            "/_fn/unlink",
            "//msp/schedule",
            "/\u{2028}/msp/",
            "/msp/\u{202e}gnp",
            "?next=/msp/",
            "#/msp/",
            "..",
            "../msp/",
            ".",
            "./msp/schedule",
            "/msp/.",
            "/msp/..",
        ] {
            all.push(path.to_owned());
        }
        all
    }

    /// M-16, T21: more than 300 ways out, none of which leads out.
    #[test]
    fn no_wish_leads_out() {
        let corpus = corpus();
        assert!(corpus.len() > 300, "{}", corpus.len());
        let here = Url::parse("https://daybind.example/auth/msp/signin").unwrap();
        for wish in corpus {
            let answer = return_to(&wish);
            assert_eq!(answer, HOME, "{wish:?}");
            let target = here.join(&answer).unwrap();
            assert_eq!(target.origin(), here.origin(), "{wish:?}");
        }
        assert_eq!(return_to(&format!("/msp/{}", "a".repeat(5000))), HOME);
    }

    #[test]
    fn our_own_pages_are_kept_with_their_query() {
        for wish in [
            "/msp/schedule",
            "/msp/profile?tab=calendar",
            "/msp/settings?tab=integrations&category=providers",
            "/msp/schedule?week=2026-06-01&entry=0dea0000-0000-4000-8000-000000000021",
        ] {
            assert_eq!(return_to(wish), wish);
        }
        // A query may hold anything: it is only ever data.
        assert_eq!(
            return_to("/msp/profile?x=%2f%2fevil.test&y=https://evil.test"),
            "/msp/profile?x=%2f%2fevil.test&y=https://evil.test"
        );
    }
}
