//! Security headers, on every kind of answer.

use axum::Router;
use daybind_server::policy::Kind;

use crate::call::{Answer, Call};
use crate::log::logged;
use crate::site::Site;

/// One call of every kind of answer: every declared address, for everybody and for nobody, and what goes wrong.
async fn every_kind(site: &Site) -> Vec<(String, Call)> {
    let mut calls = Vec::new();
    for endpoint in &site.endpoints {
        // Reading twice is harmless; what changes something is asked for nobody.
        let reads = !matches!(endpoint.kind, Kind::Write | Kind::Form);
        for (who, cookie) in [
            ("nobody", ""),
            ("a client-portal user", site.own.client.as_str()),
            ("an administrator", site.own.admin.as_str()),
        ] {
            if reads || cookie.is_empty() {
                let call = site.example(endpoint, &site.own, 0).await.cookie(cookie);
                calls.push((format!("{} for {who}", endpoint.path), call));
            }
        }
    }
    let admin = &site.own.admin;
    let large = vec![b'x'; 300 * 1024];
    let read = "/_fn/list_schedule";
    for (what, call) in [
        ("an unknown page", Call::get("/msp/nowhere").cookie(admin)),
        ("an unknown address", Call::get("/nowhere")),
        ("a missing asset", Call::get("/pkg/missing.js")),
        ("another method", Call::new("DELETE", "/msp/schedule")),
        (
            "a foreign site",
            Call::form(read, "").header("sec-fetch-site", "cross-site"),
        ),
        ("too much", Call::form(read, "").body(&large).cookie(admin)),
        (
            "an incomplete form",
            Call::form("/_fn/get_schedule_entry", "").cookie(admin),
        ),
        (
            "another type of body",
            Call::form(read, "{}")
                .header("content-type", "text/xml")
                .cookie(admin),
        ),
        (
            "a wrong field",
            Call::form("/_fn/get_schedule_entry", "entry_id=x").cookie(admin),
        ),
        (
            "a made-up session",
            Call::get("/msp/schedule").cookie("daybind=x.y"),
        ),
        (
            "a stale address",
            Call::get("/msp/settings?category=nothing").cookie(admin),
        ),
    ] {
        calls.push((what.to_owned(), call));
    }
    calls
}

fn check(what: &str, answer: &Answer, https: bool) {
    let case = format!("{what}: {} {:?}", answer.status, answer.headers);
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{case}");
    assert_eq!(
        answer.header("cross-origin-opener-policy"),
        "same-origin",
        "{case}"
    );
    assert_eq!(
        answer.header("cross-origin-resource-policy"),
        "same-origin",
        "{case}"
    );
    assert_eq!(answer.header("x-frame-options"), "DENY", "{case}");
    assert!(
        matches!(
            answer.header("referrer-policy"),
            "no-referrer" | "same-origin" | "strict-origin-when-cross-origin"
        ),
        "{case}"
    );
    let policy = answer.header("content-security-policy");
    for part in ["default-src '", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(policy.contains(part), "{part}: {case}");
    }
    let evals = policy.matches("unsafe-").count();
    assert_eq!(
        evals,
        policy.matches("'wasm-unsafe-eval'").count(),
        "{case}"
    );
    for wide in ["*", "http:", "https:", "'unsafe-inline'", "'unsafe-eval'"] {
        let tokens = policy.split([' ', ';']);
        assert!(
            !tokens.into_iter().any(|token| token == wide),
            "{wide}: {case}"
        );
    }
    let asset = what.contains("asset");
    let cache = answer.header("cache-control");
    assert_eq!(cache, if asset { "no-cache" } else { "no-store" }, "{case}");
    let hsts = answer.header("strict-transport-security");
    assert_eq!(hsts.contains("max-age=63072000"), https, "{case}");
    for telling in ["server", "x-powered-by"] {
        assert!(answer.header(telling).is_empty(), "{case}");
    }
    assert_eq!(answer.header("x-request-id").len(), 32, "{case}");
}

async fn check_all(site: &Site, router: &Router, https: bool) {
    for (what, call) in every_kind(site).await {
        check(&what, &call.send(router).await, https);
    }
}

/// M-28: CSP (frame-ancestors none, nothing wider than wasm-unsafe-eval), nosniff, Referrer-Policy, COOP, CORP and
/// no-store stand on every kind of answer, errors included; HSTS exactly when served over https.
pub async fn every_answer_carries_them(site: &Site) {
    check_all(site, &site.router, false).await;
    let (_, secure) = site.again(None, &[("DAYBIND_PUBLIC_URL", "https://daybind.example")]);
    check_all(site, &secure, true).await;
}

