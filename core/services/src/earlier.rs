//! Bringing an entry back to what it said before, as a change of its own: what it says now stays on record like everything
//! that was changed.

use chrono::{DateTime, Utc};
use daybind_domain::ids::EntryId;
use daybind_domain::recurrence::End;
use daybind_domain::schedule::EntryContent;
use daybind_domain::{AppError, ErrorCode};
use daybind_storage::{Entry, UnitOfWork};
use daybind_words::t;

use crate::auth::Actor;
use crate::context::Services;
use crate::failure::{AppResult, internal, stored};
use crate::port::CalendarPort;
use crate::recurrence::{days, first_day, has_day};
use crate::schedule::{finish, on_record, told};
use crate::series;

/// An earlier version, and the entry as it was when somebody chose it.
#[derive(Debug, Clone)]
pub struct Restore<'a> {
    /// Which entry; deleted ones are brought back.
    pub entry_id: &'a str,
    /// The version that was read.
    pub version: i64,
    /// What it shall say again. Who does it stays.
    pub content: EntryContent,
    /// Since when it had said that.
    pub of: DateTime<Utc>,
}

/// Why an entry cannot say that again, in a sentence; none where it can.
///
/// # Errors
/// An internal error.
pub async fn hindrance(
    unit: &mut dyn UnitOfWork,
    entry: &Entry,
    content: &EntryContent,
) -> AppResult<Option<&'static str>> {
    let series = match entry.occurrence_of {
        Some(of) => unit
            .find_entry(entry.tenant_id, of.series)
            .await
            .map_err(internal)?
            .filter(|series| series.deleted_at.is_none()),
        None => None,
    };
    Ok(against(entry, content, series.as_ref()))
}

/// `series` is the one whose occurrence the entry is, where it is still there.
fn against(entry: &Entry, content: &EntryContent, series: Option<&Entry>) -> Option<&'static str> {
    let deleted = entry.deleted_at.is_some();
    if !deleted && entry.content == *content {
        return Some(t!("The entry says exactly this now."));
    }
    if let Some(of) = entry.occurrence_of {
        let rule = series.and_then(|series| series.content.repeats.as_ref().zip(Some(series)));
        return match rule {
            None if deleted => Some(t!(
                "It was an occurrence of a series that is gone. Restore the series first, or plan it anew."
            )),
            Some((rule, series))
                if deleted && !has_day(rule, first_day(&series.content.when), of.day) =>
            {
                Some(t!(
                    "It was an occurrence on a day that its series does not have any more. Plan it anew."
                ))
            }
            Some((_, series)) if series.content.private != content.private => Some(t!(
                "An occurrence is as private as its series, and this version is not. Change the other fields in the form."
            )),
            _ => None,
        };
    }
    match (&entry.content.repeats, &content.repeats) {
        (None, Some(_)) => Some(t!(
            "It was a series then. What became of its occurrences since would be there twice: let it repeat in the form instead."
        )),
        (Some(now), Some(then)) if goes_on_longer(now.end, then, content) => Some(t!(
            "The series went on longer then. Another one may have taken its place from that day on: choose its end in the form instead."
        )),
        _ => None,
    }
}

/// Whether the earlier rule has a day after the last one that the series may have now.
fn goes_on_longer(
    now: End,
    then: &daybind_domain::recurrence::Rule,
    content: &EntryContent,
) -> bool {
    let End::Until(last) = now else {
        return false;
    };
    let after = last.succ_opt().unwrap_or(last);
    let first = first_day(&content.when);
    !days(then, first, after, chrono::NaiveDate::MAX).is_empty()
}

