//! How often each address may be called.

use daybind_server::policy::{Kind, Rate};

use crate::site::Site;

/// More than any burst.
const MANY: usize = 80;

/// M-29: what the policy table calls limited answers 429 with a time to wait (a browser is led back to its page), other
/// people's browsers are counted with everybody of the same origin, and what it calls free is never refused for its number.
pub async fn every_rate_holds(site: &Site) {
    let mut limited = 0;
    for endpoint in &site.endpoints {
        if site.refuses(endpoint) {
            continue;
        }
        let refused = match endpoint.rate {
            Rate::SignIn | Rate::Discovery | Rate::Password | Rate::WayBack => true,
            Rate::Free if endpoint.kind != Kind::Stable => false,
            // Behind a session, merged, or counted where the look-up is made (shown with the claims themselves).
            Rate::Session | Rate::Merged | Rate::Dns | Rate::Free => continue,
        };
        let mut seen = None;
        for _ in 0..if refused { MANY } else { 40 } {
            let call = site.example(endpoint, &site.own, 0).await;
            let cookie = if endpoint.rate == Rate::Password {
                site.own.technician.as_str()
            } else {
                ""
            };
            // A browser is led to its page instead; see below.
            let answer = site.send(call.cookie(cookie).header("accept", "*/*")).await;
            if answer.status.as_u16() == 429 {
                seen = Some(answer);
                break;
            }
        }
        match (refused, seen) {
            (true, Some(answer)) => {
                limited += 1;
                let wait: u64 = answer.header("retry-after").parse().unwrap_or_default();
                assert!(wait >= 1, "{}: {answer:?}", endpoint.path);
            }
            (false, None) => {}
            (true, None) => panic!("{} is called {MANY} times and never refused", endpoint.path),
            (false, Some(answer)) => panic!("{} is free: {answer:?}", endpoint.path),
        }
        if endpoint.rate == Rate::SignIn && endpoint.kind == Kind::Form {
            let call = site.example(endpoint, &site.own, 0).await;
            let browser = site.send(call.header("accept", "text/html")).await;
            assert!(browser.location().contains("error=limited"), "{browser:?}");
        }
        if endpoint.rate == Rate::WayBack {
            let call = site.example(endpoint, &site.own, 0).await;
            let browser = site.send(call.header("accept", "text/html")).await;
            assert!(
                browser.location().contains("code=rate_limited"),
                "{browser:?}"
            );
        }
    }
    assert!(limited >= 2, "{limited} addresses are limited");
}
