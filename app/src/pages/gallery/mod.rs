//! Every component in every state on one page, `/__ui`, for people and for tests (axe, pictures).
//!
//! Servers of a debug build only: a release has neither the address nor this code, and no browser program of any build holds
//! it. The page is drawn here as a whole and has no script, so that nothing but the style sheet decides how it looks.
//! States that only a pointer or the keyboard brings about are brought about by the test.

mod data;
mod fields;
mod messages;
mod planned;
#[cfg(test)]
mod tests;

use daybind_domain::view::SyncMark;
use leptos::prelude::*;

use crate::ui::{
    CopyField, Direction, Icon, LaneCard, LaneSide, PageHead, PanelHead, Section, StatusKind,
    StatusTag, TimeText, Wordmark,
};

/// Stands in the page and nowhere else: where a file holds it, the file holds the gallery.
pub const MARK: &str = "daybind-component-gallery";

/// The whole document. `marks` are the sync marks that the edition has; none in Community.
#[must_use]
pub fn document(marks: &[SyncMark]) -> String {
    let owner = Owner::new_root(None);
    let html = owner.with(|| page(marks).to_html());
    owner.cleanup();
    html
}

fn page(marks: &[SyncMark]) -> AnyView {
    let planned = planned::samples(marks);
    view! {
        <!DOCTYPE html>
        <html lang="en" data-page=MARK>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                <link rel="stylesheet" href="/pkg/daybind.css"/>
                <title>"Components · Daybind"</title>
            </head>
            <body>
                <div class="db-shell">
                    <a class="db-skip" href="#main">"Skip to content"</a>
                    {rail()}
                    <main id="main" class="db-main" tabindex="-1">
                        {sample("strip", strip())}
                        {sample("page-head", page_head())}
                        {sample("parts", panel())}
                        {sample("buttons", buttons())}
                        {sample("statuses", statuses())}
                        {messages::samples()}
                        {fields::samples()}
                        {sample("lanes", lanes())}
                        {data::samples()}
                        {planned}
                        {sample("navigation", navigation())}
                        {sample("dialogs", dialogs())}
                    </main>
                </div>
            </body>
        </html>
    }
    .into_any()
}

/// What a picture is taken of, under this name.
fn sample(name: &'static str, content: AnyView) -> AnyView {
    view! { <div data-sample=name>{content}</div> }.into_any()
}

/// The frame's rail: of the places one is the current one.
fn rail() -> AnyView {
    view! {
        <header class="db-rail" data-sample="rail">
            <a class="db-rail__brand" href="/__ui"><Wordmark/>"Daybind"</a>
            <p class="db-rail__tenant">"Example MSP"</p>
            <nav class="db-rail__nav" aria-label="Main">
                <ul>
                    <li><a href="#page-title" aria-current="page">"Schedule"</a></li>
                    <li><a href="#buttons">"Settings"</a></li>
                    <li><a href="#statuses">"Operations"</a></li>
                </ul>
            </nav>
            <div class="db-rail__person">
                <p>"Ada Example"</p>
                <button type="button" class="db-btn db-btn--quiet">"Sign out"</button>
            </div>
        </header>
    }
    .into_any()
}

fn strip() -> AnyView {
    view! {
        <section class="db-strip" aria-label="Needs attention">
            <ul>
                <li>"The secret of Example main ends in 3 days. "<a href="#buttons">"Rotate the secret"</a></li>
            </ul>
        </section>
    }
    .into_any()
}

fn page_head() -> AnyView {
    view! {
        <PageHead title="Components" lede="Every component of Daybind in every state. Servers of debug builds have this page.">
            <a class="db-btn db-btn--primary" href="#buttons">"Add profile"</a>
            <a class="db-btn db-btn--secondary" href="#statuses">"Learn more"</a>
        </PageHead>
        <p id="page-title">"Drawn on "<TimeText datetime="2026-06-03T07:30:00Z" text="3 June 2026, 09:30"/>"."</p>
    }
    .into_any()
}

fn panel() -> AnyView {
    view! {
        <Section title="Parts of a page" id="parts">
            <section class="db-panel" aria-labelledby="panel-title">
                <PanelHead title="A part that was opened" id="panel-title"/>
                <p>"It stays until it is done or left."</p>
            </section>
        </Section>
    }
    .into_any()
}

/// One look of button in every state that the markup alone decides.
fn button_row(look: &'static str) -> AnyView {
    let class = format!("db-btn db-btn--{look}");
    let (busy, off) = (class.clone(), class.clone());
    view! {
        <div class="db-actions">
            <button type="button" class=class data-state="rest">"Save profile"</button>
            <button type="button" class=busy aria-busy="true" aria-disabled="true">"Saving …"</button>
            <button type="button" class=off aria-disabled="true" aria-describedby="no-profile">"Save profile"</button>
        </div>
    }
    .into_any()
}

