//! Schedule entries and who they are assigned to.

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use daybind_domain::ids::{EntryId, TenantId, UserId};
use daybind_domain::recurrence::OccurrenceOf;
use daybind_domain::schedule::{EntryContent, EntryStatus, ShowAs, When};
use daybind_storage::{
    Entry, NewEntry, ScheduleRepository, StorageError, StorageResult, repeats_until,
};

use crate::PgUnit;
use crate::codec::{self, Row, failure, get};

const fn broken(column: &'static str) -> StorageError {
    StorageError::Inconsistent {
        table: "schedule_entries",
        column,
    }
}

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

/// `all_day`, `start_at`, `end_at` and `zone`.
fn columns(when: &When) -> (bool, DateTime<Utc>, DateTime<Utc>, Option<String>) {
    match when {
        When::Timed { start, end, zone } => (false, *start, *end, Some(zone.clone())),
        When::AllDay { start, end } => (true, midnight(*start), midnight(*end), None),
    }
}

/// `series_id` and `series_day`.
fn occurrence(row: &Row) -> StorageResult<Option<OccurrenceOf>> {
    let Some(series) = codec::get_id_or(row, "series_id")? else {
        return Ok(None);
    };
    let day: Option<String> = get(row, "series_day")?;
    let day = day.and_then(|text| text.parse().ok());
    Ok(Some(OccurrenceOf {
        series: series.into(),
        day: day.ok_or(broken("series_day"))?,
    }))
}

/// The entry without its assignees.
fn entry(row: &Row) -> StorageResult<Entry> {
    let start = codec::get_at(row, "start_at")?;
    let end = codec::get_at(row, "end_at")?;
    let when = if get(row, "all_day")? {
        When::AllDay {
            start: start.date_naive(),
            end: end.date_naive(),
        }
    } else {
        When::Timed {
            start,
            end,
            zone: get::<Option<String>>(row, "zone")?.ok_or(broken("zone"))?,
        }
    };
    Ok(Entry {
        tenant_id: codec::get_id(row, "tenant_id")?.into(),
        entry_id: codec::get_id(row, "entry_id")?.into(),
        content: EntryContent {
            title: get(row, "title")?,
            notes: get(row, "notes")?,
            location: get(row, "location")?,
            when,
            repeats: get::<Option<String>>(row, "recurrence")?
                .map(|text| text.parse().map_err(|_| broken("recurrence")))
                .transpose()?,
            shows: ShowAs::parse(get(row, "shows_as")?).ok_or(broken("shows_as"))?,
            private: get(row, "is_private")?,
            status: EntryStatus::parse(get(row, "status")?).ok_or(broken("status"))?,
        },
        occurrence_of: occurrence(row)?,
        assignees: Vec::new(),
        version: get(row, "version")?,
        deleted_at: codec::get_at_or(row, "deleted_at")?,
        updated_at: codec::get_at(row, "updated_at")?,
    })
}

impl PgUnit {
    /// Fills the assignees in.
    async fn with_assignees(
        &mut self,
        tenant_id: TenantId,
        mut entries: Vec<Entry>,
    ) -> StorageResult<Vec<Entry>> {
        let rows = sqlx::query(
            "SELECT entry_id, user_id FROM schedule_entry_assignees WHERE tenant_id = $1 \
             AND entry_id = ANY($2) ORDER BY user_id",
        )
        .bind(codec::id(tenant_id.0))
        .bind(codec::ids(entries.iter().map(|entry| entry.entry_id.0)))
        .fetch_all(self.connection())
        .await
        .map_err(failure)?;
        let mut assignees: HashMap<EntryId, Vec<UserId>> = HashMap::new();
        for row in &rows {
            let entry_id = codec::get_id(row, "entry_id")?.into();
            assignees
                .entry(entry_id)
                .or_default()
                .push(codec::get_id(row, "user_id")?.into());
        }
        for entry in &mut entries {
            entry.assignees = assignees.remove(&entry.entry_id).unwrap_or_default();
        }
        Ok(entries)
    }

    async fn set_assignees(
        &mut self,
        tenant_id: TenantId,
        entry_id: EntryId,
        assignees: &[UserId],
    ) -> StorageResult<()> {
        sqlx::query("DELETE FROM schedule_entry_assignees WHERE tenant_id = $1 AND entry_id = $2")
            .bind(codec::id(tenant_id.0))
            .bind(codec::id(entry_id.0))
            .execute(self.connection())
            .await
            .map_err(failure)?;
        for user_id in assignees {
            sqlx::query(
                "INSERT INTO schedule_entry_assignees (tenant_id, entry_id, user_id) VALUES ($1, $2, $3) \
                 ON CONFLICT (tenant_id, entry_id, user_id) DO NOTHING",
            )
            .bind(codec::id(tenant_id.0))
            .bind(codec::id(entry_id.0))
            .bind(codec::id(user_id.0))
            .execute(self.connection())
            .await
            .map_err(failure)?;
        }
        Ok(())
    }
}

