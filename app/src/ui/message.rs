//! Messages in the page: banners, announcements, the error summary, empty states.

use std::time::Duration;

use daybind_words::t;
use leptos::html;
use leptos::prelude::*;

use super::Icon;
use super::action::Failed;

/// How a banner is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BannerKind {
    /// Something worth knowing.
    Info,
    /// Something was done.
    Success,
    /// Something needs attention soon.
    Warning,
    /// Something does not work. Announced at once; it never disappears by itself.
    Danger,
}

/// A message across the page: what happened, why, what to do.
#[component]
pub fn Banner(
    /// How it is meant.
    kind: BannerKind,
    /// One sentence.
    #[prop(into)]
    title: String,
    /// More, if there is more: text, links, buttons.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let (class, icon, role) = match kind {
        BannerKind::Info => ("db-banner db-banner--info", "info", "status"),
        BannerKind::Success => ("db-banner db-banner--success", "circle-check", "status"),
        BannerKind::Warning => ("db-banner db-banner--warning", "triangle-alert", "status"),
        BannerKind::Danger => ("db-banner db-banner--danger", "octagon-x", "alert"),
    };
    view! {
        <div class=class role=role>
            <Icon name=icon />
            <div>
                <p class="db-banner__title">
                    <strong>{title}</strong>
                </p>
                {children.map(|children| children())}
            </div>
        </div>
    }
    .into_any()
}

/// What has just been done, above a page's content, with a link to the same page without it.
#[component]
pub fn Announcement(
    /// How it is meant.
    #[prop(default = BannerKind::Success)]
    kind: BannerKind,
    /// What it says.
    #[prop(into)]
    text: String,
    /// Where the same page is without it.
    #[prop(into)]
    dismiss: String,
) -> impl IntoView {
    view! {
        <Banner kind title=text>
            <p>
                <a href=dismiss>{t!("Dismiss")}</a>
            </p>
        </Banner>
    }
}

/// Every message of a failed form at its top; takes the focus when it appears. Renders nothing without a failure.
#[component]
pub fn ErrorSummary(
    /// The failure.
    error: Failed,
    /// Field names and the ids of their controls.
    #[prop(optional)]
    fields: &'static [(&'static str, &'static str)],
) -> impl IntoView {
    let node = NodeRef::<html::Div>::new();
    Effect::new(move || {
        if error.with(Option::is_some) {
            // The summary is in the document one tick later than the signal says.
            set_timeout(
                move || {
                    if let Some(node) = node.get_untracked() {
                        // Focus is a courtesy here: `role="alert"` has announced the text already.
                        let _ = node.focus();
                    }
                },
                Duration::ZERO,
            );
        }
    });
    move || {
        error.get().map(|error| {
            let items: Vec<_> = error
                .fields
                .iter()
                .map(|wrong| {
                    let id = fields
                        .iter()
                        .find(|(field, _)| *field == wrong.field)
                        .map(|(_, id)| *id);
                    let message = wrong.message.clone();
                    match id {
                        // A plain anchor moves the focus into the field; the router would only scroll.
                        Some(id) => {
                            view! { <li><a href=format!("#{id}") rel="external">{message}</a></li> }
                                .into_any()
                        }
                        None => view! { <li>{message}</li> }.into_any(),
                    }
                })
                .collect();
            view! {
                // A page that the server sends with it is read from here; in the browser the effect above does it.
                <div
                    class="db-error-summary"
                    role="alert"
                    tabindex="-1"
                    autofocus=cfg!(feature = "ssr")
                    node_ref=node
                >
                    <h2>{error.message}</h2>
                    {(!items.is_empty()).then(|| view! { <ul>{items}</ul> })}
                    {error.next_step.map(|text| view! { <p>{text}</p> })}
                    {error.reference.map(|id| view! { <p>{t!("Reference: ")}<code>{id}</code></p> })}
                </div>
            }
        })
    }
}

/// What will appear here, why there is nothing yet, and one thing to do (the children).
#[component]
pub fn EmptyState(
    /// What is missing, such as "No profiles yet".
    #[prop(into)]
    title: String,
    /// What will appear and why it is empty now.
    #[prop(optional, into)]
    text: String,
    /// One primary action and perhaps one link.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="db-empty">
            <p class="db-empty__title">{title}</p>
            {(!text.is_empty()).then(|| view! { <p>{text}</p> })}
            {children.map(|children| view! { <div class="db-actions">{children()}</div> })}
        </div>
    }
}
