//! Who is signed in.

use daybind_domain::view::SessionView;
use leptos::prelude::*;

use super::text::Answer;
use crate::error::ApiError;

/// The cookie that keeps the language chosen in this browser: its tag.
pub const LANGUAGE_COOKIE: &str = "daybind_language";

/// The signed-in person.
///
/// # Errors
/// Signed out; forbidden for client-portal users.
#[server(endpoint = "current_session", output = Answer)]
pub async fn current_session() -> Result<SessionView, ApiError> {
    use crate::server::{actor, answer, state};
    use daybind_domain::user::Permission;
    let (state, actor) = (answer(state())?, answer(actor())?);
    if !actor.is_internal() {
        return answer(Err(daybind_domain::AppError::forbidden()));
    }
    let tenant = async {
        let mut unit = state.services.read(actor.tenant_id).await?;
        unit.list_tenants()
            .await
            .map_err(daybind_services::internal)
    };
    let tenants = answer(tenant.await)?;
    Ok(SessionView {
        user_id: actor.user_id().to_string(),
        name: actor.user.display_name.clone(),
        email: actor.user.email.clone(),
        tenant_name: tenants
            .into_iter()
            .next()
            .map(|tenant| tenant.name)
            .unwrap_or_default(),
        time_zone: actor.user.time_zone.clone(),
        language: crate::server::cookie(LANGUAGE_COOKIE).unwrap_or_default(),
        can_read_settings: actor.may(Permission::SettingsRead),
        can_update_settings: actor.may(Permission::SettingsUpdate),
        is_internal: actor.is_internal(),
        edition: state.services.edition,
        attention: answer(daybind_services::profiles::attention(&state.services, &actor).await)?,
    })
}
