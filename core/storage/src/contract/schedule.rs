//! Schedule entries.

use chrono::{DateTime, Utc};
use daybind_domain::ids::{EntryId, TenantId, UserId};
use daybind_domain::recurrence::OccurrenceOf;
use daybind_domain::schedule::{EntryContent, EntryStatus, ShowAs, When};
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
            repeats: None,
            shows: ShowAs::Busy,
            private: false,
            status: EntryStatus::Scheduled,
        },
        occurrence_of: None,
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
    assert_eq!(entry.content, added.content);
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

/// Whether it takes its time and whether it is private are stored with an entry, each for itself, and can be changed back.
pub async fn entries_are_free_and_private(store: &dyn Store) {
    let (a, admin) = tenant(store, "A").await;
    for (shows, private) in [(ShowAs::Free, false), (ShowAs::Busy, true)] {
        let mut added = new(a, admin, timed(at(0), at(3600)));
        (added.content.shows, added.content.private) = (shows, private);
        let mut u = unit(store, a).await;
        u.add_entry(&added, at(0)).await.unwrap();
        let mut entry = u.find_entry(a, added.entry_id).await.unwrap().unwrap();
        assert_eq!(entry.content, added.content);
        (entry.content.shows, entry.content.private) = (ShowAs::Busy, false);
        entry.version = u.update_entry(&entry, at(1)).await.unwrap();
        let plain = u.find_entry(a, added.entry_id).await.unwrap().unwrap();
        assert_eq!(plain.content, entry.content);
        (entry.content.shows, entry.content.private) = (shows, private);
        u.update_entry(&entry, at(2)).await.unwrap();
        let back = u.list_entries(a, at(0), at(3600), None).await.unwrap();
        let back = back.iter().find(|row| row.entry_id == added.entry_id);
        assert_eq!(back.unwrap().content, added.content);
        u.save().await.unwrap();
    }
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

/// A series is listed in every range it may have an occurrence in, once, and no longer than its rule's end says.
pub async fn series_are_listed_while_they_last(store: &dyn Store) {
    let (a, admin) = tenant(store, "A").await;
    let day = 86_400;
    let mut endless = new(a, admin, timed(at(10 * day), at(10 * day + 3600)));
    endless.content.repeats = Some("FREQ=WEEKLY;BYDAY=MO,TH".parse().unwrap());
    let mut ending = new(a, admin, timed(at(10 * day), at(10 * day + 3600)));
    let last = at(20 * day).date_naive();
    ending.content.repeats = Some(
        format!("FREQ=DAILY;UNTIL={}", last.format("%Y%m%d"))
            .parse()
            .unwrap(),
    );
    let mut u = unit(store, a).await;
    u.add_entry(&endless, at(0)).await.unwrap();
    u.add_entry(&ending, at(0)).await.unwrap();
    let mut expected = vec![endless.entry_id, ending.entry_id];
    expected.sort();
    for (from, to, known) in [
        (0, 5, vec![]),
        (15, 16, expected.clone()),
        (20, 21, expected),
        (30, 31, vec![endless.entry_id]),
        (9_000, 9_001, vec![endless.entry_id]),
    ] {
        let mut found: Vec<_> = u
            .list_entries(a, at(from * day), at(to * day), Some(admin))
            .await
            .unwrap()
            .into_iter()
            .map(|entry| entry.entry_id)
            .collect();
        found.sort();
        assert_eq!(found, known, "days {from} to {to}");
    }
    // The rule comes back whole, and can be taken away.
    let mut entry = u.find_entry(a, ending.entry_id).await.unwrap().unwrap();
    assert_eq!(entry.content, ending.content);
    entry.content.repeats = None;
    u.update_entry(&entry, at(1)).await.unwrap();
    let found = u.list_entries(a, at(15 * day), at(16 * day), None).await;
    assert_eq!(found.unwrap().len(), 1);
    u.save().await.unwrap();
}

/// An occurrence stands once, is found with its tombstone, and can change its series.
pub async fn an_occurrence_has_one_entry(store: &dyn Store) {
    let (a, admin) = tenant(store, "A").await;
    let day = 86_400;
    let mut series = new(a, admin, timed(at(0), at(3600)));
    series.content.repeats = Some("FREQ=DAILY".parse().unwrap());
    let of = |days: i64| OccurrenceOf {
        series: series.entry_id,
        day: at(days * day).date_naive(),
    };
    let mut second = new(a, admin, timed(at(2 * day), at(2 * day + 60)));
    second.occurrence_of = Some(of(1));
    let mut first = new(a, admin, timed(at(0), at(60)));
    first.occurrence_of = Some(of(0));
    let mut u = unit(store, a).await;
    for entry in [&series, &second, &first] {
        u.add_entry(entry, at(0)).await.unwrap();
    }
    let mut gone = u.find_entry(a, first.entry_id).await.unwrap().unwrap();
    assert_eq!(gone.occurrence_of, Some(of(0)));
    gone.deleted_at = Some(at(5));
    u.update_entry(&gone, at(5)).await.unwrap();
    let found = u.list_occurrences(a, &[series.entry_id]).await.unwrap();
    let ids: Vec<_> = found.iter().map(|entry| entry.entry_id).collect();
    assert_eq!(ids, [first.entry_id, second.entry_id]);
    assert_eq!(found[1].assignees, [admin]);
    assert!(u.list_occurrences(a, &[]).await.unwrap().is_empty());
    let mut moved = found[1].clone();
    moved.occurrence_of = None;
    u.update_entry(&moved, at(6)).await.unwrap();
    u.save().await.unwrap();

    let mut u = unit(store, a).await;
    let mut again = new(a, admin, timed(at(0), at(60)));
    again.occurrence_of = Some(of(0));
    assert!(matches!(
        u.add_entry(&again, at(7)).await,
        Err(StorageError::Duplicate(_))
    ));
    drop(u);
    let (b, _) = tenant(store, "B").await;
    let mut u = unit(store, b).await;
    assert!(
        u.list_occurrences(b, &[series.entry_id])
            .await
            .unwrap()
            .is_empty()
    );
}
