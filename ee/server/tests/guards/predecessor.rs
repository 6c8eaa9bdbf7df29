//! What went wrong in the predecessor, tried from outside on the whole server (the U ids of `docs/testing.md`).

use std::collections::BTreeMap;
use std::time::Duration;

use daybind_fakes::{FakeProviders, Provider};
use daybind_guards::{Call, Database, Site, email, sign_in};

use crate::connected::{DIRECTORY, consent, providers, reachable, set_up};
use crate::journey::{Worker, choose, until};

async fn ready(database: Database) -> (FakeProviders, Site) {
    let fakes = providers();
    let site = reachable(database, &fakes).await;
    for tenant in [&site.own, &site.foreign] {
        set_up(&site, tenant).await;
    }
    (fakes, site)
}

fn count(fakes: &FakeProviders, operation: &str) -> u64 {
    fakes.counters().get(operation).copied().unwrap_or_default()
}

/// A test on each database.
macro_rules! on_both {
    ($($(#[$doc:meta])* $name:ident: $body:ident),+ $(,)?) => {
        mod sqlite {
            $($(#[$doc])* #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $name() {
                super::$body(daybind_guards::Database::Sqlite).await;
            })+
        }
        mod postgres {
            $($(#[$doc])* #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $name() {
                super::$body(daybind_guards::Database::Postgres).await;
            })+
        }
    };
}

on_both! {
    /// U1, W27: a callback is a redirect without a body, however it ends: no page, no message to an opener, no token.
    u01_a_callback_is_a_bare_redirect: bare_redirect,
    /// U2, M-10, M-12, W28, W29: a state works in the session that began it alone, at its provider's callback alone, and
    /// once, also when twenty calls come at once; all others ask for no token.
    u02_a_state_belongs_to_its_session_and_is_taken_once: states,
    /// U3, M-11, M-15, W38: PKCE S256 in every authorization, the profile's own directory, and no scope beyond calendars.
    u03_authorizations_ask_for_little_and_prove_themselves: authorizations,
    /// U4, U5, M-23, W30: a notification without its secret, with a wrong one or another tenant's, malformed or too long, is
    /// answered like a right one and neither writes nor queues anything.
    u04_u05_notifications_without_their_secret_do_nothing: forged_notifications,
    /// U6, M-24, W41: what is confirmed is stored: the job is in the database when the answer is sent, with no worker running.
    u06_a_confirmed_notification_is_stored: stored_notification,
    /// U11, W33: fields that an action does not name are not taken, and a link in the database that leads elsewhere is not
    /// followed.
    u11_nothing_is_assigned_or_followed_from_outside: assignments,
}

async fn bare_redirect(database: Database) {
    let (_fakes, site) = ready(database).await;
    for provider in ["google", "microsoft"] {
        let back = consent(&site, &site.own.admin, provider, 0).await;
        // First as it should be, then used up, then refused by the person.
        for call in [
            back.clone(),
            back.clone(),
            format!(
                "{}&popup=true",
                back.replace("code=", "error=access_denied&x=")
            ),
        ] {
            let answer = site.send(Call::get(&call).cookie(&site.own.admin)).await;
            assert_eq!(answer.status.as_u16(), 303, "{answer:?}");
            assert!(answer.body.is_empty(), "{answer:?}");
            assert!(
                answer
                    .location()
                    .starts_with("/msp/profile?tab=calendar&calendarAuth="),
                "{answer:?}"
            );
            assert_eq!(
                answer.header("referrer-policy"),
                "no-referrer",
                "{answer:?}"
            );
        }
    }
}

async fn states(database: Database) {
    let (fakes, site) = ready(database).await;
    for provider in ["google", "microsoft"] {
        let other = if provider == "google" {
            "microsoft"
        } else {
            "google"
        };
        let asked = format!("{provider}.token");
        let second = sign_in(&site.router, &email("admin", "own")).await;
        for (who, cookie, path) in [
            ("nobody", "", provider),
            ("another tenant", site.foreign.admin.as_str(), provider),
            ("a colleague", site.own.technician.as_str(), provider),
            ("a client-portal user", site.own.client.as_str(), provider),
            (
                "another session of the same person",
                second.as_str(),
                provider,
            ),
            (
                "the other provider's callback",
                site.own.admin.as_str(),
                other,
            ),
        ] {
            let back = consent(&site, &site.own.admin, provider, 0).await;
            let back = back.replace(&format!("/{provider}/"), &format!("/{path}/"));
            let before = (
                count(&fakes, "google.token"),
                count(&fakes, "microsoft.token"),
            );
            let answer = site.send(Call::get(&back).cookie(cookie)).await;
            assert!(
                answer
                    .location()
                    .ends_with("calendarAuth=error&calendarError=invalid_state"),
                "{who}: {answer:?}"
            );
            let after = (
                count(&fakes, "google.token"),
                count(&fakes, "microsoft.token"),
            );
            assert_eq!(before, after, "{who} asks for no token");
        }
        // One that has run out.
        let back = consent(&site, &site.own.admin, provider, 0).await;
        site.db
            .texts("UPDATE oauth_flows SET expires_at = created_at")
            .await;
        let before = count(&fakes, &asked);
        let answer = site.send(Call::get(&back).cookie(&site.own.admin)).await;
        assert!(
            answer.location().ends_with("calendarError=invalid_state"),
            "{answer:?}"
        );
        assert_eq!(
            before,
            count(&fakes, &asked),
            "an old state asks for no token"
        );
        // Another sender than the one that was asked (RFC 9207), and an answer that can be read in two ways.
        for (odd, code) in [
            ("&iss=https%3A%2F%2Fevil.example", "invalid_state"),
            ("&iss=a&iss=b", "missing_parameters"),
            ("&code=another", "missing_parameters"),
            ("&error=access_denied", "missing_parameters"),
        ] {
            let back = consent(&site, &site.own.admin, provider, 0).await;
            let before = count(&fakes, &asked);
            let call = Call::get(&format!("{back}{odd}")).cookie(&site.own.admin);
            let answer = site.send(call).await;
            let end = format!("calendarAuth=error&calendarError={code}");
            assert!(answer.location().ends_with(&end), "{odd}: {answer:?}");
            assert_eq!(before, count(&fakes, &asked), "{odd} asks for no token");
        }
        let back = consent(&site, &site.own.admin, provider, 0).await;
        let before = count(&fakes, &asked);
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let (router, call) = (
                site.router.clone(),
                Call::get(&back).cookie(&site.own.admin),
            );
            calls.spawn(async move { call.send(&router).await.location().to_owned() });
        }
        let ends = calls.join_all().await;
        let good = ends
            .iter()
            .filter(|end| end.contains("calendarAuth=success"))
            .count();
        assert_eq!(good, 1, "{ends:?}");
        assert_eq!(count(&fakes, &asked) - before, 1, "one token request");
    }
}

async fn authorizations(database: Database) {
    let (_fakes, site) = ready(database).await;
    let allowed: BTreeMap<&str, &[&str]> = BTreeMap::from([
        (
            "google",
            &[
                "openid",
                "email",
                "https://www.googleapis.com/auth/calendar.events",
                "https://www.googleapis.com/auth/calendar.calendarlist.readonly",
                "https://www.googleapis.com/auth/calendar.readonly",
                "https://www.googleapis.com/auth/userinfo.email",
            ][..],
        ),
        (
            "microsoft",
            &[
                "openid",
                "offline_access",
                "User.Read",
                "Calendars.ReadWrite",
            ][..],
        ),
    ]);
    let mut states = Vec::new();
    for (provider, scopes) in allowed {
        for _ in 0..2 {
            let form = format!("provider={provider}");
            let start = Call::form("/_fn/initiate_calendar_oauth", &form).cookie(&site.own.admin);
            let url: String = serde_json::from_str(&site.send(start).await.body).unwrap();
            let url = url::Url::parse(&url).unwrap();
            let query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
            assert_eq!(query["code_challenge_method"], "S256", "{url}");
            assert_eq!(query["code_challenge"].len(), 43, "{url}");
            assert_eq!(query["response_type"], "code", "{url}");
            assert_eq!(
                query["redirect_uri"],
                site.state
                    .services
                    .absolute(&format!("/api/auth/{provider}/calendar/callback"))
            );
            if provider == "microsoft" {
                assert!(url.path().contains(&format!("/{DIRECTORY}/")), "{url}");
            }
            for scope in query["scope"].split(' ') {
                let short = scope.rsplit('/').next().unwrap_or_default();
                assert!(
                    scopes.contains(&scope) || scopes.contains(&short),
                    "{provider} asks for {scope}"
                );
            }
            assert!(!url.as_str().to_lowercase().contains("mail."), "{url}");
            states.push((query["state"].clone(), query["code_challenge"].clone()));
        }
    }
    let distinct: std::collections::BTreeSet<_> = states.iter().collect();
    assert_eq!(
        distinct.len(),
        states.len(),
        "no state or challenge comes twice"
    );
}

/// Both providers connected and subscribed, nothing running; the channels' secrets.
async fn subscribed(fakes: &FakeProviders, site: &Site) -> BTreeMap<&'static str, String> {
    let worker = Worker::start(&site.state).await;
    let mut secrets = BTreeMap::new();
    for (provider, name) in [
        (Provider::Google, "google"),
        (Provider::Microsoft, "microsoft"),
    ] {
        let known = fakes.secrets();
        choose(site, fakes, provider).await;
        until("a subscription", || {
            fakes
                .secrets()
                .iter()
                .any(|secret| secret.starts_with(&site.own.id) && !known.contains(secret))
        })
        .await;
        let secret = fakes
            .secrets()
            .into_iter()
            .find(|secret| secret.starts_with(&site.own.id) && !known.contains(secret));
        secrets.insert(name, secret.unwrap());
    }
    tokio::time::sleep(Duration::from_millis(1500)).await;
    worker.stop().await;
    secrets
}

