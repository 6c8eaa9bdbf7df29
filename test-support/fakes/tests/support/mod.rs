//! Helpers: sign-in through the authorize and token endpoints, and a webhook receiver.

use axum::Router;
use axum::extract::{Query, Request};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use daybind_fakes::{FakeOptions, FakeProviders};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

pub const VERIFIER: &str = "a-verifier-that-is-long-enough-for-the-specification-0123456789";
pub const REDIRECT: &str = "http://127.0.0.1:9/callback";
pub const TENANT: &str = "11111111-1111-4111-8111-111111111111";
pub const MS_CLIENT: &str = "22222222-2222-4222-8222-222222222222";
pub const GOOGLE_CLIENT: &str = "daybind-demo.apps.googleusercontent.com";
pub const GOOGLE_SCOPE: &str = "https://www.googleapis.com/auth/calendar";
pub const MS_SCOPE: &str = "openid offline_access User.Read Calendars.ReadWrite";

pub fn challenge() -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER))
}

pub fn start(options: FakeOptions) -> (FakeProviders, reqwest::Client) {
    let fakes = FakeProviders::start(options).unwrap();
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .unwrap();
    (fakes, client)
}

pub fn automatic() -> FakeOptions {
    FakeOptions {
        auto_approve: true,
        ..FakeOptions::default()
    }
}

pub fn url(fakes: &FakeProviders, path: &str) -> String {
    fakes.base_url.join(path).unwrap().to_string()
}

/// Query of an authorize request.
pub fn authorize_query<'a>(
    client_id: &'a str,
    scope: &'a str,
    challenge: &'a str,
) -> Vec<(&'a str, &'a str)> {
    vec![
        ("client_id", client_id),
        ("redirect_uri", REDIRECT),
        ("response_type", "code"),
        ("scope", scope),
        ("state", "st"),
        ("access_type", "offline"),
        ("prompt", "consent"),
        ("code_challenge", challenge),
        ("code_challenge_method", "S256"),
    ]
}

/// Parameters of the `Location` header.
pub fn location(answer: &reqwest::Response) -> HashMap<String, String> {
    let text = answer.headers()["location"].to_str().unwrap();
    url::Url::parse(text)
        .unwrap()
        .query_pairs()
        .into_owned()
        .collect()
}

pub async fn json(request: reqwest::RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or(Value::Null))
}

pub async fn sign_in_google(fakes: &FakeProviders, http: &reqwest::Client) -> Value {
    let challenge = challenge();
    let query = authorize_query(GOOGLE_CLIENT, GOOGLE_SCOPE, &challenge);
    let answer = http
        .get(url(fakes, "google/o/oauth2/v2/auth"))
        .query(&query)
        .send()
        .await
        .unwrap();
    let code = location(&answer)["code"].clone();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
        ("client_id", GOOGLE_CLIENT),
        ("client_secret", "demo-google-secret"),
    ];
    json(http.post(url(fakes, "google/token")).form(&form))
        .await
        .1
}

pub async fn sign_in_microsoft(fakes: &FakeProviders, http: &reqwest::Client) -> Value {
    let challenge = challenge();
    let query = authorize_query(MS_CLIENT, MS_SCOPE, &challenge);
    let login = url(fakes, &format!("ms/login/{TENANT}/oauth2/v2.0/"));
    let answer = http
        .get(format!("{login}authorize"))
        .query(&query)
        .send()
        .await
        .unwrap();
    let code = location(&answer)["code"].clone();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
        ("client_id", MS_CLIENT),
        ("client_secret", "demo-microsoft-secret"),
    ];
    json(http.post(format!("{login}token")).form(&form)).await.1
}

pub fn bearer(tokens: &Value) -> String {
    tokens["access_token"].as_str().unwrap().to_owned()
}

/// One received push message.
pub struct Push {
    pub headers: HeaderMap,
    pub body: Value,
}

/// A receiver that answers the Graph handshake; `honest = false` sends the token back changed.
pub async fn receiver(honest: bool) -> (String, UnboundedReceiver<Push>) {
    let (sender, pushes) = unbounded_channel();
    let app = Router::new().fallback(
        move |Query(query): Query<HashMap<String, String>>, request: Request| {
            let sender = sender.clone();
            async move { receive(&sender, &query, request, honest).await }
        },
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (address, pushes)
}

async fn receive(
    sender: &tokio::sync::mpsc::UnboundedSender<Push>,
    query: &HashMap<String, String>,
    request: Request,
    honest: bool,
) -> Response {
    if let Some(token) = query.get("validationToken") {
        let text = if honest {
            token.clone()
        } else {
            format!("\"{token}\"")
        };
        return ([("content-type", "text/plain")], text).into_response();
    }
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    sender
        .send(Push {
            headers: parts.headers,
            body,
        })
        .unwrap();
    axum::http::StatusCode::ACCEPTED.into_response()
}

pub async fn next(pushes: &mut UnboundedReceiver<Push>) -> Push {
    tokio::time::timeout(Duration::from_secs(5), pushes.recv())
        .await
        .unwrap()
        .unwrap()
}

/// Asserts that nothing arrives for a moment.
pub async fn silence(pushes: &mut UnboundedReceiver<Push>) {
    let waited = tokio::time::timeout(Duration::from_millis(200), pushes.recv()).await;
    assert!(waited.is_err(), "an unexpected push message arrived");
}
