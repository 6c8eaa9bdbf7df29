//! What a page says: banners, announcements, failures, results, and that there is nothing yet.

use daybind_domain::{AppError, ErrorCode, FieldError};
use leptos::prelude::*;

use super::sample;
use crate::error::ApiError;
use crate::pages::failure::Failure;
use crate::ui::{
    Announcement, Banner, BannerKind, EmptyState, ErrorSummary, Failed, Icon, Section,
};

/// A form that two fields stop; the fields of [`super::fields`] say the same.
pub(super) fn refused() -> Failed {
    let wrong = |field: &str, message: &str| FieldError {
        field: field.to_owned(),
        message: message.to_owned(),
    };
    let error = AppError::invalid(vec![
        wrong(
            "display_name",
            "Enter a name. It tells your profiles apart.",
        ),
        wrong("region", "Choose where the directory is."),
    ]);
    Signal::stored(Some(
        error
            .next_step("Correct the fields, then save again.")
            .reference("0f3a6a3e5c6b4f0f9a4d7b6e2c1d0e9f"),
    ))
}

pub(super) fn samples() -> AnyView {
    let unnamed = Signal::stored(Some(AppError::rate_limited(40)));
    let failure = ApiError(
        AppError::new(ErrorCode::Internal, "The profiles could not be read.")
            .next_step("Try again. If it happens again, tell your operator the reference.")
            .reference("5c6b4f0f9a4d7b6e2c1d0e9f0f3a6a3e"),
    );
    let banners = [
        (BannerKind::Info, "A new version was installed."),
        (BannerKind::Success, "The profile is saved."),
        (BannerKind::Warning, "The secret ends in 3 days."),
        (BannerKind::Danger, "The directory does not answer."),
    ]
    .map(|(kind, title)| {
        view! {
            <Banner kind title>
                <p>"What to do about it, and "<a href="#messages">"where"</a>"."</p>
            </Banner>
        }
    });
    let results = [
        ("success", "circle-check", "Your account is linked"),
        ("warning", "triangle-alert", "An administrator must agree first"),
        ("danger", "octagon-x", "The directory refused you"),
    ]
    .map(|(look, icon, title)| {
        view! {
            <div class=format!("db-result db-result--{look}")>
                <Icon name=icon/>
                <h3>{title}</h3>
                <p>"What that means, and what comes next."</p>
                <div class="db-actions"><a class="db-btn db-btn--primary" href="#messages">"Go on"</a></div>
            </div>
        }
    });
    let messages = view! {
        <Section title="Messages" id="messages">
            {banners.into_iter().collect_view()}
            <Announcement text="The binding is saved." dismiss="/__ui"/>
            <Announcement kind=BannerKind::Warning text="Two of three were left as they are." dismiss="/__ui"/>
        </Section>
    };
    let failures = view! {
        <Section title="Failures" id="failures">
            <ErrorSummary error=refused() fields=&[("display_name", "wrong-name"), ("region", "wrong-region")]/>
            <ErrorSummary error=unnamed/>
            <Failure error=failure/>
        </Section>
    };
    let empty = view! {
        <Section title="Nothing yet" id="nothing">
            <EmptyState title="No profiles yet" text="Add the app registration that people sign in through.">
                <a class="db-btn db-btn--primary" href="#nothing">"Add profile"</a>
                <a class="db-btn db-btn--quiet" href="#nothing">"How it works"</a>
            </EmptyState>
            <EmptyState title="No entry matches these filters"/>
        </Section>
    };
    let results = view! {
        <Section title="Results" id="results">{results.into_iter().collect_view()}</Section>
    };
    view! {
        {sample("messages", messages.into_any())}
        {sample("failures", failures.into_any())}
        {sample("empty", empty.into_any())}
        {sample("results", results.into_any())}
    }
    .into_any()
}