fn google(token: Option<&str>) -> Call {
    let call = Call::new("POST", "/api/calendar/webhooks/google")
        .header("x-goog-resource-state", "exists")
        .header("x-goog-message-number", "7");
    match token {
        Some(token) => call.header("x-goog-channel-token", token),
        None => call,
    }
}

fn graph(body: &str) -> Call {
    Call::new("POST", "/api/calendar/webhooks/microsoft")
        .header("content-type", "application/json")
        .body(body.as_bytes())
}

fn state(value: &str) -> String {
    format!("{{\"value\":[{{\"clientState\":{value},\"changeType\":\"updated\"}}]}}")
}

async fn forged_notifications(database: Database) {
    let (fakes, site) = ready(database).await;
    let secrets = subscribed(&fakes, &site).await;
    let before = (site.db.rows(&site.own.id).await, site.writes.get());
    let mut shapes = BTreeMap::new();
    for (provider, right) in &secrets {
        let (head, tail) = right.rsplit_once('.').unwrap();
        let other = &secrets[if *provider == "google" {
            "microsoft"
        } else {
            "google"
        }];
        let foreign = right.replacen(&site.own.id, &site.foreign.id, 1);
        let wrong = [
            String::new(),
            "x".to_owned(),
            head.to_owned(),
            format!("{head}."),
            format!("{head}.{}", "A".repeat(tail.len())),
            format!("{right}x"),
            right.to_uppercase(),
            other.clone(),
            foreign,
        ];
        let mut calls: Vec<Call> = Vec::new();
        for secret in &wrong {
            calls.push(if *provider == "google" {
                google(Some(secret))
            } else {
                graph(&state(&format!("\"{secret}\"")))
            });
        }
        // Longer than any of theirs, with the right secret in it.
        let long = "x".repeat(300 << 10);
        if *provider == "google" {
            calls.push(google(None));
            calls.push(google(None).body(long.as_bytes()));
            calls.push(google(Some("x")).body(b"\xff\x00{"));
        } else {
            let padded = state(&format!("\"{right}\",\"x\":\"{long}\""));
            calls.push(graph(&padded));
            calls.push(graph(&long));
            calls.push(graph(&"[".repeat(10_000)));
            calls.push(graph("").body(b"{\"value\":[{\"clientState\":\"\xff\"}]}"));
            for body in [
                "",
                "{}",
                "[]",
                "null",
                "{\"value\":null}",
                "{\"value\":[{}]}",
                &state("null"),
                &state("7"),
                &state(&format!("[\"{right}\"]")),
                &format!("{{\"value\":[{{\"clientstate\":\"{right}\"}}]}}"),
            ] {
                calls.push(graph(body));
            }
        }
        for call in calls {
            let answer = site.send(call.clone()).await;
            shapes
                .entry(*provider)
                .or_insert_with(|| answer.comparable());
            assert_eq!(shapes[provider], answer.comparable(), "{call:?}");
        }
    }
    let after = (site.db.rows(&site.own.id).await, site.writes.get());
    assert_eq!(before.1, after.1, "nothing is written");
    assert_eq!(before.0, after.0, "no row changes");
    // A right one looks the same from outside, and does queue.
    for (provider, right) in &secrets {
        let call = if *provider == "google" {
            google(Some(right))
        } else {
            graph(&state(&format!("\"{right}\"")))
        };
        let answer = site.send(call).await;
        assert_eq!(shapes[provider], answer.comparable(), "{provider}");
    }
    assert_eq!(
        site.writes.get(),
        after.1 + 2,
        "the right ones are written down"
    );
}

