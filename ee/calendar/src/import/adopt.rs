//! The first connect of a connection that was brought over.
//!
//! Which account it belonged to is not known, so the account that connects must show that it sees the same calendar:
//! otherwise every event that is not there would count as deleted, and the work with it.

use daybind_domain::ids::ConnectionId;
use daybind_ee_storage::{Connection, calendar};
use daybind_services::{AppResult, Services, internal};

use crate::provider::{CalendarProvider, ProviderError, RemoteState};

/// Events looked at before giving up.
const LOOKS: usize = 10;
/// Words the predecessor stored in place of an id.
const MAIN: [&str; 2] = ["primary", "calendar"];

/// Stands in place of the account until it is known.
pub(super) fn unproven(id: ConnectionId) -> String {
    format!("import:{id}")
}

/// Whether the account is not known yet.
#[must_use]
pub(crate) fn is_imported(connection: &Connection) -> bool {
    connection.account_id == unproven(connection.connection_id)
}

/// The id of the connection's calendar in this account; `None` when this account does not see that calendar with at least
/// one of the events it was tied to (or sees the calendar, and there are no ties).
///
/// # Errors
/// The provider's, apart from "no such event"; or an internal one.
pub(crate) async fn adopt(
    services: &Services,
    reader: &dyn CalendarProvider,
    connection: &Connection,
) -> AppResult<Result<Option<String>, ProviderError>> {
    let calendars = match reader.calendars().await {
        Ok(calendars) => calendars,
        Err(error) => return Ok(Err(error)),
    };
    let wanted = connection.calendar_id.as_deref().unwrap_or("primary");
    let found = calendars
        .iter()
        .find(|known| known.id == wanted || (MAIN.contains(&wanted) && known.is_primary));
    let Some(found) = found else {
        return Ok(Ok(None));
    };
    let mut unit = services.read(connection.tenant_id).await?;
    let mappings = calendar(unit.as_mut())
        .map_err(internal)?
        .list_mappings(connection.tenant_id, connection.connection_id)
        .await
        .map_err(internal)?;
    drop(unit);
    if mappings.is_empty() {
        return Ok(Ok(Some(found.id.clone())));
    }
    let events = mappings
        .iter()
        .rev()
        .filter_map(|mapping| mapping.external_event_id.as_deref());
    for event in events.take(LOOKS) {
        match reader.get(&found.id, event).await {
            Ok(event) if event.state == RemoteState::Deleted => {}
            Ok(_) => return Ok(Ok(Some(found.id.clone()))),
            Err(ProviderError::NotFound | ProviderError::Gone) => {}
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(None))
}
