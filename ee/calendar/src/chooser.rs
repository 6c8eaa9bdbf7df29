//! Profile > Calendar, one disagreement: everything to choose from on one page, and one answer about all of it.

use chrono_tz::Tz;
use daybind_domain::conflict_preview::{ConflictPreviewView, OutcomeView};
use daybind_domain::conflict_view::{ConflictAnswer, ConflictFieldView, ConflictView};
use daybind_domain::connection_view::FactView;
use daybind_domain::schedule::EntryContent;
use daybind_domain::user::Permission;
use daybind_domain::{AppError, ErrorCode};
use daybind_ee_storage::{Conflict, calendar};
use daybind_services::{Actor, AppResult, Services, internal, localtime};
use daybind_storage::{Entry, UnitOfWork};
use daybind_words::t;
use uuid::Uuid;

use crate::conflicts::{Chosen, fingerprint, resolve};
use crate::engine::Engine;
use crate::event::canonical;
use crate::integrate::content_of;
use crate::merge::{Field, differing};
use crate::oauth::own;
use crate::questions::text_of;
use crate::sync;
use crate::views::label;

fn what() -> &'static str {
    t!("The conflict")
}

/// The conflict, for the owner of its connection.
///
/// # Errors
/// Forbidden; not found, also where it is somebody else's.
pub async fn view(
    services: &Services,
    actor: &Actor,
    conflict_id: &str,
) -> AppResult<ConflictView> {
    actor.require(Permission::OwnProfile)?;
    let missing = || AppError::not_found(what());
    let id: Uuid = conflict_id.trim().parse().map_err(|_| missing())?;
    let mut unit = services.read(actor.tenant_id).await?;
    let rows = calendar(unit.as_mut()).map_err(internal)?;
    let found = rows.find_conflict(actor.tenant_id, id).await;
    let conflict = found.map_err(internal)?.ok_or_else(missing)?;
    let connection = conflict.connection_id.to_string();
    let connection = own(unit.as_mut(), actor, &connection)
        .await
        .map_err(|_| missing())?;
    let entry = unit
        .find_entry(actor.tenant_id, conflict.entry_id)
        .await
        .map_err(internal)?
        .filter(|entry| sync::wanted(&connection, entry));
    let by = match &entry {
        Some(entry) => who(unit.as_mut(), entry).await?,
        None => None,
    };
    let zone = localtime::zone(&actor.user.time_zone);
    let shown = ConflictView {
        conflict_id: conflict.conflict_id.to_string(),
        calendar: label(&connection.provider).to_owned(),
        title: entry
            .as_ref()
            .map(|entry| entry.content.title.clone())
            .unwrap_or_default(),
        ..ConflictView::default()
    };
    match (entry, why_settled(&conflict, zone)) {
        (_, Some(note)) => Ok(noted(shown, note)),
        (None, None) => Ok(noted(
            shown,
            t!("The entry is not yours any more, or was called off or deleted. There is nothing left to choose.").to_owned(),
        )),
        (Some(entry), None) => choices(shown, &conflict, (&entry, by), zone),
    }
}

/// Who changed the entry last, where it was somebody and still is on record.
async fn who(unit: &mut dyn UnitOfWork, entry: &Entry) -> AppResult<Option<String>> {
    let rows = calendar(unit).map_err(internal)?;
    let edits = rows.list_edits(entry.tenant_id, entry.entry_id, 1).await;
    let last = edits.map_err(internal)?.into_iter().next();
    let Some(edit) = last.filter(|edit| edit.entry_version == entry.version) else {
        return Ok(None);
    };
    let user = unit.find_user(entry.tenant_id, edit.user_id).await;
    Ok(user.map_err(internal)?.map(|user| user.display_name))
}

fn noted(shown: ConflictView, note: String) -> ConflictView {
    ConflictView {
        note: Some(note),
        ..shown
    }
}

/// How it ended, where it did.
fn why_settled(conflict: &Conflict, zone: Tz) -> Option<String> {
    if conflict.state == "open" {
        return None;
    }
    let by_itself = conflict
        .resolution
        .as_ref()
        .is_some_and(|how| how.get("by_itself").is_some());
    let at = conflict.resolved_at.unwrap_or(conflict.updated_at);
    let at = localtime::date_time(at, zone);
    Some(if by_itself {
        t!("This was settled by itself on {at}: there was nothing left to choose.")
    } else {
        t!("You answered this on {at}.")
    })
}

