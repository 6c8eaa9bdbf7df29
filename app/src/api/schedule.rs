//! The schedule.

#![expect(
    clippy::too_many_arguments,
    reason = "one argument for each field of the form"
)]

use daybind_domain::view::{EntryView, ScheduleView};
use leptos::prelude::*;

use super::text::Answer;
use crate::error::ApiError;

/// One week; `week` is any day of it, `YYYY-MM-DD`, or empty for this week. `person` and `status` leave out what others do
/// and what stands otherwise; with `grid` it comes as a grid, too.
///
/// # Errors
/// Signed out; forbidden.
#[server(endpoint = "list_schedule", output = Answer)]
pub async fn list_schedule(
    #[server(default)] week: String,
    #[server(default)] person: String,
    #[server(default)] status: String,
    #[server(default)] grid: bool,
) -> Result<ScheduleView, ApiError> {
    use crate::server::{actor, answer, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    let asked = daybind_services::schedule::WeekAsked {
        week,
        person,
        status,
        grid,
    };
    let view = daybind_services::schedule::week_as(
        &state.services,
        state.calendar.as_ref(),
        &actor,
        &asked,
    );
    answer(view.await)
}

/// One entry; of a series, the occurrence of `day`.
///
/// # Errors
/// Signed out; not found.
#[server(endpoint = "get_schedule_entry", output = Answer)]
pub async fn get_schedule_entry(
    entry_id: String,
    #[server(default)] day: String,
) -> Result<EntryView, ApiError> {
    use crate::server::{actor, answer, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    let view = daybind_services::schedule::entry(
        &state.services,
        state.calendar.as_ref(),
        &actor,
        &entry_id,
        &day,
    );
    answer(view.await)
}

/// Adds an entry (no `entry_id`) or changes the one that still has `version`; of a series, the part that `day` and
/// `scope` name.
///
/// # Errors
/// Signed out; not found; wrong fields; changed by somebody else.
#[server(endpoint = "save_schedule_entry", output = Answer)]
pub async fn save_schedule_entry(
    #[server(default)] entry_id: String,
    #[server(default)] version: i64,
    title: String,
    #[server(default)] notes: String,
    #[server(default)] location: String,
    #[server(default)] shows: String,
    #[server(default)] private: bool,
    #[server(default)] all_day: bool,
    start: String,
    end: String,
    #[server(default)] assignees: Vec<String>,
    #[server(default)] repeat: String,
    #[server(default)] repeat_every: String,
    #[server(default)] repeat_days: Vec<String>,
    #[server(default)] repeat_ends: String,
    #[server(default)] repeat_until: String,
    #[server(default)] repeat_count: String,
    #[server(default)] day: String,
    #[server(default)] scope: String,
    #[server(default)] series_version: i64,
    #[server(default)] week: String,
    #[server(default)] shown: String,
) -> Result<(), ApiError> {
    use crate::server::{actor, answer, redirect, state};
    use daybind_services::repeat_form::RepeatInput;
    use daybind_services::schedule::{EntryInput, create, update};
    use daybind_services::series::PartInput;
    let (state, actor) = (answer(state())?, answer(actor())?);
    let input = EntryInput {
        title,
        notes,
        location,
        shows,
        private,
        all_day,
        start,
        end,
        assignees,
        repeat: RepeatInput {
            kind: repeat,
            every: repeat_every,
            days: repeat_days,
            ends: repeat_ends,
            until: repeat_until,
            count: repeat_count,
        },
        part: PartInput {
            day,
            scope,
            series_version,
        },
    };
    let (services, port) = (&state.services, state.calendar.as_ref());
    let day = input.start.get(..10).unwrap_or_default().to_owned();
    if entry_id.is_empty() {
        answer(create(services, port, &actor, &input).await)?;
    } else {
        answer(update(services, port, &actor, &entry_id, version, &input).await)?;
    }
    let week = if day.is_empty() { week } else { day };
    let shown = shown_part(&shown);
    redirect(&format!("/msp/schedule?week={week}{shown}&saved=entry"));
    Ok(())
}

/// Deletes the entry that still has `version`; of a series, the part that `day` and `scope` name.
///
/// # Errors
/// Signed out; not found; changed by somebody else.
#[server(endpoint = "delete_schedule_entry", output = Answer)]
pub async fn delete_schedule_entry(
    entry_id: String,
    version: i64,
    #[server(default)] day: String,
    #[server(default)] scope: String,
    #[server(default)] series_version: i64,
    #[server(default)] week: String,
    #[server(default)] shown: String,
) -> Result<(), ApiError> {
    use crate::server::{actor, answer, redirect, state};
    use daybind_services::series::PartInput;
    let part = PartInput {
        day,
        scope,
        series_version,
    };
    let (state, actor) = (answer(state())?, answer(actor())?);
    let (services, port) = (&state.services, state.calendar.as_ref());
    let gone =
        daybind_services::schedule::delete(services, port, &actor, &entry_id, version, &part);
    answer(gone.await)?;
    let week: String = week
        .chars()
        .filter(|c| c.is_ascii_digit() || *c == '-')
        .collect();
    let shown = shown_part(&shown);
    let gone = crate::location::encode(&entry_id);
    redirect(&format!(
        "/msp/schedule?week={week}{shown}&saved=deleted&gone={gone}"
    ));
    Ok(())
}

/// Whoever came from the agenda goes back to it.
#[cfg(feature = "ssr")]
fn shown_part(shown: &str) -> &'static str {
    if shown == "agenda" { "&as=agenda" } else { "" }
}
