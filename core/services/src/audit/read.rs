//! Reading the audit log: one page at a time, or all of a filter as CSV.

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use daybind_domain::audit::{AuditChange, AuditPageView, AuditQuery, AuditRowView};
use daybind_domain::ids::{TenantId, UserId};
use daybind_domain::user::Permission;
use daybind_domain::view::PersonView;
use daybind_domain::{AppError, Consumer, Edition, FieldError};
use daybind_storage::{AuditActor, AuditCursor, AuditFilter, AuditRow, Profile, UnitOfWork, User};
use daybind_words::t;
use futures::stream::{self, Stream};
use serde_json::Value;

use super::wording::Wording;
use crate::auth::Actor;
use crate::context::Services;
use crate::failure::{AppResult, internal};
use crate::{csv, localtime, period};

/// The most rows one export holds.
pub const CSV_ROWS: usize = 10_000;
const PAGE: i64 = 50;
const CSV_PAGE: i64 = 500;

/// The groups of actions that exist without the Enterprise edition. Whatever else is in the log, from a time when it ran,
/// Community does not show.
const SHARED_GROUPS: [&str; 17] = [
    "audit",
    "binding",
    "domain",
    "entry",
    "import",
    "key",
    "login_domain",
    "master_key",
    "password",
    "permission",
    "profile",
    "secret",
    "session",
    "sign_in",
    "sso",
    "tenant",
    "user",
];

/// Whether `edition` shows a group of actions (the part of an action before its dot).
#[must_use]
pub fn shows(edition: Edition, group: &str) -> bool {
    edition == Edition::Enterprise || SHARED_GROUPS.contains(&group)
}

fn hidden(edition: Edition) -> impl Iterator<Item = Consumer> {
    Consumer::ALL
        .into_iter()
        .filter(move |consumer| !edition.visible_consumers().contains(consumer))
}

/// What the edition shows at all.
fn scope(edition: Edition) -> AuditFilter {
    AuditFilter {
        groups: (edition == Edition::Community).then(|| SHARED_GROUPS.map(str::to_owned).to_vec()),
        without_subjects: hidden(edition)
            .map(|consumer| format!("consumer:{}", consumer.as_str()))
            .collect(),
        ..AuditFilter::default()
    }
}

/// One page of the log, newest first.
///
/// # Errors
/// Forbidden without `system_settings:read`; a filter that cannot be read.
pub async fn list(
    services: &Services,
    actor: &Actor,
    query: &AuditQuery,
) -> AppResult<AuditPageView> {
    actor.require(Permission::SettingsRead)?;
    let zone = localtime::zone(&actor.user.time_zone);
    let filter = parse(services.edition, zone, query)?;
    let after = place(&query.after)?;
    let mut unit = services.read(actor.tenant_id).await?;
    let mut rows = unit
        .find_audit(actor.tenant_id, &filter, after, PAGE + 1)
        .await
        .map_err(internal)?;
    let more = rows.len() > usize::try_from(PAGE).unwrap_or(usize::MAX);
    if more {
        rows.pop();
    }
    let actions = unit
        .list_audit_actions(actor.tenant_id)
        .await
        .map_err(internal)?
        .into_iter()
        .filter(|action| shows(services.edition, group(action)))
        .map(|action| {
            let text = words(services.wording, &action);
            (action, text)
        })
        .collect();
    let names = Names::load(unit.as_mut(), actor.tenant_id).await?;
    let next = more.then(|| rows.last().map(token)).flatten();
    Ok(AuditPageView {
        rows: rows
            .iter()
            .map(|row| view(row, &names, services, zone))
            .collect(),
        next,
        people: names
            .users
            .iter()
            .map(|user| PersonView {
                user_id: user.user_id.to_string(),
                name: user.display_name.clone(),
            })
            .collect(),
        actions,
        csv_rows: CSV_ROWS,
    })
}

