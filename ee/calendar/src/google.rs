//! Google Calendar v3 (developers.google.com/calendar/api/v3/reference), as far as sync needs it.

use async_trait::async_trait;
use chrono::{DateTime, SecondsFormat, Utc};
use daybind_domain::schedule::{EntryContent, When};
use http::{Method, header};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use url::Url;

use crate::bearer::Bearer;
use crate::event::{from_google, to_google};
use crate::faults::Fault;
use crate::merge::Field;
use crate::provider::{
    Account, CalendarProvider, CopyKey, DeltaFrom, DeltaPage, LostSubscription, Original,
    ProviderError, ProviderResult, RemoteCalendar, RemoteEvent, SubscribeRequest, Subscribed,
};
use crate::wire::{events, list, send, send_for, with_query};
use crate::zones;

/// The private property that marks our copies.
const MARKER: &str = "daybindMapping";

/// A client for one account.
pub struct Google(pub Bearer);

impl Google {
    fn url(&self, segments: &[&str]) -> ProviderResult<Url> {
        self.0.url(&["calendar", "v3"], segments)
    }

    async fn get_json(&self, url: Url) -> ProviderResult<Value> {
        send(self.0.request(Method::GET, &url)?).await
    }

    async fn post_json(&self, url: Url, body: &Value) -> ProviderResult<Value> {
        send(self.0.request(Method::POST, &url)?.json(body)).await
    }
}

/// A page of a delta: where it goes on is known before its events are read. A page without changes may have no list.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct DeltaAnswer {
    items: Option<Vec<Box<RawValue>>>,
    next_page_token: Option<String>,
    next_sync_token: Option<String>,
}

fn event(value: &Value) -> ProviderResult<RemoteEvent> {
    from_google(value).ok_or(ProviderError::Transient("event"))
}

#[async_trait]
impl CalendarProvider for Google {
    async fn account(&self) -> ProviderResult<Account> {
        // The primary calendar's id is the account's address; no further scope is needed to read it.
        let primary = self
            .get_json(self.url(&["users", "me", "calendarList", "primary"])?)
            .await?;
        let id = primary["id"]
            .as_str()
            .ok_or(ProviderError::Transient("account"))?;
        Ok(Account {
            id: id.to_lowercase(),
            email: id.to_owned(),
        })
    }

    async fn calendars(&self) -> ProviderResult<Vec<RemoteCalendar>> {
        let mut found = Vec::new();
        let mut page: Option<String> = None;
        loop {
            let mut query = vec![("maxResults", "250")];
            if let Some(page) = &page {
                query.push(("pageToken", page));
            }
            let answer = self
                .get_json(with_query(
                    self.url(&["users", "me", "calendarList"])?,
                    &query,
                ))
                .await?;
            for item in list(&answer, "items", true)? {
                let Some(id) = item["id"].as_str() else {
                    continue;
                };
                let name = item["summaryOverride"]
                    .as_str()
                    .or_else(|| item["summary"].as_str());
                found.push(RemoteCalendar {
                    id: id.to_owned(),
                    name: name
                        .filter(|name| !name.trim().is_empty())
                        .unwrap_or(id)
                        .to_owned(),
                    can_write: matches!(item["accessRole"].as_str(), Some("owner" | "writer")),
                    is_primary: item["primary"] == true,
                });
            }
            page = answer["nextPageToken"].as_str().map(str::to_owned);
            if page.is_none() {
                return Ok(found);
            }
        }
    }

