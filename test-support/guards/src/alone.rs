//! Requests that are answered at the same time.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use axum::Router;

use crate::call::{Answer, Call};
use crate::site::Site;

/// Rounds of every client; in each one it asks for every address.
const ROUNDS: usize = 8;
/// A file that lies among the assets.
const FILE: &str = "guard-file.txt";

/// M-28: people of two tenants ask for pages, others for a file, and some hang up: every page is its own person's
/// with its own nonce, and every file has the headers of a file.
pub async fn everybody_gets_their_own_page(site: &Site) {
    let root = site.env.iter().find(|(name, _)| name == "LEPTOS_SITE_ROOT");
    std::fs::write(Path::new(&root.unwrap().1).join(FILE), "a file").unwrap();
    let alone = file(&site.router).await;
    assert_eq!(alone.body, "a file");
    let mut clients = tokio::task::JoinSet::new();
    for tenant in [&site.own, &site.foreign] {
        for (person, cookie) in [("admin", &tenant.admin), ("technician", &tenant.technician)] {
            let who = (person, tenant.name);
            clients.spawn(pages(site.router.clone(), who, cookie.clone()));
        }
        clients.spawn(hang_ups(site.router.clone(), tenant.admin.clone()));
        clients.spawn(files(site.router.clone(), alone.clone()));
    }
    let mut nonces = BTreeSet::new();
    while let Some(seen) = clients.join_next().await {
        for nonce in seen.unwrap() {
            assert!(nonces.insert(nonce), "a nonce was used twice");
        }
    }
    assert!(nonces.len() >= 4 * ROUNDS * 2, "{} pages", nonces.len());
}

/// Asks for pages as one person; the nonces they had.
async fn pages(router: Router, (person, tenant): (&str, &str), cookie: String) -> Vec<String> {
    let own = format!("{person} of {tenant}");
    let other = if tenant == "own" { "foreign" } else { "own" };
    let others = format!(" of {other}");
    let mut nonces = Vec::new();
    for _ in 0..ROUNDS {
        for page in [
            "/msp/profile?tab=profile",
            "/msp/schedule",
            "/msp/profile?tab=security",
        ] {
            let answer = Call::get(page).cookie(&cookie).send(&router).await;
            assert_eq!(
                answer.status.as_u16(),
                200,
                "{page} for {own}: {}",
                answer.location()
            );
            assert!(answer.body.contains(&own), "{page} is not {own}'s");
            assert!(
                !answer.body.contains(&others),
                "{page} of {own} names {others}"
            );
            let nonce = answer.nonce().to_owned();
            assert!(
                !nonce.is_empty(),
                "{page} has no policy: {:?}",
                answer.headers
            );
            let carried = format!("nonce=\"{nonce}\"");
            assert!(answer.body.contains(&carried), "{page} has another nonce");
            nonces.push(nonce);
        }
    }
    nonces
}

/// Asks for pages and leaves at once, or a little later.
async fn hang_ups(router: Router, cookie: String) -> Vec<String> {
    for round in 0..(4 * ROUNDS) {
        let page = Call::get("/msp/schedule").cookie(&cookie);
        let patience = Duration::from_micros(500 * (round as u64 % 16));
        let _ = tokio::time::timeout(patience, page.send(&router)).await;
    }
    Vec::new()
}

/// Asks for a file and compares it with what it is when nobody else asks for anything.
async fn files(router: Router, alone: Answer) -> Vec<String> {
    for _ in 0..(4 * ROUNDS) {
        let answer = file(&router).await;
        assert_eq!(answer.comparable(), alone.comparable(), "a file");
        tokio::task::yield_now().await;
    }
    Vec::new()
}

async fn file(router: &Router) -> Answer {
    Call::get(&format!("/{FILE}")).send(router).await
}
