//! The frame of a page's content.

use leptos::prelude::*;

/// The page's one `<h1>`, an optional sentence under it and, as children, its actions.
#[component]
pub fn PageHead(
    /// The name of the page.
    #[prop(into)]
    title: String,
    /// What the page is for, in one sentence. Empty: none.
    #[prop(optional, into)]
    lede: String,
    /// Buttons or links, at most one of them primary.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <header class="db-page-head">
            <h1>{title}</h1>
            {(!lede.is_empty()).then(|| view! { <p class="db-page-head__lede">{lede}</p> })}
            {children.map(|children| view! { <div class="db-actions">{children()}</div> })}
        </header>
    }
}

/// A ruled part of a page under an `<h2>` with a station mark.
#[component]
pub fn Section(
    /// The heading.
    #[prop(into)]
    title: String,
    /// The id of the heading, for links and for the section's name. One per page.
    #[prop(into)]
    id: String,
    /// The content.
    children: Children,
) -> impl IntoView {
    let labelled_by = id.clone();
    view! {
        <section class="db-section" aria-labelledby=labelled_by>
            <h2 class="db-section__title" id=id>
                {title}
            </h2>
            {children()}
        </section>
    }
}

/// A moment. The text is made on the server in the reader's zone, so that both halves render the same.
#[component]
pub fn TimeText(
    /// RFC 3339 in UTC, such as `2026-06-03T07:30:00Z`; shown on hover.
    #[prop(into)]
    datetime: String,
    /// The absolute time in the reader's zone, such as "3 June 2026, 09:30".
    #[prop(into)]
    text: String,
) -> impl IntoView {
    let utc = datetime.clone();
    view! {
        <time datetime=datetime title=utc>
            {text}
        </time>
    }
}
