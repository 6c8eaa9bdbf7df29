//! Decides what of a connection comes over.

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;
use daybind_domain::Consumer;
use daybind_domain::ids::{ConnectionId, EntryId, MappingId, TenantId, UserId};
use daybind_domain::schedule::{EntryContent, EntryStatus, ShowAs, When};
use daybind_domain::user::{Role, UserType, normalise_email};
use daybind_ee_storage::alga::{AlgaCalendar, AlgaEntry, AlgaMapping, AlgaPerson};
use daybind_ee_storage::calendar;
use daybind_services::Services;
use daybind_services::import::{ImportError, Line, Plan, SOURCE, at};
use daybind_storage::{NewUser, Scope, StorageResult, User};
use uuid::Uuid;

use crate::event::canonical;

/// What is here of an MSP.
#[derive(Debug, Default)]
pub(super) struct Here {
    people: Vec<User>,
    ledger: BTreeSet<(String, String)>,
}

impl Here {
    pub(super) async fn read(services: &Services, target: TenantId) -> Result<Self, ImportError> {
        let read = async {
            let mut unit = services.store.read(Scope::Tenant(target)).await?;
            StorageResult::Ok(Self {
                people: unit.list_users(target).await?,
                ledger: unit
                    .list_ledger(target, SOURCE)
                    .await?
                    .into_iter()
                    .map(|row| (row.kind, row.source_id))
                    .collect(),
            })
        };
        read.await
            .map_err(at(format!("reading the people of MSP {target}")))
    }

    fn has(&self, kind: &str, id: Uuid) -> bool {
        self.ledger.contains(&(kind.to_owned(), id.to_string()))
    }
}

/// The profile Calendar is, or will be, bound to.
pub(super) async fn calendar_profile(
    services: &Services,
    target: TenantId,
    plan: &Plan,
) -> Result<Option<Uuid>, ImportError> {
    let planned = plan
        .bindings
        .iter()
        .find(|binding| binding.consumer == Consumer::Calendar)
        .map(|binding| binding.profile_id.0);
    if planned.is_some() {
        return Ok(planned);
    }
    let read = async {
        let mut unit = services.store.read(Scope::Tenant(target)).await?;
        unit.find_binding(target, Consumer::Calendar).await
    };
    let bound = read
        .await
        .map_err(at(format!("reading the bindings of MSP {target}")))?;
    Ok(bound.map(|binding| binding.profile_id.0))
}

pub(super) async fn has_google_client(
    services: &Services,
    target: TenantId,
) -> Result<bool, ImportError> {
    let read = async {
        let mut unit = services.store.read(Scope::Tenant(target)).await?;
        calendar(unit.as_mut())?.find_google_client(target).await
    };
    let client = read
        .await
        .map_err(at(format!("reading the Google client of MSP {target}")))?;
    Ok(client.is_some())
}

/// One connection to write, in one transaction.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) calendar: AlgaCalendar,
    pub(super) owner: UserId,
    pub(super) owner_email: String,
    pub(super) profile: Option<Uuid>,
    /// People to add: id over there, and the person.
    pub(super) people: Vec<(Uuid, NewUser)>,
    /// Entries to add (their ids are kept).
    pub(super) entries: Vec<(EntryId, EntryContent, Vec<UserId>)>,
    /// Ties to add: id, entry, external event.
    pub(super) mappings: Vec<(MappingId, EntryId, String)>,
}

impl Work {
    pub(super) fn id(&self) -> ConnectionId {
        ConnectionId(self.calendar.id)
    }
}

#[derive(Debug)]
pub(super) struct Sorted {
    pub(super) work: Option<Work>,
    pub(super) lines: Vec<Line>,
}

fn name(calendar: &AlgaCalendar) -> String {
    format!(
        "{} calendar \"{}\"",
        if calendar.provider == "google" {
            "Google"
        } else {
            "Microsoft"
        },
        calendar.name.trim()
    )
}