fn choices(
    shown: ConflictView,
    conflict: &Conflict,
    (entry, by): (&Entry, Option<String>),
    zone: Tz,
) -> AppResult<ConflictView> {
    let name = shown.calendar.clone();
    let Some(remote) = &conflict.remote else {
        let note = t!(
            "Its event was deleted in {name}. Under Profile > Calendar you say what becomes of the work."
        );
        return Ok(noted(shown, note));
    };
    let remote = content_of(remote).map_err(internal)?;
    let base = conflict.base.as_ref().map(content_of).transpose();
    let base = base.map_err(internal)?;
    let local = &entry.content;
    let differ = differing(&canonical(local), &canonical(&remote));
    let open: Vec<Field> = conflict
        .fields
        .iter()
        .filter_map(|word| Field::parse(word))
        .filter(|field| differ.contains(field))
        .collect();
    if open.is_empty() {
        let note = t!(
            "The schedule and {name} say the same by now. There is nothing left to choose; the question goes with the next sync."
        );
        return Ok(noted(shown, note));
    }
    let fields = asked(&open)
        .into_iter()
        .map(|(part, fields)| ConflictFieldView {
            part: part.word().to_owned(),
            label: heading(&fields),
            schedule: texts(&fields, local, zone),
            calendar: texts(&fields, &remote, zone),
            agreed: base.as_ref().map(|base| texts(&fields, base, zone)),
        })
        .collect();
    let same = Field::ALL
        .iter()
        .filter(|field| !open.contains(field))
        .map(|field| fact(&heading(&[*field]), texts(&[*field], local, zone)))
        .collect();
    let ours = localtime::date_time(entry.updated_at, zone);
    let ours = by.map_or_else(|| ours.clone(), |by| t!("{ours}, by {by}"));
    let theirs = conflict.remote_at.map_or_else(
        || t!("Its provider does not say when.").to_owned(),
        |at| localtime::date_time(at, zone),
    );
    Ok(ConflictView {
        scope: scope(entry, &remote),
        fingerprint: fingerprint(conflict, entry),
        fields,
        same,
        changed: vec![
            fact(t!("Last changed in the schedule"), ours),
            fact(&t!("Last changed in {name}"), theirs),
            fact(
                t!("After your answer"),
                t!(
                    "The schedule and {name} both say what you chose, with the sync that starts then."
                ),
            ),
        ],
        ..shown
    })
}

/// What is asked one by one, and the fields that each answer is about: of a series, time and rule are one.
fn asked(open: &[Field]) -> Vec<(Field, Vec<Field>)> {
    const BOTH: &[Field] = &[Field::When, Field::Repeat];
    let both = BOTH.iter().all(|field| open.contains(field));
    Field::ALL
        .into_iter()
        .filter(|field| open.contains(field))
        .filter(|field| !both || *field != Field::Repeat)
        .map(|field| match field {
            Field::When if both => (field, BOTH.to_vec()),
            field => (field, vec![field]),
        })
        .collect()
}

fn heading(fields: &[Field]) -> String {
    match fields {
        [_, _, ..] => t!("Time and repetition"),
        [Field::Title] => t!("Title"),
        [Field::Notes] => t!("Notes"),
        [Field::Location] => t!("Location"),
        [Field::When] => t!("Time"),
        [Field::Repeat] => t!("Repetition"),
        [Field::Shows] => t!("Availability"),
        [Field::Private] => t!("Privacy"),
        [] => "",
    }
    .to_owned()
}

/// An empty version is one too.
fn texts(fields: &[Field], content: &EntryContent, zone: Tz) -> String {
    let texts: Vec<String> = fields
        .iter()
        .map(|field| text_of(*field, content, zone))
        .collect();
    match texts.join("; ") {
        text if text.trim().is_empty() => t!("(empty)").to_owned(),
        text => text,
    }
}

fn scope(entry: &Entry, remote: &EntryContent) -> String {
    if let Some(of) = &entry.occurrence_of {
        t!(
            "This is about one occurrence of a series, that of {}. The others stay as they are.",
            of.day
        )
    } else if entry.content.repeats.is_some() || remote.repeats.is_some() {
        t!("This is about the whole series, with all of its occurrences.").to_owned()
    } else {
        String::new()
    }
}

fn fact(label: &str, text: String) -> FactView {
    FactView {
        label: label.to_owned(),
        text,
    }
}

/// Settles the conflict as a whole.
///
/// # Errors
/// Not found; a field without a choice; `Conflict` when a side changed since the page was read: what was chosen is told then.
pub async fn answer(
    engine: &Engine,
    actor: &Actor,
    conflict_id: &str,
    answer: &ConflictAnswer,
) -> AppResult<()> {
    settle(engine, actor, conflict_id, answer, false).await
}

