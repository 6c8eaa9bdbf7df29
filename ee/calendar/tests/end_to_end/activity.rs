//! Operations > Activity: which runs are listed, what a run says of what it did, and both as a file.

use chrono::{DateTime, TimeDelta, Utc};
use daybind_domain::ErrorCode;
use daybind_domain::activity::{ActivityPageView, ActivityQuery};
use daybind_domain::view::CoverageQuery;
use daybind_ee_storage::{SyncRun, calendar};
use daybind_fakes::{DuplicateTransaction, Fault, FaultKind};
use daybind_services::{CalendarPort as _, Lines, Provider};
use futures::StreamExt as _;
use serde_json::json;

use crate::bench::{Database, World, actor};

async fn connected(database: Database, provider: Provider) -> World {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    w.drain().await;
    w
}

async fn ask(w: &World, with: impl FnOnce(&mut ActivityQuery)) -> ActivityPageView {
    let mut query = ActivityQuery::default();
    with(&mut query);
    let page = w.port.list_calendar_activity(&w.admin, &query).await;
    page.unwrap()
}

async fn text(lines: Lines) -> String {
    lines
        .map(|piece| piece.unwrap())
        .collect::<Vec<_>>()
        .await
        .concat()
}

/// What a person and a calendar did is there, newest first, found by person, cause and result, and says which entry became what.
async fn runs_say_what_they_did(database: Database, provider: Provider) {
    let w = connected(database, provider).await;
    let id = w.add("Replace switch").await;
    w.drain().await;
    let event = w.named("Replace switch").remove(0);
    w.outside(&event, &json!({ w.key("title"): "Replace both switches" }));
    w.drain().await;
    w.sync().await;

    let all = ask(&w, |_| {}).await;
    assert!(
        all.rows
            .windows(2)
            .all(|two| two[0].at_utc >= two[1].at_utc)
    );
    let newest = &all.rows[0];
    assert_eq!(newest.cause, "Somebody asked for it");
    assert!(newest.result.starts_with("Nothing had"));
    let pushed = ask(&w, |query| {
        query.cause = "schedule".to_owned();
        query.find = w.tess.user.display_name.to_uppercase();
    })
    .await;
    let run = &pushed.rows[0];
    assert_eq!(run.result, "1 change to the calendar.");
    assert_eq!(run.owner, w.tess.user.display_name);
    let opened = ask(&w, |query| query.run.clone_from(&run.run_id)).await;
    let opened = opened.opened.unwrap();
    assert!(opened.can_sync && !opened.more);
    assert_eq!(opened.items.len(), 1);
    // The entry as it is called now.
    assert_eq!(opened.items[0].entry, "Replace both switches");
    assert_eq!(opened.items[0].entry_id, Some(id.to_string()));
    assert!(opened.items[0].item.title.starts_with("Added to"));

    let came = ask(&w, |query| query.cause = "notification".to_owned()).await;
    let came = ask(&w, |query| query.run.clone_from(&came.rows[0].run_id)).await;
    let item = &came.opened.unwrap().items[0].item;
    assert_eq!(item.fields.len(), 1);
    assert_eq!(
        (
            item.fields[0].before.as_str(),
            item.fields[0].after.as_str()
        ),
        ("Replace switch", "Replace both switches")
    );
    let nothing = ask(&w, |query| query.result = "nothing".to_owned()).await;
    assert!(
        nothing
            .rows
            .iter()
            .all(|run| run.result.starts_with("Nothing"))
    );
    assert!(!nothing.rows.is_empty());
    assert!(
        ask(&w, |query| query.find = "nobody".to_owned())
            .await
            .rows
            .is_empty()
    );
    let tomorrow = (w.services.now() + TimeDelta::days(2))
        .format("%Y-%m-%d")
        .to_string();
    assert!(
        ask(&w, |query| query.from.clone_from(&tomorrow))
            .await
            .rows
            .is_empty()
    );
    assert!(
        !ask(&w, |query| query.until.clone_from(&tomorrow))
            .await
            .rows
            .is_empty()
    );

    // An entry that is deleted keeps its name, and cannot be gone to.
    w.edit(id, |entry| entry.deleted_at = Some(entry.updated_at))
        .await;
    let later = ask(&w, |query| query.run.clone_from(&run.run_id)).await;
    let item = &later.opened.unwrap().items[0];
    assert_eq!(
        (item.entry.as_str(), &item.entry_id),
        ("Replace both switches", &None)
    );
}

