//! What waits for a connection's owner, and what the owner decided once and for all.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use daybind_domain::schedule::{EntryContent, ShowAs, When};
use daybind_domain::user::Permission;
use daybind_domain::view::{CalendarRulesView, QuestionPartView, QuestionView};
use daybind_domain::{AppError, ErrorCode};
use daybind_ee_storage::{Conflict, Connection, calendar};
use daybind_services::failure::stored;
use daybind_services::{Actor, AppResult, internal, localtime};
use daybind_storage::UnitOfWork;
use daybind_words::t;
use serde_json::json;

use crate::admit::ImportRule;
use crate::engine::Engine;
use crate::integrate::content_of;
use daybind_services::repeat_form;

use crate::merge::{DeletionPolicy, Field, Policy, differing};
use crate::oauth::own;
use crate::retry::BRAKE;
use crate::{conflicts, subscribe, sync};

fn what() -> &'static str {
    t!("The calendar connection")
}
/// The question whether so many deletions are meant.
const DELETIONS: &str = "deletions";

/// The rules of a connection, as shown.
#[must_use]
pub fn rules_view(connection: &Connection) -> CalendarRulesView {
    let settings = &connection.settings;
    CalendarRulesView {
        conflict_policy: settings.conflict_policy.clone(),
        deletion_policy: settings.deletion_policy.clone(),
        import_rule: settings.import_rule.clone(),
        show_private: settings.show_private,
    }
}

/// What waits for the owner's answer.
///
/// # Errors
/// An internal error.
pub async fn open(
    unit: &mut dyn UnitOfWork,
    connection: &Connection,
    zone: Tz,
) -> AppResult<Vec<QuestionView>> {
    let mut found = Vec::new();
    let (count, parts) = (connection.brake_count, connection.brake_occurrences);
    let events = |what: &str| match parts {
        0 => t!("{count} events {what} at once"),
        1 => t!("{count} events {what} at once, one of them out of a series"),
        _ if parts == count => t!("{count} occurrences of series {what} at once"),
        _ => t!("{count} events {what} at once, {parts} of them out of series"),
    };
    let many = match connection.brake.as_deref() {
        Some("asked_in") => Some(("many_deletions", events(t!("were deleted in the calendar")))),
        Some("asked_out") => Some((
            "many_removals",
            events(t!("would be removed from the calendar")),
        )),
        _ => None,
    };
    if let Some((kind, title)) = many {
        found.push(QuestionView {
            question_id: DELETIONS.to_owned(),
            kind: kind.to_owned(),
            title,
            parts: Vec::new(),
        });
    }
    let conflicts = calendar(unit)
        .map_err(internal)?
        .list_open_conflicts(connection.tenant_id, connection.connection_id)
        .await
        .map_err(internal)?;
    for conflict in conflicts {
        found.push(view(&conflict, zone)?);
    }
    Ok(found)
}

fn view(conflict: &Conflict, zone: Tz) -> AppResult<QuestionView> {
    let local = content_of(&conflict.local).map_err(internal)?;
    let remote = conflict.remote.as_ref().map(content_of).transpose();
    let remote = remote.map_err(internal)?;
    let mut parts = Vec::new();
    if let Some(remote) = &remote {
        // The other half of a series' time and rule may be the same on both sides.
        let differ = differing(&local, remote);
        let asked = conflict.fields.iter().filter_map(|word| Field::parse(word));
        for field in asked.filter(|field| differ.contains(field)) {
            parts.push(QuestionPartView {
                part: field.word().to_owned(),
                name: field.said().to_owned(),
                schedule: text_of(field, &local, zone),
                calendar: text_of(field, remote, zone),
            });
        }
    }
    Ok(QuestionView {
        question_id: conflict.conflict_id.to_string(),
        kind: conflict.kind.clone(),
        title: local.title,
        parts,
    })
}

/// What a content says in one field, for its reader.
#[must_use]
pub fn text_of(field: Field, content: &EntryContent, zone: Tz) -> String {
    match field {
        Field::Title => content.title.clone(),
        Field::Notes => content.notes.clone(),
        Field::Location => content.location.clone(),
        Field::Repeat => content
            .repeats
            .as_ref()
            .map_or_else(|| t!("Once").to_owned(), repeat_form::describe),
        Field::Shows => match content.shows {
            ShowAs::Busy => t!("Busy").to_owned(),
            ShowAs::Free => t!("Free").to_owned(),
        },
        Field::Private if content.private => t!("Private").to_owned(),
        Field::Private => t!("Not private").to_owned(),
        Field::When => match &content.when {
            When::Timed { start, end, .. } => {
                let day = |at: &DateTime<Utc>| at.with_timezone(&zone).date_naive();
                let until = if day(start) == day(end) {
                    localtime::clock(*end, zone)
                } else {
                    localtime::date_time(*end, zone)
                };
                t!("{} to {until}", localtime::date_time(*start, zone))
            }
            // The stored end is the first day after.
            When::AllDay { start, end } => match end.pred_opt() {
                Some(last) if last > *start => t!("{start} to {last}, all day"),
                _ => t!("{start}, all day"),
            },
        },
    }
}

