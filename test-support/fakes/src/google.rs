//! Google Calendar v3: routing, authorization, errors and calendars.

use crate::google_events;
use crate::http::{Call, Reply};
use crate::oauth;
use crate::state::{Calendar, Provider, State, Token, stable_id};
use serde_json::{Value, json};

/// Name of the operation a request asks for, after the method ids in Google's discovery document.
pub(crate) fn operation(call: &Call) -> &'static str {
    let method = call.method.as_str();
    let tail = call.tail(1);
    match (method, tail.as_slice()) {
        (_, ["o", "oauth2", "v2", "auth"]) => "google.authorize",
        ("POST", ["token"]) => "google.token",
        ("POST", ["revoke"]) => "google.revoke",
        (_, ["api", "calendar", "v3", rest @ ..]) => match (method, rest) {
            ("GET", ["users", "me", "calendarList"]) => "google.calendarList.list",
            ("GET", ["users", "me", "calendarList", _]) => "google.calendarList.get",
            ("GET", ["calendars", _]) => "google.calendars.get",
            ("GET", ["calendars", _, "events"]) => "google.events.list",
            ("POST", ["calendars", _, "events"]) => "google.events.insert",
            ("POST", ["calendars", _, "events", "watch"]) => "google.events.watch",
            ("GET", ["calendars", _, "events", _]) => "google.events.get",
            ("GET", ["calendars", _, "events", _, "instances"]) => "google.events.instances",
            ("PATCH", ["calendars", _, "events", _]) => "google.events.patch",
            ("PUT", ["calendars", _, "events", _]) => "google.events.update",
            ("DELETE", ["calendars", _, "events", _]) => "google.events.delete",
            ("POST", ["channels", "stop"]) => "google.channels.stop",
            _ => "google.unknown",
        },
        _ => "google.unknown",
    }
}

/// Google's error shape.
pub(crate) fn error(status: u16, reason: &str, message: &str) -> Reply {
    let domain = match reason {
        "rateLimitExceeded" | "userRateLimitExceeded" | "quotaExceeded" => "usageLimits",
        "duplicate" | "fullSyncRequired" | "updatedMinTooLongAgo" | "timeRangeEmpty" => "calendar",
        _ => "global",
    };
    let reply = Reply::json(
        status,
        json!({"error": {"code": status, "message": message,
               "errors": [{"domain": domain, "reason": reason, "message": message}]}}),
    );
    if status == 401 {
        return reply.with(
            "www-authenticate",
            "Bearer realm=\"https://accounts.google.com/\"",
        );
    }
    reply
}

/// Usual reason and message for a status.
pub(crate) fn reason_for(status: u16) -> (&'static str, &'static str) {
    match status {
        400 => ("badRequest", "Bad Request"),
        401 => ("authError", "Invalid Credentials"),
        403 => ("userRateLimitExceeded", "User Rate Limit Exceeded"),
        404 => ("notFound", "Not Found"),
        409 => ("duplicate", "The requested identifier already exists."),
        410 => (
            "fullSyncRequired",
            "Sync token is no longer valid, a full sync is required.",
        ),
        412 => ("conditionNotMet", "Precondition Failed"),
        429 => ("rateLimitExceeded", "Rate Limit Exceeded"),
        503 => ("backendError", "Service Unavailable"),
        _ => ("backendError", "Backend Error"),
    }
}

/// Error with the usual reason for the status.
pub(crate) fn usual(status: u16) -> Reply {
    let (reason, message) = reason_for(status);
    error(status, reason, message)
}

/// The caller's token, or 401.
pub(crate) fn authorize(state: &State, call: &Call) -> Result<Token, Reply> {
    oauth::bearer_token(state, call, Provider::Google).ok_or_else(|| usual(401))
}

fn allows(scope: &str, names: &[&str]) -> bool {
    scope.split_whitespace().any(|s| {
        let short = s
            .strip_prefix("https://www.googleapis.com/auth/")
            .unwrap_or(s);
        short == "calendar" || names.contains(&short)
    })
}

/// 403 unless the token carries `calendar` or one of the named scopes.
pub(crate) fn need_scope(token: &Token, names: &[&str]) -> Result<(), Reply> {
    if allows(&token.scope, names) {
        return Ok(());
    }
    Err(error(
        403,
        "insufficientPermissions",
        "Request had insufficient authentication scopes.",
    ))
}

/// Whether the account has the calendar in its list: its own, or one that is shared with it.
fn sees(calendar: &Calendar, account: &str) -> bool {
    calendar.account == account || calendar.shared_with.iter().any(|with| with == account)
}

/// The caller's calendar (`primary` resolves), or 404.
pub(crate) fn calendar_of<'a>(
    state: &'a State,
    token: &Token,
    id: &str,
) -> Result<&'a Calendar, Reply> {
    let account = token.account.as_deref().unwrap_or_default();
    let id = if id == "primary" { account } else { id };
    state
        .calendar(Provider::Google, id)
        .filter(|c| sees(c, account))
        .ok_or_else(|| usual(404))
}

/// Answers calendar and event calls.
pub(crate) fn answer(state: &mut State, call: &Call, operation: &str) -> Reply {
    route(state, call, operation).unwrap_or_else(|refusal| refusal)
}

