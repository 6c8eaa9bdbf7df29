//! The connections of all of an MSP's people, and the people without one: counted, filtered, ordered and cut into pages by
//! the database, so that a page costs what stands on it. Connections on their way out are left out but where it is said.
//!
//! Searching is the exception: databases fold letters differently (SQLite only those of English), so the texts that are
//! searched, and nothing else, are read and compared here.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use daybind_domain::ids::{ConnectionId, TenantId, UserId};
use daybind_storage::StorageResult;

use crate::Connection;

/// How many there are. People count while they are active and internal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// People.
    pub people: i64,
    /// Those of them who have a connection.
    pub connected: i64,
    /// Connections.
    pub connections: i64,
    /// Those of them that go on only when somebody does something.
    pub attention: i64,
    /// Those of them that somebody paused.
    pub paused: i64,
    /// Connections that sync: neither waiting nor paused.
    pub working: i64,
    /// Connections whose provider asked to be left alone for a while.
    pub held: i64,
    /// Open conflicts.
    pub conflicts: i64,
}

/// Which connections are asked for, by how they stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Show {
    /// All.
    #[default]
    All,
    /// Those that go on only when somebody does something.
    Attention,
    /// Those with open conflicts.
    Conflicts,
    /// Those that somebody paused.
    Paused,
}

/// Which connections are asked for. The default: all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnectionFilter {
    /// By how they stand.
    pub show: Show,
    /// Of `google` or `microsoft` only.
    pub provider: Option<String>,
    /// Of these only.
    pub only: Option<Vec<ConnectionId>>,
}

/// A connection and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedConnection {
    /// The connection.
    pub row: Connection,
    /// Its owner's name.
    pub owner: String,
    /// Its open conflicts.
    pub conflicts: i64,
}

/// Somebody without a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unconnected {
    /// Who.
    pub user_id: UserId,
    /// Their name.
    pub name: String,
    /// Their address.
    pub email: String,
}

/// Why connections of a person wait for somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// See [`Connection::status`].
    pub status: String,
    /// See [`Connection::status_reason`].
    pub reason: Option<String>,
    /// Whose.
    pub user_id: UserId,
    /// Their name.
    pub owner: String,
}

/// Everybody's connections, for administrators.
#[async_trait]
pub trait CoverageRepository: Send {
    /// The numbers, `now`.
    async fn coverage(
        &mut self,
        tenant_id: TenantId,
        now: DateTime<Utc>,
    ) -> StorageResult<Coverage>;

    /// How many connections match.
    async fn count_connections(
        &mut self,
        tenant_id: TenantId,
        filter: &ConnectionFilter,
    ) -> StorageResult<i64>;

    /// A page of those that match: what needs somebody first, then by owner, then the oldest first.
    async fn page_connections(
        &mut self,
        tenant_id: TenantId,
        filter: &ConnectionFilter,
        (limit, offset): (i64, i64),
    ) -> StorageResult<Vec<OwnedConnection>>;

    /// The keys of those that match, in no order.
    async fn connection_keys(
        &mut self,
        tenant_id: TenantId,
        filter: &ConnectionFilter,
    ) -> StorageResult<Vec<ConnectionId>>;

    /// The connections with `text` in their owner's name, their account or the name of their calendar, whatever the case;
    /// those on their way out, too.
    async fn search_connections(
        &mut self,
        tenant_id: TenantId,
        text: &str,
    ) -> StorageResult<Vec<ConnectionId>>;

    /// These connections, in no order; those on their way out, too.
    async fn list_owned(
        &mut self,
        tenant_id: TenantId,
        ids: &[ConnectionId],
    ) -> StorageResult<Vec<OwnedConnection>>;

    /// A page of the active internal people without a connection, by name.
    async fn page_unconnected(
        &mut self,
        tenant_id: TenantId,
        (limit, offset): (i64, i64),
    ) -> StorageResult<Vec<Unconnected>>;

    /// Each person with a connection that waits, once for each reason, by name.
    async fn list_waiting(&mut self, tenant_id: TenantId) -> StorageResult<Vec<Waiting>>;

    /// The names of those who have open conflicts, each person once.
    async fn list_asked(&mut self, tenant_id: TenantId) -> StorageResult<Vec<String>>;

    /// Of those that sync the one that did so longest ago.
    async fn longest_without_sync(
        &mut self,
        tenant_id: TenantId,
    ) -> StorageResult<Option<OwnedConnection>>;
}

