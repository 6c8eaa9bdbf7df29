//! The runtime against both stand-in providers, on both databases: connecting, changes in both directions, deletions,
//! lost answers, lost cursors, lost access, notifications.

#![expect(clippy::unwrap_used, reason = "tests")]

/// One test for each database and provider.
macro_rules! on_both {
    ($($name:ident: $run:ident($database:ident, $provider:ident);)+) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            $run(Database::$database, Provider::$provider).await;
        }
    )+};
}

/// The same for whole groups, each in a module of its own.
macro_rules! everywhere {
    ($($(#[$doc:meta])* $name:ident: $run:ident;)+) => {$(
        $(#[$doc])*
        mod $name {
            use super::*;
            on_both! {
                google_on_sqlite: $run(Sqlite, Google);
                google_on_postgres: $run(Postgres, Google);
                microsoft_on_sqlite: $run(Sqlite, Microsoft);
                microsoft_on_postgres: $run(Postgres, Microsoft);
            }
        }
    )+};
}

mod activity;
mod adversity;
mod answers;
mod aside;
mod at_once;
mod bench;
mod both_ways;
mod braking;
mod brought_in;
mod causes;
mod choosing;
mod clouds;
mod coverage;
mod crash_points;
mod database_lost;
mod deciding;
mod disconnecting;
mod doors;
mod everyday;
mod exhausted;
mod failures;
mod fairness;
mod fields;
mod forgotten;
mod health;
mod imported;
mod inbox;
mod intake;
mod limits;
mod many;
mod meetings;
mod misbehaviour;
mod outbound;
mod policies;
mod preview;
mod promises;
mod refreshing;
mod renewals;
mod resting;
mod restoring;
mod same_event;
mod search;
mod series;
mod settling;
mod several;
mod split;
mod timeline;
mod together;
mod zones;