/// Gives an entry that still has the version that was read what it said before. A series as a whole: its occurrences follow as
/// when it is changed in the form; those that were deleted with it come back with it.
///
/// # Errors
/// Not found; `Conflict` when it was changed meanwhile, or when it [cannot say that again](hindrance).
pub async fn restore(
    services: &Services,
    port: &dyn CalendarPort,
    actor: &Actor,
    wish: Restore<'_>,
) -> AppResult<EntryId> {
    let mut unit = services.begin(actor.tenant_id).await?;
    let old = on_record(unit.as_mut(), actor, wish.entry_id).await?;
    let stale = |error| stored(t!("The entry"), error);
    if old.version != wish.version {
        return Err(stale(daybind_storage::StorageError::Stale));
    }
    if let Some(why) = hindrance(unit.as_mut(), &old, &wish.content).await? {
        return Err(AppError::new(ErrorCode::Conflict, why));
    }
    let now = services.now();
    let new = Entry {
        content: wish.content,
        deleted_at: None,
        ..old.clone()
    };
    let mut people = old.assignees.clone();
    if old.content.repeats.is_some() {
        if old.deleted_at.is_some() {
            let rows = unit
                .list_occurrences(old.tenant_id, &[old.entry_id])
                .await
                .map_err(internal)?;
            // Those that were deleted before stay so: their days are free in the series, too.
            for mut row in rows
                .into_iter()
                .filter(|row| row.deleted_at == old.deleted_at)
            {
                row.deleted_at = None;
                people.extend(&row.assignees);
                unit.update_entry(&row, now).await.map_err(stale)?;
            }
        }
        let others = series::reworded(unit.as_mut(), &old, &new, now).await;
        people.extend(others.map_err(stale)?);
    }
    unit.update_entry(&new, now).await.map_err(stale)?;
    let mut change = told(actor, wish.entry_id, people)?;
    change.restored = Some(wish.of);
    finish(services, port, unit, &change).await?;
    Ok(new.entry_id)
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use daybind_domain::ids::{TenantId, UserId};
    use daybind_domain::recurrence::{OccurrenceOf, Rule};
    use daybind_domain::schedule::{EntryStatus, ShowAs, When};
    use uuid::Uuid;

    use super::*;
    use crate::repeat_form::{self, RepeatInput};

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    /// Every day from the first of March on, until that day where one is named.
    fn daily(until: &str) -> Rule {
        let input = RepeatInput {
            kind: "daily".to_owned(),
            ends: if until.is_empty() { "" } else { "until" }.to_owned(),
            until: until.to_owned(),
            ..RepeatInput::default()
        };
        let read = repeat_form::read(&input, day("2027-03-01"), None);
        read.unwrap().unwrap()
    }

    fn entry(repeats: Option<Rule>) -> Entry {
        Entry {
            tenant_id: TenantId(Uuid::nil()),
            entry_id: EntryId(Uuid::nil()),
            content: EntryContent {
                title: "Now".to_owned(),
                notes: String::new(),
                location: String::new(),
                when: When::AllDay {
                    start: day("2027-03-01"),
                    end: day("2027-03-02"),
                },
                repeats,
                shows: ShowAs::Busy,
                private: false,
                status: EntryStatus::Scheduled,
            },
            occurrence_of: None,
            assignees: vec![UserId(Uuid::nil())],
            version: 3,
            deleted_at: None,
            updated_at: DateTime::UNIX_EPOCH,
        }
    }

    fn then(repeats: Option<Rule>) -> EntryContent {
        EntryContent {
            title: "Then".to_owned(),
            ..entry(repeats).content
        }
    }

    #[test]
    fn a_series_does_not_come_back_beside_what_became_of_it() {
        let ended = entry(Some(daily("2027-03-10")));
        let says = |now: &Entry, content: &EntryContent| against(now, content, None);
        let longer = says(&ended, &then(Some(daily(""))));
        assert!(longer.is_some_and(|why| why.contains("went on longer")));
        assert_eq!(says(&ended, &then(Some(daily("2027-03-09")))), None);
        assert_eq!(says(&entry(Some(daily(""))), &then(Some(daily("")))), None);
        let single = says(&entry(None), &then(Some(daily(""))));
        assert!(single.is_some_and(|why| why.contains("was a series")));
        assert_eq!(says(&entry(Some(daily(""))), &then(None)), None);
        let same = says(&ended, &ended.content);
        assert!(same.is_some_and(|why| why.contains("exactly this")));
    }

    #[test]
    fn an_occurrence_needs_its_day_and_is_as_private_as_its_series() {
        let series = entry(Some(daily("2027-03-10")));
        let on = |text: &str, deleted: bool| Entry {
            occurrence_of: Some(OccurrenceOf {
                series: series.entry_id,
                day: day(text),
            }),
            deleted_at: deleted.then_some(DateTime::UNIX_EPOCH),
            ..entry(None)
        };
        let gone = against(&on("2027-03-05", true), &then(None), None);
        assert!(gone.is_some_and(|why| why.contains("series that is gone")));
        // One that stands for itself goes on doing so.
        assert_eq!(against(&on("2027-03-05", false), &then(None), None), None);
        let there = Some(&series);
        assert_eq!(against(&on("2027-03-05", true), &then(None), there), None);
        let off = against(&on("2027-03-11", true), &then(None), there);
        assert!(off.is_some_and(|why| why.contains("does not have any more")));
        let hidden = EntryContent {
            private: true,
            ..then(None)
        };
        let private = against(&on("2027-03-05", false), &hidden, there);
        assert!(private.is_some_and(|why| why.contains("as private as its series")));
    }
}