async fn stored_notification(database: Database) {
    let (fakes, site) = ready(database).await;
    let secrets = subscribed(&fakes, &site).await;
    let due = async || {
        let now = site.state.services.now();
        let mut unit = site
            .state
            .services
            .store
            .begin(daybind_guards::Scope::System)
            .await
            .unwrap();
        let kinds = site.state.calendar.job_kinds();
        let claimed = unit.claim_jobs(kinds, 50, now, now).await.unwrap();
        unit.cancel().await.unwrap();
        claimed.len()
    };
    let before = due().await;
    // A thousand for one connection are one pull.
    for _ in 0..50 {
        let answer = site.send(google(Some(&secrets["google"]))).await;
        assert_eq!(answer.status.as_u16(), 200);
    }
    assert_eq!(due().await, before + 1, "one job, due now");
    let item = format!("{{\"clientState\":\"{}\"}}", secrets["microsoft"]);
    let many = vec![item; 400].join(",");
    let answer = site.send(graph(&format!("{{\"value\":[{many}]}}"))).await;
    assert_eq!(answer.status.as_u16(), 202);
    assert_eq!(due().await, before + 2, "one job more");
    // Where it cannot be stored, it is not confirmed: the provider repeats it.
    site.state.services.store.close().await;
    let lost = site.send(google(Some(&secrets["google"]))).await;
    assert!(lost.status.is_server_error(), "{lost:?}");
}