    async fn delta(
        &self,
        calendar: &str,
        from: &DeltaFrom,
        page: Option<&str>,
    ) -> ProviderResult<DeltaPage> {
        let mut query: Vec<(&str, String)> = vec![("maxResults", "250".to_owned())];
        match from {
            DeltaFrom::Full { from, to } => {
                query.push(("timeMin", from.to_rfc3339_opts(SecondsFormat::Secs, true)));
                query.push(("timeMax", to.to_rfc3339_opts(SecondsFormat::Secs, true)));
            }
            DeltaFrom::Since(cursor) => query.push(("syncToken", cursor.clone())),
        }
        if let Some(page) = page {
            query.push(("pageToken", page.to_owned()));
        }
        let pairs: Vec<(&str, &str)> = query
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let url = with_query(self.url(&["calendars", calendar, "events"])?, &pairs);
        let answer: DeltaAnswer = send_for(self.0.request(Method::GET, &url)?).await?;
        Ok(DeltaPage {
            events: events(answer.items.unwrap_or_default(), from_google),
            next: answer.next_page_token,
            cursor: answer.next_sync_token,
        })
    }

    async fn get(&self, calendar: &str, id: &str) -> ProviderResult<RemoteEvent> {
        event(
            &self
                .get_json(self.url(&["calendars", calendar, "events", id])?)
                .await?,
        )
    }

    async fn find_copy(&self, calendar: &str, key: CopyKey) -> ProviderResult<Option<RemoteEvent>> {
        match self.get(calendar, &key.google_id()).await {
            Ok(found) => Ok(Some(found)),
            Err(ProviderError::NotFound | ProviderError::Gone) => Ok(None),
            Err(other) => Err(other),
        }
    }

    fn carries(&self, content: &EntryContent) -> Result<(), Fault> {
        match (&content.repeats, &content.when) {
            (Some(_), When::Timed { zone, .. }) if zones::zone(zone).is_none() => {
                Err(Fault::NoClock)
            }
            _ => Ok(()),
        }
    }

    async fn find_same(&self, calendar: &str, uid: &str) -> ProviderResult<Vec<RemoteEvent>> {
        let url = with_query(
            self.url(&["calendars", calendar, "events"])?,
            &[("iCalUID", uid)],
        );
        let answer = self.get_json(url).await?;
        let found = list(&answer, "items", false)?.iter();
        Ok(found.filter_map(from_google).collect())
    }

    async fn find_occurrence(
        &self,
        calendar: &str,
        series: &str,
        original: Original,
    ) -> ProviderResult<Option<RemoteEvent>> {
        let text = match original {
            Original::At(at) => at.to_rfc3339_opts(SecondsFormat::Secs, true),
            Original::Day(day) => day.to_string(),
        };
        let url = with_query(
            self.url(&["calendars", calendar, "events", series, "instances"])?,
            &[("originalStart", &text), ("showDeleted", "true")],
        );
        let answer = match self.get_json(url).await {
            Err(ProviderError::NotFound | ProviderError::Gone) => return Ok(None),
            other => other?,
        };
        Ok(list(&answer, "items", true)?
            .iter()
            .filter_map(from_google)
            .find(|found| {
                let part = found.part.as_ref();
                part.is_some_and(|part| part.original == Some(original))
            }))
    }

    async fn revive(
        &self,
        calendar: &str,
        id: &str,
        content: &EntryContent,
    ) -> ProviderResult<RemoteEvent> {
        let url = with_query(
            self.url(&["calendars", calendar, "events", id])?,
            &[("sendUpdates", "none")],
        );
        let fields = [
            Field::Title,
            Field::Notes,
            Field::Location,
            Field::When,
            Field::Shows,
        ];
        let mut body = to_google(content, &fields, true);
        body.insert("status".to_owned(), json!("confirmed"));
        event(&send(self.0.request(Method::PATCH, &url)?.json(&body)).await?)
    }

    async fn create(
        &self,
        calendar: &str,
        key: CopyKey,
        content: &EntryContent,
    ) -> ProviderResult<RemoteEvent> {
        let mut body = to_google(content, &Field::ALL, false);
        body.insert("id".to_owned(), json!(key.google_id()));
        body.insert(
            "extendedProperties".to_owned(),
            json!({ "private": { MARKER: key.marker() } }),
        );
        let url = with_query(
            self.url(&["calendars", calendar, "events"])?,
            &[("sendUpdates", "none")],
        );
        event(&self.post_json(url, &Value::Object(body)).await?)
    }

