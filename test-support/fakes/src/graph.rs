//! Microsoft Graph v1.0: routing, authorization, errors, the user and the calendars.

use crate::http::{Call, Content, Reply, encode};
use crate::oauth;
use crate::state::{Calendar, Provider, State, Token, stable_id};
use crate::{graph_events, graph_subscriptions, graph_view, zones};
use chrono::Utc;
use serde_json::{Value, json};
use uuid::Uuid;

/// Name of the operation a request asks for.
pub(crate) fn operation(call: &Call) -> &'static str {
    let method = call.method.as_str();
    let tail = call.tail(1);
    match tail.as_slice() {
        ["login", _, "oauth2", "v2.0", "authorize"] => "microsoft.authorize",
        ["login", _, "oauth2", "v2.0", "token"] if method == "POST" => "microsoft.token",
        ["login", _, "v2.0", ".well-known", "openid-configuration"] => "microsoft.openid",
        ["login", _, "discovery", "v2.0", "keys"] => "microsoft.keys",
        ["graph", "v1.0", rest @ ..] => match (method, rest) {
            ("POST", ["subscriptions"]) => "microsoft.subscriptions.create",
            ("GET", ["subscriptions"]) => "microsoft.subscriptions.list",
            ("GET", ["subscriptions", _]) => "microsoft.subscriptions.get",
            ("PATCH", ["subscriptions", _]) => "microsoft.subscriptions.update",
            ("DELETE", ["subscriptions", _]) => "microsoft.subscriptions.delete",
            ("POST", ["subscriptions", _, "reauthorize"]) => "microsoft.subscriptions.reauthorize",
            (_, ["me", rest @ ..] | ["users", _, rest @ ..]) => mailbox_operation(method, rest),
            _ => "microsoft.unknown",
        },
        _ => "microsoft.unknown",
    }
}

fn mailbox_operation(method: &str, rest: &[&str]) -> &'static str {
    match (method, rest) {
        ("GET", []) => return "microsoft.me",
        ("GET", ["calendars"]) => return "microsoft.calendars.list",
        ("GET", ["calendar"] | ["calendars", _]) => return "microsoft.calendars.get",
        _ => {}
    }
    match (method, below_calendar(rest)) {
        ("GET", ["events"]) => "microsoft.events.list",
        ("POST", ["events"]) => "microsoft.events.create",
        ("GET", ["events", _]) => "microsoft.events.get",
        ("PATCH", ["events", _]) => "microsoft.events.update",
        ("DELETE", ["events", _]) => "microsoft.events.delete",
        ("GET", ["events", _, "instances"]) => "microsoft.events.instances",
        ("GET", ["calendarView"]) => "microsoft.view.list",
        (
            "GET",
            [
                "calendarView",
                "delta" | "delta()" | "microsoft.graph.delta" | "microsoft.graph.delta()",
            ],
        ) => "microsoft.view.delta",
        _ => "microsoft.unknown",
    }
}

/// Path below `/calendar` or `/calendars/{id}`, or the path itself.
fn below_calendar<'a, 'b>(rest: &'a [&'b str]) -> &'a [&'b str] {
    match rest {
        ["calendar", tail @ ..] | ["calendars", _, tail @ ..] => tail,
        other => other,
    }
}

/// Graph's error shape.
pub(crate) fn error(status: u16, code: &str, message: &str) -> Reply {
    let request = Uuid::new_v4().to_string();
    Reply::json(
        status,
        json!({"error": {"code": code, "message": message, "innerError": {
            "date": Utc::now().format("%Y-%m-%dT%H:%M:%S").to_string(),
            "request-id": request, "client-request-id": request,
        }}}),
    )
    .with("request-id", &request)
}

