//! Schedule entries.

use async_trait::async_trait;
use chrono::{DateTime, Days, NaiveTime, Utc};
use daybind_domain::ids::{EntryId, TenantId, UserId};
use daybind_domain::recurrence::{End, OccurrenceOf};
use daybind_domain::schedule::{EntryContent, When};

use crate::StorageResult;

/// A schedule entry. Tables `schedule_entries` and `schedule_entry_assignees`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Whose.
    pub tenant_id: TenantId,
    /// Key.
    pub entry_id: EntryId,
    /// What it says.
    pub content: EntryContent,
    /// The occurrence of a series it stands for, with values of its own. Such an entry never repeats.
    pub occurrence_of: Option<OccurrenceOf>,
    /// Who does it, ordered by id.
    pub assignees: Vec<UserId>,
    /// Starts at 1; raised by every change, that of assignees and deletion included.
    pub version: i64,
    /// Deleted entries stay as tombstones until every copy is gone.
    pub deleted_at: Option<DateTime<Utc>>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// An entry to add; starts with version 1.
#[derive(Debug, Clone)]
pub struct NewEntry {
    /// Whose.
    pub tenant_id: TenantId,
    /// Key.
    pub entry_id: EntryId,
    /// What it says.
    pub content: EntryContent,
    /// The occurrence of a series it stands for.
    pub occurrence_of: Option<OccurrenceOf>,
    /// Who does it.
    pub assignees: Vec<UserId>,
    /// Who added it.
    pub created_by: UserId,
}

/// An instant after which a series has no occurrence any more, if its rule's end tells; a day generous, for the rule's
/// days are those of the series' zone.
#[must_use]
pub fn repeats_until(content: &EntryContent) -> Option<DateTime<Utc>> {
    let End::Until(last) = content.repeats.as_ref()?.end else {
        return None;
    };
    let length = match &content.when {
        When::Timed { start, end, .. } => *end - *start,
        When::AllDay { start, end } => *end - *start,
    };
    let midnight = last
        .checked_add_days(Days::new(2))?
        .and_time(NaiveTime::MIN);
    midnight.and_utc().checked_add_signed(length)
}

/// Schedule entries.
#[async_trait]
pub trait ScheduleRepository {
    /// Adds an entry. `Duplicate` when its occurrence has one already.
    async fn add_entry(&mut self, entry: &NewEntry, now: DateTime<Utc>) -> StorageResult<()>;

    /// Looks an entry up, deleted or not.
    async fn find_entry(
        &mut self,
        tenant_id: TenantId,
        entry_id: EntryId,
    ) -> StorageResult<Option<Entry>>;

    /// Entries that overlap `[from, to)` and are not deleted, by start. All-day entries count as UTC days, widened by a
    /// day on either side (callers filter by the reader's zone). A series is listed once, whenever it may have an
    /// occurrence then. With `assignee`, only theirs.
    async fn list_entries(
        &mut self,
        tenant_id: TenantId,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        assignee: Option<UserId>,
    ) -> StorageResult<Vec<Entry>>;

    /// The entries that stand for occurrences of these series, deleted or not, by series and day.
    async fn list_occurrences(
        &mut self,
        tenant_id: TenantId,
        series: &[EntryId],
    ) -> StorageResult<Vec<Entry>>;

    /// Stores content, occurrence, assignees and `deleted_at` of `entry` if the row still has `entry.version`; raises the version
    /// by one and returns the new one. `Stale` or `NotFound` otherwise.
    async fn update_entry(&mut self, entry: &Entry, now: DateTime<Utc>) -> StorageResult<i64>;
}
