//! What a look-up means for a claim: rules without clock and database.

use chrono::{DateTime, TimeDelta, Utc};
use daybind_domain::login_domain::ClaimStatus;
use daybind_storage::{DomainChallenge, LoginDomain};
use daybind_words::t;

use crate::dns::Seen;

/// How long a claim may stay pending.
pub const PENDING_FOR: TimeDelta = TimeDelta::days(14);

/// The name that carries the proof of a domain.
#[must_use]
pub fn host(domain: &str) -> String {
    format!("_daybind-challenge.{domain}")
}

/// A new text to publish: 192 random bits.
#[must_use]
pub fn new_value() -> String {
    let random: [u8; 24] = rand::random();
    let hex: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("daybind-verification={hex}")
}

/// What a look-up came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The text is there.
    Found,
    /// Other texts are there.
    Different,
    /// The name has no TXT record.
    Missing,
    /// DNS did not answer.
    Unreachable,
    /// The text is there, and so is that of somebody who proved the domain before.
    Taken,
}

impl Outcome {
    const ALL: [Self; 5] = [
        Self::Found,
        Self::Different,
        Self::Missing,
        Self::Unreachable,
        Self::Taken,
    ];

    /// Compares what was seen with what should be there. Only the whole text counts, in its exact spelling.
    #[must_use]
    pub fn of(seen: &Seen, value: &str) -> Self {
        match seen {
            Seen::Unreachable => Self::Unreachable,
            Seen::Records(texts) if texts.iter().any(|text| text == value) => Self::Found,
            Seen::Records(texts) if texts.is_empty() => Self::Missing,
            Seen::Records(_) => Self::Different,
        }
    }

    /// The stored word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Different => "different",
            Self::Missing => "missing",
            Self::Unreachable => "unreachable",
            Self::Taken => "taken",
        }
    }

    /// What the page says.
    #[must_use]
    pub fn sentence(word: &str) -> &'static str {
        match Self::ALL.into_iter().find(|known| known.as_str() == word) {
            Some(Self::Found) => t!("The record is there."),
            Some(Self::Different) => {
                t!(
                    "The name has TXT records, but none is exactly the value above. Compare them with what was seen."
                )
            }
            Some(Self::Missing) => {
                t!(
                    "The name has no TXT record yet. A new record can take from minutes to a few hours to be seen everywhere."
                )
            }
            Some(Self::Unreachable) => {
                t!("DNS did not answer, so nothing is known. Daybind tries again by itself.")
            }
            Some(Self::Taken) => {
                t!(
                    "The record is there, but another MSP of this installation has proved this domain and its record is still \
                 published. Remove that record first if it is not yours."
                )
            }
            None => "",
        }
    }
}

/// When to look again: every minute while somebody is likely to be waiting, then ever less; verified ones daily.
#[must_use]
pub fn next_check(
    status: ClaimStatus,
    asked_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> DateTime<Utc> {
    let age = now - asked_at;
    let after = if status == ClaimStatus::Verified {
        TimeDelta::days(1)
    } else if age < TimeDelta::hours(1) {
        TimeDelta::minutes(1)
    } else if age < TimeDelta::days(1) {
        TimeDelta::minutes(15)
    } else {
        TimeDelta::hours(1)
    };
    now + after
}

/// The status a claim has after a look-up; `None` when it stays.
///
/// A verified domain stays verified when its record is removed (many tidy up): it only gives way to somebody else's
/// record, see [`holder_that_stands`].
#[must_use]
pub fn after(
    status: ClaimStatus,
    outcome: Outcome,
    challenge: &DomainChallenge,
    now: DateTime<Utc>,
) -> Option<ClaimStatus> {
    if status != ClaimStatus::Pending {
        return None;
    }
    match outcome {
        Outcome::Found => Some(ClaimStatus::Verified),
        Outcome::Taken => Some(ClaimStatus::Rejected),
        Outcome::Different | Outcome::Missing | Outcome::Unreachable => {
            (now >= challenge.expires_at).then_some(ClaimStatus::Rejected)
        }
    }
}

/// Whether the proof of a domain's present holder is still published. `values` are the texts of the same name: whoever
/// controls the domain's DNS decides, and a proof that stands is never pushed aside.
#[must_use]
pub fn holder_that_stands(challenge: Option<&DomainChallenge>, values: &[String]) -> bool {
    challenge.is_some_and(|challenge| values.contains(&challenge.value))
}

/// Everybody else who has verified the domain.
pub fn other_holders<'a>(
    rows: &'a [LoginDomain],
    own: &'a LoginDomain,
) -> impl Iterator<Item = &'a LoginDomain> {
    rows.iter()
        .filter(|row| row.tenant_id != own.tenant_id && row.status == ClaimStatus::Verified)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(texts: &[&str]) -> Seen {
        Seen::Records(texts.iter().map(|text| (*text).to_owned()).collect())
    }

    #[test]
    fn only_the_whole_exact_text_is_a_proof() {
        let value = "daybind-verification=ab";
        assert_eq!(
            Outcome::of(&records(&["v=spf1 -all", value]), value),
            Outcome::Found
        );
        for close in [
            "daybind-verification=ab ",
            "daybind-verification=abc",
            "Daybind-verification=ab",
            "\"daybind-verification=ab\"",
            "",
        ] {
            assert_eq!(
                Outcome::of(&records(&[close]), value),
                Outcome::Different,
                "{close}"
            );
        }
        assert_eq!(Outcome::of(&records(&[]), value), Outcome::Missing);
        assert_eq!(Outcome::of(&Seen::Unreachable, value), Outcome::Unreachable);
    }

    #[test]
    fn values_are_long_and_never_the_same() {
        let (a, b) = (new_value(), new_value());
        assert_ne!(a, b);
        assert_eq!(a.len(), "daybind-verification=".len() + 48);
    }

    #[test]
    fn every_outcome_has_a_sentence() {
        for outcome in Outcome::ALL {
            assert!(!Outcome::sentence(outcome.as_str()).is_empty());
        }
    }
}
