//! Changing part of a series: one occurrence, this and the following, or all of it.
//!
//! An occurrence with values of its own (changed, moved or deleted) is an entry that names its series and its day there.
//! Deleting one leaves its tombstone, which keeps the day free.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use daybind_domain::AppError;
use daybind_domain::ids::{EntryId, UserId};
use daybind_domain::recurrence::{End, OccurrenceOf, Rule};
use daybind_domain::schedule::EntryContent;
use daybind_storage::{Entry, NewEntry, StorageError, StorageResult, UnitOfWork};
use daybind_words::t;

use crate::auth::Actor;
use crate::context::Services;
use crate::failure::{AppResult, internal, stored};
use crate::recurrence::{days, first_day, has_day, occurrence, when_on};
use crate::repeat_form;
use crate::schedule::{EntryInput, settle};

/// Which part of a series is meant.
#[derive(Debug, Clone, Default)]
pub struct PartInput {
    /// The occurrence's day by the series' rule, `YYYY-MM-DD`; the first when empty.
    pub day: String,
    /// `this` (also when empty), `following` or `all`.
    pub scope: String,
    /// The series' version, when the entry is an occurrence with values of its own.
    pub series_version: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    This,
    Following,
    All,
}

impl PartInput {
    fn scope(&self) -> AppResult<Scope> {
        match self.scope.as_str() {
            "" | "this" => Ok(Scope::This),
            "following" => Ok(Scope::Following),
            "all" => Ok(Scope::All),
            _ => Err(AppError::field(
                "scope",
                t!("Choose which occurrences are meant."),
            )),
        }
    }
}

/// An occurrence of a series, and the series.
struct Part {
    series: Entry,
    day: NaiveDate,
    /// The entry that stands for it already.
    own: Option<Entry>,
    scope: Scope,
}

/// The day that was chosen, if the series has it.
///
/// # Errors
/// Not found.
pub(crate) fn chosen_day(series: &Entry, text: &str) -> AppResult<NaiveDate> {
    let nothing = || AppError::not_found(t!("The occurrence"));
    let first = first_day(&series.content.when);
    if text.is_empty() {
        return Ok(first);
    }
    let day = text.parse().map_err(|_| nothing())?;
    let rule = series.content.repeats.as_ref().ok_or_else(nothing)?;
    has_day(rule, first, day).then_some(day).ok_or_else(nothing)
}

/// The part that is meant; `None` when the entry's series is gone, and it stands for itself.
async fn find(
    unit: &mut dyn UnitOfWork,
    entry: &Entry,
    input: &PartInput,
) -> AppResult<Option<Part>> {
    let mut scope = input.scope()?;
    let part = if let Some(of) = entry.occurrence_of {
        let series = unit
            .find_entry(entry.tenant_id, of.series)
            .await
            .map_err(internal)?
            .filter(|series| series.deleted_at.is_none() && series.content.repeats.is_some());
        let Some(mut series) = series else {
            return Ok(None);
        };
        series.version = input.series_version;
        Part {
            series,
            day: of.day,
            own: Some(entry.clone()),
            scope,
        }
    } else {
        let day = chosen_day(entry, &input.day)?;
        Part {
            series: entry.clone(),
            day,
            own: None,
            scope,
        }
    };
    // From the first one on is all of it.
    if scope == Scope::Following && part.day <= first_day(&part.series.content.when) {
        scope = Scope::All;
    }
    Ok(Some(Part { scope, ..part }))
}

/// A change somebody typed, with who does the work then.
pub(crate) struct Change<'a> {
    pub(crate) services: &'a Services,
    pub(crate) actor: &'a Actor,
    pub(crate) content: EntryContent,
    pub(crate) assignees: Vec<UserId>,
}

