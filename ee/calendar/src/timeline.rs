//! Why did this change? What people and calendars did to one entry, told in one list.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use daybind_domain::ids::{ConnectionId, UserId};
use daybind_domain::schedule::{EntryContent, EntryStatus};
use daybind_domain::view::{EntryHistoryField, EntryHistoryItem, EntryHistoryView};
use daybind_ee_storage::{CausedChange, Connection, EntryEdit, SyncChange, calendar};
use daybind_services::{Actor, AppResult, EntryChange, internal, localtime, privacy, schedule};
use daybind_storage::{Entry, StorageResult, UnitOfWork, User};
use daybind_words::t;
use serde_json::Value;
use uuid::Uuid;

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
        restored: change.restored,
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
    let entry = schedule::on_record(unit.as_mut(), actor, entry_id).await?;
    let account = Account::read(unit.as_mut(), actor, &entry).await?;
    let mut items = account.told();
    let more = items.len() > SHOWN;
    items.truncate(SHOWN);
    let items: Vec<_> = items.into_iter().map(|(_, item)| item).collect();
    Ok(EntryHistoryView {
        as_text: as_text(engine, &account.teller(), &entry, &items),
        items,
        more,
        kept_days: engine.keep_activity.num_days(),
        deleted: entry.deleted_at.is_some(),
    })
}

/// What is on record about one entry.
pub struct Account<'a> {
    actor: &'a Actor,
    entry: &'a Entry,
    edits: Vec<EntryEdit>,
    changes: Vec<CausedChange>,
    people: Vec<User>,
    connections: Vec<Connection>,
}

impl<'a> Account<'a> {
    /// Reads it.
    ///
    /// # Errors
    /// An internal error.
    pub async fn read(
        unit: &mut dyn UnitOfWork,
        actor: &'a Actor,
        entry: &'a Entry,
    ) -> AppResult<Self> {
        let limit = i64::try_from(SHOWN).unwrap_or(i64::MAX) + 1;
        let (tenant_id, id) = (entry.tenant_id, entry.entry_id);
        let people = unit.list_users(tenant_id).await.map_err(internal)?;
        let rows = calendar(unit).map_err(internal)?;
        let edits = rows.list_edits(tenant_id, id, limit).await;
        let changes = rows.list_entry_changes(tenant_id, id, limit).await;
        let changes = changes.map_err(internal)?;
        let through: BTreeSet<_> = changes.iter().map(|one| one.change.connection_id).collect();
        let through: Vec<_> = through.into_iter().collect();
        let connections = rows.list_owned(tenant_id, &through).await;
        let connections = connections.map_err(internal)?;
        Ok(Self {
            actor,
            entry,
            edits: edits.map_err(internal)?,
            changes,
            people,
            connections: connections.into_iter().map(|one| one.row).collect(),
        })
    }

    /// Tells it.
    #[must_use]
    pub fn teller(&self) -> Teller<'_> {
        Teller {
            actor: self.actor,
            zone: localtime::zone(&self.actor.user.time_zone),
            entry: Some(self.entry),
            people: self
                .people
                .iter()
                .map(|user| (user.user_id, user))
                .collect(),
            connections: self
                .connections
                .iter()
                .map(|row| (row.connection_id, row))
                .collect(),
        }
    }

    /// All of it, newest first.
    fn told(&self) -> Vec<Told> {
        let teller = self.teller();
        let mut items = teller.edits(&self.edits, &self.changes);
        items.extend(self.changes.iter().map(|caused| {
            let (at, mut item) = teller.change(caused);
            let change = &caused.change;
            if change.side == "schedule" && change.action != "removed" {
                item.version_id = teller.version(change.change_id, change.after.as_ref());
            }
            (at, item)
        }));
        items.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        items
    }

    /// What changed the entry after that moment, the first change first.
    #[must_use]
    pub fn since(&self, moment: DateTime<Utc>) -> Vec<EntryHistoryItem> {
        let later = self
            .told()
            .into_iter()
            .rev()
            .filter(|(at, item)| *at > moment && item.side == "schedule");
        later.map(|(_, item)| item).collect()
    }

    /// How a version came to be, where that is among the newest.
    #[must_use]
    pub fn origin(&self, version_id: &str) -> Option<String> {
        let teller = self.teller();
        let edit = self
            .edits
            .iter()
            .find(|edit| edit.edit_id.to_string() == version_id)
            .map(|edit| (edit.at, teller.edit_title(edit)));
        let found = edit.or_else(|| {
            let mut changes = self.changes.iter();
            let change =
                changes.find(|caused| caused.change.change_id.to_string() == version_id)?;
            let (at, item) = teller.change(change);
            Some((at, item.title))
        });
        found.map(|(at, title)| format!("{}: {title}", teller.time(at)))
    }
}

