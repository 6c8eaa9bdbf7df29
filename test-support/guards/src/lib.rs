//! The security guards: one suite over the whole router of an edition, on either database.
//!
//! A [`Site`] is what `serve` would run (same configuration, same assembly, same routes), with two tenants of the same
//! shape in it and spies on the database, on the log and on everything that leaves the process. Each guard is a function
//! over a fresh site; [`guard_tests`] makes a test of each, for SQLite and for PostgreSQL. What may be called by whom
//! stands in one table, `daybind_server::policy`, and the guards are driven by it.
#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "tests: a panic is how they fail"
)]

mod call;
mod db;
mod log;
mod seed;
mod site;
mod spy;

pub mod access;
pub mod alone;
pub mod canary;
pub mod community;
pub mod cookies;
pub mod cross_site;
pub mod headers;
pub mod idor;
pub mod inventory;
pub mod rates;
pub mod recorded;
pub mod spoof;
pub mod words;

pub use call::{Answer, Call};
pub use daybind_app::server::AppState;
pub use daybind_storage::Scope;
pub use db::Db;
pub use log::{logged, start_log};
pub use seed::{PASSWORD, email, made, sign_in};
pub use seed::{Tenant, fill};
pub use site::{Database, Plan, SECRET, Site};

/// Makes two tests of each guard: one on SQLite, one on PostgreSQL. The argument is a function from a
/// [`Database`] to the [`Plan`] of the edition.
#[macro_export]
macro_rules! guard_tests {
    ($plan:path: $($(#[$doc:meta])* $room:ident::$guard:ident),+ $(,)?) => {
        mod sqlite {
            use super::*;
            $($(#[$doc])* #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $guard() {
                let site = $crate::Site::new($plan($crate::Database::Sqlite)).await;
                $crate::$room::$guard(&site).await;
            })+
        }
        mod postgres {
            use super::*;
            $($(#[$doc])* #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $guard() {
                let site = $crate::Site::new($plan($crate::Database::Postgres)).await;
                $crate::$room::$guard(&site).await;
            })+
        }
    };
}
