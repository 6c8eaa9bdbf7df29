//! What an entry's mark needs to know besides its mappings.

use std::collections::HashMap;

use daybind_domain::ids::UserId;
use daybind_domain::view::LinkView;
use daybind_ee_storage::{Connection, Mapping, calendar};
use daybind_services::Actor;
use daybind_storage::{Entry, StorageResult, UnitOfWork};
use daybind_words::t;

use crate::sync::{may_sync, wanted};

/// The connections of the people whose entries are looked at, each read once.
#[derive(Default)]
pub struct People(HashMap<UserId, Vec<Connection>>);

impl People {
    /// Whether a calendar that works is still to hear of the entry, which has no event yet: since it was last changed, none of
    /// its syncs has ended.
    ///
    /// # Errors
    /// A storage error.
    pub async fn owe(&mut self, unit: &mut dyn UnitOfWork, entry: &Entry) -> StorageResult<bool> {
        for user in &entry.assignees {
            if !self.0.contains_key(user) {
                let found = calendar(unit)?
                    .list_user_connections(entry.tenant_id, *user)
                    .await?;
                self.0.insert(*user, found);
            }
            if self.0[user].iter().any(|row| is_owed(row, entry)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn is_owed(connection: &Connection, entry: &Entry) -> bool {
    connection.status == "connected"
        && may_sync(connection)
        && connection.direction != "from_external"
        && wanted(connection, entry)
        && connection
            .last_sync_at
            .is_none_or(|last| last <= entry.updated_at)
}

/// Where the reader answers what both sides say differently; nobody else is asked.
///
/// # Errors
/// A storage error.
pub async fn answer(
    unit: &mut dyn UnitOfWork,
    actor: &Actor,
    mappings: &[Mapping],
) -> StorageResult<Option<LinkView>> {
    for mapping in mappings
        .iter()
        .filter(|mapping| mapping.state == "conflict")
    {
        let rows = calendar(unit)?;
        let connection = rows
            .find_connection(mapping.tenant_id, mapping.connection_id)
            .await?;
        if connection.is_none_or(|row| row.user_id != actor.user_id()) {
            continue;
        }
        let open = rows
            .find_open_conflict(mapping.tenant_id, mapping.mapping_id)
            .await?;
        let Some(conflict) = open else { continue };
        let own = "/msp/profile?tab=calendar";
        return Ok(Some(if conflict.kind == "fields" {
            LinkView {
                text: t!("Compare and choose").to_owned(),
                href: format!("{own}&conflict={}", conflict.conflict_id),
            }
        } else {
            LinkView {
                text: t!("Answer the question").to_owned(),
                href: own.to_owned(),
            }
        }));
    }
    Ok(None)
}