impl Change<'_> {
    /// Gives an entry what was typed. Returns who is concerned.
    pub(crate) async fn whole(
        self,
        unit: &mut dyn UnitOfWork,
        mut entry: Entry,
    ) -> AppResult<Vec<UserId>> {
        let mut people = entry.assignees.clone();
        people.extend(&self.assignees);
        entry.content = self.content;
        entry.assignees = self.assignees;
        put(self.services, unit, &entry).await?;
        Ok(people)
    }

    /// Gives the part that is meant what was typed. Returns who is concerned.
    pub(crate) async fn part(
        self,
        unit: &mut dyn UnitOfWork,
        entry: Entry,
        input: &EntryInput,
    ) -> AppResult<Vec<UserId>> {
        let Some(part) = find(unit, &entry, &input.part).await? else {
            return self.whole(unit, entry).await;
        };
        if part.scope == Scope::This && self.content.private != part.series.content.private {
            return Err(AppError::field(
                "private",
                t!(
                    "An occurrence is as private as its series. Choose “This and the following” or “The whole series”."
                ),
            ));
        }
        match (part.scope, part.own.is_some()) {
            (Scope::This, true) => self.whole(unit, entry).await,
            (Scope::This, false) => self.this(unit, &part).await,
            (Scope::Following, _) => self.following(unit, part, input).await,
            (Scope::All, _) => self.all(unit, part, input).await,
        }
    }

    async fn this(self, unit: &mut dyn UnitOfWork, part: &Part) -> AppResult<Vec<UserId>> {
        let mut people = part.series.assignees.clone();
        people.extend(&self.assignees);
        let new = NewEntry {
            content: EntryContent {
                repeats: None,
                ..self.content
            },
            assignees: self.assignees,
            ..standing_for(self.services, &part.series, part.day, self.actor.user_id())
        };
        add(self.services, unit, &part.series, &new).await?;
        Ok(people)
    }

    /// The rule that was chosen for a series whose first day moves by `moved`. What was left as it was shown stays the rule
    /// it is, even where the occurrence that was opened would read otherwise.
    fn rule(&self, part: &Part, input: &EntryInput, moved: TimeDelta) -> AppResult<Option<Rule>> {
        let first = first_day(&part.series.content.when);
        let kept = part.series.content.repeats.as_ref();
        let typed = first_day(&self.content.when);
        let chosen = repeat_form::read(&input.repeat, typed, kept).map_err(AppError::invalid)?;
        let (Some(chosen), Some(kept)) = (chosen, kept) else {
            return Ok(None);
        };
        let shown = repeat_form::view(kept, first);
        let mut days = input.repeat.days.clone();
        days.sort_by_key(|code| shown.days.iter().position(|known| known == code));
        let same = input.repeat.kind == shown.kind
            && (shown.kind == "keep" || chosen.interval == shown.every)
            && (shown.kind != "weekly" || days == shown.days);
        Ok(Some(if same {
            Rule {
                end: chosen.end,
                ..repeat_form::follow(kept, first, first + moved)
            }
        } else {
            chosen
        }))
    }

    async fn all(
        mut self,
        unit: &mut dyn UnitOfWork,
        part: Part,
        input: &EntryInput,
    ) -> AppResult<Vec<UserId>> {
        let moved = moved(&part, &self.content);
        let rule = self.rule(&part, input, moved)?;
        let typed = self.content.clone();
        if rule.is_some() {
            let first = first_day(&part.series.content.when) + moved;
            self.content.when = when_on(&self.content.when, first);
        }
        settle(&mut self.content, rule)?;
        self.content.status = part.series.content.status;
        let old = part.series.clone();
        let mut series = part.series;
        series.content = self.content.clone();
        series.assignees.clone_from(&self.assignees);
        let rewording = Rewording {
            now: self.services.now(),
            old: &old,
            new: &series,
            moved,
            from: None,
            own: part.own.as_ref().map(|own| (own, &typed)),
        };
        let mut people = rewording.occurrences(unit).await.map_err(entry_stored)?;
        people.extend(&old.assignees);
        people.extend(&series.assignees);
        put(self.services, unit, &series).await?;
        Ok(people)
    }

    /// The series ends before the day; another one begins there.
    async fn following(
        mut self,
        unit: &mut dyn UnitOfWork,
        part: Part,
        input: &EntryInput,
    ) -> AppResult<Vec<UserId>> {
        let moved = moved(&part, &self.content);
        let mut rule = self.rule(&part, input, moved)?;
        let first = first_day(&part.series.content.when);
        if let (Some(rule), Some(kept)) = (&mut rule, &part.series.content.repeats)
            && let (End::Count(shown), End::Count(all)) = (rule.end, kept.end)
            && shown == all
        {
            let gone = days(kept, first, first, part.day).len();
            let left = all.saturating_sub(u32::try_from(gone).unwrap_or(u32::MAX));
            rule.end = End::Count(left.max(1));
        }
        let typed = self.content.clone();
        settle(&mut self.content, rule)?;
        let old = part.series;
        let mut new = Entry {
            entry_id: EntryId(self.services.new_id()),
            content: self.content.clone(),
            assignees: self.assignees.clone(),
            version: 1,
            ..old.clone()
        };
        new.content.status = old.content.status;
        let added = NewEntry {
            tenant_id: new.tenant_id,
            entry_id: new.entry_id,
            content: new.content.clone(),
            occurrence_of: None,
            assignees: new.assignees.clone(),
            created_by: self.actor.user_id(),
        };
        unit.add_entry(&added, self.services.now())
            .await
            .map_err(internal)?;
        let rewording = Rewording {
            now: self.services.now(),
            old: &old,
            new: &new,
            moved,
            from: Some(part.day),
            own: part.own.as_ref().map(|own| (own, &typed)),
        };
        let mut people = rewording.occurrences(unit).await.map_err(entry_stored)?;
        people.extend(&old.assignees);
        people.extend(&new.assignees);
        put(self.services, unit, &ended_before(old, part.day)).await?;
        Ok(people)
    }
}