/// Usual code and message for a status.
pub(crate) fn code_for(status: u16) -> (&'static str, &'static str) {
    match status {
        400 => ("ErrorInvalidRequest", "The request is invalid."),
        401 => (
            "InvalidAuthenticationToken",
            "Access token has expired or is not yet valid.",
        ),
        403 => (
            "ErrorAccessDenied",
            "Access is denied. Check credentials and try again.",
        ),
        404 => (
            "ErrorItemNotFound",
            "The specified object was not found in the store.",
        ),
        409 => (
            "ErrorIrresolvableConflict",
            "The send or update operation could not be performed.",
        ),
        410 => (
            "syncStateNotFound",
            "The sync state generation is not found; a full sync is required.",
        ),
        412 => (
            "ErrorIrresolvableConflict",
            "The send or update operation could not be performed because the change key passed in \
             the request does not match the current change key for the item.",
        ),
        429 => (
            "ApplicationThrottled",
            "Application is over its MailboxConcurrency limit.",
        ),
        503 => ("ErrorServerBusy", "The server is busy. Try again later."),
        _ => (
            "ErrorInternalServerError",
            "An internal server error occurred.",
        ),
    }
}

/// Error with the usual code for the status.
pub(crate) fn usual(status: u16) -> Reply {
    let (code, message) = code_for(status);
    error(status, code, message)
}

/// The caller's token, or 401.
pub(crate) fn authorize(state: &State, call: &Call) -> Result<Token, Reply> {
    oauth::bearer_token(state, call, Provider::Microsoft).ok_or_else(|| usual(401))
}

/// 403 unless the token carries one of the delegated scopes or `/.default`.
pub(crate) fn need_scope(token: &Token, names: &[&str]) -> Result<(), Reply> {
    let granted = token.scope.split_whitespace().any(|s| {
        let short = s.strip_prefix("https://graph.microsoft.com/").unwrap_or(s);
        short == ".default" || names.iter().any(|n| n.eq_ignore_ascii_case(short))
    });
    if granted { Ok(()) } else { Err(usual(403)) }
}

/// Directory object id of an account.
pub(crate) fn object_id(email: &str) -> String {
    let hex = stable_id(&format!("oid {email}"), 32);
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!(
        "{}-{}-4{}-8{}-{}",
        part(0, 8),
        part(8, 12),
        part(13, 16),
        part(17, 20),
        part(20, 32)
    )
}

/// The account a path speaks about. Delegated tokens reach only their own mailbox.
pub(crate) fn account_in(state: &State, token: &Token, path: &[&str]) -> Result<String, Reply> {
    match path {
        ["me", ..] => token.account.clone().ok_or_else(|| {
            error(
                400,
                "BadRequest",
                "/me request is only valid with delegated authentication flow.",
            )
        }),
        ["users", who, ..] => {
            let found = state.options.accounts.iter().find(|a| {
                a.email.eq_ignore_ascii_case(who) || object_id(&a.email).eq_ignore_ascii_case(who)
            });
            let found = found.ok_or_else(|| {
                error(
                    404,
                    "Request_ResourceNotFound",
                    &format!("Resource '{who}' does not exist."),
                )
            })?;
            match &token.account {
                Some(own) if *own != found.email => Err(usual(403)),
                _ => Ok(found.email.clone()),
            }
        }
        _ => Err(usual(404)),
    }
}

/// The calendar a path names: `calendars/{id}`, or the default one.
pub(crate) fn calendar_in<'a>(
    state: &'a State,
    account: &str,
    rest: &[&str],
) -> Result<&'a Calendar, Reply> {
    let own = |c: &&Calendar| c.provider == Provider::Microsoft && c.account == account;
    match rest {
        ["calendars", id, ..] => state.calendar(Provider::Microsoft, id).filter(own),
        _ => state.calendars.iter().filter(own).find(|c| c.primary),
    }
    .ok_or_else(|| usual(404))
}

/// Value of one `Prefer` item, e.g. `outlook.timezone`.
pub(crate) fn prefer(call: &Call, name: &str) -> Option<String> {
    call.headers
        .get_all("prefer")
        .iter()
        .filter_map(|v| v.to_str().ok())
        .find_map(|line| {
            line.split(',').find_map(|item| {
                let (key, value) = item.trim().split_once('=')?;
                key.trim()
                    .eq_ignore_ascii_case(name)
                    .then(|| value.trim().trim_matches('"').to_owned())
            })
        })
}

