//! What operators can count, from the outside: the real binary, a connected calendar, and what `/metrics` says then.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on must fail loudly"
)]

mod support;

use std::time::Duration;

use daybind_fakes::{FakeOptions, FakeProviders, Fault, FaultKind, Provider};

use support::{Server, connect, expected, free_port, sign_in, titles};

/// Plans an entry for the technician.
async fn plan(server: &Server, title: &str) {
    let browser = sign_in(server).await;
    let ask = |name: &str, form: &[(&str, &str)]| {
        let request = browser
            .post(format!("{}/_fn/{name}", server.url))
            .form(form);
        async move {
            let answer = request.send().await.unwrap();
            assert!(answer.status().is_success(), "{}", answer.status());
            answer.text().await.unwrap()
        }
    };
    // As which person one plans for oneself stands in one's week.
    let week = ask("list_schedule", &[]).await;
    let week: serde_json::Value = serde_json::from_str(&week).unwrap();
    let days = week["days"].as_array().unwrap().iter();
    let entries = days.flat_map(|day| day["entries"].as_array().unwrap());
    let people = entries.flat_map(|entry| entry["assignees"].as_array().unwrap());
    let own = |person: &&serde_json::Value| person["name"].as_str().unwrap().starts_with("Tess");
    let person = people.into_iter().find(own).unwrap();
    let person = person["user_id"].as_str().unwrap();
    let day = chrono::Utc::now().date_naive() + chrono::Days::new(2);
    let form = [
        ("title", title),
        ("start", &format!("{day}T09:00")),
        ("end", &format!("{day}T10:00")),
        ("assignees[]", person),
    ];
    ask("save_schedule_entry", &form).await;
}

/// W51: what sync did can be counted: how fresh both sides are, how long work waited and how it ended, how fast
/// notifications were confirmed, subscriptions, and calls to the provider. Nobody's name or id is in it, and the pages'
/// own address does not serve it.
async fn figures(provider: Provider, name: &str) {
    let fakes = FakeProviders::start(FakeOptions {
        auto_approve: true,
        ..FakeOptions::default()
    })
    .unwrap();
    let server = Server::new(&fakes, None);
    server.seed().await;
    let listen = format!("127.0.0.1:{}", free_port());
    let mut running = server
        .start(&[("DAYBIND_METRICS_LISTEN", &listen)], "serve.log")
        .await;
    let calendar = connect(&server, name).await;
    for _ in 0..300 {
        if titles(&fakes, provider, &calendar) == expected() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // A change from outside, told by a notification.
    let event = fakes.events(provider, &calendar)[0].clone();
    let patch = match provider {
        Provider::Google => serde_json::json!({ "summary": "Changed outside" }),
        Provider::Microsoft => serde_json::json!({ "subject": "Changed outside" }),
    };
    fakes
        .patch_event(provider, &calendar, event["id"].as_str().unwrap(), &patch)
        .unwrap();
    // One from inside, which the provider refuses once for being too much.
    let create = match provider {
        Provider::Google => "google.events.insert",
        Provider::Microsoft => "microsoft.events.create",
    };
    let refusal = FaultKind::Status {
        status: 429,
        retry_after: Some(1),
        reason: None,
    };
    fakes.arm(Fault::new(create, 1, refusal));
    plan(&server, "Sent out").await;
    let quantiles = ["0.5", "0.95", "0.99"];
    let fresh = quantiles.iter().flat_map(|quantile| {
        ["in", "out"].map(|way| {
            format!("daybind_sync_freshness_seconds{{way=\"{way}\",quantile=\"{quantile}\"}}")
        })
    });
    let mut wanted: Vec<String> = fresh.collect();
    wanted.extend([
        "daybind_sync_runs_total{cause=\"schedule\",end=\"throttled\"} 1".to_owned(),
        "daybind_jobs_total{kind=\"calendar.sync\",end=\"retry\"}".to_owned(),
        "daybind_provider_calls_total{host=\"127.0.0.1\",end=\"throttled\"} 1".to_owned(),
        "daybind_sync_runs_total{cause=\"notification\",end=\"done\"}".to_owned(),
        "daybind_job_wait_seconds{kind=\"calendar.sync\",quantile=\"0.99\"}".to_owned(),
        "daybind_jobs_total{kind=\"calendar.sync\",end=\"done\"}".to_owned(),
        format!("daybind_webhook_ack_seconds{{provider=\"{name}\",quantile=\"0.5\"}}"),
        "daybind_webhook_batch_size{quantile=\"0.5\"}".to_owned(),
        format!("daybind_subscriptions_total{{what=\"made\",provider=\"{name}\",end=\"ok\"}} 1"),
        "daybind_provider_calls_total{host=\"127.0.0.1\",end=\"ok\"}".to_owned(),
    ]);
    let mut said = String::new();
    for _ in 0..200 {
        let answer = reqwest::get(format!("http://{listen}/metrics"))
            .await
            .unwrap();
        assert!(answer.status().is_success());
        said = answer.text().await.unwrap();
        if wanted.iter().all(|line| said.contains(line.as_str())) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for line in &wanted {
        assert!(said.contains(line.as_str()), "{line} is not in\n{said}");
    }
    for private in [
        "demo",
        "tess",
        "Contoso",
        "Changed outside",
        "Sent out",
        "tenant",
    ] {
        assert!(!said.contains(private), "{private} is in\n{said}");
    }
    let pages = reqwest::get(format!("{}/metrics", server.url))
        .await
        .unwrap();
    let body = pages.text().await.unwrap();
    assert!(!body.contains("daybind_job"), "{body}");
    running.kill().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn google() {
    figures(Provider::Google, "google").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn microsoft() {
    figures(Provider::Microsoft, "microsoft").await;
}
