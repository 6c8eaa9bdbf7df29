//! What lost data in the predecessor, one by one (behaviour.md, section 9), and the brake.

use daybind_domain::schedule::EntryStatus;

use crate::world::{self, Setting, Stored, World};

fn setting(google: bool, deletion_policy: &'static str, direction: &'static str) -> Setting {
    Setting {
        google,
        conflict_policy: "ask",
        deletion_policy,
        direction,
    }
}

/// W1: unassigning a technician removes the event from that technician's calendar; the entry and the others stay.
async fn unassigning_removes_one_copy(store: &Stored, google: bool) {
    let mut w = World::new(store, 1, &setting(google, "cancel", "bidirectional")).await;
    let id = w.add(true).await;
    w.settle().await;
    assert_eq!(w.alive(), 1);
    let [_, tom] = store.people;
    w.change(id, |entry| entry.assignees = vec![tom]).await;
    w.settle().await;
    let entry = w.entry(id).await;
    assert_eq!(
        (w.alive(), entry.deleted_at, entry.assignees),
        (0, None, vec![tom])
    );
    assert_eq!(entry.content.status, EntryStatus::Scheduled);
    w.end().await;
}

/// W3: an event deleted in one technician's calendar takes that technician off shared work, and asks about work that is
/// the technician's alone; it deletes neither.
async fn deleting_ones_event_deletes_no_entry(store: &Stored, google: bool) {
    let mut w = World::new(store, 2, &setting(google, "ask", "bidirectional")).await;
    let [_, tom] = store.people;
    let shared = w.add(true).await;
    w.settle().await;
    w.delete_there().await;
    w.settle().await;
    let entry = w.entry(shared).await;
    assert_eq!((entry.deleted_at, entry.assignees), (None, vec![tom]));
    let alone = w.add(false).await;
    w.settle().await;
    let before = w.entry(alone).await;
    w.delete_there().await;
    w.settle().await;
    assert_eq!(w.entry(alone).await, before);
    assert_eq!(w.questions().await, ["deletion"]);
    w.end().await;
}

/// W2: a calendar that is not found is no deletion of its events, and neither is a pass that does not show them.
async fn a_missing_calendar_deletes_nothing(store: &Stored, google: bool) {
    let mut w = World::new(store, 3, &setting(google, "cancel", "bidirectional")).await;
    let id = w.add(false).await;
    w.settle().await;
    let before = w.entry(id).await;
    w.calendar.state().missing = true;
    w.lose_cursors();
    w.notify().await;
    w.work().await;
    assert_eq!(w.entry(id).await, before);
    assert_eq!(w.status().await, "error");
    w.calendar.state().missing = false;
    w.calendar.state().hidden = true;
    w.settle().await;
    assert_eq!((w.entry(id).await, w.alive()), (before, 1));
    assert_eq!(w.status().await, "connected");
    w.end().await;
}

/// W4: "to calendar" protects the schedule from edits and deletions there, whatever the policies say.
async fn to_calendar_never_changes_the_schedule(store: &Stored, google: bool) {
    let mut w = World::new(store, 4, &setting(google, "cancel", "to_external")).await;
    let id = w.add(false).await;
    w.settle().await;
    let before = w.entry(id).await;
    w.calendar.state().edit("title", "theirs");
    w.settle().await;
    w.delete_there().await;
    w.settle().await;
    assert_eq!((w.entry(id).await, w.alive()), (before, 1));
    w.check().await;
    w.end().await;
}

/// W6: our own writes that come back change nothing, on neither side; the work's status is kept.
async fn echoes_change_nothing(store: &Stored, google: bool) {
    let mut w = World::new(store, 5, &setting(google, "ask", "bidirectional")).await;
    let id = w.add(false).await;
    w.settle().await;
    w.change(id, |entry| entry.content.notes = "two\nlines".to_owned())
        .await;
    w.settle().await;
    let (before, writes) = (w.entry(id).await, w.calendar.state().writes);
    w.lose_cursors();
    w.settle().await;
    assert_eq!(
        (w.entry(id).await, w.calendar.state().writes),
        (before, writes)
    );
    assert_eq!(writes, 2, "one create, one change");
    w.end().await;
}

/// W13: a technician's calendar gets that technician's entries only.
async fn others_entries_stay_out(store: &Stored, google: bool) {
    let mut w = World::new(store, 6, &setting(google, "ask", "bidirectional")).await;
    let id = w.add(true).await;
    let [_, tom] = store.people;
    w.change(id, |entry| entry.assignees = vec![tom]).await;
    w.settle().await;
    assert_eq!((w.alive(), w.calendar.state().writes), (0, 0));
    w.end().await;
}

/// The mass-change brake, both answers (W2: "a bulk-delete guard").
async fn many_deletions_wait_for_an_answer(store: &Stored, google: bool) {
    let mut w = World::new(store, 7, &setting(google, "cancel", "bidirectional")).await;
    let mut ids = Vec::new();
    for _ in 0..8 {
        ids.push(w.add(false).await);
    }
    w.settle().await;
    for (answer, left, status) in [
        ("put_back", 8, EntryStatus::Scheduled),
        ("accept", 0, EntryStatus::Cancelled),
    ] {
        assert_eq!(w.alive(), 8);
        for _ in 0..8 {
            w.delete_there().await;
        }
        w.settle().await;
        assert_eq!((w.status().await, w.alive()), ("paused".to_owned(), 0));
        for id in &ids {
            assert_eq!(w.entry(*id).await.content.status, EntryStatus::Scheduled);
        }
        assert_eq!(w.questions().await, ["many_deletions"]);
        w.answer(answer).await;
        w.settle().await;
        assert_eq!(
            (w.status().await, w.alive()),
            ("connected".to_owned(), left)
        );
        for id in &ids {
            let entry = w.entry(*id).await;
            assert_eq!((entry.content.status, entry.deleted_at), (status, None));
        }
        assert!(w.questions().await.is_empty());
    }
    w.end().await;
}

macro_rules! on_all {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let store = super::world::sqlite().await;
                for google in [true, false] {
                    super::$name(&store, google).await;
                }
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let store = super::world::postgres().await;
                for google in [true, false] {
                    super::$name(&store, google).await;
                }
            })+
        }
    };
}

on_all! {
    unassigning_removes_one_copy,
    deleting_ones_event_deletes_no_entry,
    a_missing_calendar_deletes_nothing,
    to_calendar_never_changes_the_schedule,
    echoes_change_nothing,
    others_entries_stay_out,
    many_deletions_wait_for_an_answer,
}
