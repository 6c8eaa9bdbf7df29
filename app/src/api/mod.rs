//! Server functions: the only way pages read and change anything.
//!
//! Every function checks session and permission itself (they are public endpoints), answers with the status of its
//! typed error, and after a successful form redirects, so that it also works without WebAssembly.

pub mod activity;
pub mod audit;
pub mod bindings;
pub mod calendar;
pub mod login_domains;
pub mod profiles;
pub mod providers;
pub mod schedule;
pub mod search;
pub mod session;
pub mod sessions;
pub mod sign_in;
pub mod text;
