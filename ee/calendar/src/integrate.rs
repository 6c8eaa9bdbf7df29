//! Brings one external event's state into the schedule, inside the caller's transaction.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use daybind_domain::ids::{ConnectionId, EntryId};
use daybind_domain::schedule::{EntryContent, EntryStatus};
use daybind_ee_storage::{Connection, Mapping, calendar};
use daybind_storage::{Entry, NewEntry, StorageError, StorageResult, UnitOfWork};

use crate::activity::{Noted, Run};
use crate::admit::{self, Import, ImportRule};
use crate::conflicts;
use crate::engine::Engine;
use crate::event::canonical;
use crate::faults::Fault;
use crate::merge::{
    Deletion, DeletionPolicy, Field, Flow, Outcome, Policy, Rules, decide, decide_deletion,
    differing,
};
use crate::provider::{CalendarProvider, ProviderError, ProviderResult, RemoteEvent, RemoteState};
use crate::split;
use crate::sync::{connections_of, wanted};

/// Looks at one event; 404 and 410 are the provider's word that it was deleted.
///
/// # Errors
/// The provider's.
pub async fn ask_provider(
    provider: &dyn CalendarProvider,
    calendar: &str,
    id: &str,
) -> ProviderResult<RemoteEvent> {
    match provider.get(calendar, id).await {
        Err(ProviderError::NotFound | ProviderError::Gone) => Ok(RemoteEvent::deleted(id)),
        other => other,
    }
}

/// Reads a stored content.
///
/// # Errors
/// `Inconsistent` when the stored JSON is not a content.
pub fn content_of(value: &serde_json::Value) -> StorageResult<EntryContent> {
    serde_json::from_value(value.clone()).map_err(|_| StorageError::Inconsistent {
        table: "calendar_event_mappings",
        column: "base",
    })
}

/// The base of a mapping.
///
/// # Errors
/// See [`content_of`].
pub fn base_of(mapping: &Mapping) -> StorageResult<Option<EntryContent>> {
    mapping.base.as_ref().map(content_of).transpose()
}

/// Stores a content as base.
pub fn set_base(mapping: &mut Mapping, content: Option<&EntryContent>) {
    mapping.base = content.and_then(|content| serde_json::to_value(content).ok());
}

/// In which direction a mapping's changes travel: what is a guest's or a busy block is never written to.
#[must_use]
pub fn flow(connection: &Connection, mapping: &Mapping) -> Flow {
    match mapping.origin.as_str() {
        _ if mapping.beside.is_some() => Flow::In,
        "guest" | "busy" => Flow::In,
        _ => Flow::parse(&connection.direction),
    }
}

/// What an occurrence's event says, as far as its entry is concerned: an occurrence is as private as its series, and what
/// its event says about that is no change. Google would make the whole series as private as the one that was written.
#[must_use]
pub fn of_occurrence(
    mapping: &Mapping,
    entry: &Entry,
    base: Option<&EntryContent>,
    there: &EntryContent,
) -> EntryContent {
    let private = match (entry.occurrence_of, &mapping.series_event_id) {
        (None, _) => there.private,
        // Where it belongs to its series' event, it is never written.
        (Some(_), Some(_)) => entry.content.private,
        // Where it stands alone, the schedule's word goes out.
        (Some(_), None) => base.map_or(entry.content.private, |base| base.private),
    };
    EntryContent {
        private,
        ..there.clone()
    }
}

/// Where the event's online meeting is joined; a busy block says nothing of what it is.
#[must_use]
pub fn meeting_of(origin: &str, event: &RemoteEvent) -> Option<String> {
    event.about.meeting.clone().filter(|_| origin != "busy")
}

/// The rules of a merge through this connection.
#[must_use]
pub fn rules(
    connection: &Connection,
    mapping: &Mapping,
    entry: &Entry,
    remote_at: Option<DateTime<Utc>>,
) -> Rules {
    Rules {
        policy: Policy::parse(&connection.settings.conflict_policy).unwrap_or_default(),
        flow: flow(connection, mapping),
        local_at: entry.updated_at,
        remote_at,
    }
}

/// What a deleted event means for its entry; `others` if somebody else does the work too.
#[must_use]
pub fn deletion(connection: &Connection, mapping: &Mapping, others: bool) -> Deletion {
    let stated = DeletionPolicy::parse(&connection.settings.deletion_policy).unwrap_or_default();
    let policy = match connection.brake.as_deref() {
        // The owner was asked about this very run.
        Some("put_back") => DeletionPolicy::PutBack,
        Some("accept_in") if stated == DeletionPolicy::Ask => DeletionPolicy::Cancel,
        _ => stated,
    };
    decide_deletion(flow(connection, mapping), policy, others)
}

