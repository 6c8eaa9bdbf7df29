//! The schedule: who works on what, when. Every change tells the calendar port inside its own transaction.

use chrono::{DateTime, Days, NaiveDate, Utc};
use chrono_tz::Tz;
use daybind_domain::ids::{EntryId, UserId};
use daybind_domain::schedule::{EntryContent, EntryStatus, TITLE_MAX, When};
use daybind_domain::user::{Permission, UserType};
use daybind_domain::view::{DayView, EntryView, PersonView, ScheduleView};
use daybind_domain::{AppError, FieldError};
use daybind_storage::{Entry, NewEntry, UnitOfWork, User};

use crate::auth::Actor;
use crate::context::Services;
use crate::failure::{AppResult, internal, stored};
use crate::localtime;
use crate::port::{CalendarPort, EntryChange};

/// An entry as typed into the form; times in the reader's zone.
#[derive(Debug, Clone, Default)]
pub struct EntryInput {
    /// Title.
    pub title: String,
    /// Notes.
    pub notes: String,
    /// Location.
    pub location: String,
    /// Whole days.
    pub all_day: bool,
    /// `YYYY-MM-DDTHH:MM`, or a date when all-day.
    pub start: String,
    /// The same; for all-day entries the last day, inclusive.
    pub end: String,
    /// User ids.
    pub assignees: Vec<String>,
}

/// Today, if it lies in the week that begins on that Monday; otherwise the Monday.
fn offered_day(today: NaiveDate, monday: NaiveDate) -> NaiveDate {
    if localtime::monday(today) == monday {
        today
    } else {
        monday
    }
}