/// What happened, in a sentence.
#[must_use]
pub fn sentence(item: &EntryHistoryItem) -> String {
    let fields = item.fields.iter().map(|field| {
        let shown = |text: &str| match text {
            "" => "nothing".to_owned(),
            text => format!("“{text}”"),
        };
        t!(
            "{} from {} to {}",
            field.field,
            shown(&field.before),
            shown(&field.after)
        )
    });
    let fields: Vec<_> = fields.collect();
    match fields.is_empty() {
        true => format!("{}, {}.", item.title, item.at),
        false => format!("{}, {}: {}.", item.title, item.at, fields.join("; ")),
    }
}

/// Where something was changed, in words.
fn lane(side: &str) -> &'static str {
    match side {
        "schedule" => t!("Schedule"),
        "calendar" => t!("Calendar"),
        _ => t!("Nothing changed"),
    }
}

/// The history as plain text, for a ticket: which entry, from where, and what is shown on the page.
fn as_text(
    engine: &Engine,
    teller: &Teller<'_>,
    entry: &Entry,
    items: &[EntryHistoryItem],
) -> String {
    let now = engine.now();
    let seen = privacy::seen_by(teller.actor, entry);
    let mut lines = vec![
        t!("Entry: {}", seen.title),
        t!("Time: {}", text_of(Field::When, &seen, teller.zone)),
        engine.absolute(&format!("/msp/schedule?entry={}", entry.entry_id)),
        t!(
            "As of {} ({}), newest first",
            teller.time(now),
            teller.zone.name()
        ),
    ];
    if entry.deleted_at.is_some() {
        lines.push(t!("The entry is deleted.").to_owned());
    }
    for item in items {
        lines.push(String::new());
        lines.push(format!("{} – {}", item.at, lane(&item.side)));
        lines.push(item.title.clone());
        for field in &item.fields {
            let shown = |text: &str| match text {
                "" => "nothing".to_owned(),
                text => text.replace('\n', "\n    "),
            };
            let (before, after) = (shown(&field.before), shown(&field.after));
            lines.push(format!("  {}: {before} → {after}", field.field));
        }
        if !item.why.is_empty() {
            lines.push(item.why.clone());
        }
        if !item.run.is_empty() {
            lines.push(t!("Reference: {}", item.run));
        }
    }
    lines.join("\n")
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
                let item = EntryHistoryItem {
                    at: self.time(edit.at),
                    at_utc: utc(edit.at),
                    side: "schedule".to_owned(),
                    title: self.edit_title(edit),
                    why: String::new(),
                    fields: self.fields(before, edit.after.as_ref()),
                    run: String::new(),
                    version_id: self.version(edit.edit_id, edit.after.as_ref()),
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
            calendar: connection.map_or(t!("The calendar"), |row| label(&row.provider)),
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
            version_id: String::new(),
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
        self.differences(&before, &after)
    }

    /// What somebody did, in one line.
    fn edit_title(&self, edit: &EntryEdit) -> String {
        let who = self
            .people
            .get(&edit.user_id)
            .map_or(t!("Somebody who is gone"), |user| {
                user.display_name.as_str()
            });
        match (&edit.after, edit.restored) {
            (None, _) => t!("{who} deleted it in Daybind"),
            (Some(_), Some(of)) => t!("{who} restored the version of {}", self.time(of)),
            (Some(_), None) if edit.entry_version == 1 => t!("{who} planned it in Daybind"),
            (Some(_), None) => t!("{who} changed it in Daybind"),
        }
    }

    /// Names what the entry said from then on, if that is something else than it says now, for those who read it.
    fn version(&self, id: Uuid, after: Option<&Value>) -> String {
        let content = after.and_then(|after| content_of(after).ok());
        let other = self.entry.zip(content).is_some_and(|(entry, content)| {
            privacy::reads_words(self.actor, entry)
                && (entry.deleted_at.is_some()
                    || !self.differences(&entry.content, &content).is_empty())
        });
        if other { id.to_string() } else { String::new() }
    }

    /// Where two contents differ, in words.
    #[must_use]
    pub fn differences(
        &self,
        before: &EntryContent,
        after: &EntryContent,
    ) -> Vec<EntryHistoryField> {
        let mut fields: Vec<_> = differing(before, after)
            .into_iter()
            .map(|field| EntryHistoryField {
                field: name(field).to_owned(),
                before: text_of(field, before, self.zone),
                after: text_of(field, after, self.zone),
            })
            .collect();
        if before.status != after.status {
            fields.push(EntryHistoryField {
                field: t!("Status").to_owned(),
                before: status(before).to_owned(),
                after: status(after).to_owned(),
            });
        }
        fields
    }

    fn time(&self, at: DateTime<Utc>) -> String {
        localtime::to_the_second(at, self.zone)
    }
}