/// Whether `text` is in one of the texts, whatever the case of letters.
#[must_use]
pub fn found_in(text: &str, texts: &[&str]) -> bool {
    let wanted = text.trim().to_lowercase();
    texts.iter().any(|one| one.to_lowercase().contains(&wanted))
}

/// Implements the repository for a unit of work; see `implement` for the conventions. `$among` says that a column is one of
/// those in `$2`.
macro_rules! coverage_repository {
    ($unit:ty, $row:ty, $among:literal) => {
        use $crate::{
            ConnectionFilter, Coverage, CoverageRepository, OwnedConnection, Show, Unconnected, Waiting,
        };

        /// What is asked for: `$1` the tenant, `$3` whether all are, not those in `$2`, `$4` how they stand, `$5` the provider.
        const MATCHING: &str = concat!(
            "FROM calendar_providers c \
             JOIN users u ON u.tenant_id = c.tenant_id AND u.user_id = c.user_id \
             WHERE c.tenant_id = $1 AND coalesce(c.status_reason, '') <> 'disconnecting' \
             AND ($3 OR c.connection_id ",
            $among,
            ") AND ($4 = '' OR ($4 = 'attention' AND c.status <> 'connected') \
             OR ($4 = 'paused' AND c.paused_at IS NOT NULL) \
             OR ($4 = 'conflicts' AND EXISTS (SELECT 1 FROM calendar_conflicts f \
             WHERE f.tenant_id = c.tenant_id AND f.connection_id = c.connection_id AND f.state = 'open'))) \
             AND ($5 = '' OR c.provider = $5)"
        );

        /// The columns of [`OwnedConnection`], of a connection `p` and its owner `o`.
        const OWNED: &str = "p.*, o.display_name AS owner, (SELECT count(*) FROM calendar_conflicts f \
             WHERE f.tenant_id = p.tenant_id AND f.connection_id = p.connection_id AND f.state = 'open') AS conflicts";

        fn standing(show: Show) -> &'static str {
            match show {
                Show::All => "",
                Show::Attention => "attention",
                Show::Conflicts => "conflicts",
                Show::Paused => "paused",
            }
        }

        fn owned(row: &$row) -> StorageResult<OwnedConnection> {
            Ok(OwnedConnection {
                row: connection(row)?,
                owner: get(row, "owner")?,
                conflicts: get(row, "conflicts")?,
            })
        }

        #[async_trait::async_trait]
        impl CoverageRepository for $unit {
            async fn coverage(
                &mut self,
                tenant_id: TenantId,
                now: DateTime<Utc>,
            ) -> StorageResult<Coverage> {
                let people = sqlx::query(
                    "SELECT count(*) AS people FROM users WHERE tenant_id = $1 AND is_active AND user_type = 'internal'",
                )
                .bind(codec::id(tenant_id.0))
                .fetch_one(self.connection())
                .await
                .map_err(failure)?;
                let connected = sqlx::query(
                    "SELECT count(DISTINCT c.user_id) AS connected FROM calendar_providers c \
                     JOIN users u ON u.tenant_id = c.tenant_id AND u.user_id = c.user_id \
                     WHERE c.tenant_id = $1 AND coalesce(c.status_reason, '') <> 'disconnecting' \
                     AND u.is_active AND u.user_type = 'internal'",
                )
                .bind(codec::id(tenant_id.0))
                .fetch_one(self.connection())
                .await
                .map_err(failure)?;
                let rows = sqlx::query(
                    "SELECT count(*) AS connections, count(CASE WHEN status <> 'connected' THEN 1 END) AS attention, \
                     count(paused_at) AS paused, \
                     count(CASE WHEN status = 'connected' AND paused_at IS NULL THEN 1 END) AS working, \
                     count(CASE WHEN held_until > $2 THEN 1 END) AS held \
                     FROM calendar_providers WHERE tenant_id = $1 AND coalesce(status_reason, '') <> 'disconnecting'",
                )
                .bind(codec::id(tenant_id.0))
                .bind(codec::at(now))
                .fetch_one(self.connection())
                .await
                .map_err(failure)?;
                let open = sqlx::query(
                    "SELECT count(*) AS conflicts FROM calendar_conflicts WHERE tenant_id = $1 AND state = 'open'",
                )
                .bind(codec::id(tenant_id.0))
                .fetch_one(self.connection())
                .await
                .map_err(failure)?;
                Ok(Coverage {
                    people: get(&people, "people")?,
                    connected: get(&connected, "connected")?,
                    connections: get(&rows, "connections")?,
                    attention: get(&rows, "attention")?,
                    paused: get(&rows, "paused")?,
                    working: get(&rows, "working")?,
                    held: get(&rows, "held")?,
                    conflicts: get(&open, "conflicts")?,
                })
            }

            async fn count_connections(
                &mut self,
                tenant_id: TenantId,
                filter: &ConnectionFilter,
            ) -> StorageResult<i64> {
                let sql = format!("SELECT count(*) AS found {MATCHING}");
                let row = sqlx::query(sqlx::AssertSqlSafe(sql))
                    .bind(codec::id(tenant_id.0))
                    .bind(codec::ids(filter.only.iter().flatten().map(|id| id.0)))
                    .bind(filter.only.is_none())
                    .bind(standing(filter.show))
                    .bind(filter.provider.clone().unwrap_or_default())
                    .fetch_one(self.connection())
                    .await
                    .map_err(failure)?;
                get(&row, "found")
            }

            async fn page_connections(
                &mut self,
                tenant_id: TenantId,
                filter: &ConnectionFilter,
                (limit, offset): (i64, i64),
            ) -> StorageResult<Vec<OwnedConnection>> {
                // What is sorted has few columns; the wide rows are read for the page alone.
                let sql = format!(
                    "SELECT {OWNED} FROM (SELECT c.connection_id AS id, \
                     CASE WHEN c.status = 'connected' THEN 1 ELSE 0 END AS later, lower(u.display_name) AS person, \
                     c.created_at AS made {MATCHING} ORDER BY later, person, made, id LIMIT $6 OFFSET $7) k \
                     JOIN calendar_providers p ON p.tenant_id = $1 AND p.connection_id = k.id \
                     JOIN users o ON o.tenant_id = p.tenant_id AND o.user_id = p.user_id \
                     ORDER BY k.later, k.person, k.made, k.id"
                );
                let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
                    .bind(codec::id(tenant_id.0))
                    .bind(codec::ids(filter.only.iter().flatten().map(|id| id.0)))
                    .bind(filter.only.is_none())
                    .bind(standing(filter.show))
                    .bind(filter.provider.clone().unwrap_or_default())
                    .bind(limit)
                    .bind(offset)
                    .fetch_all(self.connection())
                    .await
                    .map_err(failure)?;
                rows.iter().map(owned).collect()
            }

            async fn connection_keys(
                &mut self,
                tenant_id: TenantId,
                filter: &ConnectionFilter,
            ) -> StorageResult<Vec<ConnectionId>> {
                let sql = format!("SELECT c.connection_id {MATCHING}");
                let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
                    .bind(codec::id(tenant_id.0))
                    .bind(codec::ids(filter.only.iter().flatten().map(|id| id.0)))
                    .bind(filter.only.is_none())
                    .bind(standing(filter.show))
                    .bind(filter.provider.clone().unwrap_or_default())
                    .fetch_all(self.connection())
                    .await
                    .map_err(failure)?;
                rows.iter()
                    .map(|row| Ok(codec::get_id(row, "connection_id")?.into()))
                    .collect()
            }

            async fn search_connections(
                &mut self,
                tenant_id: TenantId,
                text: &str,
            ) -> StorageResult<Vec<ConnectionId>> {
                let rows = sqlx::query(
                    "SELECT c.connection_id, c.account_email, coalesce(c.calendar_name, '') AS calendar, u.display_name \
                     FROM calendar_providers c JOIN users u ON u.tenant_id = c.tenant_id AND u.user_id = c.user_id \
                     WHERE c.tenant_id = $1",
                )
                .bind(codec::id(tenant_id.0))
                .fetch_all(self.connection())
                .await
                .map_err(failure)?;
                let mut found = Vec::new();
                for row in &rows {
                    let texts = [
                        get(row, "display_name")?,
                        get(row, "account_email")?,
                        get(row, "calendar")?,
                    ];
                    if $crate::found_in(text, &texts) {
                        found.push(codec::get_id(row, "connection_id")?.into());
                    }
                }
                Ok(found)
            }

            async fn list_owned(
                &mut self,
                tenant_id: TenantId,
                ids: &[ConnectionId],
            ) -> StorageResult<Vec<OwnedConnection>> {
                let sql = format!(
                    "SELECT {OWNED} FROM calendar_providers p \
                     JOIN users o ON o.tenant_id = p.tenant_id AND o.user_id = p.user_id \
                     WHERE p.tenant_id = $1 AND p.connection_id {}",
                    $among
                );
                let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
                    .bind(codec::id(tenant_id.0))
                    .bind(codec::ids(ids.iter().map(|id| id.0)))
                    .fetch_all(self.connection())
                    .await
                    .map_err(failure)?;
                rows.iter().map(owned).collect()
            }

            async fn page_unconnected(
                &mut self,
                tenant_id: TenantId,
                (limit, offset): (i64, i64),
            ) -> StorageResult<Vec<Unconnected>> {
                let rows = sqlx::query(
                    "SELECT u.user_id, u.display_name, u.email FROM users u \
                     WHERE u.tenant_id = $1 AND u.is_active AND u.user_type = 'internal' \
                     AND NOT EXISTS (SELECT 1 FROM calendar_providers c \
                     WHERE c.tenant_id = u.tenant_id AND c.user_id = u.user_id \
                     AND coalesce(c.status_reason, '') <> 'disconnecting') \
                     ORDER BY lower(u.display_name), u.user_id LIMIT $2 OFFSET $3",
                )
                .bind(codec::id(tenant_id.0))
                .bind(limit)
                .bind(offset)
                .fetch_all(self.connection())
                .await
                .map_err(failure)?;
                rows.iter()
                    .map(|row| {
                        Ok(Unconnected {
                            user_id: codec::get_id(row, "user_id")?.into(),
                            name: get(row, "display_name")?,
                            email: get(row, "email")?,
                        })
                    })
                    .collect()
            }

            async fn list_waiting(&mut self, tenant_id: TenantId) -> StorageResult<Vec<Waiting>> {
                let rows = sqlx::query(
                    "SELECT DISTINCT c.status, c.status_reason, c.user_id, u.display_name, \
                     lower(u.display_name) AS person FROM calendar_providers c \
                     JOIN users u ON u.tenant_id = c.tenant_id AND u.user_id = c.user_id \
                     WHERE c.tenant_id = $1 AND c.status <> 'connected' \
                     AND coalesce(c.status_reason, '') <> 'disconnecting' \
                     ORDER BY person, c.user_id, c.status, c.status_reason",
                )
                .bind(codec::id(tenant_id.0))
                .fetch_all(self.connection())
                .await
                .map_err(failure)?;
                rows.iter()
                    .map(|row| {
                        Ok(Waiting {
                            status: get(row, "status")?,
                            reason: get(row, "status_reason")?,
                            user_id: codec::get_id(row, "user_id")?.into(),
                            owner: get(row, "display_name")?,
                        })
                    })
                    .collect()
            }

            async fn list_asked(&mut self, tenant_id: TenantId) -> StorageResult<Vec<String>> {
                let rows = sqlx::query(
                    "SELECT u.display_name FROM users u WHERE u.tenant_id = $1 AND u.user_id IN (\
                     SELECT c.user_id FROM calendar_providers c \
                     JOIN calendar_conflicts f ON f.tenant_id = c.tenant_id AND f.connection_id = c.connection_id \
                     WHERE c.tenant_id = $1 AND f.state = 'open' \
                     AND coalesce(c.status_reason, '') <> 'disconnecting') \
                     ORDER BY lower(u.display_name), u.user_id",
                )
                .bind(codec::id(tenant_id.0))
                .fetch_all(self.connection())
                .await
                .map_err(failure)?;
                rows.iter().map(|row| get(row, "display_name")).collect()
            }

            async fn longest_without_sync(
                &mut self,
                tenant_id: TenantId,
            ) -> StorageResult<Option<OwnedConnection>> {
                let sql = format!(
                    "SELECT {OWNED} FROM (SELECT connection_id FROM calendar_providers \
                     WHERE tenant_id = $1 AND status = 'connected' AND paused_at IS NULL \
                     AND coalesce(status_reason, '') <> 'disconnecting' AND last_sync_at IS NOT NULL \
                     ORDER BY last_sync_at, connection_id LIMIT 1) k \
                     JOIN calendar_providers p ON p.tenant_id = $1 AND p.connection_id = k.connection_id \
                     JOIN users o ON o.tenant_id = p.tenant_id AND o.user_id = p.user_id"
                );
                let row = sqlx::query(sqlx::AssertSqlSafe(sql))
                    .bind(codec::id(tenant_id.0))
                    .fetch_optional(self.connection())
                    .await
                    .map_err(failure)?;
                row.as_ref().map(owned).transpose()
            }
        }
    };
}

pub(crate) use coverage_repository;

#[cfg(test)]
mod tests {
    use super::found_in;

    #[test]
    fn letters_of_any_language_are_found_in_either_case() {
        let texts = ["Jürgen MÜLLER", "ada@example.com"];
        for text in ["müller", " MÜLLER ", "ADA@", ""] {
            assert!(found_in(text, &texts), "{text}");
        }
        assert!(!found_in("muller", &texts));
    }
}
