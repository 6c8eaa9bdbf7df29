//! The subscription handshake, tried from outside on the whole server.

use std::time::{Duration, Instant};

use daybind_guards::{Call, Database, logged};

use crate::connected::{providers, reachable};

const PATH: &str = "/api/calendar/webhooks/microsoft";

fn ask(query: &str) -> Call {
    Call::new("POST", &format!("{PATH}?{query}")).header("content-type", "text/plain")
}

/// M-22: a token is said back byte for byte, decoded, within a second, as plain text that no browser runs; what could be
/// markup is refused, not altered; and nothing is read, written, called or logged for it.
async fn handshake(database: Database) {
    let fakes = providers();
    let site = reachable(database, &fakes).await;
    let before = (site.reads.get(), site.writes.get(), site.outbound.get());
    for (query, token) in [
        (
            "validationToken=canary-of-the-handshake",
            "canary-of-the-handshake",
        ),
        (
            "validationToken=Validation%3A+Testing%20client&x=1",
            "Validation: Testing client",
        ),
        ("x=1&validationToken=a%2Bb%2F%3D%26%25", "a+b/=&%"),
        ("validationToken=gr%C3%BC%C3%9Fe%20%F0%9F%93%85", "grüße 📅"),
        (
            "validationToken=%22%27%3B--%20%7B%7B1%7D%7D",
            "\"';-- {{1}}",
        ),
    ] {
        let begun = Instant::now();
        let answer = site.send(ask(query)).await;
        assert!(begun.elapsed() < Duration::from_secs(1), "{query}");
        assert_eq!(
            (answer.status.as_u16(), answer.body.as_str()),
            (200, token),
            "{answer:?}"
        );
        assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert!(
            answer
                .header("content-security-policy")
                .contains("default-src 'none'"),
            "{answer:?}"
        );
        assert_eq!(answer.header("set-cookie"), "");
    }
    let long = format!("validationToken={}", "a".repeat(5000));
    for query in [
        "validationToken=",
        "validationToken=%3Cscript%3Ealert(1)%3C/script%3E",
        "validationToken=a%3Eb",
        "validationToken=a%00b",
        "validationToken=a%0D%0ASet-Cookie:%20x=1",
        "validationToken=%1B%5B31m",
        "validationToken=one&validationToken=two",
        &long,
    ] {
        let answer = site.send(ask(query)).await;
        assert_eq!(
            (answer.status.as_u16(), answer.body.as_str()),
            (400, ""),
            "{query}: {answer:?}"
        );
    }
    // Browsers come with GET; Google has no handshake.
    let get = Call::get(&format!("{PATH}?validationToken=inert"));
    let google = Call::new(
        "POST",
        "/api/calendar/webhooks/google?validationToken=inert",
    );
    for call in [get, google] {
        let answer = site.send(call).await;
        assert!(!answer.body.contains("inert"), "{answer:?}");
    }
    let after = (site.reads.get(), site.writes.get(), site.outbound.get());
    assert_eq!(before, after, "nothing is read, written or called");
    assert!(!logged().contains("canary-of-the-handshake"));
    assert!(logged().contains(PATH), "requests are logged, without it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_handshake_is_exact_and_inert_on_sqlite() {
    handshake(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_handshake_is_exact_and_inert_on_postgres() {
    handshake(Database::Postgres).await;
}
