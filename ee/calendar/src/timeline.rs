//! Why did this change? What people and calendars did to one entry, told in one list.

use std::collections::HashMap;

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use daybind_domain::ids::{ConnectionId, UserId};
use daybind_domain::schedule::{EntryContent, EntryStatus};
use daybind_domain::view::{EntryHistoryField, EntryHistoryItem, EntryHistoryView};
use daybind_ee_storage::{CausedChange, Connection, EntryEdit, SyncChange, calendar};
use daybind_services::{Actor, AppResult, EntryChange, internal, localtime, privacy, schedule};
use daybind_storage::{Entry, StorageResult, UnitOfWork, User};
use serde_json::Value;

use crate::engine::Engine;
use crate::integrate::content_of;
use crate::merge::{Field, differing};
use crate::questions::text_of;
use crate::views::label;

/// So many things are shown.
const SHOWN: usize = 50;

/// Notes what somebody did to an entry, in the transaction that did it.
///
/// # Errors
/// A storage error.
pub async fn note(
    engine: &Engine,
    unit: &mut dyn UnitOfWork,
    change: &EntryChange,
) -> StorageResult<()> {
    let Some(user_id) = change.by else {
        return Ok(());
    };
    let Some(entry) = unit.find_entry(change.tenant_id, change.entry_id).await? else {
        return Ok(());
    };
    let edit = EntryEdit {
        tenant_id: change.tenant_id,
        edit_id: engine.next_id(),
        entry_id: change.entry_id,
        user_id,
        entry_version: entry.version,
        after: match entry.deleted_at {
            Some(_) => None,
            None => serde_json::to_value(entry.content).ok(),
        },
        at: engine.now(),
    };
    calendar(unit)?.add_edit(&edit).await
}

/// The history of an entry, for somebody who may see it.
///
/// # Errors
/// Not found.
pub async fn view(engine: &Engine, actor: &Actor, entry_id: &str) -> AppResult<EntryHistoryView> {
    let mut unit = engine.read(actor.tenant_id).await?;
    let entry = schedule::visible(unit.as_mut(), actor, entry_id).await?;
    let people = unit.list_users(actor.tenant_id).await.map_err(internal)?;
    let rows = calendar(unit.as_mut()).map_err(internal)?;
    let limit = i64::try_from(SHOWN).unwrap_or(i64::MAX) + 1;
    let (tenant_id, id) = (actor.tenant_id, entry.entry_id);
    let edits = rows.list_edits(tenant_id, id, limit).await;
    let edits = edits.map_err(internal)?;
    let changes = rows.list_entry_changes(tenant_id, id, limit).await;
    let changes = changes.map_err(internal)?;
    let connections = rows.list_connections(tenant_id).await.map_err(internal)?;
    let teller = Teller {
        actor,
        zone: localtime::zone(&actor.user.time_zone),
        entry: Some(&entry),
        people: people.iter().map(|user| (user.user_id, user)).collect(),
        connections: connections
            .iter()
            .map(|row| (row.connection_id, row))
            .collect(),
    };
    let mut items = teller.edits(&edits, &changes);
    items.extend(changes.iter().map(|change| teller.change(change)));
    items.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    let more = items.len() > SHOWN;
    Ok(EntryHistoryView {
        items: items
            .into_iter()
            .take(SHOWN)
            .map(|(_, item)| item)
            .collect(),
        more,
        kept_days: engine.keep_activity.num_days(),
    })
}

type Told = (DateTime<Utc>, EntryHistoryItem);

/// Tells what happened to an entry.
pub struct Teller<'a> {
    /// To whom.
    pub actor: &'a Actor,
    /// In which zone.
    pub zone: Tz,
    /// The entry; none where it is about an event that is no entry's, or one that is gone for good.
    pub entry: Option<&'a Entry>,
    /// The MSP's people.
    pub people: HashMap<UserId, &'a User>,
    /// Its connections.
    pub connections: HashMap<ConnectionId, &'a Connection>,
}