async fn assignments(database: Database) {
    let (fakes, site) = ready(database).await;
    let (connection, _) = choose(&site, &fakes, Provider::Microsoft).await;
    let worker = Worker::start(&site.state).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    worker.stop().await;
    let columns = site.db.tables().await["calendar_providers"].clone();
    let read = async |column: &str| {
        site.db
            .values(&site.own.id, "calendar_providers", column)
            .await
    };
    let mut before = BTreeMap::new();
    for column in &columns {
        before.insert(column.clone(), read(column).await);
    }
    // Every column of the table as a field of every action that takes a connection.
    for endpoint in site
        .endpoints
        .iter()
        .filter(|e| e.form.contains("connection_id"))
    {
        if endpoint.path.contains("delete")
            || endpoint.path.contains("update")
            || !endpoint.path.starts_with("/_fn/")
        {
            continue;
        }
        let mut form = site.filled(endpoint.form, &site.own, 0).await;
        for column in &columns {
            if form.contains(column.as_str()) {
                continue;
            }
            form.push_str(&format!("&{column}={}", site.foreign.id));
        }
        site.send(site.call(endpoint, &form).cookie(&site.own.admin))
            .await;
    }
    let mut form = format!("connection_id={connection}&direction=bidirectional");
    for column in columns
        .iter()
        .filter(|c| !["connection_id", "direction", "calendar_id"].contains(&c.as_str()))
    {
        form.push_str(&format!("&{column}={}", site.foreign.id));
    }
    site.send(Call::form("/_fn/update_calendar_provider", &form).cookie(&site.own.admin))
        .await;
    for (column, values) in &before {
        // Times, versions, and tokens renewed by what was asked for; it was paused, too, by whoever asked.
        let moves = [
            "version",
            "updated_at",
            "last_sync_at",
            "last_error",
            "paused_at",
        ];
        let now = read(column).await;
        if column == "paused_by" {
            let foreign = site.foreign.id.to_string();
            assert!(!now.iter().any(|by| by.contains(&foreign)), "{now:?}");
        } else if !moves.contains(&column.as_str()) {
            assert_eq!(*values, now, "{column}");
        }
    }
    let resume = format!("connection_id={connection}&action=resume");
    site.send(Call::form("/_fn/pause_calendar_provider", &resume).cookie(&site.own.admin))
        .await;
    // A cursor that leads elsewhere: the token does not go there.
    let elsewhere = format!("{}/me/events/delta?$deltatoken=x", site.somebody());
    let poisoned = site
        .db
        .texts(&format!(
            "UPDATE calendar_providers SET cursor = '{elsewhere}' WHERE provider = 'microsoft' RETURNING cursor"
        ))
        .await;
    assert_eq!(poisoned, [elsewhere]);
    let sync = Call::form(
        "/_fn/sync_calendar_provider",
        &format!("connection_id={connection}"),
    );
    let asked = site.send(sync.cookie(&site.own.admin)).await;
    assert!(asked.status.is_success(), "{asked:?}");
    let worker = Worker::start(&site.state).await;
    tokio::time::sleep(Duration::from_millis(2500)).await;
    worker.stop().await;
    assert_eq!(site.outbound.get(), 0, "somebody else was called");
}
