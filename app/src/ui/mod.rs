//! The kit the pages are built from: thin components over native elements, styled by `style/`.
//!
//! Every component renders the same on the server and in the browser, works before hydration, takes user text as plain
//! strings (escaped on the way out) and writes no inline style, so the pages run under a strict
//! Content-Security-Policy. Buttons need no component: write `<button class="db-btn db-btn--primary">`.
//! The words a status may use are those of [`StatusKind`] and no others.

mod action;
mod copy;
mod focus;
mod form;
mod icon;
mod lane;
mod layout;
mod message;
mod select;
mod status;
mod textarea;
mod typed;

#[cfg(test)]
mod contrast;
#[cfg(all(test, feature = "ssr"))]
mod render_tests;

pub use action::{Failed, failed, message, refused_as_changed, successes};
pub use copy::CopyField;
#[cfg(feature = "hydrate")]
pub(crate) use copy::write_to_clipboard;
pub use focus::{keep_focus, regain_focus};
pub use form::{Field, NoteField, SecretField, Submit, TextField, Why, described};
pub use icon::{Icon, Wordmark};
pub use lane::{Direction, LaneCard, LaneSide};
pub use layout::{PageHead, PanelHead, Section, TimeText};
pub use message::{Announcement, Banner, BannerKind, EmptyState, ErrorSummary};
pub use select::SelectField;
pub use status::{StatusKind, StatusTag};
pub use textarea::TextArea;
#[cfg(feature = "ssr")]
pub use typed::Typed;
pub use typed::{ticked, typed};
