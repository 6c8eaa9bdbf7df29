//! What both authorization servers share: consent page, codes, PKCE, tokens.

use crate::http::{Call, Reply, escape};
use crate::state::{Code, Provider, State, Token};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{TimeDelta, Utc};
use sha2::{Digest as _, Sha256};
use url::Url;
use uuid::Uuid;

/// Outcome of the consent page.
pub(crate) enum Decision {
    /// Show the page.
    Ask,
    Allow {
        account: String,
        scope: String,
    },
    Deny,
}

/// Reads the decision from the posted form, or takes the first account in auto-approve mode.
pub(crate) fn decide(state: &State, call: &Call, scope: &str) -> Decision {
    if call.method == axum::http::Method::POST {
        let form = call.form();
        let field = |name: &str| {
            form.iter()
                .find(|(k, _)| k == name)
                .map(|(_, v)| v.as_str())
        };
        let account = field("account").unwrap_or_default();
        let known = state.options.accounts.iter().any(|a| a.email == account);
        if field("decision") != Some("allow") || !known {
            return Decision::Deny;
        }
        let ticked: Vec<&str> = form
            .iter()
            .filter(|(k, _)| k == "scope")
            .map(|(_, v)| v.as_str())
            .collect();
        let scope = if ticked.is_empty() {
            scope.to_owned()
        } else {
            ticked.join(" ")
        };
        return Decision::Allow {
            account: account.to_owned(),
            scope,
        };
    }
    if !state.options.auto_approve {
        return Decision::Ask;
    }
    let accounts = &state.options.accounts;
    let hint = call.q("login_hint").unwrap_or_default();
    match accounts
        .iter()
        .find(|a| a.email.eq_ignore_ascii_case(hint))
        .or_else(|| accounts.first())
    {
        Some(a) => Decision::Allow {
            account: a.email.clone(),
            scope: scope.to_owned(),
        },
        None => Decision::Deny,
    }
}

/// The consent page; plain form, no script. Google lets people untick single scopes.
pub(crate) fn consent_page(state: &State, call: &Call, provider: Provider, scope: &str) -> Reply {
    let title = match provider {
        Provider::Google => "Google (fake)",
        Provider::Microsoft => "Microsoft (fake)",
    };
    let hint = call.q("login_hint").unwrap_or_default();
    let chosen = state
        .options
        .accounts
        .iter()
        .position(|a| a.email.eq_ignore_ascii_case(hint));
    let accounts: String = state
        .options
        .accounts
        .iter()
        .enumerate()
        .map(|(n, a)| {
            let checked = if n == chosen.unwrap_or(0) {
                " checked"
            } else {
                ""
            };
            let (email, name) = (escape(&a.email), escape(&a.display_name));
            format!(
                "<p><label><input type=\"radio\" name=\"account\" value=\"{email}\"{checked}> \
                 {name} ({email})</label></p>"
            )
        })
        .collect();
    let scopes: String = scope
        .split_whitespace()
        .map(|s| {
            let s = escape(s);
            if provider == Provider::Google {
                format!(
                    "<li><label><input type=\"checkbox\" name=\"scope\" value=\"{s}\" checked> \
                     {s}</label></li>"
                )
            } else {
                format!("<li>{s}</li>")
            }
        })
        .collect();
    let action = escape(&format!("{}?{}", call.path, call.raw_query));
    Reply::html(
        200,
        format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><link rel=\"icon\" href=\"data:,\"><title>{title}</title>\
             </head><body><main><h1>{title}</h1><form method=\"post\" action=\"{action}\">\
             <fieldset><legend>Choose an account</legend>{accounts}</fieldset>\
             <p>Daybind wants:</p><ul>{scopes}</ul>\
             <button id=\"allow\" name=\"decision\" value=\"allow\">Allow</button> \
             <button id=\"deny\" name=\"decision\" value=\"deny\">Cancel</button>\
             </form></main></body></html>"
        ),
    )
}

