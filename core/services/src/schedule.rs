//! The schedule: who works on what, when. Every change tells the calendar port inside its own transaction.

use std::collections::HashSet;

use chrono::{DateTime, Days, NaiveDate, Utc};
use chrono_tz::Tz;
use daybind_domain::ids::{EntryId, UserId};
use daybind_domain::recurrence::{OccurrenceOf, Rule};
use daybind_domain::schedule::{EntryContent, EntryStatus, ShowAs, TITLE_MAX, When};
use daybind_domain::user::{Permission, UserType};
use daybind_domain::view::{DayView, EntryView, PartView, PersonView, ScheduleView};
use daybind_domain::{AppError, FieldError};
use daybind_storage::{Entry, NewEntry, UnitOfWork, User};
use daybind_words::t;

use crate::auth::Actor;
use crate::context::Services;
use crate::failure::{AppResult, internal};
use crate::localtime;
use crate::port::{CalendarPort, EntryChange};
use crate::privacy;
use crate::recurrence::{days_between, first_day, first_of, occurrence, when_on};
use crate::repeat_form::{self, RepeatInput};
use crate::series::{self, PartInput};
use crate::week_grid::Axis;
use crate::week_view;

/// An entry as typed into the form; times in the reader's zone.
#[derive(Debug, Clone, Default)]
pub struct EntryInput {
    /// Title.
    pub title: String,
    /// Notes.
    pub notes: String,
    /// Location.
    pub location: String,
    /// `busy` (also when empty) or `free`.
    pub shows: String,
    /// Its words are not for everybody.
    pub private: bool,
    /// Whole days.
    pub all_day: bool,
    /// `YYYY-MM-DDTHH:MM`, or a date when all-day.
    pub start: String,
    /// The same; for all-day entries the last day, inclusive.
    pub end: String,
    /// User ids.
    pub assignees: Vec<String>,
    /// How it repeats.
    pub repeat: RepeatInput,
    /// Which part of a series is meant.
    pub part: PartInput,
}

/// Today, if it lies in the week that begins on that Monday; otherwise the Monday.
fn offered_day(today: NaiveDate, monday: NaiveDate) -> NaiveDate {
    if localtime::monday(today) == monday {
        today
    } else {
        monday
    }
}

/// What is asked of a week; everything may be empty.
#[derive(Debug, Clone, Default)]
pub struct WeekAsked {
    /// Any day of it, `YYYY-MM-DD`; today's week when empty or unreadable.
    pub week: String,
    /// Only what this user does, by id.
    pub person: String,
    /// Only entries of that status, as stored.
    pub status: String,
    /// The grid is wanted too.
    pub grid: bool,
}

/// One week, Monday to Sunday, in the reader's zone, unfiltered and without its grid; see [`week_as`].
///
/// # Errors
/// Forbidden for client-portal users.
pub async fn week(
    services: &Services,
    port: &dyn CalendarPort,
    actor: &Actor,
    week: Option<&str>,
) -> AppResult<ScheduleView> {
    let asked = WeekAsked {
        week: week.unwrap_or_default().to_owned(),
        ..WeekAsked::default()
    };
    week_as(services, port, actor, &asked).await
}