/// How far the opened occurrence was moved, in days.
fn moved(part: &Part, typed: &EntryContent) -> TimeDelta {
    let shown = part
        .own
        .as_ref()
        .map_or(part.day, |own| first_day(&own.content.when));
    first_day(&typed.when) - shown
}

fn ended_before(mut series: Entry, day: NaiveDate) -> Entry {
    if let (Some(rule), Some(last)) = (&mut series.content.repeats, day.pred_opt()) {
        rule.end = End::Until(last);
    }
    series
}

fn entry_stored(error: StorageError) -> AppError {
    stored(t!("The entry"), error)
}

/// What a series that was reworded as a whole means for its occurrences with values of their own. Returns who is concerned.
///
/// # Errors
/// A storage error.
pub async fn reworded(
    unit: &mut dyn UnitOfWork,
    old: &Entry,
    new: &Entry,
    now: DateTime<Utc>,
) -> StorageResult<Vec<UserId>> {
    let rewording = Rewording::whole(old, new, now);
    rewording.occurrences(unit).await
}

/// Works [`reworded`] out for the occurrences with values of their own; returns those that change.
#[must_use]
pub fn rewording(rows: Vec<Entry>, old: &Entry, new: &Entry, now: DateTime<Utc>) -> Vec<Entry> {
    Rewording::whole(old, new, now).work_out(rows).0
}

/// A series was split where it is kept besides: from `day` on, another one goes on with what it had. Gives that one its
/// occurrences with values of their own, as a split here does; the end of the old one is another change. Returns who is
/// concerned.
///
/// # Errors
/// A storage error.
pub async fn continued(
    unit: &mut dyn UnitOfWork,
    old: &Entry,
    new: &Entry,
    day: NaiveDate,
    now: DateTime<Utc>,
) -> StorageResult<Vec<UserId>> {
    let rewording = Rewording::from(old, new, day, now);
    rewording.occurrences(unit).await
}

/// Works [`continued`] out for the occurrences with values of their own; returns those that change.
#[must_use]
pub fn continuing(
    rows: Vec<Entry>,
    old: &Entry,
    new: &Entry,
    day: NaiveDate,
    now: DateTime<Utc>,
) -> Vec<Entry> {
    Rewording::from(old, new, day, now).work_out(rows).0
}