/// People by their id over there: those here already (same id or same email), and those to add.
struct People<'a> {
    target: TenantId,
    there: &'a [AlgaPerson],
    here: &'a Here,
    new: BTreeMap<Uuid, NewUser>,
}

impl People<'_> {
    /// The person here, added if need be; `None` when they are no active member of staff.
    fn take(&mut self, id: Uuid) -> Option<UserId> {
        let person = self.there.iter().find(|p| p.user_id == id && p.is_staff)?;
        let email = normalise_email(&person.email);
        let known = self.here.people.iter().find(|user| {
            user.user_id.0 == id || (!email.is_empty() && normalise_email(&user.email) == email)
        });
        if let Some(known) = known {
            return (known.user_type == UserType::Internal && known.is_active)
                .then_some(known.user_id);
        }
        if !email.contains('@') {
            return None;
        }
        let same_email = self
            .new
            .iter()
            .find(|(_, user)| user.email_normalized == email);
        if let Some((_, same)) = same_email {
            return Some(same.user.user_id);
        }
        let zone = person
            .time_zone
            .as_deref()
            .and_then(|zone| zone.parse::<Tz>().ok())
            .map_or_else(|| "UTC".to_owned(), |zone| zone.name().to_owned());
        let user = User {
            tenant_id: self.target,
            user_id: UserId(id),
            email: person.email.trim().to_owned(),
            display_name: if person.name.is_empty() {
                person.email.trim().to_owned()
            } else {
                person.name.clone()
            },
            user_type: UserType::Internal,
            // Never more than they need here; an administrator raises them.
            role: Role::Technician,
            is_active: true,
            time_zone: zone,
        };
        self.new.insert(
            id,
            NewUser {
                user,
                email_normalized: email,
                password_hash: None,
            },
        );
        Some(UserId(id))
    }

    fn zone(&self, id: UserId) -> String {
        let known = self.here.people.iter().find(|user| user.user_id == id);
        let new = self.new.values().map(|new| &new.user);
        known
            .or_else(|| new.into_iter().find(|user| user.user_id == id))
            .map_or_else(|| "UTC".to_owned(), |user| user.time_zone.clone())
    }
}

/// Why an entry stays behind, or what it says.
fn content(entry: &AlgaEntry, zone: String) -> Result<EntryContent, &'static str> {
    if entry.is_recurring {
        return Err("part of a series");
    }
    if entry.is_private {
        return Err("private");
    }
    let (Some(start), Some(end)) = (entry.start, entry.end) else {
        return Err("without a time");
    };
    if start >= end {
        return Err("without a duration");
    }
    let status = match entry.status.to_lowercase().as_str() {
        "cancelled" | "canceled" => EntryStatus::Cancelled,
        "completed" | "closed" => EntryStatus::Completed,
        _ => EntryStatus::Scheduled,
    };
    let plain = canonical(&EntryContent {
        title: entry.title.clone(),
        notes: entry.notes.clone(),
        location: String::new(),
        when: When::Timed { start, end, zone },
        repeats: None,
        shows: ShowAs::Busy,
        private: false,
        status,
    });
    Ok(EntryContent { status, ..plain })
}

