//! Types and rules that every part of Daybind shares.
//!
//! Nothing here reads a clock, a random source, a database or the network, so the crate also compiles to WebAssembly.

daybind_words::catalogue!();

pub mod activity;
pub mod audit;
pub mod bindings;
pub mod cloud;
pub mod conflict_preview;
pub mod conflict_view;
pub mod connection_view;
pub mod consumer;
pub mod edition;
pub mod error;
pub mod expiry;
pub mod ids;
pub mod login_domain;
pub mod paste;
pub mod profile;
pub mod profile_view;
pub mod readiness;
pub mod recurrence;
pub mod schedule;
pub mod search;
pub mod session;
pub mod sso;
pub mod user;
pub mod version_view;
pub mod view;
pub mod week_grid;

pub use cloud::Cloud;
pub use consumer::Consumer;
pub use edition::{
    CALENDAR_ENTERPRISE_ONLY, CONSUMER_ENTERPRISE_ONLY, DOMAINS_ENTERPRISE_ONLY, Edition,
};
pub use error::{AppError, ErrorCode, FieldError};
