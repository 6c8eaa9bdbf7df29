//! The Community entry.

use std::process::ExitCode;
use std::sync::Arc;

use daybind_domain::Edition;
use daybind_server::Composition;
use daybind_services::CommunityPort;

fn main() -> ExitCode {
    daybind_server::run(Composition {
        built: Edition::Community,
        entries: daybind_app::Entries::community,
        endpoints: |_, _| Ok(()),
        calendar: |_| Arc::new(CommunityPort),
        form_targets: &[],
        site_root: "target/site-ce",
    })
}
