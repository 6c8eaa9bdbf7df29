//! Who comes in with which account.

use daybind_fakes::object_id;
use daybind_guards::{Call, logged};
use serde_json::json;

use crate::bench::{Bench, CLIENT, DIRECTORY, FIRST, SECOND, connecting, page, session};

const HOME: &str = "/msp/profile?tab=profile";

pub async fn an_account_is_connected_and_signs_in(bench: Bench) {
    let site = &bench.site;
    let technician = site.own.technician.clone();
    // The way out.
    let out = site.send(connecting(&technician)).await;
    let cookie = out.header("set-cookie").to_owned();
    assert!(cookie.starts_with("daybind-flow-"), "{cookie}");
    for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=600"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let url: url::Url = out.location().parse().unwrap();
    assert_eq!(
        url.path(),
        format!("/ms/login/{DIRECTORY}/oauth2/v2.0/authorize")
    );
    let query: std::collections::BTreeMap<_, _> = url.query_pairs().into_owned().collect();
    assert_eq!(query["scope"], "openid profile email", "the least there is");
    assert_eq!(query["code_challenge_method"], "S256");
    assert_eq!(query["response_type"], "code");
    assert_eq!(query["client_id"], CLIENT);
    assert_eq!(
        query["redirect_uri"],
        "http://127.0.0.1:3000/api/auth/callback/azure-ad"
    );
    for random in ["state", "nonce", "code_challenge"] {
        assert!(query[random].len() >= 43, "{random}");
    }
    // Nobody comes in before.
    assert_eq!(bench.try_sign_in(FIRST).await, page("request_pending"));
    // Connected by its owner: also what waited is settled.
    let back = bench.connect(&technician, FIRST).await;
    let answer = bench.answer(&back, &technician).await;
    assert_eq!(answer.location(), page("connected"));
    assert!(
        answer.header("set-cookie").starts_with("daybind-flow-"),
        "the cookie is taken away"
    );
    let technicians = site.id(&site.own, "users", "user_id", 1).await;
    let mine = format!(
        "SELECT CAST(user_id AS TEXT) || ' ' || directory_id || ' ' || proof FROM user_identities WHERE object_id = '{}'",
        object_id(FIRST)
    );
    assert_eq!(
        site.db.texts(&mine).await,
        [format!("{technicians} {DIRECTORY} signed_in")]
    );
    let waiting = bench
        .rows(&site.own, "identity_requests", "object_id")
        .await;
    assert!(!waiting.contains(&object_id(FIRST)));
    let again = bench.connect(&technician, FIRST).await;
    assert_eq!(
        bench.arrive(&again, &technician).await,
        page("already_connected")
    );
    let other = bench.connect(&site.own.admin, FIRST).await;
    assert_eq!(
        bench.arrive(&other, &site.own.admin).await,
        page("connected_elsewhere")
    );
    // In, also when every name of the account has changed: it is the same account.
    bench.fakes.set_claims(
        json!({"email": "admin@own.guard.test", "preferred_username": "x", "xms_edov": true}),
    );
    let back = bench.sign_in(FIRST).await;
    let answer = bench.answer(&back, "").await;
    assert_eq!(answer.location(), HOME);
    let session = session(&answer);
    let me = site
        .send(Call::form("/_fn/current_session", "").cookie(&session))
        .await;
    assert!(me.body.contains("technician@own.guard.test"), "{me:?}");
    let profile = site.send(Call::get(HOME).cookie(&session)).await;
    assert!(
        profile.body.contains("Connect a Microsoft account"),
        "{profile:?}"
    );
    // All of it is on record, and nobody was shown a secret.
    let audit = bench.rows(&site.own, "audit_log", "action").await;
    for action in ["sign_in.requested", "sign_in.connected", "session.opened"] {
        assert!(audit.iter().any(|row| row == action), "{action}: {audit:?}");
    }
    let (heard, log) = (site.heard(), logged());
    for secret in bench.fakes.secrets() {
        assert!(!heard.contains(&secret), "an answer holds {secret}");
        assert!(!log.contains(&secret), "the log holds {secret}");
    }
}

