//! What technicians and admins do with calendars.

use daybind_domain::user::Permission;
use daybind_domain::view::RemoteCalendarView;
use daybind_domain::{AppError, ErrorCode};
use daybind_ee_storage::{Connection, GoogleClient, calendar};
use daybind_services::failure::stored;
use daybind_services::profiles::last_four;
use daybind_services::{Actor, AppResult, Provider, Services, internal};
use daybind_storage::StorageError;
use daybind_words::t;
use secrecy::SecretString;

use crate::engine::Engine;
use crate::merge::Flow;
use crate::oauth::{google_place, is_ending, own};
use crate::provider::{ProviderError, RemoteCalendar};
use crate::tokens::Stop;
use crate::{disconnect, places, retry, subscribe, sync};

fn what() -> &'static str {
    t!("The calendar connection")
}

/// A stop as the person in front of the screen sees it.
pub fn shown(stop: Stop) -> AppError {
    match stop {
        Stop::Idle => AppError::not_found(what()),
        Stop::Reconnect(_) => AppError::new(ErrorCode::Provider, t!("The calendar account no longer lets Daybind in."))
            .next_step(t!("Choose Reconnect.")),
        Stop::Operator(_) => {
            AppError::new(ErrorCode::NotReady, t!("The provider does not accept Daybind's client any more.")).next_step(
                t!("Ask an administrator to check the client secret in Settings > Integrations > Providers."),
            )
        }
        Stop::Busy => AppError::new(ErrorCode::RateLimited, t!("This calendar is being looked at already."))
            .next_step(t!("Try again in a minute.")),
        Stop::Held(_)
        | Stop::Provider(ProviderError::Throttled { .. } | ProviderError::Exhausted { .. }) => {
            AppError::new(ErrorCode::RateLimited, t!("The provider asks Daybind to slow down."))
                .next_step(t!("Try again in a minute."))
        }
        Stop::Provider(error) => {
            tracing::warn!(%error, "calendar provider");
            AppError::new(ErrorCode::Provider, t!("The calendar provider did not give a usable answer."))
                .next_step(t!("Try again in a minute."))
        }
        // Neither comes from looking at calendars.
        Stop::Brake { .. } | Stop::Fenced => AppError::not_found(what()),
        Stop::Storage(error) => internal(error),
        Stop::Internal(error) => error,
    }
}

async fn remote(engine: &Engine, connection: &mut Connection) -> AppResult<Vec<RemoteCalendar>> {
    if let Some(until) = retry::held(connection, engine.now()) {
        return Err(shown(Stop::Held(until)));
    }
    let whose = connection.clone();
    places::for_person(engine, &whose, Box::pin(listed(engine, connection)))
        .await
        .map_err(shown)
}

async fn listed(engine: &Engine, connection: &mut Connection) -> Result<Vec<RemoteCalendar>, Stop> {
    for fresh in [false, true] {
        let provider = engine.connect(connection, fresh).await?;
        match provider.calendars().await {
            Err(ProviderError::Unauthorized) => {}
            other => return Ok(other?),
        }
    }
    Err(Stop::Reconnect("unauthorized"))
}

/// The direction that was asked for, or the one the connection has.
///
/// # Errors
/// A word that is none.
pub fn chosen_direction(connection: &Connection, wanted: Option<&str>) -> AppResult<String> {
    let direction = wanted.unwrap_or(&connection.direction);
    match direction {
        "bidirectional" | "to_external" | "from_external" => Ok(direction.to_owned()),
        _ => Err(AppError::field(
            "direction",
            t!("Choose in which direction changes travel."),
        )),
    }
}

/// Whether another connection has the calendar. Google's ids are the same for everybody a calendar is shared with;
/// Microsoft's are each mailbox's own.
fn is_taken(all: &[Connection], connection: &Connection, calendar: &str) -> bool {
    all.iter().any(|row| {
        row.connection_id != connection.connection_id
            && row.provider == connection.provider
            && (row.provider == "google" || row.account_id == connection.account_id)
            && row.calendar_id.as_deref() == Some(calendar)
    })
}

