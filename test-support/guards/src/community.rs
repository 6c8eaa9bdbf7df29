//! What Community does not offer.

use daybind_domain::{CALENDAR_ENTERPRISE_ONLY, DOMAINS_ENTERPRISE_ONLY};
use daybind_server::Composition;
use daybind_server::policy::Kind;
use daybind_services::StableRoute;

use crate::call::Call;
use crate::inventory::served;
use crate::site::Site;

const METHODS: [&str; 10] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "FOO",
];

/// M-06: the four stable URLs answer 501 JSON `success: false` in the enterprise-only words, for every method, malformed,
/// huge and forged input included, without a statement in the database or a connection to anybody, and echo nothing.
pub async fn stable_addresses_answer_501(site: &Site) {
    let huge = vec![b'['; 3 << 20];
    let inputs: [(&str, &str, &[u8]); 7] = [
        ("", "", b""),
        ("?code=Echo-me&state=Echo-me", "text/html", b""),
        ("?validationToken=Echo-me", "text/plain", b"Echo-me"),
        (
            "?validationToken=Echo-me&validationToken=Echo-me",
            "application/json",
            b"{\"value\":[{\"clientState\":\"Echo-me\"}]}",
        ),
        ("?%ff=%fe&&==", "application/x-www-form-urlencoded", b"%%%"),
        ("", "application/json", &huge),
        (
            "?error=Echo-me&error_description=Echo-me",
            "multipart/form-data",
            &[0xff, 0x00],
        ),
    ];
    let before = (site.reads.get(), site.writes.get(), site.outbound.get());
    for route in StableRoute::ALL {
        for method in METHODS {
            for (query, kind, body) in inputs {
                for (cookie, fetch_site) in [("", ""), (site.own.admin.as_str(), "cross-site")] {
                    let mut call = Call::new(method, &format!("{}{query}", route.path()))
                        .cookie(cookie)
                        .body(body)
                        .header("x-goog-channel-token", "Echo-me");
                    if !kind.is_empty() {
                        call = call.header("content-type", kind);
                    }
                    if !fetch_site.is_empty() {
                        call = call
                            .header("sec-fetch-site", fetch_site)
                            .header("origin", "https://evil.example");
                    }
                    let answer = site.send(call).await;
                    let case = format!("{method} {}{query}: {answer:?}", route.path());
                    assert_eq!(answer.status.as_u16(), 501, "{case}");
                    assert!(
                        answer
                            .header("content-type")
                            .starts_with("application/json"),
                        "{case}"
                    );
                    if method != "HEAD" {
                        let json: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
                        assert_eq!(
                            json,
                            serde_json::json!({ "success": false, "error": CALENDAR_ENTERPRISE_ONLY }),
                            "{case}"
                        );
                    }
                    assert!(!answer.everything().contains("Echo-me"), "{case}");
                    assert!(answer.header("set-cookie").is_empty(), "{case}");
                }
            }
        }
    }
    let after = (site.reads.get(), site.writes.get(), site.outbound.get());
    assert_eq!(before, after, "units read, units written, connections made");
}

/// M-06: server functions of Enterprise are refused with a typed error before any of the tenant's rows is looked at or
/// changed, to everybody alike.
pub async fn enterprise_actions_are_refused(site: &Site) {
    let before = site.db.rows(&site.own.id).await;
    let mut refused = 0;
    for endpoint in site
        .endpoints
        .iter()
        .filter(|e| site.refuses(e) && e.kind != Kind::Stable)
    {
        refused += 1;
        let (writes, outbound) = (site.writes.get(), site.outbound.get());
        for cookie in [&site.own.admin, &site.own.technician] {
            let call = site.example(endpoint, &site.own, 0).await;
            let answer = site.send(call.cookie(cookie)).await;
            let case = format!("{}: {answer:?}", endpoint.path);
            assert_eq!(answer.status.as_u16(), 501, "{case}");
            let error: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
            assert_eq!(error["code"], "enterprise_only", "{case}");
            let words = if endpoint.path.contains("_domain_claim") {
                DOMAINS_ENTERPRISE_ONLY
            } else {
                CALENDAR_ENTERPRISE_ONLY
            };
            assert_eq!(error["message"], words, "{case}");
        }
        assert_eq!(
            (writes, outbound),
            (site.writes.get(), site.outbound.get()),
            "{}",
            endpoint.path
        );
    }
    assert!(refused >= 9, "{refused} actions are Enterprise's");
    for consumer in ["email", "calendar", "teams"] {
        let bind = site.endpoint("/_fn/set_microsoft_consumer_binding");
        let form = site.filled(bind.form, &site.own, 0).await;
        let form = form.replace("consumer=msp_sso", &format!("consumer={consumer}"));
        let answer = site
            .send(site.call(&bind, &form).cookie(&site.own.admin))
            .await;
        assert!(
            answer.status.is_client_error() || answer.status.as_u16() == 501,
            "{answer:?}"
        );
    }
    assert_eq!(before, site.db.rows(&site.own.id).await, "nothing changed");
}

/// M-06: another entry lowered to Community is Community, in every respect: the same routes, and the same answer to every
/// kind of person at every address.
pub async fn a_lowered_edition_is_community(site: &Site) {
    let (_, community) = site.again(Some(Composition::community()), &[("DAYBIND_EDITION", "ce")]);
    assert_eq!(
        served(&site.router).await,
        served(&community).await,
        "the routes"
    );
    for endpoint in &site.endpoints {
        // What changes something would change it for the second one: it is asked for people it refuses.
        let reads = !matches!(endpoint.kind, Kind::Write | Kind::Form) || site.refuses(endpoint);
        for (cookie, asked) in [
            ("", true),
            (site.own.client.as_str(), true),
            (site.own.technician.as_str(), reads),
            (site.own.admin.as_str(), reads),
        ] {
            if !asked {
                continue;
            }
            let call = site.example(endpoint, &site.own, 0).await.cookie(cookie);
            let ours = site.send(call.clone()).await;
            let theirs = call.send(&community).await;
            assert_eq!(ours.comparable(), theirs.comparable(), "{}", endpoint.path);
        }
    }
    for stale in [
        "/msp/settings?tab=integrations&category=calendar",
        "/msp/settings?category=Calendar&x=1",
        "/msp/profile?tab=calendar&calendarAuth=success",
    ] {
        let call = Call::get(stale).cookie(&site.own.admin);
        let ours = site.send(call.clone()).await;
        assert_eq!(
            ours.comparable(),
            call.send(&community).await.comparable(),
            "{stale}"
        );
        assert_eq!(ours.status.as_u16(), 303, "{stale}");
    }
}
