//! Operations > Activity: the runs of all connections, what each did, and all of it as a file.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use daybind_domain::activity::{
    ActivityPageView, ActivityQuery, RunDetailView, RunItemView, RunView,
};
use daybind_domain::ids::{ConnectionId, EntryId, TenantId};
use daybind_domain::user::Permission;
use daybind_domain::{AppError, ErrorCode};
use daybind_ee_storage::{
    CalendarRepository, CausedChange, OwnedConnection, RunCursor, RunFilter, SyncChange, SyncRun,
    calendar,
};
use daybind_services::{
    Actor, AppResult, Lines, Services, csv, internal, localtime, period, privacy,
};
use daybind_storage::{Entry, UnitOfWork, User};
use daybind_words::t;
use futures::stream;
use uuid::Uuid;

use crate::engine::Engine;
use crate::sync::may_sync;
use crate::timeline::{Teller, utc};
use crate::views::label;

/// Rows on one page, and in one piece of a download.
const PAGE: usize = 50;
const PIECE: usize = 500;
/// The most rows of a download.
const CSV_ROWS: usize = 10_000;
/// So many things that one run did are shown.
const ITEMS: usize = 200;

/// The connections of some runs by their ids, for the names of runs.
struct Known(BTreeMap<ConnectionId, OwnedConnection>);

impl Known {
    async fn of(
        rows: &mut dyn CalendarRepository,
        tenant_id: TenantId,
        runs: impl Iterator<Item = &SyncRun>,
    ) -> AppResult<Self> {
        let ids: BTreeSet<ConnectionId> = runs.map(|run| run.connection_id).collect();
        let ids: Vec<ConnectionId> = ids.into_iter().collect();
        let found = rows.list_owned(tenant_id, &ids).await.map_err(internal)?;
        let found = found.into_iter().map(|one| (one.row.connection_id, one));
        Ok(Self(found.collect()))
    }

    fn run(&self, run: &SyncRun, zone: Tz) -> RunView {
        let one = self.0.get(&run.connection_id);
        RunView {
            run_id: run.run_id.to_string(),
            at: localtime::to_the_second(run.ended_at, zone),
            at_utc: utc(run.ended_at),
            connection_id: run.connection_id.to_string(),
            owner: one.map_or_else(String::new, |one| one.owner.clone()),
            calendar: one.map_or_else(String::new, |one| {
                format!("{}, {}", label(&one.row.provider), one.row.account_email)
            }),
            cause: cause(&run.cause).to_owned(),
            outcome: run.outcome.clone(),
            result: result(run),
            took: took(run.ended_at - run.started_at),
        }
    }
}

async fn filter(
    rows: &mut dyn CalendarRepository,
    tenant_id: TenantId,
    query: &ActivityQuery,
    zone: Tz,
) -> AppResult<RunFilter> {
    let (from, until) = period::days(&query.from, &query.until, zone).map_err(AppError::invalid)?;
    let (outcome, effect) = match query.result.as_str() {
        "changed" => (None, Some(true)),
        "nothing" => (Some("done"), Some(false)),
        word @ ("failed" | "paused") => (Some(word), None),
        "" => (None, None),
        _ => {
            return Err(AppError::field(
                "result",
                t!("Choose a result from the list."),
            ));
        }
    };
    let mut connections = None;
    if !query.find.trim().is_empty() {
        let found = rows.search_connections(tenant_id, &query.find).await;
        connections = Some(found.map_err(internal)?);
    }
    if !query.connection.is_empty() {
        let missing = || AppError::not_found(t!("The calendar connection"));
        let id: ConnectionId = query.connection.parse().map_err(|_| missing())?;
        let known = rows.find_connection(tenant_id, id).await;
        known.map_err(internal)?.ok_or_else(missing)?;
        let searched = connections.is_none_or(|found| found.contains(&id));
        connections = Some(if searched { vec![id] } else { Vec::new() });
    }
    Ok(RunFilter {
        connections,
        cause: Some(query.cause.clone()).filter(|cause| !cause.is_empty()),
        outcome: outcome.map(str::to_owned),
        effect,
        from,
        until,
    })
}

fn took(time: chrono::Duration) -> String {
    match time.num_milliseconds() {
        ms @ ..1000 => format!("{} ms", ms.max(0)),
        ms @ ..60_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        ms => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1000),
    }
}

