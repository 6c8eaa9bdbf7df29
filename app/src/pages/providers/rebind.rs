//! Changing what a service uses: first choose, then see what the change would do, then confirm.

use daybind_domain::bindings::{ImpactKind, ImpactLine, ProfileRef, RebindChoices, RebindReview};
use daybind_words::t;
use leptos::prelude::*;

use crate::api::bindings::{ConfirmRebind, list_rebind_choices, plan_rebind};
use crate::pages::failure::Failure;
use crate::pages::settings::category_address;
use crate::ui::{
    Banner, BannerKind, EmptyState, ErrorSummary, Icon, NoteField, PanelHead, Submit, TextField,
    failed,
};

/// Where a profile for `consumer` is chosen.
pub(super) fn choose_address(consumer: &str) -> String {
    format!("{}&rebind={consumer}", category_address("providers"))
}

/// Where the change of `consumer` to the profile `to` (`none`: to no profile) is reviewed.
pub(super) fn review_address(consumer: &str, to: &str) -> String {
    format!("{}&to={to}", choose_address(consumer))
}

/// The two steps; which one the address says.
#[component]
pub(super) fn Rebind(
    /// Which service.
    consumer: Memo<String>,
    /// A profile's id, `none`, or empty while none is chosen.
    to: Memo<String>,
    /// Does what the review shows.
    confirm: ServerAction<ConfirmRebind>,
) -> impl IntoView {
    let review = Resource::new(
        move || (consumer.get(), to.get()),
        |(consumer, to)| async move {
            match (consumer.as_str(), to.as_str()) {
                ("", _) | (_, "") => None,
                (_, "none") => Some(plan_rebind(consumer, String::new()).await),
                _ => Some(plan_rebind(consumer, to).await),
            }
        },
    );
    let choices = Resource::new(
        move || (consumer.get(), to.get()),
        |(consumer, to)| async move {
            if consumer.is_empty() || !to.is_empty() {
                None
            } else {
                Some(list_rebind_choices(consumer).await)
            }
        },
    );
    view! {
        <ErrorSummary error=failed(confirm) fields=FIELDS/>
        <Transition fallback=|| view! { <p>{t!("Looking at what the change would do …")}</p> }>
            {move || Suspend::new(async move {
                review.await.map(|review| match review {
                    Ok(review) => view! { <Review review confirm/> }.into_any(),
                    Err(error) => view! { <Failure error/><Back/> }.into_any(),
                })
            })}
        </Transition>
        <Transition fallback=|| view! { <p>{t!("Loading the profiles …")}</p> }>
            {move || Suspend::new(async move {
                choices.await.map(|choices| match choices {
                    Ok(choices) => view! { <Choose choices/> }.into_any(),
                    Err(error) => view! { <Failure error/><Back/> }.into_any(),
                })
            })}
        </Transition>
    }
    .into_any()
}

const FIELDS: &[(&str, &str)] = &[("typed", "rebind-typed"), ("note", "rebind-note")];

#[component]
fn Back() -> impl IntoView {
    view! {
        <p><a class="db-btn db-btn--secondary" href=category_address("providers")>{t!("Back to Providers")}</a></p>
    }
}

/// First step: a plain form that leads to the review's address.
#[component]
fn Choose(choices: RebindChoices) -> impl IntoView {
    let heading = t!("Choose a profile for {}", choices.label);
    if choices.choices.is_empty() {
        let new = format!("{}&profile=new", category_address("providers"));
        return view! {
            <PanelHead id="rebind-heading" title=heading/>
            <EmptyState title=t!("There is no profile to choose") text=t!("Create one, or restore an archived one.")>
                <a class="db-btn db-btn--primary" href=new>{t!("New profile")}</a>
                <a class="db-btn db-btn--quiet" href=category_address("providers")>{t!("Cancel")}</a>
            </EmptyState>
        }
        .into_any();
    }
    let now = choices.from.as_ref().map_or_else(
        || t!("{} uses no profile now.", choices.label),
        |from| t!("{} uses {} now.", choices.label, from.name),
    );
    let bound = choices.from.map(|from| from.profile_id);
    let options: Vec<_> = choices
        .choices
        .into_iter()
        .filter(|profile| Some(&profile.profile_id) != bound.as_ref())
        .map(|profile| {
            let text = if profile.missing.is_empty() {
                profile.name
            } else {
                t!("{} (not ready)", profile.name)
            };
            view! { <option value=profile.profile_id>{text}</option> }
        })
        .collect();
    view! {
        <PanelHead id="rebind-heading" title=heading/>
        <p>{now} {t!(" Nothing changes before you have seen what it would do.")}</p>
        <form method="get" action="/msp/settings">
            <input type="hidden" name="tab" value="integrations"/>
            <input type="hidden" name="category" value="providers"/>
            <input type="hidden" name="rebind" value=choices.consumer/>
            <div class="db-field">
                <label class="db-field__label" for="rebind-to">{t!("Profile")}</label>
                <select class="db-select" id="rebind-to" name="to" required>
                    <option value="">{t!("Choose a profile")}</option>
                    {options}
                </select>
            </div>
            <div class="db-actions">
                <button type="submit" class="db-btn db-btn--primary">{t!("Review the change")}</button>
                <a class="db-btn db-btn--quiet" href=category_address("providers")>{t!("Cancel")}</a>
            </div>
        </form>
    }
    .into_any()
}