/// What becomes of an event that belongs to no entry, by the connection's direction and rule.
#[must_use]
pub fn imported(connection: &Connection, event: &RemoteEvent) -> Import {
    if !Flow::parse(&connection.direction).comes_in() {
        return Import::Skip("one_way");
    }
    admit::import(
        import_rule(connection),
        connection.settings.show_private,
        event,
    )
}

/// Whether a busy block has lost what it stands for: its event would not come in any more, by the rule, the direction or what
/// it has become. Work that came in stays work.
#[must_use]
pub fn is_over(connection: &Connection, mapping: &Mapping, event: &RemoteEvent) -> bool {
    mapping.origin == "busy"
        && mapping.beside.is_none()
        && mapping.series_event_id.is_none()
        && event.part.is_none()
        && matches!(event.state, RemoteState::Present(_))
        && matches!(imported(connection, event), Import::Skip(_))
}

fn import_rule(connection: &Connection) -> ImportRule {
    ImportRule::parse(&connection.settings.import_rule).unwrap_or_default()
}

/// What an event says to its entry: of a busy block nothing but when.
#[must_use]
pub fn words_of(mapping: &Mapping, content: &EntryContent) -> EntryContent {
    if mapping.origin == "busy" {
        admit::busy(content)
    } else {
        content.clone()
    }
}

/// Notes at a mapping what came of a merge of an entry, which had the version `seen` before it and has another one if the
/// merge changed it, with what the event says.
pub fn settle(
    mapping: &mut Mapping,
    outcome: &Outcome,
    remote: &EntryContent,
    (seen, version): (i64, i64),
) {
    mapping.sent = None;
    if !outcome.push {
        mapping.entry_version = version;
    } else if mapping.entry_version == seen || outcome.apply {
        mapping.entry_version = 0;
    }
    // What is still to be pushed must differ from the base, so the base takes the event's words for it.
    let next = waiting_base(&outcome.base, remote, &outcome.conflicts);
    set_base(mapping, Some(&next));
    mark(mapping, &outcome.conflicts);
}

/// One transaction of incoming changes.
pub struct Inbound<'a> {
    /// The means.
    pub engine: &'a Engine,
    /// Through which connection.
    pub connection: &'a Connection,
    /// In which run.
    pub run: &'a Run,
    /// Other connections that the changes concern; the caller queues them before it commits.
    pub pokes: BTreeSet<ConnectionId>,
    /// Now.
    pub now: DateTime<Utc>,
}