/// Answers one question; `choice` pairs a part (or `all`) with what was chosen.
///
/// # Errors
/// Not found; no such choice; a side that changed meanwhile.
pub async fn answer(
    engine: &Engine,
    actor: &Actor,
    connection_id: &str,
    question_id: &str,
    (part, choice): (&str, &str),
) -> AppResult<()> {
    if question_id == DELETIONS {
        return release(engine, actor, connection_id, choice).await;
    }
    let part = if part.is_empty() { "all" } else { part };
    let choices = [(part.to_owned(), choice.to_owned())];
    let chosen = conflicts::Chosen {
        choices: &choices,
        read: None,
        only_try: false,
    };
    conflicts::resolve(engine, actor, question_id, chosen).await
}

/// Lets a connection go on that stopped before it would have deleted unusually much.
async fn release(
    engine: &Engine,
    actor: &Actor,
    connection_id: &str,
    choice: &str,
) -> AppResult<()> {
    actor.require(Permission::OwnProfile)?;
    let now = engine.now();
    let mut unit = engine.begin(actor.tenant_id).await?;
    let mut row = own(unit.as_mut(), actor, connection_id).await?;
    let answer = match (row.brake.as_deref(), choice) {
        (Some("asked_in"), "accept") => "accept_in",
        (Some("asked_in"), "put_back") => "put_back",
        (Some("asked_out"), "accept") => "accept_out",
        // The entries may be assigned again by now: it looks, and asks again if they are not.
        (Some("asked_out"), "look_again") => "",
        (Some("asked_in" | "asked_out"), _) => {
            return Err(AppError::field(
                "choice",
                t!("Choose what becomes of the deletions."),
            ));
        }
        _ => {
            return Err(AppError::new(
                ErrorCode::Conflict,
                t!("This question was answered already."),
            )
            .next_step(t!("Reload the page.")));
        }
    };
    row.brake = Some(answer.to_owned()).filter(|answer| !answer.is_empty());
    if row.status_reason.as_deref() == Some(BRAKE) {
        row.status = "connected".to_owned();
        row.status_reason = None;
    }
    row.last_error = None;
    row.updated_at = now;
    let detail = json!({
        "deletions": row.brake_count,
        "occurrences": row.brake_occurrences,
        "answer": choice,
    });
    save(
        engine,
        actor,
        unit,
        &row,
        ("calendar.deletions_answered", detail),
    )
    .await
}

/// Stores what a connection's owner decides about it, and syncs.
///
/// # Errors
/// Not found; a word that is none.
pub async fn update_rules(
    engine: &Engine,
    actor: &Actor,
    connection_id: &str,
    rules: &CalendarRulesView,
) -> AppResult<()> {
    actor.require(Permission::OwnProfile)?;
    let wrong = |field: &'static str| AppError::field(field, t!("Choose one of the answers."));
    Policy::parse(&rules.conflict_policy).ok_or_else(|| wrong("conflict_policy"))?;
    DeletionPolicy::parse(&rules.deletion_policy).ok_or_else(|| wrong("deletion_policy"))?;
    ImportRule::parse(&rules.import_rule).ok_or_else(|| wrong("import_rule"))?;
    let now = engine.now();
    let mut unit = engine.begin(actor.tenant_id).await?;
    let mut row = own(unit.as_mut(), actor, connection_id).await?;
    let before = rules_view(&row);
    if before == *rules {
        return Ok(());
    }
    if before.import_rule != rules.import_rule || before.show_private != rules.show_private {
        // Events passed over so far are looked at again.
        row.cursor = None;
    }
    row.settings
        .conflict_policy
        .clone_from(&rules.conflict_policy);
    row.settings
        .deletion_policy
        .clone_from(&rules.deletion_policy);
    row.settings.import_rule.clone_from(&rules.import_rule);
    row.settings.show_private = rules.show_private;
    row.updated_at = now;
    let detail = json!({ "before": before, "after": rules });
    save(
        engine,
        actor,
        unit,
        &row,
        ("calendar.rules_changed", detail),
    )
    .await
}

async fn save(
    engine: &Engine,
    actor: &Actor,
    mut unit: Box<dyn UnitOfWork>,
    row: &Connection,
    (action, detail): (&'static str, serde_json::Value),
) -> AppResult<()> {
    calendar(unit.as_mut())
        .map_err(internal)?
        .update_connection(row)
        .await
        .map_err(|error| stored(what(), error))?;
    if sync::may_sync(row) {
        let (whose, id, now) = (row.tenant_id, row.connection_id, engine.now());
        sync::enqueue(unit.as_mut(), whose, id, "person", now)
            .await
            .map_err(internal)?;
        subscribe::enqueue(unit.as_mut(), whose, id, now)
            .await
            .map_err(internal)?;
    }
    let subject = format!("calendar_provider:{}", row.connection_id);
    unit.add_audit(&actor.audit(engine, action, subject, detail))
        .await
        .map_err(internal)?;
    unit.save().await.map_err(internal)?;
    engine.wake.notify_waiters();
    Ok(())
}
