//! The predecessor's tables that only the Enterprise edition reads. Nothing is written there.

use chrono::{DateTime, Utc};
use daybind_domain::ids::TenantId;
use daybind_storage::StorageResult;
use daybind_storage_postgres::{PgAlga, failure};
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use uuid::Uuid;

/// A calendar connection over there. Its tokens are not read: whose account they belong to is not stored there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlgaCalendar {
    /// Its id.
    pub id: Uuid,
    /// The technician; none for rows from before connections had owners.
    pub user_id: Option<Uuid>,
    /// `google` or `microsoft`, or something unknown.
    pub provider: String,
    /// Its name.
    pub name: String,
    /// The external calendar, or the words `primary` and `calendar`.
    pub calendar_id: Option<String>,
    /// `bidirectional`, `to_external` or `from_external`.
    pub direction: String,
    /// The OAuth client it was made with, if known.
    pub client_id: Option<String>,
    /// Whether it was ever connected: there is a refresh token.
    pub connected: bool,
}

/// A tie between a schedule entry and an external event, with the entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlgaMapping {
    /// Its id.
    pub id: Uuid,
    /// The external event.
    pub external_event_id: String,
    /// The entry; none when it is gone.
    pub entry: Option<AlgaEntry>,
    /// The entry's id.
    pub entry_id: Uuid,
}

/// A schedule entry over there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlgaEntry {
    /// Title.
    pub title: String,
    /// Notes.
    pub notes: String,
    /// First instant.
    pub start: Option<DateTime<Utc>>,
    /// First instant after it.
    pub end: Option<DateTime<Utc>>,
    /// Free text: `scheduled`, `cancelled`, `completed` and others.
    pub status: String,
    /// A series, or a part of one.
    pub is_recurring: bool,
    /// Hidden from others than its assignee.
    pub is_private: bool,
    /// Who does it.
    pub assignees: Vec<Uuid>,
}

/// A person over there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlgaPerson {
    /// Their id.
    pub user_id: Uuid,
    /// Their email address.
    pub email: String,
    /// First and last name.
    pub name: String,
    /// An active member of staff (no client-portal user).
    pub is_staff: bool,
    /// Their time zone, if stored.
    pub time_zone: Option<String>,
}

/// Signs of use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlgaUse {
    /// Microsoft calendars that were connected.
    pub microsoft_calendars: i64,
    /// Microsoft mailboxes in use.
    pub microsoft_mailboxes: i64,
    /// Whether Teams was set up.
    pub teams: bool,
    /// The profile selected for Teams.
    pub teams_profile: Option<Uuid>,
}

fn get<'r, T>(row: &'r PgRow, column: &str) -> StorageResult<T>
where
    T: sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    row.try_get(column).map_err(failure)
}

/// Signs that consumers were in use.
///
/// # Errors
/// `Database`.
pub async fn usage(alga: &mut PgAlga, tenant_id: TenantId) -> StorageResult<AlgaUse> {
    let mut found = AlgaUse::default();
    if alga.has("microsoft_calendar_provider_config").await? {
        found.microsoft_calendars = sqlx::query_scalar(
            "SELECT count(*) FROM calendar_providers p JOIN microsoft_calendar_provider_config c \
             ON c.calendar_provider_id = p.id AND c.tenant = p.tenant \
             WHERE p.tenant = $1 AND p.provider_type = 'microsoft' AND coalesce(c.refresh_token, '') <> ''",
        )
        .bind(tenant_id.0)
        .fetch_one(alga.connection())
        .await
        .map_err(failure)?;
    }
    if alga.has("email_providers").await? {
        found.microsoft_mailboxes = sqlx::query_scalar(
            "SELECT count(*) FROM email_providers WHERE tenant = $1 AND provider_type = 'microsoft' AND is_active",
        )
        .bind(tenant_id.0)
        .fetch_one(alga.connection())
        .await
        .map_err(failure)?;
    }
    if alga.has("teams_integrations").await? {
        let row = sqlx::query(
            "SELECT selected_profile_id FROM teams_integrations WHERE tenant = $1 AND install_status <> 'not_configured'",
        )
        .bind(tenant_id.0)
        .fetch_optional(alga.connection())
        .await
        .map_err(failure)?;
        if let Some(row) = row {
            found.teams = true;
            found.teams_profile = get(&row, "selected_profile_id")?;
        }
    }
    Ok(found)
}