/// Everything that matches, newest first, as CSV (RFC 4180) in pieces; at most [`CSV_ROWS`] rows, the last line says so
/// when there are more. Cells that a spreadsheet would take for a formula begin with an apostrophe.
///
/// # Errors
/// As [`list`]. A failure later on is an error of the stream, so that a download never ends as if it were whole.
pub async fn csv(
    services: &Services,
    actor: &Actor,
    query: &AuditQuery,
) -> AppResult<impl Stream<Item = AppResult<String>> + Send + use<>> {
    actor.require(Permission::SettingsRead)?;
    let zone = localtime::zone(&actor.user.time_zone);
    let filter = parse(services.edition, zone, query)?;
    let mut unit = services.read(actor.tenant_id).await?;
    let names = Names::load(unit.as_mut(), actor.tenant_id).await?;
    drop(unit);
    let export = Export {
        services: services.clone(),
        tenant_id: actor.tenant_id,
        filter,
        names,
        after: None,
        written: 0,
        begun: false,
        done: false,
    };
    Ok(stream::try_unfold(export, |mut export| async move {
        Ok(export.piece().await?.map(|text| (text, export)))
    }))
}

struct Export {
    services: Services,
    tenant_id: TenantId,
    filter: AuditFilter,
    names: Names,
    after: Option<AuditCursor>,
    written: usize,
    begun: bool,
    done: bool,
}

impl Export {
    async fn piece(&mut self) -> AppResult<Option<String>> {
        if self.done {
            return Ok(None);
        }
        // Each piece is a transaction of its own: a slow reader holds nothing.
        let mut unit = self.services.read(self.tenant_id).await?;
        let rows = unit
            .find_audit(self.tenant_id, &self.filter, self.after, CSV_PAGE)
            .await
            .map_err(internal)?;
        drop(unit);
        let mut text = String::new();
        if !self.begun {
            self.begun = true;
            text.push(csv::MARK);
            csv::line(
                &mut text,
                &[
                    "time_utc",
                    "who",
                    "action",
                    "subject",
                    "subject_name",
                    "changes",
                    "note",
                    "ip",
                    "user_agent",
                    "request_id",
                ],
            );
        }
        let edition = self.services.edition;
        let last = i64::try_from(rows.len()).unwrap_or(CSV_PAGE) < CSV_PAGE;
        for row in &rows {
            if self.written == CSV_ROWS {
                csv::line(
                    &mut text,
                    &[&t!(
                        "This export ends at {CSV_ROWS} rows and there are more. Choose a shorter time for the rest."
                    )],
                );
                self.done = true;
                return Ok(Some(text));
            }
            self.written += 1;
            self.after = Some(cursor(row));
            let shown = view(row, &self.names, &self.services, Tz::UTC);
            csv::line(
                &mut text,
                &[
                    &shown.at_utc,
                    &shown.actor,
                    &shown.action,
                    &shown.subject,
                    &shown.subject_text,
                    &redacted(&row.detail, edition).to_string(),
                    shown.note.as_deref().unwrap_or_default(),
                    shown.ip.as_deref().unwrap_or_default(),
                    shown.user_agent.as_deref().unwrap_or_default(),
                    shown.request_id.as_deref().unwrap_or_default(),
                ],
            );
        }
        self.done = last;
        Ok(Some(text))
    }
}

/// The names that rows speak of.
struct Names {
    users: Vec<User>,
    profiles: Vec<Profile>,
}

impl Names {
    async fn load(unit: &mut dyn UnitOfWork, tenant_id: TenantId) -> AppResult<Self> {
        Ok(Self {
            users: unit.list_users(tenant_id).await.map_err(internal)?,
            profiles: unit.list_profiles(tenant_id).await.map_err(internal)?,
        })
    }

    fn user(&self, id: UserId) -> Option<&str> {
        let found = self.users.iter().find(|user| user.user_id == id);
        found.map(|user| user.display_name.as_str())
    }

    fn subject(&self, subject: &str) -> Option<String> {
        let (kind, id) = subject.split_once(':')?;
        match kind {
            "microsoft_profile" => {
                let id = id.parse().ok()?;
                let found = self.profiles.iter().find(|row| row.profile_id == id)?;
                Some(t!("Profile {}", found.fields.display_name))
            }
            "consumer" => Consumer::parse(id).map(|consumer| consumer.label().to_owned()),
            "user" => self.user(id.parse().ok()?).map(str::to_owned),
            "session" => Some(t!("Session").to_owned()),
            _ => None,
        }
    }
}

