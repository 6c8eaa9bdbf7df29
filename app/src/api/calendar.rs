//! The stable calendar actions: delegators to the edition's port. In Community each refuses in the same words with a
//! typed error, before anything is read (PRD, "Stable Routes And Addressable Boundaries").

use std::collections::BTreeMap;

use daybind_domain::conflict_preview::{ConflictPreviewView, ConflictsAnswered, OwnConflictsView};
use daybind_domain::conflict_view::{ConflictInboxView, ConflictView};
use daybind_domain::connection_view::{ConnectionDetailView, ManagedConnections};
use daybind_domain::version_view::EntryVersionView;
use daybind_domain::view::{
    CalendarProfileView, CalendarSettingsView, CoverageQuery, EntryHistoryView, GoogleClientView,
    RemoteCalendarView, SyncPreview,
};
use leptos::prelude::*;

use super::text::Answer;
use crate::error::ApiError;

/// The reader's connections and what can be connected.
///
/// # Errors
/// Signed out; enterprise only.
#[server(endpoint = "get_calendar_providers", output = Answer)]
pub async fn get_calendar_providers() -> Result<CalendarProfileView, ApiError> {
    use crate::server::{actor, answer, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    answer(state.calendar.get_calendar_providers(&actor).await)
}

/// The tenant's connections, a page of those that were asked for, and how it stands for all of its people.
///
/// # Errors
/// Signed out; forbidden; enterprise only.
#[server(endpoint = "get_calendar_settings", output = Answer)]
pub async fn get_calendar_settings(
    #[server(default)] query: CoverageQuery,
) -> Result<CalendarSettingsView, ApiError> {
    use crate::server::{actor, answer, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    answer(state.calendar.get_calendar_settings(&actor, &query).await)
}

/// Starts an OAuth round trip: sends the browser to the provider.
///
/// # Errors
/// Signed out; not ready; enterprise only.
#[server(endpoint = "initiate_calendar_oauth", output = Answer)]
pub async fn initiate_calendar_oauth(
    provider: String,
    #[server(default)] connection_id: String,
) -> Result<String, ApiError> {
    use crate::server::{actor, answer, redirect, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    let connection = Some(connection_id).filter(|id| !id.is_empty());
    let url = answer(
        state
            .calendar
            .initiate_calendar_oauth(&actor, &provider, connection.as_deref())
            .await,
    )?;
    redirect(&url);
    Ok(url)
}

/// The calendars of the connected account.
///
/// # Errors
/// Signed out; not found; provider trouble; enterprise only.
#[server(endpoint = "list_remote_calendars", output = Answer)]
pub async fn list_remote_calendars(
    connection_id: String,
) -> Result<Vec<RemoteCalendarView>, ApiError> {
    use crate::server::{actor, answer, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    answer(
        state
            .calendar
            .list_remote_calendars(&actor, &connection_id)
            .await,
    )
}

/// What happened to an entry, and why.
///
/// # Errors
/// Signed out; not found; enterprise only.
#[server(endpoint = "get_schedule_entry_history", output = Answer)]
pub async fn get_schedule_entry_history(entry_id: String) -> Result<EntryHistoryView, ApiError> {
    use crate::server::{actor, answer, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    answer(
        state
            .calendar
            .get_schedule_entry_history(&actor, &entry_id)
            .await,
    )
}

/// What restoring an earlier version of an entry would do.
///
/// # Errors
/// Signed out; not found; enterprise only.
#[server(endpoint = "get_schedule_entry_version", output = Answer)]
pub async fn get_schedule_entry_version(version_id: String) -> Result<EntryVersionView, ApiError> {
    use crate::server::{actor, answer, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    let found = state
        .calendar
        .get_schedule_entry_version(&actor, &version_id);
    answer(found.await)
}

/// Restores an earlier version of an entry that still has `version`, as it was read at `read_at`.
///
/// # Errors
/// Signed out; not found; changed meanwhile; it cannot be restored; enterprise only.
#[server(endpoint = "restore_schedule_entry_version", output = Answer)]
pub async fn restore_schedule_entry_version(
    version_id: String,
    version: i64,
    #[server(default)] read_at: String,
) -> Result<(), ApiError> {
    use crate::location::encode;
    use crate::server::{actor, answer, redirect, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    let read = (version, read_at.as_str());
    let done = state
        .calendar
        .restore_schedule_entry_version(&actor, &version_id, read);
    let id = encode(&answer(done.await)?);
    redirect(&format!("/msp/schedule?entry={id}&saved=restored"));
    Ok(())
}

/// What the next sync of one's own connection would do, without doing it.
///
/// # Errors
/// Signed out; not found; no calendar chosen; provider trouble; enterprise only.
#[server(endpoint = "preview_calendar_sync", output = Answer)]
pub async fn preview_calendar_sync(
    connection_id: String,
    #[server(default)] calendar_id: String,
    #[server(default)] direction: String,
) -> Result<SyncPreview, ApiError> {
    use crate::server::{actor, answer, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    let some = |text: String| Some(text).filter(|text| !text.is_empty());
    let (calendar, direction) = (some(calendar_id), some(direction));
    let found = state.calendar.preview_calendar_sync(
        &actor,
        &connection_id,
        calendar.as_deref(),
        direction.as_deref(),
    );
    answer(found.await)
}

/// Chooses calendar and direction of one's own connection.
///
/// # Errors
/// Signed out; not found; conflict; enterprise only.
#[server(endpoint = "update_calendar_provider", output = Answer)]
pub async fn update_calendar_provider(
    connection_id: String,
    #[server(default)] calendar_id: String,
    #[server(default)] direction: String,
) -> Result<(), ApiError> {
    use crate::server::{actor, answer, redirect, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    let some = |text: String| Some(text).filter(|text| !text.is_empty());
    let (calendar, direction) = (some(calendar_id), some(direction));
    let done = state.calendar.update_calendar_provider(
        &actor,
        &connection_id,
        calendar.as_deref(),
        direction.as_deref(),
    );
    answer(done.await)?;
    redirect(if calendar.is_some() {
        "/msp/profile?tab=calendar&saved=calendar"
    } else {
        "/msp/profile?tab=calendar&saved=direction"
    });
    Ok(())
}

/// Disconnects one's own connection.
///
/// # Errors
/// Signed out; not found; enterprise only.
#[server(endpoint = "delete_calendar_provider", output = Answer)]
pub async fn delete_calendar_provider(
    connection_id: String,
    #[server(default)] remove_copies: bool,
) -> Result<(), ApiError> {
    use crate::server::{actor, answer, redirect, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    answer(
        state
            .calendar
            .delete_calendar_provider(&actor, &connection_id, remove_copies)
            .await,
    )?;
    redirect("/msp/profile?tab=calendar&saved=disconnected");
    Ok(())
}

/// Syncs one's own connection now.
///
/// # Errors
/// Signed out; not found; enterprise only.
#[server(endpoint = "sync_calendar_provider", output = Answer)]
pub async fn sync_calendar_provider(connection_id: String) -> Result<(), ApiError> {
    use crate::server::{actor, answer, redirect, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    answer(
        state
            .calendar
            .sync_calendar_provider(&actor, &connection_id)
            .await,
    )?;
    redirect("/msp/profile?tab=calendar&saved=sync");
    Ok(())
}

/// Pauses one's own connection (`pause`, for so many hours or until it is resumed) or resumes it (`resume`).
///
/// # Errors
/// Signed out; not found; paused already, or not paused; enterprise only.
#[server(endpoint = "pause_calendar_provider", output = Answer)]
pub async fn pause_calendar_provider(
    connection_id: String,
    action: String,
    #[server(default)] hours: String,
) -> Result<(), ApiError> {
    use crate::server::{actor, answer, redirect, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    let done = state
        .calendar
        .pause_calendar_provider(&actor, &connection_id, &action, &hours);
    answer(done.await)?;
    redirect(if action == "pause" {
        "/msp/profile?tab=calendar&saved=paused"
    } else {
        "/msp/profile?tab=calendar&saved=resumed"
    });
    Ok(())
}

/// One connection of the tenant, with how it is.
///
/// # Errors
/// Signed out; forbidden; not found; enterprise only.
#[server(endpoint = "get_calendar_connection", output = Answer)]
pub async fn get_calendar_connection(
    connection_id: String,
) -> Result<ConnectionDetailView, ApiError> {
    use crate::server::{actor, answer, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    let found = state
        .calendar
        .get_calendar_connection(&actor, &connection_id);
    answer(found.await)
}

/// Does the same with one or many of the tenant's connections: `sync`, `pause`, `resume`, `resync` or `renew`. With `all`, with
/// those that `query` asks for on all of its pages; with `single` one comes back to that connection's page.
///
/// # Errors
/// Signed out; forbidden; nothing chosen; no such action; enterprise only.
#[server(endpoint = "manage_calendar_connections", output = Answer)]
pub async fn manage_calendar_connections(
    action: String,
    #[server(default)] hours: String,
    #[server(default)] connection_ids: Vec<String>,
    #[server(default)] all: bool,
    #[server(default)] query: CoverageQuery,
    #[server(default)] single: bool,
) -> Result<ManagedConnections, ApiError> {
    use crate::location::encode;
    use crate::server::{actor, answer, redirect, state};
    use std::fmt::Write as _;
    let (state, actor) = (answer(state())?, answer(actor())?);
    let wish = daybind_domain::connection_view::ManageConnections {
        action,
        hours,
        connection_ids,
        all,
        query,
    };
    let managed = state.calendar.manage_calendar_connections(&actor, &wish);
    let managed = answer(managed.await)?;
    let mut to = crate::pages::settings::category_address("calendar");
    for (name, value) in wish.query.pairs() {
        let _ = write!(to, "&{name}={}", encode(value));
    }
    if let Some(id) = wish.connection_ids.first().filter(|_| single) {
        let _ = write!(to, "&connection={}", encode(id));
    }
    let (done, left) = (managed.done, managed.left);
    let _ = write!(
        to,
        "&saved={}&done={done}&left={left}",
        encode(&wish.action)
    );
    redirect(&to);
    Ok(managed)
}

/// Says what one's own connection does where both sides disagree, and what it brings in.
///
/// # Errors
/// Signed out; not found; a word that is none; enterprise only.
#[server(endpoint = "update_calendar_rules", output = Answer)]
pub async fn update_calendar_rules(
    connection_id: String,
    conflict_policy: String,
    deletion_policy: String,
    import_rule: String,
    #[server(default)] show_private: bool,
) -> Result<(), ApiError> {
    use crate::server::{actor, answer, redirect, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    let rules = daybind_domain::view::CalendarRulesView {
        conflict_policy,
        deletion_policy,
        import_rule,
        show_private,
    };
    let done = state
        .calendar
        .update_calendar_rules(&actor, &connection_id, &rules);
    answer(done.await)?;
    redirect("/msp/profile?tab=calendar&saved=rules");
    Ok(())
}

/// Answers a question of one's own connection.
///
/// # Errors
/// Signed out; not found; a side that changed meanwhile; enterprise only.
#[server(endpoint = "answer_calendar_question", output = Answer)]
pub async fn answer_calendar_question(
    connection_id: String,
    question_id: String,
    #[server(default)] part: String,
    #[server(default)] choice: String,
) -> Result<(), ApiError> {
    use crate::server::{actor, answer, redirect, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    let done = state.calendar.answer_calendar_question(
        &actor,
        &connection_id,
        &question_id,
        &part,
        &choice,
    );
    answer(done.await)?;
    redirect("/msp/profile?tab=calendar&saved=answer");
    Ok(())
}

/// One disagreement of one's own connection, with everything to choose from.
///
/// # Errors
/// Signed out; not found; enterprise only.
#[server(endpoint = "get_calendar_conflict", output = Answer)]
pub async fn get_calendar_conflict(conflict_id: String) -> Result<ConflictView, ApiError> {
    use crate::server::{actor, answer, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    let found = state.calendar.get_calendar_conflict(&actor, &conflict_id);
    answer(found.await)
}

/// What both sides would say after an answer; `chosen` is its choices as [`resolve_calendar_conflict`] puts them in the address:
/// `field:side`, joined by commas.
///
/// # Errors
/// Signed out; not found; a field without a choice; a side that changed meanwhile; enterprise only.
#[server(endpoint = "preview_calendar_conflict", output = Answer)]
pub async fn preview_calendar_conflict(
    conflict_id: String,
    fingerprint: String,
    #[server(default)] chosen: String,
) -> Result<ConflictPreviewView, ApiError> {
    use crate::server::{actor, answer, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    let choices = chosen.split(',').filter_map(|one| one.split_once(':'));
    let wish = daybind_domain::conflict_view::ConflictAnswer {
        fingerprint,
        choices: choices
            .map(|(field, side)| (field.to_owned(), side.to_owned()))
            .collect(),
        ..Default::default()
    };
    let found = state
        .calendar
        .preview_calendar_conflict(&actor, &conflict_id, &wish);
    answer(found.await)
}

/// Settles a disagreement of one's own connection: every field, in one step. As a `step` that is `preview`, it leads to what that
/// would do instead.
///
/// # Errors
/// Signed out; not found; a field without a choice; a side that changed meanwhile; enterprise only.
#[server(endpoint = "resolve_calendar_conflict", output = Answer)]
pub async fn resolve_calendar_conflict(
    conflict_id: String,
    fingerprint: String,
    #[server(default)] all: String,
    #[server(default)] choices: BTreeMap<String, String>,
    #[server(default)] step: String,
) -> Result<(), ApiError> {
    use crate::location::encode;
    use crate::server::{actor, answer, redirect, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    let chosen = daybind_domain::conflict_view::ConflictAnswer {
        fingerprint,
        all,
        choices,
    };
    if step == "preview" {
        let tried = state
            .calendar
            .preview_calendar_conflict(&actor, &conflict_id, &chosen);
        answer(tried.await)?;
        let choices = chosen.choices.iter();
        let choices: Vec<_> = choices
            .map(|(field, side)| format!("{field}:{side}"))
            .collect();
        redirect(&format!(
            "/msp/profile?tab=calendar&conflict={}&read={}&chosen={}",
            encode(&conflict_id),
            encode(&chosen.fingerprint),
            encode(&choices.join(","))
        ));
        return Ok(());
    }
    let done = state
        .calendar
        .resolve_calendar_conflict(&actor, &conflict_id, &chosen);
    answer(done.await)?;
    redirect("/msp/profile?tab=calendar&saved=answer");
    Ok(())
}

/// The open disagreements about fields of one's own connections; with a `side`, what taking it would do for those picked.
///
/// # Errors
/// Signed out; no such side; enterprise only.
#[server(endpoint = "list_own_calendar_conflicts", output = Answer)]
pub async fn list_own_calendar_conflicts(
    #[server(default)] side: String,
    #[server(default)] picks: Vec<String>,
    #[server(default)] left: Vec<String>,
) -> Result<OwnConflictsView, ApiError> {
    use crate::server::{actor, answer, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    let query = daybind_domain::conflict_preview::OwnConflictsQuery { side, picks, left };
    let found = state.calendar.list_own_calendar_conflicts(&actor, &query);
    answer(found.await)
}

/// Takes one side for several of them, as they were read: `seen` names each as `id:fingerprint`.
///
/// # Errors
/// Signed out; not found; nothing is picked; enterprise only.
#[server(endpoint = "answer_calendar_conflicts", output = Answer)]
pub async fn answer_calendar_conflicts(
    side: String,
    #[server(default)] seen: Vec<String>,
) -> Result<ConflictsAnswered, ApiError> {
    use crate::location::encode;
    use crate::server::{actor, answer, redirect, state};
    use std::fmt::Write as _;
    let (state, actor) = (answer(state())?, answer(actor())?);
    let seen = seen.iter().filter_map(|one| one.split_once(':'));
    let wish = daybind_domain::conflict_preview::ConflictsAnswer {
        side,
        seen: seen
            .map(|(id, fingerprint)| (id.to_owned(), fingerprint.to_owned()))
            .collect(),
    };
    let answered = state.calendar.answer_calendar_conflicts(&actor, &wish);
    let answered = answer(answered.await)?;
    let mut to = format!(
        "/msp/profile?tab=calendar&view=conflicts&done={}",
        answered.done
    );
    for id in &answered.left {
        let _ = write!(to, "&left={}", encode(id));
    }
    redirect(&to);
    Ok(answered)
}

/// A page of the open conflicts of all people, without anything that their calendars say.
///
/// # Errors
/// Signed out; forbidden; enterprise only.
#[server(endpoint = "list_calendar_conflicts", output = Answer)]
pub async fn list_calendar_conflicts(
    #[server(default)] page: String,
) -> Result<ConflictInboxView, ApiError> {
    use crate::server::{actor, answer, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    answer(state.calendar.list_calendar_conflicts(&actor, &page).await)
}

/// The tenant's Google client, without its secret.
///
/// # Errors
/// Signed out; forbidden; enterprise only.
#[server(endpoint = "get_google_client", output = Answer)]
pub async fn get_google_client() -> Result<GoogleClientView, ApiError> {
    use crate::server::{actor, answer, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    answer(state.calendar.get_google_client(&actor).await)
}

/// Stores the tenant's Google client; an empty secret keeps the stored one.
///
/// # Errors
/// Signed out; forbidden; wrong fields; enterprise only.
#[server(endpoint = "save_google_client", output = Answer)]
pub async fn save_google_client(
    client_id: String,
    #[server(default)] client_secret: String,
) -> Result<(), ApiError> {
    use crate::server::{actor, answer, redirect, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    answer(
        state
            .calendar
            .save_google_client(&actor, &client_id, &client_secret)
            .await,
    )?;
    redirect("/msp/settings?tab=integrations&category=providers&saved=oauth_client");
    Ok(())
}
