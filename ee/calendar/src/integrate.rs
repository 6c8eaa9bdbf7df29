//! Brings one external event's state into the schedule, inside the caller's transaction.

use chrono::{DateTime, Utc};
use daybind_domain::schedule::{EntryContent, EntryStatus};
use daybind_ee_storage::{Connection, Mapping, calendar};
use daybind_storage::{Entry, StorageError, StorageResult, UnitOfWork};

use crate::event::canonical;
use crate::merge::{Field, merge};
use crate::provider::{CalendarProvider, ProviderError, ProviderResult, RemoteEvent, RemoteState};
use crate::sync::{comes_in, goes_out, poke, wanted};

/// Looks at one event; 404 and 410 are the provider's word that it was deleted.
///
/// # Errors
/// The provider's.
pub async fn ask_provider(
    provider: &dyn CalendarProvider,
    calendar: &str,
    id: &str,
) -> ProviderResult<RemoteEvent> {
    match provider.get(calendar, id).await {
        Err(ProviderError::NotFound | ProviderError::Gone) => Ok(RemoteEvent {
            id: id.to_owned(),
            etag: None,
            ical_uid: None,
            state: RemoteState::Deleted,
        }),
        other => other,
    }
}

/// The base of a mapping.
///
/// # Errors
/// `Inconsistent` when the stored JSON is not a content.
pub fn base_of(mapping: &Mapping) -> StorageResult<Option<EntryContent>> {
    let parse = |value: &serde_json::Value| serde_json::from_value(value.clone());
    mapping
        .base
        .as_ref()
        .map(parse)
        .transpose()
        .map_err(|_| StorageError::Inconsistent {
            table: "calendar_event_mappings",
            column: "base",
        })
}

/// Stores a content as base.
pub fn set_base(mapping: &mut Mapping, content: Option<&EntryContent>) {
    mapping.base = content.and_then(|content| serde_json::to_value(content).ok());
}

/// Applies an event to its mapped entry. Our own echo and what does not concern the schedule change nothing. Returns
/// whether other connections were queued.
///
/// # Errors
/// A storage error; the caller rolls back and the job runs again.
pub async fn integrate(
    unit: &mut dyn UnitOfWork,
    connection: &Connection,
    mapping: &mut Mapping,
    event: &RemoteEvent,
    now: DateTime<Utc>,
) -> StorageResult<bool> {
    mapping.updated_at = now;
    let entry = unit
        .find_entry(mapping.tenant_id, mapping.entry_id)
        .await?
        .filter(|entry| wanted(connection, entry));
    match &event.state {
        RemoteState::Deleted => deleted(unit, connection, mapping, entry, now).await,
        RemoteState::LeftView => Ok(false),
        _ if event.etag.is_some() && event.etag == mapping.external_etag => Ok(false),
        RemoteState::Unsupported(reason) => {
            mapping.state = "conflict".to_owned();
            mapping.error = Some((*reason).to_owned());
            mapping.external_etag.clone_from(&event.etag);
            calendar(unit)?.update_mapping(mapping).await?;
            Ok(false)
        }
        RemoteState::Present(content) => {
            mapping.external_etag.clone_from(&event.etag);
            let Some(entry) = entry else {
                // The push that follows removes the event.
                calendar(unit)?.update_mapping(mapping).await?;
                return Ok(false);
            };
            changed(unit, connection, mapping, entry, content, now).await
        }
    }
}

/// The provider's explicit word that the event is gone.
async fn deleted(
    unit: &mut dyn UnitOfWork,
    connection: &Connection,
    mapping: &mut Mapping,
    entry: Option<Entry>,
    now: DateTime<Utc>,
) -> StorageResult<bool> {
    mapping.state = "removed".to_owned();
    mapping.error = None;
    calendar(unit)?.update_mapping(mapping).await?;
    let Some(mut entry) = entry.filter(|_| comes_in(connection)) else {
        return Ok(false);
    };
    let people = entry.assignees.clone();
    entry.assignees.retain(|user| *user != connection.user_id);
    if entry.assignees.is_empty() {
        // Nobody else does it: the deletion means the work. The tombstone keeps who it was.
        entry.assignees.clone_from(&people);
        entry.deleted_at = Some(now);
    }
    unit.update_entry(&entry, now).await?;
    poke(
        unit,
        mapping.tenant_id,
        &people,
        Some(connection.connection_id),
        now,
    )
    .await?;
    Ok(true)
}

async fn changed(
    unit: &mut dyn UnitOfWork,
    connection: &Connection,
    mapping: &mut Mapping,
    mut entry: Entry,
    remote: &EntryContent,
    now: DateTime<Utc>,
) -> StorageResult<bool> {
    if !comes_in(connection) {
        // The schedule wins: what differs is written out again.
        set_base(mapping, Some(remote));
        mapping.entry_version = 0;
        mapping.state = "synced".to_owned();
        mapping.error = None;
        calendar(unit)?.update_mapping(mapping).await?;
        return Ok(false);
    }
    let local = canonical(&entry.content);
    // Where nothing goes out, the calendar wins: the entry's own changes count as agreed.
    let base = if goes_out(connection) {
        base_of(mapping)?
    } else {
        Some(local.clone())
    };
    let outcome = merge(base.as_ref(), Some(&local), Some(remote));
    let mut poked = false;
    let seen = entry.version;
    if let Some(merged) = outcome.local.clone().filter(|_| outcome.apply) {
        let people = entry.assignees.clone();
        entry.content = EntryContent {
            status: entry.content.status,
            ..merged
        };
        entry.version = unit.update_entry(&entry, now).await?;
        poke(
            unit,
            mapping.tenant_id,
            &people,
            Some(connection.connection_id),
            now,
        )
        .await?;
        poked = true;
    }
    if !outcome.push {
        mapping.entry_version = entry.version;
    } else if mapping.entry_version == seen && !outcome.apply {
        mapping.entry_version = 0;
    }
    // What is still to be pushed must differ from the base, so the base takes the event's words for it.
    let next = outcome
        .base
        .map(|next| waiting_base(next, remote, &outcome.conflicts));
    set_base(mapping, next.as_ref());
    mark(mapping, &outcome.conflicts);
    calendar(unit)?.update_mapping(mapping).await?;
    Ok(poked)
}

/// The event as seen, except for fields in conflict, which keep the old base.
fn waiting_base(agreed: EntryContent, remote: &EntryContent, conflicts: &[Field]) -> EntryContent {
    let mut base = EntryContent {
        status: EntryStatus::Scheduled,
        ..remote.clone()
    };
    for field in conflicts {
        match field {
            Field::Title => base.title.clone_from(&agreed.title),
            Field::Notes => base.notes.clone_from(&agreed.notes),
            Field::Location => base.location.clone_from(&agreed.location),
            Field::When => base.when = agreed.when.clone(),
        }
    }
    base
}

/// Writes the state that goes with a merge.
pub fn mark(mapping: &mut Mapping, conflicts: &[Field]) {
    mapping.attempts = 0;
    if conflicts.is_empty() {
        mapping.state = "synced".to_owned();
        mapping.error = None;
    } else {
        let words: Vec<_> = conflicts.iter().map(|field| field.word()).collect();
        mapping.state = "conflict".to_owned();
        mapping.error = Some(format!(
            "Changed differently in the schedule and in the calendar: {}. Make both the same to resolve it.",
            words.join(", ")
        ));
    }
}
