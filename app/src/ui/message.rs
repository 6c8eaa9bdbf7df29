//! Messages in the page: banners, the error summary, empty states.

use leptos::prelude::*;

use super::Icon;

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
}

/// One thing wrong in a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The id of the control, or empty if it is about the whole form.
    pub field: String,
    /// The same words as beside the field.
    pub message: String,
}

impl FieldError {
    /// An error of the control whose id is `field`.
    #[must_use]
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
        }
    }
}

/// The list of everything wrong, at the top of the form, with a link to each field. Renders nothing without errors.
///
/// `role="alert"` announces it. In the browser it also takes the focus when it appears after hydration.
#[component]
pub fn ErrorSummary(
    /// In the order of the fields.
    errors: Vec<FieldError>,
) -> impl IntoView {
    if errors.is_empty() {
        return None;
    }
    let node = NodeRef::<leptos::html::Div>::new();
    Effect::new(move |_| {
        if let Some(summary) = node.get() {
            // Focus is a courtesy here: `role="alert"` has announced the text already.
            drop(summary.focus());
        }
    });
    let items = errors
        .into_iter()
        .map(|error| {
            if error.field.is_empty() {
                view! { <li>{error.message}</li> }.into_any()
            } else {
                // `rel="external"` keeps the router away: the browser moves the focus to the field by itself.
                view! {
                    <li>
                        <a href=format!("#{}", error.field) rel="external">
                            {error.message}
                        </a>
                    </li>
                }
                .into_any()
            }
        })
        .collect_view();
    Some(view! {
        <div class="db-error-summary" role="alert" tabindex="-1" node_ref=node>
            <h2>"There is a problem"</h2>
            <ul class="db-error-summary__list">{items}</ul>
        </div>
    })
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
            <h3 class="db-empty__title">{title}</h3>
            {(!text.is_empty()).then(|| view! { <p>{text}</p> })}
            {children.map(|children| view! { <div class="db-actions">{children()}</div> })}
        </div>
    }
}
