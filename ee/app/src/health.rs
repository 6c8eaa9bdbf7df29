//! Operations > Health: what needs a person, and how sync is.

use daybind_app::api::activity::get_calendar_health;
use daybind_app::live::{Changed, News};
use daybind_app::pages::failure::Failure;
use daybind_app::ui::{EmptyState, PageHead, Section};
use daybind_domain::activity::HealthView;
use daybind_words::t;
use leptos::prelude::*;

/// The page.
#[component]
pub fn Health() -> impl IntoView {
    let found = Resource::new(|| (), |()| get_calendar_health());
    view! {
        <PageHead title=t!("Health") lede=t!("What goes on only when somebody does something, and how sync is.")/>
        <Transition fallback=|| view! { <p>{t!("Looking …")}</p> }>
            {move || Suspend::new(async move {
                match found.await {
                    Ok(health) => view! { <Found health/> }.into_any(),
                    Err(error) => view! { <Failure error/> }.into_any(),
                }
            })}
        </Transition>
        <Changed
            topics=&["connection", "conflict", "run"]
            shown=found
            read=get_calendar_health
            text=t!("What needs a person has changed.")
            news=news
        />
    }
    .into_any()
}

/// Signals change where they stand; what needs a person comes and goes on demand.
fn news(shown: &HealthView, now: &HealthView) -> News {
    if shown.items != now.items {
        News::Moves
    } else if shown.signals != now.signals {
        News::Small
    } else {
        News::Nothing
    }
}

#[component]
fn Found(health: HealthView) -> impl IntoView {
    let items: Vec<_> = health
        .items
        .into_iter()
        .map(|item| {
            view! {
                <li class="db-needs__item">
                    <p><strong>{item.title}</strong></p>
                    <p>{item.text}</p>
                    <p><a href=item.href>{item.action}</a></p>
                </li>
            }
        })
        .collect();
    let needs = if items.is_empty() {
        view! {
            <EmptyState title=t!("Nothing needs a person") text=t!("Every connected calendar works by itself.")/>
        }
        .into_any()
    } else {
        view! { <ol class="db-needs">{items}</ol> }.into_any()
    };
    let signals: Vec<_> = health
        .signals
        .into_iter()
        .map(|signal| view! { <dt>{signal.label}</dt><dd>{signal.text}</dd> })
        .collect();
    view! {
        <Section title=t!("What needs a person") id="needs-heading">{needs}</Section>
        <Section title=t!("Signals") id="signals-heading">
            <dl class="db-facts">{signals}</dl>
            <p class="db-field__hint">{t!("As of {}. Reload the page for the present.", health.at)}</p>
        </Section>
    }
    .into_any()
}
