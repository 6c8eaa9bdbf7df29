//! The Enterprise server with calendars connected, in this process, through the stand-in providers.

use std::future::Future;
use std::pin::Pin;

use daybind_fakes::{FakeAccount, FakeOptions, FakeProviders, GoogleClient, MicrosoftClient};
use daybind_guards::{Call, Database, Plan, SECRET, Site, Tenant, made};
use daybind_server::policy;

use crate::disputed::disputes;

/// Accounts at each provider: two providers and four accounts make eight connections for each tenant.
const ACCOUNTS: usize = 4;
/// The directory of the profile that the policy table makes: by its GUID, as Entra names itself in an issuer.
pub const DIRECTORY: &str = "11111111-1111-4111-8111-111111111111";

/// The stand-ins, with client secrets that are searched for afterwards.
pub fn providers() -> FakeProviders {
    let fakes = FakeProviders::start(FakeOptions {
        auto_approve: true,
        google: GoogleClient {
            client_id: "guard-client".to_owned(),
            client_secret: SECRET.to_owned(),
        },
        microsoft: MicrosoftClient {
            tenant_id: DIRECTORY.to_owned(),
            client_id: "8f0f6b1c-0000-4000-8000-00000000000a".to_owned(),
            client_secret: SECRET.to_owned(),
        },
        accounts: (0..ACCOUNTS)
            .map(|n| FakeAccount::new(&format!("person{n}@example.test"), "Person"))
            .collect(),
        ..FakeOptions::default()
    });
    fakes.unwrap()
}

/// An Enterprise server over these providers; nothing is connected yet.
pub fn plan(database: Database, fakes: &FakeProviders) -> Plan {
    Plan {
        composition: daybind_ee_server::composition(),
        database,
        tables: vec![policy::TABLE, daybind_ee_server::policy::TABLE],
        env: fakes.env(),
        fill: None,
    }
}

/// A site that providers can reach, as they must to notify it.
pub async fn reachable(database: Database, fakes: &FakeProviders) -> Site {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut plan = plan(database, fakes);
    plan.env.push((
        "DAYBIND_PUBLIC_URL".to_owned(),
        format!("http://{}", listener.local_addr().unwrap()),
    ));
    let site = Site::new(plan).await;
    let router = site.router.clone();
    tokio::spawn(async move { axum::serve(listener, router).await });
    site
}

/// With connected calendars in both tenants.
pub fn enterprise(database: Database) -> Plan {
    let fakes = providers();
    let plan = Plan {
        fill: Some(fill),
        ..plan(database, &fakes)
    };
    // The providers live as long as the test's runtime.
    std::mem::forget(fakes);
    plan
}

/// The same binary, lowered to Community.
pub fn lowered(database: Database) -> Plan {
    Plan {
        composition: daybind_ee_server::composition(),
        database,
        tables: vec![policy::TABLE, daybind_ee_server::policy::TABLE],
        env: vec![("DAYBIND_EDITION".to_owned(), "ce".to_owned())],
        fill: None,
    }
}

fn fill<'a>(site: &'a Site, tenant: &'a Tenant) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
    Box::pin(async move {
        set_up(site, tenant).await;
        for account in 0..ACCOUNTS {
            for provider in ["google", "microsoft"] {
                connect(site, tenant, provider, account).await;
            }
        }
        disputes(site, tenant).await;
    })
}

/// Stores the tenant's Google client and binds Calendar to a profile.
pub async fn set_up(site: &Site, tenant: &Tenant) {
    let google = site.endpoint("/_fn/save_google_client");
    made(site, site.call(&google, google.form), tenant).await;
    let bind = site.endpoint("/_fn/set_microsoft_consumer_binding");
    let form = site.filled(bind.form, tenant, 0).await;
    let form = form.replace("consumer=msp_sso", "consumer=calendar");
    made(site, site.call(&bind, &form), tenant).await;
}

/// Begins to connect an account: the provider's consent has been given, and the browser is sent back here.
pub async fn consent(site: &Site, cookie: &str, provider: &str, account: usize) -> String {
    let start = site
        .send(
            Call::form(
                "/_fn/initiate_calendar_oauth",
                &format!("provider={provider}"),
            )
            .cookie(cookie),
        )
        .await;
    let url: String = serde_json::from_str(&start.body).unwrap();
    let hint = format!("{url}&login_hint=person{account}%40example.test");
    let sent_back = site.state.services.http.get(hint).send().await.unwrap();
    let back = sent_back.headers()["location"].to_str().unwrap().to_owned();
    let back = url::Url::parse(&back).unwrap();
    format!("{}?{}", back.path(), back.query().unwrap())
}

/// Connects an account for the tenant's administrator; where the browser ends up.
pub async fn connect(site: &Site, tenant: &Tenant, provider: &str, account: usize) -> String {
    let back = consent(site, &tenant.admin, provider, account).await;
    let done = site.send(Call::get(&back).cookie(&tenant.admin)).await;
    let target = done.location().to_owned();
    assert!(
        target.contains("calendarAuth=success"),
        "{provider}: {done:?}"
    );
    target
}
