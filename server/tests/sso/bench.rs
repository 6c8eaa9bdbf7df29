//! A Community server whose "MSP SSO" is bound to the stand-in Microsoft, and a browser to walk through it.

use daybind_domain::Cloud;
use daybind_fakes::{FakeAccount, FakeOptions, FakeProviders, MicrosoftClient};
use daybind_guards::{Answer, Call, Database, Plan, SECRET, Site, Tenant, made};
use daybind_services::sso::{self, Begun};
use secrecy::ExposeSecret as _;

pub const DIRECTORY: &str = "11111111-1111-4111-8111-111111111111";
pub const CLIENT: &str = "8f0f6b1c-0000-4000-8000-00000000000a";
/// The account the stand-in signs in when nobody is asked for.
pub const FIRST: &str = "tess@contoso.example";
pub const SECOND: &str = "sam@contoso.example";

pub struct Bench {
    /// The Microsoft the profile's application is registered with.
    pub fakes: FakeProviders,
    /// Microsoft in every other cloud.
    pub elsewhere: FakeProviders,
    pub site: Site,
}

/// The way back from Microsoft: path with query, and the cookie of the browser that set out.
#[derive(Debug, Clone)]
pub struct Back {
    pub path: String,
    pub cookie: String,
}

impl Back {
    /// Calls it with these cookies besides.
    pub fn call(&self, session: &str) -> Call {
        let cookies: Vec<&str> = [self.cookie.as_str(), session]
            .into_iter()
            .filter(|cookie| !cookie.is_empty())
            .collect();
        Call::get(&self.path).cookie(&cookies.join("; "))
    }
}

impl Bench {
    pub async fn new(database: Database) -> Self {
        Self::in_cloud(database, Cloud::Global).await
    }

    /// With a profile in that cloud.
    pub async fn in_cloud(database: Database, cloud: Cloud) -> Self {
        let options = FakeOptions {
            auto_approve: true,
            microsoft: MicrosoftClient {
                tenant_id: DIRECTORY.to_owned(),
                client_id: CLIENT.to_owned(),
                client_secret: SECRET.to_owned(),
            },
            accounts: vec![
                FakeAccount::new(FIRST, "Tess Tester"),
                FakeAccount::new(SECOND, "Sam Tester"),
                FakeAccount::new("technician@own.guard.test", "Somebody"),
                FakeAccount::new("admin@own.guard.test", "Admin of own"),
                FakeAccount::new("client@own.guard.test", "Client of own"),
            ],
            ..FakeOptions::default()
        };
        let fakes = FakeProviders::start(options.clone()).unwrap();
        let elsewhere = FakeProviders::start(options).unwrap();
        let login = |fakes: &FakeProviders| format!("{}ms/login", fakes.base_url);
        let home = match cloud {
            Cloud::Global => "DAYBIND_MICROSOFT_LOGIN_URL",
            Cloud::UsGovHigh | Cloud::UsGovDod => "DAYBIND_MICROSOFT_LOGIN_URL_US_GOV",
            Cloud::China => "DAYBIND_MICROSOFT_LOGIN_URL_CHINA",
        };
        let env = [
            "DAYBIND_MICROSOFT_LOGIN_URL",
            "DAYBIND_MICROSOFT_LOGIN_URL_US_GOV",
            "DAYBIND_MICROSOFT_LOGIN_URL_CHINA",
        ]
        .map(|name| {
            let host = if name == home { &fakes } else { &elsewhere };
            (name.to_owned(), login(host))
        });
        let site = Site::new(Plan::community(database, env.to_vec())).await;
        let bench = Self {
            fakes,
            elsewhere,
            site,
        };
        bench.bind_in(&bench.site.own, "Sign-in", cloud).await;
        bench
    }

    /// Makes a profile of the stand-in's application and binds MSP SSO to it.
    pub async fn bind(&self, tenant: &Tenant, name: &str) {
        self.bind_in(tenant, name, Cloud::Global).await;
    }