#[async_trait]
impl ScheduleRepository for PgUnit {
    async fn add_entry(&mut self, new: &NewEntry, now: DateTime<Utc>) -> StorageResult<()> {
        let (all_day, start, end, zone) = columns(&new.content.when);
        sqlx::query(
            "INSERT INTO schedule_entries (tenant_id, entry_id, title, notes, location, all_day, start_at, end_at, \
             zone, status, version, created_by, created_at, updated_at, recurrence, repeats_until, series_id, series_day, \
             shows_as, is_private) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, $11, $12, $12, $13, $14, $15, $16, $17, $18)",
        )
        .bind(codec::id(new.tenant_id.0))
        .bind(codec::id(new.entry_id.0))
        .bind(new.content.title.clone())
        .bind(new.content.notes.clone())
        .bind(new.content.location.clone())
        .bind(all_day)
        .bind(codec::at(start))
        .bind(codec::at(end))
        .bind(zone)
        .bind(new.content.status.as_str())
        .bind(codec::id(new.created_by.0))
        .bind(codec::at(now))
        .bind(new.content.repeats.as_ref().map(ToString::to_string))
        .bind(repeats_until(&new.content).map(codec::at))
        .bind(new.occurrence_of.map(|of| codec::id(of.series.0)))
        .bind(new.occurrence_of.map(|of| of.day.to_string()))
        .bind(new.content.shows.as_str())
        .bind(new.content.private)
        .execute(self.connection())
        .await
        .map_err(failure)?;
        self.set_assignees(new.tenant_id, new.entry_id, &new.assignees)
            .await
    }

    async fn find_entry(
        &mut self,
        tenant_id: TenantId,
        entry_id: EntryId,
    ) -> StorageResult<Option<Entry>> {
        let row =
            sqlx::query("SELECT * FROM schedule_entries WHERE tenant_id = $1 AND entry_id = $2")
                .bind(codec::id(tenant_id.0))
                .bind(codec::id(entry_id.0))
                .fetch_optional(self.connection())
                .await
                .map_err(failure)?;
        let Some(row) = row else { return Ok(None) };
        Ok(self
            .with_assignees(tenant_id, vec![entry(&row)?])
            .await?
            .pop())
    }

    async fn list_entries(
        &mut self,
        tenant_id: TenantId,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        assignee: Option<UserId>,
    ) -> StorageResult<Vec<Entry>> {
        let rows = sqlx::query(
            "SELECT * FROM schedule_entries e WHERE tenant_id = $1 AND deleted_at IS NULL \
             AND ((recurrence IS NULL AND ((NOT all_day AND start_at < $3 AND end_at > $2) \
             OR (all_day AND start_at < $5 AND end_at > $4))) \
             OR (recurrence IS NOT NULL AND start_at < $5 AND (repeats_until IS NULL OR repeats_until > $4))) \
             AND ($6 IS NULL OR EXISTS (SELECT 1 FROM schedule_entry_assignees a \
             WHERE a.tenant_id = e.tenant_id AND a.entry_id = e.entry_id AND a.user_id = $6)) \
             ORDER BY start_at, entry_id",
        )
        .bind(codec::id(tenant_id.0))
        .bind(codec::at(from))
        .bind(codec::at(to))
        .bind(codec::at(from - TimeDelta::days(1)))
        .bind(codec::at(to + TimeDelta::days(1)))
        .bind(assignee.map(|user_id| codec::id(user_id.0)))
        .fetch_all(self.connection())
        .await
        .map_err(failure)?;
        let entries = rows.iter().map(entry).collect::<StorageResult<Vec<_>>>()?;
        self.with_assignees(tenant_id, entries).await
    }

    async fn list_occurrences(
        &mut self,
        tenant_id: TenantId,
        series: &[EntryId],
    ) -> StorageResult<Vec<Entry>> {
        let rows = sqlx::query(
            "SELECT * FROM schedule_entries WHERE tenant_id = $1 \
             AND series_id = ANY($2) ORDER BY series_id, series_day",
        )
        .bind(codec::id(tenant_id.0))
        .bind(codec::ids(series.iter().map(|id| id.0)))
        .fetch_all(self.connection())
        .await
        .map_err(failure)?;
        let entries = rows.iter().map(entry).collect::<StorageResult<Vec<_>>>()?;
        self.with_assignees(tenant_id, entries).await
    }

    async fn update_entry(&mut self, entry: &Entry, now: DateTime<Utc>) -> StorageResult<i64> {
        let (all_day, start, end, zone) = columns(&entry.content.when);
        let done = sqlx::query(
            "UPDATE schedule_entries SET title = $4, notes = $5, location = $6, all_day = $7, start_at = $8, \
             end_at = $9, zone = $10, status = $11, deleted_at = $12, updated_at = $13, recurrence = $14, \
             repeats_until = $15, series_id = $16, series_day = $17, shows_as = $18, is_private = $19, version = version + 1 \
             WHERE tenant_id = $1 AND entry_id = $2 AND version = $3",
        )
        .bind(codec::id(entry.tenant_id.0))
        .bind(codec::id(entry.entry_id.0))
        .bind(entry.version)
        .bind(entry.content.title.clone())
        .bind(entry.content.notes.clone())
        .bind(entry.content.location.clone())
        .bind(all_day)
        .bind(codec::at(start))
        .bind(codec::at(end))
        .bind(zone)
        .bind(entry.content.status.as_str())
        .bind(entry.deleted_at.map(codec::at))
        .bind(codec::at(now))
        .bind(entry.content.repeats.as_ref().map(ToString::to_string))
        .bind(repeats_until(&entry.content).map(codec::at))
        .bind(entry.occurrence_of.map(|of| codec::id(of.series.0)))
        .bind(entry.occurrence_of.map(|of| of.day.to_string()))
        .bind(entry.content.shows.as_str())
        .bind(entry.content.private)
        .execute(self.connection())
        .await
        .map_err(failure)?;
        if done.rows_affected() == 0 {
            let found = self.find_entry(entry.tenant_id, entry.entry_id).await?;
            return Err(if found.is_some() {
                StorageError::Stale
            } else {
                StorageError::NotFound
            });
        }
        self.set_assignees(entry.tenant_id, entry.entry_id, &entry.assignees)
            .await?;
        Ok(entry.version + 1)
    }
}
