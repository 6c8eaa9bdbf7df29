//! The test sign-in of Calendar. It connects nothing: it lists the account's calendars once, and its tokens are dropped.

use daybind_domain::sso::SsoOutcome;
use daybind_domain::{Cloud, Consumer};
use daybind_services::flow::Returned;
use daybind_services::verify::entra::{Failure, Refusal as Refused};
use daybind_services::verify::sign_in;
use daybind_services::{Actor, AppResult, Provider, Services};
use daybind_storage::OauthFlow;
use secrecy::SecretString;

use crate::callback::{INTERNAL, Refusal, refuse};
use crate::oauth;
use crate::provider::ProviderError;

/// Whether a flow is one.
pub(crate) fn is_test(row: &OauthFlow) -> bool {
    sign_in::tested(row) == Some(Consumer::Calendar)
}

/// Ends one; the address of the page that says how.
pub(crate) async fn finish(
    services: &Services,
    actor: &Actor,
    given: &Returned,
    row: &OauthFlow,
) -> Result<String, Refusal> {
    let (trial, tokens) = sign_in::accept(services, Some(actor), given, row)
        .await
        .map_err(|outcome| match outcome {
            SsoOutcome::WrongPerson | SsoOutcome::AlreadyUsed => "invalid_state",
            SsoOutcome::NotAllowed => "access_denied",
            SsoOutcome::SettingsChanged => "configuration_error",
            _ => INTERNAL,
        })?;
    let result = match tokens {
        Ok(tokens) => listed(services, trial.cloud(), tokens.access_token)
            .await
            .map_err(|error| refuse(&error))?,
        Err(failure) => Err(failure),
    };
    let page = sign_in::record(services, actor, trial, result).await;
    page.map_err(|error| refuse(&error))
}

async fn listed(
    services: &Services,
    cloud: Cloud,
    token: SecretString,
) -> AppResult<Result<Option<String>, Failure>> {
    let reader = oauth::provider_client(services, Provider::Microsoft, cloud, token)?;
    Ok(match reader.calendars().await {
        Ok(list) => Ok(Some(format!(
            "Calendars that could be listed: {}.",
            list.len()
        ))),
        Err(
            ProviderError::Transient(_)
            | ProviderError::Throttled { .. }
            | ProviderError::Exhausted { .. },
        ) => Err(Failure::Unreachable),
        Err(error) => {
            tracing::warn!(owner = "ee", %error, "the tester's calendars could not be listed");
            Err(Failure::Refused(Refused::ours("access_refused")))
        }
    })
}
