//! When a client secret ends, and how early and loudly that is said.

use chrono::NaiveDate;
use daybind_words::t;

/// Days before the end at which the warning grows: 60, 30, 14, 7 and 1.
pub const STEPS: [i64; 5] = [60, 30, 14, 7, 1];

/// How a secret stands with its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// Nobody has said when it ends.
    Unknown,
    /// More than 60 days left.
    Far {
        /// Days left.
        days: i64,
    },
    /// At most 60 days left.
    Near {
        /// Days left, 0 on the last day.
        days: i64,
        /// The step that was passed: the smallest of [`STEPS`] that `days` does not exceed.
        step: i64,
    },
    /// Over.
    Expired {
        /// Days since the last day, at least 1.
        days: i64,
    },
}

impl Expiry {
    /// Whether somebody should act: at most 60 days left, or over.
    #[must_use]
    pub fn warns(self) -> bool {
        matches!(self, Self::Near { .. } | Self::Expired { .. })
    }

    /// Whether it belongs on every page: a week or less left, or over.
    #[must_use]
    pub fn urgent(self) -> bool {
        matches!(self, Self::Near { step: 1 | 7, .. } | Self::Expired { .. })
    }

    /// The words for it, without a subject: "expires in 6 days".
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Unknown => t!("has no recorded expiry date").to_owned(),
            Self::Near { days: 0, .. } => t!("expires today").to_owned(),
            Self::Near { days: 1, .. } => t!("expires tomorrow").to_owned(),
            Self::Far { days } | Self::Near { days, .. } => t!("expires in {days} days"),
            Self::Expired { days: 1 } => t!("expired yesterday").to_owned(),
            Self::Expired { days } => t!("expired {days} days ago"),
        }
    }
}

/// How a secret whose last day is `expires_on` stands on the day `today`. The one place that decides expiry warnings.
#[must_use]
pub fn expiry(expires_on: Option<NaiveDate>, today: NaiveDate) -> Expiry {
    let Some(end) = expires_on else {
        return Expiry::Unknown;
    };
    let days = end.signed_duration_since(today).num_days();
    if days < 0 {
        return Expiry::Expired { days: -days };
    }
    STEPS
        .into_iter()
        .rev()
        .find(|step| days <= *step)
        .map_or(Expiry::Far { days }, |step| Expiry::Near { days, step })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    /// Warnings at 60, 30, 14, 7 and 1 days: each boundary and the day before it.
    #[test]
    fn each_step_begins_on_its_day() {
        let end = day("2026-12-31");
        for (today, expected) in [
            ("2026-10-31", Expiry::Far { days: 61 }),
            ("2026-11-01", Expiry::Near { days: 60, step: 60 }),
            ("2026-11-30", Expiry::Near { days: 31, step: 60 }),
            ("2026-12-01", Expiry::Near { days: 30, step: 30 }),
            ("2026-12-16", Expiry::Near { days: 15, step: 30 }),
            ("2026-12-17", Expiry::Near { days: 14, step: 14 }),
            ("2026-12-23", Expiry::Near { days: 8, step: 14 }),
            ("2026-12-24", Expiry::Near { days: 7, step: 7 }),
            ("2026-12-29", Expiry::Near { days: 2, step: 7 }),
            ("2026-12-30", Expiry::Near { days: 1, step: 1 }),
            ("2026-12-31", Expiry::Near { days: 0, step: 1 }),
            ("2027-01-01", Expiry::Expired { days: 1 }),
        ] {
            assert_eq!(expiry(Some(end), day(today)), expected, "{today}");
        }
        assert_eq!(expiry(None, end), Expiry::Unknown);
    }

    #[test]
    fn only_the_last_week_is_urgent() {
        let end = day("2026-12-31");
        let urgent = |today: &str| expiry(Some(end), day(today)).urgent();
        assert!(!urgent("2026-12-23"));
        assert!(urgent("2026-12-24"));
        assert!(urgent("2027-03-01"));
        assert!(!expiry(None, end).warns());
        assert_eq!(expiry(Some(end), end).words(), "expires today");
        assert_eq!(
            expiry(Some(end), day("2027-01-03")).words(),
            "expired 3 days ago"
        );
    }
}
