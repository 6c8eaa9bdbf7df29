//! Secrets that must never be seen again.

use daybind_server::policy::Endpoint;

use crate::call::Call;
use crate::seed::{PASSWORD, email};
use crate::site::{SECRET, Site};
use crate::{Answer, logged};

/// The ways a secret may be written down.
fn spellings(secret: &str) -> Vec<String> {
    let encoded: String = secret
        .bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect();
    let hex = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut all = vec![secret.to_owned(), encoded, hex];
    all.dedup();
    all
}

/// Fails when a secret stands in a text.
pub fn absent(place: &str, text: &str, secrets: &[String]) {
    for secret in secrets {
        assert!(secret.len() >= 8, "too short to be searched for: {secret}");
        for spelling in spellings(secret) {
            if let Some(at) = text.find(&spelling) {
                let from = text[..at]
                    .char_indices()
                    .rev()
                    .nth(200)
                    .map_or(0, |(i, _)| i);
                panic!(
                    "a secret stands in {place}: …{}…",
                    &text[from..at + spelling.len()]
                );
            }
        }
    }
}

/// The secrets every site has: client secrets, the password, and the tokens of its sessions.
#[must_use]
pub fn own_secrets(site: &Site) -> Vec<String> {
    let mut secrets = vec![SECRET.to_owned(), PASSWORD.to_owned()];
    for tenant in [&site.own, &site.foreign] {
        for cookie in [&tenant.admin, &tenant.technician, &tenant.client] {
            let (_, token) = cookie.split_once('.').unwrap();
            secrets.push(token.to_owned());
        }
    }
    let key = site
        .env
        .iter()
        .find(|(name, _)| name == "DAYBIND_MASTER_KEY");
    secrets.push(key.unwrap().1.clone());
    secrets
}

/// What ends the sessions of those who ask. It is asked last, for whoever is signed out sees nothing that could hold a
/// secret; the one that leaves no session at all comes at the end.
pub(crate) const ENDS_SESSIONS: [&str; 3] = [
    "/_fn/end_session",
    "/_fn/end_other_sessions",
    "/auth/msp/signout",
];

/// Asks an address as everybody, twice; with a malformed form; and from another site.
async fn in_every_way(site: &Site, endpoint: &Endpoint, n: usize) {
    for cookie in ["", &site.own.client, &site.own.technician, &site.own.admin] {
        let call = site.example(endpoint, &site.own, n).await.cookie(cookie);
        // Twice: the second one meets what the first one left (a name that is taken, a version that is old).
        for again in [
            call.clone(),
            call.header("accept", "text/html")
                .header("referer", "http://127.0.0.1:3000/msp/settings"),
        ] {
            site.send(again).await;
        }
    }
    let malformed = endpoint
        .form
        .replace("{secret}", &format!("{SECRET}%00%ff"));
    let malformed = site.filled(&malformed, &site.own, n).await;
    site.send(site.call(endpoint, &malformed).cookie(&site.own.admin))
        .await;
    let forged = site
        .example(endpoint, &site.own, n)
        .await
        .header("sec-fetch-site", "cross-site");
    site.send(forged.cookie(&site.own.admin)).await;
}

/// M-18: every page, every action (done, refused, malformed, from another site) and every failure of a site, with secrets
/// in it that are known: none of them stands in an answer, an address, a log line at the finest level, or a row.
pub async fn no_secret_is_ever_seen(site: &Site) {
    for (n, endpoint) in site.endpoints.iter().enumerate() {
        if !ENDS_SESSIONS.contains(&endpoint.path) {
            in_every_way(site, endpoint, n).await;
        }
    }
    let signed_in = site.call(&site.endpoint("/_fn/current_session"), "");
    let answer = site.send(signed_in.cookie(&site.own.admin)).await;
    assert!(
        answer.status.is_success(),
        "signed in until here: {answer:?}"
    );
    for (n, path) in ENDS_SESSIONS.into_iter().enumerate() {
        in_every_way(site, &site.endpoint(path), n).await;
    }
    let wrong = format!(
        "email={}&password=wrong",
        email("admin", "own").replace('@', "%40")
    );
    site.send(Call::form("/auth/msp/signin", &wrong)).await;
    let guessed: Answer = site
        .send(Call::get("/msp/schedule").cookie(&format!("{}x", site.own.admin)))
        .await;
    assert!(guessed.location().starts_with("/auth/msp/signin"));
    scan(site, &own_secrets(site)).await;
    // And with the database gone, every address fails.
    site.state.services.store.close().await;
    for endpoint in &site.endpoints {
        let form = endpoint.form.split('{').next().unwrap_or_default();
        site.send(site.call(endpoint, form).cookie(&site.own.admin))
            .await;
    }
    let secrets = own_secrets(site);
    absent("an answer", &site.heard(), &secrets);
    absent("the log", &logged(), &secrets);
}

/// Searches answers, log and database.
pub async fn scan(site: &Site, secrets: &[String]) {
    let heard = site.heard();
    assert!(heard.len() > 1000, "something was answered");
    absent("an answer", &heard, secrets);
    let log = logged();
    assert!(log.contains("request_id"), "something was logged");
    absent("the log", &log, secrets);
    for tenant in [&site.own, &site.foreign] {
        for (table, rows) in site.db.rows(&tenant.id).await {
            for row in rows {
                absent(
                    &format!("table {table}"),
                    &row.to_lowercase(),
                    &lower(secrets),
                );
            }
        }
    }
}

fn lower(secrets: &[String]) -> Vec<String> {
    secrets.iter().map(|secret| secret.to_lowercase()).collect()
}