/// A moment as a machine reads it (RFC 3339, to the second).
#[must_use]
pub fn utc(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn name(field: Field) -> &'static str {
    match field {
        Field::Title => t!("Title"),
        Field::Notes => t!("Notes"),
        Field::Location => t!("Location"),
        Field::When => t!("Time"),
        Field::Repeat => t!("Repetition"),
        Field::Shows => t!("Shown as"),
        Field::Private => t!("Privacy"),
    }
}

fn status(content: &EntryContent) -> &'static str {
    match content.status {
        EntryStatus::Scheduled => t!("Scheduled"),
        EntryStatus::Cancelled => t!("Cancelled"),
        EntryStatus::Completed => t!("Completed"),
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
            owner => t!("{} of {owner}", self.calendar),
        }
    }

    /// What happened, in one line.
    fn title(&self, change: &SyncChange) -> String {
        let (named, owner) = (self.named(), self.owner);
        match (change.side.as_str(), change.action.as_str()) {
            ("schedule", "created") => t!("Brought in from {named}"),
            ("schedule", "changed") => t!("Changed in {named}, and so in the schedule"),
            ("schedule", "removed") => t!("Deleted in {named}"),
            ("schedule", "resolved") if !owner.is_empty() => {
                t!("{owner} chose between schedule and calendar")
            }
            ("calendar", "created") => t!("Added to {named}"),
            ("calendar", "removed") => t!("Removed from {named}"),
            ("calendar", _) => t!("Brought up to date in {named}"),
            (_, "conflict") if !owner.is_empty() => {
                t!("Schedule and {named} disagree: {owner} is asked")
            }
            (_, "conflict") => t!("Schedule and {named} disagree"),
            (_, "refused") => t!("Not taken by {named}"),
            (_, "resolved") if !owner.is_empty() => t!("{owner} kept what the schedule says"),
            (_, "resolved") => t!("What the schedule says was kept").to_owned(),
            _ => t!("Left alone in {named}"),
        }
    }
}

/// Why: a sentence for the codes a run records. Other words are for people already.
fn reason(change: &SyncChange) -> Option<String> {
    let words = match change.reason.as_deref()? {
        "marked" => t!("Its title or notes say @daybind."),
        "busy" => t!("All events of this calendar come in as busy blocks."),
        "unsupported" => {
            t!("The calendar says something Daybind cannot express; it stays there unchanged.")
        }
        "repetition" => t!("The calendar cannot express how it repeats; nothing was simplified."),
        "zone" => t!("The calendar does not know its time zone; nothing was guessed."),
        "split" => t!("The series was split in the calendar."),
        "perhaps_split" => {
            t!(
                "A series begins in the calendar where this one was cut off; those meetings may be there twice."
            )
        }
        "put_back" => t!("It was deleted in the calendar, where such entries are put back."),
        "not_brought_in" => t!("The rules of this calendar do not bring its event in any more."),
        "event_deleted" => t!("It was deleted in the calendar."),
        "both_changed" => t!("It was changed on both sides."),
        "series_gone" => t!("Its series is gone from the calendar."),
        "taken_off" => t!("Who deletes it in the own calendar is taken off; the others go on."),
        "cancelled" => t!("It was deleted in the calendar, where that calls the work off."),
        words => return Some(format!("{}.", words.trim_end_matches('.'))),
    };
    Some(words.to_owned())
}

/// What set the run off.
fn trigger(cause: Option<&str>, whose: &Whose<'_>) -> Option<String> {
    Some(match cause? {
        "notification" => t!("{} told Daybind of a change.", whose.calendar),
        "schedule" => t!("A change in the schedule set it off.").to_owned(),
        "person" => t!("Somebody asked for it.").to_owned(),
        "start" => t!("It was found when the connection began.").to_owned(),
        "retry" => t!("It was tried again after a failure.").to_owned(),
        _ => t!("It was found in a regular look.").to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use daybind_domain::ids::TenantId;

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
