//! The doors people and providers come through: callbacks, webhooks, others' connections.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use daybind_domain::view::CoverageQuery;
use daybind_fakes::DuplicateTransaction;
use daybind_services::{Actor, CalendarPort, Provider, StableRoute, demo};
use daybind_storage::{Scope, User};
use serde_json::json;

use crate::bench::{Database, World, actor, location};

#[tokio::test(flavor = "multi_thread")]
async fn callbacks_are_single_use_and_belong_to_their_session() {
    let w = World::new(
        Database::Sqlite,
        Provider::Google,
        DuplicateTransaction::Existing,
    )
    .await;
    let outcome = |response: &Response| location(response).rsplit('=').next().unwrap().to_owned();
    let path = StableRoute::Callback(Provider::Google).path();
    assert_eq!(
        outcome(&w.call_back(Some(&w.tess), path).await),
        "missing_parameters"
    );
    let forged = format!("{path}?code=x&state=y");
    assert_eq!(
        outcome(&w.call_back(Some(&w.tess), &forged).await),
        "invalid_state"
    );
    let tom = actor(&w.services, "tom@demo.daybind.test").await;
    for (who, expected) in [
        (None, "invalid_state"),
        (Some(&w.admin), "invalid_state"),
        (Some(&tom), "already_connected"),
    ] {
        let start = w
            .port
            .initiate_calendar_oauth(&tom, "google", None)
            .await
            .unwrap();
        let answer = w.services.http.get(start).send().await.unwrap();
        let back = answer.headers()["location"].to_str().unwrap().to_owned();
        assert_eq!(outcome(&w.call_back(who, &back).await), expected);
        if who.is_some() {
            assert_eq!(
                outcome(&w.call_back(Some(&tom), &back).await),
                "invalid_state",
                "used up"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_answer_alike_and_shake_hands() {
    let w = World::new(
        Database::Sqlite,
        Provider::Microsoft,
        DuplicateTransaction::Existing,
    )
    .await;
    let route = StableRoute::Webhook(Provider::Microsoft);
    let post = |query: &str, body: String| {
        let request = Request::post(format!("{}{query}", route.path()))
            .body(Body::from(body))
            .unwrap();
        w.port.serve(route, request)
    };
    let hello = post("?validationToken=a%3A%20b%2B", String::new()).await;
    assert_eq!(hello.headers()["content-type"], "text/plain; charset=utf-8");
    assert_eq!(
        axum::body::to_bytes(hello.into_body(), 100).await.unwrap(),
        "a: b+"
    );
    let before = jobs_due(&w).await;
    for state in [
        "",
        "x.y.z",
        &format!("{}.{}.secret", demo::TENANT, uuid::Uuid::now_v7()),
    ] {
        let body = json!({ "value": [{ "clientState": state }] }).to_string();
        assert_eq!(post("", body).await.status(), StatusCode::ACCEPTED);
    }
    assert_eq!(
        post("", "not json".to_owned()).await.status(),
        StatusCode::ACCEPTED
    );
    assert_eq!(
        post("", "x".repeat(300 << 10)).await.status(),
        StatusCode::ACCEPTED
    );
    assert_eq!(jobs_due(&w).await, before, "nothing was queued");
}

async fn jobs_due(w: &World) -> usize {
    let now = w.services.now();
    let mut unit = w.services.store.begin(Scope::System).await.unwrap();
    let due = unit
        .claim_jobs(w.port.job_kinds(), 10, now, now)
        .await
        .unwrap()
        .len();
    unit.cancel().await.unwrap();
    due
}

#[tokio::test(flavor = "multi_thread")]
async fn others_connections_and_settings_are_out_of_reach() {
    let w = World::new(
        Database::Sqlite,
        Provider::Google,
        DuplicateTransaction::Existing,
    )
    .await;
    let id = w.connection().await;
    let tom = actor(&w.services, "tom@demo.daybind.test").await;
    assert!(w.port.list_remote_calendars(&tom, &id).await.is_err());
    assert!(
        w.port
            .delete_calendar_provider(&tom, &id, true)
            .await
            .is_err()
    );
    assert!(w.port.save_google_client(&tom, "x", "y").await.is_err());
    assert!(
        w.port
            .get_calendar_settings(&tom, &CoverageQuery::default())
            .await
            .is_err()
    );
    let client = User {
        user_type: daybind_domain::user::UserType::Client,
        ..tom.user.clone()
    };
    let client = Actor {
        user: client,
        ..tom
    };
    assert!(w.port.get_calendar_providers(&client).await.is_err());
    let settings = w
        .port
        .get_calendar_settings(&w.admin, &CoverageQuery::default())
        .await
        .unwrap();
    assert_eq!(settings.connections.len(), 1);
    assert!(settings.google_ready && settings.microsoft_profile.is_some());
}