/// One week, Monday to Sunday, in the reader's zone. Technicians see their own entries, administrators everybody's; a
/// person or status there is not has no entries.
///
/// # Errors
/// Forbidden for client-portal users; outside the calendar.
pub async fn week_as(
    services: &Services,
    port: &dyn CalendarPort,
    actor: &Actor,
    asked: &WeekAsked,
) -> AppResult<ScheduleView> {
    actor.require(Permission::ScheduleOwn)?;
    let zone = localtime::zone(&actor.user.time_zone);
    let today = services.now().with_timezone(&zone).date_naive();
    let day = asked.week.parse::<NaiveDate>().unwrap_or(today);
    let monday = localtime::monday(day);
    let next = shift(monday, 7);
    let (Some(from), Some(to)) = (
        localtime::start_of_day(monday, zone),
        localtime::start_of_day(next, zone),
    ) else {
        return Err(AppError::field(
            "week",
            t!("This week is outside the calendar."),
        ));
    };
    let everybody = actor.may(Permission::ScheduleAll);
    let mut unit = services.read(actor.tenant_id).await?;
    let mine = (!everybody).then(|| actor.user_id());
    let entries = unit
        .list_entries(actor.tenant_id, from, to, mine)
        .await
        .map_err(internal)?;
    let users = unit.list_users(actor.tenant_id).await.map_err(internal)?;
    let mut entries = spread(unit.as_mut(), entries, from, to).await?;
    drop(unit);
    entries.retain(|(entry, _)| asked.has(entry));
    let ids: Vec<EntryId> = entries.iter().map(|(entry, _)| entry.entry_id).collect();
    let marks = port.get_schedule_entry_sync_status(actor, &ids).await?;
    let mut days: Vec<DayView> = (0..7)
        .map(|offset| {
            let date = shift(monday, offset);
            DayView {
                date: date.to_string(),
                title: localtime::day(date, "%A %-d %B", "%A, %-d. %B"),
                entries: Vec::new(),
            }
        })
        .collect();
    let mut planned = Vec::new();
    for ((entry, part), mark) in entries.iter().zip(marks) {
        let mut view = entry_view(actor, entry, zone, &users);
        view.sync = mark;
        view.part.clone_from(part);
        if asked.grid {
            planned.push((entry.content.when.clone(), view.clone()));
        }
        // What began before this week shows on its first day.
        let monday_text = monday.to_string();
        let shown = if view.day < monday_text {
            monday_text
        } else {
            view.day.clone()
        };
        if let Some(day) = days.iter_mut().find(|day| day.date == shown)
            && overlaps(&entry.content.when, from, to, monday, next)
        {
            day.entries.push(view);
        }
    }
    Ok(ScheduleView {
        week_start: monday.to_string(),
        offered_day: offered_day(today, monday).to_string(),
        week_title: localtime::week_title(monday),
        previous: monday
            .checked_sub_days(Days::new(7))
            .unwrap_or(monday)
            .to_string(),
        next: next.to_string(),
        days,
        time_zone: zone.name().to_owned(),
        people: assignable(actor, &users),
        grid: asked
            .grid
            .then(|| week_view::grid(&Axis::new(monday, zone), &planned, zone, services.now())),
    })
}

impl WeekAsked {
    fn has(&self, entry: &Entry) -> bool {
        let by = |user: &UserId| user.to_string() == self.person;
        (self.person.is_empty() || entry.assignees.iter().any(by))
            && (self.status.is_empty() || entry.content.status.as_str() == self.status)
    }
}

