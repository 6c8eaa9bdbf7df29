//! Pages, components, server functions and HTTP wrappers, shared by both editions.
//!
//! The edition's own pages arrive through [`entries::Entries`]: Community hands in nothing, Enterprise its table of
//! entry points. No line here names an Enterprise crate.

pub mod api;
pub mod entries;
pub mod error;
#[cfg(feature = "ssr")]
pub mod http;
pub mod live;
pub mod location;
pub mod pages;
#[cfg(feature = "ssr")]
pub mod server;
pub mod shell;
pub mod ui;

pub use entries::Entries;
pub use error::ApiError;
pub use shell::{app, shell};
