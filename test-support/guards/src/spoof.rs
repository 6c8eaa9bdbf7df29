//! Addresses: nothing a request says about hosts, and nothing it asks to be sent to, leads outside.

use daybind_server::policy::Kind;
use secrecy::ExposeSecret as _;

use crate::call::Call;
use crate::seed::{PASSWORD, email};
use crate::site::Site;

const SPOOFED: [(&str, &str); 8] = [
    ("host", "evil.example"),
    ("x-forwarded-host", "evil.example"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-for", "203.0.113.7"),
    ("forwarded", "for=203.0.113.7;host=evil.example;proto=https"),
    ("x-original-url", "//evil.example/"),
    ("x-rewrite-url", "//evil.example/"),
    ("x-host", "evil.example"),
];

fn spoofed(mut call: Call) -> Call {
    for (name, value) in SPOOFED {
        call = call.header(name, value);
    }
    call
}

/// M-16: with forged Host, Forwarded and X-Forwarded-* headers every page and every reading answer is the same as
/// without, and no answer, redirect URI or link names the forged host.
pub async fn hosts_are_taken_from_the_settings_alone(site: &Site) {
    for (n, endpoint) in site.endpoints.iter().enumerate() {
        for cookie in ["", site.own.admin.as_str()] {
            let call = site.example(endpoint, &site.own, n).await.cookie(cookie);
            let forged = site.send(spoofed(call.clone())).await;
            let said = forged.everything();
            for word in ["evil.example", "203.0.113.7"] {
                assert!(!said.contains(word), "{}: {forged:?}", endpoint.path);
            }
            if !matches!(endpoint.kind, Kind::Write | Kind::Form) {
                assert_eq!(
                    forged.comparable(),
                    site.send(call).await.comparable(),
                    "{}",
                    endpoint.path
                );
            }
        }
    }
}

/// M-16: after a form without WebAssembly, the page to go back to (`Referer`) is one of ours, whatever the header says.
pub async fn a_referer_never_leads_outside(site: &Site) {
    let ours = &site.state.services.public_url;
    for endpoint in site
        .endpoints
        .iter()
        .filter(|e| matches!(e.kind, Kind::Read | Kind::Write | Kind::Form | Kind::Again))
    {
        for referer in [
            "https://evil.example/page",
            "//evil.example/",
            "http://127.0.0.1:3000@evil.example/",
            "http://127.0.0.1:3000.evil.example/",
            "javascript:alert(1)",
            "data:text/html,x",
            "\\\\evil.example",
        ] {
            for cookie in ["", site.own.client.as_str()] {
                let call = site
                    .example(endpoint, &site.own, 0)
                    .await
                    .header("accept", "text/html")
                    .header("referer", referer)
                    .cookie(cookie);
                let answer = site.send(call).await;
                if !answer.location().is_empty() {
                    let target = ours.join(answer.location()).unwrap();
                    assert_eq!(
                        target.origin(),
                        ours.origin(),
                        "{} with Referer {referer}: {answer:?}",
                        endpoint.path
                    );
                }
            }
        }
    }
}

/// M-16: `next` after sign-in leads into the MSP's pages or to the schedule, for a corpus of bypasses.
pub async fn next_never_leads_outside(site: &Site) {
    let ours = &site.state.services.public_url;
    for hostile in corpus() {
        let form = form_of(&[
            ("email", &email("admin", "own")),
            ("password", PASSWORD),
            ("next", &hostile),
        ]);
        let answer = site
            .send(Call::form("/auth/msp/signin", &form).header("accept", "text/html"))
            .await;
        let target = answer.location();
        assert_eq!(answer.status.as_u16(), 303, "{hostile:?}: {answer:?}");
        // As a browser reads it, which mends what people type: backslashes, tabs and newlines.
        let read = ours.join(target).unwrap();
        assert_eq!(read.origin(), ours.origin(), "{hostile:?} led to {target}");
        assert!(
            read.path().starts_with("/msp/"),
            "{hostile:?} led to {target}"
        );
        assert!(
            target.bytes().all(|byte| (0x20..0x7f).contains(&byte)),
            "{hostile:?} led to {target:?}"
        );
        let page = site
            .send(Call::get(&format!(
                "/auth/msp/signin?{}",
                form_of(&[("next", &hostile)])
            )))
            .await;
        assert_eq!(page.status.as_u16(), 200, "{hostile:?}");
        assert!(!page.body.contains("href=\"javascript:"), "{hostile:?}");
    }
    let again = auth_of(site).await;
    assert!(again > 0, "sign-in worked");
}

async fn auth_of(site: &Site) -> usize {
    let token = daybind_services::auth::sign_in(
        &site.state.services,
        &email("admin", "own"),
        secrecy::SecretString::from(PASSWORD),
        &daybind_services::auth::Client::default(),
    )
    .await
    .unwrap();
    token.expose_secret().len()
}

fn form_of(pairs: &[(&str, &str)]) -> String {
    let encode = |text: &str| -> String {
        text.bytes()
            .map(|byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            })
            .collect()
    };
    pairs
        .iter()
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect::<Vec<_>>()
        .join("&")
}

/// Known ways around checks of "is this address local".
fn corpus() -> Vec<String> {
    let hosts = [
        "//evil.example",
        "///evil.example",
        "////evil.example/%2f..",
        "/\\evil.example",
        "\\/evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "\t//evil.example",
        "/\n/evil.example",
        "\r\n//evil.example",
        " //evil.example",
        "https://evil.example",
        "https:evil.example",
        "https:/evil.example",
        "http:///evil.example",
        "HTTPS://evil.example",
        "//evil.example:80",
        "//user@evil.example",
        "http://127.0.0.1:3000@evil.example/msp/",
        "http://127.0.0.1:3000.evil.example/msp/",
        "http://evil.example#127.0.0.1:3000/msp/",
        "http://evil.example?127.0.0.1:3000/msp/",
        "javascript:alert(1)",
        "java\nscript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "blob:x",
        "file:///etc/passwd",
        "mailto:a@evil.example",
        "%2f%2fevil.example",
        "%5c%5cevil.example",
        "/%09/evil.example",
        "/%5cevil.example",
        ".evil.example",
        "@evil.example",
        "evil.example",
        "?next=//evil.example",
        "#//evil.example",
        "..//evil.example",
        "/..//evil.example",
        "/./\\evil.example",
        "\u{2028}//evil.example",
        "\u{3000}//evil.example",
        "\u{feff}//evil.example",
        "／／evil.example",
        "\u{0}//evil.example",
        "//evil。example",
        "//[::1]",
        "//0x7f000001",
        "/auth/msp/signout",
        "/api/auth/microsoft/calendar/callback",
        "/",
        "",
    ];
    let mut all: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    for host in hosts {
        all.push(format!("/msp{host}"));
        all.push(format!("/msp/{host}"));
        all.push(format!("/msp/..{host}"));
        all.push(format!("/msp/../..{host}"));
        all.push(format!("/msp/%2e%2e/%2e%2e{host}"));
    }
    all
}