/// Puts every series' occurrences in its place, each with the part it is; those with values of their own are entries
/// already.
async fn spread(
    unit: &mut dyn UnitOfWork,
    entries: Vec<Entry>,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> AppResult<Vec<(Entry, Option<PartView>)>> {
    let series: Vec<EntryId> = entries
        .iter()
        .filter(|entry| entry.content.repeats.is_some())
        .map(|entry| entry.entry_id)
        .collect();
    let Some(tenant_id) = entries.first().map(|entry| entry.tenant_id) else {
        return Ok(Vec::new());
    };
    let own = unit
        .list_occurrences(tenant_id, &series)
        .await
        .map_err(internal)?;
    let taken: HashSet<_> = own
        .iter()
        .filter_map(|entry| entry.occurrence_of)
        .map(|of| (of.series, of.day))
        .collect();
    let mut shown = Vec::new();
    for entry in entries {
        if entry.content.repeats.is_none() {
            // The rule of its series is of no use here: its version is read when it is opened.
            let part = entry.occurrence_of.map(|of| part(&of, 0, true));
            shown.push((entry, part));
            continue;
        }
        for day in days_between(&entry.content, from, to) {
            if taken.contains(&(entry.entry_id, day)) {
                continue;
            }
            let of = OccurrenceOf {
                series: entry.entry_id,
                day,
            };
            let content = EntryContent {
                repeats: entry.content.repeats.clone(),
                ..occurrence(&entry.content, day)
            };
            let plain = Entry {
                content,
                ..entry.clone()
            };
            shown.push((plain, Some(part(&of, entry.version, false))));
        }
    }
    shown.sort_by_key(|(entry, _)| match &entry.content.when {
        When::Timed { start, .. } => *start,
        When::AllDay { start, .. } => start.and_time(chrono::NaiveTime::MIN).and_utc(),
    });
    Ok(shown)
}

fn part(of: &OccurrenceOf, series_version: i64, own: bool) -> PartView {
    PartView {
        series_id: of.series.to_string(),
        day: of.day.to_string(),
        series_version,
        own,
    }
}

/// One entry, for its form; of a series, the occurrence of `day` (`YYYY-MM-DD`), or the first one.
///
/// # Errors
/// Not found, also for entries of others a technician may not see, and for days the series does not have.
pub async fn entry(
    services: &Services,
    port: &dyn CalendarPort,
    actor: &Actor,
    entry_id: &str,
    day: &str,
) -> AppResult<EntryView> {
    actor.require(Permission::ScheduleOwn)?;
    let zone = localtime::zone(&actor.user.time_zone);
    let mut unit = services.read(actor.tenant_id).await?;
    let mut entry = visible(unit.as_mut(), actor, entry_id).await?;
    let users = unit.list_users(actor.tenant_id).await.map_err(internal)?;
    let mut found = None;
    let mut repeat = None;
    if let Some(rule) = entry.content.repeats.clone() {
        let first = first_day(&entry.content.when);
        let day = series::chosen_day(&entry, day)?;
        let of = OccurrenceOf {
            series: entry.entry_id,
            day,
        };
        found = Some(part(&of, entry.version, false));
        repeat = Some(repeat_form::view(&rule, first));
        entry.content.when = when_on(&entry.content.when, day);
    } else if let Some(of) = entry.occurrence_of {
        let series = unit
            .find_entry(actor.tenant_id, of.series)
            .await
            .map_err(internal)?
            .filter(|series| series.deleted_at.is_none());
        if let Some(series) = series
            && let Some(rule) = &series.content.repeats
        {
            found = Some(part(&of, series.version, true));
            repeat = Some(repeat_form::view(rule, first_day(&series.content.when)));
        }
    }
    drop(unit);
    let mut view = entry_view(actor, &entry, zone, &users);
    view.part = found;
    view.repeat = repeat;
    let marks = port
        .get_schedule_entry_sync_status(actor, &[entry.entry_id])
        .await?;
    view.sync = marks.into_iter().next().flatten();
    Ok(view)
}

/// Adds an entry.
///
/// # Errors
/// Forbidden; wrong fields, all at once.
pub async fn create(
    services: &Services,
    port: &dyn CalendarPort,
    actor: &Actor,
    input: &EntryInput,
) -> AppResult<EntryId> {
    actor.require(Permission::ScheduleOwn)?;
    let mut unit = services.begin(actor.tenant_id).await?;
    let users = unit.list_users(actor.tenant_id).await.map_err(internal)?;
    let (mut content, assignees) = check(actor, input, &users)?;
    repeat(&mut content, input, None)?;
    let entry_id = EntryId(services.new_id());
    let entry = NewEntry {
        tenant_id: actor.tenant_id,
        entry_id,
        content,
        occurrence_of: None,
        assignees: assignees.clone(),
        created_by: actor.user_id(),
    };
    unit.add_entry(&entry, services.now())
        .await
        .map_err(internal)?;
    let change = EntryChange {
        tenant_id: actor.tenant_id,
        entry_id,
        people: assignees,
        by: Some(actor.user_id()),
        restored: None,
    };
    finish(services, port, unit, &change).await?;
    Ok(entry_id)
}

/// Changes an entry that still has `version`; of a series, the part that `input` names.
///
/// # Errors
/// Forbidden; not found; wrong fields; changed by somebody else meanwhile.
pub async fn update(
    services: &Services,
    port: &dyn CalendarPort,
    actor: &Actor,
    entry_id: &str,
    version: i64,
    input: &EntryInput,
) -> AppResult<()> {
    let mut unit = services.begin(actor.tenant_id).await?;
    let mut entry = visible(unit.as_mut(), actor, entry_id).await?;
    entry.version = version;
    let users = unit.list_users(actor.tenant_id).await.map_err(internal)?;
    let (mut content, assignees) = check(actor, input, &users)?;
    content.status = entry.content.status;
    // The zone an entry was planned in is part of it; editing from another zone does not replan it.
    if let (When::Timed { zone: kept, .. }, When::Timed { zone, .. }) =
        (&entry.content.when, &mut content.when)
    {
        zone.clone_from(kept);
    }
    let change = series::Change {
        services,
        actor,
        content,
        assignees,
    };
    let people = if entry.content.repeats.is_some() || entry.occurrence_of.is_some() {
        change.part(unit.as_mut(), entry, input).await?
    } else {
        let mut change = change;
        repeat(&mut change.content, input, None)?;
        change.whole(unit.as_mut(), entry).await?
    };
    finish(services, port, unit, &told(actor, entry_id, people)?).await
}

/// Deletes an entry that still has `version`; of a series, the part that `part` names. It stays as a tombstone until every
/// copy is gone.
///
/// # Errors
/// Not found; changed by somebody else meanwhile.
pub async fn delete(
    services: &Services,
    port: &dyn CalendarPort,
    actor: &Actor,
    entry_id: &str,
    version: i64,
    part: &PartInput,
) -> AppResult<()> {
    let mut unit = services.begin(actor.tenant_id).await?;
    let mut entry = visible(unit.as_mut(), actor, entry_id).await?;
    entry.version = version;
    let people = series::remove(services, actor, unit.as_mut(), entry, part).await?;
    finish(services, port, unit, &told(actor, entry_id, people)?).await
}

pub(crate) fn told(
    actor: &Actor,
    entry_id: &str,
    mut people: Vec<UserId>,
) -> AppResult<EntryChange> {
    people.sort_unstable();
    people.dedup();
    Ok(EntryChange {
        tenant_id: actor.tenant_id,
        entry_id: entry_id
            .parse()
            .map_err(|_| AppError::not_found(t!("The schedule entry")))?,
        people,
        by: Some(actor.user_id()),
        restored: None,
    })
}

/// Makes what was typed a series, as the form says: it begins on the first day its rule has.
///
/// # Errors
/// Wrong fields.
pub(crate) fn repeat(
    content: &mut EntryContent,
    input: &EntryInput,
    kept: Option<&Rule>,
) -> AppResult<()> {
    let first = first_day(&content.when);
    let rule = repeat_form::read(&input.repeat, first, kept).map_err(AppError::invalid)?;
    settle(content, rule)
}

/// Gives a content its rule, and the first day the rule has.
///
/// # Errors
/// The rule has no day.
pub(crate) fn settle(content: &mut EntryContent, rule: Option<Rule>) -> AppResult<()> {
    if let Some(rule) = &rule {
        let begins = first_of(rule, first_day(&content.when)).ok_or_else(|| {
            AppError::field("repeat", t!("With these choices it never takes place."))
        })?;
        content.when = when_on(&content.when, begins);
    }
    content.repeats = rule;
    Ok(())
}

/// Tells the port in the same transaction, and ends that.
pub(crate) async fn finish(
    services: &Services,
    port: &dyn CalendarPort,
    mut unit: Box<dyn UnitOfWork>,
    change: &EntryChange,
) -> AppResult<()> {
    port.entry_changed(unit.as_mut(), change).await?;
    unit.save().await.map_err(internal)?;
    services.wake.notify_waiters();
    Ok(())
}

/// The entry, if it exists and the caller may see it.
///
/// # Errors
/// Not found, also for entries of others a technician may not see.
pub async fn visible(unit: &mut dyn UnitOfWork, actor: &Actor, entry_id: &str) -> AppResult<Entry> {
    let entry = on_record(unit, actor, entry_id).await?;
    Some(entry)
        .filter(|entry| entry.deleted_at.is_none())
        .ok_or_else(nothing)
}

fn nothing() -> AppError {
    AppError::not_found(t!("The schedule entry"))
}

/// The same, deleted or not.
///
/// # Errors
/// Not found.
pub async fn on_record(
    unit: &mut dyn UnitOfWork,
    actor: &Actor,
    entry_id: &str,
) -> AppResult<Entry> {
    actor.require(Permission::ScheduleOwn)?;
    let entry_id: EntryId = entry_id.parse().map_err(|_| nothing())?;
    let entry = unit
        .find_entry(actor.tenant_id, entry_id)
        .await
        .map_err(internal)?;
    entry
        .filter(|entry| {
            actor.may(Permission::ScheduleAll) || entry.assignees.contains(&actor.user_id())
        })
        .ok_or_else(nothing)
}

fn check(
    actor: &Actor,
    input: &EntryInput,
    users: &[User],
) -> AppResult<(EntryContent, Vec<UserId>)> {
    let mut wrong = Vec::new();
    let mut refuse = |field: &str, message: &str| {
        wrong.push(FieldError {
            field: field.to_owned(),
            message: message.to_owned(),
        });
    };
    let title = input.title.trim();
    if title.is_empty() {
        refuse("title", t!("Enter a title."));
    } else if title.chars().count() > TITLE_MAX {
        refuse("title", t!("Use at most 255 characters."));
    }
    let shows = match input.shows.as_str() {
        "" => Some(ShowAs::default()),
        text => ShowAs::parse(text),
    };
    if shows.is_none() {
        refuse("shows", t!("Choose busy or free."));
    }
    let when = read_when(input, &actor.user.time_zone);
    match &when {
        None => refuse("start", t!("Enter when it starts and ends.")),
        Some(when) if !when.is_ordered() => refuse("end", t!("It must end after it starts.")),
        Some(_) => {}
    }
    let mut assignees: Vec<UserId> = Vec::new();
    for text in &input.assignees {
        let known = text.parse::<UserId>().ok().filter(|id| {
            users
                .iter()
                .any(|u| u.user_id == *id && u.is_active && u.user_type == UserType::Internal)
        });
        match known {
            Some(id) if actor.may(Permission::ScheduleAll) || id == actor.user_id() => {
                if !assignees.contains(&id) {
                    assignees.push(id);
                }
            }
            _ => refuse(
                "assignees",
                t!("Choose people of your team. Without schedule rights for others, that is you."),
            ),
        }
    }
    if assignees.is_empty() && !wrong.iter().any(|w| w.field == "assignees") {
        wrong.push(FieldError {
            field: "assignees".to_owned(),
            message: t!("Choose at least one person.").to_owned(),
        });
    }
    assignees.sort_unstable();
    match when.zip(shows) {
        Some((when, shows)) if wrong.is_empty() => Ok((
            EntryContent {
                title: title.to_owned(),
                notes: input.notes.trim().replace("\r\n", "\n"),
                location: input.location.trim().to_owned(),
                when,
                repeats: None,
                shows,
                private: input.private,
                status: EntryStatus::Scheduled,
            },
            assignees,
        )),
        _ => Err(AppError::invalid(wrong)),
    }
}

fn read_when(input: &EntryInput, zone_name: &str) -> Option<When> {
    if input.all_day {
        let day = |text: &str| text.trim().get(..10)?.parse::<NaiveDate>().ok();
        Some(When::AllDay {
            start: day(&input.start)?,
            end: day(&input.end)?.checked_add_days(Days::new(1))?,
        })
    } else {
        let zone = localtime::zone(zone_name);
        Some(When::Timed {
            start: localtime::parse_input(&input.start, zone)?,
            end: localtime::parse_input(&input.end, zone)?,
            zone: zone.name().to_owned(),
        })
    }
}

fn assignable(actor: &Actor, users: &[User]) -> Vec<PersonView> {
    users
        .iter()
        .filter(|user| user.is_active && user.user_type == UserType::Internal)
        .filter(|user| actor.may(Permission::ScheduleAll) || user.user_id == actor.user_id())
        .map(person)
        .collect()
}

fn person(user: &User) -> PersonView {
    PersonView {
        user_id: user.user_id.to_string(),
        name: user.display_name.clone(),
    }
}

fn entry_view(actor: &Actor, entry: &Entry, zone: Tz, users: &[User]) -> EntryView {
    let content = &privacy::seen_by(actor, entry);
    let (all_day, start_local, end_local, day, time_text) = match &content.when {
        When::Timed { start, end, .. } => {
            let (from, to) = (start.with_timezone(&zone), end.with_timezone(&zone));
            let until = if from.date_naive() == to.date_naive() {
                to.format("%H:%M").to_string()
            } else {
                localtime::day_and_clock(*end, zone)
            };
            (
                false,
                localtime::input_value(*start, zone),
                localtime::input_value(*end, zone),
                from.date_naive(),
                format!("{} – {until}", from.format("%H:%M")),
            )
        }
        When::AllDay { start, end } => {
            let last = end.pred_opt().unwrap_or(*end);
            (
                true,
                start.to_string(),
                last.to_string(),
                *start,
                t!("All day").to_owned(),
            )
        }
    };
    EntryView {
        entry_id: entry.entry_id.to_string(),
        version: entry.version,
        title: content.title.clone(),
        notes: content.notes.clone(),
        location: content.location.clone(),
        shows: content.shows.as_str().to_owned(),
        private: content.private,
        all_day,
        start_local,
        end_local,
        day: day.to_string(),
        time_text,
        status: content.status.as_str().to_owned(),
        assignees: users
            .iter()
            .filter(|user| entry.assignees.contains(&user.user_id))
            .map(person)
            .collect(),
        repeat: content
            .repeats
            .as_ref()
            .map(|rule| repeat_form::view(rule, first_day(&content.when))),
        part: None,
        sync: None,
    }
}

fn overlaps(
    when: &When,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    monday: NaiveDate,
    next: NaiveDate,
) -> bool {
    match when {
        When::Timed { start, end, .. } => *start < to && *end > from,
        When::AllDay { start, end } => *start < next && *end > monday,
    }
}

fn shift(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_add_days(Days::new(days)).unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_entry_is_offered_for_today_or_the_week_one_looks_at() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let today = day("2026-11-27");
        for (monday, offered) in [
            ("2026-11-23", "2026-11-27"),
            ("2026-11-30", "2026-11-30"),
            ("2026-11-16", "2026-11-16"),
        ] {
            assert_eq!(offered_day(today, day(monday)), day(offered), "{monday}");
        }
    }
}
