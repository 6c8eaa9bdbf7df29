//! Disagreements: both versions and the base, kept until the technician says what stays, or until the sides agree.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use daybind_domain::schedule::{EntryContent, EntryStatus};
use daybind_domain::user::Permission;
use daybind_domain::{AppError, ErrorCode, FieldError};
use daybind_ee_storage::{Conflict, Connection, Mapping, calendar};
use daybind_services::failure::stored;
use daybind_services::{Actor, AppResult, internal};
use daybind_storage::{Entry, StorageResult, UnitOfWork};
use daybind_words::t;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::activity::{Noted, Run};
use crate::engine::Engine;
use crate::event::canonical;
use crate::incoming;
use crate::integrate::{base_of, content_of, mark, set_base};
use crate::merge::{Field, differing};
use crate::oauth::own;
use crate::sync;

fn what() -> &'static str {
    t!("The conflict")
}

/// What the calendar says.
pub enum Seen<'a> {
    /// The event is gone.
    Deleted,
    /// It says something else.
    Changed {
        /// What both sides last agreed on.
        base: Option<&'a EntryContent>,
        /// What it says.
        remote: &'a EntryContent,
        /// Since when, by the provider's clock; none where that is as it was noted.
        remote_at: Option<DateTime<Utc>>,
        /// What nobody but the technician may decide.
        fields: &'a [Field],
    },
}

fn json_of(content: &EntryContent) -> Value {
    serde_json::to_value(content).unwrap_or_default()
}

/// Opens the mapping's conflict, or brings the open one up to date. Whether it is new.
///
/// # Errors
/// A storage error.
pub async fn record(
    unit: &mut dyn UnitOfWork,
    engine: &Engine,
    mapping: &Mapping,
    entry: &Entry,
    seen: Seen<'_>,
    now: DateTime<Utc>,
) -> StorageResult<bool> {
    let rows = calendar(unit)?;
    let known = rows
        .find_open_conflict(mapping.tenant_id, mapping.mapping_id)
        .await?;
    let is_new = known.is_none();
    let mut row = known.unwrap_or_else(|| Conflict {
        tenant_id: mapping.tenant_id,
        conflict_id: engine.next_id(),
        connection_id: mapping.connection_id,
        mapping_id: mapping.mapping_id,
        entry_id: mapping.entry_id,
        kind: String::new(),
        state: "open".to_owned(),
        fields: Vec::new(),
        base: mapping.base.clone(),
        local: Value::Null,
        remote: None,
        local_at: entry.updated_at,
        remote_at: None,
        resolution: None,
        resolved_by: None,
        resolved_at: None,
        created_at: now,
        updated_at: now,
    });
    row.local = json_of(&entry.content);
    row.local_at = entry.updated_at;
    row.updated_at = now;
    match seen {
        Seen::Deleted => {
            "deletion".clone_into(&mut row.kind);
            (row.remote, row.remote_at) = (None, None);
            row.fields = Vec::new();
        }
        Seen::Changed {
            base,
            remote,
            remote_at,
            fields,
        } => {
            "fields".clone_into(&mut row.kind);
            row.base = base.map(json_of);
            row.remote = Some(json_of(remote));
            row.remote_at = remote_at.or(row.remote_at);
            row.fields = fields.iter().map(|field| field.word().to_owned()).collect();
        }
    }
    if is_new {
        rows.add_conflict(&row).await?;
    } else {
        rows.update_conflict(&row).await?;
    }
    Ok(is_new)
}

/// Closes the mapping's open conflict, if there is one, because it came to nothing.
///
/// # Errors
/// A storage error.
pub async fn settle(
    unit: &mut dyn UnitOfWork,
    mapping: &Mapping,
    why: &str,
    now: DateTime<Utc>,
) -> StorageResult<()> {
    let rows = calendar(unit)?;
    let open = rows
        .find_open_conflict(mapping.tenant_id, mapping.mapping_id)
        .await?;
    let Some(mut row) = open else {
        return Ok(());
    };
    row.state = "resolved".to_owned();
    row.resolution = Some(json!({ "by_itself": why }));
    (row.resolved_at, row.updated_at) = (Some(now), now);
    rows.update_conflict(&row).await
}

fn changed_meanwhile() -> AppError {
    AppError::new(
        ErrorCode::Conflict,
        t!("One of the sides changed meanwhile."),
    )
    .next_step(t!("Reload, look at both versions again, and choose."))
}

/// Stands for everything a conflict lets its owner choose from: the same as long as both sides say the same about it. Not the
/// row's time: a run that finds nothing new keeps what was read valid.
#[must_use]
pub fn fingerprint(conflict: &Conflict, entry: &Entry) -> String {
    let shown = json!([
        conflict.kind,
        conflict.fields,
        json_of(&entry.content),
        conflict.remote
    ]);
    URL_SAFE_NO_PAD.encode(Sha256::digest(shown.to_string()))
}

