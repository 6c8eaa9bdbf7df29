//! SQLite: [`SqliteStore`] implements the repository traits for one server with one file.
//!
//! One connection writes, four read beside it (write-ahead log). What is saved survives a power cut.

mod audit;
mod bindings;
mod codec;
mod flows;
mod identities;
mod jobs;
mod ledger;
mod limits;
mod live;
mod login_domains;
mod profile_parts;
mod profiles;
mod schedule;
mod sessions;
mod store;
mod unit;
mod users;
mod vault;

pub use codec::failure;
pub use store::{MIGRATOR, SqliteStore};
pub use unit::SqliteUnit;
