//! The Community server with a stand-in Microsoft, and what is sent to it and read from it.

use daybind_domain::Consumer;
use daybind_domain::ids::ProfileId;
use daybind_fakes::{FakeOptions, FakeProviders, MicrosoftClient};
use daybind_guards::{Answer, Call, Database, Plan, SECRET, Site};
use daybind_storage::Binding;

pub const DIRECTORY: &str = "11111111-1111-4111-8111-111111111111";
pub const CLIENT: &str = "8f0f6b1c-0000-4000-8000-00000000000a";
pub const OTHER: &str = "8f0f6b1c-0000-4000-8000-00000000000b";
pub const WRONG: &str = "Wrong~client.secret_not-the-right-one-2Kx9";
pub const HERE: &str = "/msp/settings?tab=integrations&category=providers";

pub struct Bench {
    pub fakes: FakeProviders,
    pub site: Site,
}

impl Bench {
    pub async fn new(database: Database) -> Self {
        let fakes = FakeProviders::start(FakeOptions {
            microsoft: MicrosoftClient {
                tenant_id: DIRECTORY.to_owned(),
                client_id: CLIENT.to_owned(),
                client_secret: SECRET.to_owned(),
            },
            ..FakeOptions::default()
        });
        let fakes = fakes.unwrap();
        let site = Site::new(Plan::community(database, fakes.env())).await;
        Self { fakes, site }
    }

    /// Sends a form as the browser itself does, from the page `from`; where it leads.
    pub async fn submit(&self, path: &str, from: &str, form: &str) -> String {
        let referer = format!("http://127.0.0.1:3000{from}");
        let call = Call::form(path, form)
            .header("accept", "text/html")
            .header("referer", &referer)
            .header("origin", "http://127.0.0.1:3000")
            .cookie(&self.site.own.admin);
        let answer = self.site.send(call).await;
        assert!(answer.status.is_redirection(), "{path} {form}: {answer:?}");
        let target = answer.location();
        target
            .strip_prefix("http://127.0.0.1:3000")
            .unwrap_or(target)
            .to_owned()
    }

    pub async fn get(&self, path: &str) -> Answer {
        let call = Call::get(path).cookie(&self.site.own.admin);
        self.site.send(call).await
    }

    /// What the page says that the form leads to.
    pub async fn act(&self, id: &str, form: &str) -> String {
        let from = format!("{HERE}&profile={id}");
        let form = format!("profile_id={id}&{form}");
        let target = self
            .submit("/_fn/change_microsoft_profile", &from, &form)
            .await;
        self.get(&target).await.body
    }

    pub async fn build(&self, form: &str) -> (String, String) {
        let from = format!("{HERE}&profile=new&panel=1");
        let target = self
            .submit("/_fn/build_microsoft_profile", &from, form)
            .await;
        let body = self.get(&target).await.body;
        (target, body)
    }

    /// A new profile; its id.
    pub async fn profile(&self, name: &str, client_id: &str, secret: &str) -> String {
        let before = self.ids().await;
        let form = format!(
            "display_name={name}&client_id={client_id}&directory_id={DIRECTORY}&client_secret={secret}"
        );
        self.submit("/_fn/create_microsoft_profile", HERE, &form)
            .await;
        let after = self.ids().await;
        after.into_iter().find(|id| !before.contains(id)).unwrap()
    }

    pub async fn ids(&self) -> Vec<String> {
        self.column("microsoft_profiles", "profile_id").await
    }

    pub async fn column(&self, table: &str, column: &str) -> Vec<String> {
        self.site.db.values(&self.site.own.id, table, column).await
    }

    pub async fn version(&self, id: &str) -> String {
        let sql = format!(
            "SELECT CAST(version AS text) FROM microsoft_profiles WHERE tenant_id = '{}' AND profile_id = '{id}'",
            self.site.own.id
        );
        self.site.db.texts(&sql).await.remove(0)
    }

    /// Sends a form that is refused, as a browser without script does: what the page shows that it is brought to.
    pub async fn refused(&self, path: &str, from: &str, form: &str) -> String {
        let call = |path: &str| {
            Call::form(path, form)
                .header("accept", "text/html")
                .header("referer", &format!("http://127.0.0.1:3000{from}"))
                .header("origin", "http://127.0.0.1:3000")
                .cookie(&self.site.own.admin)
        };
        let answer = self.site.send(call(path)).await;
        assert_eq!(answer.status.as_u16(), 307, "{path} {form}: {answer:?}");
        let target = answer
            .location()
            .trim_start_matches("http://127.0.0.1:3000");
        let page = self.site.send(call(target)).await;
        assert_eq!(page.status.as_u16(), 200, "{target}: {page:?}");
        page.body
    }

    /// The list's page after a form of the list was sent.
    pub async fn list(&self, form: &str) -> String {
        let target = self
            .submit("/_fn/change_microsoft_profile", HERE, form)
            .await;
        self.get(&target).await.body
    }

    pub async fn detail(&self, id: &str) -> String {
        self.get(&format!("{HERE}&profile={id}")).await.body
    }

    /// Binds a consumer behind the services' back.
    pub async fn plant(&self, id: &str, consumer: Consumer) {
        let tenant_id = self.site.own.id.parse().unwrap();
        let profile_id: ProfileId = id.parse().unwrap();
        let services = &self.site.state.services;
        let mut unit = services.begin(tenant_id).await.unwrap();
        let profile = unit
            .find_profile(tenant_id, profile_id)
            .await
            .unwrap()
            .unwrap();
        let row = Binding {
            tenant_id,
            consumer,
            profile_id,
            updated_by: profile.created_by,
            updated_at: services.now(),
        };
        unit.set_binding(&row).await.unwrap();
        unit.save().await.unwrap();
    }
}

/// A page as it is seen: without the marks that the browser half finds its places by.
pub fn seen(body: &str) -> String {
    body.replace("<!>", "")
}

pub fn has(body: &str, text: &str) {
    let body = seen(body);
    assert!(body.contains(text), "“{text}” is missing in {body}");
}

pub fn lacks(body: &str, text: &str) {
    let body = seen(body);
    assert!(!body.contains(text), "“{text}” stands in {body}");
}

/// The table row that begins with `key` in the page's HTML.
pub fn row(body: &str, key: &str) -> String {
    let body = seen(body);
    let start = body
        .find(key)
        .unwrap_or_else(|| panic!("“{key}” is missing in {body}"));
    let row = &body[start..];
    row[..row.find("</tr>").unwrap_or(row.len())].to_owned()
}