/// M-28: every page has a nonce of its own, no two answers share one, and no script stands in a page without it.
pub async fn every_page_has_a_fresh_nonce(site: &Site) {
    let mut seen = std::collections::BTreeSet::new();
    for endpoint in site.endpoints.iter().filter(|e| e.kind == Kind::Page) {
        for _ in 0..2 {
            let call = site
                .example(endpoint, &site.own, 0)
                .await
                .cookie(&site.own.admin);
            let answer = site.send(call).await;
            if answer.status.as_u16() != 200 {
                continue;
            }
            // A page that may run nothing has nothing to run.
            let policy = answer.header("content-security-policy");
            if policy.starts_with("default-src 'none'") && !policy.contains("script-src") {
                assert!(!answer.body.contains("<script"), "{}", endpoint.path);
                continue;
            }
            let nonce = answer.nonce().to_owned();
            assert!(nonce.len() >= 16, "{}: {answer:?}", endpoint.path);
            assert!(
                seen.insert(nonce.clone()),
                "{}: a nonce came twice",
                endpoint.path
            );
            let lower = answer.body.to_ascii_lowercase();
            for (at, _) in lower.match_indices("<script") {
                let tag = answer.body[at..].split('>').next().unwrap_or_default();
                assert!(tag.contains(&nonce), "{}: {tag}", endpoint.path);
            }
            assert!(
                !lower.contains("<style"),
                "{}: an inline style",
                endpoint.path
            );
            for handler in [
                " onclick=",
                " onload=",
                " onerror=",
                " onsubmit=",
                "javascript:",
            ] {
                assert!(!lower.contains(handler), "{}: {handler}", endpoint.path);
            }
        }
    }
    assert!(seen.len() >= 4, "{} nonces seen", seen.len());
}

/// M-28: the headers stand even when the database is gone, and the answer tells nothing but a reference, the log's own.
pub async fn a_lost_database_tells_nothing(site: &Site) {
    site.state.services.store.close().await;
    for (what, call) in [
        ("readiness", Call::get("/readyz")),
        ("a page", Call::get("/msp/schedule").cookie(&site.own.admin)),
        (
            "a server function",
            Call::form("/_fn/list_schedule", "").cookie(&site.own.admin),
        ),
        (
            "a sign-in",
            Call::form("/auth/msp/signin", "email=a%40b.example&password=x"),
        ),
    ] {
        let answer = site.send(call).await;
        assert!(answer.status.is_server_error(), "{what}: {answer:?}");
        check(what, &answer, false);
        let said = answer.everything().to_ascii_lowercase();
        for word in [
            "sqlx", "pool", "sqlite", "postgres", "src/", "panicked", "closed",
        ] {
            assert!(!said.contains(word), "{what} says {word}: {answer:?}");
        }
        if what == "readiness" {
            continue;
        }
        // Whoever reads the log finds there what the person was told to pass on.
        let told = references(&answer.body);
        assert!(!told.is_empty(), "{what} names no reference: {answer:?}");
        let log = logged();
        for reference in told {
            let line = log
                .lines()
                .find(|line| line.contains(&reference) && line.contains("request failed"));
            assert!(line.is_some(), "{what}: {reference} is not in the log");
        }
    }
}

/// Every id of a failure in a text: 32 digits of base 16.
fn references(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_ascii_hexdigit())
        .filter(|word| word.len() == 32)
        .map(str::to_owned)
        .collect()
}

/// What a browser sends too much of, or malformed, is its own fault: 4xx, never 500.
pub async fn a_malformed_call_is_not_our_failure(site: &Site) {
    for endpoint in site
        .endpoints
        .iter()
        .filter(|e| matches!(e.kind, Kind::Read | Kind::Write | Kind::Form | Kind::Again))
    {
        let bodies: [(&str, Vec<u8>); 5] = [
            ("application/x-www-form-urlencoded", Vec::new()),
            (
                "application/x-www-form-urlencoded",
                b"%ff%fe=%00&&&=".to_vec(),
            ),
            ("application/x-www-form-urlencoded", vec![b'a'; 300 * 1024]),
            ("application/json", b"{\"a\":[[[[".to_vec()),
            ("text/plain", vec![0xff, 0xfe, 0x00]),
        ];
        for (kind, body) in bodies {
            let call = Call::new("POST", endpoint.path)
                .header("content-type", kind)
                .header("accept", "application/json")
                .body(&body);
            let answer = site.send(call).await;
            assert!(
                !answer.status.is_server_error() || site.refuses(endpoint),
                "{} with {} bytes of {kind}: {answer:?}",
                endpoint.path,
                body.len()
            );
        }
    }
}
