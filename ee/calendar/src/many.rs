//! Profile > Calendar, several disagreements at once: the list, what one answer to those picked would do, and that answer. Each
//! is settled in a transaction of its own, as it was read or not at all.

use std::collections::BTreeMap;

use daybind_domain::conflict_preview::{
    ConflictPreviewView, ConflictsAnswer, ConflictsAnswered, OwnConflictsQuery, OwnConflictsView,
};
use daybind_domain::conflict_view::{ConflictAnswer, ConflictView};
use daybind_domain::user::Permission;
use daybind_domain::{AppError, ErrorCode};
use daybind_ee_storage::{Conflict, calendar};
use daybind_services::{Actor, AppResult, Services, internal};
use daybind_words::t;

use crate::chooser::{self, Side};
use crate::engine::Engine;

/// So many are shown, and answered at once.
pub const MANY: usize = 100;
/// Picks all.
const ALL: &str = "all";

/// One's own open conflicts about fields, or what taking one side would do for those picked.
///
/// # Errors
/// Forbidden; no such side.
pub async fn view(
    services: &Services,
    actor: &Actor,
    asked: &OwnConflictsQuery,
) -> AppResult<OwnConflictsView> {
    actor.require(Permission::OwnProfile)?;
    let side = match asked.side.as_str() {
        "" => None,
        word => Some(side(word)?),
    };
    let mut open = open(services, actor).await?;
    if side.is_some() && !asked.picks.iter().any(|pick| pick == ALL) {
        open.retain(|conflict| asked.picks.contains(&conflict.conflict_id.to_string()));
    }
    let more = open.len() > MANY;
    open.truncate(MANY);
    let mut conflicts = Vec::new();
    for conflict in open {
        let id = conflict.conflict_id.to_string();
        let shown = chooser::view(services, actor, &id).await?;
        let left = asked.left.contains(&id);
        conflicts.push(told(shown, side, left));
    }
    Ok(OwnConflictsView { conflicts, more })
}

/// The open conflicts about fields of the actor's own connections, the oldest first.
async fn open(services: &Services, actor: &Actor) -> AppResult<Vec<Conflict>> {
    let mut unit = services.read(actor.tenant_id).await?;
    let rows = calendar(unit.as_mut()).map_err(internal)?;
    let connections = rows.list_user_connections(actor.tenant_id, actor.user_id());
    let mut found = Vec::new();
    for connection in connections.await.map_err(internal)? {
        let id = connection.connection_id;
        let open = rows.list_open_conflicts(actor.tenant_id, id).await;
        found.extend(open.map_err(internal)?);
    }
    found.retain(|conflict| conflict.kind == "fields");
    found.sort_by_key(|conflict| (conflict.created_at, conflict.conflict_id));
    Ok(found)
}

fn side(word: &str) -> AppResult<Side> {
    Side::parse(word).ok_or_else(|| {
        AppError::field(
            "side",
            t!("Choose the schedule's or the calendar's version."),
        )
    })
}

fn told(shown: ConflictView, side: Option<Side>, left: bool) -> ConflictPreviewView {
    let fields = shown
        .fields
        .into_iter()
        .map(|field| chooser::outcome(field, side, &shown.calendar))
        .collect();
    ConflictPreviewView {
        conflict_id: shown.conflict_id,
        title: shown.title,
        calendar: shown.calendar,
        scope: shown.scope,
        fingerprint: shown.fingerprint,
        note: shown.note,
        left,
        fields,
    }
}

/// Takes one side for all of them, one after the other. Those of which a side changed since they were read are left alone.
///
/// # Errors
/// Forbidden; no such side; nothing, or too much, is picked; not found, before which others may be settled.
pub async fn answer(
    engine: &Engine,
    actor: &Actor,
    wish: &ConflictsAnswer,
) -> AppResult<ConflictsAnswered> {
    actor.require(Permission::OwnProfile)?;
    side(&wish.side)?;
    if wish.seen.is_empty() || wish.seen.len() > MANY {
        return Err(AppError::field(
            "pick",
            t!("Tick at least one conflict, and at most 100."),
        ));
    }
    let mut answered = ConflictsAnswered::default();
    for (id, fingerprint) in &wish.seen {
        let one = ConflictAnswer {
            fingerprint: fingerprint.clone(),
            all: wish.side.clone(),
            choices: BTreeMap::new(),
        };
        match chooser::answer(engine, actor, id, &one).await {
            Ok(()) => answered.done += 1,
            Err(error) if error.code == ErrorCode::Conflict => answered.left.push(id.clone()),
            Err(error) => return Err(error),
        }
    }
    Ok(answered)
}
