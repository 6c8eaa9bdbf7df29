//! The Enterprise composition: the server library with calendar sync, its pages and its hosts plugged in.

pub mod policy;

use std::sync::Arc;

use daybind_ee_calendar::CalendarRuntime;
use daybind_ee_domains::Claims;
use daybind_server::{Composition, Edition, PagesOf};

/// The Enterprise edition.
#[must_use]
pub fn composition() -> Composition {
    Composition {
        built: Edition::Enterprise,
        pages: PagesOf::of::<daybind_ee_app::Site>(),
        guides: daybind_ee_calendar::GUIDES,
        wording: daybind_ee_calendar::WORDING,
        endpoints: daybind_ee_calendar::register_endpoints,
        calendar: |services, get| {
            let runtime = CalendarRuntime::from_env(services, get).map_err(anyhow::Error::msg)?;
            Ok(Arc::new(runtime))
        },
        domains: |services, get| Ok(Arc::new(Claims::from_env(services, get)?)),
        form_targets: &["DAYBIND_GOOGLE_AUTH_URL"],
        site_root: "target/site-ee",
    }
}
