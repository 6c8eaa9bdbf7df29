//! Microsoft Graph v1.0 calendars (learn.microsoft.com/graph/api/resources/event), as far as sync needs them.

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, Utc};
use daybind_domain::schedule::EntryContent;
use http::{Method, header};
use reqwest::RequestBuilder;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use url::Url;

use crate::bearer::Bearer;
use crate::event::{from_graph, to_graph, wrapped_uid};
use crate::faults::Fault;
use crate::merge::Field;
use crate::provider::{
    Account, CalendarProvider, CopyKey, DeltaFrom, DeltaPage, LostSubscription, Original, Part,
    ProviderError, ProviderResult, RemoteCalendar, RemoteEvent, RemoteState, SubscribeRequest,
    Subscribed,
};
use crate::rules;
use crate::wire::{events, list, send, send_for, with_query};

/// The extended property that marks our copies; the GUID is ours.
const MARKER: &str = "String {6f2c0a4e-52d1-4f0f-9a53-2d7f9f0d6a11} Name DaybindMapping";
/// Ids that survive moves, times in UTC, bodies as text.
const PREFER: &str = "IdType=\"ImmutableId\", outlook.timezone=\"UTC\", outlook.body-content-type=\"text\", odata.maxpagesize=250";

/// A client for one account.
pub struct Graph(pub Bearer);

impl Graph {
    fn url(&self, segments: &[&str]) -> ProviderResult<Url> {
        self.0.url(&["v1.0"], segments)
    }

    fn request(&self, method: Method, url: &Url) -> ProviderResult<RequestBuilder> {
        let request = self.0.request(method, url)?;
        Ok(request.header("Prefer", PREFER))
    }

    /// A link of an answer, checked before it is kept anywhere.
    fn checked(&self, link: Option<String>) -> ProviderResult<Option<String>> {
        if let Some(link) = &link {
            self.0.link(link)?;
        }
        Ok(link)
    }

    async fn get_json(&self, url: Url) -> ProviderResult<Value> {
        send(self.request(Method::GET, &url)?).await
    }
}

/// A page of a delta: where it goes on is known before its events are read. One without a list is no usable answer: taken
/// for an empty one, the cursor would pass over changes nobody has seen.
#[derive(Default, Deserialize)]
struct DeltaAnswer {
    value: Option<Vec<Box<RawValue>>>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
    #[serde(rename = "@odata.deltaLink")]
    delta: Option<String>,
}

fn event(value: &Value) -> ProviderResult<RemoteEvent> {
    from_graph(value).ok_or(ProviderError::Transient("event"))
}

fn is_original(event: &RemoteEvent, original: Original) -> bool {
    let part = event.part.as_ref();
    part.is_some_and(|part| part.original == Some(original))
}

