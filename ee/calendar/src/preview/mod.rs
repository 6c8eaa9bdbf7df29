//! The preview: what the next run would do on either side, and why it leaves the rest alone. It reads the calendar as a run
//! does and writes nothing, here or there.

use daybind_words::t;

mod incoming;
mod outgoing;
mod plan;

use std::collections::{BTreeMap, BTreeSet};

use daybind_domain::ids::EntryId;
use daybind_domain::user::Permission;
use daybind_domain::view::{PreviewCount, PreviewLine, SyncPreview};
use daybind_domain::{AppError, ErrorCode};
use daybind_ee_storage::{Connection, calendar};
use daybind_services::{Actor, AppResult, localtime};
use daybind_storage::Entry;

use crate::actions::{chosen_direction, shown};
use crate::beside::Elsewhere;
use crate::engine::Engine;
use crate::faults::said;
use crate::integrate::ask_provider;
use crate::merge::Field;
use crate::oauth::own;
use crate::places;
use crate::provider::{CalendarProvider, DeltaFrom, ProviderError};
use crate::pull::{cursor_is_lost, everything, usable_cursor};
use crate::questions::text_of;
use crate::reading::{Pass, Reader};
use crate::retry::held;
use crate::sync::window;
use crate::tokens::Stop;

pub use plan::{Plan, Side, Step};

/// So many lines are shown; the counts tell of all.
const LINES: usize = 200;

/// What the next run of one's own connection would do; before its first one, with this calendar and direction.
///
/// # Errors
/// Not found; no calendar chosen yet; the provider's refusal.
pub async fn preview(
    engine: &Engine,
    actor: &Actor,
    connection_id: &str,
    calendar_id: Option<&str>,
    direction: Option<&str>,
) -> AppResult<SyncPreview> {
    actor.require(Permission::OwnProfile)?;
    let mut unit = engine.read(actor.tenant_id).await?;
    let mut connection = own(unit.as_mut(), actor, connection_id).await?;
    drop(unit);
    connection.direction = chosen_direction(&connection, direction)?;
    match (&connection.calendar_id, calendar_id) {
        (None, None) => {
            return Err(AppError::field(
                "calendar_id",
                t!("Choose a calendar first."),
            ));
        }
        (None, Some(calendar)) => connection.calendar_id = Some(calendar.to_owned()),
        (Some(known), Some(other)) if known != other => {
            return Err(AppError::new(ErrorCode::Conflict, t!("This connection already has its calendar."))
                .next_step(t!("To use another calendar, disconnect this one first. You choose whether copies stay.")));
        }
        _ => {}
    }
    let plan = plan(engine, connection.clone()).await.map_err(shown)?;
    let zone = localtime::zone(&actor.user.time_zone);
    Ok(view(&connection, &plan, zone))
}

/// Works out the next run of a connection.
///
/// # Errors
/// [`Stop`]
pub async fn plan(engine: &Engine, mut connection: Connection) -> Result<Plan, Stop> {
    if let Some(until) = held(&connection, engine.now()) {
        return Err(Stop::Held(until));
    }
    let whose = connection.clone();
    places::for_person(
        engine,
        &whose,
        Box::pin(with_account(engine, &mut connection)),
    )
    .await
}

async fn with_account(engine: &Engine, connection: &mut Connection) -> Result<Plan, Stop> {
    for fresh in [false, true] {
        let provider = engine.connect(connection, fresh).await?;
        match with_provider(engine, connection, provider.as_ref()).await {
            Err(Stop::Provider(ProviderError::Unauthorized)) if !fresh => {}
            Err(Stop::Provider(ProviderError::Unauthorized)) => break,
            other => return other,
        }
    }
    Err(Stop::Reconnect("unauthorized"))
}

async fn with_provider(
    engine: &Engine,
    connection: &Connection,
    provider: &dyn CalendarProvider,
) -> Result<Plan, Stop> {
    let now = engine.now();
    let mut plan = match usable_cursor(connection, now) {
        Some(cursor) => {
            match incoming(engine, connection, provider, DeltaFrom::Since(cursor)).await {
                Err(stop) if cursor_is_lost(&stop) => None,
                other => Some(other?),
            }
        }
        None => None,
    };
    if plan.is_none() {
        let all = everything(connection, now);
        plan = Some(incoming(engine, connection, provider, all).await?);
    }
    let mut plan = plan.ok_or(Stop::Idle)?;
    let calendar = connection.calendar_id.as_deref().ok_or(Stop::Idle)?;
    for (at, event) in plan.to_look_at() {
        let event = ask_provider(provider, calendar, &event).await?;
        plan.event(at, &event)?;
    }
    for uid in plan.to_look_for() {
        for event in provider.find_same(calendar, &uid).await? {
            plan.found(&event)?;
        }
    }
    plan.send(&|content| provider.carries(content))?;
    Ok(plan)
}