/// What set a run off.
fn cause(word: &str) -> &'static str {
    match word {
        "notification" => t!("The calendar told of a change"),
        "schedule" => t!("A change in the schedule"),
        "person" => t!("Somebody asked for it"),
        "start" => t!("The connection began or went on"),
        "retry" => t!("Tried again after a failure"),
        _ => t!("A regular look"),
    }
}

/// What came of a run.
fn result(run: &SyncRun) -> String {
    let ours = match run.applied {
        1 => t!("1 change to the schedule").to_owned(),
        count => t!("{count} changes to the schedule"),
    };
    let theirs = match run.pushed {
        1 => t!("1 change to the calendar").to_owned(),
        count => t!("{count} changes to the calendar"),
    };
    let changes: Vec<String> = [(run.applied, ours), (run.pushed, theirs)]
        .into_iter()
        .filter(|(made, _)| *made > 0)
        .map(|(_, text)| text)
        .collect();
    let changes = if changes.is_empty() {
        t!("Nothing was changed").to_owned()
    } else {
        changes.join(", ")
    };
    match (run.outcome.as_str(), run.reason.as_deref()) {
        ("failed", code) => format!("{} {changes}.", failure(code.unwrap_or_default())),
        ("paused", _) => t!(
            "It stopped before it would have deleted unusually much; its owner is asked. {changes}."
        ),
        _ if run.applied + run.pushed == 0 => t!("Nothing had to be changed.").to_owned(),
        _ => format!("{changes}."),
    }
}

/// Why a run failed, for the codes that connections remember.
fn failure(code: &str) -> &'static str {
    match code {
        "throttled" => t!("The provider asked Daybind to slow down."),
        "provider_unreachable" => t!("The provider gave no usable answer."),
        "calendar_missing" => t!("The calendar is not in the account any more."),
        "permission" => t!("The account may not read this calendar any more."),
        "refused" => t!("The provider refused what Daybind asked for."),
        "secret" => t!("The provider does not accept the client secret."),
        "token_refused" => t!("The provider refuses the app registration."),
        "not_ready" => t!("The provider's settings are incomplete."),
        "database" | "internal" => t!("A fault in Daybind; the log says more under this run."),
        "client_changed" => t!("The app registration was changed."),
        _ => t!("The account does not let Daybind in any more."),
    }
}

fn place(text: &str) -> AppResult<Option<RunCursor>> {
    if text.is_empty() {
        return Ok(None);
    }
    let read = || {
        let (micros, id) = text.split_once('.')?;
        Some(RunCursor {
            at: DateTime::<Utc>::from_timestamp_micros(micros.parse().ok()?)?,
            run_id: id.parse().ok()?,
        })
    };
    read().map(Some).ok_or_else(|| {
        AppError::field("after", t!("This place in the list does not exist."))
            .next_step(t!("Go back to the newest runs."))
    })
}

fn cursor(run: &SyncRun) -> RunCursor {
    RunCursor {
        at: run.ended_at,
        run_id: run.run_id,
    }
}

fn checked(query: &ActivityQuery) -> AppResult<()> {
    let causes = [
        "",
        "poll",
        "notification",
        "schedule",
        "person",
        "start",
        "retry",
    ];
    if causes.contains(&query.cause.as_str()) {
        Ok(())
    } else {
        Err(AppError::field(
            "cause",
            t!("Choose a cause from the list."),
        ))
    }
}

/// One page of runs, and the opened one.
///
/// # Errors
/// Forbidden without `system_settings:read`; a filter that cannot be read; no such run.
pub async fn list(
    engine: &Engine,
    actor: &Actor,
    query: &ActivityQuery,
) -> AppResult<ActivityPageView> {
    actor.require(Permission::SettingsRead)?;
    checked(query)?;
    let zone = localtime::zone(&actor.user.time_zone);
    let after = place(&query.after)?;
    let mut unit = engine.read(actor.tenant_id).await?;
    let rows = calendar(unit.as_mut()).map_err(internal)?;
    let filter = filter(rows, actor.tenant_id, query, zone).await?;
    let wanted = i64::try_from(PAGE + 1).unwrap_or(i64::MAX);
    let found = rows.find_runs(actor.tenant_id, &filter, after, wanted);
    let mut runs = found.await.map_err(internal)?;
    let more = runs.len() > PAGE;
    runs.truncate(PAGE);
    let known = Known::of(rows, actor.tenant_id, runs.iter()).await?;
    let opened = match query.run.as_str() {
        "" => None,
        id => Some(opened(engine, actor, unit.as_mut(), id).await?),
    };
    Ok(ActivityPageView {
        next: runs.last().filter(|_| more).map(|run| {
            let place = cursor(run);
            format!("{}.{}", place.at.timestamp_micros(), place.run_id)
        }),
        rows: runs.iter().map(|run| known.run(run, zone)).collect(),
        opened,
        csv_rows: CSV_ROWS,
        kept_days: engine.keep_activity.num_days(),
    })
}

