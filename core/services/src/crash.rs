//! Declared crash points: places where a test kills the process to prove that nothing is lost or doubled.

/// Kills the process (as `SIGKILL` would: no destructor, no flush) if `DAYBIND_TEST_CRASH_AT` names this point.
/// Release builds compile to nothing.
pub fn point(name: &str) {
    #[cfg(debug_assertions)]
    if std::env::var("DAYBIND_TEST_CRASH_AT").is_ok_and(|wanted| wanted == name) {
        tracing::warn!(point = name, "killed at a crash point on request");
        std::process::abort();
    }
    #[cfg(not(debug_assertions))]
    let _ = name;
}