impl Inbound<'_> {
    /// Applies an event to its mapped entry. Our own echo and what does not concern the schedule change nothing.
    ///
    /// # Errors
    /// A storage error; the caller rolls back and the job runs again.
    pub async fn integrate(
        &mut self,
        unit: &mut dyn UnitOfWork,
        mapping: &mut Mapping,
        event: &RemoteEvent,
    ) -> StorageResult<()> {
        mapping.updated_at = self.now;
        let entry = unit
            .find_entry(mapping.tenant_id, mapping.entry_id)
            .await?
            .filter(|entry| wanted(self.connection, entry));
        if mapping.beside.is_some() {
            return self.beside(unit, mapping, entry, event).await;
        }
        match &event.state {
            RemoteState::Deleted => self.deleted(unit, mapping, entry).await,
            RemoteState::LeftView => Ok(()),
            _ if is_over(self.connection, mapping, event) => {
                self.let_go(unit, mapping, entry).await
            }
            _ if event.etag.is_some() && event.etag == mapping.external_etag => {
                let meeting = meeting_of(&mapping.origin, event);
                if mapping.meeting_url == meeting {
                    return Ok(());
                }
                mapping.meeting_url = meeting;
                calendar(unit)?.update_mapping(mapping).await
            }
            RemoteState::Unsupported(fault) => {
                mapping.state = "conflict".to_owned();
                mapping.error = Some(fault.code());
                mapping.external_etag.clone_from(&event.etag);
                mapping.meeting_url = meeting_of(&mapping.origin, event);
                calendar(unit)?.update_mapping(mapping).await?;
                let noted = Noted {
                    action: "skipped",
                    reason: Some("unsupported"),
                    ..Self::about(mapping, "none")
                };
                self.note(unit, noted).await
            }
            RemoteState::Present(content) => {
                mapping.external_etag.clone_from(&event.etag);
                mapping.meeting_url = meeting_of(&mapping.origin, event);
                let Some(entry) = entry else {
                    // The push that follows removes the event.
                    return calendar(unit)?.update_mapping(mapping).await;
                };
                split::doubt(self.connection, mapping, event)?;
                if event.about.perhaps_split && split::is_taken_back(self.connection) {
                    let noted = Noted {
                        action: "skipped",
                        reason: Some("perhaps_split"),
                        ..Self::about(mapping, "none")
                    };
                    self.note(unit, noted).await?;
                }
                let remote = words_of(mapping, content);
                self.changed(unit, mapping, entry, &remote, event.about.changed_at)
                    .await
            }
        }
    }

    /// What becomes of an event that belongs to no entry.
    ///
    /// # Errors
    /// A storage error.
    pub async fn import(
        &mut self,
        unit: &mut dyn UnitOfWork,
        event: &RemoteEvent,
    ) -> StorageResult<()> {
        if self.stands_elsewhere(unit, event).await? || self.goes_on(unit, event).await? {
            return Ok(());
        }
        let Import::Bring { content, origin } = imported(self.connection, event) else {
            return Ok(());
        };
        let tenant_id = self.connection.tenant_id;
        let entry = NewEntry {
            tenant_id,
            entry_id: EntryId(self.engine.next_id()),
            content: content.clone(),
            occurrence_of: None,
            assignees: vec![self.connection.user_id],
            created_by: self.connection.user_id,
        };
        unit.add_entry(&entry, self.now).await?;
        let mut mapping = Mapping {
            tenant_id,
            mapping_id: self.engine.next_id().into(),
            connection_id: self.connection.connection_id,
            entry_id: entry.entry_id,
            external_event_id: Some(event.id.clone()),
            external_etag: event.etag.clone(),
            external_ical_uid: event.ical_uid.clone(),
            series_event_id: None,
            meeting_url: meeting_of(origin, event),
            beside: None,
            copy_left: false,
            answers: 0,
            state: "synced".to_owned(),
            origin: origin.to_owned(),
            generation: 0,
            base: None,
            sent: None,
            entry_version: 1,
            error: None,
            attempts: 0,
            created_at: self.now,
            updated_at: self.now,
        };
        set_base(&mut mapping, Some(&content));
        calendar(unit)?.add_mapping(&mapping).await?;
        self.poke(unit, &entry.assignees).await?;
        let noted = Noted {
            action: "created",
            after: Some(&content),
            reason: Some(import_rule(self.connection).as_str()),
            ..Self::about(&mapping, "schedule")
        };
        self.note(unit, noted).await
    }

    pub(crate) fn about<'m>(mapping: &'m Mapping, side: &'m str) -> Noted<'m> {
        Noted {
            entry: Some(mapping.entry_id),
            event: mapping.external_event_id.as_deref(),
            side,
            actor: "calendar",
            ..Noted::default()
        }
    }

    pub(crate) async fn note(
        &self,
        unit: &mut dyn UnitOfWork,
        noted: Noted<'_>,
    ) -> StorageResult<()> {
        self.run
            .note(unit, self.engine.next_id(), noted, self.now)
            .await
    }

    pub(crate) async fn poke(
        &mut self,
        unit: &mut dyn UnitOfWork,
        people: &[daybind_domain::ids::UserId],
    ) -> StorageResult<()> {
        let found = connections_of(unit, self.connection.tenant_id, people).await?;
        self.pokes.extend(
            found
                .into_iter()
                .filter(|id| *id != self.connection.connection_id),
        );
        Ok(())
    }

    /// The provider's explicit word that the event is gone.
    pub(crate) async fn deleted(
        &mut self,
        unit: &mut dyn UnitOfWork,
        mapping: &mut Mapping,
        entry: Option<Entry>,
    ) -> StorageResult<()> {
        let Some(mut entry) = entry else {
            return self.forget(unit, mapping).await;
        };
        if self.handed_over(unit, mapping, &entry, false).await? {
            return Ok(());
        }
        let people = entry.assignees.clone();
        let others = people.iter().any(|user| *user != self.connection.user_id);
        let before = entry.content.clone();
        let (action, reason) = match deletion(self.connection, mapping, others) {
            Deletion::TakeOff => {
                entry
                    .assignees
                    .retain(|user| *user != self.connection.user_id);
                ("changed", "taken_off")
            }
            // A busy block is nothing but its event.
            Deletion::Ask | Deletion::Cancel if mapping.origin == "busy" => {
                entry.deleted_at = Some(self.now);
                ("removed", "event_deleted")
            }
            Deletion::Cancel => {
                entry.content.status = EntryStatus::Cancelled;
                ("changed", "cancelled")
            }
            Deletion::PutBack => {
                // The push that follows makes the next copy.
                self.forget(unit, mapping).await?;
                let noted = Noted {
                    action: "skipped",
                    reason: Some("put_back"),
                    ..Self::about(mapping, "none")
                };
                return self.note(unit, noted).await;
            }
            Deletion::Ask => return self.ask_about_deletion(unit, mapping, &entry).await,
        };
        self.forget(unit, mapping).await?;
        unit.update_entry(&entry, self.now).await?;
        self.poke(unit, &people).await?;
        if entry.content.repeats.is_some() {
            self.occurrences_go_along(unit, mapping, &entry).await?;
        }
        let noted = Noted {
            action,
            reason: Some(reason),
            before: Some(&before),
            after: Some(&entry.content),
            ..Self::about(mapping, "schedule")
        };
        self.note(unit, noted).await
    }

    /// The mapping's event is gone for good.
    pub(crate) async fn forget(
        &self,
        unit: &mut dyn UnitOfWork,
        mapping: &mut Mapping,
    ) -> StorageResult<()> {
        mapping.state = "removed".to_owned();
        mapping.error = None;
        mapping.sent = None;
        mapping.meeting_url = None;
        calendar(unit)?.update_mapping(mapping).await?;
        conflicts::settle(unit, mapping, "event_gone", self.now).await
    }

    /// A busy block that is over goes, and its event stays as it is. Should that come in again, it is a new block.
    async fn let_go(
        &mut self,
        unit: &mut dyn UnitOfWork,
        mapping: &mut Mapping,
        entry: Option<Entry>,
    ) -> StorageResult<()> {
        if let Some(entry) = &entry
            && self.handed_over(unit, mapping, entry, true).await?
        {
            return Ok(());
        }
        let event = mapping.external_event_id.take();
        self.forget(unit, mapping).await?;
        let Some(mut entry) = entry else {
            return Ok(());
        };
        let (people, before) = (entry.assignees.clone(), entry.content.clone());
        let action = if people.len() > 1 {
            entry
                .assignees
                .retain(|user| *user != self.connection.user_id);
            "changed"
        } else {
            entry.deleted_at = Some(self.now);
            "removed"
        };
        unit.update_entry(&entry, self.now).await?;
        self.poke(unit, &people).await?;
        if entry.content.repeats.is_some() {
            self.occurrences_go_along(unit, mapping, &entry).await?;
            self.untie_occurrences(unit, mapping, &entry).await?;
        }
        let noted = Noted {
            event: event.as_deref(),
            action,
            reason: Some("not_brought_in"),
            before: Some(&before),
            ..Self::about(mapping, "schedule")
        };
        self.note(unit, noted).await
    }

    /// The events of a series' occurrences are known for nothing any more.
    async fn untie_occurrences(
        &self,
        unit: &mut dyn UnitOfWork,
        mapping: &Mapping,
        series: &Entry,
    ) -> StorageResult<()> {
        let (tenant_id, id) = (mapping.tenant_id, mapping.connection_id);
        for row in unit.list_occurrences(tenant_id, &[series.entry_id]).await? {
            let rows = calendar(unit)?;
            let found = rows.find_mapping(tenant_id, id, row.entry_id).await?;
            if let Some(mut tie) = found {
                tie.external_event_id = None;
                tie.updated_at = self.now;
                rows.update_mapping(&tie).await?;
            }
        }
        Ok(())
    }

    async fn ask_about_deletion(
        &mut self,
        unit: &mut dyn UnitOfWork,
        mapping: &mut Mapping,
        entry: &Entry,
    ) -> StorageResult<()> {
        let known = calendar(unit)?
            .find_open_conflict(mapping.tenant_id, mapping.mapping_id)
            .await?;
        let asked = known.is_some_and(|conflict| conflict.kind == "deletion");
        // It may have failed in between, and waits for the answer again.
        if asked && mapping.state == "conflict" && mapping.entry_version == entry.version {
            return Ok(());
        }
        mapping.state = "conflict".to_owned();
        mapping.error = Some(Fault::Deleted.code());
        mapping.entry_version = entry.version;
        mapping.external_etag = None;
        mapping.meeting_url = None;
        calendar(unit)?.update_mapping(mapping).await?;
        conflicts::record(
            unit,
            self.engine,
            mapping,
            entry,
            conflicts::Seen::Deleted,
            self.now,
        )
        .await?;
        if asked {
            return Ok(());
        }
        let noted = Noted {
            action: "conflict",
            reason: Some("event_deleted"),
            before: Some(&entry.content),
            ..Self::about(mapping, "none")
        };
        self.note(unit, noted).await
    }

    pub(crate) async fn changed(
        &mut self,
        unit: &mut dyn UnitOfWork,
        mapping: &mut Mapping,
        mut entry: Entry,
        remote: &EntryContent,
        remote_at: Option<DateTime<Utc>>,
    ) -> StorageResult<()> {
        let local = canonical(&entry.content);
        let rules = rules(self.connection, mapping, &entry, remote_at);
        let base = answered_base(mapping, remote)?;
        let remote = &of_occurrence(mapping, &entry, base.as_ref(), remote);
        let outcome = decide(base.as_ref(), &local, remote, &rules);
        let (seen, before) = (entry.version, entry.content.clone());
        let was = entry.clone();
        if outcome.apply {
            entry.content = EntryContent {
                status: entry.content.status,
                ..outcome.local.clone()
            };
            entry.version = unit.update_entry(&entry, self.now).await?;
            if let Some(at) = remote_at {
                self.run.fresh("in", at, self.now);
            }
            let people = entry.assignees.clone();
            self.poke(unit, &people).await?;
            self.series_reworded(unit, mapping, &was, &entry).await?;
        }
        settle(mapping, &outcome, remote, (seen, entry.version));
        calendar(unit)?.update_mapping(mapping).await?;
        if outcome.conflicts.is_empty() {
            conflicts::settle(unit, mapping, "sides_agree", self.now).await?;
        } else {
            let seen = conflicts::Seen::Changed {
                base: base.as_ref(),
                remote,
                remote_at,
                fields: &outcome.conflicts,
            };
            if conflicts::record(unit, self.engine, mapping, &entry, seen, self.now).await? {
                let noted = Noted {
                    action: "conflict",
                    reason: Some("both_changed"),
                    before: Some(&before),
                    after: Some(remote),
                    ..Self::about(mapping, "none")
                };
                self.note(unit, noted).await?;
            }
        }
        if outcome.apply {
            let noted = Noted {
                action: "changed",
                before: Some(&before),
                after: Some(&entry.content),
                ..Self::about(mapping, "schedule")
            };
            self.note(unit, noted).await?;
        }
        Ok(())
    }
}

