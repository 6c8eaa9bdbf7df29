//! What a change of the bound app registration means for what the old one issued.
//!
//! Tokens, consents and installed packages belong to the app registration that issued them. A connection of another
//! one is never refreshed with the new one's credentials: it waits, untouched otherwise, until its owner reconnects or
//! the binding comes back.

use std::collections::{BTreeMap, HashMap};

use daybind_domain::Consumer;
use daybind_domain::bindings::{ImpactKind, ImpactLine};
use daybind_domain::ids::{ConnectionId, TenantId};
use daybind_ee_storage::{Connection, Failing, Grant, calendar, grants};
use daybind_services::bindings::App;
use daybind_services::{AppResult, Provider, Services, internal};
use daybind_storage::{StorageResult, UnitOfWork};
use daybind_words::{t, template};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::oauth::is_ending;
use crate::{retry, subscribe, sync};

/// Status reasons that end by themselves when the right app registration is bound again.
const CHANGED: &str = "client_changed";
const UNBOUND: &str = "unbound";

/// A tenant's Microsoft connections and which app registration issued each.
struct Issued {
    rows: Vec<Connection>,
    /// Directories by profile: a connection knows the profile it was made with.
    directories: HashMap<Uuid, String>,
}

impl Issued {
    async fn load(unit: &mut dyn UnitOfWork, tenant_id: TenantId) -> StorageResult<Self> {
        let profiles = unit.list_profiles(tenant_id).await?;
        let rows = calendar(unit)?.list_connections(tenant_id).await?;
        Ok(Self {
            rows: rows
                .into_iter()
                .filter(|row| row.provider == "microsoft" && !is_ending(row))
                .collect(),
            directories: profiles
                .into_iter()
                .map(|profile| (profile.profile_id.0, profile.fields.directory_id))
                .collect(),
        })
    }

    /// Whether the tokens of `row` are worth anything to `app`.
    fn by(&self, row: &Connection, app: &App) -> bool {
        let directory = row.profile_id.and_then(|id| self.directories.get(&id));
        row.client_id == app.client_id
            && row.cloud == app.cloud
            && directory.is_none_or(|directory| *directory == app.directory_id)
    }
}

/// Waits for nothing but the right binding.
fn waits(row: &Connection) -> bool {
    row.status == "needs_reconnect"
        && matches!(row.status_reason.as_deref(), Some(CHANGED | UNBOUND))
}

/// Counts and names what binding `consumer` to `to` would do.
///
/// # Errors
/// An internal error when it cannot be found out.
pub async fn impact(
    unit: &mut dyn UnitOfWork,
    tenant_id: TenantId,
    consumer: Consumer,
    to: Option<&App>,
) -> AppResult<Vec<ImpactLine>> {
    match consumer {
        Consumer::MspSso => Ok(Vec::new()),
        Consumer::Calendar => calendar_impact(unit, tenant_id, to).await,
        Consumer::Email | Consumer::Teams => {
            let rows = grants(unit)
                .map_err(internal)?
                .list_grants(tenant_id, consumer)
                .await
                .map_err(internal)?;
            Ok(grant_impact(consumer, &rows, to))
        }
    }
}

