//! Logs: one event a line, as JSON (`DAYBIND_LOG_FORMAT=json`) or for people.

use tracing_subscriber::EnvFilter;

/// Starts logging to standard error; `DAYBIND_LOG` filters as `tracing` does.
pub fn start() {
    let filter = EnvFilter::try_from_env("DAYBIND_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // A second start (tests) is refused and harmless.
    let _ = if std::env::var("DAYBIND_LOG_FORMAT").is_ok_and(|format| format == "json") {
        builder.json().flatten_event(true).try_init()
    } else {
        builder.try_init()
    };
}
