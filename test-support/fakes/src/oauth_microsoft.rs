//! Entra's v2.0 endpoints for a single-tenant registration.

use crate::http::{Call, Reply};
use crate::id_token::{object_id, patched};
use crate::oauth::{self, Decision};
use crate::state::{Code, Provider, State};
use chrono::Utc;
use serde_json::{Value, json};
use uuid::Uuid;

/// Entra's error body with the AADSTS number in text and `error_codes`.
pub(crate) fn error(status: u16, error: &str, number: u32, text: &str) -> Reply {
    let trace = Uuid::new_v4().to_string();
    let correlation = Uuid::new_v4().to_string();
    let timestamp = Utc::now().format("%Y-%m-%d %H:%M:%SZ").to_string();
    Reply::json(
        status,
        json!({
            "error": error,
            "error_description": format!(
                "AADSTS{number}: {text} Trace ID: {trace} Correlation ID: {correlation} \
                 Timestamp: {timestamp}"
            ),
            "error_codes": [number],
            "timestamp": timestamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("https://login.microsoftonline.com/error?code={number}"),
        }),
    )
}

/// Refusal for a tenant path that is not ours.
fn tenant_problem(state: &State, tenant: &str) -> Option<(&'static str, u32, String)> {
    let ours = &state.options.microsoft.tenant_id;
    match tenant {
        t if t.eq_ignore_ascii_case(ours) => None,
        "common" | "organizations" | "consumers" => Some((
            "invalid_request",
            50_194,
            format!(
                "Application '{}' is not configured as a multi-tenant application. Usage of the \
                 /{tenant} endpoint is not supported for such apps. Use a tenant-specific endpoint \
                 or configure the application to be multi-tenant.",
                state.options.microsoft.client_id
            ),
        )),
        _ => Some((
            "invalid_request",
            90_002,
            format!(
                "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID \
                 and are signing into the correct cloud."
            ),
        )),
    }
}

fn unknown_client(tenant: &str, id: &str) -> String {
    format!("Application with identifier '{id}' was not found in the directory '{tenant}'.")
}

fn tenant(call: &Call) -> &str {
    call.segments.get(2).map_or("", String::as_str)
}

/// `GET/POST /ms/login/{tenant}/oauth2/v2.0/authorize`.
pub(crate) fn authorize(state: &mut State, call: &Call) -> Reply {
    let q = |name: &str| call.q(name).unwrap_or_default();
    let tenant = tenant(call).to_owned();
    if q("client_id") != state.options.microsoft.client_id {
        return oauth::error_page(
            400,
            "AADSTS700016",
            &unknown_client(&tenant, q("client_id")),
        );
    }
    let redirect_uri = q("redirect_uri");
    if !oauth::redirect_allowed(state, redirect_uri) {
        let text = format!(
            "The redirect URI '{redirect_uri}' specified in the request does not match the \
             redirect URIs configured for the application '{}'.",
            q("client_id")
        );
        return oauth::error_page(400, "AADSTS50011", &text);
    }
    let back = |error: &str, text: &str| {
        let parameters = [
            ("error", error),
            ("error_description", text),
            ("state", q("state")),
        ];
        oauth::redirect(redirect_uri, &parameters).unwrap_or_else(|| Reply::empty(400))
    };
    if let Some((error, number, text)) = tenant_problem(state, &tenant) {
        // Entra shows 50194 and 90002 on its own page; nothing is sent back to the app.
        return oauth::error_page(400, &format!("AADSTS{number}"), &format!("{error}: {text}"));
    }
    if q("response_type") != "code" {
        return back(
            "unsupported_response_type",
            "AADSTS700054: response_type is not enabled for the application.",
        );
    }
    if q("scope").is_empty() {
        return back(
            "invalid_request",
            "AADSTS900144: The request body must contain: 'scope'.",
        );
    }
    if q("code_challenge").is_empty() || q("code_challenge_method") != "S256" {
        return back(
            "invalid_request",
            "AADSTS501491: PKCE S256 is required here.",
        );
    }
    let (account, scope) = match oauth::decide(state, call, q("scope")) {
        Decision::Ask => {
            return oauth::consent_page(state, call, Provider::Microsoft, q("scope"));
        }
        Decision::Deny => {
            return back(
                "access_denied",
                "AADSTS65004: User declined to consent to access the app.",
            );
        }
        Decision::Allow { account, scope } => (account, scope),
    };
    let offline = scope
        .split_whitespace()
        .any(|s| s.eq_ignore_ascii_case("offline_access"));
    let code = oauth::issue_code(
        state,
        Code {
            provider: Provider::Microsoft,
            account,
            client_id: q("client_id").to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            challenge: q("code_challenge").to_owned(),
            nonce: call.q("nonce").map(str::to_owned),
            scope,
            tenant,
            offline,
            expires: oauth::code_expiry(),
            used: false,
        },
    );
    let session = Uuid::new_v4().to_string();
    if q("response_mode") == "form_post" {
        return form_post(redirect_uri, &code, q("state"), &session);
    }
    let parameters = [
        ("code", code.as_str()),
        ("state", q("state")),
        ("session_state", &session),
    ];
    oauth::redirect(redirect_uri, &parameters).unwrap_or_else(|| Reply::empty(400))
}