/// A deleted occurrence, of which Graph keeps an id with the day at its end (`OID.….2026-11-24`).
fn cancelled(id: &str, series: &str) -> Option<RemoteEvent> {
    let day: NaiveDate = id.get(id.len().checked_sub(10)?..)?.parse().ok()?;
    Some(RemoteEvent {
        part: Some(Part {
            series: series.to_owned(),
            original: Some(Original::Day(day)),
        }),
        ..RemoteEvent::deleted(id)
    })
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn expiry(answer: &Value, asked: DateTime<Utc>) -> DateTime<Utc> {
    let text = answer["expirationDateTime"].as_str().unwrap_or_default();
    DateTime::parse_from_rfc3339(text).map_or(asked, |at| at.with_timezone(&Utc))
}

#[async_trait]
impl CalendarProvider for Graph {
    async fn account(&self) -> ProviderResult<Account> {
        let url = with_query(
            self.url(&["me"])?,
            &[("$select", "id,mail,userPrincipalName")],
        );
        let me = self.get_json(url).await?;
        let id = me["id"]
            .as_str()
            .ok_or(ProviderError::Transient("account"))?;
        let email = me["mail"]
            .as_str()
            .or_else(|| me["userPrincipalName"].as_str())
            .unwrap_or_default();
        Ok(Account {
            id: id.to_owned(),
            email: email.to_owned(),
        })
    }

    async fn calendars(&self) -> ProviderResult<Vec<RemoteCalendar>> {
        let mut found = Vec::new();
        let mut next = Some(with_query(
            self.url(&["me", "calendars"])?,
            &[("$top", "100")],
        ));
        while let Some(url) = next {
            let answer = self.get_json(url).await?;
            for item in list(&answer, "value", true)? {
                let Some(id) = item["id"].as_str() else {
                    continue;
                };
                let name = item["name"].as_str().filter(|name| !name.trim().is_empty());
                found.push(RemoteCalendar {
                    id: id.to_owned(),
                    name: name.unwrap_or("Calendar").to_owned(),
                    can_write: item["canEdit"] == true,
                    is_primary: item["isDefaultCalendar"] == true,
                });
            }
            next = match answer["@odata.nextLink"].as_str() {
                Some(link) => Some(self.0.link(link)?),
                None => None,
            };
        }
        Ok(found)
    }

    async fn delta(
        &self,
        calendar: &str,
        from: &DeltaFrom,
        page: Option<&str>,
    ) -> ProviderResult<DeltaPage> {
        let url = match (page, from) {
            (Some(link), _) => self.0.link(link)?,
            // A stored link that leads elsewhere is worth nothing: everything is read anew.
            (None, DeltaFrom::Since(link)) => self.0.link(link).map_err(|_| ProviderError::Gone)?,
            (None, DeltaFrom::Full { from, to }) => with_query(
                self.url(&["me", "calendars", calendar, "calendarView", "delta"])?,
                &[
                    ("startDateTime", &instant(*from)),
                    ("endDateTime", &instant(*to)),
                ],
            ),
        };
        let answer: DeltaAnswer = send_for(self.request(Method::GET, &url)?).await?;
        let items = answer.value.ok_or(ProviderError::Transient("list"))?;
        Ok(DeltaPage {
            events: events(items, from_graph),
            next: self.checked(answer.next)?,
            cursor: self.checked(answer.delta)?,
        })
    }

    async fn get(&self, calendar: &str, id: &str) -> ProviderResult<RemoteEvent> {
        event(
            &self
                .get_json(self.url(&["me", "calendars", calendar, "events", id])?)
                .await?,
        )
    }

    async fn find_copy(&self, calendar: &str, key: CopyKey) -> ProviderResult<Option<RemoteEvent>> {
        let filter = format!(
            "singleValueExtendedProperties/Any(ep: ep/id eq '{MARKER}' and ep/value eq '{}')",
            key.marker()
        );
        let url = with_query(
            self.url(&["me", "calendars", calendar, "events"])?,
            &[("$filter", &filter)],
        );
        let answer = self.get_json(url).await?;
        list(&answer, "value", true)?.first().map(event).transpose()
    }

    fn carries(&self, content: &EntryContent) -> Result<(), Fault> {
        let Some(rule) = &content.repeats else {
            return Ok(());
        };
        if rules::graph_zone(&content.when).is_none() {
            return Err(Fault::NoClock);
        }
        rules::to_pattern(rule, &content.when)
            .map(|_| ())
            .ok_or(Fault::Unsayable)
    }

    async fn find_same(&self, calendar: &str, uid: &str) -> ProviderResult<Vec<RemoteEvent>> {
        let mut found = Vec::new();
        // A foreign UID is told as it is or in Exchange's own form.
        for uid in [Some(uid.to_owned()), wrapped_uid(uid)]
            .into_iter()
            .flatten()
        {
            let filter = format!("iCalUId eq '{}'", uid.replace('\'', "''"));
            let url = with_query(
                self.url(&["me", "calendars", calendar, "events"])?,
                &[("$filter", &filter)],
            );
            let answer = self.get_json(url).await?;
            let events = list(&answer, "value", true)?.iter();
            found.extend(events.filter_map(from_graph));
        }
        Ok(found)
    }

    async fn find_occurrence(
        &self,
        calendar: &str,
        series: &str,
        original: Original,
    ) -> ProviderResult<Option<RemoteEvent>> {
        let around = match original {
            Original::At(at) => at,
            Original::Day(day) => day.and_time(NaiveTime::MIN).and_utc(),
        };
        let url = with_query(
            self.url(&["me", "calendars", calendar, "events", series, "instances"])?,
            &[
                ("startDateTime", &instant(around - TimeDelta::days(1))),
                ("endDateTime", &instant(around + TimeDelta::days(2))),
            ],
        );
        let mut next = Some(url);
        while let Some(url) = next {
            let answer = match self.get_json(url).await {
                Err(ProviderError::NotFound | ProviderError::Gone) => return Ok(None),
                other => other?,
            };
            let events = list(&answer, "value", true)?.iter();
            let found = events
                .filter_map(from_graph)
                .find(|event| is_original(event, original));
            if found.is_some() {
                return Ok(found);
            }
            next = match answer["@odata.nextLink"].as_str() {
                Some(link) => Some(self.0.link(link)?),
                None => None,
            };
        }
        // One that was moved far away shows among the exceptions only.
        let exceptions = self.exceptions(calendar, series).await?;
        Ok(exceptions
            .into_iter()
            .find(|event| event.state != RemoteState::Deleted && is_original(event, original)))
    }

    async fn exceptions(&self, calendar: &str, series: &str) -> ProviderResult<Vec<RemoteEvent>> {
        let url = with_query(
            self.url(&["me", "calendars", calendar, "events", series])?,
            &[
                ("$select", "id,cancelledOccurrences,exceptionOccurrences"),
                ("$expand", "exceptionOccurrences"),
            ],
        );
        let answer = match self.get_json(url).await {
            Err(ProviderError::NotFound | ProviderError::Gone) => return Ok(Vec::new()),
            other => other?,
        };
        let changed = list(&answer, "exceptionOccurrences", false)?;
        let mut found: Vec<RemoteEvent> = changed.iter().filter_map(from_graph).collect();
        let gone = list(&answer, "cancelledOccurrences", false)?;
        found.extend(gone.iter().filter_map(|id| cancelled(id.as_str()?, series)));
        Ok(found)
    }

    /// Outlook says nothing of where a series came from when one was split. The new one may have our marker, like other
    /// properties that a copy takes along; that is not documented.
    async fn continuations(
        &self,
        calendar: &str,
        series: &str,
    ) -> ProviderResult<Vec<RemoteEvent>> {
        let expand = format!("singleValueExtendedProperties($filter=id eq '{MARKER}')");
        let url = with_query(
            self.url(&["me", "calendars", calendar, "events", series])?,
            &[("$expand", &expand)],
        );
        let answer = match self.get_json(url).await {
            Err(ProviderError::NotFound | ProviderError::Gone) => return Ok(Vec::new()),
            other => other?,
        };
        let marker = answer["singleValueExtendedProperties"][0]["value"].as_str();
        let Some(marker) = marker.filter(|text| CopyKey::read_marker(text).is_some()) else {
            return Ok(Vec::new());
        };
        let filter = format!(
            "singleValueExtendedProperties/Any(ep: ep/id eq '{MARKER}' and ep/value eq '{marker}')"
        );
        let url = with_query(
            self.url(&["me", "calendars", calendar, "events"])?,
            &[("$filter", &filter)],
        );
        let answer = self.get_json(url).await?;
        let found = list(&answer, "value", true)?.iter();
        Ok(found.filter_map(from_graph).collect())
    }

    async fn create(
        &self,
        calendar: &str,
        key: CopyKey,
        content: &EntryContent,
    ) -> ProviderResult<RemoteEvent> {
        let mut body = to_graph(content, &Field::ALL, false);
        body.insert("transactionId".to_owned(), json!(key.marker()));
        body.insert(
            "singleValueExtendedProperties".to_owned(),
            json!([{ "id": MARKER, "value": key.marker() }]),
        );
        let url = self.url(&["me", "calendars", calendar, "events"])?;
        event(&send(self.request(Method::POST, &url)?.json(&body)).await?)
    }

    async fn update(
        &self,
        calendar: &str,
        id: &str,
        etag: Option<&str>,
        content: &EntryContent,
        fields: &[Field],
    ) -> ProviderResult<RemoteEvent> {
        let url = self.url(&["me", "calendars", calendar, "events", id])?;
        let mut request = self
            .request(Method::PATCH, &url)?
            .json(&to_graph(content, fields, true));
        if let Some(etag) = etag {
            request = request.header(header::IF_MATCH, etag);
        }
        event(&send(request).await?)
    }

    async fn delete(&self, calendar: &str, id: &str, etag: Option<&str>) -> ProviderResult<()> {
        let url = self.url(&["me", "calendars", calendar, "events", id])?;
        let mut request = self.request(Method::DELETE, &url)?;
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
            "changeType": "created,updated,deleted",
            "notificationUrl": request.address,
            "lifecycleNotificationUrl": request.address,
            "resource": format!("/me/calendars/{calendar}/events"),
            "expirationDateTime": instant(request.until),
            "clientState": request.token.expose_secret(),
            "latestSupportedTlsVersion": "v1_2",
        });
        let answer = send(
            self.request(Method::POST, &self.url(&["subscriptions"])?)?
                .json(&body),
        )
        .await?;
        Ok(Subscribed {
            external_id: answer["id"]
                .as_str()
                .ok_or(ProviderError::Transient("subscription"))?
                .to_owned(),
            resource_id: None,
            expires_at: expiry(&answer, request.until),
        })
    }

    async fn renew(
        &self,
        external_id: &str,
        until: DateTime<Utc>,
    ) -> ProviderResult<DateTime<Utc>> {
        let url = self.url(&["subscriptions", external_id])?;
        let body = json!({ "expirationDateTime": instant(until) });
        let answer = send(self.request(Method::PATCH, &url)?.json(&body)).await?;
        Ok(expiry(&answer, until))
    }

    async fn unsubscribe(
        &self,
        external_id: &str,
        _resource_id: Option<&str>,
    ) -> ProviderResult<()> {
        let url = self.url(&["subscriptions", external_id])?;
        match send(self.request(Method::DELETE, &url)?).await {
            Ok(_) | Err(ProviderError::NotFound | ProviderError::Gone) => Ok(()),
            Err(other) => Err(other),
        }
    }

    async fn unsubscribe_lost(
        &self,
        calendar: &str,
        lost: &LostSubscription<'_>,
    ) -> ProviderResult<()> {
        let of = format!("calendars/{calendar}/events");
        let mut found = Vec::new();
        let mut next = Some(self.url(&["subscriptions"])?);
        while let Some(url) = next {
            let page = send(self.request(Method::GET, &url)?).await?;
            for row in list(&page, "value", true)? {
                let ours = row["notificationUrl"] == lost.address
                    && row["resource"]
                        .as_str()
                        .is_some_and(|resource| resource.ends_with(&of));
                let id = row["id"]
                    .as_str()
                    .filter(|id| ours && !lost.kept.contains(id));
                found.extend(id.map(str::to_owned));
            }
            next = match page["@odata.nextLink"].as_str() {
                Some(link) => Some(self.0.link(link)?),
                None => None,
            };
        }
        for id in found {
            self.unsubscribe(&id, None).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where a page goes on is known while its events lie there as they came; one that cannot be read is an error, no gap.
    #[test]
    fn a_page_goes_on_before_its_events_are_read() {
        let text = r#"{
            "value": [{ "id": "a", "@removed": { "reason": "deleted" } }, { "id": "\ud800" }, { "subject": "no id" }],
            "@odata.nextLink": "https://graph.example/v1.0/next"
        }"#;
        let page: DeltaAnswer = serde_json::from_str(text).unwrap();
        assert_eq!(
            page.next.as_deref(),
            Some("https://graph.example/v1.0/next")
        );
        let read: Vec<_> = events(page.value.unwrap(), from_graph).collect();
        assert_eq!(read.len(), 2);
        assert_eq!(read[0].as_ref().unwrap().id, "a");
        assert!(read[1].is_err());
    }
}