    async fn update(
        &self,
        calendar: &str,
        id: &str,
        etag: Option<&str>,
        content: &EntryContent,
        fields: &[Field],
    ) -> ProviderResult<RemoteEvent> {
        let url = with_query(
            self.url(&["calendars", calendar, "events", id])?,
            &[("sendUpdates", "none")],
        );
        let mut request = self
            .0
            .request(Method::PATCH, &url)?
            .json(&to_google(content, fields, true));
        if let Some(etag) = etag {
            request = request.header(header::IF_MATCH, etag);
        }
        event(&send(request).await?)
    }

    async fn delete(&self, calendar: &str, id: &str, etag: Option<&str>) -> ProviderResult<()> {
        let url = with_query(
            self.url(&["calendars", calendar, "events", id])?,
            &[("sendUpdates", "none")],
        );
        let mut request = self.0.request(Method::DELETE, &url)?;
        if let Some(etag) = etag {
            request = request.header(header::IF_MATCH, etag);
        }
        match send(request).await {
            Ok(_) | Err(ProviderError::NotFound | ProviderError::Gone) => Ok(()),
            Err(other) => Err(other),
        }
    }

    async fn subscribe(
        &self,
        calendar: &str,
        request: &SubscribeRequest,
    ) -> ProviderResult<Subscribed> {
        let body = json!({
            "id": request.id,
            "type": "web_hook",
            "address": request.address,
            "token": request.token.expose_secret(),
            "expiration": request.until.timestamp_millis().to_string(),
        });
        let answer = self
            .post_json(
                self.url(&["calendars", calendar, "events", "watch"])?,
                &body,
            )
            .await?;
        let expires = answer["expiration"]
            .as_str()
            .and_then(|text| text.parse::<i64>().ok())
            .or_else(|| answer["expiration"].as_i64())
            .and_then(DateTime::from_timestamp_millis);
        Ok(Subscribed {
            external_id: request.id.clone(),
            resource_id: answer["resourceId"].as_str().map(str::to_owned),
            expires_at: expires.unwrap_or(request.until),
        })
    }

    async fn renew(
        &self,
        _external_id: &str,
        _until: DateTime<Utc>,
    ) -> ProviderResult<DateTime<Utc>> {
        // Channels cannot be prolonged: a new one is made, then the old one is stopped.
        Err(ProviderError::NotFound)
    }

    async fn unsubscribe(
        &self,
        external_id: &str,
        resource_id: Option<&str>,
    ) -> ProviderResult<()> {
        let Some(resource_id) = resource_id else {
            return Ok(());
        };
        let body = json!({ "id": external_id, "resourceId": resource_id });
        match self
            .post_json(self.url(&["channels", "stop"])?, &body)
            .await
        {
            Ok(_) | Err(ProviderError::NotFound | ProviderError::Gone) => Ok(()),
            Err(other) => Err(other),
        }
    }

    /// A channel is stopped by our id and the id of what it watches, which is the same for all channels of a calendar. Where
    /// none is known, one more is made to learn it: there is no list of channels.
    async fn unsubscribe_lost(
        &self,
        calendar: &str,
        lost: &LostSubscription<'_>,
    ) -> ProviderResult<()> {
        if lost.resource_id.is_some() {
            return self.unsubscribe(lost.id, lost.resource_id).await;
        }
        let request = SubscribeRequest {
            id: uuid::Uuid::new_v4().to_string(),
            address: lost.address.to_owned(),
            // Nobody's: what it says is ignored.
            token: SecretString::from(String::new()),
            until: Utc::now() + chrono::Duration::minutes(1),
        };
        let made = self.subscribe(calendar, &request).await?;
        let resource = made.resource_id.as_deref();
        self.unsubscribe(lost.id, resource).await?;
        self.unsubscribe(&made.external_id, resource).await
    }
}