/// A tenant's calendar connections, oldest first.
///
/// # Errors
/// `Database`.
pub async fn calendars(alga: &mut PgAlga, tenant_id: TenantId) -> StorageResult<Vec<AlgaCalendar>> {
    if !alga.has("calendar_providers").await? {
        return Ok(Vec::new());
    }
    let rows = sqlx::query(
        "SELECT p.id, p.user_id, p.provider_type::text AS provider, coalesce(p.provider_name, '') AS name, \
         p.calendar_id::text AS calendar_id, p.sync_direction::text AS direction, \
         coalesce(m.client_id, g.client_id) AS client_id, \
         coalesce(m.refresh_token, g.refresh_token, '') <> '' AS connected \
         FROM calendar_providers p \
         LEFT JOIN microsoft_calendar_provider_config m ON m.calendar_provider_id = p.id AND m.tenant = p.tenant \
         LEFT JOIN google_calendar_provider_config g ON g.calendar_provider_id = p.id AND g.tenant = p.tenant \
         WHERE p.tenant = $1 ORDER BY p.created_at, p.id",
    )
    .bind(tenant_id.0)
    .fetch_all(alga.connection())
    .await
    .map_err(failure)?;
    rows.iter()
        .map(|row| {
            Ok(AlgaCalendar {
                id: get(row, "id")?,
                user_id: get(row, "user_id")?,
                provider: get(row, "provider")?,
                name: get(row, "name")?,
                calendar_id: get(row, "calendar_id")?,
                direction: get(row, "direction")?,
                client_id: get(row, "client_id")?,
                connected: get(row, "connected")?,
            })
        })
        .collect()
}

/// A connection's mappings with their entries, oldest first.
///
/// # Errors
/// `Database`.
pub async fn mappings(
    alga: &mut PgAlga,
    tenant_id: TenantId,
    calendar: Uuid,
) -> StorageResult<Vec<AlgaMapping>> {
    let rows = sqlx::query(
        "SELECT m.id, m.external_event_id::text AS external_event_id, m.schedule_entry_id, e.entry_id, e.title, \
         coalesce(e.notes, '') AS notes, e.scheduled_start, e.scheduled_end, e.status, \
         (coalesce(e.is_recurring, false) OR e.original_entry_id IS NOT NULL \
          OR coalesce(e.recurrence_pattern, 'null'::jsonb) <> 'null'::jsonb) AS is_recurring, \
         coalesce(e.is_private, false) AS is_private, \
         array(SELECT a.user_id FROM schedule_entry_assignees a \
               WHERE a.tenant = m.tenant AND a.entry_id = m.schedule_entry_id ORDER BY a.user_id) AS assignees \
         FROM calendar_event_mappings m \
         LEFT JOIN schedule_entries e ON e.tenant = m.tenant AND e.entry_id = m.schedule_entry_id \
         WHERE m.tenant = $1 AND m.calendar_provider_id = $2 ORDER BY m.created_at, m.id",
    )
    .bind(tenant_id.0)
    .bind(calendar)
    .fetch_all(alga.connection())
    .await
    .map_err(failure)?;
    rows.iter()
        .map(|row| {
            let there: Option<Uuid> = get(row, "entry_id")?;
            let entry = if there.is_some() {
                Some(AlgaEntry {
                    title: get(row, "title")?,
                    notes: get(row, "notes")?,
                    start: get(row, "scheduled_start")?,
                    end: get(row, "scheduled_end")?,
                    status: get(row, "status")?,
                    is_recurring: get(row, "is_recurring")?,
                    is_private: get(row, "is_private")?,
                    assignees: get(row, "assignees")?,
                })
            } else {
                None
            };
            Ok(AlgaMapping {
                id: get(row, "id")?,
                external_event_id: get(row, "external_event_id")?,
                entry_id: get(row, "schedule_entry_id")?,
                entry,
            })
        })
        .collect()
}

/// A tenant's people.
///
/// # Errors
/// `Database`.
pub async fn people(alga: &mut PgAlga, tenant_id: TenantId) -> StorageResult<Vec<AlgaPerson>> {
    let rows = sqlx::query(
        "SELECT u.user_id, coalesce(u.email, '') AS email, \
         trim(concat_ws(' ', u.first_name, u.last_name)) AS name, \
         coalesce(to_jsonb(u) ->> 'user_type', 'internal') = 'internal' \
         AND NOT coalesce((to_jsonb(u) ->> 'is_inactive')::boolean, false) AS is_staff, \
         to_jsonb(u) ->> 'timezone' AS time_zone \
         FROM users u WHERE u.tenant = $1 ORDER BY u.user_id",
    )
    .bind(tenant_id.0)
    .fetch_all(alga.connection())
    .await
    .map_err(failure)?;
    rows.iter()
        .map(|row| {
            Ok(AlgaPerson {
                user_id: get(row, "user_id")?,
                email: get(row, "email")?,
                name: get(row, "name")?,
                is_staff: get(row, "is_staff")?,
                time_zone: get(row, "time_zone")?,
            })
        })
        .collect()
}