fn form_post(to: &str, code: &str, state: &str, session: &str) -> Reply {
    use crate::http::escape;
    Reply::html(
        200,
        format!(
            "<!doctype html><html lang=\"en\"><head><title>Continue</title></head><body>\
             <form method=\"post\" action=\"{}\"><input type=\"hidden\" name=\"code\" value=\"{}\">\
             <input type=\"hidden\" name=\"state\" value=\"{}\">\
             <input type=\"hidden\" name=\"session_state\" value=\"{session}\">\
             <button>Continue</button></form><script>document.forms[0].submit()</script></body></html>",
            escape(to),
            escape(code),
            escape(state)
        ),
    )
}

/// Granted scopes as Entra reports them: Graph scopes short, OIDC ones kept, no offline_access.
fn granted(scope: &str) -> String {
    scope
        .split_whitespace()
        .map(|s| s.strip_prefix("https://graph.microsoft.com/").unwrap_or(s))
        .filter(|s| !s.eq_ignore_ascii_case("offline_access"))
        .collect::<Vec<_>>()
        .join(" ")
}

/// `POST /ms/login/{tenant}/oauth2/v2.0/token`.
pub(crate) fn token(state: &mut State, call: &Call) -> Reply {
    let form = call.form();
    let field = |name: &str| {
        form.iter()
            .find(|(k, _)| k == name)
            .map(|(_, v)| v.as_str())
            .unwrap_or_default()
    };
    let tenant = tenant(call).to_owned();
    if let Some((kind, number, text)) = tenant_problem(state, &tenant) {
        return error(400, kind, number, &text);
    }
    let (id, secret) = oauth::client_credentials(call, &form);
    if id.is_empty() {
        let text = "The request body must contain the following parameter: 'client_id'.";
        return error(400, "invalid_request", 900_144, text);
    }
    if id != state.options.microsoft.client_id {
        return error(
            400,
            "unauthorized_client",
            700_016,
            &unknown_client(&tenant, &id),
        );
    }
    if secret.is_empty() {
        let text = "The request body must contain the following parameter: 'client_assertion' or \
                    'client_secret'.";
        return error(401, "invalid_client", 7_000_218, text);
    }
    if secret != state.options.microsoft.client_secret {
        let text = format!(
            "Invalid client secret provided. Ensure the secret being sent in the request is the \
             client secret value, not the client secret ID, for a secret added to app '{id}'."
        );
        return error(401, "invalid_client", 7_000_215, &text);
    }
    match field("grant_type") {
        "authorization_code" => redeem(state, &tenant, &form),
        "refresh_token" => {
            let Some(old) = state.refresh.get(field("refresh_token")).cloned() else {
                let text = "The provided grant has expired due to it being revoked, a fresh auth \
                            token is needed.";
                return error(400, "invalid_grant", 50_173, text);
            };
            if old.expires < Utc::now() {
                let text = "The refresh token has expired due to inactivity.";
                return error(400, "invalid_grant", 700_082, text);
            }
            // A new refresh token each time; the old one keeps working.
            let id_token = id_token(state, &tenant, old.account.as_deref(), &old.scope, None);
            issue(
                state,
                &old.grant,
                old.account.as_deref(),
                &old.scope,
                (true, id_token),
            )
        }
        "client_credentials" => {
            let scope = field("scope");
            if !scope.ends_with("/.default") {
                let text = format!(
                    "The provided value for the input parameter 'scope' is not valid. The scope \
                     {scope} is not valid: client credential flows must have a scope value with \
                     /.default suffixed to the resource identifier."
                );
                return error(400, "invalid_scope", 1_002_012, &text);
            }
            let (access, _) = oauth::issue_tokens(
                state,
                Provider::Microsoft,
                &Uuid::new_v4().to_string(),
                None,
                scope,
                false,
            );
            let life = state.options.access_token_seconds;
            Reply::json(
                200,
                json!({"token_type": "Bearer", "expires_in": life, "ext_expires_in": life,
                       "access_token": access}),
            )
            .with("cache-control", "no-store")
        }
        "" => error(
            400,
            "invalid_request",
            900_144,
            "The request body must contain the following parameter: 'grant_type'.",
        ),
        other => {
            let text = format!("The app requested an unsupported grant type '{other}'.");
            error(400, "unsupported_grant_type", 70_003, &text)
        }
    }
}