/// Error page for requests that must not be redirected (unknown client, bad redirect URI).
pub(crate) fn error_page(status: u16, code: &str, text: &str) -> Reply {
    let (code, text) = (escape(code), escape(text));
    Reply::html(
        status,
        format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><link rel=\"icon\" href=\"data:,\"><title>Sign-in error\
             </title></head><body><main><h1>{code}</h1><p>{text}</p></main></body></html>"
        ),
    )
}

/// Redirect URI with parameters added; `None` when it is not an absolute URL.
pub(crate) fn redirect(to: &str, parameters: &[(&str, &str)]) -> Option<Reply> {
    let mut url = Url::parse(to).ok()?;
    url.query_pairs_mut()
        .extend_pairs(parameters.iter().filter(|(_, v)| !v.is_empty()));
    Some(Reply::redirect(302, url.as_str()))
}

/// Whether the redirect URI is absolute and, if URIs are registered, one of them.
pub(crate) fn redirect_allowed(state: &State, uri: &str) -> bool {
    let registered = &state.options.redirect_uris;
    Url::parse(uri).is_ok() && (registered.is_empty() || registered.iter().any(|r| r == uri))
}

/// Stores a fresh code (10 minutes, single use) and returns it.
pub(crate) fn issue_code(state: &mut State, code: Code) -> String {
    let value = format!("0.{}", random());
    state.codes.insert(value.clone(), code);
    value
}

/// Expiry of a new code.
pub(crate) fn code_expiry() -> chrono::DateTime<Utc> {
    Utc::now() + TimeDelta::minutes(10)
}

/// RFC 7636 S256.
pub(crate) fn verifier_matches(challenge: &str, verifier: &str) -> bool {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == challenge
}

/// Unguessable token text.
pub(crate) fn random() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

/// Stores a new access token and, if wanted, a refresh token of the same grant.
pub(crate) fn issue_tokens(
    state: &mut State,
    provider: Provider,
    grant: &str,
    account: Option<&str>,
    scope: &str,
    refresh: bool,
) -> (String, Option<String>) {
    let token = Token {
        provider,
        grant: grant.to_owned(),
        account: account.map(str::to_owned),
        scope: scope.to_owned(),
        expires: Utc::now() + TimeDelta::seconds(state.options.access_token_seconds),
    };
    let access = match provider {
        Provider::Google => format!("ya29.{}", random()),
        Provider::Microsoft => format!("EwB{}", random()),
    };
    let renewal = refresh.then(|| match provider {
        Provider::Google => format!("1//0{}", random()),
        Provider::Microsoft => format!("0.A{}", random()),
    });
    if let Some(value) = &renewal {
        let mut token = token.clone();
        token.expires = Utc::now() + TimeDelta::days(90);
        state.refresh.insert(value.clone(), token);
    }
    state.access.insert(access.clone(), token);
    (access, renewal)
}

/// Client id and secret from the form or from HTTP Basic (form-encoded inside, RFC 6749 2.3.1).
pub(crate) fn client_credentials(call: &Call, form: &[(String, String)]) -> (String, String) {
    let field = |name: &str| {
        form.iter()
            .find(|(k, _)| k == name)
            .map(|(_, v)| v.clone())
            .unwrap_or_default()
    };
    let basic = call
        .header("authorization")
        .and_then(|v| v.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"))
        .and_then(|(_, text)| STANDARD.decode(text.trim()).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok());
    match basic.as_deref().and_then(|b| b.split_once(':')) {
        Some((id, secret)) => {
            let plain = |s: &str| crate::http::decode(&s.replace('+', " "));
            (plain(id), plain(secret))
        }
        None => (field("client_id"), field("client_secret")),
    }
}

/// The live token behind the bearer header.
pub(crate) fn bearer_token(state: &State, call: &Call, provider: Provider) -> Option<Token> {
    let token = state.access.get(call.bearer()?)?;
    (token.provider == provider && token.expires > Utc::now()).then(|| token.clone())
}
