//! Earlier versions of an entry, and restoring one: a change like any other, which its calendars get with their next sync.

use chrono::{DateTime, SecondsFormat, Utc};
use daybind_domain::ids::EntryId;
use daybind_domain::schedule::EntryContent;
use daybind_domain::user::Permission;
use daybind_domain::version_view::EntryVersionView;
use daybind_domain::{AppError, ErrorCode};
use daybind_ee_storage::{EntryVersion, Mapping, calendar};
use daybind_services::earlier::{Restore, hindrance, restore as put_back};
use daybind_services::{Actor, AppResult, CalendarPort, internal, privacy, schedule};
use daybind_storage::{Entry, UnitOfWork};
use daybind_words::t;
use uuid::Uuid;

use crate::engine::Engine;
use crate::integrate::content_of;
use crate::sync::is_live;
use crate::timeline::{self, Account};

/// What restoring would do.
///
/// # Errors
/// Not found, also where the record does not have that version any more.
pub async fn view(engine: &Engine, actor: &Actor, version_id: &str) -> AppResult<EntryVersionView> {
    // Before anything is read: what happens from now on is what happened since.
    let read_at = engine.now().to_rfc3339_opts(SecondsFormat::Micros, true);
    let mut unit = engine.read(actor.tenant_id).await?;
    let (entry, version) = find(unit.as_mut(), actor, version_id).await?;
    let content = content_of(&version.content).map_err(internal)?;
    let mappings = mappings_of(unit.as_mut(), &entry).await?;
    let mut refused = why_not(unit.as_mut(), &entry, &content, &mappings).await?;
    let account = Account::read(unit.as_mut(), actor, &entry).await?;
    let origin = account.origin(version_id).unwrap_or_default();
    let fields = account.teller().differences(&entry.content, &content);
    if fields.is_empty() && entry.deleted_at.is_none() && refused.is_none() {
        refused = Some(t!("The entry says exactly this now.").to_owned());
    }
    let mut notes = Vec::new();
    if entry.deleted_at.is_some() {
        notes.push(t!("The entry is deleted. Restored, it is in the schedule again.").to_owned());
    }
    if entry.content.repeats.is_some() {
        notes.push(
            t!("This is about the whole series. Occurrences with values of their own keep these.")
                .to_owned(),
        );
    } else if let Some(of) = entry.occurrence_of {
        notes.push(t!(
            "This is about one occurrence of a series, that of {}. The others stay as they are.",
            of.day
        ));
    }
    if mappings
        .iter()
        .any(|mapping| is_live(mapping) && never_written(mapping))
    {
        notes.push(
            t!("Its event is not Daybind's to change: it stays as it is in the calendar it came from.")
                .to_owned(),
        );
    }
    Ok(EntryVersionView {
        entry_id: entry.entry_id.to_string(),
        version_id: version_id.to_owned(),
        title: entry.content.title,
        origin,
        version: entry.version,
        read_at,
        fields,
        notes,
        refused,
    })
}

/// The entry and what it said, for somebody who may change it and reads what it says.
async fn find(
    unit: &mut dyn UnitOfWork,
    actor: &Actor,
    version_id: &str,
) -> AppResult<(Entry, EntryVersion)> {
    actor.require(Permission::ScheduleOwn)?;
    let missing = || {
        AppError::not_found(t!("This version of the entry")).next_step(t!(
            "The record may not go back so far any more. Look at the entry's history."
        ))
    };
    let id: Uuid = version_id.parse().map_err(|_| missing())?;
    let found = calendar(unit)
        .map_err(internal)?
        .find_entry_version(actor.tenant_id, id)
        .await;
    let version = found.map_err(internal)?.ok_or_else(missing)?;
    let entry = schedule::on_record(unit, actor, &version.entry_id.to_string()).await;
    let entry = entry.map_err(|error| match error.code {
        ErrorCode::NotFound => missing(),
        _ => error,
    })?;
    if !privacy::reads_words(actor, &entry) {
        return Err(missing());
    }
    Ok((entry, version))
}

async fn mappings_of(unit: &mut dyn UnitOfWork, entry: &Entry) -> AppResult<Vec<Mapping>> {
    let rows = calendar(unit).map_err(internal)?;
    let found = rows
        .list_entry_mappings(entry.tenant_id, entry.entry_id)
        .await;
    found.map_err(internal)
}

fn never_written(mapping: &Mapping) -> bool {
    matches!(mapping.origin.as_str(), "busy" | "guest")
}

async fn why_not(
    unit: &mut dyn UnitOfWork,
    entry: &Entry,
    content: &EntryContent,
    mappings: &[Mapping],
) -> AppResult<Option<String>> {
    if entry.deleted_at.is_some() && mappings.iter().any(never_written) {
        let why = t!(
            "It stood for an event of somebody's calendar, and is there again when that event comes in again."
        );
        return Ok(Some(why.to_owned()));
    }
    let found = hindrance(unit, entry, content).await?;
    Ok(found.map(str::to_owned))
}

/// Restores it, if the entry still is what was read: of `version`, at `read_at` (RFC 3339).
///
/// # Errors
/// Not found; `Conflict` with what was changed since, or with why it cannot be restored.
pub async fn restore(
    engine: &Engine,
    port: &dyn CalendarPort,
    actor: &Actor,
    version_id: &str,
    (version, read_at): (i64, &str),
) -> AppResult<EntryId> {
    let mut unit = engine.read(actor.tenant_id).await?;
    let (entry, found) = find(unit.as_mut(), actor, version_id).await?;
    if entry.version != version {
        return Err(changed(unit.as_mut(), actor, &entry, read_at).await?);
    }
    let content = content_of(&found.content).map_err(internal)?;
    let mappings = mappings_of(unit.as_mut(), &entry).await?;
    if let Some(why) = why_not(unit.as_mut(), &entry, &content, &mappings).await? {
        return Err(AppError::new(ErrorCode::Conflict, why));
    }
    drop(unit);
    let wish = Restore {
        entry_id: &entry.entry_id.to_string(),
        version,
        content,
        of: found.at,
    };
    put_back(engine, port, actor, wish).await
}

/// The refusal that says what was changed after `read_at`.
async fn changed(
    unit: &mut dyn UnitOfWork,
    actor: &Actor,
    entry: &Entry,
    read_at: &str,
) -> AppResult<AppError> {
    let account = Account::read(unit, actor, entry).await?;
    let since = DateTime::parse_from_rfc3339(read_at)
        .ok()
        .map(|at| at.with_timezone(&Utc));
    let told: Vec<String> = since
        .map(|since| account.since(since))
        .unwrap_or_default()
        .iter()
        .map(timeline::sentence)
        .collect();
    let message = if told.is_empty() {
        t!("The entry was changed after you had read this page.").to_owned()
    } else {
        t!(
            "The entry was changed after you had read this page. {}",
            told.join(" ")
        )
    };
    Ok(AppError::new(ErrorCode::Conflict, message).next_step(t!(
        "Nothing was restored. Below is what restoring would change now."
    )))
}