/// One week, Monday to Sunday, in the reader's zone. `week` is any day of it (`YYYY-MM-DD`), today's when absent or
/// unreadable. Technicians see their own entries, administrators everybody's.
///
/// # Errors
/// Forbidden for client-portal users.
pub async fn week(
    services: &Services,
    port: &dyn CalendarPort,
    actor: &Actor,
    week: Option<&str>,
) -> AppResult<ScheduleView> {
    actor.require(Permission::ScheduleOwn)?;
    let zone = localtime::zone(&actor.user.time_zone);
    let today = services.now().with_timezone(&zone).date_naive();
    let day = week
        .and_then(|text| text.parse::<NaiveDate>().ok())
        .unwrap_or(today);
    let monday = localtime::monday(day);
    let next = shift(monday, 7);
    let (Some(from), Some(to)) = (
        localtime::start_of_day(monday, zone),
        localtime::start_of_day(next, zone),
    ) else {
        return Err(AppError::field(
            "week",
            "This week is outside the calendar.",
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
    drop(unit);
    let ids: Vec<EntryId> = entries.iter().map(|entry| entry.entry_id).collect();
    let marks = port.get_schedule_entry_sync_status(actor, &ids).await?;
    let mut days: Vec<DayView> = (0..7)
        .map(|offset| {
            let date = shift(monday, offset);
            DayView {
                date: date.to_string(),
                title: date.format("%A %-d %B").to_string(),
                entries: Vec::new(),
            }
        })
        .collect();
    for (entry, mark) in entries.iter().zip(marks) {
        let mut view = entry_view(entry, zone, &users);
        view.sync = mark;
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
    })
}

/// One entry, for its form.
///
/// # Errors
/// Not found, also for entries of others a technician may not see.
pub async fn entry(
    services: &Services,
    port: &dyn CalendarPort,
    actor: &Actor,
    entry_id: &str,
) -> AppResult<EntryView> {
    actor.require(Permission::ScheduleOwn)?;
    let mut unit = services.read(actor.tenant_id).await?;
    let entry = visible(unit.as_mut(), actor, entry_id).await?;
    let users = unit.list_users(actor.tenant_id).await.map_err(internal)?;
    drop(unit);
    let mut view = entry_view(&entry, localtime::zone(&actor.user.time_zone), &users);
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
    let (content, assignees) = check(actor, input, &users)?;
    let entry_id = EntryId(services.new_id());
    let entry = NewEntry {
        tenant_id: actor.tenant_id,
        entry_id,
        content,
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
    };
    finish(services, port, unit, &change).await?;
    Ok(entry_id)
}

/// Changes an entry that still has `version`.
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
    let users = unit.list_users(actor.tenant_id).await.map_err(internal)?;
    let (mut content, assignees) = check(actor, input, &users)?;
    content.status = entry.content.status;
    // The zone an entry was planned in is part of it; editing from another zone does not replan it.
    if let (When::Timed { zone: kept, .. }, When::Timed { zone, .. }) =
        (&entry.content.when, &mut content.when)
    {
        zone.clone_from(kept);
    }
    let mut people = entry.assignees.clone();
    people.extend(
        assignees
            .iter()
            .copied()
            .filter(|id| !entry.assignees.contains(id)),
    );
    entry.content = content;
    entry.assignees = assignees;
    entry.version = version;
    unit.update_entry(&entry, services.now())
        .await
        .map_err(|e| stored("The entry", e))?;
    let change = EntryChange {
        tenant_id: actor.tenant_id,
        entry_id: entry.entry_id,
        people,
    };
    finish(services, port, unit, &change).await
}

/// Deletes an entry that still has `version`. It stays as a tombstone until every copy is gone.
///
/// # Errors
/// Not found; changed by somebody else meanwhile.
pub async fn delete(
    services: &Services,
    port: &dyn CalendarPort,
    actor: &Actor,
    entry_id: &str,
    version: i64,
) -> AppResult<()> {
    let mut unit = services.begin(actor.tenant_id).await?;
    let mut entry = visible(unit.as_mut(), actor, entry_id).await?;
    entry.version = version;
    entry.deleted_at = Some(services.now());
    unit.update_entry(&entry, services.now())
        .await
        .map_err(|e| stored("The entry", e))?;
    let change = EntryChange {
        tenant_id: actor.tenant_id,
        entry_id: entry.entry_id,
        people: entry.assignees,
    };
    finish(services, port, unit, &change).await
}

async fn finish(
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
async fn visible(unit: &mut dyn UnitOfWork, actor: &Actor, entry_id: &str) -> AppResult<Entry> {
    actor.require(Permission::ScheduleOwn)?;
    let nothing = || AppError::not_found("The schedule entry");
    let entry_id: EntryId = entry_id.parse().map_err(|_| nothing())?;
    let entry = unit
        .find_entry(actor.tenant_id, entry_id)
        .await
        .map_err(internal)?;
    entry
        .filter(|entry| entry.deleted_at.is_none())
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
        refuse("title", "Enter a title.");
    } else if title.chars().count() > TITLE_MAX {
        refuse("title", "Use at most 255 characters.");
    }
    let when = read_when(input, &actor.user.time_zone);
    match &when {
        None => refuse("start", "Enter when it starts and ends."),
        Some(when) if !when.is_ordered() => refuse("end", "It must end after it starts."),
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
                "Choose people of your team. Without schedule rights for others, that is you.",
            ),
        }
    }
    if assignees.is_empty() && !wrong.iter().any(|w| w.field == "assignees") {
        wrong.push(FieldError {
            field: "assignees".to_owned(),
            message: "Choose at least one person.".to_owned(),
        });
    }
    assignees.sort_unstable();
    match when {
        Some(when) if wrong.is_empty() => Ok((
            EntryContent {
                title: title.to_owned(),
                notes: input.notes.trim().replace("\r\n", "\n"),
                location: input.location.trim().to_owned(),
                when,
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

fn entry_view(entry: &Entry, zone: Tz, users: &[User]) -> EntryView {
    let content = &entry.content;
    let (all_day, start_local, end_local, day, time_text) = match &content.when {
        When::Timed { start, end, .. } => {
            let (from, to) = (start.with_timezone(&zone), end.with_timezone(&zone));
            let until = if from.date_naive() == to.date_naive() {
                to.format("%H:%M").to_string()
            } else {
                to.format("%-d %b %H:%M").to_string()
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
                "All day".to_owned(),
            )
        }
    };
    EntryView {
        entry_id: entry.entry_id.to_string(),
        version: entry.version,
        title: content.title.clone(),
        notes: content.notes.clone(),
        location: content.location.clone(),
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
