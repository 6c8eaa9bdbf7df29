//! The one error a user, a server function and an HTTP answer share.

use daybind_words::t;
use serde::{Deserialize, Serialize};

/// What kind of failure it is; decides the HTTP status and the heading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// Nobody is signed in.
    SignedOut,
    /// Signed in, but without the permission.
    Forbidden,
    /// There is no such thing (or it belongs to another tenant: the answer is the same).
    NotFound,
    /// Some field is wrong; see [`AppError::fields`].
    Invalid,
    /// Somebody else changed it first, or a rule of the data forbids it.
    Conflict,
    /// The edition does not include this.
    EnterpriseOnly,
    /// Something that must be set up first is missing.
    NotReady,
    /// Google or Microsoft refused or did not answer.
    Provider,
    /// Too many tries.
    RateLimited,
    /// The browser could not reach the server.
    Transport,
    /// Our fault; the log carries the same reference.
    Internal,
}

impl ErrorCode {
    /// The HTTP status that goes with it (RFC 9110).
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::SignedOut => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Invalid => 422,
            Self::Conflict | Self::NotReady => 409,
            Self::EnterpriseOnly => 501,
            Self::Provider => 502,
            Self::RateLimited => 429,
            Self::Transport | Self::Internal => 500,
        }
    }
}

/// One wrong field of a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// The form field's name.
    pub field: String,
    /// What is wrong and what to enter instead.
    pub message: String,
}

/// A failure as a user sees it: cause, next step, and a reference id that also stands in the log.
///
/// No text of a database, a provider or a secret may be put in here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppError {
    /// The kind of failure.
    pub code: ErrorCode,
    /// What happened, in one sentence.
    pub message: String,
    /// What to do about it.
    pub next_step: Option<String>,
    /// The id under which the log tells more.
    pub reference: Option<String>,
    /// The wrong fields, for [`ErrorCode::Invalid`].
    pub fields: Vec<FieldError>,
    /// Seconds until another try can work, for [`ErrorCode::RateLimited`] (RFC 9110 section 10.2.3).
    #[serde(default)]
    pub retry_after: Option<u64>,
}

impl AppError {
    /// A failure of `code` that says `message`.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            next_step: None,
            reference: None,
            fields: Vec::new(),
            retry_after: None,
        }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn next_step(mut self, text: impl Into<String>) -> Self {
        self.next_step = Some(text.into());
        self
    }

    /// Adds the reference id.
    #[must_use]
    pub fn reference(mut self, id: impl Into<String>) -> Self {
        self.reference = Some(id.into());
        self
    }

    /// Too many tries; another one can work in that many seconds.
    #[must_use]
    pub fn rate_limited(seconds: u64) -> Self {
        let wait = match seconds {
            0..=1 => t!("1 second").to_owned(),
            2..=90 => t!("{seconds} seconds"),
            _ => t!("{} minutes", seconds.div_ceil(60)),
        };
        Self {
            retry_after: Some(seconds.max(1)),
            ..Self::new(ErrorCode::RateLimited, t!("There were too many attempts."))
                .next_step(t!("Wait {wait}, then try again."))
        }
    }

    /// A form with wrong fields.
    #[must_use]
    pub fn invalid(fields: Vec<FieldError>) -> Self {
        Self {
            fields,
            ..Self::new(ErrorCode::Invalid, t!("Some fields need another look."))
        }
    }

    /// One wrong field.
    #[must_use]
    pub fn field(field: &str, message: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError {
            field: field.to_owned(),
            message: message.into(),
        }])
    }

    /// The answer of a calendar surface in the Community edition.
    #[must_use]
    pub fn enterprise_only() -> Self {
        Self::new(ErrorCode::EnterpriseOnly, crate::CALENDAR_ENTERPRISE_ONLY)
    }

    /// Nobody is signed in.
    #[must_use]
    pub fn signed_out() -> Self {
        Self::new(ErrorCode::SignedOut, t!("You are signed out."))
            .next_step(t!("Sign in and try again."))
    }

    /// The signed-in person may not do that.
    #[must_use]
    pub fn forbidden() -> Self {
        Self::new(
            ErrorCode::Forbidden,
            t!("You do not have permission to do this."),
        )
        .next_step(t!("Ask an administrator who may change system settings."))
    }

    /// There is no such thing in this tenant.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(ErrorCode::NotFound, t!("{what} was not found.")).next_step(t!(
            "It may have been removed. Reload the page to see the current list."
        ))
    }

    /// The message for `field`, if it is wrong.
    #[must_use]
    pub fn field_message(&self, field: &str) -> Option<String> {
        self.fields
            .iter()
            .find(|wrong| wrong.field == field)
            .map(|wrong| wrong.message.clone())
    }
}

impl std::fmt::Display for AppError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for AppError {}
