//! Identifier newtypes: a profile's id can never be passed where an entry's is meant.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta] $name:ident),+ $(,)?) => {$(
        #[$doc]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text.trim()).map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(value: Uuid) -> Self {
                Self(value)
            }
        }
    )+};
}

id! {
    /// An MSP: the owner of everything else. Not the Directory (tenant) ID of Entra.
    TenantId,
    /// A person who signs in.
    UserId,
    /// A signed-in browser.
    SessionId,
    /// A Microsoft profile (a named app registration).
    ProfileId,
    /// A schedule entry.
    EntryId,
    /// A technician's connection to one external calendar (a row of `calendar_providers`).
    ConnectionId,
    /// The tie between a schedule entry and one external event.
    MappingId,
    /// A durable job.
    JobId,
    /// One OAuth round trip.
    FlowId,
    /// A push subscription (Graph) or channel (Google), by our own id.
    SubscriptionId,
    /// A row of the audit log.
    AuditId,
    /// A Microsoft account that belongs to a person.
    IdentityId,
    /// A Microsoft account that waits to be given to a person.
    IdentityRequestId,
    /// A login domain (a row of `msp_sso_login_domains`).
    LoginDomainId,
}
