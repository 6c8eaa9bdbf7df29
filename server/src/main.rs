//! The Community entry.

use std::process::ExitCode;

use daybind_server::Composition;

fn main() -> ExitCode {
    daybind_server::run(Composition::community())
}
