//! From the work email to Microsoft: the two steps of the sign-in page.

use std::time::{Duration, Instant};

use daybind_guards::{Answer, Call};

use crate::bench::{Bench, DIRECTORY, FIRST, page};

const STEP: &str = "/auth/msp/signin?step=microsoft&next=%2Fmsp%2Fprofile%3Ftab%3Dprofile";

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// The first step's form, as a browser sends it.
fn first(email: &str, more: &str) -> Call {
    let form = format!(
        "email={}&next=%2Fmsp%2Fprofile%3Ftab%3Dprofile{more}",
        encoded(email)
    );
    Call::form("/auth/msp/discover", &form).header("accept", "text/html")
}

fn cookie(answer: &Answer) -> String {
    let set = answer.header("set-cookie");
    set.split(';').next().unwrap_or_default().to_owned()
}

async fn second(bench: &Bench, email: &str) -> Answer {
    let form = format!(
        "email={}&next=%2Fmsp%2Fprofile%3Ftab%3Dprofile",
        encoded(email)
    );
    let call = Call::form("/auth/msp/microsoft", &form).header("accept", "text/html");
    let answer = bench.site.send(call).await;
    assert_eq!(answer.status.as_u16(), 303, "{answer:?}");
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    answer
}

async fn list(bench: &Bench, domain: &str) {
    let call = Call::form("/_fn/add_login_domain", &format!("domain={domain}"));
    let answer = bench.site.send(call.cookie(&bench.site.own.admin)).await;
    assert_eq!(answer.status.as_u16(), 200, "{answer:?}");
}

pub async fn the_first_step_tells_nothing(bench: Bench) {
    list(&bench, "contoso.example").await;
    let mut pages = Vec::new();
    for email in [FIRST, "nobody@contoso.example", "nobody@unknown.example"] {
        let answer = bench.site.send(first(email, "")).await;
        assert_eq!(answer.location(), STEP, "{email}: the same way on");
        let set = answer.header("set-cookie");
        for part in ["daybind-address=", "HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(set.contains(part), "{set}");
        }
        assert!(
            !set.contains('@') && !answer.location().contains("example"),
            "{answer:?}"
        );
        let shown = bench
            .site
            .send(Call::get(STEP).cookie(&cookie(&answer)))
            .await;
        assert!(shown.body.contains(email) && shown.body.contains("Sign in with Microsoft"));
        assert_eq!(shown.body.matches("<h1").count(), 1);
        // But for the address and what is random in every page, the pages are one and the same.
        let main = shown
            .body
            .split("<main")
            .nth(1)
            .unwrap()
            .split("</main>")
            .next()
            .unwrap();
        pages.push(main.replace(email, "@"));
    }
    assert_eq!(pages[0], pages[1]);
    assert_eq!(pages[0], pages[2]);
    // What is no address stays on the first step; who wants a password needs none.
    for (email, more, target) in [
        ("nobody", "", "error=email"),
        ("", "", "error=email"),
        ("", "&step=password", "step=password"),
        (FIRST, "&step=password", "step=password"),
    ] {
        let answer = bench.site.send(first(email, more)).await;
        let wanted = format!("/auth/msp/signin?{target}&next=");
        assert!(
            answer.location().starts_with(&wanted),
            "{email} {more}: {answer:?}"
        );
        let shown = bench
            .site
            .send(Call::get(answer.location()).cookie(&cookie(&answer)))
            .await;
        let password = shown.body.contains("type=\"password\"");
        assert_eq!(password, target == "step=password", "{email} {more}");
    }
    // An address that this server did not write, or none, leads back to the first step.
    for kept in ["daybind-address=%22%3E", "daybind-address=PHNjcmlwdD4", ""] {
        let shown = bench.site.send(Call::get(STEP).cookie(kept)).await;
        assert!(
            shown.body.contains("Continue") && !shown.body.contains("Sign in with Microsoft"),
            "{kept}"
        );
    }
}

pub async fn a_domain_leads_to_its_msp(bench: Bench) {
    // Unknown, known but not bound, bound: only the last goes anywhere, and the others look alike.
    let begin = Instant::now();
    assert_eq!(second(&bench, FIRST).await.location(), page("not_ready"));
    assert!(
        begin.elapsed() >= Duration::from_millis(150),
        "the least time"
    );
    list(&bench, "contoso.example").await;
    let answer = second(&bench, FIRST).await;
    let url: url::Url = answer.location().parse().unwrap();
    assert_eq!(
        url.path(),
        format!("/ms/login/{DIRECTORY}/oauth2/v2.0/authorize")
    );
    assert!(
        url.query_pairs()
            .any(|(name, value)| name == "login_hint" && value == FIRST)
    );
    assert!(
        answer.header("set-cookie").starts_with("daybind-flow-"),
        "{answer:?}"
    );
    for email in [
        "nobody@unknown.example",
        "nobody",
        "",
        "a@b@contoso.example.evil.example",
    ] {
        assert_eq!(
            second(&bench, email).await.location(),
            page("not_ready"),
            "{email}"
        );
    }
    bench
        .sql("DELETE FROM microsoft_profile_consumer_bindings")
        .await;
    let answer = second(&bench, FIRST).await;
    assert_eq!(answer.location(), page("not_ready"));
    assert_eq!(answer.header("set-cookie"), "", "no round trip was begun");
    // The password still works for everybody who has one.
    let form = format!(
        "email=admin%40own.guard.test&password={}",
        encoded(daybind_guards::PASSWORD)
    );
    let answer = bench.site.send(Call::form("/auth/msp/signin", &form)).await;
    assert_eq!(answer.location(), "/msp/schedule");
}
