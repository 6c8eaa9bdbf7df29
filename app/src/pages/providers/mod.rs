//! Settings > Integrations > Providers: Microsoft profiles, which service uses which, and the edition's further providers.

mod board;
mod create;
mod profiles;
mod rebind;
mod served;
#[cfg(feature = "ssr")]
pub(crate) mod sheet;

use daybind_domain::profile_view::Standing;
use daybind_domain::view::ProvidersView;
use daybind_words::t;
use leptos::prelude::*;

use super::failure::Failure;
use super::query_value;
use super::settings::category_address;
use crate::api::bindings::{ConfirmRebind, UndoRebind, list_microsoft_consumer_bindings};
use crate::api::providers::{CreateMicrosoftProfile, list_microsoft_profiles};
use crate::entries::Entries;
use crate::ui::{
    Announcement, Banner, BannerKind, EmptyState, ErrorSummary, PageHead, Section, StatusKind,
    failed, keep_focus, successes,
};

use board::{Board, Setups};
use create::NewProfile;
use profiles::Profiles;
use rebind::Rebind;
use served::Served;

/// The Providers category: bindings, profiles, and the edition's further providers.
#[component]
pub fn ProvidersPage() -> impl IntoView {
    let (profile, panel) = (query_value("profile"), query_value("panel"));
    // The quick form for a new profile stands on the list; the walkthrough and each profile have a page of their own.
    let served = Memo::new(move |_| {
        profile.with(|profile| match profile.as_str() {
            "" => false,
            "new" => panel.with(|panel| !panel.is_empty()),
            _ => true,
        })
    });
    move || {
        if served.get() {
            view! { <Served profile/> }.into_any()
        } else {
            view! { <ProvidersList/> }.into_any()
        }
    }
}

#[component]
fn ProvidersList() -> impl IntoView {
    let entries = Entries::current();
    let (profile, saved) = (query_value("profile"), query_value("saved"));
    let (consumer, to) = (query_value("rebind"), query_value("to"));
    let create = ServerAction::<CreateMicrosoftProfile>::new();
    let confirm = ServerAction::<ConfirmRebind>::new();
    let undo = ServerAction::<UndoRebind>::new();
    let (created, bound, undone) = (successes(create), successes(confirm), successes(undo));
    let changes = move || (created.get(), bound.get(), undone.get());
    let view = Resource::new(changes, |_| list_microsoft_profiles());
    let board = Resource::new(changes, |_| list_microsoft_consumer_bindings());
    keep_focus(board, changes);
    let announcement = move || {
        let text = match saved.get().as_str() {
            "profile" => t!("The profile is saved. Choose below which service uses it."),
            "binding" => t!("The service now uses the profile you chose."),
            "unbound" => t!("The service now uses no profile."),
            "profile_deleted" => t!("The profile is deleted."),
            "verified" => {
                t!(
                    "Every active profile has been checked. The table below says how each one stands."
                )
            }
            "undone" => t!("The change is taken back."),
            // The edition's own cards announce their forms' success here, too.
            "oauth_client" => t!("The OAuth client is saved."),
            _ => return None,
        };
        Some(view! { <Announcement text dismiss=category_address("providers")/> })
    };
    view! {
        <PageHead title=t!("Providers")/>
        {announcement}
        <Section title="Microsoft" id="microsoft-heading">
            <p>{entries.microsoft_intro}</p>
            <p>{t!("Each service below uses exactly the profile you choose. Nothing is chosen for you.")}</p>
            <ErrorSummary error=failed(undo)/>
            {move || (!consumer.get().is_empty()).then(|| {
                view! { <div class="db-panel"><Rebind consumer to confirm/></div> }
            })}
            {move || (profile.get() == "new").then(|| view! { <NewProfile create/> })}
            <Transition fallback=|| view! { <p>{t!("Loading the bindings …")}</p> }>
                {move || Suspend::new(async move {
                    match board.await {
                        Ok(board) => view! { <Board board undo/> }.into_any(),
                        Err(error) => view! { <Failure error/> }.into_any(),
                    }
                })}
            </Transition>
            <Transition fallback=|| view! { <p>{t!("Loading the profiles …")}</p> }>
                {move || Suspend::new(async move {
                    match view.await {
                        Ok(view) => view! { <Microsoft view empty=entries.microsoft_empty/> }.into_any(),
                        Err(error) => view! { <Failure error/> }.into_any(),
                    }
                })}
            </Transition>
        </Section>
        {entries.provider_cards.map(|cards| cards())}
    }
    .into_any()
}

#[component]
fn Microsoft(view: ProvidersView, empty: &'static str) -> impl IntoView {
    let may = view.can_update;
    let new = format!("{}&profile=new", category_address("providers"));
    let add = may.then(|| view! { <a class="db-btn" href=new.clone()>{t!("New profile")}</a> });
    let active = view.profiles.iter().any(|profile| !profile.archived);
    // A plain form: what it leads to is a page of its own kind, and the browser need not carry the code for it.
    let verify = (may && active).then(|| {
        view! {
            <form method="post" action="/_fn/change_microsoft_profile">
                <input type="hidden" name="act" value="verify_all"/>
                <button type="submit" class="db-btn db-btn--secondary">{t!("Verify all")}</button>
            </form>
        }
    });
    let profiles = if view.profiles.is_empty() {
        view! { <EmptyState title=t!("There is no Microsoft profile yet") text=empty>{add}</EmptyState> }
            .into_any()
    } else {
        view! {
            <Profiles profiles=view.profiles/>
            <div class="db-actions">{add}{verify}</div>
        }
        .into_any()
    };
    let read_only = (!may).then(|| {
        view! {
            <Banner kind=BannerKind::Info title=t!("You can read these settings but not change them.")>
                <p>{t!("Ask an administrator who may change system settings.")}</p>
            </Banner>
        }
    });
    view! {
        {read_only}
        <Setups bindings=view.bindings/>
        <h3>{t!("Profiles")}</h3>
        {profiles}
    }
    .into_any()
}

/// The word for how a profile or a check stands.
fn standing(standing: Standing) -> StatusKind {
    match standing {
        Standing::Working => StatusKind::Working,
        Standing::Waiting => StatusKind::Waiting,
        Standing::NeedsYou => StatusKind::NeedsYou,
        Standing::Failed => StatusKind::Failed,
        Standing::NotTested => StatusKind::NotTested,
        Standing::Off => StatusKind::Off,
    }
}
