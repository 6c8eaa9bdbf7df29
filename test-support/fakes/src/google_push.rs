//! Google push channels: watch, stop and the bodiless messages.

use crate::google::{authorize, calendar_of, error, need_scope};
use crate::http::{Call, Reply, encode};
use crate::state::{Channel, Provider, State, stable_id};
use crate::webhooks::{self, Job};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

/// `POST calendars/{id}/events/watch`.
pub(crate) fn watch(state: &mut State, call: &Call) -> Reply {
    create(state, call).unwrap_or_else(|refusal| refusal)
}

fn create(state: &mut State, call: &Call) -> Result<Reply, Reply> {
    let token = authorize(state, call)?;
    need_scope(
        &token,
        &[
            "calendar.readonly",
            "calendar.events",
            "calendar.events.readonly",
            "calendar.events.owned",
            "calendar.app.created",
        ],
    )?;
    let id = call.segments.get(5).map_or("", String::as_str);
    let calendar = calendar_of(state, &token, id)?;
    let calendar = calendar.id.clone();
    let account = token.account.clone().unwrap_or_default();
    let body = call.json().filter(Value::is_object);
    let body = body.ok_or_else(|| error(400, "parseError", "Parse Error"))?;
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let channel_id = text("id");
    let legal = |c: char| c.is_ascii_alphanumeric() || "-_+/=".contains(c);
    if channel_id.is_empty() || channel_id.len() > 64 || !channel_id.chars().all(legal) {
        return Err(error(400, "invalid", "Invalid channel id."));
    }
    if !matches!(text("type").as_str(), "web_hook" | "webhook") {
        return Err(error(400, "push.unknownType", "Unknown channel type."));
    }
    let address = text("address");
    let local = url::Url::parse(&address).is_ok_and(|u| {
        u.scheme() == "https" || matches!(u.host_str(), Some("127.0.0.1" | "localhost"))
    });
    if !local {
        return Err(error(
            400,
            "push.webhookUrlNotHttps",
            "WebHook callback must be HTTPS.",
        ));
    }
    if text("token").len() > 256 {
        return Err(error(400, "invalid", "Channel token is too long."));
    }
    if state.used_channel_ids.contains(&channel_id) {
        return Err(error(400, "channelIdNotUnique", "Channel id not unique."));
    }
    let asked = body["params"]["ttl"]
        .as_str()
        .and_then(|t| t.parse::<i64>().ok())
        .or_else(|| body["params"]["ttl"].as_i64())
        .or_else(|| {
            let millis = body["expiration"]
                .as_str()
                .and_then(|t| t.parse::<i64>().ok());
            millis
                .or_else(|| body["expiration"].as_i64())
                .map(|ms| ms / 1000 - state.push_time().timestamp())
        });
    // Without a wish the channel lives an hour; never longer than a week.
    let seconds = asked.unwrap_or(3600).clamp(1, 7 * 24 * 3600);
    let channel = Channel {
        id: channel_id.clone(),
        resource_id: stable_id(&format!("resource {calendar}"), 27),
        resource_uri: format!(
            "https://www.googleapis.com/calendar/v3/calendars/{}/events?alt=json",
            encode(&calendar)
        ),
        account,
        calendar,
        address,
        token: body["token"].as_str().map(str::to_owned),
        expires: state.push_time() + TimeDelta::seconds(seconds),
        number: 1,
    };
    let mut answer = json!({
        "kind": "api#channel", "id": channel.id, "resourceId": channel.resource_id,
        "resourceUri": channel.resource_uri,
        "expiration": channel.expires.timestamp_millis().to_string(),
    });
    if let Some(token) = &channel.token {
        answer["token"] = token.clone().into();
    }
    state.used_channel_ids.push(channel_id);
    let job = message(&channel, "sync");
    state.channels.push(channel);
    webhooks::send(state, job);
    Ok(Reply::json(200, answer))
}

/// `POST channels/stop` with `id` and `resourceId`, only by the user who made the channel.
pub(crate) fn stop(state: &mut State, call: &Call) -> Reply {
    let token = match authorize(state, call) {
        Ok(token) => token,
        Err(refusal) => return refusal,
    };
    let body = call.json().unwrap_or_default();
    let at = state.channels.iter().position(|c| {
        body["id"] == json!(c.id)
            && body["resourceId"] == json!(c.resource_id)
            && token.account.as_deref() == Some(c.account.as_str())
    });
    match at {
        Some(at) => {
            state.channels.remove(at);
            Reply::empty(204)
        }
        None => {
            let id = body["id"].as_str().unwrap_or_default();
            error(
                404,
                "notFound",
                &format!("Channel '{id}' not found for project"),
            )
        }
    }
}

/// Tells every live channel of the calendar that something changed.
pub(crate) fn notify(state: &mut State, calendar: &str) {
    let now = state.push_time();
    state.channels.retain(|c| c.expires > now);
    let mut jobs = Vec::new();
    for channel in state.channels.iter_mut().filter(|c| c.calendar == calendar) {
        // Growing, not consecutive.
        channel.number += 7;
        jobs.push(message(channel, "exists"));
    }
    for job in jobs {
        webhooks::send(state, job);
    }
}

fn http_date(at: DateTime<Utc>) -> String {
    at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn message(channel: &Channel, resource_state: &str) -> Job {
    let mut headers = vec![
        ("X-Goog-Channel-ID", channel.id.clone()),
        ("X-Goog-Channel-Expiration", http_date(channel.expires)),
        ("X-Goog-Resource-State", resource_state.to_owned()),
        ("X-Goog-Resource-ID", channel.resource_id.clone()),
        ("X-Goog-Resource-URI", channel.resource_uri.clone()),
        ("X-Goog-Message-Number", channel.number.to_string()),
        (
            "User-Agent",
            "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)".to_owned(),
        ),
    ];
    if let Some(token) = &channel.token {
        headers.push(("X-Goog-Channel-Token", token.clone()));
    }
    Job {
        provider: Provider::Google,
        url: channel.address.clone(),
        headers: headers
            .into_iter()
            .map(|(n, v)| (n.to_owned(), v))
            .collect(),
        body: None,
        then: None,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn message_dates_are_http_dates() {
        let text = super::http_date(chrono::DateTime::UNIX_EPOCH);
        assert_eq!(text, "Thu, 01 Jan 1970 00:00:00 GMT");
    }
}
