//! Writes one connection with everything that hangs on it, in one transaction.

use daybind_domain::Cloud;
use daybind_domain::ids::TenantId;
use daybind_ee_storage::{Connection, ConnectionSettings, Failing, Mapping, calendar};
use daybind_services::import::{ImportError, Step, at};
use daybind_services::{Services, crash};
use daybind_storage::{NewEntry, StorageResult};
use serde_json::json;

use super::adopt::unproven;
use super::sort::Work;

pub(super) async fn apply(
    services: &Services,
    target: TenantId,
    work: &Work,
) -> Result<(), ImportError> {
    write(services, target, work).await.map_err(at(format!(
        "bringing over calendar {} of MSP {target}",
        work.calendar.id
    )))?;
    crash::point("import.after_calendar");
    Ok(())
}

async fn write(services: &Services, target: TenantId, work: &Work) -> StorageResult<()> {
    let now = services.now();
    let mut step = Step::begin(services, target).await?;
    for (source, person) in &work.people {
        step.unit.add_user(person, now).await?;
        step.enter("person", source, Some(person.user.user_id.0))
            .await?;
        step.audit(
            "user.imported",
            format!("user:{}", person.user.user_id),
            json!({ "email": person.user.email, "role": person.user.role.as_str() }),
        )
        .await?;
    }
    calendar(step.unit.as_mut())?
        .add_connection(&connection(services, target, work))
        .await?;
    for (entry_id, content, assignees) in &work.entries {
        let new = NewEntry {
            tenant_id: target,
            entry_id: *entry_id,
            content: content.clone(),
            occurrence_of: None,
            assignees: assignees.clone(),
            created_by: work.owner,
        };
        step.unit.add_entry(&new, now).await?;
        step.enter("entry", entry_id, Some(entry_id.0)).await?;
    }
    for (mapping_id, entry_id, event) in &work.mappings {
        // No base: what both sides last agreed on is not known. The first sync after reconnecting looks at the event and
        // keeps whatever differs as a conflict for the person to decide; it never overwrites either side.
        let mapping = Mapping {
            tenant_id: target,
            mapping_id: *mapping_id,
            connection_id: work.id(),
            entry_id: *entry_id,
            external_event_id: Some(event.clone()),
            external_etag: None,
            external_ical_uid: None,
            series_event_id: None,
            meeting_url: None,
            beside: None,
            copy_left: false,
            answers: 0,
            state: "synced".to_owned(),
            origin: "schedule".to_owned(),
            generation: 0,
            base: None,
            sent: None,
            entry_version: 0,
            error: None,
            attempts: 0,
            created_at: now,
            updated_at: now,
        };
        calendar(step.unit.as_mut())?.add_mapping(&mapping).await?;
    }
    step.enter("calendar", work.calendar.id, Some(work.calendar.id))
        .await?;
    step.audit(
        "calendar.imported",
        format!("calendar_provider:{}", work.id()),
        json!({ "provider": work.calendar.provider, "mappings": work.mappings.len() }),
    )
    .await?;
    crash::point("import.before_calendar_save");
    step.save().await
}

fn connection(services: &Services, target: TenantId, work: &Work) -> Connection {
    let now = services.now();
    let direction = match work.calendar.direction.as_str() {
        known @ ("to_external" | "from_external") => known,
        _ => "bidirectional",
    };
    Connection {
        tenant_id: target,
        connection_id: work.id(),
        user_id: work.owner,
        provider: work.calendar.provider.clone(),
        account_id: unproven(work.id()),
        account_email: work.owner_email.clone(),
        calendar_id: work.calendar.calendar_id.clone(),
        calendar_name: Some(work.calendar.name.clone()).filter(|name| !name.is_empty()),
        status: "needs_reconnect".to_owned(),
        status_reason: Some("imported".to_owned()),
        direction: direction.to_owned(),
        profile_id: work.profile,
        client_id: work.calendar.client_id.clone().unwrap_or_default(),
        cloud: Cloud::Global,
        access_token_sealed: String::new(),
        access_token_expires_at: now,
        refresh_token_sealed: String::new(),
        cursor: None,
        cursor_window_start: None,
        cursor_window_end: None,
        last_sync_at: None,
        last_error: None,
        settings: ConnectionSettings::default(),
        brake: None,
        brake_count: 0,
        brake_occurrences: 0,
        pause: None,
        failing: Failing::default(),
        generation: 0,
        version: 1,
        created_at: now,
        updated_at: now,
    }
}
