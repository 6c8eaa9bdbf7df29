//! Schedule entries.

use chrono::{DateTime, Utc};
use daybind_domain::ids::{EntryId, TenantId, UserId};
use daybind_domain::schedule::{EntryContent, EntryStatus, When};
use uuid::Uuid;

use super::fixture::{at, tenant, unit, user};
use crate::{Entry, NewEntry, StorageError, Store};

fn new(tenant_id: TenantId, created_by: UserId, when: When) -> NewEntry {
    NewEntry {
        tenant_id,
        entry_id: EntryId(Uuid::new_v4()),
        content: EntryContent {
            title: "Visit".to_owned(),
            notes: "Bring cables".to_owned(),
            location: "Office".to_owned(),
            when,
            status: EntryStatus::Scheduled,
        },
        assignees: vec![created_by],
        created_by,
    }
}

fn timed(start: DateTime<Utc>, end: DateTime<Utc>) -> When {
    When::Timed {
        start,
        end,
        zone: "Europe/Berlin".to_owned(),
    }
}

/// Every change raises the version, deletion too; deleted entries can be found but are not listed.
pub async fn entries_are_versioned_and_leave_tombstones(store: &dyn Store) {
    let (a, admin) = tenant(store, "A").await;
    let other = user(store, a, "other@example.test").await;
    let added = new(a, admin, timed(at(0), at(3600)));
    let mut u = unit(store, a).await;
    u.add_entry(&added, at(0)).await.unwrap();
    let mut entry = u.find_entry(a, added.entry_id).await.unwrap().unwrap();
    assert_eq!(
        (entry.version, &entry.content, &entry.assignees),
        (1, &added.content, &vec![admin])
    );
    entry.assignees = vec![admin, other];
    assert_eq!(u.update_entry(&entry, at(1)).await.unwrap(), 2);
    assert!(matches!(
        u.update_entry(&entry, at(1)).await,
        Err(StorageError::Stale)
    ));
    let mut entry = u.find_entry(a, added.entry_id).await.unwrap().unwrap();
    let mut both = vec![admin, other];
    both.sort();
    assert_eq!(
        (entry.version, &entry.assignees, entry.updated_at),
        (2, &both, at(1))
    );
    entry.deleted_at = Some(at(2));
    assert_eq!(u.update_entry(&entry, at(2)).await.unwrap(), 3);
    assert_eq!(
        u.find_entry(a, added.entry_id)
            .await
            .unwrap()
            .unwrap()
            .deleted_at,
        Some(at(2))
    );
    assert!(
        u.list_entries(a, at(0), at(9999), None)
            .await
            .unwrap()
            .is_empty()
    );
    let gone = Entry {
        entry_id: EntryId(Uuid::new_v4()),
        ..entry
    };
    assert!(matches!(
        u.update_entry(&gone, at(2)).await,
        Err(StorageError::NotFound)
    ));
    u.save().await.unwrap();
}

/// Ranges are half-open; all-day entries are widened by a day.
pub async fn entries_are_listed_by_range_and_assignee(store: &dyn Store) {
    let (a, admin) = tenant(store, "A").await;
    let other = user(store, a, "other@example.test").await;
    let first = new(a, admin, timed(at(0), at(100)));
    let second = new(a, other, timed(at(100), at(200)));
    let day = at(0).date_naive();
    let whole = new(
        a,
        admin,
        When::AllDay {
            start: day + chrono::Days::new(3),
            end: day + chrono::Days::new(4),
        },
    );
    let mut u = unit(store, a).await;
    for entry in [&second, &first, &whole] {
        u.add_entry(entry, at(0)).await.unwrap();
    }
    let ids = |entries: Vec<Entry>| entries.into_iter().map(|e| e.entry_id).collect::<Vec<_>>();
    assert_eq!(
        ids(u.list_entries(a, at(0), at(200), None).await.unwrap()),
        [first.entry_id, second.entry_id]
    );
    assert_eq!(
        ids(u.list_entries(a, at(0), at(100), None).await.unwrap()),
        [first.entry_id]
    );
    assert_eq!(
        ids(u.list_entries(a, at(100), at(200), None).await.unwrap()),
        [second.entry_id]
    );
    assert_eq!(
        ids(u
            .list_entries(a, at(0), at(200), Some(other))
            .await
            .unwrap()),
        [second.entry_id]
    );
    let two_days = 2 * 86_400;
    assert_eq!(
        ids(u
            .list_entries(a, at(two_days), at(two_days + 60), None)
            .await
            .unwrap()),
        [whole.entry_id]
    );
    assert_eq!(
        u.find_entry(a, whole.entry_id)
            .await
            .unwrap()
            .unwrap()
            .content,
        whole.content
    );
    u.save().await.unwrap();
}
