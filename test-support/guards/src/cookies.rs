//! The session cookie and what is kept of it.

use crate::call::Call;
use crate::seed::{PASSWORD, email, sign_in};
use crate::site::{SECRET, Site};

async fn cookie_line(site: &Site, public_url: &str) -> String {
    let (_, router) = site.again(None, &[("DAYBIND_PUBLIC_URL", public_url)]);
    let form = format!(
        "email={}&password={}",
        email("admin", "own").replace('@', "%40"),
        PASSWORD.replace(' ', "+")
    );
    let answer = Call::form("/auth/msp/signin", &form).send(&router).await;
    answer.header("set-cookie").to_owned()
}

/// M-26: over https the cookie is `__Host-`, Secure, HttpOnly, SameSite=Lax, for `/` and no domain; over plain http (the
/// embedded default on one machine) the same without what only https can keep.
pub async fn its_attributes_are_strict(site: &Site) {
    let attributes = |line: &str| -> Vec<String> {
        line.split(';')
            .skip(1)
            .map(|part| part.trim().to_owned())
            .collect()
    };
    let secure = cookie_line(site, "https://daybind.example").await;
    assert!(secure.starts_with("__Host-daybind="), "{secure}");
    for wanted in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/"] {
        assert!(
            attributes(&secure).iter().any(|a| a == wanted),
            "{wanted}: {secure}"
        );
    }
    assert!(!secure.to_ascii_lowercase().contains("domain="), "{secure}");
    let plain = cookie_line(site, "http://127.0.0.1:3000").await;
    assert!(plain.starts_with("daybind="), "{plain}");
    for wanted in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(
            attributes(&plain).iter().any(|a| a == wanted),
            "{wanted}: {plain}"
        );
    }
    let gone = site
        .send(Call::form("/auth/msp/signout", "").cookie(&site.own.technician))
        .await;
    let line = gone.header("set-cookie");
    assert!(line.starts_with("daybind=;"), "{line}");
    assert!(
        line.contains("Max-Age=0") && line.contains("Path=/"),
        "{line}"
    );
    assert!(
        !gone.location().contains("daybind"),
        "no token in an address"
    );
}

/// M-26: what is stored of a session, a password or a secret signs nobody in and shows nothing: no row of any table holds
/// the cookie's token, the password or a client secret, and a stored hash is no cookie.
pub async fn only_hashes_are_kept(site: &Site) {
    let (_, token) = site.own.admin.split_once('.').unwrap();
    let rows = site.db.rows(&site.own.id).await;
    for (table, rows) in &rows {
        for row in rows {
            for (what, secret) in [
                ("the session's token", token),
                ("the password", PASSWORD),
                ("the client secret", SECRET),
            ] {
                let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
                let found = row.contains(secret) || row.to_ascii_lowercase().contains(&hex);
                assert!(!found, "{what} stands in {table}: {row}");
            }
        }
    }
    let hashes = match &site.db {
        crate::Db::Sqlite(_) => {
            site.db
                .texts("SELECT lower(hex(token_hash)) FROM sessions")
                .await
        }
        crate::Db::Postgres(_) => {
            site.db
                .texts("SELECT encode(token_hash, 'hex') FROM sessions")
                .await
        }
    };
    assert!(!hashes.is_empty());
    for hash in hashes {
        assert_eq!(hash.len(), 64, "SHA-256");
        let forged = format!("daybind={}.{hash}", site.own.id);
        let answer = site.send(Call::get("/msp/schedule").cookie(&forged)).await;
        assert!(
            answer.location().starts_with("/auth/msp/signin"),
            "{answer:?}"
        );
    }
}

/// M-26: a session begins with a token nobody chose, ends on the server, and belongs to one tenant.
pub async fn a_session_is_new_and_ends(site: &Site) {
    let first = sign_in(&site.router, &email("admin", "own")).await;
    let second = sign_in(&site.router, &email("admin", "own")).await;
    assert_ne!(first, second, "no two sessions share a token");
    // Fixation: a cookie set before sign-in never becomes a session.
    let planted = format!("daybind={}.{}", site.own.id, "A".repeat(43));
    let form = format!(
        "email={}&password={}",
        email("admin", "own").replace('@', "%40"),
        PASSWORD.replace(' ', "+")
    );
    let signed_in = site
        .send(Call::form("/auth/msp/signin", &form).cookie(&planted))
        .await;
    assert!(!signed_in.header("set-cookie").contains(&"A".repeat(43)));
    let page =
        |cookie: String| async move { site.send(Call::get("/msp/schedule").cookie(&cookie)).await };
    assert!(
        page(planted)
            .await
            .location()
            .starts_with("/auth/msp/signin")
    );
    // The token of one tenant with the id of another.
    let (_, token) = first.split_once('.').unwrap();
    let moved = format!("daybind={}.{token}", site.foreign.id);
    assert!(page(moved).await.location().starts_with("/auth/msp/signin"));
    assert_eq!(page(first.clone()).await.status.as_u16(), 200);
    // A second server on the same database knows at once.
    let (_, other_server) = site.again(None, &[]);
    site.send(Call::form("/auth/msp/signout", "").cookie(&first))
        .await;
    let after = Call::get("/msp/schedule")
        .cookie(&first)
        .send(&other_server)
        .await;
    assert!(
        after.location().starts_with("/auth/msp/signin"),
        "{after:?}"
    );
    assert_eq!(
        page(second).await.status.as_u16(),
        200,
        "the other session goes on"
    );
}
