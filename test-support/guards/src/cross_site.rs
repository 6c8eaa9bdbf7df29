//! Requests that another site made a browser send.

use daybind_server::policy::{Endpoint, Kind};

use crate::call::Call;
use crate::site::Site;

/// `Sec-Fetch-Site`, `Origin`, and whether such a request is served. The first word is the browser's own and cannot be
/// forged by a page; the origin is asked where an old browser leaves it out. No browser leaves out both in a POST of
/// another site, so that programs without a browser are served.
const MATRIX: [(&str, &str, bool); 18] = [
    ("same-origin", "", true),
    ("same-origin", "http://127.0.0.1:3000", true),
    ("none", "", true),
    ("", "", true),
    ("", "http://127.0.0.1:3000", true),
    ("cross-site", "", false),
    ("cross-site", "null", false),
    ("cross-site", "https://evil.example", false),
    ("same-site", "", false),
    ("same-site", "null", false),
    ("same-site", "http://other.127.0.0.1:3000", false),
    ("CROSS-SITE", "https://evil.example", false),
    ("nonsense", "https://evil.example", false),
    ("", "null", false),
    ("", "https://evil.example", false),
    ("", "http://127.0.0.1:3000.evil.example", false),
    ("", "http://127.0.0.1:3001", false),
    ("", "file://127.0.0.1:3000", false),
];

fn posts(site: &Site) -> impl Iterator<Item = &Endpoint> {
    site.endpoints
        .iter()
        .filter(|e| matches!(e.kind, Kind::Read | Kind::Write | Kind::Form | Kind::Again))
}

fn with(call: Call, fetch_site: &str, origin: &str) -> Call {
    let call = if fetch_site.is_empty() {
        call
    } else {
        call.header("sec-fetch-site", fetch_site)
    };
    if origin.is_empty() {
        call
    } else {
        call.header("origin", origin)
    }
}

/// M-27: every form and every server function × Sec-Fetch-Site × Origin: what another site sends is refused with 403
/// before anything is read.
pub async fn other_sites_are_refused(site: &Site) {
    let before = site.db.rows(&site.own.id).await;
    for endpoint in posts(site) {
        for (fetch_site, origin, served) in MATRIX {
            let call = if served {
                // Signed out: let through is told by the answer, and nothing changes.
                site.call(endpoint, "")
            } else {
                site.example(endpoint, &site.own, 0)
                    .await
                    .cookie(&site.own.admin)
            };
            let units = site.reads.get() + site.writes.get();
            let answer = site.send(with(call, fetch_site, origin)).await;
            let case = format!(
                "{} from {fetch_site:?} {origin:?}: {answer:?}",
                endpoint.path
            );
            assert_eq!(answer.status.as_u16() != 403, served, "{case}");
            if !served {
                assert_eq!(units, site.reads.get() + site.writes.get(), "{case}");
                assert!(answer.header("set-cookie").is_empty(), "{case}");
            }
        }
    }
    assert_eq!(before, site.db.rows(&site.own.id).await, "nothing changed");
}

/// M-27: what changes something answers POST alone: no other method, GET least of all, reaches it.
pub async fn nothing_changes_over_another_method(site: &Site) {
    let before = site.db.rows(&site.own.id).await;
    for endpoint in posts(site) {
        let page_too = site
            .endpoints
            .iter()
            .any(|other| other.path == endpoint.path && other.kind == Kind::Page);
        let form = site.filled(endpoint.form, &site.own, 0).await;
        for method in [
            "GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND",
        ] {
            let writes = site.writes.get();
            let call = Call::new(method, &format!("{}?{form}", endpoint.path))
                .header("content-type", "application/x-www-form-urlencoded")
                .header("x-http-method-override", "POST")
                .body(form.as_bytes())
                .cookie(&site.own.admin);
            let answer = site.send(call).await;
            let case = format!("{method} {}: {answer:?}", endpoint.path);
            if !(page_too && matches!(method, "GET" | "HEAD")) {
                assert_eq!(answer.status.as_u16(), 405, "{case}");
            }
            assert_eq!(writes, site.writes.get(), "{case}");
        }
    }
    let shown = |e: &&Endpoint| matches!(e.kind, Kind::Page | Kind::Again);
    for endpoint in site.endpoints.iter().filter(shown) {
        let writes = site.writes.get();
        let call = site.example(endpoint, &site.own, 0).await;
        site.send(call.cookie(&site.own.admin)).await;
        assert_eq!(
            writes,
            site.writes.get(),
            "reading {} writes nothing",
            endpoint.path
        );
    }
    assert_eq!(before, site.db.rows(&site.own.id).await, "nothing changed");
}

/// M-27, U14: no answer to anybody allows another origin to read it (no CORS header, whatever a preflight asks).
pub async fn no_origin_is_let_in_by_cors(site: &Site) {
    for endpoint in &site.endpoints {
        let preflight = Call::new("OPTIONS", endpoint.path)
            .header("origin", "https://evil.example")
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type");
        for call in [
            preflight,
            site.call(endpoint, "")
                .header("sec-fetch-site", "none")
                .header("origin", "https://evil.example"),
        ] {
            let answer = site.send(call).await;
            for name in answer.headers.keys() {
                assert!(
                    !name.as_str().starts_with("access-control-"),
                    "{}: {answer:?}",
                    endpoint.path
                );
            }
        }
    }
}
