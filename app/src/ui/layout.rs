//! The frame of a page's content.

use std::time::Duration;

use leptos::html;
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
    /// The heading takes the focus when the page is loaded, also without a script, so that it is what is read first.
    #[prop(optional)]
    lead: bool,
    /// Buttons or links, at most one of them primary.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let heading = if lead {
        view! { <h1 tabindex="-1" autofocus>{title}</h1> }.into_any()
    } else {
        view! { <h1>{title}</h1> }.into_any()
    };
    view! {
        <header class="db-page-head">
            {heading}
            {(!lede.is_empty()).then(|| view! { <p class="db-page-head__lede">{lede}</p> })}
            {children.map(|children| view! { <div class="db-actions">{children()}</div> })}
        </header>
    }
}

/// The heading of a part that a link or a form opens within a page. It takes the focus, so that one goes on from there.
#[component]
pub fn PanelHead(
    /// The heading.
    #[prop(into)]
    title: String,
    /// The id of the heading. One per page.
    #[prop(into)]
    id: String,
) -> impl IntoView {
    let node = NodeRef::<html::H3>::new();
    // While a page comes to life, the browser has done it already, and the reader may be elsewhere by now.
    let opened = !Owner::current_shared_context().is_some_and(|page| page.during_hydration());
    Effect::new(move || {
        if opened && node.with(Option::is_some) {
            // The heading is in the document one tick later than the node is known.
            set_timeout(
                move || {
                    if let Some(node) = node.get_untracked() {
                        // Focus is a courtesy: the part is there either way.
                        let _ = node.focus();
                    }
                },
                Duration::ZERO,
            );
        }
    });
    view! {
        <h3 id=id tabindex="-1" autofocus=cfg!(feature = "ssr") node_ref=node>
            {title}
        </h3>
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