async fn opened(
    engine: &Engine,
    actor: &Actor,
    unit: &mut dyn UnitOfWork,
    id: &str,
) -> AppResult<RunDetailView> {
    let missing = || {
        AppError::new(ErrorCode::NotFound, t!("This run is not on record.")).next_step(t!(
            "Runs are kept for {} days. Go back to the list.",
            engine.keep_activity.num_days()
        ))
    };
    let id: Uuid = id.parse().map_err(|_| missing())?;
    let zone = localtime::zone(&actor.user.time_zone);
    let rows = calendar(unit).map_err(internal)?;
    let run = rows.find_run(actor.tenant_id, id).await.map_err(internal)?;
    let run = run.ok_or_else(missing)?;
    let wanted = i64::try_from(ITEMS + 1).unwrap_or(i64::MAX);
    let mut changes = rows
        .list_run_changes(actor.tenant_id, id, wanted)
        .await
        .map_err(internal)?;
    let more = changes.len() > ITEMS;
    changes.truncate(ITEMS);
    let about: BTreeSet<EntryId> = changes.iter().filter_map(|one| one.entry_id).collect();
    let mut entries = BTreeMap::new();
    for id in about {
        let entry = unit.find_entry(actor.tenant_id, id).await;
        if let Some(entry) = entry.map_err(internal)? {
            entries.insert(id, entry);
        }
    }
    let rows = calendar(unit).map_err(internal)?;
    let known = Known::of(rows, actor.tenant_id, std::iter::once(&run)).await?;
    let mut owner = None;
    if let Some(one) = known.0.get(&run.connection_id) {
        let found = unit.find_user(actor.tenant_id, one.row.user_id).await;
        owner = found.map_err(internal)?;
    }
    let items = changes
        .into_iter()
        .map(|change| {
            let entry = change.entry_id.and_then(|id| entries.get(&id));
            item(actor, &known, owner.as_ref(), entry, change, zone)
        })
        .collect();
    let row = known.0.get(&run.connection_id).map(|one| &one.row);
    Ok(RunDetailView {
        items,
        more,
        can_sync: actor.may(Permission::SettingsUpdate) && row.is_some_and(may_sync),
        run: known.run(&run, zone),
    })
}

/// What a change says, as far as the reader may read it; what was only in somebody's calendar stays theirs.
fn item(
    actor: &Actor,
    known: &Known,
    owner: Option<&User>,
    entry: Option<&Entry>,
    change: SyncChange,
    zone: Tz,
) -> RunItemView {
    let title = match entry {
        Some(entry) => privacy::seen_by(actor, entry).title.clone(),
        None => String::new(),
    };
    let there = entry.filter(|entry| entry.deleted_at.is_none());
    let teller = Teller {
        actor,
        zone,
        entry,
        people: owner.iter().map(|user| (user.user_id, *user)).collect(),
        connections: known.0.iter().map(|(id, one)| (*id, &one.row)).collect(),
    };
    // Which run it was and why is said once, above.
    let (_, mut item) = teller.change(&CausedChange {
        change,
        cause: None,
    });
    item.run.clear();
    RunItemView {
        entry: title,
        entry_id: there.map(|entry| entry.entry_id.to_string()),
        item,
    }
}

/// Everything that matches, newest first, as CSV in pieces; at most [`CSV_ROWS`] rows, the last line says so when there are
/// more.
///
/// # Errors
/// As [`list`].
pub async fn file(services: &Services, actor: &Actor, query: &ActivityQuery) -> AppResult<Lines> {
    actor.require(Permission::SettingsRead)?;
    checked(query)?;
    let mut unit = services.read(actor.tenant_id).await?;
    let rows = calendar(unit.as_mut()).map_err(internal)?;
    let zone = localtime::zone(&actor.user.time_zone);
    let filter = filter(rows, actor.tenant_id, query, zone).await?;
    drop(unit);
    let export = Export {
        services: services.clone(),
        tenant_id: actor.tenant_id,
        filter,
        after: None,
        written: None,
        done: false,
    };
    Ok(Box::pin(stream::try_unfold(export, |mut export| async {
        Ok(export.piece().await?.map(|text| (text, export)))
    })))
}

