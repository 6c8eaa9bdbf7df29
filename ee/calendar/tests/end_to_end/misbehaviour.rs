//! Each misbehaviour of a provider, in each call, ends in the state that `docs/sync.md` names for it; once it is over the
//! entry is in the calendar exactly once.

use std::time::Duration;

use chrono::TimeDelta;
use daybind_fakes::{DuplicateTransaction, Fault, FaultKind};
use daybind_services::Provider;
use serde_json::json;

use crate::bench::{Database, World};

/// Armed that often: longer than any run asks.
const MANY: u32 = 1000;

/// Where a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// It went through: the call is made good within the run.
    Fine,
    /// The run stops with this code, and the connection is in this state.
    Stops(&'static str, &'static str),
    /// The run goes through; only the entry waits (it may pass) or has failed (it was refused).
    Entry(&'static str),
}

use End::{Entry, Fine, Stops};

const THROTTLED: End = Stops("throttled", "connected");
const UNREACHABLE: End = Stops("provider_unreachable", "connected");

pub(crate) fn status(status: u16, retry_after: Option<u64>, reason: Option<&str>) -> FaultKind {
    FaultKind::Status {
        status,
        retry_after,
        reason: reason.map(str::to_owned),
    }
}

/// What is no usable answer, whatever was asked.
pub(crate) fn unusable() -> Vec<FaultKind> {
    vec![
        status(500, None, None),
        status(502, None, None),
        status(503, None, None),
        status(408, None, None),
        FaultKind::StatusAfter { status: 500 },
        FaultKind::DropBefore,
        FaultKind::DropAfter,
        FaultKind::Truncate,
        FaultKind::Malformed,
        FaultKind::Huge { mib: 17 },
        FaultKind::Stall { ms: 1_700 },
        FaultKind::DelayBefore { ms: 1_700 },
    ]
}

/// What asks for patience, whatever was asked.
pub(crate) fn patience(w: &World) -> Vec<FaultKind> {
    let mut kinds = vec![
        status(429, None, None),
        status(429, Some(7), None),
        status(503, Some(7), None),
    ];
    if w.provider == Provider::Google {
        kinds.push(status(403, None, Some("rateLimitExceeded")));
        kinds.push(status(403, None, Some("userRateLimitExceeded")));
        kinds.push(status(403, None, Some("quotaExceeded")));
    }
    kinds
}

/// The table: operation, misbehaviour, how often, end.
fn table(w: &World) -> Vec<(String, FaultKind, u32, End)> {
    let list = w.operation("google.events.list", "microsoft.view.delta");
    let create = w.operation("google.events.insert", "microsoft.events.create");
    let update = w.operation("google.events.patch", "microsoft.events.update");
    let delete = w.operation("google.events.delete", "microsoft.events.delete");
    let token = w.operation("google.token", "microsoft.token");
    let elsewhere = FaultKind::Redirect {
        to: "http://127.0.0.1:9/".to_owned(),
    };
    let wrong_type = FaultKind::Patch {
        body: json!({ "items": "none", "value": "none" }),
    };
    let denied = status(
        403,
        None,
        Some(&w.operation("forbidden", "ErrorAccessDenied")),
    );
    let no_id = FaultKind::Patch {
        body: json!({ "id": null }),
    };
    let mut rows = Vec::new();
    let mut row = |operation: &str, kind: FaultKind, count, end| {
        rows.push((operation.to_owned(), kind, count, end));
    };
    for operation in [&list, &create, &update, &delete, &token] {
        for kind in patience(w) {
            if operation != &token
                || matches!(
                    kind,
                    FaultKind::Status {
                        status: 429 | 503,
                        ..
                    }
                )
            {
                // Any token error of that status is throttling or no answer; a quota reason is Calendar's.
                row(operation, kind, 1, THROTTLED);
            }
        }
    }
    for kind in unusable() {
        row(&list, kind.clone(), 1, UNREACHABLE);
        row(&token, kind.clone(), 1, UNREACHABLE);
        for operation in [&create, &update, &delete] {
            // The answer to a deletion has no body that could be broken.
            let nothing = matches!(
                kind,
                FaultKind::Truncate
                    | FaultKind::Malformed
                    | FaultKind::Huge { .. }
                    | FaultKind::Stall { .. }
            );
            if operation != &delete || !nothing {
                row(operation, kind.clone(), 1, Entry("waiting"));
            }
        }
    }
    row(&list, wrong_type, 1, UNREACHABLE);
    row(&list, status(400, None, None), 1, Fine);
    row(
        &list,
        status(400, None, None),
        MANY,
        Stops("refused", "error"),
    );
    row(&list, status(410, None, None), 1, Fine);
    row(&list, status(410, None, None), MANY, UNREACHABLE);
    row(&list, status(401, None, None), 1, Fine);
    row(&list, denied.clone(), MANY, Stops("permission", "error"));
    row(
        &list,
        status(404, None, None),
        MANY,
        Stops("calendar_missing", "error"),
    );
    row(&list, elsewhere.clone(), MANY, Stops("refused", "error"));
    for operation in [&create, &update, &delete] {
        row(operation, status(400, None, None), MANY, Entry("failed"));
        row(operation, denied.clone(), MANY, Entry("failed"));
        row(operation, status(401, None, None), 1, Fine);
        row(operation, elsewhere.clone(), MANY, Entry("failed"));
    }
    row(&create, no_id.clone(), 1, Entry("waiting"));
    row(&update, no_id, 1, Entry("waiting"));
    row(&update, status(412, None, None), 1, Fine);
    row(&update, status(412, None, None), MANY, Entry("waiting"));
    row(&delete, status(412, None, None), 1, Fine);
    row(&delete, status(412, None, None), MANY, Entry("waiting"));
    row(
        &token,
        status(401, None, Some("invalid_client")),
        MANY,
        Stops("secret", "error"),
    );
    row(
        &token,
        status(400, None, Some("unauthorized_client")),
        MANY,
        Stops("secret", "error"),
    );
    row(
        &token,
        status(400, None, Some("invalid_scope")),
        MANY,
        Stops("token_refused", "error"),
    );
    rows
}

