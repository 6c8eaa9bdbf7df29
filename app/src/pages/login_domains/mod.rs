//! Settings > Integrations > Login domains: which work emails lead where, a tester, and who may use a password.

mod advisory;
mod password_rule;
mod tester;

use daybind_domain::login_domain::{ClaimStatus, LoginDomainView};
use daybind_words::t;
use leptos::prelude::*;

use super::query_value;
use super::settings::category_address;
use crate::entries::Entries;
use crate::ui::{Announcement, Banner, BannerKind, PageHead, StatusKind, StatusTag};

use advisory::AdvisoryDomains;
use password_rule::PasswordRule;
use tester::Tester;

/// The Login domains category. The list of domains is the edition's: advisory here, proved where the edition can prove.
#[component]
pub fn LoginDomainsPage() -> impl IntoView {
    let saved = query_value("saved");
    let announcement = move || {
        let text = match saved.get().as_str() {
            "domain" => t!("The login domain is listed."),
            "removed" => t!("The login domain is no longer listed."),
            "passwords" => t!("Your decision about passwords is saved."),
            // The edition's own list announces its forms' success here, too.
            "claimed" => t!("The domain is claimed. Publish the record below, then check it."),
            "renewed" => t!("The domain has a new record. Publish it instead of the earlier one."),
            "checked" => t!("The record was looked up. What was seen stands below."),
            "revoked" => t!("The domain is revoked. Nobody is led here through it any more."),
            _ => return None,
        };
        Some(view! { <Announcement text dismiss=category_address("login-domains")/> })
    };
    let domains = match Entries::current().login_domains {
        Some(domains) => domains(),
        None => view! { <AdvisoryDomains/> }.into_any(),
    };
    view! {
        <PageHead
            title=t!("Login domains and passwords")
            lede=t!("Technicians enter their work email. Its domain decides whether they continue with Microsoft.")
        />
        {announcement}
        {domains}
        <Tester/>
        <PasswordRule/>
    }
    .into_any()
}

/// How far a domain is proved, in the words of the status lexicon.
#[component]
pub fn ClaimTag(
    /// What is true.
    status: ClaimStatus,
) -> impl IntoView {
    let (kind, text) = match status {
        ClaimStatus::Advisory => (StatusKind::NotTested, t!("ownership not checked")),
        ClaimStatus::Pending => (StatusKind::Waiting, t!("for the DNS record")),
        ClaimStatus::Verified => (StatusKind::Working, "verified"),
        ClaimStatus::Rejected => (StatusKind::Failed, "rejected"),
        ClaimStatus::Revoked => (StatusKind::Off, "revoked"),
    };
    view! { <StatusTag kind text/> }
}

/// "12 people of yours have an address there", for none, one and many.
#[must_use]
pub fn people_there(domain: &LoginDomainView) -> String {
    match domain.people {
        0 => t!("Nobody of yours has an address there").to_owned(),
        1 => t!("1 person of yours has an address there").to_owned(),
        many => t!("{many} people of yours have an address there"),
    }
}

/// What a reader without `system_settings:update` is told.
#[component]
pub fn ReadOnly() -> impl IntoView {
    view! {
        <Banner kind=BannerKind::Info title=t!("You can read this but not change it.")>
            <p>{t!("Ask an administrator who may change system settings.")}</p>
        </Banner>
    }
}