/// What both sides would say after that answer, which is refused as it would be. Nothing is stored.
///
/// # Errors
/// As [`answer`].
pub async fn preview(
    engine: &Engine,
    actor: &Actor,
    conflict_id: &str,
    answer: &ConflictAnswer,
) -> AppResult<ConflictPreviewView> {
    settle(engine, actor, conflict_id, answer, true).await?;
    let shown = view(engine, actor, conflict_id).await?;
    let outcomes = shown.fields.into_iter().map(|field| {
        let side = match answer.all.as_str() {
            "" => answer.choices.get(&field.part).map_or("", String::as_str),
            all => all,
        };
        outcome(field, Side::parse(side), &shown.calendar)
    });
    Ok(ConflictPreviewView {
        fields: outcomes.collect(),
        conflict_id: shown.conflict_id,
        title: shown.title,
        calendar: shown.calendar.clone(),
        scope: shown.scope,
        fingerprint: answer.fingerprint.clone(),
        note: shown.note,
        left: false,
    })
}

/// Which version is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The schedule's.
    Schedule,
    /// The calendar's.
    Calendar,
}

impl Side {
    /// Reads its word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "schedule" => Some(Self::Schedule),
            "calendar" => Some(Self::Calendar),
            _ => None,
        }
    }
}

/// What becomes of a field when a side is taken; nothing where none is.
#[must_use]
pub fn outcome(field: ConflictFieldView, side: Option<Side>, calendar: &str) -> OutcomeView {
    let (result, changes) = match side {
        None => (String::new(), String::new()),
        Some(Side::Schedule) => (field.schedule.clone(), calendar.to_owned()),
        Some(Side::Calendar) => (field.calendar.clone(), t!("Schedule").to_owned()),
    };
    OutcomeView {
        label: field.label,
        schedule: field.schedule,
        calendar: field.calendar,
        result,
        changes,
    }
}

async fn settle(
    engine: &Engine,
    actor: &Actor,
    conflict_id: &str,
    answer: &ConflictAnswer,
    only_try: bool,
) -> AppResult<()> {
    let choices: Vec<(String, String)> = if answer.all.is_empty() {
        answer.choices.clone().into_iter().collect()
    } else {
        vec![("all".to_owned(), answer.all.clone())]
    };
    let chosen = Chosen {
        choices: &choices,
        read: Some(&answer.fingerprint),
        only_try,
    };
    resolve(engine, actor, conflict_id, chosen)
        .await
        .map_err(|error| match error.code {
            ErrorCode::Conflict => AppError::new(ErrorCode::Conflict, told(&choices)).next_step(
                t!("Nothing was written over. Below is how it stands now: look at what is ticked and answer again, if there is still something to choose."),
            ),
            _ => error,
        })
}

/// What was chosen, in words.
fn told(choices: &[(String, String)]) -> String {
    let side = |side: &str| match side {
        "calendar" => t!("from the calendar"),
        _ => t!("from the schedule"),
    };
    let chosen: Vec<String> = choices
        .iter()
        .filter_map(|(word, from)| match word.as_str() {
            "all" => Some(t!("all {}", side(from))),
            word => Field::parse(word).map(|field| format!("{} {}", field.said(), side(from))),
        })
        .collect();
    let changed = t!("One of the sides changed after you had read this page");
    if chosen.is_empty() {
        format!("{changed}.")
    } else {
        t!("{changed}. You had chosen: {}.", chosen.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_and_rule_are_asked_together_where_both_differ() {
        let words = |open: &[Field]| -> Vec<String> {
            asked(open)
                .into_iter()
                .map(|(part, fields)| format!("{}: {}", part.word(), heading(&fields)))
                .collect()
        };
        assert_eq!(
            words(&[Field::Title, Field::When, Field::Repeat]),
            ["title: Title", "time: Time and repetition"]
        );
        assert_eq!(words(&[Field::Repeat]), ["repetition: Repetition"]);
        assert_eq!(words(&[Field::When]), ["time: Time"]);
        assert_eq!(words(&Field::ALL).len(), 6);
    }

    #[test]
    fn what_was_chosen_is_told() {
        let chosen = |pairs: &[(&str, &str)]| {
            let pairs: Vec<_> = pairs
                .iter()
                .map(|(word, side)| ((*word).to_owned(), (*side).to_owned()))
                .collect();
            told(&pairs)
        };
        assert!(
            chosen(&[("title", "calendar"), ("notes", "schedule")])
                .ends_with("You had chosen: title from the calendar, notes from the schedule.")
        );
        assert!(chosen(&[("all", "calendar")]).ends_with("all from the calendar."));
        assert!(!chosen(&[]).contains("chosen"));
        // Words that are none of ours are not repeated.
        assert!(!chosen(&[("<b>", "calendar")]).contains('<'));
    }
}
