//! The Enterprise half of an import from a predecessor: calendar connections, the entries they carry, and what ties the
//! two together.
//!
//! Connections arrive as "needs to reconnect". Their tokens stay behind: the predecessor did not store which account they
//! belong to, and a token of an unknown account could take another calendar for this one, where every missing event looks
//! like a deletion. [`adopt`] asks for proof when the person connects again.

mod adopt;
mod apply;
mod sort;

use async_trait::async_trait;
use daybind_domain::Consumer;
use daybind_domain::ids::TenantId;
use daybind_ee_storage::alga;
use daybind_services::Services;
use daybind_services::import::{ImportError, ImportPort, Line, Plan, Request, Usage, at};
use daybind_storage::AlgaTenant;
use daybind_storage_postgres::PgAlga;
use secrecy::ExposeSecret as _;

pub(crate) use adopt::{adopt, is_imported};

/// Enterprise's answer.
#[derive(Debug, Clone, Copy, Default)]
pub struct CalendarImport;

async fn open(request: &Request) -> Result<PgAlga, ImportError> {
    PgAlga::connect(request.from.expose_secret())
        .await
        .map_err(at("opening the predecessor's database"))
}

#[async_trait]
impl ImportPort for CalendarImport {
    fn note(&self) -> Option<&'static str> {
        None
    }

    async fn usage(
        &self,
        request: &Request,
        tenant_id: TenantId,
    ) -> Result<Vec<Usage>, ImportError> {
        let mut database = open(request).await?;
        let found = alga::usage(&mut database, tenant_id)
            .await
            .map_err(at("reading what was in use over there"))?;
        let mut all = Vec::new();
        if found.microsoft_mailboxes > 0 {
            all.push(Usage {
                consumer: Consumer::Email,
                sign: format!("Microsoft mailboxes: {}", found.microsoft_mailboxes),
                chosen: None,
            });
        }
        if found.microsoft_calendars > 0 {
            all.push(Usage {
                consumer: Consumer::Calendar,
                sign: format!(
                    "connected Microsoft calendars: {}",
                    found.microsoft_calendars
                ),
                chosen: None,
            });
        }
        if found.teams {
            all.push(Usage {
                consumer: Consumer::Teams,
                sign: "Teams was set up".to_owned(),
                chosen: found.teams_profile,
            });
        }
        Ok(all)
    }

    async fn import(
        &self,
        services: &Services,
        request: &Request,
        tenant: &AlgaTenant,
        target: TenantId,
        plan: &Plan,
    ) -> Result<Vec<Line>, ImportError> {
        let mut database = open(request).await?;
        let reading = || {
            at(format!(
                "reading the predecessor's calendars of tenant {}",
                tenant.tenant_id
            ))
        };
        let calendars = alga::calendars(&mut database, tenant.tenant_id)
            .await
            .map_err(reading())?;
        let people = alga::people(&mut database, tenant.tenant_id)
            .await
            .map_err(reading())?;
        let profile = sort::calendar_profile(services, target, plan).await?;
        let mut lines = Vec::new();
        let mut google = false;
        for calendar in &calendars {
            // Read afresh each time: an earlier connection may have brought people and entries along.
            let here = sort::Here::read(services, target).await?;
            let mappings = alga::mappings(&mut database, tenant.tenant_id, calendar.id)
                .await
                .map_err(reading())?;
            let sorted = sort::sort(target, calendar, &mappings, &people, profile, &here);
            if let (false, Some(work)) = (request.dry_run, &sorted.work) {
                apply::apply(services, target, work).await?;
            }
            google |= sorted.work.is_some() && calendar.provider == "google";
            lines.extend(sorted.lines);
        }
        if google && !sort::has_google_client(services, target).await? {
            lines.push(Line::todo(
                "google_client_missing",
                target,
                "Google client",
                "is not brought over: the predecessor keeps it outside its database",
                "Enter client ID and secret in Settings > Integrations > Providers > Google before people reconnect.",
            ));
        }
        Ok(lines)
    }
}
