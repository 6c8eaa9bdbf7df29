//! Who may finish a round trip, and how often.

use daybind_fakes::{Fault, FaultKind};
use daybind_guards::{Call, Db, email, sign_in};
use serde_json::json;

use crate::bench::{Back, Bench, FIRST, SECOND, page, session};

const HOME: &str = "/msp/profile?tab=profile";

async fn connected(bench: &Bench) {
    let technician = &bench.site.own.technician;
    let back = bench.connect(technician, FIRST).await;
    assert_eq!(bench.arrive(&back, technician).await, page("connected"));
}

pub async fn a_state_is_taken_once(bench: Bench) {
    connected(&bench).await;
    let back = bench.sign_in(FIRST).await;
    let before = bench.tokens();
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (call, router) = (back.call(""), bench.site.router.clone());
        calls.spawn(async move { call.send(&router).await });
    }
    let answers = calls.join_all().await;
    let signed_in = answers
        .iter()
        .filter(|answer| !session(answer).is_empty())
        .count();
    assert_eq!(signed_in, 1);
    for answer in &answers {
        let target = answer.location();
        assert!(
            target == HOME || target == page("already_used"),
            "{answer:?}"
        );
    }
    assert_eq!(bench.tokens() - before, 1, "one token request");
    assert_eq!(bench.arrive(&back, "").await, page("already_used"));
    assert_eq!(bench.tokens() - before, 1);
}

pub async fn a_state_ends_after_ten_minutes(bench: Bench) {
    connected(&bench).await;
    // Ten minutes and a second ago it began.
    let older = match bench.site.db {
        Db::Sqlite(_) => "expires_at = expires_at - 601000000",
        Db::Postgres(_) => "expires_at = expires_at - interval '601 seconds'",
    };
    let back = bench.sign_in(FIRST).await;
    let before = bench.tokens();
    bench.sql(&format!("UPDATE oauth_flows SET {older}")).await;
    assert_eq!(bench.arrive(&back, "").await, page("expired"));
    assert_eq!(bench.tokens(), before, "no token request");
    assert_eq!(bench.arrive(&back, "").await, page("already_used"));
    // A second before the end it still works.
    let nearly = older
        .replace("601000000", "590000000")
        .replace("601 seconds", "590 seconds");
    let back = bench.sign_in(FIRST).await;
    bench.sql(&format!("UPDATE oauth_flows SET {nearly}")).await;
    assert_eq!(bench.arrive(&back, "").await, HOME);
}

pub async fn nobody_else_finishes_a_flow(bench: Bench) {
    connected(&bench).await;
    let site = &bench.site;
    let before = bench.tokens();
    // Another browser: without the cookie, with one of another flow, with a wrong value.
    let other = bench.sign_in(FIRST).await;
    let back = bench.sign_in(FIRST).await;
    let name = back.cookie.split_once('=').unwrap().0.to_owned();
    let other_value = other.cookie.split_once('=').unwrap().1.to_owned();
    for cookie in [
        String::new(),
        other.cookie.clone(),
        format!("{name}={other_value}"),
        format!("{name}="),
    ] {
        let back = bench.sign_in(FIRST).await;
        let cookie = cookie.replace(&name, back.cookie.split_once('=').unwrap().0);
        let stolen = Back {
            cookie,
            path: back.path.clone(),
        };
        assert_eq!(
            bench.arrive(&stolen, "").await,
            page("wrong_browser"),
            "{stolen:?}"
        );
        // It is used up, also for the right one.
        assert_eq!(bench.arrive(&back, "").await, page("already_used"));
    }
    // Adding an account: somebody else's session, none, another session of the same person, another MSP.
    let again = sign_in(&site.router, &email("technician", "own")).await;
    for (who, cookie) in [
        ("signed out", ""),
        ("a colleague", site.own.admin.as_str()),
        ("a client-portal user", site.own.client.as_str()),
        ("another MSP", site.foreign.admin.as_str()),
        ("another session", again.as_str()),
    ] {
        let back = bench.connect(&site.own.technician, SECOND).await;
        assert_eq!(
            bench.arrive(&back, cookie).await,
            page("wrong_person"),
            "{who}"
        );
        assert_eq!(
            bench.arrive(&back, &site.own.technician).await,
            page("already_used")
        );
    }
    // The answer names another issuer (RFC 9207), or is not one answer.
    for (odd, code) in [
        ("&iss=https%3A%2F%2Fevil.example%2Fv2.0", "wrong_issuer"),
        ("&iss=a&iss=b", "missing_parameters"),
        ("&code=another", "missing_parameters"),
        ("&error=access_denied", "missing_parameters"),
        ("&state=another", "missing_parameters"),
    ] {
        let back = bench.sign_in(FIRST).await;
        let odd = Back {
            path: format!("{}{odd}", back.path),
            ..back
        };
        assert_eq!(bench.arrive(&odd, "").await, page(code), "{odd:?}");
    }
    // States of nobody, of no MSP, and a look ahead.
    for query in [
        "",
        "?",
        "?code=a",
        "?state=a",
        "?state=a&code=b",
        "?state=%00&code=b",
    ] {
        let back = Back {
            path: format!("/api/auth/callback/azure-ad{query}"),
            cookie: String::new(),
        };
        let target = bench.arrive(&back, "").await;
        assert!(
            [page("missing_parameters"), page("already_used")].contains(&target),
            "{query}: {target}"
        );
    }
    let back = bench.sign_in(FIRST).await;
    let ahead = Call::new("HEAD", &back.path).cookie(&back.cookie);
    assert_eq!(site.send(ahead).await.status.as_u16(), 405);
    assert_eq!(bench.tokens(), before, "no token request for any of them");
    assert_eq!(
        bench.arrive(&back, "").await,
        HOME,
        "the look ahead used nothing up"
    );
}

