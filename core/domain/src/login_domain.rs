//! Login domains: how far an MSP's word that a domain is its own has been proved.

use serde::{Deserialize, Serialize};

/// The state of a claim on a domain (stored in `claim_status`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimStatus {
    /// Listed; nobody checked.
    Advisory,
    /// Waiting for proof.
    Pending,
    /// Proved.
    Verified,
    /// Not proved in time, or proved by somebody else.
    Rejected,
    /// Given up by the MSP, or no longer proved.
    Revoked,
}

impl ClaimStatus {
    /// The stored name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Advisory => "advisory",
            Self::Pending => "pending",
            Self::Verified => "verified",
            Self::Rejected => "rejected",
            Self::Revoked => "revoked",
        }
    }

    /// Reads the stored name; anything unknown is the status with no effect.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        [
            Self::Advisory,
            Self::Pending,
            Self::Verified,
            Self::Rejected,
        ]
        .into_iter()
        .find(|status| status.as_str() == text)
        .unwrap_or(Self::Revoked)
    }

    /// Whether the row still says that the MSP uses the domain.
    #[must_use]
    pub fn is_live(self) -> bool {
        matches!(self, Self::Advisory | Self::Pending | Self::Verified)
    }
}

/// A listed domain, as administrators see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginDomainView {
    /// Key.
    pub domain_id: String,
    /// ASCII form.
    pub domain: String,
    /// How far it is proved.
    pub status: ClaimStatus,
    /// Who listed it or changed its status, and when, in words.
    pub changed: String,
    /// Another MSP of this installation lists it as well.
    pub contested: bool,
    /// Active people of this MSP whose work email is in it.
    pub people: usize,
}

/// The login domains of an MSP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginDomainsView {
    /// By name.
    pub domains: Vec<LoginDomainView>,
    /// `system_settings:update`
    pub can_update: bool,
}

/// The record that proves a domain, and what was seen of it last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChallengeView {
    /// Name of the record.
    pub host: String,
    /// Its text.
    pub value: String,
    /// When a pending claim is given up, in words.
    pub expires: String,
    /// When it was last looked for, in words; empty before the first time.
    pub checked: String,
    /// What came of it, in words; empty before the first time.
    pub outcome: String,
    /// The records seen then.
    pub seen: Vec<String>,
}

/// A domain and its proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimView {
    /// The domain.
    pub domain: LoginDomainView,
    /// Its proof, once asked for.
    pub challenge: Option<ChallengeView>,
}

/// The login domains of an MSP with their proofs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainClaimsView {
    /// By name.
    pub claims: Vec<ClaimView>,
    /// `system_settings:update`
    pub can_update: bool,
}

/// What will happen for an address: the answer of the tester.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInTestView {
    /// The address asked for.
    pub address: String,
    /// How it signs in, in words.
    pub provider: String,
    /// What decides that, in words.
    pub source: String,
    /// Why, one sentence each.
    pub why: Vec<String>,
}

/// Who may sign in with a password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordRuleView {
    /// What was decided for technicians.
    pub technicians: bool,
    /// Why technicians can sign in with a password although it was switched off; empty when nothing is in the way.
    pub overridden: String,
    /// Why it cannot be switched off now; empty when it can.
    pub blocked: String,
    /// Who decided and when, in words; empty when nobody has.
    pub changed: String,
    /// `system_settings:update`
    pub can_update: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_names_round_trip_and_unknown_ones_have_no_effect() {
        for status in [
            ClaimStatus::Advisory,
            ClaimStatus::Pending,
            ClaimStatus::Verified,
            ClaimStatus::Rejected,
            ClaimStatus::Revoked,
        ] {
            assert_eq!(ClaimStatus::parse(status.as_str()), status);
        }
        assert!(!ClaimStatus::parse("verified_legacy").is_live());
    }
}