/// Answers everything but creating subscriptions.
pub(crate) fn answer(state: &mut State, call: &Call, operation: &str) -> Reply {
    let reply = route(state, call, operation).unwrap_or_else(|refusal| refusal);
    match prefer(call, "IdType") {
        Some(kind) if reply.status < 300 => {
            reply.with("preference-applied", &format!("IdType=\"{kind}\""))
        }
        _ => reply,
    }
}

fn route(state: &mut State, call: &Call, operation: &str) -> Result<Reply, Reply> {
    let tail = call.tail(3);
    if operation == "microsoft.unknown" {
        let text = format!(
            "Resource not found for the segment '{}'.",
            tail.last().unwrap_or(&"")
        );
        return Err(error(400, "BadRequest", &text));
    }
    let token = authorize(state, call)?;
    if operation.starts_with("microsoft.subscriptions") {
        return graph_subscriptions::answer(state, call, operation, &token);
    }
    let account = account_in(state, &token, &tail)?;
    let depth = if tail.first() == Some(&"me") { 1 } else { 2 };
    let rest = tail.get(depth..).unwrap_or_default();
    if operation == "microsoft.me" {
        need_scope(
            &token,
            &["User.Read", "User.ReadBasic.All", "openid", "profile"],
        )?;
        return me(state, &account).map(|body| select(call, Reply::json(200, body)));
    }
    let writes = matches!(
        operation,
        "microsoft.events.create" | "microsoft.events.update" | "microsoft.events.delete"
    );
    if writes {
        need_scope(
            &token,
            &["Calendars.ReadWrite", "Calendars.ReadWrite.Shared"],
        )?;
    } else {
        need_scope(
            &token,
            &[
                "Calendars.ReadWrite",
                "Calendars.Read",
                "Calendars.ReadWrite.Shared",
                "Calendars.ReadBasic",
            ],
        )?;
    }
    match operation {
        "microsoft.calendars.list" => list_calendars(state, call, &account),
        "microsoft.calendars.get" => {
            let mut body = calendar_body(state, calendar_in(state, &account, rest)?);
            body["@odata.context"] = context(state, "calendars/$entity").into();
            Ok(select(call, Reply::json(200, body)))
        }
        "microsoft.view.list" => {
            let id = calendar_in(state, &account, rest)?.id.clone();
            graph_view::list(state, call, &id)
        }
        "microsoft.view.delta" => {
            let id = calendar_in(state, &account, rest)?.id.clone();
            graph_view::delta(state, call, &id)
        }
        _ => {
            let named = matches!(rest, ["calendars" | "calendar", ..]);
            let calendar = calendar_in(state, &account, rest)?.id.clone();
            // `/me/events` reaches every calendar of the mailbox.
            let scope: Vec<String> = state
                .calendars
                .iter()
                .filter(|c| c.provider == Provider::Microsoft && c.account == account)
                .filter(|c| !named || c.id == calendar)
                .map(|c| c.id.clone())
                .collect();
            let event = below_calendar(rest).get(1).copied();
            graph_events::answer(state, call, operation, &calendar, &scope, event)
        }
    }
}

/// `@odata.context` value.
pub(crate) fn context(state: &State, of: &str) -> String {
    format!("{}/ms/graph/v1.0/$metadata#{of}", state.base)
}

/// Applies `$select` to an answer: one entity, or the items of `value`.
pub(crate) fn select(call: &Call, mut reply: Reply) -> Reply {
    let Some(wanted) = call.q("$select") else {
        return reply;
    };
    let names: Vec<&str> = wanted.split(',').map(str::trim).collect();
    let keep = |item: &mut Value| {
        if let Value::Object(map) = item {
            map.retain(|k, _| k.starts_with('@') || k == "id" || names.contains(&k.as_str()));
        }
    };
    if let Content::Json(body) = &mut reply.content {
        match body.get_mut("value").and_then(Value::as_array_mut) {
            Some(items) => items.iter_mut().for_each(keep),
            None => keep(body),
        }
    }
    reply
}

