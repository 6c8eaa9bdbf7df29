//! PostgreSQL: [`PgStore`] implements the repository traits with native types and row-level security.
//!
//! Whoever the server logs in as, it works as the role `daybind_app`, which owns nothing and is under row-level
//! security; a unit of work takes the role, and names its tenant in a setting that the policies read, for the length of its
//! transaction only.

mod alga;
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
#[cfg(feature = "contract")]
pub mod testing;
mod unit;
mod users;
mod vault;

pub use alga::PgAlga;
pub use codec::failure;
pub use store::{MIGRATOR, PgStore};
pub use unit::PgUnit;
