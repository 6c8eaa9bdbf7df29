//! Microsoft's clouds: separate installations with hosts, accounts and app registrations of their own.
//!
//! Hosts: learn.microsoft.com/entra/identity-platform/authentication-national-cloud. None but Global was tried against the
//! live service.

use daybind_words::t;

/// The cloud an app registration is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Cloud {
    /// The world-wide one, which also has the US Government's GCC.
    #[default]
    Global,
    /// US Government GCC High.
    UsGovHigh,
    /// US Government DoD.
    UsGovDod,
    /// China, operated by 21Vianet.
    China,
}

impl Cloud {
    /// All, the usual one first.
    pub const ALL: [Self; 4] = [Self::Global, Self::UsGovHigh, Self::UsGovDod, Self::China];

    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::UsGovHigh => "us_gov_high",
            Self::UsGovDod => "us_gov_dod",
            Self::China => "china",
        }
    }

    /// Reads a stored name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cloud| cloud.as_str() == text)
    }

    /// The name on the screen.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Global => t!("Global (also GCC)"),
            Self::UsGovHigh => t!("US Government GCC High"),
            Self::UsGovDod => t!("US Government DoD"),
            Self::China => t!("China (21Vianet)"),
        }
    }

    /// Stored name and label of each, for a form.
    #[must_use]
    pub fn choices() -> Vec<(String, String)> {
        Self::ALL
            .into_iter()
            .map(|cloud| (cloud.as_str().to_owned(), cloud.label().to_owned()))
            .collect()
    }

    /// The portal where its app registrations are made.
    #[must_use]
    pub const fn portal(self) -> &'static str {
        match self {
            Self::Global => "https://entra.microsoft.com",
            Self::UsGovHigh | Self::UsGovDod => "https://portal.azure.us",
            Self::China => "https://portal.azure.cn",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_name_is_read_back_and_no_other() {
        for cloud in Cloud::ALL {
            assert_eq!(Cloud::parse(cloud.as_str()), Some(cloud));
        }
        assert_eq!(Cloud::parse("Global"), None);
        assert_eq!(Cloud::parse(""), None);
        assert_eq!(Cloud::default(), Cloud::Global);
    }
}