fn me(state: &State, email: &str) -> Result<Value, Reply> {
    let account = state.options.accounts.iter().find(|a| a.email == email);
    let account = account.ok_or_else(|| usual(404))?;
    let (given, surname) = account
        .display_name
        .split_once(' ')
        .unwrap_or((&account.display_name, ""));
    Ok(json!({
        "@odata.context": context(state, "users/$entity"),
        "businessPhones": [], "displayName": account.display_name, "givenName": given,
        "jobTitle": null, "mail": account.email, "mobilePhone": null, "officeLocation": null,
        "preferredLanguage": null, "surname": surname, "userPrincipalName": account.email,
        "id": object_id(&account.email),
    }))
}

fn calendar_body(state: &State, calendar: &Calendar) -> Value {
    let name = state
        .options
        .accounts
        .iter()
        .find(|a| a.email == calendar.account)
        .map_or("", |a| a.display_name.as_str());
    json!({
        "id": calendar.id, "name": calendar.name, "color": "auto", "hexColor": "",
        "isDefaultCalendar": calendar.primary,
        "changeKey": stable_id(&format!("key {}", calendar.id), 24),
        "canShare": calendar.can_write, "canViewPrivateItems": true,
        "canEdit": calendar.can_write,
        "allowedOnlineMeetingProviders": ["teamsForBusiness"],
        "defaultOnlineMeetingProvider": "teamsForBusiness",
        "isTallyingResponses": calendar.primary, "isRemovable": !calendar.primary,
        "owner": {"name": name, "address": calendar.account},
    })
}

fn list_calendars(state: &State, call: &Call, account: &str) -> Result<Reply, Reply> {
    let items: Vec<Value> = state
        .calendars
        .iter()
        .filter(|c| c.provider == Provider::Microsoft && c.account == account)
        .map(|c| calendar_body(state, c))
        .collect();
    let context = context(state, &format!("users('{}')/calendars", encode(account)));
    page(state, call, items, &context).map(|reply| select(call, reply))
}

/// Pages with `$top` and `$skip`, adding `@odata.nextLink` while there is more.
pub(crate) fn page(
    state: &State,
    call: &Call,
    items: Vec<Value>,
    context: &str,
) -> Result<Reply, Reply> {
    let number = |name: &str, default: usize| match call.q(name) {
        None => Ok(default),
        Some(text) => text.parse::<usize>().map_err(|_| {
            error(
                400,
                "ErrorInvalidUrlQuery",
                &format!("Invalid value '{text}' for {name}."),
            )
        }),
    };
    let preferred = prefer(call, "odata.maxpagesize")
        .and_then(|n| n.parse().ok())
        .unwrap_or(100);
    let (top, skip) = (
        number("$top", preferred)?.clamp(1, 1000),
        number("$skip", 0)?,
    );
    let total = items.len();
    let shown: Vec<Value> = items.into_iter().skip(skip).take(top).collect();
    let mut body = json!({"@odata.context": context, "value": shown});
    if skip + top < total {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in call.query.iter().filter(|(n, _)| n != "$skip") {
            query.append_pair(name, value);
        }
        query.append_pair("$skip", &(skip + top).to_string());
        body["@odata.nextLink"] = format!("{}{}?{}", state.base, call.path, query.finish()).into();
    }
    Ok(Reply::json(200, body))
}

/// The zone answers are written in: `Prefer: outlook.timezone`, UTC without it.
pub(crate) fn answer_zone(call: &Call) -> Result<(String, chrono_tz::Tz), Reply> {
    let name = prefer(call, "outlook.timezone").unwrap_or_else(|| "UTC".to_owned());
    match zones::zone(&name) {
        Some(zone) => Ok((name, zone)),
        None => Err(error(
            400,
            "TimeZoneNotSupportedException",
            &format!(
                "A valid TimeZone value must be specified. The following TimeZone value is not supported: '{name}'."
            ),
        )),
    }
}