pub async fn an_address_lets_nobody_in(bench: Bench) {
    let site = &bench.site;
    let before = bench.rows(&site.own, "user_identities", "object_id").await;
    let victim = "admin@own.guard.test";
    for directory in [
        DIRECTORY,
        "33333333-3333-4333-8333-333333333333",
        "9188040d-6c67-4c5b-b112-36a304b66dad",
    ] {
        for flag in [
            json!(null),
            json!(false),
            json!("0"),
            json!("1"),
            json!(true),
        ] {
            let issuer = format!("{}ms/login/{directory}/v2.0", bench.fakes.base_url);
            bench.fakes.set_claims(json!({
                "tid": directory, "iss": issuer, "email": victim, "preferred_username": victim, "xms_edov": flag,
            }));
            let back = bench.sign_in(SECOND).await;
            let answer = bench.answer(&back, "").await;
            let code = match directory {
                DIRECTORY => "request_pending",
                "9188040d-6c67-4c5b-b112-36a304b66dad" => "personal_account",
                _ => "wrong_directory",
            };
            assert_eq!(answer.location(), page(code), "{directory} {flag}");
            assert_eq!(session(&answer), "", "{directory} {flag}");
        }
    }
    assert_eq!(
        before,
        bench.rows(&site.own, "user_identities", "object_id").await
    );
    let waiting = bench
        .rows(&site.own, "identity_requests", "object_id")
        .await;
    let asked = waiting
        .iter()
        .filter(|id| **id == object_id(SECOND))
        .count();
    assert_eq!(asked, 1, "it asks once");
}

pub async fn an_administrator_decides_whose_an_account_is(bench: Bench) {
    let site = &bench.site;
    let people = site.db.values(&site.own.id, "users", "user_id").await;
    let request = async |email: &str| -> (String, String) {
        let row = format!(
            "SELECT CAST(request_id AS TEXT) || ' ' || coalesce(CAST(suggested_user_id AS TEXT), '') \
             FROM identity_requests WHERE object_id = '{}'",
            object_id(email)
        );
        let row = site.db.texts(&row).await.pop().unwrap();
        let (id, suggested) = row.split_once(' ').unwrap();
        (id.to_owned(), suggested.to_owned())
    };
    // Seeded accounts are the administrator's; here the address alone shall count.
    bench.sql("DELETE FROM user_identities").await;
    // A verified address of an active person makes a suggestion; one of a client-portal user or an unverified one none.
    bench.fakes.set_claims(json!({"xms_edov": true}));
    for (email, suggested) in [
        ("admin@own.guard.test", people[0].as_str()),
        ("client@own.guard.test", ""),
    ] {
        assert_eq!(bench.try_sign_in(email).await, page("request_pending"));
        assert_eq!(request(email).await.1, suggested, "{email}");
    }
    bench.fakes.set_claims(json!({}));
    assert_eq!(bench.try_sign_in(SECOND).await, page("request_pending"));
    let (id, suggested) = request(SECOND).await;
    assert_eq!(suggested, "");
    let list = Call::get("/msp/settings?tab=integrations&category=sign-in").cookie(&site.own.admin);
    let list = site.send(list).await;
    assert!(
        list.body.contains(SECOND) && list.body.contains("does not vouch"),
        "{list:?}"
    );
    let decide = async |action: &str, form: &str| -> u16 {
        let call = Call::form(&format!("/_fn/{action}_sign_in_request"), form);
        site.send(call.cookie(&site.own.admin))
            .await
            .status
            .as_u16()
    };
    let form = format!("request_id={id}&note=nobody+of+ours");
    assert_eq!(decide("decline", &form).await, 200);
    let why = "SELECT note FROM audit_log WHERE action = 'sign_in.declined' AND note IS NOT NULL";
    assert_eq!(site.db.texts(why).await, ["nobody of ours"]);
    assert_eq!(bench.try_sign_in(SECOND).await, page("request_declined"));
    assert_eq!(request(SECOND).await.0, id, "no new request");
    // Somebody of the client portal, of another MSP, or nobody cannot be chosen.
    let foreign = site.db.values(&site.foreign.id, "users", "user_id").await;
    for wrong in [people[2].as_str(), foreign[0].as_str(), "", "nobody"] {
        let form = format!("request_id={id}&user_id={wrong}");
        assert_eq!(decide("approve", &form).await, 422, "{wrong}");
    }
    let form = format!("request_id={id}&user_id={}", people[1]);
    assert_eq!(decide("approve", &form).await, 200);
    assert_eq!(decide("approve", &form).await, 404, "it is decided");
    let back = bench.sign_in(SECOND).await;
    let answer = bench.answer(&back, "").await;
    assert_eq!(answer.location(), HOME);
    let me = Call::form("/_fn/current_session", "").cookie(&session(&answer));
    assert!(
        site.send(me)
            .await
            .body
            .contains("technician@own.guard.test")
    );
    // Whoever has an account already is not suggested for another one.
    bench.fakes.set_claims(json!({"xms_edov": true}));
    let third = "technician@own.guard.test";
    assert_eq!(bench.try_sign_in(third).await, page("request_pending"));
    assert_eq!(request(third).await.1, "");
    let audit = bench.rows(&site.own, "audit_log", "action").await;
    for action in ["sign_in.requested", "sign_in.declined", "sign_in.approved"] {
        assert!(audit.iter().any(|row| row == action), "{action}: {audit:?}");
    }
}