fn view(row: &AuditRow, names: &Names, services: &Services, zone: Tz) -> AuditRowView {
    AuditRowView {
        audit_id: row.audit_id.to_string(),
        at_utc: row.at.to_rfc3339_opts(SecondsFormat::Micros, true),
        at: localtime::date_time(row.at, zone),
        actor: match row.actor {
            None => "Daybind".to_owned(),
            Some(id) => names
                .user(id)
                .unwrap_or(t!("Somebody who has left"))
                .to_owned(),
        },
        action: row.action.clone(),
        action_text: words(services.wording, &row.action),
        subject: row.subject.clone(),
        subject_text: names
            .subject(&row.subject)
            .unwrap_or_else(|| row.subject.clone()),
        changes: changes(services.wording, &redacted(&row.detail, services.edition)),
        note: row.note.clone(),
        ip: row.origin.ip.clone(),
        user_agent: row.origin.user_agent.clone(),
        request_id: row.request_id.clone(),
    }
}

/// `profile.created` in words: "Profile created". What has no name, from an earlier version, is its code made readable.
fn words(wording: Wording, action: &str) -> String {
    if let Some(name) = (wording.action)(action) {
        return name.to_owned();
    }
    let text = action.replace(['.', '_'], " ");
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| {
        first.to_uppercase().collect::<String>() + rest.as_str()
    })
}

fn group(action: &str) -> &str {
    action.split('.').next().unwrap_or_default()
}

