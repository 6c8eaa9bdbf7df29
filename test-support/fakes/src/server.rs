//! The HTTP server: reads a request, names its operation, applies faults, answers and logs.

use crate::fault::{self, FaultKind};
use crate::http::{Call, Content, Reply, decode, merge};
use crate::options::FakeOptions;
use crate::state::{LogEntry, Provider, State};
use crate::{
    control, google, google_push, graph, graph_subscriptions, oauth_google, oauth_microsoft,
};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::Response;
use futures::StreamExt as _;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;
use url::Url;

/// Handle to the state, cheap to clone.
#[derive(Clone)]
pub(crate) struct Shared {
    state: Arc<Mutex<State>>,
    pub client: reqwest::Client,
}

impl Shared {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts server and webhook worker.
pub(crate) fn spawn(
    listener: std::net::TcpListener,
    base: &Url,
    options: FakeOptions,
) -> anyhow::Result<(Shared, Vec<JoinHandle<()>>)> {
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    let client = reqwest::Client::builder()
        .user_agent("daybind-fakes (APIs-Google; Microsoft Graph change notifications)")
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()?;
    let (sender, queue) = tokio::sync::mpsc::unbounded_channel();
    let state = State::new(options, base.as_str(), sender);
    let shared = Shared {
        state: Arc::new(Mutex::new(state)),
        client: client.clone(),
    };
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let serving = shared.clone();
    let app = Router::new().fallback(move |request: Request| handle(serving.clone(), request));
    let server = tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, app).await {
            tracing::error!(%error, "fake providers stopped serving");
        }
    });
    let worker = tokio::spawn(crate::webhooks::run(queue, shared.clone(), client));
    Ok((shared, vec![server, worker]))
}

async fn handle(shared: Shared, request: Request) -> Response {
    let began = std::time::Instant::now();
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, 8 << 20).await else {
        return render(
            Reply::json(413, json!({"error": "request body too large"})),
            None,
        );
    };
    let raw_query = parts.uri.query().unwrap_or_default().to_owned();
    let call = Call {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        segments: parts.uri.path().split('/').skip(1).map(decode).collect(),
        query: url::form_urlencoded::parse(raw_query.as_bytes())
            .into_owned()
            .collect(),
        raw_query,
        headers: parts.headers,
        body,
    };
    let operation = match call.segments.first().map(String::as_str) {
        Some("google") => google::operation(&call),
        Some("ms") => graph::operation(&call),
        _ => return render(control::answer(&shared, &call), None),
    };
    let provider = if operation.starts_with("google") {
        Provider::Google
    } else {
        Provider::Microsoft
    };
    let fault = fault::take(&mut shared.lock().faults, operation);
    let _answering = call.bearer().is_some().then(|| Answering::begin(&shared));

    let early = match &fault {
        Some(FaultKind::Status {
            status,
            retry_after,
            reason,
        }) => {
            let reply = fault_reply(provider, operation, *status, reason.as_deref());
            Some(match retry_after {
                Some(seconds) => reply.with("retry-after", &seconds.to_string()),
                None => reply,
            })
        }
        Some(FaultKind::InvalidGrant) => {
            Some(fault_reply(provider, operation, 400, Some("invalid_grant")))
        }
        Some(FaultKind::Redirect { to }) => Some(Reply::redirect(307, to)),
        Some(FaultKind::DelayBefore { ms }) => {
            tokio::time::sleep(Duration::from_millis(*ms)).await;
            None
        }
        _ => None,
    };
    let reply = match (&fault, early) {
        (_, Some(reply)) => reply,
        (Some(FaultKind::DropBefore), None) => Reply::empty(0),
        _ => dispatch(&shared, &call, operation).await,
    };
    let reply = match &fault {
        Some(FaultKind::StatusAfter { status }) => fault_reply(provider, operation, *status, None),
        Some(FaultKind::Patch { body }) => patched(reply, body),
        _ => reply,
    };
    {
        let mut state = shared.lock();
        state.write_log(entry(&call, operation, &reply, fault.as_ref()));
        state.busy += began.elapsed();
    }
    match &fault {
        Some(FaultKind::DelayAfter { ms }) => tokio::time::sleep(Duration::from_millis(*ms)).await,
        // Unwinding ends the connection's task, which closes the socket without an answer.
        Some(FaultKind::DropBefore | FaultKind::DropAfter) => {
            std::panic::resume_unwind(Box::new("connection dropped on demand"))
        }
        _ => {}
    }
    render(reply, fault.as_ref())
}

/// One call among those that are being answered.
struct Answering(Shared);

impl Answering {
    fn begin(shared: &Shared) -> Self {
        let mut state = shared.lock();
        let (now, most) = state.at_once;
        state.at_once = (now + 1, most.max(now + 1));
        drop(state);
        Self(shared.clone())
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.at_once.0 = state.at_once.0.saturating_sub(1);
    }
}

