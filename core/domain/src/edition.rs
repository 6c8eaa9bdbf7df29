//! The edition contract (PRD, "Source Of Truth Rules"): decided once, asked everywhere.

use serde::{Deserialize, Serialize};

use crate::consumer::Consumer;

/// What every calendar surface answers in the Community edition (PRD, "CE Stub And EE Delegation Pattern").
pub const CALENDAR_ENTERPRISE_ONLY: &str = "Calendar sync is only available in Enterprise Edition.";

/// What binding an Enterprise consumer answers in the Community edition.
pub const CONSUMER_ENTERPRISE_ONLY: &str =
    "This Microsoft consumer is only available in Enterprise Edition.";

/// What proving a login domain answers in the Community edition.
pub const DOMAINS_ENTERPRISE_ONLY: &str =
    "Proving login domains is only available in Enterprise Edition.";

/// The edition that runs: the one that was built, possibly lowered by `DAYBIND_EDITION=ce`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Edition {
    /// Community edition: MSP SSO only.
    Community,
    /// Enterprise edition: MSP SSO, Email, Calendar and Teams.
    Enterprise,
}

impl Edition {
    /// Whether calendar surfaces exist at all.
    #[must_use]
    pub fn calendar_available(self) -> bool {
        self == Self::Enterprise
    }

    /// The Microsoft consumers an admin sees and may bind, in display order.
    #[must_use]
    pub fn visible_consumers(self) -> &'static [Consumer] {
        match self {
            Self::Community => &[Consumer::MspSso],
            Self::Enterprise => &[
                Consumer::MspSso,
                Consumer::Email,
                Consumer::Calendar,
                Consumer::Teams,
            ],
        }
    }

    /// `ce` or `ee`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Community => "ce",
            Self::Enterprise => "ee",
        }
    }

    /// The edition that runs when `built` was linked and `requested` stands in `DAYBIND_EDITION`.
    ///
    /// # Errors
    /// A message for the operator when the Community build is asked for `ee`, or the word is unknown.
    pub fn decide(built: Self, requested: Option<&str>) -> Result<Self, String> {
        match requested.map(|word| word.trim().to_ascii_lowercase()).as_deref() {
            None | Some("") => Ok(built),
            Some("ce" | "community") => Ok(Self::Community),
            Some("ee" | "enterprise") if built == Self::Enterprise => Ok(Self::Enterprise),
            Some("ee" | "enterprise") => Err(
                "DAYBIND_EDITION=ee was asked for, but this is the Community binary. Start daybind-ee, or remove DAYBIND_EDITION."
                    .to_owned(),
            ),
            Some(other) => Err(format!(
                "DAYBIND_EDITION={other} is not an edition. Use ce or ee, or remove the variable."
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enterprise_can_be_lowered_and_community_cannot_be_raised() {
        assert_eq!(
            Edition::decide(Edition::Enterprise, Some("CE")),
            Ok(Edition::Community)
        );
        assert_eq!(
            Edition::decide(Edition::Enterprise, None),
            Ok(Edition::Enterprise)
        );
        assert!(Edition::decide(Edition::Community, Some("ee")).is_err());
        assert!(Edition::decide(Edition::Enterprise, Some("pro")).is_err());
    }

    #[test]
    fn community_shows_msp_sso_and_nothing_else() {
        assert_eq!(Edition::Community.visible_consumers(), [Consumer::MspSso]);
        assert!(!Edition::Community.calendar_available());
        assert_eq!(Edition::Enterprise.visible_consumers().len(), 4);
    }
}