/// The detail without the names of what the edition does not show.
fn redacted(value: &Value, edition: Edition) -> Value {
    let secret = |text: &str| {
        hidden(edition).any(|consumer| {
            text.eq_ignore_ascii_case(consumer.as_str())
                || text.eq_ignore_ascii_case(consumer.label())
        })
    };
    match value {
        Value::String(text) if secret(text) => Value::from(t!("Enterprise")),
        Value::Array(items) => items.iter().map(|item| redacted(item, edition)).collect(),
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, _)| !secret(name))
            .map(|(name, item)| (name.clone(), redacted(item, edition)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

/// Before and after, field by field.
fn changes(wording: Wording, detail: &Value) -> Vec<AuditChange> {
    let Value::Object(fields) = detail else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let (before, after) = (fields.get("before"), fields.get("after"));
    if before.is_some() || after.is_some() {
        let names = |side: Option<&Value>| -> Vec<String> {
            match side {
                Some(Value::Object(fields)) => fields.keys().cloned().collect(),
                Some(Value::Null) | None => Vec::new(),
                Some(_) => vec![String::new()],
            }
        };
        let mut all = names(before);
        all.extend(names(after));
        all.sort();
        all.dedup();
        for field in all {
            let side = |side: Option<&Value>| match side {
                Some(Value::Object(fields)) => fields
                    .get(&field)
                    .and_then(|value| plain(wording, &field, value)),
                Some(other) if field.is_empty() => plain(wording, "", other),
                _ => None,
            };
            let (before, after) = (side(before), side(after));
            if before != after {
                let field = named(wording, &field);
                found.push(AuditChange {
                    field,
                    before,
                    after,
                });
            }
        }
    }
    for (field, value) in fields {
        if field != "before" && field != "after" {
            let after = plain(wording, field, value);
            if after.is_some() {
                found.push(AuditChange {
                    field: named(wording, field),
                    before: None,
                    after,
                });
            }
        }
    }
    found
}

fn named(wording: Wording, field: &str) -> String {
    (wording.field)(field).map_or_else(|| field.replace('_', " "), str::to_owned)
}

/// A value in words; of a group of values, each with its name.
fn plain(wording: Wording, field: &str, value: &Value) -> Option<String> {
    let code = |text: &str| (wording.value)(field, text).map(str::to_owned);
    let join = |parts: Vec<String>| parts.join(", ");
    match value {
        Value::Null => None,
        Value::String(text) => Some(code(text).unwrap_or_else(|| text.clone())),
        Value::Array(items) => {
            let items = items.iter();
            Some(join(
                items
                    .filter_map(|item| plain(wording, field, item))
                    .collect(),
            ))
        }
        Value::Object(fields) => {
            let fields = fields.iter().filter_map(|(name, item)| {
                let item = plain(wording, name, item)?;
                Some(format!("{}: {item}", named(wording, name)))
            });
            Some(join(fields.collect()))
        }
        other => {
            let text = other.to_string();
            Some(code(&text).unwrap_or(text))
        }
    }
}

fn cursor(row: &AuditRow) -> AuditCursor {
    AuditCursor {
        at: row.at,
        audit_id: row.audit_id,
    }
}

fn token(row: &AuditRow) -> String {
    format!("{}.{}", row.at.timestamp_micros(), row.audit_id)
}

fn place(text: &str) -> AppResult<Option<AuditCursor>> {
    if text.is_empty() {
        return Ok(None);
    }
    let read = || {
        let (micros, id) = text.split_once('.')?;
        Some(AuditCursor {
            at: DateTime::<Utc>::from_timestamp_micros(micros.parse().ok()?)?,
            audit_id: id.parse().ok()?,
        })
    };
    read().map(Some).ok_or_else(|| {
        AppError::field("after", t!("This place in the log does not exist."))
            .next_step(t!("Go back to the newest rows."))
    })
}

/// Reads the filters; all wrong ones are named at once.
fn parse(edition: Edition, zone: Tz, query: &AuditQuery) -> AppResult<AuditFilter> {
    let mut wrong = Vec::new();
    let mut refuse = |field: &str, message: &str| {
        wrong.push(FieldError {
            field: field.to_owned(),
            message: message.to_owned(),
        });
    };
    let some = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
    let actor = match query.actor.trim() {
        "" => None,
        "server" => Some(AuditActor::Server),
        id => {
            let user = id.parse().ok().map(AuditActor::User);
            if user.is_none() {
                refuse("actor", t!("Choose a person from the list."));
            }
            user
        }
    };
    let (from, until) = match period::days(&query.from, &query.until, zone) {
        Ok(period) => period,
        Err(more) => {
            wrong.extend(more);
            (None, None)
        }
    };
    if !wrong.is_empty() {
        return Err(AppError::invalid(wrong));
    }
    Ok(AuditFilter {
        actor,
        action: some(&query.action),
        subject: some(&query.subject),
        from,
        until,
        ..scope(edition)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::COMMUNITY;

    #[test]
    fn cells_that_would_run_as_formulas_are_text() {
        let mut text = String::new();
        csv::line(
            &mut text,
            &[
                "=cmd|'/c calc'!A1",
                "a \"b\"",
                "-1",
                "x,y\r\nz",
                "@SUM(A1)",
                "ok",
            ],
        );
        assert_eq!(
            text,
            "\"'=cmd|'/c calc'!A1\",\"a \"\"b\"\"\",\"'-1\",\"x,y\r\nz\",\"'@SUM(A1)\",\"ok\"\r\n"
        );
    }

    #[test]
    fn changes_are_told_field_by_field() {
        let detail = serde_json::json!({
            "before": {"name": "A", "same": 1}, "after": {"name": "B", "same": 1, "client_secret": "changed"},
            "method": "password", "left": {"archived": true, "copies": 2}, "from_before": "x",
        });
        let told: Vec<_> = changes(COMMUNITY, &detail)
            .into_iter()
            .map(|c| (c.field, c.before, c.after))
            .collect();
        let text = |t: &str| Some(t.to_owned());
        assert_eq!(
            told,
            [
                ("Client secret".to_owned(), None, text("changed")),
                ("Name".to_owned(), text("A"), text("B")),
                ("from before".to_owned(), None, text("x")),
                ("left".to_owned(), None, text("Archived: yes, copies: 2")),
                ("Method".to_owned(), None, text("password")),
            ]
        );
        let ids = changes(
            COMMUNITY,
            &serde_json::json!({"before": null, "after": "x"}),
        );
        assert_eq!(ids.len(), 1);
        assert_eq!(ids[0].after.as_deref(), Some("x"));
    }

    #[test]
    fn community_names_no_hidden_consumer() {
        let detail =
            serde_json::json!({"consumers": ["msp_sso", "calendar"], "teams": 1, "label": "Email"});
        assert_eq!(
            redacted(&detail, Edition::Community),
            serde_json::json!({"consumers": ["msp_sso", "Enterprise"], "label": "Enterprise"})
        );
        assert_eq!(redacted(&detail, Edition::Enterprise), detail);
    }

    #[test]
    fn wrong_filters_are_named_at_once() {
        let query = AuditQuery {
            actor: "nobody".to_owned(),
            from: "yesterday".to_owned(),
            ..AuditQuery::default()
        };
        let error = parse(Edition::Community, Tz::UTC, &query).unwrap_err();
        assert!(error.field_message("actor").is_some() && error.field_message("from").is_some());
        let turned = AuditQuery {
            from: "2026-11-25".to_owned(),
            until: "2026-11-24".to_owned(),
            ..AuditQuery::default()
        };
        let error = parse(Edition::Community, Tz::UTC, &turned).unwrap_err();
        assert!(error.field_message("until").is_some());
        assert!(place("1.x").is_err());
    }
}