async fn incoming(
    engine: &Engine,
    connection: &Connection,
    provider: &dyn CalendarProvider,
    from: DeltaFrom,
) -> Result<Plan, Stop> {
    let mut plan = load(engine, connection).await?;
    let reader = Reader {
        engine,
        connection,
        calendar: connection.calendar_id.as_deref().ok_or(Stop::Idle)?,
        provider,
    };
    let mut pass = Pass::new(from);
    loop {
        let page = reader.page(&mut pass).await?;
        plan.take_in(&page)?;
        if page.last {
            return Ok(plan);
        }
    }
}

/// The entries a run would look at: those of the window, those that were tied before, and their occurrences.
async fn load(engine: &Engine, connection: &Connection) -> Result<Plan, Stop> {
    let (tenant_id, now) = (connection.tenant_id, engine.now());
    let (from, to) = window(connection, now);
    let mut unit = engine.read(tenant_id).await?;
    let mappings = calendar(unit.as_mut())?
        .list_mappings(tenant_id, connection.connection_id)
        .await?;
    let listed = unit
        .list_entries(tenant_id, from, to, Some(connection.user_id))
        .await?;
    let mut entries: BTreeMap<EntryId, Entry> = listed
        .into_iter()
        .map(|entry| (entry.entry_id, entry))
        .collect();
    let ties = calendar(unit.as_mut())?
        .list_person_mappings(tenant_id, connection.user_id, None)
        .await?;
    let mut elsewhere = Elsewhere::new(ties, connection.connection_id);
    let missing: BTreeSet<EntryId> = mappings
        .iter()
        .map(|row| row.entry_id)
        .filter(|id| !entries.contains_key(id))
        .collect();
    for id in missing {
        if let Some(entry) = unit.find_entry(tenant_id, id).await? {
            entries.insert(id, entry);
        }
    }
    let distant: Vec<EntryId> = elsewhere.ids();
    for id in distant.into_iter().filter(|id| !entries.contains_key(id)) {
        if let Some(entry) = unit.find_entry(tenant_id, id).await? {
            elsewhere.add(entry);
        }
    }
    let series: Vec<EntryId> = entries
        .values()
        .filter(|entry| entry.content.repeats.is_some())
        .map(|entry| entry.entry_id)
        .collect();
    for row in unit.list_occurrences(tenant_id, &series).await? {
        entries.entry(row.entry_id).or_insert(row);
    }
    Ok(Plan::new(
        connection.clone(),
        mappings,
        entries.into_values().collect(),
        elsewhere,
        now,
    ))
}

fn view(connection: &Connection, plan: &Plan, zone: chrono_tz::Tz) -> SyncPreview {
    let mut counts: BTreeMap<(Side, &'static str, Option<&'static str>), usize> = BTreeMap::new();
    for step in &plan.steps {
        let why = step.reason.filter(|_| step.action == "skipped");
        *counts.entry((step.side, step.action, why)).or_default() += 1;
    }
    // What is done comes before what is not.
    let mut steps: Vec<&Step> = plan.steps.iter().collect();
    steps.sort_by_key(|step| (step.side == Side::None, step.action == "skipped"));
    let lines = steps.iter().take(LINES).map(|step| PreviewLine {
        side: word(step.side).to_owned(),
        action: step.action.to_owned(),
        title: step.content.title.clone(),
        when: text_of(Field::When, &step.content, zone),
        fields: step
            .fields
            .iter()
            .map(|field| field.word().to_owned())
            .collect(),
        reason: said(step.reason.unwrap_or_default()),
    });
    SyncPreview {
        connection_id: connection.connection_id.to_string(),
        calendar_id: connection.calendar_id.clone().unwrap_or_default(),
        direction: connection.direction.clone(),
        provider_label: crate::views::label(&connection.provider).to_owned(),
        first: connection.last_sync_at.is_none(),
        lines: lines.collect(),
        more: u64::try_from(steps.len().saturating_sub(LINES)).unwrap_or(u64::MAX),
        counts: counts
            .into_iter()
            .map(|((side, action, reason), count)| PreviewCount {
                side: word(side).to_owned(),
                action: action.to_owned(),
                reason: said(reason.unwrap_or_default()),
                count: u64::try_from(count).unwrap_or(u64::MAX),
            })
            .collect(),
        asks_first: plan
            .brake
            .map(|(_, count)| u64::try_from(count).unwrap_or(u64::MAX)),
    }
}

fn word(side: Side) -> &'static str {
    match side {
        Side::Schedule => "schedule",
        Side::Calendar => "calendar",
        Side::None => "none",
    }
}