async fn calendar_impact(
    unit: &mut dyn UnitOfWork,
    tenant_id: TenantId,
    to: Option<&App>,
) -> AppResult<Vec<ImpactLine>> {
    let users = unit.list_users(tenant_id).await.map_err(internal)?;
    let issued = Issued::load(unit, tenant_id).await.map_err(internal)?;
    let owner = |row: &Connection| {
        let owner = users.iter().find(|user| user.user_id == row.user_id);
        let owner = owner.map_or(t!("somebody who has left"), |user| {
            user.display_name.as_str()
        });
        format!("{owner} ({})", row.account_email)
    };
    // Of several calendars of one account each is named.
    let name = |row: &Connection| {
        let same = |other: &&Connection| {
            other.user_id == row.user_id && other.account_id == row.account_id
        };
        match &row.calendar_name {
            Some(calendar) if issued.rows.iter().filter(same).count() > 1 => {
                format!("{}: {calendar}", owner(row))
            }
            _ => owner(row),
        }
    };
    let some = |kind, one: &str, many: &str, names: Vec<String>| {
        (!names.is_empty()).then(|| ImpactLine::of(kind, one, many, names))
    };
    let Some(app) = to else {
        let all = issued.rows.iter().map(name).collect();
        let line = some(
            ImpactKind::Invalidated,
            t!("1 Outlook connection stops until a profile is bound again. Nothing is deleted."),
            template!(
                "{n} Outlook connections stop until a profile is bound again. Nothing is deleted."
            ),
            all,
        );
        return Ok(vec![line.unwrap_or_else(nobody)]);
    };
    let (same, other): (Vec<_>, Vec<_>) = issued.rows.iter().partition(|row| issued.by(row, app));
    let (back, keep): (Vec<_>, Vec<_>) = same.into_iter().partition(|row| waits(row));
    let names = |rows: &[&Connection]| rows.iter().map(|row| name(row)).collect::<Vec<_>>();
    // One consent heals all connections of a person's account.
    let accounts: BTreeMap<_, _> = other
        .iter()
        .map(|row| ((row.user_id, row.account_id.as_str()), owner(row)))
        .collect();
    let lines = [
        some(
            ImpactKind::MustAct,
            t!("1 person must connect Outlook again. Changes made meanwhile are sent after that."),
            template!(
                "{n} accounts must be connected to Outlook again by their owners. Changes made meanwhile are sent after that."
            ),
            accounts.into_values().collect(),
        ),
        some(
            ImpactKind::Keeps,
            t!("1 connection works on as it is."),
            template!("{n} connections work on as they are."),
            names(&keep),
        ),
        some(
            ImpactKind::Keeps,
            t!("1 connection works again without its owner doing anything."),
            template!("{n} connections work again without their owners doing anything."),
            names(&back),
        ),
    ];
    let lines: Vec<_> = lines.into_iter().flatten().collect();
    Ok(if lines.is_empty() {
        vec![nobody()]
    } else {
        lines
    })
}

fn nobody() -> ImpactLine {
    ImpactLine::note(t!(
        "Nobody has connected Outlook yet, so nobody has to do anything."
    ))
}

fn grant_impact(consumer: Consumer, rows: &[Grant], to: Option<&App>) -> Vec<ImpactLine> {
    let (same, other): (Vec<_>, Vec<_>) = rows
        .iter()
        .partition(|row| to.is_some_and(|app| issued_by(row, app)));
    let names = |rows: &[&Grant]| {
        rows.iter()
            .map(|row| row.subject.clone())
            .collect::<Vec<_>>()
    };
    let (lost, none) = if consumer == Consumer::Email {
        (
            ImpactLine::of(
                ImpactKind::MustAct,
                t!("1 mailbox must be connected again."),
                template!("{n} mailboxes must be connected again."),
                names(&other),
            ),
            t!("No mailbox is connected through Daybind, so nobody has to do anything."),
        )
    } else {
        (
            ImpactLine::of(
                ImpactKind::Invalidated,
                t!("The installed Teams app becomes invalid and must be installed again."),
                template!("{n} installed Teams apps become invalid and must be installed again."),
                names(&other),
            ),
            t!("No Teams app has been installed through Daybind, so nothing becomes invalid."),
        )
    };
    let keeps = ImpactLine::of(
        ImpactKind::Keeps,
        t!("1 works on as it is."),
        template!("{n} work on as they are."),
        names(&same),
    );
    match (other.is_empty(), same.is_empty()) {
        (true, true) => vec![ImpactLine::note(none)],
        (true, false) => vec![keeps],
        (false, true) => vec![lost],
        (false, false) => vec![lost, keeps],
    }
}

fn issued_by(row: &Grant, app: &App) -> bool {
    row.client_id == app.client_id && row.directory_id == app.directory_id && row.cloud == app.cloud
}