struct Export {
    services: Services,
    tenant_id: TenantId,
    filter: RunFilter,
    after: Option<RunCursor>,
    /// How many rows were written; none before the heading.
    written: Option<usize>,
    done: bool,
}

impl Export {
    async fn piece(&mut self) -> AppResult<Option<String>> {
        if self.done {
            return Ok(None);
        }
        // Each piece is a transaction of its own: a slow reader holds nothing.
        let mut unit = self.services.read(self.tenant_id).await?;
        let wanted = i64::try_from(PIECE).unwrap_or(i64::MAX);
        let rows = calendar(unit.as_mut()).map_err(internal)?;
        let found = rows.find_runs(self.tenant_id, &self.filter, self.after, wanted);
        let runs = found.await.map_err(internal)?;
        let known = Known::of(rows, self.tenant_id, runs.iter()).await?;
        drop(unit);
        let mut text = String::new();
        let mut written = self.written.unwrap_or_else(|| {
            text.push(csv::MARK);
            csv::line(
                &mut text,
                &[
                    "ended_utc",
                    "person",
                    "calendar",
                    "cause",
                    "outcome",
                    "reason",
                    "result",
                    "changes_to_schedule",
                    "changes_to_calendar",
                    "milliseconds",
                    "connection_id",
                    "run_id",
                ],
            );
            0
        });
        self.done = runs.len() < PIECE;
        for run in &runs {
            if written == CSV_ROWS {
                let end = t!(
                    "This export ends at {CSV_ROWS} rows and there are more. Choose a shorter time for the rest."
                );
                csv::line(&mut text, &[&end]);
                self.done = true;
                break;
            }
            written += 1;
            self.after = Some(cursor(run));
            let shown = known.run(run, Tz::UTC);
            let ms = (run.ended_at - run.started_at).num_milliseconds();
            csv::line(
                &mut text,
                &[
                    &shown.at_utc,
                    &shown.owner,
                    &shown.calendar,
                    &run.cause,
                    &run.outcome,
                    run.reason.as_deref().unwrap_or_default(),
                    &shown.result,
                    &run.applied.to_string(),
                    &run.pushed.to_string(),
                    &ms.to_string(),
                    &shown.connection_id,
                    &shown.run_id,
                ],
            );
        }
        self.written = Some(written);
        Ok(Some(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Duration;

    fn run(outcome: &str, reason: Option<&str>, applied: i32, pushed: i32) -> SyncRun {
        SyncRun {
            tenant_id: TenantId(Uuid::nil()),
            run_id: Uuid::nil(),
            connection_id: Uuid::nil().into(),
            cause: "poll".to_owned(),
            outcome: outcome.to_owned(),
            reason: reason.map(str::to_owned),
            applied,
            pushed,
            started_at: DateTime::UNIX_EPOCH,
            ended_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn results_are_sentences() {
        let done = |applied, pushed| result(&run("done", None, applied, pushed));
        assert_eq!(done(1, 0), "1 change to the schedule.");
        assert_eq!(
            done(2, 3),
            "2 changes to the schedule, 3 changes to the calendar."
        );
        assert_eq!(done(0, 0), "Nothing had to be changed.");
        let failed = result(&run("failed", Some("throttled"), 0, 1));
        assert_eq!(
            failed,
            "The provider asked Daybind to slow down. 1 change to the calendar."
        );
        assert!(
            result(&run("paused", Some("many_deletions"), 0, 0)).contains("its owner is asked")
        );
    }

    #[test]
    fn times_are_told_in_their_own_size() {
        for (ms, said) in [
            (-5, "0 ms"),
            (999, "999 ms"),
            (1250, "1.2 s"),
            (61_000, "1 min 1 s"),
        ] {
            assert_eq!(took(Duration::milliseconds(ms)), said);
        }
    }

    #[test]
    fn a_place_is_read_back_or_refused() {
        let some = run("done", None, 0, 0);
        let place_of = |text: &str| place(text).map(|place| place.is_some());
        assert!(!place_of("").unwrap());
        assert!(place_of(&format!("0.{}", some.run_id)).unwrap());
        for wrong in ["x", "0", "0.x", "9999999999999999999999.x"] {
            assert!(place_of(wrong).is_err(), "{wrong}");
        }
    }
}
