//! The fakes keep the providers' contracts: OAuth, delta, idempotency, conditions, push, faults.

#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use daybind_fakes::{DuplicateTransaction, FakeOptions, Fault, FaultKind, Provider};
use serde_json::{Value, json};
use support::*;

fn google_event(id: &str, hour: u32) -> Value {
    json!({"id": id, "summary": "Repair",
           "start": {"dateTime": format!("2026-11-24T{hour:02}:00:00+01:00")},
           "end": {"dateTime": format!("2026-11-24T{:02}:00:00+01:00", hour + 1)}})
}

fn graph_event(day: &str) -> Value {
    json!({"subject": "Repair",
           "start": {"dateTime": format!("{day}T10:00:00"), "timeZone": "W. Europe Standard Time"},
           "end": {"dateTime": format!("{day}T11:00:00"), "timeZone": "Europe/Berlin"}})
}

#[tokio::test]
async fn consent_page_works_without_scripts_and_can_be_cancelled() {
    let (fakes, http) = start(FakeOptions::default());
    let challenge = challenge();
    let query = authorize_query(GOOGLE_CLIENT, GOOGLE_SCOPE, &challenge);
    let address = url(&fakes, "google/o/oauth2/v2/auth");
    let page = http
        .get(&address)
        .query(&query)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(page.contains("id=\"allow\"") && page.contains("id=\"deny\""));
    assert!(page.contains("second@example.test"));
    let form = [("account", "second@example.test"), ("decision", "deny")];
    let answer = http
        .post(&address)
        .query(&query)
        .form(&form)
        .send()
        .await
        .unwrap();
    assert_eq!(location(&answer)["error"], "access_denied");
    assert_eq!(location(&answer)["state"], "st");
}

#[tokio::test]
async fn google_code_is_single_use_and_bound_to_the_verifier() {
    let (fakes, http) = start(automatic());
    let challenge = challenge();
    let query = authorize_query(GOOGLE_CLIENT, GOOGLE_SCOPE, &challenge);
    for (verifier, wanted) in [("wrong", [400, 400]), (VERIFIER, [200, 400])] {
        let address = url(&fakes, "google/o/oauth2/v2/auth");
        let answer = http.get(address).query(&query).send().await.unwrap();
        let code = location(&answer)["code"].clone();
        for status in wanted {
            let form = [
                ("grant_type", "authorization_code"),
                ("code", &code),
                ("redirect_uri", REDIRECT),
                ("code_verifier", verifier),
            ];
            let request = http
                .post(url(&fakes, "google/token"))
                .basic_auth(GOOGLE_CLIENT, Some("demo-google-secret"))
                .form(&form);
            let (got, body) = json(request).await;
            assert_eq!(got, status, "{body}");
            if got == 200 {
                assert!(body["refresh_token"].is_string());
            } else {
                assert_eq!(body["error"], "invalid_grant");
            }
        }
    }
}

#[tokio::test]
async fn entra_names_its_errors_and_keeps_old_refresh_tokens() {
    let (fakes, http) = start(automatic());
    let tokens = sign_in_microsoft(&fakes, &http).await;
    assert_eq!(tokens["scope"], "openid User.Read Calendars.ReadWrite");
    let token_at = |tenant: &str| url(&fakes, &format!("ms/login/{tenant}/oauth2/v2.0/token"));
    let refresh = tokens["refresh_token"].as_str().unwrap();
    for _ in 0..2 {
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh),
            ("client_id", MS_CLIENT),
            ("client_secret", "demo-microsoft-secret"),
        ];
        let (status, body) = json(http.post(token_at(TENANT)).form(&form)).await;
        assert_eq!(status, 200);
        assert_ne!(body["refresh_token"], tokens["refresh_token"]);
    }
    let cases = [
        ("common", MS_CLIENT, "demo-microsoft-secret", 50_194),
        (
            "99999999-1111-4111-8111-111111111111",
            MS_CLIENT,
            "demo-microsoft-secret",
            90_002,
        ),
        (
            TENANT,
            "33333333-3333-4333-8333-333333333333",
            "demo-microsoft-secret",
            700_016,
        ),
        (TENANT, MS_CLIENT, "wrong", 7_000_215),
    ];
    for (tenant, client, secret, number) in cases {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client),
            ("client_secret", secret),
            ("scope", "https://graph.microsoft.com/.default"),
        ];
        let (_, body) = json(http.post(token_at(tenant)).form(&form)).await;
        assert_eq!(body["error_codes"], json!([number]), "{body}");
        assert!(body["correlation_id"].is_string() && body["trace_id"].is_string());
    }
    fakes.revoke_grants(Provider::Microsoft);
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh),
        ("client_id", MS_CLIENT),
        ("client_secret", "demo-microsoft-secret"),
    ];
    let (status, body) = json(http.post(token_at(TENANT)).form(&form)).await;
    assert_eq!((status, &body["error"]), (400, &json!("invalid_grant")));
}