pub async fn only_failed_ways_back_count(bench: Bench) {
    connected(&bench).await;
    // More than the limit lets fail.
    for nth in 0..40 {
        assert_eq!(bench.try_sign_in(FIRST).await, HOME, "sign-in {nth}");
    }
    let made_up = || Back {
        path: "/api/auth/callback/azure-ad?state=made-up&code=made-up".to_owned(),
        cookie: String::new(),
    };
    let mut ends = Vec::new();
    while ends.len() < 80 && ends.last() != Some(&page("rate_limited")) {
        ends.push(bench.arrive(&made_up(), "").await);
    }
    assert_eq!(ends.pop(), Some(page("rate_limited")), "{ends:?}");
    assert!(ends.len() >= 30, "{} were let through", ends.len());
    assert!(ends.iter().all(|end| *end == page("already_used")));
    // Whoever is refused now has lost nothing.
    let before = bench.tokens();
    let back = bench.sign_in(FIRST).await;
    assert_eq!(bench.arrive(&back, "").await, page("rate_limited"));
    assert_eq!(bench.tokens(), before, "no token request");
    bench.sql("DELETE FROM rate_limits").await;
    assert_eq!(bench.arrive(&back, "").await, HOME);
}

pub async fn changed_settings_end_a_flow(bench: Bench) {
    connected(&bench).await;
    let before = bench.tokens();
    let back = bench.sign_in(FIRST).await;
    bench
        .sql("UPDATE microsoft_profiles SET version = version + 1")
        .await;
    assert_eq!(bench.arrive(&back, "").await, page("settings_changed"));
    let back = bench.sign_in(FIRST).await;
    bench.bind(&bench.site.own, "Another").await;
    assert_eq!(bench.arrive(&back, "").await, page("settings_changed"));
    let back = bench.sign_in(FIRST).await;
    bench
        .sql("DELETE FROM microsoft_profile_consumer_bindings")
        .await;
    assert_eq!(bench.arrive(&back, "").await, page("settings_changed"));
    assert_eq!(bench.tokens(), before, "no token request");
}

pub async fn a_code_of_another_flow_is_refused(bench: Bench) {
    connected(&bench).await;
    let (one, two) = (bench.sign_in(FIRST).await, bench.sign_in(FIRST).await);
    let code = |back: &Back| {
        let (_, query) = back.path.split_once('?').unwrap();
        let found = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "code");
        found.unwrap().1.into_owned()
    };
    let swapped = Back {
        path: one.path.replace(&code(&one), &code(&two)),
        ..one
    };
    let answer = bench.answer(&swapped, "").await;
    assert_eq!(answer.location(), page("code_refused"));
    assert_eq!(session(&answer), "");
}