fn patched(mut reply: Reply, patch: &Value) -> Reply {
    if let Content::Json(body) = &mut reply.content {
        merge(body, patch);
    }
    reply
}

async fn dispatch(shared: &Shared, call: &Call, operation: &str) -> Reply {
    match operation {
        "google.authorize" => oauth_google::authorize(&mut shared.lock(), call),
        "google.token" => oauth_google::token(&mut shared.lock(), call),
        "google.revoke" => oauth_google::revoke(&mut shared.lock(), call),
        "google.events.watch" => google_push::watch(&mut shared.lock(), call),
        "google.channels.stop" => google_push::stop(&mut shared.lock(), call),
        "microsoft.authorize" => oauth_microsoft::authorize(&mut shared.lock(), call),
        "microsoft.token" => oauth_microsoft::token(&mut shared.lock(), call),
        "microsoft.keys" => oauth_microsoft::keys(&shared.lock(), call),
        "microsoft.openid" => oauth_microsoft::openid(&shared.lock(), call),
        "microsoft.subscriptions.create" => graph_subscriptions::create(shared, call).await,
        _ if operation.starts_with("google") => google::answer(&mut shared.lock(), call, operation),
        _ => graph::answer(&mut shared.lock(), call, operation),
    }
}

fn fault_reply(provider: Provider, operation: &str, status: u16, reason: Option<&str>) -> Reply {
    if operation.ends_with(".token") {
        let error = reason.unwrap_or(if status >= 500 {
            "server_error"
        } else {
            "invalid_request"
        });
        return match provider {
            Provider::Google => oauth_google::error(status, error, "Armed fault."),
            Provider::Microsoft => {
                let number = if error == "invalid_grant" {
                    700_082
                } else {
                    90_033
                };
                oauth_microsoft::error(status, error, number, "Armed fault.")
            }
        };
    }
    match provider {
        Provider::Google => {
            let (known, message) = google::reason_for(status);
            google::error(status, reason.unwrap_or(known), message)
        }
        Provider::Microsoft => {
            let (known, message) = graph::code_for(status);
            graph::error(status, reason.unwrap_or(known), message)
        }
    }
}

fn entry(call: &Call, operation: &str, reply: &Reply, fault: Option<&FaultKind>) -> LogEntry {
    let form = call
        .header("content-type")
        .is_some_and(|t| t.starts_with("application/x-www-form"));
    let request = if form {
        Some(
            call.form()
                .into_iter()
                .map(|(k, v)| (k, Value::from(v)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        )
    } else {
        call.json()
    };
    let secret = ["code", "token", "client_secret", "access_token"];
    let query = call
        .raw_query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, _)) if secret.contains(&name) => format!("{name}=[redacted]"),
            _ => pair.to_owned(),
        })
        .collect::<Vec<_>>()
        .join("&");
    LogEntry {
        seq: 0,
        at: String::new(),
        operation: operation.to_owned(),
        method: call.method.to_string(),
        path: call.path.clone(),
        query,
        status: reply.status,
        request,
        response: match &reply.content {
            Content::Json(body) => Some(body.clone()),
            Content::Empty | Content::Html(_) => None,
        },
        fault: fault.and_then(|f| serde_json::to_value(f).ok()),
    }
}

fn render(reply: Reply, fault: Option<&FaultKind>) -> Response {
    let (kind, mut bytes) = match reply.content {
        Content::Empty => (None, Vec::new()),
        Content::Json(body) => (
            Some("application/json; charset=utf-8"),
            body.to_string().into_bytes(),
        ),
        Content::Html(text) => (Some("text/html; charset=utf-8"), text.into_bytes()),
    };
    if matches!(fault, Some(FaultKind::Malformed)) {
        bytes = b"{\"oops\": <html>upstream error".to_vec();
    }
    if let Some(FaultKind::Huge { mib }) = fault {
        let filler = "x".repeat(mib << 20);
        bytes = json!({ "filler": filler }).to_string().into_bytes();
    }
    let mut response = Response::builder().status(reply.status);
    if let Some(kind) = kind {
        response = response.header("content-type", kind);
    }
    for (name, value) in &reply.headers {
        response = response.header(name, value);
    }
    let broken_after = match fault {
        // The pause lets the first half reach the wire before the connection breaks.
        Some(FaultKind::Truncate) => Some(Duration::from_millis(50)),
        Some(FaultKind::Stall { ms }) => Some(Duration::from_millis(*ms)),
        _ => None,
    };
    let body = if let Some(pause) = broken_after {
        response = response.header("content-length", bytes.len());
        bytes.truncate(bytes.len() / 2);
        let broken = async move {
            tokio::time::sleep(pause).await;
            Err(std::io::Error::other("truncated on demand"))
        };
        let half = futures::stream::iter([Ok(Bytes::from(bytes))]);
        Body::from_stream(half.chain(futures::stream::once(broken)))
    } else {
        Body::from(bytes)
    };
    response.body(body).unwrap_or_default()
}
