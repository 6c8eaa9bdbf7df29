//! Graph subscriptions: handshake, life cycle, change and lifecycle notifications.

use crate::graph::{
    account_in, authorize, calendar_in, context, error, need_scope, object_id, usual,
};
use crate::http::{Call, Reply};
use crate::server::Shared;
use crate::state::{Provider, State, Subscription, Token};
use crate::webhooks::{self, Job};
use crate::zones;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

/// Longest life without resource data, in minutes.
const LONGEST_MINUTES: i64 = 10_080;

/// `POST /subscriptions`: checks, handshake with every URL, then 201.
pub(crate) async fn create(shared: &Shared, call: &Call) -> Reply {
    let prepared = prepare(&shared.lock(), call);
    let subscription = match prepared {
        Ok(subscription) => subscription,
        Err(refusal) => return refusal,
    };
    for key in ["notificationUrl", "lifecycleNotificationUrl"] {
        let Some(url) = subscription.body[key].as_str() else {
            continue;
        };
        if let Err(problem) = handshake(shared, url).await {
            let text = format!(
                "Subscription validation request failed. Notification endpoint must respond with \
                 200 OK to validation request. ({key}: {problem})"
            );
            return error(400, "ValidationError", &text);
        }
    }
    let mut state = shared.lock();
    let mut body = subscription.body.clone();
    body["@odata.context"] = context(&state, "subscriptions/$entity").into();
    state.subscriptions.push(subscription);
    Reply::json(201, body)
}

fn invalid(text: &str) -> Reply {
    error(400, "InvalidRequest", text)
}

fn expiry(text: Option<&str>, now: DateTime<Utc>) -> Result<DateTime<Utc>, Reply> {
    let at = text.and_then(|t| DateTime::parse_from_rfc3339(t).ok());
    let at = at.ok_or_else(|| invalid("expirationDateTime is missing or not a date."))?;
    let at = at.with_timezone(&Utc);
    if at < now {
        return Err(invalid("Subscription expiration must be in the future."));
    }
    if at > now + TimeDelta::minutes(LONGEST_MINUTES) {
        return Err(error(
            400,
            "ExtensionError",
            &format!(
                "Subscription expiration can only be {LONGEST_MINUTES} minutes in the future."
            ),
        ));
    }
    // Shorter wishes are raised to 45 minutes.
    Ok(at.max(now + TimeDelta::minutes(45)))
}

fn prepare(state: &State, call: &Call) -> Result<Subscription, Reply> {
    let token = authorize(state, call)?;
    need_scope(&token, &["Calendars.Read", "Calendars.ReadWrite"])?;
    let body = call.json().filter(Value::is_object);
    let body = body.ok_or_else(|| invalid("Request body is not JSON."))?;
    let text = |key: &str| body[key].as_str();
    let changes = text("changeType").unwrap_or_default();
    if changes.is_empty()
        || !changes
            .split(',')
            .all(|c| matches!(c.trim(), "created" | "updated" | "deleted"))
    {
        return Err(invalid("changeType is missing or not supported."));
    }
    for key in ["notificationUrl", "lifecycleNotificationUrl"] {
        let Some(url) = text(key) else {
            if key == "notificationUrl" {
                return Err(invalid("notificationUrl is missing."));
            }
            continue;
        };
        let fine = url::Url::parse(url).is_ok_and(|u| {
            u.scheme() == "https" || matches!(u.host_str(), Some("127.0.0.1" | "localhost"))
        });
        if !fine {
            return Err(invalid(&format!("{key} must be an HTTPS URL.")));
        }
    }
    if text("clientState").is_some_and(|s| s.len() > 128) {
        return Err(invalid("clientState is longer than 128 characters."));
    }
    let resource = text("resource").unwrap_or_default();
    let path: Vec<String> = resource
        .trim_start_matches('/')
        .split('/')
        .map(crate::http::decode)
        .collect();
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let depth = if path.first() == Some(&"me") { 1 } else { 2 };
    let account = account_in(state, &token, &path)?;
    let calendar = match path.get(depth..) {
        Some(["events"]) => None,
        Some(rest @ (["calendar", "events"] | ["calendars", _, "events"])) => {
            Some(calendar_in(state, &account, rest)?.id.clone())
        }
        _ => return Err(invalid("Unsupported resource for subscriptions.")),
    };
    let expires = expiry(text("expirationDateTime"), state.push_time())?;
    let id = Uuid::new_v4().to_string();
    let tls = text("latestSupportedTlsVersion").unwrap_or("v1_2");
    let stored = json!({
        "id": id, "resource": resource, "applicationId": state.options.microsoft.client_id,
        "changeType": changes, "clientState": body["clientState"],
        "notificationUrl": body["notificationUrl"],
        "notificationQueryOptions": null,
        "lifecycleNotificationUrl": body["lifecycleNotificationUrl"],
        "expirationDateTime": zones::ticks(expires),
        "creatorId": object_id(&account), "includeResourceData": null,
        "latestSupportedTlsVersion": tls, "encryptionCertificate": null,
        "encryptionCertificateId": null, "notificationUrlAppId": null,
    });
    Ok(Subscription {
        id,
        account,
        calendar,
        body: stored,
        expires,
    })
}