fn buttons() -> AnyView {
    let rows = ["primary", "secondary", "danger", "quiet"].map(button_row);
    view! {
        <Section title="Buttons" id="buttons">
            {rows.into_iter().collect_view()}
            <p id="no-profile" class="db-field__hint">"Choose a profile first: the dashed buttons wait for that."</p>
            <div class="db-actions">
                <button type="button" class="db-btn" disabled>"Switched off"</button>
                <button type="button" class="db-btn db-btn--small">"Small"</button>
                <a class="db-btn db-btn--secondary" href="#buttons"><Icon name="download"/>"A link with a glyph"</a>
            </div>
            <button type="button" class="db-btn db-btn--wide">"As wide as there is room"</button>
        </Section>
    }
    .into_any()
}

fn statuses() -> AnyView {
    let words: Vec<_> = StatusKind::ALL
        .into_iter()
        .map(|kind| view! { <li data-status=kind.word()><StatusTag kind/></li> })
        .collect();
    view! {
        <Section title="Statuses" id="statuses">
            <ul>{words}</ul>
            <p><StatusTag kind=StatusKind::Waiting text="until 14:05, because the other side asks to be left alone"/></p>
            <ul class="db-checklist">
                <li><span>"Client ID"</span><StatusTag kind=StatusKind::Working/></li>
                <li><span>"Client secret"</span><StatusTag kind=StatusKind::NeedsYou text="ends tomorrow"/></li>
            </ul>
        </Section>
    }
    .into_any()
}

fn lanes() -> AnyView {
    let side = |title: &str, stations: [&str; 2]| LaneSide {
        title: title.to_owned(),
        stations: stations.map(str::to_owned).to_vec(),
    };
    let card = move |id: &'static str, title: &'static str, status, direction| {
        view! {
            <LaneCard
                id
                title
                status
                status_text="checked at 09:30"
                left=side("Schedule", ["Ada Example", "12 entries"])
                right=side("Outside", ["ada@example.test", "Work"])
                direction
            >
                <div class="db-lane-card__body"><p>"Nothing is left to do."</p></div>
                <div class="db-lane-card__foot">
                    <button type="button" class="db-btn db-btn--secondary">"Check now"</button>
                </div>
            </LaneCard>
        }
        .into_any()
    };
    view! {
        <Section title="Lanes" id="lanes">
            {card("lane-both", "Both ways", StatusKind::Working, Direction::Both)}
            {card("lane-out", "Out only", StatusKind::NeedsYou, Direction::Out)}
            {card("lane-in", "In only", StatusKind::Failed, Direction::In)}
            <CopyField label="Redirect URI" value="https://daybind.example/api/auth/callback/azure-ad"/>
        </Section>
    }
    .into_any()
}

fn navigation() -> AnyView {
    view! {
        <Section title="Navigation" id="navigation">
            <nav class="db-tabs" aria-label="Tabs">
                <ul>
                    <li><a href="#navigation" aria-current="page">"Profile"</a></li>
                    <li><a href="#buttons">"Security"</a></li>
                </ul>
            </nav>
            <nav class="db-settings__nav" aria-label="Categories">
                <ul>
                    <li><a href="#navigation" aria-current="page">"Providers"</a></li>
                    <li><a href="#buttons">"Login domains"</a></li>
                    <li><a href="#statuses">"Sign-in requests"</a></li>
                </ul>
            </nav>
            <ol class="db-stepper">
                <li class="db-stepper__step" data-state="done"><a href="#buttons">"Name"</a></li>
                <li class="db-stepper__step"><a href="#navigation" aria-current="step">"Redirect URIs"</a></li>
                <li class="db-stepper__step">"Check"</li>
            </ol>
        </Section>
    }
    .into_any()
}

fn dialogs() -> AnyView {
    let dialog = |id: &'static str, class: &'static str, title: &'static str| {
        view! {
            <div class=class role="dialog" aria-labelledby=id>
                <h3 id=id>{title}</h3>
                <p>"The profile is used by MSP SSO. People cannot sign in through it any more."</p>
                <div class="db-dialog__foot">
                    <button type="button" class="db-btn db-btn--secondary">"Keep the profile"</button>
                    <button type="button" class="db-btn db-btn--danger">"Archive the profile"</button>
                </div>
            </div>
        }
        .into_any()
    };
    view! {
        <Section title="Dialogs" id="dialogs">
            {dialog("dialog-over", "db-dialog", "Archive Example main?")}
            {dialog("dialog-page", "db-dialog db-dialog--page", "Archive Example main, as a page?")}
        </Section>
    }
    .into_any()
}