/// The calendars of one's own connected account, the main one first.
///
/// # Errors
/// Not found, or the provider's refusal.
pub async fn list_calendars(
    engine: &Engine,
    actor: &Actor,
    connection_id: &str,
) -> AppResult<Vec<RemoteCalendarView>> {
    actor.require(Permission::OwnProfile)?;
    let mut unit = engine.read(actor.tenant_id).await?;
    let mut connection = own(unit.as_mut(), actor, connection_id).await?;
    let rows = calendar(unit.as_mut()).map_err(internal)?;
    let all = rows
        .list_connections(actor.tenant_id)
        .await
        .map_err(internal)?;
    drop(unit);
    let mut found = remote(engine, &mut connection).await?;
    found.sort_by_key(|calendar| {
        (
            !calendar.is_primary,
            !calendar.can_write,
            calendar.name.to_lowercase(),
        )
    });
    Ok(found
        .into_iter()
        .map(|calendar| RemoteCalendarView {
            taken: is_taken(&all, &connection, &calendar.id),
            calendar_id: calendar.id,
            name: calendar.name,
            can_write: calendar.can_write,
            is_primary: calendar.is_primary,
        })
        .collect())
}

/// Chooses calendar and direction; queues the first sync.
///
/// # Errors
/// Not found; not writable; taken; another calendar than the one already chosen.
pub async fn update(
    engine: &Engine,
    actor: &Actor,
    connection_id: &str,
    calendar_id: Option<&str>,
    direction: Option<&str>,
) -> AppResult<()> {
    actor.require(Permission::OwnProfile)?;
    let mut unit = engine.read(actor.tenant_id).await?;
    let mut connection = own(unit.as_mut(), actor, connection_id).await?;
    drop(unit);
    let direction = chosen_direction(&connection, direction)?;
    let mut chosen = None;
    if let Some(wanted) =
        calendar_id.filter(|wanted| Some(*wanted) != connection.calendar_id.as_deref())
    {
        if connection.calendar_id.is_some() {
            return Err(AppError::new(ErrorCode::Conflict, t!("This connection already has its calendar."))
                .next_step(t!("To use another calendar, disconnect this one first. You choose whether copies stay.")));
        }
        let found = remote(engine, &mut connection).await?;
        let calendar = found.into_iter().find(|calendar| calendar.id == wanted);
        let calendar = calendar.ok_or_else(|| {
            AppError::field(
                "calendar_id",
                t!("This calendar is not in the account any more."),
            )
        })?;
        if !calendar.can_write && direction != "from_external" {
            return Err(AppError::field(
                "calendar_id",
                t!("Daybind may not write to this calendar. Choose another."),
            ));
        }
        chosen = Some(calendar);
    }
    let mut unit = engine.begin(actor.tenant_id).await?;
    let mut row = own(unit.as_mut(), actor, connection_id).await?;
    let before = serde_json::json!({ "calendar": row.calendar_name, "direction": row.direction });
    let comes_in = |direction: &str| Flow::parse(direction).comes_in();
    if comes_in(&row.direction) != comes_in(&direction) {
        // What the rule brings in depends on it, so everything is looked at again.
        row.cursor = None;
    }
    row.direction = direction;
    let already = || AppError::field("calendar_id", t!("This calendar is already connected."));
    if let Some(calendar) = chosen {
        let rows = daybind_ee_storage::calendar(unit.as_mut()).map_err(internal)?;
        let all = rows
            .list_connections(actor.tenant_id)
            .await
            .map_err(internal)?;
        if is_taken(&all, &row, &calendar.id) {
            return Err(already());
        }
        row.calendar_id = Some(calendar.id);
        row.calendar_name = Some(calendar.name);
        row.cursor = None;
        if row.status == "configuring" {
            row.status = "connected".to_owned();
        }
    }
    row.updated_at = engine.now();
    let rows = calendar(unit.as_mut()).map_err(internal)?;
    rows.update_connection(&row)
        .await
        .map_err(|error| match error {
            StorageError::Duplicate(_) => already(),
            other => stored(what(), other),
        })?;
    if sync::may_sync(&row) {
        let now = engine.now();
        sync::enqueue(
            unit.as_mut(),
            row.tenant_id,
            row.connection_id,
            "person",
            now,
        )
        .await
        .map_err(internal)?;
        subscribe::enqueue(unit.as_mut(), row.tenant_id, row.connection_id, now)
            .await
            .map_err(internal)?;
    }
    let after = serde_json::json!({ "calendar": row.calendar_name, "direction": row.direction });
    let detail = serde_json::json!({ "before": before, "after": after });
    let subject = format!("calendar_provider:{}", row.connection_id);
    unit.add_audit(&actor.audit(engine, "calendar.updated", subject, detail))
        .await
        .map_err(internal)?;
    unit.save().await.map_err(internal)?;
    engine.wake.notify_waiters();
    Ok(())
}