/// The base, with our own last write taken into account where the event says just that: its answer was lost, and what we
/// wrote ourselves is no change from outside.
///
/// # Errors
/// See [`content_of`].
pub fn answered_base(
    mapping: &Mapping,
    remote: &EntryContent,
) -> StorageResult<Option<EntryContent>> {
    let sent = mapping.sent.as_ref().map(content_of).transpose()?;
    let mut base = base_of(mapping)?;
    if let (Some(base), Some(sent)) = (&mut base, sent) {
        let theirs = differing(&sent, remote);
        for field in Field::ALL
            .into_iter()
            .filter(|field| !theirs.contains(field))
        {
            field.copy(&sent, base);
        }
    }
    Ok(base)
}

/// The event as seen, except for fields in conflict, which keep the old base.
fn waiting_base(agreed: &EntryContent, remote: &EntryContent, conflicts: &[Field]) -> EntryContent {
    let mut base = EntryContent {
        status: EntryStatus::Scheduled,
        ..remote.clone()
    };
    for field in conflicts {
        field.copy(agreed, &mut base);
    }
    base
}

/// Writes the state that goes with a merge.
pub fn mark(mapping: &mut Mapping, conflicts: &[Field]) {
    mapping.attempts = 0;
    if conflicts.is_empty() {
        mapping.state = "synced".to_owned();
        mapping.error = None;
    } else {
        mapping.state = "conflict".to_owned();
        mapping.error = Some(Fault::Differs(conflicts.to_vec()).code());
    }
}
