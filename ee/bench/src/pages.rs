//! The administrator's pages over 10,000 people, beside the same pages over 100.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use daybind_domain::ids::TenantId;
use daybind_services::{Provider, auth, demo};
use secrecy::{ExposeSecret as _, SecretString};

use crate::report::{Report, quantile};
use crate::world::World;

/// People of the small and of the large installation.
const FEW: usize = 100;
const MANY: usize = 10_000;
/// Looks at each page.
const LOOKS: usize = 30;
/// What 95 of 100 looks may take.
const MOST: Duration = Duration::from_millis(150);
/// How much longer than over few people a page may take over a hundred times as many: a tenth of what reading all would.
const RATIO: f64 = 10.0;

const PAGES: [(&str, &str); 8] = [
    (
        "Calendar, first page",
        "/msp/settings?tab=integrations&category=calendar",
    ),
    (
        "Calendar, page 100",
        "/msp/settings?tab=integrations&category=calendar&page=100",
    ),
    (
        "Calendar, need attention",
        "/msp/settings?tab=integrations&category=calendar&show=attention",
    ),
    (
        "Calendar, search",
        "/msp/settings?tab=integrations&category=calendar&find=person%2077",
    ),
    (
        "Calendar, not connected",
        "/msp/settings?tab=integrations&category=calendar&show=without",
    ),
    ("Activity, first page", "/msp/operations?view=activity"),
    (
        "Activity, search",
        "/msp/operations?view=activity&find=person%2077",
    ),
    ("Health", "/msp/operations?view=health"),
];

/// Looks at each page of both installations in turn.
pub async fn measure(server: &Path, report: &mut Report) -> Result<()> {
    let few = Installation::start(server, FEW).await?;
    let many = Installation::start(server, MANY).await?;
    for (name, path) in PAGES {
        let (mut short, mut long) = (Vec::new(), Vec::new());
        for look in 0..=LOOKS {
            let (one, other) = (few.look(path).await?, many.look(path).await?);
            // The first warms up.
            if look > 0 {
                short.push(one);
                long.push(other);
            }
        }
        short.sort();
        long.sort();
        let ratio = quantile(&long, 0.5).as_secs_f64() / quantile(&short, 0.5).as_secs_f64();
        let slowest = quantile(&long, 0.95);
        report.add(
            &format!("{name}, {MANY} people beside {FEW}"),
            &format!(
                "p95 at most {} ms, median at most {RATIO} times",
                MOST.as_millis()
            ),
            format!("p95 {} ms, {ratio:.1} times", slowest.as_millis()),
            Some(slowest <= MOST && ratio <= RATIO),
        );
    }
    Ok(())
}

struct Installation {
    world: World,
    browser: reqwest::Client,
    cookie: String,
}

impl Installation {
    async fn start(server: &Path, people: usize) -> Result<Self> {
        let world = World::start(server, Provider::Google, 0).await?;
        world.execute(&seed(demo::TENANT, people)).await?;
        let (email, password) = (&world.admin.user.email, SecretString::from(demo::PASSWORD));
        let client = auth::Client::default();
        let session = auth::sign_in(&world.services, email, password, &client).await?;
        let cookie = format!("daybind={}", session.expose_secret());
        Ok(Self {
            world,
            browser: reqwest::Client::new(),
            cookie,
        })
    }

    /// How long the page takes, to its last byte.
    async fn look(&self, path: &str) -> Result<Duration> {
        let began = Instant::now();
        let request = self.browser.get(format!("{}{path}", self.world.url));
        let answer = request.header("cookie", &self.cookie).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        let took = began.elapsed();
        ensure!(status.is_success(), "{path}: {status}");
        ensure!(text.contains("Person "), "{path} shows nobody");
        Ok(took)
    }
}

/// People with a connection (nine of ten), every tenth of which needs somebody; five runs of each.
fn seed(tenant: TenantId, people: usize) -> String {
    format!(
        "INSERT INTO users (tenant_id, user_id, email, email_normalized, display_name, user_type, role, is_active, \
           time_zone, created_at) \
         SELECT '{tenant}', gen_random_uuid(), 'p' || n || '@bench.test', 'p' || n || '@bench.test', 'Person ' || n, \
           'internal', 'technician', true, 'Europe/Berlin', now() FROM generate_series(1, {people}) n; \
         INSERT INTO calendar_providers (tenant_id, connection_id, user_id, provider, account_id, account_email, \
           calendar_id, calendar_name, status, status_reason, client_id, access_token_sealed, \
           access_token_expires_at, refresh_token_sealed, last_sync_at, version, created_at, updated_at) \
         SELECT tenant_id, gen_random_uuid(), user_id, 'google', email, email, email, 'Calendar of ' || display_name, \
           CASE WHEN email LIKE '%5@%' THEN 'needs_reconnect' ELSE 'connected' END, \
           CASE WHEN email LIKE '%5@%' THEN 'revoked' END, 'bench', repeat('x', 1500), now(), repeat('x', 500), now(), \
           1, now(), now() FROM users WHERE tenant_id = '{tenant}' AND email LIKE 'p%@bench.test' \
           AND email NOT LIKE '%9@%'; \
         INSERT INTO sync_runs (tenant_id, run_id, connection_id, cause, outcome, applied, pushed, started_at, ended_at) \
         SELECT tenant_id, gen_random_uuid(), connection_id, 'schedule', 'done', n % 2, 0, \
           now() - n * interval '1 hour', now() - n * interval '1 hour' \
           FROM calendar_providers, generate_series(1, 5) n WHERE tenant_id = '{tenant}'; \
         ANALYZE;"
    )
}