#[tokio::test]
async fn google_sync_tokens_pages_and_tombstones() {
    let (fakes, http) = start(automatic());
    let token = bearer(&sign_in_google(&fakes, &http).await);
    let calendar = "tech@example.test";
    for (n, id) in ["aaaaa1", "aaaaa2", "aaaaa3"].iter().enumerate() {
        let hour = 8 + u32::try_from(n).unwrap();
        fakes
            .create_event(Provider::Google, calendar, &google_event(id, hour))
            .unwrap();
    }
    let address = url(
        &fakes,
        "google/api/calendar/v3/calendars/tech%40example.test/events",
    );
    let list = |query: Vec<(&'static str, String)>| {
        json(http.get(&address).bearer_auth(&token).query(&query))
    };
    let (_, first) = list(vec![("maxResults", "2".into())]).await;
    assert_eq!(first["items"].as_array().unwrap().len(), 2);
    assert!(first.get("nextSyncToken").is_none());
    let page = first["nextPageToken"].as_str().unwrap().to_owned();
    let (_, last) = list(vec![("maxResults", "2".into()), ("pageToken", page)]).await;
    let sync = last["nextSyncToken"].as_str().unwrap().to_owned();
    fakes
        .delete_event(Provider::Google, calendar, "aaaaa2")
        .unwrap();
    let (_, changed) = list(vec![("syncToken", sync.clone())]).await;
    assert_eq!(changed["items"][0]["id"], "aaaaa2");
    assert_eq!(changed["items"][0]["status"], "cancelled");
    assert!(changed["items"][0].get("summary").is_none());
    let (status, _) = list(vec![("syncToken", sync.clone()), ("q", "x".into())]).await;
    assert_eq!(status, 400);
    let insert = http
        .post(&address)
        .bearer_auth(&token)
        .json(&google_event("aaaaa2", 9));
    assert_eq!(json(insert).await.0, 409, "tombstones keep their id");
    fakes.expire_sync_tokens(Provider::Google);
    let (status, body) = list(vec![("syncToken", sync)]).await;
    assert_eq!(
        (status, &body["error"]["errors"][0]["reason"]),
        (410, &json!("fullSyncRequired"))
    );
    let backwards = json!({"start": {"date": "2026-11-25"}, "end": {"date": "2026-11-25"}});
    let (status, body) = json(http.post(&address).bearer_auth(&token).json(&backwards)).await;
    assert_eq!(
        (status, &body["error"]["errors"][0]["reason"]),
        (400, &json!("timeRangeEmpty"))
    );
}

