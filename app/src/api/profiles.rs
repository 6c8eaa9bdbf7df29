//! One Microsoft profile: its page, its changes, and the walkthrough that makes a new one.
//!
//! The page arrives as finished HTML, and its forms are plain ones: whoever administers profiles does so rarely, and the
//! browser need not carry the code for it.

#![expect(
    clippy::too_many_arguments,
    reason = "one argument for each field of the forms"
)]

#[cfg(feature = "ssr")]
use daybind_words::t;
use leptos::prelude::*;

use super::text::Answer;
use crate::error::ApiError;

/// The page of one profile (`profile` is its id; `panel` empty, `verify` or `rotate`), or a step of the walkthrough
/// (`profile` is `new`, `panel` the step's number). `saved` names what has just been done.
///
/// # Errors
/// Signed out; forbidden; not found.
#[server(endpoint = "microsoft_profile_page", output = Answer)]
pub async fn microsoft_profile_page(
    profile: String,
    #[server(default)] panel: String,
    #[server(default)] saved: String,
    #[server(default)] number: String,
) -> Result<String, ApiError> {
    use crate::pages::providers::sheet::{Asked, render};
    use crate::server::{actor, answer, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    let asked = Asked {
        profile,
        panel,
        saved,
        number,
    };
    answer(render(&state.services, &actor, &asked).await)
}

/// Changes one profile; `act` says how, `note` why (for the audit log). `verify_all` asks Microsoft about every active one and needs no `profile_id`.
///
/// # Errors
/// Signed out; forbidden; not found; wrong fields; in use; changed by somebody else; Microsoft refused.
#[server(endpoint = "change_microsoft_profile", output = Answer)]
pub async fn change_microsoft_profile(
    act: String,
    #[server(default)] profile_id: String,
    #[server(default)] version: i64,
    #[server(default)] display_name: String,
    #[server(default)] client_id: String,
    #[server(default)] directory_id: String,
    #[server(default)] cloud: String,
    #[server(default)] client_secret: String,
    #[server(default)] secret_expires_on: String,
    #[server(default)] overlap_hours: i64,
    #[server(default)] which: String,
    #[server(default)] confirm_name: String,
    #[server(default)] note: String,
) -> Result<(), ApiError> {
    use crate::server::{actor, answer, redirect, state};
    use daybind_domain::AppError;
    use daybind_services::{profiles, profiles::secrets, verify};
    let (state, actor) = (answer(state())?, answer(actor())?);
    let services = &state.services;
    let id = profile_id.as_str();
    let change = async {
        let (done, then) = match act.as_str() {
            "update" => {
                let edit = profiles::ProfileEdit {
                    version,
                    display_name,
                    client_id,
                    directory_id,
                    cloud,
                    secret_expires_on,
                };
                let port = state.calendar.as_ref();
                let done = profiles::update(services, port, &actor, id, edit).await;
                (done, "saved=updated")
            }
            "archive" => {
                let done = profiles::archive(services, &actor, id, version).await;
                (done, "saved=archived")
            }
            "restore" => {
                let done = profiles::restore(services, &actor, id, version).await;
                (done, "saved=restored")
            }
            "delete" => {
                let done = profiles::delete(services, &actor, id, version, &confirm_name).await;
                answer(done)?;
                redirect("/msp/settings?tab=integrations&category=providers&saved=profile_deleted");
                return Ok(());
            }
            "verify" => {
                let done = verify::run(services, &actor, id).await;
                (done, "panel=verify&saved=verified")
            }
            "verify_all" => {
                answer(verify::run_all(services, &actor).await)?;
                redirect("/msp/settings?tab=integrations&category=providers&saved=verified");
                return Ok(());
            }
            "test_sign_in" => {
                let away = answer(verify::sign_in::begin(services, &actor, id, &which).await)?;
                redirect(&away);
                return Ok(());
            }
            "stage" => {
                let value = client_secret.into();
                let done = secrets::stage(services, &actor, id, &value, &secret_expires_on).await;
                (done, "panel=rotate&saved=staged")
            }
            "verify_next" => {
                let done = secrets::verify_next(services, &actor, id).await;
                (done, "panel=rotate&saved=accepted")
            }
            "switch" => {
                let done = secrets::switch(services, &actor, id, version, overlap_hours).await;
                (done, "panel=rotate&saved=switched")
            }
            "switch_back" => {
                let done = secrets::switch_back(services, &actor, id, version).await;
                (done, "panel=rotate&saved=switched_back")
            }
            "discard" => {
                let done = secrets::discard(services, &actor, id, &which).await;
                (done, "panel=rotate&saved=destroyed")
            }
            // Whoever may not do anything is told that, not which actions there are.
            _ => {
                answer(actor.require(daybind_domain::user::Permission::SettingsUpdate))?;
                (
                    Err(AppError::field("act", t!("There is no such action."))),
                    "",
                )
            }
        };
        answer(done)?;
        redirect(&format!(
            "/msp/settings?tab=integrations&category=providers&profile={id}&{then}"
        ));
        Ok(())
    };
    daybind_services::audit::noted(&note, change).await
}

/// Saves one step of the walkthrough; `act` says which.
///
/// # Errors
/// Signed out; forbidden; wrong fields; an earlier step is missing; Microsoft knows no such directory.
#[server(endpoint = "build_microsoft_profile", output = Answer)]
pub async fn build_microsoft_profile(
    act: String,
    #[server(default)] consumers: Vec<String>,
    #[server(default)] display_name: String,
    #[server(default)] entered: Vec<String>,
    #[server(default)] overview: String,
    #[server(default)] client_id: String,
    #[server(default)] directory_id: String,
    #[server(default)] cloud: String,
    #[server(default)] client_secret: String,
    #[server(default)] secret_expires_on: String,
    #[server(default)] note: String,
) -> Result<(), ApiError> {
    use crate::server::{actor, answer, redirect, state};
    use daybind_domain::AppError;
    use daybind_services::profiles::drafts;
    let (state, actor) = (answer(state())?, answer(actor())?);
    let services = &state.services;
    let providers = "/msp/settings?tab=integrations&category=providers";
    let (done, step) = match act.as_str() {
        "choose" => (drafts::choose(services, &actor, &consumers).await, 2),
        "name" => (
            drafts::name(services, &actor, &display_name, &cloud).await,
            3,
        ),
        "uris" => (drafts::uris(services, &actor, &entered).await, 4),
        "ids" => {
            let ids = drafts::ids(services, &actor, &overview, &client_id, &directory_id);
            (ids.await, 5)
        }
        "secret" => {
            let value = client_secret.into();
            let make = drafts::secret(services, &actor, value, &secret_expires_on);
            let made = daybind_services::audit::noted(&note, make).await;
            (made.map(|_| ()), 6)
        }
        "close" => {
            answer(drafts::close(services, &actor).await)?;
            redirect(providers);
            return Ok(());
        }
        _ => {
            answer(actor.require(daybind_domain::user::Permission::SettingsUpdate))?;
            (Err(AppError::field("act", t!("There is no such step."))), 1)
        }
    };
    answer(done)?;
    redirect(&format!("{providers}&profile=new&panel={step}"));
    Ok(())
}
