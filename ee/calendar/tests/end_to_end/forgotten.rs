//! What a calendar forgets about its series, where it alone says what is.

use daybind_fakes::DuplicateTransaction;
use daybind_services::{CalendarPort as _, Provider};
use serde_json::{Value, json};

use crate::bench::{Database, World};
use crate::everyday::bring_in;
use crate::series::{change_there, id_of, monday, part_id, seen, times};

/// "Daily" until that many days after the Monday.
fn rule(w: &World, last: u64) -> Value {
    let (first, last) = (monday(w, 0), monday(w, last));
    match w.provider {
        Provider::Google => {
            let until = last.format("%Y%m%dT215959Z");
            json!([format!("RRULE:FREQ=DAILY;UNTIL={until}")])
        }
        Provider::Microsoft => json!({
            "pattern": { "type": "daily", "interval": 1 },
            "range": { "type": "endDate", "startDate": first, "endDate": last },
        }),
    }
}

/// W9: on a connection "from calendar", an occurrence that the calendar put back to what its series says, which it tells nobody,
/// is so in the schedule too; those it still has values for keep them.
async fn occurrences_are_reset(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    bring_in(&w, "marked").await;
    let id = w.connection().await;
    w.port
        .update_calendar_provider(&w.tess, &id, None, Some("from_external"))
        .await
        .unwrap();
    w.drain().await;
    let mut body = times(&w, monday(&w, 0), [9, 10]);
    body[w.key("title")] = json!("Visit @daybind");
    body["recurrence"] = rule(&w, 4);
    let series = w.fakes.create_event(w.fake, &w.calendar, &body).unwrap();
    let part = |later: u64| part_id(&w, &series, monday(&w, later), 9);
    let theirs = json!({ w.key("title"): "Theirs @daybind" });
    change_there(&w, &part(1), &theirs);
    change_there(&w, &part(2), &times(&w, monday(&w, 2), [15, 16]));
    w.sync().await;
    assert_eq!(
        seen(&w).await,
        [
            "0 09:00 Visit @daybind",
            "1 09:00 Theirs @daybind",
            "2 15:00 Visit @daybind",
            "3 09:00 Visit @daybind",
            "4 09:00 Visit @daybind"
        ]
    );
    // Rewritten series start over; one of the two is changed again.
    change_there(&w, &id_of(&series), &json!({ "recurrence": rule(&w, 5) }));
    change_there(&w, &part(1), &theirs);
    w.sync().await;
    let now = [
        "0 09:00 Visit @daybind",
        "1 09:00 Theirs @daybind",
        "2 09:00 Visit @daybind",
        "3 09:00 Visit @daybind",
        "4 09:00 Visit @daybind",
        "5 09:00 Visit @daybind",
    ];
    assert_eq!(seen(&w).await, now);
    let before = w.rows(&["schedule_entries", "sync_changes"]).await;
    w.sync().await;
    assert_eq!(seen(&w).await, now);
    assert_eq!(w.rows(&["schedule_entries", "sync_changes"]).await, before);
}

everywhere! {
    reset: occurrences_are_reset;
}