#[tokio::test]
async fn google_occurrences_become_exceptions() {
    let (fakes, http) = start(automatic());
    let token = bearer(&sign_in_google(&fakes, &http).await);
    let calendar = "tech@example.test";
    let mut body = google_event("series", 9);
    for key in ["start", "end"] {
        body[key]["timeZone"] = "Europe/Berlin".into();
    }
    body["recurrence"] = json!(["RRULE:FREQ=DAILY;COUNT=3"]);
    fakes
        .create_event(Provider::Google, calendar, &body)
        .unwrap();
    let moved = json!({"start": {"dateTime": "2026-11-25T14:00:00+01:00"},
                       "end": {"dateTime": "2026-11-25T15:00:00+01:00"}});
    fakes
        .patch_event(
            Provider::Google,
            calendar,
            "series_20261125T080000Z",
            &moved,
        )
        .unwrap();
    fakes
        .delete_event(Provider::Google, calendar, "series_20261126T080000Z")
        .unwrap();
    let address = url(
        &fakes,
        "google/api/calendar/v3/calendars/primary/events?showDeleted=true",
    );
    let (_, list) = json(http.get(address).bearer_auth(&token)).await;
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len(), 3);
    assert_eq!(items[1]["recurringEventId"], "series");
    assert_eq!(
        items[1]["originalStartTime"]["dateTime"],
        "2026-11-25T09:00:00+01:00"
    );
    assert_eq!(items[1]["start"]["dateTime"], "2026-11-25T14:00:00+01:00");
    assert_eq!(items[2]["status"], "cancelled");
    assert_eq!(
        items[2]["originalStartTime"]["dateTime"],
        "2026-11-26T09:00:00+01:00"
    );
}

#[tokio::test]
async fn google_push_starts_with_sync_and_survives_faults() {
    let (fakes, http) = start(automatic());
    let token = bearer(&sign_in_google(&fakes, &http).await);
    let (address, mut pushes) = receiver(true).await;
    let watch = url(
        &fakes,
        "google/api/calendar/v3/calendars/primary/events/watch",
    );
    let body = json!({"id": "ch-1", "type": "web_hook", "address": address, "token": "secret-token",
                      "params": {"ttl": "604800"}});
    let (status, channel) = json(http.post(&watch).bearer_auth(&token).json(&body)).await;
    assert_eq!(status, 200);
    let sync = next(&mut pushes).await;
    assert_eq!(sync.headers["x-goog-resource-state"], "sync");
    assert_eq!(sync.headers["x-goog-message-number"], "1");
    assert_eq!(sync.headers["x-goog-channel-token"], "secret-token");
    assert_eq!(sync.body, Value::Null);
    let make = |id: &str| {
        fakes
            .create_event(Provider::Google, "tech@example.test", &google_event(id, 9))
            .unwrap()
    };
    make("bbbbb1");
    assert_eq!(
        next(&mut pushes).await.headers["x-goog-resource-state"],
        "exists"
    );
    fakes.arm(Fault::new("google.webhook", 1, FaultKind::Lose));
    make("bbbbb2");
    silence(&mut pushes).await;
    fakes.arm(Fault::new("google.webhook", 1, FaultKind::Duplicate));
    make("bbbbb3");
    next(&mut pushes).await;
    next(&mut pushes).await;
    fakes.arm(Fault::new("google.webhook", 1, FaultKind::Reorder));
    make("bbbbb4");
    silence(&mut pushes).await;
    make("bbbbb5");
    let number = |p: &Push| -> u64 {
        p.headers["x-goog-message-number"]
            .to_str()
            .unwrap()
            .parse()
            .unwrap()
    };
    let (one, two) = (next(&mut pushes).await, next(&mut pushes).await);
    assert!(number(&one) > number(&two), "the held message comes second");
    let stop = json!({"id": "ch-1", "resourceId": channel["resourceId"]});
    let stopping = http.post(url(&fakes, "google/api/calendar/v3/channels/stop"));
    assert_eq!(json(stopping.bearer_auth(&token).json(&stop)).await.0, 204);
    make("bbbbb6");
    silence(&mut pushes).await;
    assert!(
        !serde_json::to_string(&fakes.log())
            .unwrap()
            .contains("secret-token")
    );
}

