//! The outgoing half of a sync: creates, changes and removes copies. Every intent is committed before its call.

use daybind_domain::ids::MappingId;
use daybind_domain::schedule::EntryContent;
use daybind_ee_storage::{Mapping, calendar};
use daybind_services::crash;
use daybind_storage::{Entry, StorageError};

use crate::event::canonical;
use crate::integrate::{ask_provider, base_of, integrate, mark, set_base};
use crate::merge::{differing, merge};
use crate::provider::{CopyKey, ProviderError, RemoteEvent, RemoteState};
use crate::sync::{Lane, goes_out, may_sync};
use crate::tokens::Stop;

/// How often an update is merged anew when the event keeps changing under it.
const MERGES: u32 = 4;
/// After that many refusals an entry waits for its next change.
const ATTEMPTS: i32 = 3;

/// Pushes through one lane.
pub struct Push<'a, 'b> {
    /// The lane.
    pub lane: &'a Lane<'b>,
}

fn key_of(mapping: &Mapping) -> CopyKey {
    CopyKey {
        mapping_id: mapping.mapping_id,
        generation: mapping.generation,
    }
}

impl Push<'_, '_> {
    /// Brings one mapping in line with its entry; `None` when the entry does not belong into this calendar any more.
    ///
    /// # Errors
    /// [`Stop`]; a refusal that concerns this entry alone is noted at the mapping instead.
    pub async fn reconcile(&self, mut mapping: Mapping, entry: Option<&Entry>) -> Result<(), Stop> {
        let out = goes_out(&self.lane.connection);
        let done = match (mapping.state.as_str(), entry) {
            ("removed", None) => return Ok(()),
            ("removing", _) | (_, None) => self.remove(&mut mapping).await,
            _ if !out => return Ok(()),
            ("removed", Some(entry)) => {
                mapping.generation += 1;
                mapping.external_event_id = None;
                mapping.external_etag = None;
                mapping.external_ical_uid = None;
                self.intend(&mut mapping, entry);
                self.store(&mapping).await?;
                self.create(&mut mapping).await
            }
            ("creating", Some(_)) => self.create(&mut mapping).await,
            ("failed", Some(entry))
                if mapping.entry_version == entry.version && mapping.attempts >= ATTEMPTS =>
            {
                return Ok(());
            }
            ("failed", Some(entry)) if mapping.external_event_id.is_none() => {
                self.intend(&mut mapping, entry);
                self.create(&mut mapping).await
            }
            (state, Some(entry)) => {
                if state != "failed" && mapping.entry_version == entry.version {
                    return Ok(());
                }
                self.update(&mut mapping, entry).await
            }
        };
        match done {
            Err(Stop::Provider(ProviderError::Permanent(status))) => {
                tracing::warn!(mapping = %mapping.mapping_id, status, "the provider refuses an entry");
                mapping.state = "failed".to_owned();
                mapping.error = Some(format!(
                    "The calendar refused this entry (status {status})."
                ));
                mapping.attempts += 1;
                if let Some(entry) = entry {
                    mapping.entry_version = entry.version;
                }
                self.store(&mapping).await
            }
            other => other,
        }
    }

    /// Maps an entry for the first time and makes its copy.
    ///
    /// # Errors
    /// See [`Self::reconcile`].
    pub async fn create_new(&self, entry: &Entry) -> Result<(), Stop> {
        let now = self.lane.services.now();
        let mut mapping = Mapping {
            tenant_id: entry.tenant_id,
            mapping_id: MappingId(self.lane.services.new_id()),
            connection_id: self.lane.connection.connection_id,
            entry_id: entry.entry_id,
            external_event_id: None,
            external_etag: None,
            external_ical_uid: None,
            state: "creating".to_owned(),
            generation: 0,
            base: None,
            entry_version: entry.version,
            error: None,
            attempts: 0,
            created_at: now,
            updated_at: now,
        };
        self.intend(&mut mapping, entry);
        let mut unit = self.lane.services.begin(entry.tenant_id).await?;
        let rows = calendar(unit.as_mut())?;
        let connection = rows
            .find_connection(entry.tenant_id, mapping.connection_id)
            .await?;
        if !connection.is_some_and(|connection| may_sync(&connection)) {
            return Err(Stop::Idle);
        }
        match rows.add_mapping(&mapping).await {
            // Another worker was faster; the next run sees its row.
            Err(StorageError::Duplicate(_)) => return Ok(()),
            other => other?,
        }
        unit.save().await?;
        self.reconcile(mapping, Some(entry)).await
    }

    /// What the copy shall say; kept as the base so that a repeated create says the same.
    fn intend(&self, mapping: &mut Mapping, entry: &Entry) {
        mapping.state = "creating".to_owned();
        mapping.error = None;
        mapping.entry_version = entry.version;
        set_base(mapping, Some(&canonical(&entry.content)));
    }

    async fn store(&self, mapping: &Mapping) -> Result<(), Stop> {
        let mut unit = self.lane.services.begin(mapping.tenant_id).await?;
        let mut row = mapping.clone();
        row.updated_at = self.lane.services.now();
        calendar(unit.as_mut())?.update_mapping(&row).await?;
        unit.save().await?;
        Ok(())
    }