/// A failure says why. What differs in a conflict is between its owner and the calendar: an administrator reads that there is
/// one, and nothing of it.
async fn failures_and_conflicts(database: Database, provider: Provider) {
    let w = connected(database, provider).await;
    let id = w.add("Replace switch").await;
    w.drain().await;
    let event = w.named("Replace switch").remove(0);
    w.outside(&event, &json!({ w.key("title"): "Dentist" }));
    w.edit(id, |entry| {
        entry.content.title = "Replace router".to_owned();
    })
    .await;
    w.drain().await;
    let conflicts = ask(&w, |_| {}).await;
    let mut found = false;
    for run in &conflicts.rows {
        let page = ask(&w, |query| query.run.clone_from(&run.run_id)).await;
        for one in page.opened.unwrap().items {
            if one.item.title.contains("disagree") {
                found = true;
                assert_eq!(one.item.fields.len(), 0);
            }
            let said = serde_json::to_string(&one).unwrap();
            assert!(!said.contains("Dentist"), "{said}");
        }
    }
    assert!(found);

    let operation = w.operation("google.events.list", "microsoft.view.delta");
    w.fakes.arm(Fault::new(
        &operation,
        1,
        FaultKind::Status {
            status: 404,
            retry_after: None,
            reason: None,
        },
    ));
    w.port
        .sync_calendar_provider(&w.tess, &w.connection().await)
        .await
        .unwrap();
    w.once_of(&["calendar.sync"]).await;
    let failed = ask(&w, |query| query.result = "failed".to_owned()).await;
    assert_eq!(failed.rows.len(), 1);
    assert!(
        failed.rows[0]
            .result
            .starts_with("The calendar is not in the account any more.")
    );
}

/// Pages follow each other without a gap or a repetition, also where many runs ended in the same moment; a file has the same
/// rows; nobody else may read either.
async fn pages_and_files(database: Database, provider: Provider) {
    let w = connected(database, provider).await;
    let connection = w.row().await;
    let at: DateTime<Utc> = w.services.now() + TimeDelta::hours(1);
    let mut unit = w.services.begin(w.admin.tenant_id).await.unwrap();
    for number in 0..120 {
        let run = SyncRun {
            tenant_id: w.admin.tenant_id,
            run_id: w.services.new_id(),
            connection_id: connection.connection_id,
            cause: "poll".to_owned(),
            outcome: "failed".to_owned(),
            reason: Some("throttled".to_owned()),
            applied: 0,
            pushed: 0,
            started_at: at,
            ended_at: at + TimeDelta::seconds(number / 60),
        };
        let rows = calendar(unit.as_mut()).unwrap();
        rows.add_run(&run).await.unwrap();
    }
    unit.save().await.unwrap();
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let page = ask(&w, |query| {
            query.result = "failed".to_owned();
            query.connection = connection.connection_id.to_string();
            query.after.clone_from(&after);
        })
        .await;
        seen.extend(page.rows.into_iter().map(|run| run.run_id));
        match page.next {
            Some(next) => after = next,
            None => break,
        }
    }
    assert_eq!(seen.len(), 120);
    let mut once = seen.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), 120);

    let query = ActivityQuery {
        result: "failed".to_owned(),
        ..ActivityQuery::default()
    };
    let file = text(
        w.port
            .export_calendar_activity(&w.admin, &query)
            .await
            .unwrap(),
    )
    .await;
    assert!(file.starts_with('\u{feff}'));
    let lines: Vec<&str> = file.trim_end().split("\r\n").collect();
    assert_eq!(lines.len(), 121);
    for (line, id) in lines[1..].iter().zip(&seen) {
        assert!(line.ends_with(&format!("\"{id}\"")), "{line}");
    }
    let wanted = CoverageQuery::default();
    let list = w.port.export_calendar_connections(&w.admin, &wanted).await;
    let list = text(list.unwrap()).await;
    assert!(list.contains(&w.tess.user.display_name) && list.contains(&connection.account_email));
    assert_eq!(list.trim_end().split("\r\n").count(), 2);

    let tom = actor(&w.services, "tom@demo.daybind.test").await;
    let refused = w.port.list_calendar_activity(&tom, &query).await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::Forbidden);
    assert!(w.port.export_calendar_activity(&tom, &query).await.is_err());
    assert!(
        w.port
            .export_calendar_connections(&tom, &wanted)
            .await
            .is_err()
    );
    for (name, wrong) in [
        ("cause", "x"),
        ("result", "x"),
        ("from", "x"),
        ("after", "x"),
    ] {
        let mut query = ActivityQuery::default();
        let field = match name {
            "cause" => &mut query.cause,
            "result" => &mut query.result,
            "from" => &mut query.from,
            _ => &mut query.after,
        };
        wrong.clone_into(field);
        let refused = w
            .port
            .list_calendar_activity(&w.admin, &query)
            .await
            .unwrap_err();
        assert!(refused.field_message(name).is_some(), "{name}");
    }
    let query = ActivityQuery {
        connection: w.services.new_id().to_string(),
        ..ActivityQuery::default()
    };
    let missing = w.port.list_calendar_activity(&w.admin, &query).await;
    assert_eq!(missing.unwrap_err().code, ErrorCode::NotFound);
    let query = ActivityQuery {
        run: w.services.new_id().to_string(),
        ..ActivityQuery::default()
    };
    let missing = w.port.list_calendar_activity(&w.admin, &query).await;
    assert_eq!(missing.unwrap_err().code, ErrorCode::NotFound);
}

everywhere! {
    said: runs_say_what_they_did;
    failed: failures_and_conflicts;
    pages: pages_and_files;
}