impl Teller<'_> {
    /// What people did. What an edit changed is told from what the entry said before, by whatever came last before it.
    fn edits(&self, edits: &[EntryEdit], changes: &[CausedChange]) -> Vec<Told> {
        edits
            .iter()
            .map(|edit| {
                let earlier = edits
                    .iter()
                    .filter(|other| (other.at, other.edit_id) < (edit.at, edit.edit_id))
                    .map(|other| (other.at, other.after.as_ref()));
                let synced = changes
                    .iter()
                    .map(|caused| &caused.change)
                    .filter(|change| change.side == "schedule" && change.at < edit.at)
                    .map(|change| (change.at, change.after.as_ref()));
                let before = earlier
                    .chain(synced)
                    .max_by_key(|(at, _)| *at)
                    .and_then(|(_, after)| after);
                let who = self
                    .people
                    .get(&edit.user_id)
                    .map_or("Somebody who is gone", |user| user.display_name.as_str());
                let made = edit.entry_version == 1;
                let what = match &edit.after {
                    None => "deleted it",
                    Some(_) if made => "planned it",
                    Some(_) => "changed it",
                };
                let item = EntryHistoryItem {
                    at: self.time(edit.at),
                    at_utc: utc(edit.at),
                    side: "schedule".to_owned(),
                    title: format!("{who} {what} in Daybind"),
                    why: String::new(),
                    fields: self.fields(before, edit.after.as_ref()),
                    run: String::new(),
                };
                (edit.at, item)
            })
            .collect()
    }

    /// What a run did, or left alone, and when.
    pub fn change(&self, caused: &CausedChange) -> Told {
        let change = &caused.change;
        let connection = self.connections.get(&change.connection_id);
        let owner = connection.and_then(|row| self.people.get(&row.user_id));
        let whose = Whose {
            calendar: connection.map_or("The calendar", |row| label(&row.provider)),
            owner: owner.map_or("", |user| user.display_name.as_str()),
        };
        // What was not taken over is the calendar's owner's alone.
        let own = connection.is_some_and(|row| row.user_id == self.actor.user_id());
        let fields = if change.side == "none" && !own {
            Vec::new()
        } else {
            self.fields(change.before.as_ref(), change.after.as_ref())
        };
        let why = [reason(change), trigger(caused.cause.as_deref(), &whose)]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" ");
        let item = EntryHistoryItem {
            at: self.time(change.at),
            at_utc: utc(change.at),
            side: change.side.clone(),
            title: whose.title(change),
            why,
            fields,
            run: change.run_id.to_string(),
        };
        (change.at, item)
    }

    /// Which fields differ, for those who get to read the entry's words.
    fn fields(&self, before: Option<&Value>, after: Option<&Value>) -> Vec<EntryHistoryField> {
        let reads = |entry| privacy::reads_words(self.actor, entry);
        if !self.entry.is_some_and(reads) {
            return Vec::new();
        }
        let read = |value: Option<&Value>| value.and_then(|value| content_of(value).ok());
        let (Some(before), Some(after)) = (read(before), read(after)) else {
            return Vec::new();
        };
        let mut fields: Vec<_> = differing(&before, &after)
            .into_iter()
            .map(|field| EntryHistoryField {
                field: name(field).to_owned(),
                before: text_of(field, &before, self.zone),
                after: text_of(field, &after, self.zone),
            })
            .collect();
        if before.status != after.status {
            fields.push(EntryHistoryField {
                field: "Status".to_owned(),
                before: status(&before).to_owned(),
                after: status(&after).to_owned(),
            });
        }
        fields
    }

    fn time(&self, at: DateTime<Utc>) -> String {
        at.with_timezone(&self.zone)
            .format("%a %-d %b %Y, %H:%M:%S")
            .to_string()
    }
}

/// A moment as a machine reads it (RFC 3339, to the second).
#[must_use]
pub fn utc(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn name(field: Field) -> &'static str {
    match field {
        Field::Title => "Title",
        Field::Notes => "Notes",
        Field::Location => "Location",
        Field::When => "Time",
        Field::Repeat => "Repetition",
        Field::Shows => "Shown as",
        Field::Private => "Privacy",
    }
}

fn status(content: &EntryContent) -> &'static str {
    match content.status {
        EntryStatus::Scheduled => "Scheduled",
        EntryStatus::Cancelled => "Cancelled",
        EntryStatus::Completed => "Completed",
    }
}

/// A calendar and the person it is of.
struct Whose<'a> {
    calendar: &'a str,
    owner: &'a str,
}

impl Whose<'_> {
    fn named(&self) -> String {
        match self.owner {
            "" => self.calendar.to_owned(),
            owner => format!("{} of {owner}", self.calendar),
        }
    }

    /// What happened, in one line.
    fn title(&self, change: &SyncChange) -> String {
        let (named, owner) = (self.named(), self.owner);
        match (change.side.as_str(), change.action.as_str()) {
            ("schedule", "created") => format!("Brought in from {named}"),
            ("schedule", "changed") => format!("Changed in {named}, and so in the schedule"),
            ("schedule", "removed") => format!("Deleted in {named}"),
            ("schedule", "resolved") if !owner.is_empty() => {
                format!("{owner} chose between schedule and calendar")
            }
            ("calendar", "created") => format!("Added to {named}"),
            ("calendar", "removed") => format!("Removed from {named}"),
            ("calendar", _) => format!("Brought up to date in {named}"),
            (_, "conflict") if !owner.is_empty() => {
                format!("Schedule and {named} disagree: {owner} is asked")
            }
            (_, "conflict") => format!("Schedule and {named} disagree"),
            (_, "refused") => format!("Not taken by {named}"),
            (_, "resolved") if !owner.is_empty() => format!("{owner} kept what the schedule says"),
            (_, "resolved") => "What the schedule says was kept".to_owned(),
            _ => format!("Left alone in {named}"),
        }
    }
}

