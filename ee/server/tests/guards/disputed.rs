//! An open conflict at each of a tenant's connections, as if both sides had changed the same.

use daybind_domain::ids::{ConnectionId, EntryId, MappingId, TenantId};
use daybind_ee_storage::{Conflict, Mapping, calendar};
use daybind_guards::{Site, Tenant};
use serde_json::json;

/// Adds them, about the tenant's first entry. A connection that has its calendar, and so may sync, is left alone.
pub async fn disputes(site: &Site, tenant: &Tenant) {
    let services = &site.state.services;
    let (tenant_id, now): (TenantId, _) = (tenant.id.parse().unwrap(), services.now());
    let entry = site.id(tenant, "schedule_entries", "entry_id", 0).await;
    let entry_id: EntryId = entry.parse().unwrap();
    let mut unit = services.begin(tenant_id).await.unwrap();
    let entry = unit.find_entry(tenant_id, entry_id).await.unwrap().unwrap();
    let ours = serde_json::to_value(&entry.content).unwrap();
    let mut theirs = ours.clone();
    theirs["title"] = json!("Theirs");
    let rows = calendar(unit.as_mut()).unwrap();
    for connection in rows.list_connections(tenant_id).await.unwrap() {
        if connection.calendar_id.is_some() {
            continue;
        }
        let connection_id: ConnectionId = connection.connection_id;
        let mapping_id = MappingId(services.new_id());
        let mapping = Mapping {
            tenant_id,
            mapping_id,
            connection_id,
            entry_id,
            external_event_id: Some(format!("event-{mapping_id}")),
            external_etag: None,
            external_ical_uid: None,
            series_event_id: None,
            state: "conflict".to_owned(),
            origin: "schedule".to_owned(),
            beside: None,
            copy_left: false,
            answers: 0,
            generation: 1,
            base: Some(ours.clone()),
            sent: None,
            meeting_url: None,
            entry_version: entry.version,
            error: None,
            attempts: 0,
            created_at: now,
            updated_at: now,
        };
        rows.add_mapping(&mapping).await.unwrap();
        let conflict = Conflict {
            tenant_id,
            conflict_id: services.new_id(),
            connection_id,
            mapping_id,
            entry_id,
            kind: "fields".to_owned(),
            state: "open".to_owned(),
            fields: vec!["title".to_owned()],
            base: Some(ours.clone()),
            local: ours.clone(),
            remote: Some(theirs.clone()),
            local_at: now,
            remote_at: Some(now),
            resolution: None,
            resolved_by: None,
            resolved_at: None,
            created_at: now,
            updated_at: now,
        };
        rows.add_conflict(&conflict).await.unwrap();
    }
    unit.save().await.unwrap();
}
