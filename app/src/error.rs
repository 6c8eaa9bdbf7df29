//! The error type of every server function.
//!
//! Leptos would answer 500 and put error texts of lower layers on the wire; this type carries our own error, and the
//! server half sets the status that goes with it.

use daybind_domain::{AppError, ErrorCode};
use daybind_words::t;
use leptos::prelude::{FromServerFnError, ServerFnErrorErr};
use serde::{Deserialize, Serialize};

use crate::api::text::JsonText;

/// [`AppError`] as server functions transmit it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ApiError(pub AppError);

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for ApiError {}

impl From<AppError> for ApiError {
    fn from(error: AppError) -> Self {
        Self(error)
    }
}

impl FromServerFnError for ApiError {
    type Encoder = JsonText;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        let transport = matches!(
            error,
            ServerFnErrorErr::Request(_)
                | ServerFnErrorErr::UnsupportedRequestMethod(_)
                | ServerFnErrorErr::Serialization(_)
                | ServerFnErrorErr::Deserialization(_)
        );
        if transport {
            #[cfg(feature = "ssr")]
            crate::server::refused(http::StatusCode::BAD_REQUEST);
            return Self(
                AppError::new(
                    ErrorCode::Transport,
                    t!("The server could not be reached, or did not understand."),
                )
                .next_step(t!(
                    "Check your connection and try again. What you typed is still here."
                )),
            );
        }
        if let ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) = error {
            #[cfg(feature = "ssr")]
            crate::server::refused(http::StatusCode::UNPROCESSABLE_ENTITY);
            return Self(
                AppError::new(ErrorCode::Invalid, t!("The form was not complete."))
                    .next_step(t!("Reload the page and try again.")),
            );
        }
        #[cfg(feature = "ssr")]
        let error = daybind_services::internal(error);
        #[cfg(not(feature = "ssr"))]
        let error = AppError::new(ErrorCode::Internal, t!("Daybind could not finish this."));
        Self(error)
    }
}
