//! What a person asks an administrator for, where something must be set up first.

use daybind_services::{Provider, Services};
use daybind_words::t;

use crate::views::label;

/// Where an administrator sets the provider up, as a path.
#[must_use]
pub fn place(provider: Provider) -> String {
    let providers = "/msp/settings?tab=integrations&category=providers";
    match provider {
        Provider::Microsoft => format!("{providers}&rebind=calendar"),
        Provider::Google => providers.to_owned(),
    }
}

/// A message to an administrator, to be sent by whatever means people have: what is wanted, the cause, and the address.
#[must_use]
pub fn message(services: &Services, provider: Provider, cause: &str) -> String {
    t!(
        "I would like to connect {} in Daybind, but it cannot be connected yet. {cause} Could you set it up here? {}",
        label(provider.as_str()),
        services.absolute(&place(provider)),
    )
}