/// Sends the validation token; it must come back decoded, as text/plain, with 200, within 10 s.
async fn handshake(shared: &Shared, url: &str) -> Result<(), String> {
    // Spaces and colons show whether the receiver decodes the parameter.
    let token = format!(
        "Validation: Testing client application reachability for subscription Request-Id: {}",
        Uuid::new_v4()
    );
    let mut target = url::Url::parse(url).map_err(|e| e.to_string())?;
    target
        .query_pairs_mut()
        .append_pair("validationToken", &token);
    let request = shared
        .client
        .post(target)
        .header("content-type", "text/plain; charset=utf-8")
        .timeout(Duration::from_secs(10))
        .send();
    let answer = request
        .await
        .map_err(|_| "no answer within 10 seconds".to_owned())?;
    let status = answer.status().as_u16();
    if status != 200 {
        return Err(format!("status {status}"));
    }
    let kind = answer
        .headers()
        .get("content-type")
        .and_then(|v| v.to_str().ok())
        .unwrap_or("");
    if !kind.to_ascii_lowercase().starts_with("text/plain") {
        return Err(format!("content type '{kind}'"));
    }
    let body = answer
        .text()
        .await
        .map_err(|_| "unreadable answer".to_owned())?;
    if body == token {
        Ok(())
    } else {
        Err("the token did not come back".to_owned())
    }
}

/// List, get, renew, reauthorize and delete.
pub(crate) fn answer(
    state: &mut State,
    call: &Call,
    operation: &str,
    token: &Token,
) -> Result<Reply, Reply> {
    let now = state.push_time();
    state.subscriptions.retain(|s| s.expires > now);
    let own = |s: &Subscription| token.account.as_ref().is_none_or(|a| *a == s.account);
    if operation == "microsoft.subscriptions.list" {
        let items: Vec<Value> = state
            .subscriptions
            .iter()
            .filter(|s| own(s))
            .map(|s| s.body.clone())
            .collect();
        return Ok(Reply::json(
            200,
            json!({"@odata.context": context(state, "subscriptions"), "value": items}),
        ));
    }
    let id = call.segments.get(4).cloned().unwrap_or_default();
    let at = state
        .subscriptions
        .iter()
        .position(|s| s.id == id && own(s));
    let at = at.ok_or_else(|| error(404, "ResourceNotFound", "The object was not found."))?;
    match operation {
        "microsoft.subscriptions.delete" => {
            state.subscriptions.remove(at);
            Ok(Reply::empty(204))
        }
        "microsoft.subscriptions.reauthorize" => Ok(Reply::empty(204)),
        _ => {
            let context = context(state, "subscriptions/$entity");
            let subscription = state.subscriptions.get_mut(at).ok_or_else(|| usual(404))?;
            if operation == "microsoft.subscriptions.update" {
                let body = call.json().unwrap_or_default();
                if let Some(key) = body
                    .as_object()
                    .into_iter()
                    .flat_map(|m| m.keys())
                    .find(|k| {
                        !matches!(
                            k.as_str(),
                            "expirationDateTime" | "notificationUrl" | "@odata.type"
                        )
                    })
                {
                    return Err(invalid(&format!("Property '{key}' cannot be changed.")));
                }
                subscription.expires = expiry(body["expirationDateTime"].as_str(), now)?;
                subscription.body["expirationDateTime"] = zones::ticks(subscription.expires).into();
            }
            let mut shown = subscription.body.clone();
            shown["@odata.context"] = context.into();
            Ok(Reply::json(200, shown))
        }
    }
}

/// Tells matching subscriptions about a change of `event`.
pub(crate) fn notify(state: &mut State, calendar: &str, event: &Value, change: &str) {
    let now = state.push_time();
    state.subscriptions.retain(|s| s.expires > now);
    let Some(account) = state
        .calendar(Provider::Microsoft, calendar)
        .map(|c| c.account.clone())
    else {
        return;
    };
    let tenant = state.options.microsoft.tenant_id.clone();
    let jobs: Vec<Job> = state
        .subscriptions
        .iter()
        .filter(|s| s.account == account && s.calendar.as_deref().is_none_or(|c| c == calendar))
        .filter(|s| {
            s.body["changeType"]
                .as_str()
                .is_some_and(|t| t.split(',').any(|c| c.trim() == change))
        })
        .map(|s| {
            let id = event["id"].as_str().unwrap_or_default();
            let resource = format!("Users/{}/Events/{id}", object_id(&account));
            job(
                s.body["notificationUrl"].as_str().unwrap_or_default(),
                &json!({
                    "subscriptionId": s.id,
                    "subscriptionExpirationDateTime": s.body["expirationDateTime"],
                    "changeType": change, "resource": resource,
                    "resourceData": {"@odata.type": "#Microsoft.Graph.Event",
                                     "@odata.id": resource, "@odata.etag": event["@odata.etag"],
                                     "id": id},
                    "clientState": s.body["clientState"], "tenantId": tenant,
                }),
            )
        })
        .collect();
    for job in jobs {
        webhooks::send(state, job);
    }
}

/// Lifecycle notification to every subscription that has a lifecycle URL.
pub(crate) fn send_lifecycle(state: &mut State, event: &str) {
    let tenant = state.options.microsoft.tenant_id.clone();
    let jobs: Vec<Job> = state
        .subscriptions
        .iter()
        .filter_map(|s| {
            let url = s.body["lifecycleNotificationUrl"].as_str()?;
            Some(job(
                url,
                &json!({
                    "subscriptionId": s.id,
                    "subscriptionExpirationDateTime": s.body["expirationDateTime"],
                    "tenantId": tenant, "clientState": s.body["clientState"],
                    "lifecycleEvent": event,
                }),
            ))
        })
        .collect();
    if event == "subscriptionRemoved" {
        state
            .subscriptions
            .retain(|s| !s.body["lifecycleNotificationUrl"].is_string());
    }
    for job in jobs {
        webhooks::send(state, job);
    }
}

fn job(url: &str, item: &Value) -> Job {
    Job {
        provider: Provider::Microsoft,
        url: url.to_owned(),
        headers: Vec::new(),
        body: Some(json!({"value": [item]})),
        then: None,
    }
}
