//! A profile's page and the walkthrough to a new one: rendered by the server alone, with plain links and forms.

mod checks;
mod detail;
mod guides;
mod parts;
mod secrets;
mod walk;

use daybind_services::profiles::{self, drafts};
use daybind_services::{Actor, AppResult, Services};
use leptos::prelude::*;

use crate::api::profiles::{BuildMicrosoftProfile, ChangeMicrosoftProfile};
use crate::ui::failed;

/// What the address asks for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// A profile's id, or `new`.
    pub profile: String,
    /// Empty, `verify` or `rotate`; for a new profile the step.
    pub panel: String,
    /// What has just been done.
    pub saved: String,
    /// A number from one of Microsoft's error pages, to be explained.
    pub number: String,
}

/// Renders it. A form that failed says so on the page it was sent from.
///
/// # Errors
/// Forbidden; not found.
pub async fn render(services: &Services, actor: &Actor, asked: &Asked) -> AppResult<String> {
    if asked.profile == "new" {
        let draft = drafts::draft(services, actor).await?;
        let made = match &draft.profile_id {
            Some(id) => Some(profiles::detail(services, actor, id).await?),
            None => None,
        };
        let error = failed(ServerAction::<BuildMicrosoftProfile>::new());
        let also = failed(ServerAction::<ChangeMicrosoftProfile>::new());
        let error = Signal::derive(move || error.get().or_else(|| also.get()));
        return Ok(walk::page(draft, made, &asked.panel, error).to_html());
    }
    let view = profiles::detail(services, actor, &asked.profile).await?;
    let error = failed(ServerAction::<ChangeMicrosoftProfile>::new());
    Ok(detail::page(view, asked, error).to_html())
}
