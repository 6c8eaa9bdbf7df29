//! The Enterprise entry.

use std::process::ExitCode;
use std::sync::Arc;

use daybind_ee_calendar::CalendarRuntime;
use daybind_server::{Composition, Edition};

fn main() -> ExitCode {
    daybind_server::run(Composition {
        built: Edition::Enterprise,
        entries: daybind_ee_app::entries,
        endpoints: daybind_ee_calendar::register_endpoints,
        calendar: |services| Arc::new(CalendarRuntime::new(services)),
        form_targets: &["DAYBIND_GOOGLE_AUTH_URL"],
        site_root: "target/site-ee",
    })
}
