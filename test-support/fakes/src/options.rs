//! What a test or the binary can set before the fakes start.

use std::time::Duration;

/// A person known to both providers. Each gets two writable calendars and a read-only one.
#[derive(Debug, Clone)]
pub struct FakeAccount {
    /// Mail address, also Google's primary calendar id and Graph's userPrincipalName.
    pub email: String,
    /// Shown on the consent page and as `displayName`.
    pub display_name: String,
    /// IANA zone of the calendars.
    pub time_zone: String,
}

impl FakeAccount {
    /// An account in `Europe/Berlin`.
    #[must_use]
    pub fn new(email: &str, display_name: &str) -> Self {
        Self {
            email: email.to_owned(),
            display_name: display_name.to_owned(),
            time_zone: "Europe/Berlin".to_owned(),
        }
    }
}

/// The OAuth client registered at the fake Google.
#[derive(Debug, Clone)]
pub struct GoogleClient {
    /// `client_id`.
    pub client_id: String,
    /// `client_secret`.
    pub client_secret: String,
}

/// The single-tenant app registration at the fake Entra.
#[derive(Debug, Clone)]
pub struct MicrosoftClient {
    /// Directory (tenant) id.
    pub tenant_id: String,
    /// Application (client) id.
    pub client_id: String,
    /// Client secret value.
    pub client_secret: String,
}

/// How Graph answers a create with a `transactionId` it has already seen; the real answer is
/// undocumented, so clients must cope with both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DuplicateTransaction {
    /// 201 with the event made the first time.
    Existing,
    /// 409 `ErrorDuplicateTransactionId`.
    Conflict,
}

/// Start options; `default()` suits most tests.
#[derive(Debug, Clone)]
pub struct FakeOptions {
    /// TCP port on 127.0.0.1; 0 picks a free one.
    pub port: u16,
    /// Authorize redirects at once instead of showing the consent page. `login_hint` picks the
    /// account, otherwise the first.
    pub auto_approve: bool,
    /// Registered Google client.
    pub google: GoogleClient,
    /// Registered Microsoft client.
    pub microsoft: MicrosoftClient,
    /// People at both providers.
    pub accounts: Vec<FakeAccount>,
    /// Registered redirect URIs; empty accepts any.
    pub redirect_uris: Vec<String>,
    /// Answer to a repeated `transactionId`.
    pub duplicate_transaction: DuplicateTransaction,
    /// Life of access tokens in seconds.
    pub access_token_seconds: i64,
    /// First pause before a webhook is tried again; doubled each time.
    pub webhook_retry_base: Duration,
    /// Tries per webhook message.
    pub webhook_attempts: u32,
}

impl Default for FakeOptions {
    fn default() -> Self {
        Self {
            port: 0,
            auto_approve: false,
            google: GoogleClient {
                client_id: "daybind-demo.apps.googleusercontent.com".to_owned(),
                client_secret: "demo-google-secret".to_owned(),
            },
            microsoft: MicrosoftClient {
                tenant_id: "11111111-1111-4111-8111-111111111111".to_owned(),
                client_id: "22222222-2222-4222-8222-222222222222".to_owned(),
                client_secret: "demo-microsoft-secret".to_owned(),
            },
            accounts: vec![
                FakeAccount::new("tech@example.test", "Toni Tech"),
                FakeAccount::new("second@example.test", "Sam Second"),
            ],
            redirect_uris: Vec::new(),
            duplicate_transaction: DuplicateTransaction::Existing,
            access_token_seconds: 3599,
            webhook_retry_base: Duration::from_millis(200),
            webhook_attempts: 6,
        }
    }
}
