//! Delivery of push messages: asynchronous, with the providers' retry rules and armed faults.

use crate::fault::{self, FaultKind};
use crate::server::Shared;
use crate::state::{LogEntry, Provider, State};
use serde_json::Value;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;

/// One push message.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub provider: Provider,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Option<Value>,
    /// Delivered after this one; only the reorder fault uses it.
    pub then: Option<Box<Job>>,
}

/// Queues a message, applying armed webhook faults.
pub(crate) fn send(state: &mut State, mut job: Job) {
    let provider = job.provider;
    let operation = format!("{}.webhook", provider.name());
    match fault::take(&mut state.faults, &operation) {
        Some(FaultKind::Lose) => return,
        Some(FaultKind::Reorder) => {
            if let Some(older) = state.held.insert(provider, job) {
                put(state, older);
            }
            return;
        }
        Some(FaultKind::Duplicate) => {
            put(state, job.clone());
        }
        _ => {}
    }
    job.then = state.held.remove(&provider).map(Box::new);
    put(state, job);
}

fn put(state: &mut State, job: Job) {
    if state.outbox.send(job).is_ok() {
        state.undelivered += 1;
    }
}

/// Delivers queued messages until the server stops; nothing here blocks API answers.
pub(crate) async fn run(
    mut queue: UnboundedReceiver<Job>,
    shared: Shared,
    client: reqwest::Client,
) {
    let mut running = JoinSet::new();
    loop {
        tokio::select! {
            job = queue.recv() => match job {
                Some(job) => { running.spawn(deliver_chain(job, shared.clone(), client.clone())); }
                None => return,
            },
            Some(_) = running.join_next(), if !running.is_empty() => {}
        }
    }
}

async fn deliver_chain(first: Job, shared: Shared, client: reqwest::Client) {
    let mut next = Some(first);
    while let Some(mut job) = next {
        next = job.then.take().map(|b| *b);
        deliver(&job, &shared, &client).await;
    }
    let state = &mut *shared.lock();
    state.undelivered = state.undelivered.saturating_sub(1);
}

async fn deliver(job: &Job, shared: &Shared, client: &reqwest::Client) {
    let (mut pause, attempts) = {
        let state = shared.lock();
        (
            state.options.webhook_retry_base,
            state.options.webhook_attempts,
        )
    };
    for attempt in 1..=attempts {
        let status = post(job, client).await;
        shared.lock().write_log(LogEntry {
            seq: 0,
            at: String::new(),
            operation: format!("{}.webhook", job.provider.name()),
            method: "POST".to_owned(),
            path: job.url.clone(),
            query: String::new(),
            status,
            request: job
                .body
                .clone()
                .or_else(|| Some(headers_as_json(&job.headers))),
            response: None,
            fault: None,
        });
        // Google repeats only these; Graph repeats everything that is not 2xx.
        let again = match job.provider {
            Provider::Google => matches!(status, 0 | 500 | 502 | 503 | 504),
            Provider::Microsoft => !(200..300).contains(&status),
        };
        if !again || attempt == attempts {
            return;
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
}

/// Google's messages have no body; the log shows their headers instead.
fn headers_as_json(headers: &[(String, String)]) -> Value {
    headers
        .iter()
        .map(|(name, value)| {
            let value = if name == "X-Goog-Channel-Token" {
                "[redacted]"
            } else {
                value
            };
            (name.clone(), Value::from(value))
        })
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// Status of one attempt, 0 when no answer came.
async fn post(job: &Job, client: &reqwest::Client) -> u16 {
    let mut request = client.post(&job.url).timeout(Duration::from_secs(10));
    for (name, value) in &job.headers {
        request = request.header(name, value);
    }
    request = match &job.body {
        Some(body) => request.json(body),
        None => request.header("content-length", "0"),
    };
    request
        .send()
        .await
        .map_or(0, |answer| answer.status().as_u16())
}
