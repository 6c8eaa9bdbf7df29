//! From the failures of the layers below to the error a user sees.

use daybind_domain::{AppError, ErrorCode};
use daybind_storage::StorageError;
use daybind_words::t;
use uuid::Uuid;

/// Result of a service.
pub type AppResult<T> = Result<T, AppError>;

/// Logs a failure under a fresh reference id and returns the opaque error that carries the same id.
pub fn internal(error: impl std::error::Error) -> AppError {
    let reference = Uuid::new_v4().simple().to_string();
    let mut causes = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        causes.push_str(": ");
        causes.push_str(&cause.to_string());
        source = cause.source();
    }
    tracing::error!(
        reference,
        error = causes,
        "request failed inside the server: {reference}"
    );
    AppError::new(
        ErrorCode::Internal,
        t!("Daybind could not finish this. Nothing was lost."),
    )
    .next_step(t!(
        "Try again. If it happens again, give your administrator the reference."
    ))
    .reference(reference)
}

/// Turns a storage failure into what a user sees; `what` names the thing that was worked on.
pub fn stored(what: &str, error: StorageError) -> AppError {
    match error {
        StorageError::Stale => AppError::new(
            ErrorCode::Conflict,
            t!("{what} was changed by somebody else while you were editing it."),
        )
        .next_step(t!(
            "Reload to see the current values, then make your change again."
        )),
        StorageError::NotFound => AppError::not_found(what),
        other => internal(other),
    }
}
