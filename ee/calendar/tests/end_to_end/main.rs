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

mod adversity;
mod bench;
mod both_ways;
mod database_lost;
mod disconnecting;
mod doors;
mod everyday;
mod failures;
mod fairness;
mod imported;
mod intake;
mod misbehaviour;
mod outbound;
mod preview;
mod promises;
mod refreshing;
mod renewals;
mod series;
mod together;