    async fn create(&self, mapping: &mut Mapping) -> Result<(), Stop> {
        let lane = self.lane;
        let Some(content) = base_of(mapping)? else {
            return Err(Stop::Storage(StorageError::Inconsistent {
                table: "calendar_event_mappings",
                column: "base",
            }));
        };
        let key = key_of(mapping);
        let event = match lane.provider.create(&lane.calendar, key, &content).await {
            // Made before, and the answer was lost: that one is ours.
            Err(ProviderError::Conflict) => lane
                .provider
                .find_copy(&lane.calendar, key)
                .await?
                .ok_or(ProviderError::Transient("duplicate"))?,
            other => other?,
        };
        crash::point("call.after_response");
        mapping.external_event_id = Some(event.id.clone());
        mapping.external_ical_uid.clone_from(&event.ical_uid);
        mark(mapping, &[]);
        if matches!(&event.state, RemoteState::Present(there) if differing(there, &content).is_empty())
        {
            mapping.external_etag = event.etag;
            return self.store(mapping).await;
        }
        // Changed or deleted since it was made: as any other change from outside.
        self.take_in(mapping, &event).await
    }

    async fn take_in(&self, mapping: &mut Mapping, event: &RemoteEvent) -> Result<(), Stop> {
        let (services, connection) = (self.lane.services, &self.lane.connection);
        let mut unit = services.begin(mapping.tenant_id).await?;
        // `integrate` may find nothing to do; the ids it was called with are kept in any case.
        calendar(unit.as_mut())?.update_mapping(mapping).await?;
        let poked = integrate(unit.as_mut(), connection, mapping, event, services.now()).await?;
        unit.save().await?;
        if poked {
            services.wake.notify_waiters();
        }
        Ok(())
    }

    async fn update(&self, mapping: &mut Mapping, entry: &Entry) -> Result<(), Stop> {
        let lane = self.lane;
        let Some(id) = mapping.external_event_id.clone() else {
            return self.create(mapping).await;
        };
        let mut entry = entry.clone();
        // While in conflict (or after a failure) the base does not tell what the event says.
        let mut look = mapping.state != "synced";
        for _ in 0..MERGES {
            if look {
                let event = ask_provider(lane.provider.as_ref(), &lane.calendar, &id).await?;
                let there = match &event.state {
                    RemoteState::Present(there) => there.clone(),
                    _ => return self.take_in(mapping, &event).await,
                };
                if event.etag != mapping.external_etag {
                    self.take_in(mapping, &event).await?;
                    let Some(current) = self.current(&entry).await? else {
                        return Ok(());
                    };
                    entry = current;
                    if mapping.entry_version == entry.version {
                        return Ok(());
                    }
                }
                match self.write(mapping, &entry, &id, &there).await {
                    Err(Stop::Provider(ProviderError::PreconditionFailed)) => continue,
                    other => return other,
                }
            }
            let Some(base) = base_of(mapping)? else {
                look = true;
                continue;
            };
            match self.write(mapping, &entry, &id, &base).await {
                Err(Stop::Provider(
                    ProviderError::PreconditionFailed
                    | ProviderError::NotFound
                    | ProviderError::Gone,
                )) => {
                    look = true;
                }
                other => return other,
            }
        }
        Err(Stop::Provider(ProviderError::Transient("busy event")))
    }

    /// Merges the entry with what the event says (`there`) and writes what the event lacks.
    async fn write(
        &self,
        mapping: &mut Mapping,
        entry: &Entry,
        id: &str,
        there: &EntryContent,
    ) -> Result<(), Stop> {
        let lane = self.lane;
        let local = canonical(&entry.content);
        let outcome = merge(base_of(mapping)?.as_ref(), Some(&local), Some(there));
        let Some(target) = outcome.remote.as_ref() else {
            return Ok(());
        };
        let fields = differing(there, target);
        if !fields.is_empty() {
            let etag = mapping.external_etag.clone();
            let event = lane
                .provider
                .update(&lane.calendar, id, etag.as_deref(), target, &fields)
                .await?;
            crash::point("call.after_response");
            mapping.external_etag = event.etag;
        }
        mapping.entry_version = entry.version;
        set_base(mapping, outcome.base.as_ref());
        mark(mapping, &outcome.conflicts);
        self.store(mapping).await
    }

    async fn current(&self, entry: &Entry) -> Result<Option<Entry>, Stop> {
        let mut unit = self.lane.services.read(entry.tenant_id).await?;
        let current = unit.find_entry(entry.tenant_id, entry.entry_id).await?;
        Ok(current.filter(|entry| crate::sync::wanted(&self.lane.connection, entry)))
    }

    async fn remove(&self, mapping: &mut Mapping) -> Result<(), Stop> {
        let lane = self.lane;
        if mapping.state != "removing" {
            mapping.error = None;
            // A copy whose making was not confirmed may exist all the same.
            if mapping.external_event_id.is_none() {
                let found = lane
                    .provider
                    .find_copy(&lane.calendar, key_of(mapping))
                    .await?;
                mapping.external_event_id = found.map(|event| event.id);
            }
            mapping.state = "removing".to_owned();
            self.store(mapping).await?;
        }
        if let Some(id) = mapping.external_event_id.clone() {
            lane.provider.delete(&lane.calendar, &id).await?;
            crash::point("call.after_response");
        }
        mapping.state = "removed".to_owned();
        mapping.error = None;
        self.store(mapping).await
    }
}