/// Marks what another app registration issued and revives what `to` did; returns what was before.
///
/// # Errors
/// An internal error.
pub async fn rebound(
    services: &Services,
    unit: &mut dyn UnitOfWork,
    tenant_id: TenantId,
    consumer: Consumer,
    to: Option<&App>,
) -> AppResult<Value> {
    match consumer {
        Consumer::MspSso => Ok(Value::Null),
        Consumer::Calendar => mark(services, unit, tenant_id, to).await.map_err(internal),
        Consumer::Email | Consumer::Teams => {
            let repository = grants(unit).map_err(internal)?;
            let rows = repository
                .list_grants(tenant_id, consumer)
                .await
                .map_err(internal)?;
            for mut row in rows {
                let state = if to.is_some_and(|app| issued_by(&row, app)) {
                    "active"
                } else {
                    "stale"
                };
                if row.state != state {
                    row.state = state.to_owned();
                    row.updated_at = services.now();
                    repository.save_grant(&row).await.map_err(internal)?;
                }
            }
            Ok(Value::Null)
        }
    }
}

async fn mark(
    services: &Services,
    unit: &mut dyn UnitOfWork,
    tenant_id: TenantId,
    to: Option<&App>,
) -> StorageResult<Value> {
    let issued = Issued::load(unit, tenant_id).await?;
    let mut memo = Vec::new();
    for row in &issued.rows {
        let ours = to.is_some_and(|app| issued.by(row, app));
        let mut next = row.clone();
        if ours && waits(row) {
            let chosen = row.calendar_id.is_some();
            next.status = if chosen { "connected" } else { "configuring" }.to_owned();
            next.status_reason = None;
            next.last_error = None;
            next.failing = Failing::default();
        } else if !ours && (waits(row) || row.status != "needs_reconnect") {
            next.status = "needs_reconnect".to_owned();
            next.status_reason = Some(if to.is_some() { CHANGED } else { UNBOUND }.to_owned());
        }
        if (&next.status, &next.status_reason) != (&row.status, &row.status_reason) {
            memo.push(json!({
                "connection_id": row.connection_id.to_string(),
                "generation": row.generation,
                "status": row.status,
                "status_reason": row.status_reason,
            }));
            save(services, unit, next).await?;
        }
    }
    if to.is_some() {
        retry::wake(unit, tenant_id, Provider::Microsoft, services.now()).await?;
    }
    Ok(json!({ "connections": memo }))
}

async fn save(
    services: &Services,
    unit: &mut dyn UnitOfWork,
    mut row: Connection,
) -> StorageResult<()> {
    let now = services.now();
    row.updated_at = now;
    calendar(unit)?.update_connection(&row).await?;
    if sync::may_sync(&row) {
        sync::enqueue(unit, row.tenant_id, row.connection_id, "start", now).await?;
        subscribe::enqueue(unit, row.tenant_id, row.connection_id, now).await?;
    }
    Ok(())
}

/// Takes a change back: everything stands as binding `to` demands, and connections of `to` that nobody has reconnected
/// since are exactly as they were.
///
/// # Errors
/// An internal error.
pub async fn undone(
    services: &Services,
    unit: &mut dyn UnitOfWork,
    tenant_id: TenantId,
    consumer: Consumer,
    to: Option<&App>,
    memo: &Value,
) -> AppResult<()> {
    rebound(services, unit, tenant_id, consumer, to).await?;
    let (Consumer::Calendar, Some(app)) = (consumer, to) else {
        return Ok(());
    };
    let issued = Issued::load(unit, tenant_id).await.map_err(internal)?;
    let noted = memo["connections"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    for entry in noted {
        let id: Option<ConnectionId> = entry["connection_id"]
            .as_str()
            .and_then(|id| id.parse().ok());
        let Some(row) = issued.rows.iter().find(|row| Some(row.connection_id) == id) else {
            continue;
        };
        let Some(status) = entry["status"].as_str() else {
            continue;
        };
        if issued.by(row, app) && entry["generation"].as_i64() == Some(row.generation) {
            let mut next = row.clone();
            next.status = status.to_owned();
            next.status_reason = entry["status_reason"].as_str().map(str::to_owned);
            save(services, unit, next).await.map_err(internal)?;
        }
    }
    Ok(())
}
