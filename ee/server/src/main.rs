//! The Enterprise entry.

use std::process::ExitCode;

fn main() -> ExitCode {
    daybind_server::run(daybind_ee_server::composition())
}