/// Why: a sentence for the codes a run records. Other words are for people already.
fn reason(change: &SyncChange) -> Option<String> {
    let words = match change.reason.as_deref()? {
        "marked" => "Its title or notes say @daybind.",
        "busy" => "All events of this calendar come in as busy blocks.",
        "unsupported" => {
            "The calendar says something Daybind cannot express; it stays there unchanged."
        }
        "repetition" => "The calendar cannot express how it repeats; nothing was simplified.",
        "zone" => "The calendar does not know its time zone; nothing was guessed.",
        "split" => "The series was split in the calendar.",
        "perhaps_split" => {
            "A series begins in the calendar where this one was cut off; those meetings may be there twice."
        }
        "put_back" => "It was deleted in the calendar, where such entries are put back.",
        "not_brought_in" => "The rules of this calendar do not bring its event in any more.",
        "event_deleted" => "It was deleted in the calendar.",
        "both_changed" => "It was changed on both sides.",
        "series_gone" => "Its series is gone from the calendar.",
        "taken_off" => "Who deletes it in the own calendar is taken off; the others go on.",
        "cancelled" => "It was deleted in the calendar, where that calls the work off.",
        words => return Some(format!("{}.", words.trim_end_matches('.'))),
    };
    Some(words.to_owned())
}

/// What set the run off.
fn trigger(cause: Option<&str>, whose: &Whose<'_>) -> Option<String> {
    Some(match cause? {
        "notification" => format!("{} told Daybind of a change.", whose.calendar),
        "schedule" => "A change in the schedule set it off.".to_owned(),
        "person" => "Somebody asked for it.".to_owned(),
        "start" => "It was found when the connection began.".to_owned(),
        "retry" => "It was tried again after a failure.".to_owned(),
        _ => "It was found in a regular look.".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use daybind_domain::ids::TenantId;
    use uuid::Uuid;

    fn change(side: &str, action: &str, reason: Option<&str>) -> SyncChange {
        SyncChange {
            tenant_id: TenantId(Uuid::nil()),
            change_id: Uuid::nil(),
            run_id: Uuid::nil(),
            connection_id: Uuid::nil().into(),
            entry_id: None,
            external_event_id: None,
            side: side.to_owned(),
            action: action.to_owned(),
            actor: "calendar".to_owned(),
            before: None,
            after: None,
            reason: reason.map(str::to_owned),
            at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn each_kind_has_its_own_sentence() {
        let tess = Whose {
            calendar: "Outlook",
            owner: "Tess",
        };
        let mut said = std::collections::BTreeSet::new();
        for (side, action) in [
            ("schedule", "created"),
            ("schedule", "changed"),
            ("schedule", "removed"),
            ("schedule", "resolved"),
            ("calendar", "created"),
            ("calendar", "changed"),
            ("calendar", "removed"),
            ("none", "conflict"),
            ("none", "refused"),
            ("none", "resolved"),
            ("none", "skipped"),
        ] {
            assert!(said.insert(tess.title(&change(side, action, None))));
        }
        assert!(said.contains("Schedule and Outlook of Tess disagree: Tess is asked"));
        let nobody = Whose {
            calendar: "Outlook",
            owner: "",
        };
        for title in
            ["conflict", "resolved"].map(|action| nobody.title(&change("none", action, None)))
        {
            assert!(!title.contains("  ") && !title.starts_with(' '), "{title}");
        }
    }

    /// No code of ours is shown as it is stored.
    #[test]
    fn reasons_are_sentences() {
        for code in [
            "marked",
            "busy",
            "zone",
            "split",
            "perhaps_split",
            "both_changed",
            "taken_off",
            "cancelled",
            "a sentence.",
        ] {
            let words = reason(&change("none", "skipped", Some(code))).unwrap_or_default();
            assert!(
                words.ends_with('.') && !words.contains('_') && !words.contains(".."),
                "{words}"
            );
        }
        assert_eq!(reason(&change("none", "skipped", None)), None);
    }
}