pub async fn only_active_staff_comes_in(bench: Bench) {
    let site = &bench.site;
    let technician = site.id(&site.own, "users", "user_id", 1).await;
    let back = bench.connect(&site.own.technician, FIRST).await;
    assert_eq!(
        bench.arrive(&back, &site.own.technician).await,
        page("connected")
    );
    for (change, undo) in [
        ("is_active = false", "is_active = true"),
        ("user_type = 'client'", "user_type = 'internal'"),
    ] {
        bench
            .sql(&format!(
                "UPDATE users SET {change} WHERE user_id = '{technician}'"
            ))
            .await;
        assert_eq!(
            bench.try_sign_in(FIRST).await,
            page("not_allowed"),
            "{change}"
        );
        bench
            .sql(&format!(
                "UPDATE users SET {undo} WHERE user_id = '{technician}'"
            ))
            .await;
        assert_eq!(bench.try_sign_in(FIRST).await, HOME, "{undo}");
    }
    // Client-portal users and strangers cannot even set out to connect one.
    let before = bench.rows(&site.own, "oauth_flows", "flow_id").await;
    for (who, status) in [(site.own.client.as_str(), 403), ("", 401)] {
        assert_eq!(site.send(connecting(who)).await.status.as_u16(), status);
    }
    assert_eq!(
        before,
        bench.rows(&site.own, "oauth_flows", "flow_id").await
    );
    // An account is one MSP's: at another one it belongs to nobody.
    let elsewhere = format!(
        "SELECT object_id FROM user_identities WHERE tenant_id = '{}'",
        site.foreign.id
    );
    assert!(!site.db.texts(&elsewhere).await.contains(&object_id(FIRST)));
}

pub async fn the_last_way_in_stays(bench: Bench) {
    let site = &bench.site;
    let technician = site.id(&site.own, "users", "user_id", 1).await;
    // What the site is filled with would be one more way in.
    bench.sql("DELETE FROM user_identities").await;
    for account in [FIRST, SECOND] {
        let back = bench.connect(&site.own.technician, account).await;
        assert_eq!(
            bench.arrive(&back, &site.own.technician).await,
            page("connected")
        );
    }
    bench
        .sql(&format!(
            "UPDATE users SET password_hash = NULL WHERE user_id = '{technician}'"
        ))
        .await;
    let id = async |email: &str| -> String {
        let sql = format!(
            "SELECT CAST(identity_id AS TEXT) FROM user_identities WHERE object_id = '{}'",
            object_id(email)
        );
        site.db.texts(&sql).await.pop().unwrap()
    };
    let (first, second) = (id(FIRST).await, id(SECOND).await);
    let disconnect = async |id: &str, who: &str| -> u16 {
        let call = Call::form(
            "/_fn/disconnect_microsoft_account",
            &format!("identity_id={id}"),
        );
        site.send(call.cookie(who)).await.status.as_u16()
    };
    assert_eq!(
        disconnect(&first, &site.own.admin).await,
        404,
        "somebody else's"
    );
    assert_eq!(disconnect(&first, &site.own.technician).await, 200);
    assert_eq!(
        disconnect(&second, &site.own.technician).await,
        409,
        "the last way in"
    );
    assert_eq!(bench.try_sign_in(FIRST).await, page("request_pending"));
    assert_eq!(bench.try_sign_in(SECOND).await, HOME);
    let audit = bench.rows(&site.own, "audit_log", "action").await;
    let disconnected = audit
        .iter()
        .filter(|row| *row == "sign_in.disconnected")
        .count();
    assert_eq!(disconnected, 1, "{audit:?}");
}