fn lane(title: &str, side: &'static str, profile: Option<&ProfileRef>) -> impl IntoView + use<> {
    let stations = match profile {
        None => vec![t!("No profile").to_owned()],
        Some(profile) => vec![
            profile.name.clone(),
            t!("Application {}", profile.client_id),
            t!("Directory {}", profile.directory_id),
        ],
    };
    let items: Vec<_> = stations
        .into_iter()
        .map(|text| view! { <li>{text}</li> })
        .collect();
    view! {
        <div class=format!("db-lane db-lane--{side}")>
            <h4 class="db-lane__title">{title.to_owned()}</h4>
            <ul class="db-lane__stations">{items}</ul>
        </div>
    }
}

/// Second step: from, to, what it does, and the button that does it.
#[component]
fn Review(review: RebindReview, confirm: ServerAction<ConfirmRebind>) -> impl IntoView {
    let heading = if review.to.is_some() {
        t!("Review the change of {}", review.label)
    } else {
        t!("Review unbinding {}", review.label)
    };
    let lanes = view! {
        <div class="db-lane-card__lanes">
            {lane(t!("From"), "left", review.from.as_ref())}
            <div class="db-lane-card__link"><Icon name="lane-out"/></div>
            {lane(t!("To"), "right", review.to.as_ref())}
        </div>
    };
    let same = review.same_app.then(|| {
        view! {
            <Banner kind=BannerKind::Info title=t!("Same application: nobody needs to reconnect.")>
                <p>{t!("Both profiles have the same application and directory.")}</p>
            </Banner>
        }
    });
    let body = if review.unchanged {
        view! {
            <Banner kind=BannerKind::Info title=t!("This is how it is already. There is nothing to change.")/>
            <Back/>
        }
        .into_any()
    } else if !review.refused.is_empty() {
        view! { <Refused review/> }.into_any()
    } else {
        let impact = review.impact.clone().map(|lines| view! { <Impact lines/> });
        view! {
            {impact}
            <Confirm review confirm/>
        }
        .into_any()
    };
    view! {
        <PanelHead id="rebind-heading" title=heading/>
        {lanes}
        {same}
        {body}
    }
    .into_any()
}

/// Why it cannot be done, and the way on; there is no button to press.
#[component]
fn Refused(review: RebindReview) -> impl IntoView {
    let title = review.to.as_ref().map_or_else(
        || t!("{} cannot be unbound", review.label),
        |to| t!("{} is not ready for {}", to.name, review.label),
    );
    let open = review.to.map(|to| {
        let href = format!(
            "{}&profile={}",
            category_address("providers"),
            to.profile_id
        );
        view! { <a class="db-btn db-btn--secondary" href=href>{t!("Open {}", to.name)}</a> }
    });
    let reasons: Vec<_> = review
        .refused
        .into_iter()
        .map(|text| view! { <li>{text}</li> })
        .collect();
    view! {
        <Banner kind=BannerKind::Warning title>
            <ul>{reasons}</ul>
        </Banner>
        <div class="db-actions">
            {open}
            <a class="db-btn db-btn--quiet" href=category_address("providers")>{t!("Back to Providers")}</a>
        </div>
    }
    .into_any()
}

#[component]
fn Impact(lines: Vec<ImpactLine>) -> impl IntoView {
    let items: Vec<_> = lines
        .into_iter()
        .map(|line| {
            let word = match line.kind {
                ImpactKind::MustAct => t!("Somebody must act: "),
                ImpactKind::Invalidated => t!("Stops: "),
                ImpactKind::Keeps => t!("Goes on: "),
                ImpactKind::Note => "",
            };
            let more = line.count.saturating_sub(line.names.len());
            let more = (more > 0).then(|| view! { <li>{t!("and {more} more")}</li> });
            let names: Vec<_> = line
                .names
                .into_iter()
                .map(|name| view! { <li>{name}</li> })
                .collect();
            let names = (!names.is_empty()).then(|| view! { <ul>{names}{more}</ul> });
            view! { <li><strong>{word}</strong>{line.text}{names}</li> }
        })
        .collect();
    view! {
        <h4 id="impact-heading">{t!("What this does")}</h4>
        <ul aria-labelledby="impact-heading">{items}</ul>
        <p>{t!("Other services keep their profiles. You can undo this for ten minutes.")}</p>
    }
    .into_any()
}

#[component]
fn Confirm(review: RebindReview, confirm: ServerAction<ConfirmRebind>) -> impl IntoView {
    if !review.can_update {
        return view! {
            <Banner kind=BannerKind::Info title=t!("You can read this but not change it.")>
                <p>{t!("Ask an administrator who may change system settings.")}</p>
            </Banner>
            <Back/>
        }
        .into_any();
    }
    let error = failed(confirm);
    let label = review.to.as_ref().map_or_else(
        || t!("Unbind {}", review.label),
        |to| t!("Use {} for {}", to.name, review.label),
    );
    let look = if review.to.is_some() {
        "primary"
    } else {
        "danger"
    };
    let unknown = review.impact.is_none().then(|| {
        view! {
            <Banner kind=BannerKind::Warning title=t!("What this would do could not be found out.")>
                <p>{t!("Reload to try again, or type the service's name to go on without knowing.")}</p>
            </Banner>
            <TextField
                id="rebind-typed"
                name="typed"
                label=t!("Type {} to go on", review.label)
                error=error
            />
        }
    });
    let profile_id = review.to.map(|to| to.profile_id).unwrap_or_default();
    view! {
        <ActionForm action=confirm>
            <input type="hidden" name="consumer" value=review.consumer/>
            <input type="hidden" name="profile_id" value=profile_id/>
            <input type="hidden" name="seen" value=review.seen/>
            {unknown}
            <NoteField id="rebind-note" error=error/>
            <div class="db-actions">
                <Submit label pending=confirm.pending() look/>
                <a class="db-btn db-btn--quiet" href=category_address("providers")>{t!("Cancel")}</a>
            </div>
        </ActionForm>
    }
    .into_any()
}