fn redeem(state: &mut State, tenant: &str, form: &[(String, String)]) -> Reply {
    let field = |name: &str| {
        form.iter()
            .find(|(k, _)| k == name)
            .map(|(_, v)| v.as_str())
            .unwrap_or_default()
    };
    let Some(code) = state
        .codes
        .get_mut(field("code"))
        .filter(|c| c.provider == Provider::Microsoft)
    else {
        let text = "The request was malformed: the authorization code is not valid.";
        return error(400, "invalid_grant", 9_002_313, text);
    };
    if code.used {
        let text = "OAuth2 Authorization code was already redeemed, please retry with a new valid \
                    code or use an existing refresh token.";
        return error(400, "invalid_grant", 54_005, text);
    }
    if code.expires < Utc::now() {
        let text = "The provided authorization code or refresh token has expired.";
        return error(400, "invalid_grant", 70_008, text);
    }
    code.used = true;
    let code = code.clone();
    if !code.tenant.eq_ignore_ascii_case(tenant) {
        let text = "Provided Authorization Code is intended to use against other tenant.";
        return error(400, "invalid_grant", 700_005, text);
    }
    if code.redirect_uri != field("redirect_uri") {
        let text = "The reply address does not match the reply address provided when requesting \
                    Authorization code.";
        return error(400, "invalid_client", 500_112, text);
    }
    state.verifiers.push(field("code_verifier").to_owned());
    if !oauth::verifier_matches(&code.challenge, field("code_verifier")) {
        let text = "The Code_Verifier does not match the code_challenge supplied in the \
                    authorization request.";
        return error(400, "invalid_grant", 501_481, text);
    }
    let grant = Uuid::new_v4().to_string();
    let id_token = id_token(
        state,
        tenant,
        Some(&code.account),
        &code.scope,
        code.nonce.as_deref(),
    );
    issue(
        state,
        &grant,
        Some(&code.account),
        &code.scope,
        (code.offline, id_token),
    )
}

fn issue(
    state: &mut State,
    grant: &str,
    account: Option<&str>,
    scope: &str,
    (refresh, id_token): (bool, Option<String>),
) -> Reply {
    let (access, renewal) =
        oauth::issue_tokens(state, Provider::Microsoft, grant, account, scope, refresh);
    let life = state.options.access_token_seconds;
    let mut body = json!({
        "token_type": "Bearer",
        "scope": granted(scope),
        "expires_in": life,
        "ext_expires_in": life,
        "access_token": access,
    });
    if let Some(renewal) = renewal {
        body["refresh_token"] = Value::from(renewal);
    }
    if let Some(token) = id_token {
        state.id_tokens.push(token.clone());
        body["id_token"] = Value::from(token);
    }
    Reply::json(200, body).with("cache-control", "no-store")
}

/// The ID token of a consent that covers `openid`, with Entra's v2.0 claims.
fn id_token(
    state: &State,
    tenant: &str,
    account: Option<&str>,
    scope: &str,
    nonce: Option<&str>,
) -> Option<String> {
    let has = |wanted: &str| scope.split_whitespace().any(|s| s == wanted);
    let account = account.filter(|_| has("openid"))?;
    let now = Utc::now().timestamp();
    let mut claims = json!({
        "ver": "2.0",
        "iss": format!("{}/ms/login/{tenant}/v2.0", state.base),
        "aud": state.options.microsoft.client_id,
        "sub": crate::state::stable_id(&format!("pairwise {account}"), 43),
        "iat": now,
        "nbf": now,
        "exp": now + 3600,
        "tid": tenant,
        "oid": object_id(account),
    });
    if let Some(nonce) = nonce {
        claims["nonce"] = Value::from(nonce);
    }
    if has("profile") {
        let person = state.options.accounts.iter().find(|a| a.email == account);
        claims["name"] = Value::from(person.map(|a| a.display_name.clone()));
        claims["preferred_username"] = Value::from(account);
    }
    if has("email") {
        claims["email"] = Value::from(account);
    }
    let claims = patched(claims, &state.claims);
    let header = json!({"typ": "JWT", "alg": "RS256", "kid": state.signing_key.kid()});
    Some(state.signing_key.sign(&header, &claims))
}

/// `GET /ms/login/{tenant}/discovery/v2.0/keys`.
pub(crate) fn keys(state: &State, call: &Call) -> Reply {
    let tenant = tenant(call);
    if let Some((kind, number, text)) = tenant_problem(state, tenant) {
        return error(400, kind, number, &text);
    }
    let issuer = format!("{}/ms/login/{tenant}/v2.0", state.base);
    Reply::json(200, json!({"keys": [state.signing_key.jwk(&issuer)]}))
}

/// `GET /ms/login/{tenant}/v2.0/.well-known/openid-configuration`.
pub(crate) fn openid(state: &State, call: &Call) -> Reply {
    let tenant = tenant(call);
    let issuer = match tenant {
        "common" | "organizations" => "{tenantid}".to_owned(),
        other => {
            if let Some((kind, number, text)) = tenant_problem(state, other) {
                return error(400, kind, number, &text);
            }
            other.to_owned()
        }
    };
    let login = format!("{}/ms/login", state.base);
    Reply::json(
        200,
        json!({
            "issuer": format!("{login}/{issuer}/v2.0"),
            "authorization_endpoint": format!("{login}/{tenant}/oauth2/v2.0/authorize"),
            "token_endpoint": format!("{login}/{tenant}/oauth2/v2.0/token"),
            "jwks_uri": format!("{login}/{tenant}/discovery/v2.0/keys"),
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "response_modes_supported": ["query", "form_post"],
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "msgraph_host": "graph.microsoft.com",
        }),
    )
}