fn route(state: &mut State, call: &Call, operation: &str) -> Result<Reply, Reply> {
    if operation == "google.unknown" {
        return Err(usual(404));
    }
    let token = authorize(state, call)?;
    let tail = call.tail(4);
    const READ: &[&str] = &[
        "calendar.readonly",
        "calendar.events",
        "calendar.events.readonly",
        "calendar.events.owned",
        "calendar.app.created",
    ];
    match (operation, tail.as_slice()) {
        ("google.calendarList.list", _) => {
            need_scope(
                &token,
                &[
                    "calendar.readonly",
                    "calendar.calendarlist",
                    "calendar.calendarlist.readonly",
                ],
            )?;
            list_calendars(state, call, &token)
        }
        ("google.calendarList.get", [.., id]) => {
            need_scope(
                &token,
                &[
                    "calendar.readonly",
                    "calendar.calendarlist",
                    "calendar.calendarlist.readonly",
                ],
            )?;
            Ok(Reply::json(
                200,
                list_entry(
                    calendar_of(state, &token, id)?,
                    token.account.as_deref().unwrap_or_default(),
                ),
            ))
        }
        ("google.calendars.get", [_, id]) => {
            need_scope(
                &token,
                &[
                    "calendar.readonly",
                    "calendar.calendars",
                    "calendar.calendars.readonly",
                ],
            )?;
            let calendar = calendar_of(state, &token, id)?;
            Ok(Reply::json(
                200,
                json!({"kind": "calendar#calendar", "etag": etag_of(calendar), "id": calendar.id,
                       "summary": calendar.name, "timeZone": calendar.zone,
                       "conferenceProperties": {"allowedConferenceSolutionTypes": ["hangoutsMeet"]}}),
            ))
        }
        ("google.events.list", [_, id, ..]) => {
            need_scope(&token, READ)?;
            let id = calendar_of(state, &token, id)?.id.clone();
            google_events::list(state, call, &id)
        }
        ("google.events.get", [_, id, _, event]) => {
            need_scope(&token, READ)?;
            google_events::get(calendar_of(state, &token, id)?, event)
        }
        ("google.events.instances", [_, id, _, series, _]) => {
            need_scope(&token, READ)?;
            google_events::instances(calendar_of(state, &token, id)?, call, series)
        }
        (_, [_, id, rest @ ..]) => {
            need_scope(
                &token,
                &[
                    "calendar.events",
                    "calendar.events.owned",
                    "calendar.app.created",
                ],
            )?;
            let calendar = calendar_of(state, &token, id)?;
            if !calendar.can_write {
                return Err(error(
                    403,
                    "requiredAccessLevel",
                    "You need to have writer access to this calendar.",
                ));
            }
            let id = calendar.id.clone();
            google_events::write(state, call, operation, &id, rest.get(1).copied())
        }
        _ => Err(usual(404)),
    }
}

fn etag_of(calendar: &Calendar) -> String {
    format!("\"{}\"", stable_id(&format!("etag {}", calendar.id), 16))
}

fn list_entry(calendar: &Calendar, account: &str) -> Value {
    let role = match calendar.can_write {
        true if calendar.account == account => "owner",
        true => "writer",
        false => "reader",
    };
    let mut entry = json!({
        "kind": "calendar#calendarListEntry",
        "etag": etag_of(calendar),
        "id": calendar.id,
        "summary": calendar.name,
        "timeZone": calendar.zone,
        "colorId": "14",
        "backgroundColor": "#9fe1e7",
        "foregroundColor": "#000000",
        "selected": true,
        "accessRole": role,
        "defaultReminders": [],
        "conferenceProperties": {"allowedConferenceSolutionTypes": ["hangoutsMeet"]},
    });
    if calendar.primary {
        entry["primary"] = true.into();
    }
    entry
}

fn list_calendars(state: &State, call: &Call, token: &Token) -> Result<Reply, Reply> {
    let account = token.account.as_deref().unwrap_or_default();
    let writer_only = matches!(call.q("minAccessRole"), Some("writer" | "owner"));
    let all: Vec<Value> = state
        .calendars
        .iter()
        .filter(|c| c.provider == Provider::Google && sees(c, account))
        .filter(|c| c.can_write || !writer_only)
        .map(|c| list_entry(c, account))
        .collect();
    let size = number(call, "maxResults", 100, 250)?;
    let start: usize = call
        .q("pageToken")
        .and_then(|t| t.strip_prefix("cl")?.parse().ok())
        .unwrap_or(0);
    let items: Vec<Value> = all.iter().skip(start).take(size).cloned().collect();
    let mut body = json!({"kind": "calendar#calendarList", "etag": "\"p32\"", "items": items});
    if start + size < all.len() {
        body["nextPageToken"] = format!("cl{}", start + size).into();
    } else {
        body["nextSyncToken"] = format!("CL{}", stable_id(account, 20)).into();
    }
    Ok(Reply::json(200, body))
}

/// A positive numeric parameter, capped like Google does.
pub(crate) fn number(call: &Call, name: &str, default: usize, max: usize) -> Result<usize, Reply> {
    match call.q(name) {
        None => Ok(default),
        Some(text) => match text.parse::<usize>() {
            Ok(n) if n > 0 => Ok(n.min(max)),
            _ => Err(error(
                400,
                "invalidParameter",
                &format!("Invalid integer value: '{text}'."),
            )),
        },
    }
}
