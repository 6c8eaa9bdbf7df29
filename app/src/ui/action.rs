//! What a form's action reports: its failure, its successes, the message of one field.

use daybind_domain::{AppError, ErrorCode};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::error::ApiError;

/// The failure of a form's last attempt, if it failed.
pub type Failed = Signal<Option<AppError>>;

/// What went wrong with `action`, also when the attempt was made without WebAssembly.
pub fn failed<S>(action: ServerAction<S>) -> Failed
where
    S: ServerFn<Error = ApiError> + Clone + Send + Sync + 'static,
    S::Output: Send + Sync + 'static,
{
    let value = action.value();
    Signal::derive(move || {
        value.with(|value| {
            value
                .as_ref()
                .and_then(|result| result.as_ref().err().map(|e| e.0.clone()))
        })
    })
}

/// Counts the successes of `action`: a source for resources that must load again after one, and only after one.
pub fn successes<S>(action: ServerAction<S>) -> Memo<usize>
where
    S: ServerFn<Error = ApiError> + Clone + Send + Sync + 'static,
    S::Output: Send + Sync + 'static,
{
    let (value, version) = (action.value(), action.version());
    Memo::new(move |last: Option<&usize>| {
        let done = value.with(|value| matches!(value, Some(Ok(_))));
        if done {
            version.get()
        } else {
            last.copied().unwrap_or_default()
        }
    })
}

/// Counts the refusals of `action` because what was read had changed: a source for resources that must load again then, and
/// only then.
pub fn refused_as_changed<S>(action: ServerAction<S>) -> Memo<usize>
where
    S: ServerFn<Error = ApiError> + Clone + Send + Sync + 'static,
    S::Output: Send + Sync + 'static,
{
    let (error, version) = (failed(action), action.version());
    Memo::new(move |last: Option<&usize>| {
        let changed = |error: &Option<AppError>| {
            error
                .as_ref()
                .is_some_and(|error| error.code == ErrorCode::Conflict)
        };
        if error.with(changed) {
            version.get()
        } else {
            last.copied().unwrap_or_default()
        }
    })
}

/// The message of one field of a failed form.
pub fn message(error: Failed, field: impl Into<String>) -> Signal<Option<String>> {
    let field = field.into();
    Signal::derive(move || {
        error.with(|error| error.as_ref().and_then(|error| error.field_message(&field)))
    })
}