/// What its owner chose.
pub struct Chosen<'a> {
    /// Pairs a field's word (or `all`) with `schedule` or `calendar`; of a deletion `("all", "cancel")` or `("all", "put_back")`.
    pub choices: &'a [(String, String)],
    /// The [`fingerprint`] of what was read; then the choices must be about all of it.
    pub read: Option<&'a str>,
    /// Only whether it could be settled so: nothing is stored.
    pub only_try: bool,
}

/// Settles a conflict of a connection of one's own. What is not named stays open.
///
/// # Errors
/// Not found; a choice that does not fit; a side that changed since the conflict was last looked at.
pub async fn resolve(
    engine: &Engine,
    actor: &Actor,
    conflict_id: &str,
    chosen: Chosen<'_>,
) -> AppResult<()> {
    actor.require(Permission::OwnProfile)?;
    let id: Uuid = conflict_id
        .trim()
        .parse()
        .map_err(|_| AppError::not_found(what()))?;
    let now = engine.now();
    let mut unit = engine.begin(actor.tenant_id).await?;
    let rows = calendar(unit.as_mut()).map_err(internal)?;
    let found = rows
        .find_conflict(actor.tenant_id, id)
        .await
        .map_err(internal)?;
    let asked = found.ok_or_else(|| AppError::not_found(what()))?;
    let connection_id = asked.connection_id.to_string();
    let connection = own(unit.as_mut(), actor, &connection_id)
        .await
        .map_err(|_| AppError::not_found(what()))?;
    // A run that looks at the same event ends first, or finds this answer and looks again.
    let rows = calendar(unit.as_mut()).map_err(internal)?;
    rows.lock_person(actor.tenant_id, connection.user_id)
        .await
        .map_err(internal)?;
    let mapping = rows
        .answer_about(actor.tenant_id, asked.connection_id, asked.entry_id)
        .await
        .map_err(internal)?
        .filter(|mapping| mapping.state == "conflict");
    let mut conflict = rows
        .find_conflict(actor.tenant_id, id)
        .await
        .map_err(internal)?
        .filter(|conflict| conflict.state == "open")
        .ok_or_else(changed_meanwhile)?;
    let entry = unit
        .find_entry(actor.tenant_id, conflict.entry_id)
        .await
        .map_err(internal)?
        .filter(|entry| sync::wanted(&connection, entry));
    let (Some(mut mapping), Some(mut entry)) = (mapping, entry) else {
        return Err(changed_meanwhile());
    };
    if let Some(read) = chosen.read {
        if read != fingerprint(&conflict, &entry) {
            return Err(changed_meanwhile());
        }
        // What the schedule says now is what was read, seen by a run or not.
        conflict.local = json_of(&entry.content);
        conflict.local_at = entry.updated_at;
    }
    let before = entry.content.clone();
    let (choices, whole) = (chosen.choices, chosen.read.is_some());
    let choice = Choice {
        conflict: &mut conflict,
        mapping: &mut mapping,
        entry: &mut entry,
    };
    let settled = if choice.conflict.kind == "deletion" {
        choice.deletion(choices)?
    } else {
        choice.fields(choices, whole)?
    };
    if chosen.only_try {
        return Ok(());
    }
    if conflict.state == "resolved" {
        conflict.resolved_by = Some(actor.user_id());
        conflict.resolved_at = Some(now);
    }
    conflict.updated_at = now;
    mapping.updated_at = now;
    // Looked at anew by the next run, whatever was chosen.
    mapping.entry_version = 0;
    if entry.content != before {
        unit.update_entry(&entry, now)
            .await
            .map_err(|error| stored(t!("The entry"), error))?;
        let mut people = entry.assignees.clone();
        let sides = (&before, &entry);
        let others = incoming::decided(unit.as_mut(), &connection, &mapping, sides, now)
            .await
            .map_err(internal)?;
        people.extend(others);
        people.sort_unstable();
        people.dedup();
        sync::poke(unit.as_mut(), actor.tenant_id, &people, "person", now)
            .await
            .map_err(internal)?;
    }
    let rows = calendar(unit.as_mut()).map_err(internal)?;
    rows.update_mapping(&mapping).await.map_err(internal)?;
    rows.update_conflict(&conflict).await.map_err(internal)?;
    note(
        unit.as_mut(),
        engine,
        &connection,
        &mapping,
        (&before, &entry),
        now,
    )
    .await?;
    sync::enqueue(
        unit.as_mut(),
        actor.tenant_id,
        conflict.connection_id,
        "person",
        now,
    )
    .await
    .map_err(internal)?;
    let detail = json!({ "entry": conflict.entry_id, "choices": settled });
    let subject = format!("calendar_conflict:{}", conflict.conflict_id);
    unit.add_audit(&actor.audit(engine, "calendar.conflict_resolved", subject, detail))
        .await
        .map_err(internal)?;
    unit.save().await.map_err(internal)?;
    engine.wake.notify_waiters();
    Ok(())
}