#[tokio::test]
async fn graph_creates_once_and_honours_if_match() {
    for (answer, status) in [
        (DuplicateTransaction::Existing, 201),
        (DuplicateTransaction::Conflict, 409),
    ] {
        let options = FakeOptions {
            duplicate_transaction: answer,
            ..automatic()
        };
        let (fakes, http) = start(options);
        let token = bearer(&sign_in_microsoft(&fakes, &http).await);
        let events = url(&fakes, "ms/graph/v1.0/me/events");
        let mut body = graph_event("2026-11-24");
        body["transactionId"] = "tx-1".into();
        let post = || http.post(&events).bearer_auth(&token).json(&body);
        let (first, made) = json(post()).await;
        assert_eq!(first, 201);
        assert_eq!(made["transactionId"], "tx-1");
        assert_eq!(made["end"]["dateTime"], "2026-11-24T10:00:00.0000000");
        assert_eq!(json(post()).await.0, status);
        let one = format!("{events}/{}", made["id"].as_str().unwrap());
        let patch = || {
            http.patch(&one)
                .bearer_auth(&token)
                .header("if-match", made["@odata.etag"].as_str().unwrap())
                .header(
                    "prefer",
                    "outlook.timezone=\"Europe/Berlin\", IdType=\"ImmutableId\"",
                )
                .json(&json!({"subject": "changed"}))
        };
        let (status, changed) = json(patch()).await;
        assert_eq!(
            (status, &changed["start"]["dateTime"]),
            (200, &json!("2026-11-24T10:00:00.0000000"))
        );
        let (status, body) = json(patch()).await;
        assert_eq!(
            (status, &body["error"]["code"]),
            (412, &json!("ErrorIrresolvableConflict"))
        );
        let unknown = http
            .post(&events)
            .bearer_auth(&token)
            .json(&json!({"summary": "x"}));
        assert_eq!(json(unknown).await.0, 400);
    }
}

#[tokio::test]
async fn graph_delta_follows_the_window() {
    let (fakes, http) = start(automatic());
    let token = bearer(&sign_in_microsoft(&fakes, &http).await);
    let calendar = fakes.calendars(Provider::Microsoft)[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut ids = Vec::new();
    for day in ["2026-11-10", "2026-11-11", "2026-11-12", "2027-02-01"] {
        let made = fakes
            .create_event(Provider::Microsoft, &calendar, &graph_event(day))
            .unwrap();
        ids.push(made["id"].as_str().unwrap().to_owned());
    }
    let get = |link: String| {
        json(
            http.get(link)
                .bearer_auth(&token)
                .header("prefer", "odata.maxpagesize=2"),
        )
    };
    let first = url(
        &fakes,
        &format!(
            "ms/graph/v1.0/me/calendars/{calendar}/calendarView/delta\
         ?startDateTime=2026-11-01T00:00:00Z&endDateTime=2026-12-01T00:00:00Z"
        ),
    );
    let (_, page) = get(first.clone()).await;
    assert_eq!(page["value"].as_array().unwrap().len(), 2);
    // A change between two pages must not be lost, wherever it lands.
    let moved = json!({"start": {"dateTime": "2027-03-01T10:00:00", "timeZone": "UTC"},
                       "end": {"dateTime": "2027-03-01T11:00:00", "timeZone": "UTC"}});
    fakes
        .patch_event(Provider::Microsoft, &calendar, &ids[0], &moved)
        .unwrap();
    let mut link = page["@odata.nextLink"].as_str().unwrap().to_owned();
    let mut seen = Vec::new();
    let delta = loop {
        let (_, page) = get(link).await;
        seen.extend(
            page["value"]
                .as_array()
                .unwrap()
                .iter()
                .map(|e| e["id"].clone()),
        );
        match page["@odata.nextLink"].as_str() {
            Some(next) => link = next.to_owned(),
            None => break page["@odata.deltaLink"].as_str().unwrap().to_owned(),
        }
    };
    assert_eq!(seen, [json!(ids[2])]);
    let (_, next) = get(delta).await;
    assert_eq!(next["value"][0]["id"], json!(ids[0]));
    assert_eq!(next["value"][0]["@removed"]["reason"], "deleted");
    let delta = next["@odata.deltaLink"].as_str().unwrap().to_owned();
    fakes.expire_sync_tokens(Provider::Microsoft);
    let (status, body) = get(delta).await;
    assert_eq!(
        (status, &body["error"]["code"]),
        (410, &json!("syncStateNotFound"))
    );
    assert_eq!(get(format!("{first}&$select=id")).await.0, 400);
}

#[tokio::test]
async fn graph_series_show_occurrences_and_lose_single_ones() {
    let (fakes, http) = start(automatic());
    let token = bearer(&sign_in_microsoft(&fakes, &http).await);
    let calendar = fakes.calendars(Provider::Microsoft)[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut body = graph_event("2026-11-02");
    body["recurrence"] = json!({
        "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday", "wednesday"]},
        "range": {"type": "numbered", "startDate": "2026-11-02", "numberOfOccurrences": 4}});
    fakes
        .create_event(Provider::Microsoft, &calendar, &body)
        .unwrap();
    let view = url(
        &fakes,
        "ms/graph/v1.0/me/calendarView/delta?startDateTime=2026-11-01&endDateTime=2026-12-01",
    );
    let (_, page) = json(http.get(view).bearer_auth(&token)).await;
    let items = page["value"].as_array().unwrap();
    assert_eq!(items[0]["type"], "seriesMaster");
    assert_eq!(
        items[1..]
            .iter()
            .map(|e| &e["start"]["dateTime"])
            .collect::<Vec<_>>(),
        [
            "2026-11-02T09:00:00.0000000",
            "2026-11-04T09:00:00.0000000",
            "2026-11-09T09:00:00.0000000",
            "2026-11-11T09:00:00.0000000"
        ]
    );
    let second = items[2]["id"].as_str().unwrap();
    fakes
        .delete_event(Provider::Microsoft, &calendar, second)
        .unwrap();
    let link = page["@odata.deltaLink"].as_str().unwrap();
    let (_, page) = json(http.get(link).bearer_auth(&token)).await;
    let gone: Vec<&Value> = page["value"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|e| e.get("@removed").is_some())
        .collect();
    assert_eq!(gone.len(), 1);
    assert_eq!(gone[0]["id"], second);
}

