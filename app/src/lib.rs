//! Pages, components, server functions and HTTP wrappers, shared by both editions.
//!
//! The edition's own pages arrive through [`entries::Entries`]: Community hands in nothing, Enterprise its table of
//! entry points. No line here names an Enterprise crate.

daybind_words::catalogue!();

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

use daybind_words::Lang;
use leptos::prelude::document;

pub use entries::Entries;
pub use error::ApiError;
pub use shell::{app, shell};

/// Has the browser half speak the language of the page it starts on.
pub fn speak_as_the_page() {
    let html = document().document_element();
    let tag = html.and_then(|html| html.get_attribute("lang"));
    let lang = tag.and_then(|tag| Lang::of_tag(&tag));
    daybind_words::speak(lang.unwrap_or_default());
}