pub async fn keys_are_fetched_again_within_bounds(bench: Bench) {
    connected(&bench).await;
    assert_eq!(bench.try_sign_in(FIRST).await, HOME);
    assert_eq!(bench.count("microsoft.keys"), 1, "kept for the next");
    bench.fakes.rotate_signing_key();
    assert_eq!(
        bench.try_sign_in(FIRST).await,
        HOME,
        "one more fetch finds the new key"
    );
    assert_eq!(bench.count("microsoft.keys"), 2);
    bench.fakes.rotate_signing_key();
    for _ in 0..20 {
        assert_eq!(
            bench.try_sign_in(FIRST).await,
            page("token_invalid"),
            "fail closed"
        );
    }
    assert_eq!(
        bench.count("microsoft.keys"),
        2,
        "at most one fetch a minute"
    );
    assert_eq!(bench.count("microsoft.openid"), 1);
}

pub async fn every_refusal_has_its_page(bench: Bench) {
    connected(&bench).await;
    // What the browser brings back.
    for (error, code) in [
        ("error=access_denied", "declined"),
        (
            "error=consent_required&error_description=AADSTS65001",
            "consent_required",
        ),
        (
            "error=access_denied&error_description=AADSTS50105%3A+x",
            "not_assigned",
        ),
        (
            "error=access_denied&error_description=AADSTS53003%3A+x",
            "blocked_by_policy",
        ),
        ("error=server_error", "provider_down"),
        ("error=%3Cscript%3E", "code_refused"),
    ] {
        let before = bench.tokens();
        let (url, cookie) = bench.begin(FIRST).await;
        let url: url::Url = url.parse().unwrap();
        let (_, state) = url.query_pairs().find(|(name, _)| name == "state").unwrap();
        let back = Back {
            path: format!("/api/auth/callback/azure-ad?{error}&state={state}"),
            cookie,
        };
        assert_eq!(bench.arrive(&back, "").await, page(code), "{error}");
        assert_eq!(bench.tokens(), before, "no token request");
    }
    // What the token endpoint answers.
    let status = |status, reason: Option<&str>| FaultKind::Status {
        status,
        retry_after: None,
        reason: reason.map(str::to_owned),
    };
    for (kind, code) in [
        (status(503, None), "provider_down"),
        (status(429, None), "provider_down"),
        (FaultKind::DropBefore, "provider_down"),
        (FaultKind::Truncate, "provider_down"),
        (status(401, Some("invalid_client")), "client_refused"),
        (status(400, Some("invalid_grant")), "code_refused"),
        (
            status(400, Some("interaction_required")),
            "blocked_by_policy",
        ),
        (status(400, Some("<b>")), "code_refused"),
    ] {
        let what = format!("{kind:?}");
        bench.fakes.arm(Fault {
            operation: "microsoft.token".to_owned(),
            count: 1,
            kind,
        });
        let back = bench.sign_in(FIRST).await;
        let answer = bench.answer(&back, "").await;
        assert_eq!(answer.location(), page(code), "{what}");
        assert_eq!(session(&answer), "", "{what}");
    }
    // What the ID token says.
    for claims in [
        json!({"nonce": "another"}),
        json!({"aud": "another"}),
        json!({"oid": null}),
        json!({"exp": 1}),
    ] {
        bench.fakes.set_claims(claims.clone());
        assert_eq!(
            bench.try_sign_in(FIRST).await,
            page("token_invalid"),
            "{claims}"
        );
    }
    bench.fakes.set_claims(json!({}));
    assert_eq!(bench.try_sign_in(FIRST).await, HOME);
    // Each code has a page in our words, and an unknown one is no way in for somebody else's.
    for code in [
        "connected",
        "request_pending",
        "wrong_browser",
        "%3Cscript%3Ealert(1)%3C%2Fscript%3E",
    ] {
        let answer = bench.site.send(Call::get(&page(code))).await;
        assert_eq!(answer.status.as_u16(), 200, "{answer:?}");
        assert!(
            answer.body.contains("<h1") && !answer.body.contains("alert(1)"),
            "{answer:?}"
        );
    }
}