/// What a reworded series means for its occurrences with values of their own.
struct Rewording<'a> {
    now: DateTime<Utc>,
    old: &'a Entry,
    /// The series they belong to then.
    new: &'a Entry,
    /// By how many days the rule moved.
    moved: TimeDelta,
    /// The first day concerned.
    from: Option<NaiveDate>,
    /// The one that was opened, and what was typed for it.
    own: Option<(&'a Entry, &'a EntryContent)>,
}

impl<'a> Rewording<'a> {
    /// Of the series as a whole.
    fn whole(old: &'a Entry, new: &'a Entry, now: DateTime<Utc>) -> Self {
        Self {
            now,
            old,
            new,
            moved: first_day(&new.content.when) - first_day(&old.content.when),
            from: None,
            own: None,
        }
    }

    /// Of a series that another one continues.
    fn from(old: &'a Entry, new: &'a Entry, day: NaiveDate, now: DateTime<Utc>) -> Self {
        Self {
            moved: first_day(&new.content.when) - day,
            from: Some(day),
            ..Self::whole(old, new, now)
        }
    }

    /// Values that were the series' follow it, own ones stay. An occurrence keeps its day where the series still has it,
    /// else it moves along; one whose day the series no longer has stands for itself from then on.
    /// Of the occurrences with values of their own, those that change, and who is concerned.
    fn work_out(&self, mut rows: Vec<Entry>) -> (Vec<Entry>, Vec<UserId>) {
        // Days move one after the other, and no two may meet.
        if self.moved > TimeDelta::zero() {
            rows.reverse();
        }
        let mut taken: BTreeSet<NaiveDate> = rows
            .iter()
            .filter_map(|row| row.occurrence_of)
            .map(|of| of.day)
            .collect();
        let (mut changed, mut people) = (Vec::new(), Vec::new());
        for mut row in rows {
            let Some(of) = row.occurrence_of else {
                continue;
            };
            if self.from.is_some_and(|from| of.day < from) {
                continue;
            }
            people.extend(&row.assignees);
            let opened = self.own.filter(|(own, _)| own.entry_id == row.entry_id);
            let before = row.clone();
            row.content.private = self.new.content.private;
            if let Some((opened, typed)) = opened {
                row.version = opened.version;
                row.content = EntryContent {
                    status: row.content.status,
                    repeats: None,
                    ..typed.clone()
                };
                row.assignees.clone_from(&self.new.assignees);
            }
            taken.remove(&of.day);
            let day = self
                .day_of(of.day)
                .filter(|day| self.from.is_some() || !taken.contains(day));
            if let Some(day) = day {
                taken.insert(day);
                row.occurrence_of = Some(OccurrenceOf {
                    series: self.new.entry_id,
                    day,
                });
                if opened.is_none() {
                    self.inherit(&mut row, of.day, day);
                }
            } else if opened.is_some() && self.new.content.repeats.is_none() {
                // It is what the series became.
                row.deleted_at = Some(self.now);
            } else {
                row.occurrence_of = None;
            }
            if row != before {
                people.extend(&row.assignees);
                changed.push(row);
            }
        }
        (changed, people)
    }

    async fn occurrences(&self, unit: &mut dyn UnitOfWork) -> StorageResult<Vec<UserId>> {
        let rows = unit
            .list_occurrences(self.old.tenant_id, &[self.old.entry_id])
            .await?;
        let (changed, people) = self.work_out(rows);
        for row in changed {
            unit.update_entry(&row, self.now).await?;
        }
        Ok(people)
    }

    /// The day of an occurrence in the reworded series.
    fn day_of(&self, day: NaiveDate) -> Option<NaiveDate> {
        let rule = self.new.content.repeats.as_ref()?;
        let first = first_day(&self.new.content.when);
        [day, day + self.moved]
            .into_iter()
            .find(|day| has_day(rule, first, *day))
    }

