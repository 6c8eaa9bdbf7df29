//! What the audit log holds.

use std::collections::BTreeSet;

use daybind_server::policy::{Access, Endpoint, Kind};

use crate::db::{Db, Rows};
use crate::seed::{email, sign_in};
use crate::site::Site;

/// Tables whose rows are no security-relevant state: the log itself, what is only on its way, and work.
const ELSEWHERE: [&str; 6] = [
    "audit_log",
    "entry_edits",
    "live_events",
    "microsoft_profile_drafts",
    "oauth_flows",
    "schedule_entries",
];

/// M-44, W62: whatever an action changes for the MSP's security is in the audit log, with it or not at all: while the log
/// takes nothing, nothing changes, no secret among it; afterwards every change has its row.
pub async fn every_change_is_recorded(site: &Site) {
    // Somewhere else, so that there is a session to end.
    sign_in(&site.router, &email("admin", "own")).await;
    refuse(&site.db).await;
    let mut refused = BTreeSet::new();
    let mut before = site.db.rows(&site.own.id).await;
    for endpoint in actions(site) {
        let answer = act(site, endpoint, 0).await;
        let after = site.db.rows(&site.own.id).await;
        let changed = changed(&before, &after);
        assert!(
            changed.is_empty(),
            "{} changed {changed:?} without a row: {answer}",
            endpoint.path
        );
        if answer >= 500 && answer != 501 {
            refused.insert(endpoint.path);
        }
        before = after;
    }
    allow(&site.db).await;
    let mut recorded = BTreeSet::new();
    for endpoint in actions(site) {
        for nth in 0..3 {
            act(site, endpoint, nth).await;
            let after = site.db.rows(&site.own.id).await;
            let changed = changed(&before, &after);
            let new = after["audit_log"].len() - before["audit_log"].len();
            before = after;
            if !changed.is_empty() {
                assert!(
                    new > 0,
                    "{} changed {changed:?} without a row",
                    endpoint.path
                );
                recorded.insert(endpoint.path);
                break;
            }
        }
    }
    // Not every example changes something: some ask what is already so.
    assert!(refused.len() >= 9, "refused: {refused:?}");
    assert!(recorded.len() >= 9, "recorded: {recorded:?}");
}

/// Everything that people who are signed in can do and that changes something.
fn actions(site: &Site) -> Vec<&Endpoint> {
    let changes = |endpoint: &&Endpoint| {
        matches!(endpoint.kind, Kind::Write | Kind::Form) && endpoint.access != Access::Everyone
    };
    site.endpoints.iter().filter(changes).collect()
}

/// Asks for it as the administrator; the status.
async fn act(site: &Site, endpoint: &Endpoint, nth: usize) -> u16 {
    let call = site.example(endpoint, &site.own, nth).await;
    site.send(call.cookie(&site.own.admin))
        .await
        .status
        .as_u16()
}

/// The tables that are not as they were. A session that was merely used is as it was.
fn changed(before: &Rows, after: &Rows) -> Vec<String> {
    let differs = |table: &&String| match table.as_str() {
        table if ELSEWHERE.contains(&table) => false,
        "sessions" => before["sessions"].len() != after["sessions"].len(),
        table => before[table] != after[table],
    };
    after.keys().filter(differs).cloned().collect()
}

/// The log takes no rows.
async fn refuse(db: &Db) {
    match db {
        Db::Sqlite(_) => {
            db.texts("CREATE TRIGGER guard_closed BEFORE INSERT ON audit_log BEGIN SELECT RAISE(ABORT, 'closed'); END")
                .await;
        }
        Db::Postgres(_) => {
            db.texts(
                "CREATE FUNCTION guard_closed() RETURNS trigger LANGUAGE plpgsql AS \
                 $$ BEGIN RAISE EXCEPTION 'closed'; END $$",
            )
            .await;
            db.texts(
                "CREATE TRIGGER guard_closed BEFORE INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION guard_closed()",
            )
            .await;
        }
    }
}

/// The log takes rows again.
async fn allow(db: &Db) {
    let on = match db {
        Db::Sqlite(_) => "",
        Db::Postgres(_) => " ON audit_log",
    };
    db.texts(&format!("DROP TRIGGER guard_closed{on}")).await;
}