#[tokio::test]
async fn graph_subscriptions_need_the_handshake_and_deliver() {
    let (fakes, http) = start(automatic());
    let token = bearer(&sign_in_microsoft(&fakes, &http).await);
    let calendar = fakes.calendars(Provider::Microsoft)[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let expires = (chrono::Utc::now() + chrono::TimeDelta::days(2)).to_rfc3339();
    let subscribe = |address: &str| {
        let body = json!({"changeType": "created,updated,deleted", "notificationUrl": address,
            "lifecycleNotificationUrl": address, "clientState": "top-secret",
            "resource": format!("/me/calendars/{calendar}/events"), "expirationDateTime": expires});
        json(
            http.post(url(&fakes, "ms/graph/v1.0/subscriptions"))
                .bearer_auth(&token)
                .json(&body),
        )
    };
    let (liar, _kept) = receiver(false).await;
    let (status, body) = subscribe(&liar).await;
    assert_eq!(
        (status, &body["error"]["code"]),
        (400, &json!("ValidationError"))
    );
    let (address, mut pushes) = receiver(true).await;
    let (status, made) = subscribe(&address).await;
    assert_eq!(status, 201, "{made}");
    let event = fakes
        .create_event(Provider::Microsoft, &calendar, &graph_event("2026-11-24"))
        .unwrap();
    let push = next(&mut pushes).await.body;
    let item = &push["value"][0];
    assert_eq!(item["clientState"], "top-secret");
    assert_eq!(item["changeType"], "created");
    assert_eq!(item["subscriptionId"], made["id"]);
    assert_eq!(item["resourceData"]["id"], event["id"]);
    assert_eq!(item["resourceData"]["@odata.etag"], event["@odata.etag"]);
    fakes.send_lifecycle("missed");
    assert_eq!(
        next(&mut pushes).await.body["value"][0]["lifecycleEvent"],
        "missed"
    );
    let one = url(
        &fakes,
        &format!(
            "ms/graph/v1.0/subscriptions/{}",
            made["id"].as_str().unwrap()
        ),
    );
    assert_eq!(json(http.delete(&one).bearer_auth(&token)).await.0, 204);
    fakes
        .delete_event(
            Provider::Microsoft,
            &calendar,
            event["id"].as_str().unwrap(),
        )
        .unwrap();
    silence(&mut pushes).await;
    assert!(
        !serde_json::to_string(&fakes.log())
            .unwrap()
            .contains("top-secret")
    );
}

#[tokio::test]
async fn faults_hit_after_the_write_took_effect() {
    let (fakes, http) = start(automatic());
    let token = bearer(&sign_in_google(&fakes, &http).await);
    let address = url(&fakes, "google/api/calendar/v3/calendars/primary/events");
    let insert = |id: &str| {
        http.post(&address)
            .bearer_auth(&token)
            .json(&google_event(id, 9))
            .send()
    };
    fakes.arm(Fault::new("google.events.insert", 1, FaultKind::DropAfter));
    assert!(insert("ccccc1").await.is_err());
    fakes.arm(Fault::new("google.events.insert", 1, FaultKind::Truncate));
    let cut = insert("ccccc2").await.unwrap();
    assert!(cut.bytes().await.is_err());
    fakes.arm(Fault::new("google.events.insert", 1, FaultKind::Malformed));
    assert!(
        insert("ccccc3")
            .await
            .unwrap()
            .json::<Value>()
            .await
            .is_err()
    );
    assert_eq!(fakes.events(Provider::Google, "tech@example.test").len(), 3);
    let limit = FaultKind::Status {
        status: 429,
        retry_after: Some(2),
        reason: None,
    };
    fakes.arm(Fault::new("google.events.*", 1, limit));
    let refused = insert("ccccc4").await.unwrap();
    assert_eq!(
        (refused.status().as_u16(), &refused.headers()["retry-after"]),
        (429, &"2".parse().unwrap())
    );
    assert_eq!(insert("ccccc4").await.unwrap().status(), 200);
    assert_eq!(fakes.counters()["google.events.insert"], 5);
    fakes.expire_access_tokens(Provider::Google);
    assert_eq!(insert("ccccc5").await.unwrap().status(), 401);
}

#[tokio::test]
async fn control_api_and_page_mirror_the_helpers() {
    let (fakes, http) = start(FakeOptions::default());
    let control = |path: &str| url(&fakes, &format!("_control/{path}"));
    let events = control("google/events?calendar=tech@example.test");
    let (status, made) = json(http.post(&events).json(&google_event("ddddd1", 9))).await;
    assert_eq!(status, 201);
    let one = control("google/events/ddddd1?calendar=tech@example.test");
    let (_, patched) = json(http.patch(&one).json(&json!({"summary": "New"}))).await;
    assert_eq!(
        (&patched["summary"], &patched["id"]),
        (&json!("New"), &made["id"])
    );
    let page = http
        .get(url(&fakes, ""))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(page.contains("value=\"New\"") && page.contains("action=\"/ui/add\""));
    let form = [
        ("provider", "google"),
        ("calendar", "tech@example.test"),
        ("event", "ddddd1"),
    ];
    let gone = http
        .post(url(&fakes, "ui/delete"))
        .form(&form)
        .send()
        .await
        .unwrap();
    assert_eq!(gone.status(), 303);
    assert_eq!(json(http.get(&events)).await.1, json!([]));
    let fault = json!({"operation": "google.token", "kind": "invalid_grant", "count": 2});
    assert_eq!(json(http.post(control("faults")).json(&fault)).await.0, 200);
    let (_, body) = json(http.post(url(&fakes, "google/token"))).await;
    assert_eq!(body["error"], "invalid_grant");
    assert_eq!(
        json(http.get(control("counters"))).await.1["google.token"],
        1
    );
    assert_eq!(
        json(http.get(control("env"))).await.1["DAYBIND_GOOGLE_TOKEN_URL"],
        url(&fakes, "google/token")
    );
    json(http.post(control("reset"))).await;
    assert_eq!(json(http.get(control("log"))).await.1, json!([]));
}
