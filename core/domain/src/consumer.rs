//! The Microsoft consumers a profile can be bound to (PRD, "Source Of Truth Rules").

use serde::{Deserialize, Serialize};

/// One consumer of a Microsoft profile. All four are stored in both editions, so that an edition can be switched;
/// what is *visible* is decided by [`crate::Edition::visible_consumers`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consumer {
    /// Technicians sign in to the MSP through Microsoft.
    MspSso,
    /// Inbound email.
    Email,
    /// Calendar sync.
    Calendar,
    /// Microsoft Teams.
    Teams,
}

impl Consumer {
    /// Every consumer, visible or not.
    pub const ALL: [Self; 4] = [Self::MspSso, Self::Email, Self::Calendar, Self::Teams];

    /// The stored and transmitted name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MspSso => "msp_sso",
            Self::Email => "email",
            Self::Calendar => "calendar",
            Self::Teams => "teams",
        }
    }

    /// The name on the screen.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::MspSso => "MSP SSO",
            Self::Email => "Email",
            Self::Calendar => "Calendar",
            Self::Teams => "Teams",
        }
    }

    /// Reads the stored name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|consumer| consumer.as_str() == text)
    }
}