    async fn bind_in(&self, tenant: &Tenant, name: &str, cloud: Cloud) {
        let before = self.profiles(tenant).await;
        let create = self.site.endpoint("/_fn/create_microsoft_profile");
        let form = format!(
            "display_name={name}&client_id={CLIENT}&directory_id={DIRECTORY}&client_secret={{secret}}&cloud={}",
            cloud.as_str()
        );
        made(&self.site, self.site.call(&create, &form), tenant).await;
        let after = self.profiles(tenant).await;
        let new = after.iter().find(|id| !before.contains(id)).unwrap();
        let bind = self.site.endpoint("/_fn/set_microsoft_consumer_binding");
        let form = format!("consumer=msp_sso&profile_id={new}");
        made(&self.site, self.site.call(&bind, &form), tenant).await;
    }

    async fn profiles(&self, tenant: &Tenant) -> Vec<String> {
        self.rows(tenant, "microsoft_profiles", "profile_id").await
    }

    pub async fn rows(&self, tenant: &Tenant, table: &str, column: &str) -> Vec<String> {
        self.site.db.values(&tenant.id, table, column).await
    }

    /// Runs a statement past every rule.
    pub async fn sql(&self, statement: &str) {
        self.site.db.texts(statement).await;
    }

    /// How often the stand-in answered an operation.
    pub fn count(&self, operation: &str) -> u64 {
        let counters = self.fakes.counters();
        counters.get(operation).copied().unwrap_or_default()
    }

    pub fn tokens(&self) -> u64 {
        self.count("microsoft.token")
    }

    /// Sets out to sign in to the caller's MSP.
    pub async fn begin(&self, hint: &str) -> (String, String) {
        let tenant = self.site.own.id.parse().unwrap();
        let services = &self.site.state.services;
        let begun = sso::begin_sign_in(services, tenant, hint, "/msp/profile?tab=profile");
        cookie(begun.await.unwrap())
    }

    /// Sets out to sign in, and says yes at Microsoft.
    pub async fn sign_in(&self, hint: &str) -> Back {
        let (url, cookie) = self.begin(hint).await;
        self.consent(&url, cookie).await
    }

    /// Sets out to add an account to whoever has that session, and says yes at Microsoft.
    pub async fn connect(&self, session: &str, hint: &str) -> Back {
        let answer = self.site.send(connecting(session)).await;
        assert_eq!(answer.status.as_u16(), 303, "{answer:?}");
        let url = format!("{}&login_hint={hint}", answer.location());
        let cookie = answer.header("set-cookie");
        let cookie = cookie.split(';').next().unwrap().to_owned();
        self.consent(&url, cookie).await
    }

    /// Follows the address at Microsoft, which says yes.
    pub async fn consent(&self, url: &str, cookie: String) -> Back {
        let nowhere = reqwest::redirect::Policy::none();
        let browser = reqwest::Client::builder().redirect(nowhere).build();
        let answer = browser.unwrap().get(url).send().await.unwrap();
        let target = answer.headers()["location"].to_str().unwrap().to_owned();
        let path = target.strip_prefix("http://127.0.0.1:3000").unwrap();
        Back {
            path: path.to_owned(),
            cookie,
        }
    }

    /// Follows the way back and returns where it leads.
    pub async fn arrive(&self, back: &Back, session: &str) -> String {
        let answer = self.answer(back, session).await;
        answer.location().to_owned()
    }

    pub async fn answer(&self, back: &Back, session: &str) -> Answer {
        let answer = self.site.send(back.call(session)).await;
        assert_eq!(answer.status.as_u16(), 303, "{answer:?}");
        assert!(answer.body.is_empty(), "{answer:?}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        answer
    }

    /// The whole way of signing in: where it leads.
    pub async fn try_sign_in(&self, hint: &str) -> String {
        let back = self.sign_in(hint).await;
        self.arrive(&back, "").await
    }
}

fn cookie(begun: Begun) -> (String, String) {
    let value = begun.cookie.value.expose_secret();
    (begun.url, format!("{}={value}", begun.cookie.name))
}

/// The form on the profile page.
pub fn connecting(session: &str) -> Call {
    Call::form("/auth/msp/connect", "")
        .header("accept", "text/html")
        .cookie(session)
}

/// The address of the result page.
pub fn page(code: &str) -> String {
    format!("/auth/msp/result?code={code}")
}

/// The session cookie an answer sets.
pub fn session(answer: &Answer) -> String {
    answer
        .headers
        .get_all("set-cookie")
        .iter()
        .filter_map(|value| value.to_str().ok()?.split(';').next())
        .find(|pair| pair.starts_with("daybind="))
        .unwrap_or_default()
        .to_owned()
}
