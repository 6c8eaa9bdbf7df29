//! What Daybind does, between the pages and the database: profiles, bindings, sign-in, the schedule, jobs.
//!
//! Services take an [`Actor`] (who asks) and return [`AppError`]s a user can be shown. They see the database only
//! through `daybind-storage`, and the Enterprise half only through [`CalendarPort`].

daybind_words::catalogue!();

pub mod audit;
pub mod auth;
pub mod bindings;
pub mod context;
pub mod crash;
pub mod csv;
pub mod demo;
pub mod discovery;
pub mod domain_claims;
pub mod domain_name;
pub mod earlier;
pub mod endpoints;
pub mod failure;
pub mod flow;
pub mod guide;
pub mod import;
pub mod jobs;
pub mod keys;
pub mod limits;
pub mod live;
pub mod localtime;
pub mod login_domains;
pub mod outbound;
pub mod passwords;
pub mod period;
pub mod port;
pub mod privacy;
pub mod profiles;
pub mod recurrence;
pub mod repeat_form;
pub mod schedule;
pub mod seal;
pub mod search;
pub mod series;
pub mod sessions;
pub mod sso;
pub mod upkeep;
pub mod verify;
pub mod week_grid;
pub mod week_view;

pub use auth::Actor;
pub use context::{Clock, Services, SystemClock};
pub use daybind_domain::AppError;
pub use domain_claims::{CommunityClaims, DomainClaims};
pub use endpoints::Endpoints;
pub use failure::{AppResult, internal};
pub use guide::ConsumerGuide;
pub use port::{CalendarPort, CommunityPort, EntryChange, Lines, Provider, StableRoute};
pub use seal::{Keyring, SecretPlace};