/// Disconnects: nothing syncs from now on; a job tells the provider and erases the rest.
///
/// # Errors
/// Not found.
pub async fn delete(
    services: &Services,
    actor: &Actor,
    connection_id: &str,
    remove_copies: bool,
) -> AppResult<()> {
    actor.require(Permission::OwnProfile)?;
    let mut unit = services.begin(actor.tenant_id).await?;
    let mut row = own(unit.as_mut(), actor, connection_id).await?;
    disconnect::begin(unit.as_mut(), &mut row, remove_copies, services.now())
        .await
        .map_err(|e| stored(what(), e))?;
    let detail =
        serde_json::json!({ "account": row.account_email, "remove_copies": remove_copies });
    let subject = format!("calendar_provider:{}", row.connection_id);
    unit.add_audit(&actor.audit(services, "calendar.disconnected", subject, detail))
        .await
        .map_err(internal)?;
    unit.save().await.map_err(internal)?;
    services.wake.notify_waiters();
    Ok(())
}

/// Queues a sync now; also the way out of an error.
///
/// # Errors
/// Not found; must be set up or reconnected first.
pub async fn sync_now(services: &Services, actor: &Actor, connection_id: &str) -> AppResult<()> {
    actor.require(Permission::OwnProfile)?;
    let mut unit = services.begin(actor.tenant_id).await?;
    let row = own(unit.as_mut(), actor, connection_id).await?;
    if is_ending(&row) || !sync::may_sync(&row) {
        return Err(
            AppError::new(ErrorCode::NotReady, t!("This connection cannot sync yet.")).next_step(
                if row.status == "needs_reconnect" {
                    t!("Choose Reconnect.")
                } else if row.pause.is_some() {
                    t!("Choose Resume.")
                } else {
                    t!("Choose a calendar first.")
                },
            ),
        );
    }
    let now = services.now();
    sync::enqueue(
        unit.as_mut(),
        row.tenant_id,
        row.connection_id,
        "person",
        now,
    )
    .await
    .map_err(internal)?;
    subscribe::enqueue(unit.as_mut(), row.tenant_id, row.connection_id, now)
        .await
        .map_err(internal)?;
    unit.save().await.map_err(internal)?;
    services.wake.notify_waiters();
    Ok(())
}

/// Stores the tenant's Google client.
///
/// # Errors
/// Forbidden; wrong fields.
pub async fn save_google_client(
    services: &Services,
    actor: &Actor,
    client_id: &str,
    client_secret: &str,
) -> AppResult<()> {
    actor.require(Permission::SettingsUpdate)?;
    let (client_id, secret) = (client_id.trim(), client_secret.trim());
    if client_id.is_empty() || client_id.len() > 255 || client_id.contains(char::is_whitespace) {
        return Err(AppError::field(
            "client_id",
            t!("Enter the OAuth client ID from the Google Cloud console."),
        ));
    }
    let mut unit = services.begin(actor.tenant_id).await?;
    let rows = calendar(unit.as_mut()).map_err(internal)?;
    let before = rows
        .find_google_client(actor.tenant_id)
        .await
        .map_err(internal)?;
    let (sealed, last4) = match (&before, secret.is_empty()) {
        (Some(old), true) => (
            old.client_secret_sealed.clone(),
            old.client_secret_last4.clone(),
        ),
        (None, true) => {
            return Err(AppError::field(
                "client_secret",
                t!("Enter the client secret."),
            ));
        }
        (_, false) => {
            let place = google_place(actor.tenant_id);
            let sealed = services
                .keyring
                .seal(&place, &SecretString::from(secret))
                .map_err(internal)?;
            (sealed, last_four(secret))
        }
    };
    let row = GoogleClient {
        tenant_id: actor.tenant_id,
        client_id: client_id.to_owned(),
        client_secret_sealed: sealed,
        client_secret_last4: last4,
        version: 1,
        updated_by: actor.user_id(),
        updated_at: services.now(),
    };
    rows.save_google_client(&row).await.map_err(internal)?;
    retry::wake(
        unit.as_mut(),
        row.tenant_id,
        Provider::Google,
        row.updated_at,
    )
    .await
    .map_err(internal)?;
    let detail = serde_json::json!({
        "before": before.map(|old| old.client_id),
        "after": row.client_id,
        "client_secret": if secret.is_empty() { "kept" } else { "changed" },
    });
    let subject = format!("google_client:{}", actor.tenant_id);
    unit.add_audit(&actor.audit(services, "google_client.saved", subject, detail))
        .await
        .map_err(internal)?;
    unit.save().await.map_err(internal)?;
    services.wake.notify_waiters();
    Ok(())
}
