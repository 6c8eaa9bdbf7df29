//! Login domains: brought over as listed, never as proved.
//!
//! A proof over there was another record under another name, was never looked at again, and for the oldest rows never
//! given at all. So every domain in use arrives as advisory: Community uses it as it is, Enterprise asks for a proof.

use std::collections::BTreeSet;

use daybind_domain::Edition;
use daybind_domain::ids::{LoginDomainId, TenantId, UserId};

use super::bindings::in_use;
use super::facts::Facts;
use super::plan::{Here, Plan};
use super::report::Line;
use crate::domain_name;

/// A login domain to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDomain {
    /// Its id over there, kept here.
    pub domain_id: LoginDomainId,
    /// The stored form.
    pub domain: String,
    /// Who listed it over there.
    pub created_by: UserId,
}

const WHERE: &str = "Settings > Integrations > Login domains";

/// Decides about each domain over there.
pub(super) fn plan(
    edition: Edition,
    target: TenantId,
    facts: &Facts,
    here: &Here,
    plan: &mut Plan,
) {
    let mut taken: BTreeSet<String> = here.domains.iter().cloned().collect();
    for source in &facts.domains {
        let subject = format!("log-in domain {}", source.domain.trim());
        if !in_use(source) {
            let line = Line::left("domain_inactive", target, subject, "was not in use");
            plan.lines.push(line);
            continue;
        }
        let domain = match domain_name::login_domain(&source.domain) {
            Ok(domain) => domain,
            Err(why) => {
                plan.lines.push(Line::todo(
                    "domain_invalid",
                    target,
                    subject,
                    format!("is not brought over: {why}"),
                    format!("If it is still needed, add the right one under {WHERE}."),
                ));
                continue;
            }
        };
        if taken.contains(&domain) {
            let line = Line::already("domain_present", target, subject, "is listed here already");
            plan.lines.push(line);
            continue;
        }
        if here.dealt_with("login_domain", source.domain_id).is_some() {
            plan.lines.push(Line::left(
                "domain_gone",
                target,
                subject,
                "was brought over earlier and has been removed here since; it stays removed",
            ));
            continue;
        }
        plan.lines.push(if edition == Edition::Enterprise {
            Line::todo(
                "domain_unverified",
                target,
                subject,
                "is brought over unverified: it leads nobody to Microsoft yet",
                format!("Verify it under {WHERE}: a new TXT record is asked for."),
            )
        } else if source.contested {
            Line::todo(
                "domain_contested",
                target,
                subject,
                "is brought over; another MSP lists it as well",
                format!("Find out whose it is, and have the other one removed under {WHERE}."),
            )
        } else {
            Line::done("domain_imported", target, subject, "is brought over")
        });
        taken.insert(domain.clone());
        plan.domains.push(NewDomain {
            domain_id: LoginDomainId(source.domain_id),
            domain,
            created_by: UserId(source.created_by.unwrap_or_default()),
        });
    }
}