    fn inherit(&self, row: &mut Entry, was: NaiveDate, is: NaiveDate) {
        let old = occurrence(&self.old.content, was);
        let new = occurrence(&self.new.content, is);
        let content = &mut row.content;
        if content.title == old.title {
            content.title = new.title;
        }
        if content.notes == old.notes {
            content.notes = new.notes;
        }
        if content.location == old.location {
            content.location = new.location;
        }
        if content.shows == old.shows {
            content.shows = new.shows;
        }
        if content.when == old.when {
            content.when = new.when;
        }
        if row.assignees == self.old.assignees {
            row.assignees.clone_from(&self.new.assignees);
        }
    }
}

/// Deletes the part that is meant. Returns who is concerned.
pub(crate) async fn remove(
    services: &Services,
    actor: &Actor,
    unit: &mut dyn UnitOfWork,
    mut entry: Entry,
    input: &PartInput,
) -> AppResult<Vec<UserId>> {
    let single = entry.content.repeats.is_none() && entry.occurrence_of.is_none();
    let part = if single {
        None
    } else {
        find(unit, &entry, input).await?
    };
    let now = services.now();
    let mut people = entry.assignees.clone();
    let Some(part) = part.filter(|part| part.scope != Scope::This || part.own.is_none()) else {
        entry.deleted_at = Some(now);
        put(services, unit, &entry).await?;
        return Ok(people);
    };
    people.extend(&part.series.assignees);
    if part.scope == Scope::This {
        let new = standing_for(services, &part.series, part.day, actor.user_id());
        add(services, unit, &part.series, &new).await?;
        let mut row = unit
            .find_entry(new.tenant_id, new.entry_id)
            .await
            .map_err(internal)?
            .ok_or_else(|| internal(StorageError::NotFound))?;
        row.deleted_at = Some(now);
        put(services, unit, &row).await?;
        return Ok(people);
    }
    let rows = unit
        .list_occurrences(part.series.tenant_id, &[part.series.entry_id])
        .await
        .map_err(internal)?;
    for mut row in rows.into_iter().filter(|row| row.deleted_at.is_none()) {
        let later = row.occurrence_of.is_some_and(|of| of.day >= part.day);
        if later || part.scope == Scope::All {
            people.extend(&row.assignees);
            row.deleted_at = Some(now);
            put(services, unit, &row).await?;
        }
    }
    let mut series = part.series;
    if part.scope == Scope::All {
        series.deleted_at = Some(now);
    } else {
        series = ended_before(series, part.day);
    }
    put(services, unit, &series).await?;
    Ok(people)
}

/// The entry that stands for an occurrence, with the series' values.
#[must_use]
pub fn standing_for(
    services: &Services,
    series: &Entry,
    day: NaiveDate,
    created_by: UserId,
) -> NewEntry {
    NewEntry {
        tenant_id: series.tenant_id,
        entry_id: EntryId(services.new_id()),
        content: occurrence(&series.content, day),
        occurrence_of: Some(OccurrenceOf {
            series: series.entry_id,
            day,
        }),
        assignees: series.assignees.clone(),
        created_by,
    }
}

/// Adds an occurrence's entry to a series that was not changed since it was shown.
async fn add(
    services: &Services,
    unit: &mut dyn UnitOfWork,
    series: &Entry,
    new: &NewEntry,
) -> AppResult<()> {
    let current = unit
        .find_entry(series.tenant_id, series.entry_id)
        .await
        .map_err(internal)?;
    if current.is_none_or(|current| current.version != series.version) {
        return Err(stored(t!("The series"), StorageError::Stale));
    }
    match unit.add_entry(new, services.now()).await {
        Err(StorageError::Duplicate(_)) => Err(stored(t!("The occurrence"), StorageError::Stale)),
        other => other.map_err(internal),
    }
}

async fn put(services: &Services, unit: &mut dyn UnitOfWork, entry: &Entry) -> AppResult<()> {
    unit.update_entry(entry, services.now())
        .await
        .map(|_| ())
        .map_err(entry_stored)
}
