//! Google's authorization endpoint, token endpoint and revocation.

use crate::http::{Call, Reply};
use crate::oauth::{self, Decision};
use crate::state::{Code, Provider, State, Token};
use chrono::Utc;
use serde_json::json;
use uuid::Uuid;

/// `{"error":…, "error_description":…}`.
pub(crate) fn error(status: u16, error: &str, description: &str) -> Reply {
    Reply::json(
        status,
        json!({"error": error, "error_description": description}),
    )
}

/// `GET/POST /google/o/oauth2/v2/auth`.
pub(crate) fn authorize(state: &mut State, call: &Call) -> Reply {
    let q = |name: &str| call.q(name).unwrap_or_default();
    if q("client_id") != state.options.google.client_id {
        return oauth::error_page(
            401,
            "Error 401: invalid_client",
            "The OAuth client was not found.",
        );
    }
    let redirect_uri = q("redirect_uri");
    if !oauth::redirect_allowed(state, redirect_uri) {
        return oauth::error_page(
            400,
            "Error 400: redirect_uri_mismatch",
            &format!("Not registered: {redirect_uri}"),
        );
    }
    let scope = q("scope");
    if q("response_type") != "code" || scope.is_empty() {
        return oauth::error_page(400, "Error 400: invalid_request", "response_type and scope");
    }
    if q("code_challenge").is_empty() || q("code_challenge_method") != "S256" {
        return oauth::error_page(
            400,
            "Error 400: invalid_request",
            "PKCE S256 is required here.",
        );
    }
    let (account, scope) = match oauth::decide(state, call, scope) {
        Decision::Ask => return oauth::consent_page(state, call, Provider::Google, scope),
        Decision::Deny => {
            let parameters = [("error", "access_denied"), ("state", q("state"))];
            return oauth::redirect(redirect_uri, &parameters).unwrap_or_else(|| Reply::empty(400));
        }
        Decision::Allow { account, scope } => (account, scope),
    };
    let first_time = !state.consented.contains(&account);
    if first_time {
        state.consented.push(account.clone());
    }
    // Who consented before gets a refresh token only when asked to consent again.
    let offline = q("access_type") == "offline" && (first_time || q("prompt").contains("consent"));
    let code = oauth::issue_code(
        state,
        Code {
            provider: Provider::Google,
            account,
            client_id: q("client_id").to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            nonce: None,
            challenge: q("code_challenge").to_owned(),
            scope: scope.clone(),
            tenant: String::new(),
            offline,
            expires: oauth::code_expiry(),
            used: false,
        },
    );
    let parameters = [("state", q("state")), ("code", &code), ("scope", &scope)];
    oauth::redirect(redirect_uri, &parameters).unwrap_or_else(|| Reply::empty(400))
}

/// `POST /google/token`: `authorization_code` and `refresh_token`.
pub(crate) fn token(state: &mut State, call: &Call) -> Reply {
    let form = call.form();
    let field = |name: &str| {
        form.iter()
            .find(|(k, _)| k == name)
            .map(|(_, v)| v.as_str())
            .unwrap_or_default()
    };
    let (id, secret) = oauth::client_credentials(call, &form);
    if id != state.options.google.client_id {
        return error(401, "invalid_client", "The OAuth client was not found.");
    }
    if secret != state.options.google.client_secret {
        return error(401, "invalid_client", "Unauthorized");
    }
    match field("grant_type") {
        "authorization_code" => {
            let Some(code) = state.codes.get_mut(field("code")) else {
                return error(400, "invalid_grant", "Malformed auth code.");
            };
            if code.used || code.expires < Utc::now() || code.provider != Provider::Google {
                return error(400, "invalid_grant", "Bad Request");
            }
            // A code is spent by the first try, successful or not.
            code.used = true;
            let code = code.clone();
            if code.client_id != id {
                return error(400, "invalid_grant", "Bad Request");
            }
            if code.redirect_uri != field("redirect_uri") {
                return error(400, "redirect_uri_mismatch", "Bad Request");
            }
            if field("code_verifier").is_empty() {
                return error(400, "invalid_grant", "Missing code verifier.");
            }
            state.verifiers.push(field("code_verifier").to_owned());
            if !oauth::verifier_matches(&code.challenge, field("code_verifier")) {
                return error(400, "invalid_grant", "Invalid code verifier.");
            }
            let grant = Uuid::new_v4().to_string();
            let (access, refresh) = oauth::issue_tokens(
                state,
                Provider::Google,
                &grant,
                Some(&code.account),
                &code.scope,
                code.offline,
            );
            answer(state, &access, refresh, &code.scope)
        }
        "refresh_token" => {
            let Some(old) = state.refresh.get(field("refresh_token")).cloned() else {
                return error(400, "invalid_grant", "Token has been expired or revoked.");
            };
            let (access, _) = oauth::issue_tokens(
                state,
                Provider::Google,
                &old.grant,
                old.account.as_deref(),
                &old.scope,
                false,
            );
            answer(state, &access, None, &old.scope)
        }
        other => error(
            400,
            "unsupported_grant_type",
            &format!("Invalid grant_type: {other}"),
        ),
    }
}

fn answer(state: &State, access: &str, refresh: Option<String>, scope: &str) -> Reply {
    let mut body = json!({
        "access_token": access,
        "expires_in": state.options.access_token_seconds,
        "scope": scope,
        "token_type": "Bearer",
    });
    if let Some(refresh) = refresh {
        body["refresh_token"] = refresh.into();
    }
    Reply::json(200, body).with("cache-control", "no-store")
}

/// `POST /google/revoke` with `token` in the form or the query: ends the client's access to the account, whichever consent
/// the token comes from.
pub(crate) fn revoke(state: &mut State, call: &Call) -> Reply {
    let form = call.form();
    let token = form
        .iter()
        .find(|(k, _)| k == "token")
        .map(|(_, v)| v.as_str())
        .or_else(|| call.q("token"))
        .unwrap_or_default();
    let found = state.refresh.get(token).or_else(|| state.access.get(token));
    let Some(found) = found.filter(|t| t.provider == Provider::Google).cloned() else {
        return error(400, "invalid_token", "Token expired or revoked");
    };
    let goes = |token: &Token| {
        token.provider == Provider::Google
            && (token.grant == found.grant
                || (token.account.is_some() && token.account == found.account))
    };
    state.access.retain(|_, token| !goes(token));
    state.refresh.retain(|_, token| !goes(token));
    if let Some(account) = &found.account {
        state.consented.retain(|a| a != account);
    }
    Reply::json(200, json!({}))
}