/// Brings about that the operation is called; the entry it is about.
async fn provoke(w: &World, operation: &str, title: &str) -> daybind_domain::ids::EntryId {
    let id = w.add(title).await;
    if operation.ends_with("token") {
        w.fakes.expire_access_tokens(w.fake);
        w.pass(TimeDelta::hours(2));
    }
    if ["patch", "update", "delete"]
        .iter()
        .any(|part| operation.ends_with(part))
    {
        w.drain().await;
        w.edit(id, |entry| {
            if operation.ends_with("delete") {
                entry.deleted_at = Some(entry.updated_at);
            } else {
                entry.content.location = "Hall 9".to_owned();
            }
        })
        .await;
    }
    id
}

/// M-41: the whole table, row by row, in one world.
async fn every_row_ends_as_documented(database: Database, provider: Provider) {
    let (duplicate, limit) = (DuplicateTransaction::Conflict, Duration::from_millis(800));
    let w = World::that_waits(database, provider, duplicate, limit).await;
    let mut wrong = Vec::new();
    for (number, (operation, kind, count, end)) in table(&w).into_iter().enumerate() {
        let case = format!("{operation} {kind:?} x{count}");
        let title = format!("Case {number}");
        let id = provoke(&w, &operation, &title).await;
        w.fakes.arm(Fault::new(&operation, count, kind));
        let mut ended = w.once_of(&["calendar.sync"]).await;
        assert_eq!(ended.len(), 1, "{case}: {ended:?}");
        let ended = ended.remove(0).1;
        let row = w.row().await;
        let state = (row.last_error.as_deref(), row.status.as_str());
        let (expected, mark) = match end {
            Fine => ((None, "connected"), None),
            Stops(code, status) => ((Some(code), status), None),
            Entry(mark) => ((None, "connected"), Some(mark)),
        };
        let marked = w.mark(id).await;
        if state != expected || mark.is_some_and(|mark| mark != marked) {
            wrong.push(format!(
                "{case}: {state:?}, {marked}, {ended:?} instead of {end:?}"
            ));
        }

        // It is over: what was left undone is done, once, without anybody's help.
        w.fakes.clear_faults();
        w.pass(TimeDelta::minutes(40));
        w.drain().await;
        assert_eq!(w.status().await, "connected", "{case}");
        assert_eq!(w.row().await.last_error, None, "{case}");
        let there = w.named(&title);
        if w.entry(id).await.deleted_at.is_some() {
            assert!(there.is_empty(), "{case}");
        } else {
            assert_eq!(
                (there.len(), w.mark(id).await.as_str()),
                (1, "synced"),
                "{case}"
            );
            let place = w.entry(id).await.content.location;
            assert!(there[0]["location"].to_string().contains(&place), "{case}");
            w.edit(id, |entry| entry.deleted_at = Some(entry.updated_at))
                .await;
            w.drain().await;
            assert!(w.named(&title).is_empty(), "{case}");
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

on_both! {
    google_on_sqlite: every_row_ends_as_documented(Sqlite, Google);
    google_on_postgres: every_row_ends_as_documented(Postgres, Google);
    microsoft_on_sqlite: every_row_ends_as_documented(Sqlite, Microsoft);
    microsoft_on_postgres: every_row_ends_as_documented(Postgres, Microsoft);
}