async fn note(
    unit: &mut dyn UnitOfWork,
    engine: &Engine,
    connection: &Connection,
    mapping: &Mapping,
    (before, entry): (&EntryContent, &Entry),
    now: DateTime<Utc>,
) -> AppResult<()> {
    let whose = (connection.tenant_id, connection.connection_id);
    let run = Run::begin(whose, engine.next_id(), "person", now);
    let noted = Noted {
        entry: Some(mapping.entry_id),
        event: mapping.external_event_id.as_deref(),
        side: if *before == entry.content {
            "none"
        } else {
            "schedule"
        },
        action: "resolved",
        actor: "person",
        before: Some(before),
        after: Some(&entry.content),
        reason: None,
    };
    run.note(unit, engine.next_id(), noted, now)
        .await
        .map_err(internal)?;
    run.end(unit, "done", Some("conflict_resolved"), now)
        .await
        .map_err(internal)
}

struct Choice<'a> {
    conflict: &'a mut Conflict,
    mapping: &'a mut Mapping,
    entry: &'a mut Entry,
}

impl Choice<'_> {
    fn deletion(self, choices: &[(String, String)]) -> AppResult<Value> {
        let [(_, chosen)] = choices else {
            return Err(AppError::field(
                "choice",
                t!("Choose what happens to the entry."),
            ));
        };
        match chosen.as_str() {
            "cancel" => self.entry.content.status = EntryStatus::Cancelled,
            "put_back" => {}
            _ => {
                return Err(AppError::field(
                    "choice",
                    t!("Choose whether to call the work off or to put the event back."),
                ));
            }
        }
        // Wanted entries get their next copy from the run that follows.
        self.mapping.state = "removed".to_owned();
        self.mapping.error = None;
        self.conflict.state = "resolved".to_owned();
        let settled = json!({ "deletion": chosen });
        self.conflict.resolution = Some(settled.clone());
        Ok(settled)
    }

    fn fields(self, choices: &[(String, String)], whole: bool) -> AppResult<Value> {
        let seen_local = content_of(&self.conflict.local).map_err(internal)?;
        let remote = self
            .conflict
            .remote
            .as_ref()
            .ok_or_else(changed_meanwhile)?;
        let remote = content_of(remote).map_err(internal)?;
        let mut base = base_of(self.mapping)
            .map_err(internal)?
            .unwrap_or_else(|| remote.clone());
        let mut open: Vec<Field> = self
            .conflict
            .fields
            .iter()
            .filter_map(|word| Field::parse(word))
            .collect();
        let moved = differing(&canonical(&seen_local), &canonical(&self.entry.content));
        let mut settled = self
            .conflict
            .resolution
            .clone()
            .unwrap_or_else(|| json!({}));
        for (word, side) in choices {
            let named: Vec<Field> = match word.as_str() {
                "all" => open.clone(),
                word => match Field::parse(word).filter(|field| open.contains(field)) {
                    // Time and rule of a series are one answer.
                    Some(Field::When | Field::Repeat) => open
                        .iter()
                        .copied()
                        .filter(|field| matches!(field, Field::When | Field::Repeat))
                        .collect(),
                    field => field.into_iter().collect(),
                },
            };
            if named.is_empty() {
                return Err(AppError::field(
                    "choice",
                    t!("This part is not in conflict."),
                ));
            }
            for field in named {
                match side.as_str() {
                    // With the calendar's words as the base, only the schedule has changed.
                    "schedule" => field.copy(&remote, &mut base),
                    // A version that nobody was shown is never written over.
                    "calendar" if moved.contains(&field) => return Err(changed_meanwhile()),
                    "calendar" => {
                        field.copy(&remote, &mut base);
                        field.copy(&remote, &mut self.entry.content);
                    }
                    _ => {
                        return Err(AppError::field(
                            "choice",
                            t!("Choose the schedule's or the calendar's version."),
                        ));
                    }
                }
                open.retain(|other| *other != field);
                settled[field.word()] = json!(side);
            }
        }
        if whole {
            let differ = differing(&canonical(&self.entry.content), &canonical(&remote));
            let left: Vec<_> = open
                .iter()
                .filter(|field| differ.contains(field))
                .map(|field| FieldError {
                    field: format!("choices[{}]", field.word()),
                    message: t!("Choose a version of the {}.", field.said()),
                })
                .collect();
            if !left.is_empty() {
                return Err(AppError::invalid(left));
            }
            // The other half of a series' time and rule, the same on both sides.
            for field in open.drain(..) {
                field.copy(&remote, &mut base);
            }
        }
        set_base(self.mapping, Some(&base));
        mark(self.mapping, &open);
        self.conflict.fields = open.iter().map(|field| field.word().to_owned()).collect();
        self.conflict.resolution = Some(settled.clone());
        if open.is_empty() {
            self.conflict.state = "resolved".to_owned();
        }
        Ok(settled)
    }
}