pub(super) fn sort(
    target: TenantId,
    calendar: &AlgaCalendar,
    mappings: &[AlgaMapping],
    there: &[AlgaPerson],
    profile: Option<Uuid>,
    here: &Here,
) -> Sorted {
    let subject = name(calendar);
    let only = |line| Sorted {
        work: None,
        lines: vec![line],
    };
    if here.has("calendar", calendar.id) {
        return only(Line::already(
            "calendar_present",
            target,
            subject,
            "was dealt with earlier; it is left as it is now",
        ));
    }
    if !matches!(calendar.provider.as_str(), "google" | "microsoft") {
        return only(Line::left(
            "calendar_unknown_provider",
            target,
            "a calendar",
            "belongs to a provider that Daybind does not have",
        ));
    }
    if !calendar.connected {
        return only(Line::left(
            "calendar_never_connected",
            target,
            subject,
            "was set up but never connected",
        ));
    }
    let mut people = People {
        target,
        there,
        here,
        new: BTreeMap::new(),
    };
    let Some(owner) = calendar.user_id.and_then(|id| people.take(id)) else {
        return only(Line::left(
            "calendar_without_owner",
            target,
            subject,
            "belongs to nobody who is an active member of staff",
        ));
    };
    let (entries, ties, behind) = carried(mappings, owner, here, &mut people);
    let owner_email = calendar
        .user_id
        .and_then(|id| there.iter().find(|person| person.user_id == id))
        .map(|person| person.email.trim().to_owned())
        .unwrap_or_default();
    let mut lines = vec![Line::todo(
        "calendar_imported",
        target,
        format!("{subject} of {owner_email}"),
        format!(
            "is brought over with {} entries, and needs to reconnect: tokens cannot be carried over",
            ties.len()
        ),
        "They open Profile > Calendar and choose Reconnect on this connection, with the same account as before.",
    )];
    if !behind.is_empty() {
        let reasons: Vec<String> = behind
            .iter()
            .map(|(why, count)| format!("{count} {why}"))
            .collect();
        lines.push(Line::left(
            "entries_left",
            target,
            subject,
            format!("entries not brought over: {}", reasons.join(", ")),
        ));
    }
    for new in people.new.values() {
        lines.push(Line::todo(
            "person_imported",
            target,
            &new.user.email,
            "is added as a technician, without a password",
            "They sign in with Microsoft, or an administrator gives them a way in.",
        ));
    }
    Sorted {
        work: Some(Work {
            calendar: calendar.clone(),
            owner,
            owner_email,
            profile: profile.filter(|_| calendar.provider == "microsoft"),
            people: people.new.into_iter().collect(),
            entries,
            mappings: ties,
        }),
        lines,
    }
}

type Carried = (
    Vec<(EntryId, EntryContent, Vec<UserId>)>,
    Vec<(MappingId, EntryId, String)>,
    BTreeMap<&'static str, usize>,
);

fn carried(
    mappings: &[AlgaMapping],
    owner: UserId,
    here: &Here,
    people: &mut People<'_>,
) -> Carried {
    let mut entries = Vec::new();
    let mut ties = Vec::new();
    let mut behind: BTreeMap<&'static str, usize> = BTreeMap::new();
    let (mut seen, mut events) = (BTreeSet::new(), BTreeSet::new());
    for mapping in mappings {
        let checked = match &mapping.entry {
            None => Err("deleted over there"),
            Some(entry) => {
                let assignees: BTreeSet<UserId> = entry
                    .assignees
                    .iter()
                    .filter_map(|id| people.take(*id))
                    .collect();
                if assignees.contains(&owner) {
                    content(entry, people.zone(owner)).map(|content| (content, assignees))
                } else {
                    Err("not assigned to the calendar's owner")
                }
            }
        };
        // Old data holds ties twice; the second says nothing new.
        let fresh = seen.insert(mapping.entry_id)
            && !mapping.external_event_id.is_empty()
            && events.insert(mapping.external_event_id.as_str());
        match checked {
            Ok((content, assignees)) if fresh => {
                let entry_id = EntryId(mapping.entry_id);
                if !here.has("entry", mapping.entry_id) {
                    entries.push((entry_id, content, assignees.into_iter().collect()));
                }
                ties.push((
                    MappingId(mapping.id),
                    entry_id,
                    mapping.external_event_id.clone(),
                ));
            }
            Ok(_) => *behind.entry("tied twice").or_default() += 1,
            Err(why) => *behind.entry(why).or_default() += 1,
        }
    }
    (entries, ties, behind)
}
