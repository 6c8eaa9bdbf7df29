//! What `serve` would run, in this process, with two tenants in it.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use axum::Router;
use daybind_app::server::AppState;
use daybind_domain::Edition;
use daybind_server::config::Config;
use daybind_server::policy::{self, Endpoint, Kind, Offered};
use daybind_server::{Composition, assemble};
use daybind_services::Keyring;
use daybind_storage::Store;
use secrecy::ExposeSecret;

use crate::call::{Answer, Call};
use crate::db::Db;
use crate::seed::{self, Tenant};
use crate::spy::{Counter, Watched, outside};
use crate::start_log;

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    /// The embedded one.
    Sqlite,
    /// A private cluster.
    Postgres,
}

/// More rows of an edition's own kinds, for one tenant.
pub type Fill = for<'a> fn(&'a Site, &'a Tenant) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// What to build.
pub struct Plan {
    /// The edition's entry.
    pub composition: Composition,
    /// On which database.
    pub database: Database,
    /// The edition's policy tables.
    pub tables: Vec<&'static [Endpoint]>,
    /// Environment over the defaults.
    pub env: Vec<(String, String)>,
    /// The edition's own rows.
    pub fill: Option<Fill>,
}

impl Plan {
    /// The Community server, with no rows but the shared ones.
    #[must_use]
    pub fn community(database: Database, env: Vec<(String, String)>) -> Self {
        Self {
            composition: Composition::community(),
            database,
            tables: vec![policy::TABLE],
            env,
            fill: None,
        }
    }
}

/// A running application.
pub struct Site {
    /// All routes.
    pub router: Router,
    /// Services and port.
    pub state: AppState,
    /// The database from outside.
    pub db: Db,
    /// Units of work opened for reading.
    pub reads: Counter,
    /// Units of work opened for writing.
    pub writes: Counter,
    /// Connections to anybody outside.
    pub outbound: Counter,
    /// The caller's tenant.
    pub own: Tenant,
    /// Another one of the same shape.
    pub foreign: Tenant,
    /// Every declared address.
    pub endpoints: Vec<Endpoint>,
    /// The environment it was built from.
    pub env: Vec<(String, String)>,
    heard: Mutex<String>,
    composition: Composition,
    store: Arc<dyn Store>,
    outside: String,
    _files: tempfile::TempDir,
}

/// A client secret nobody may ever see again.
pub const SECRET: &str = "Canary~client.secret_never-to-be-shown-7Qx4";

impl Site {
    /// Builds it, with both tenants.
    pub async fn new(plan: Plan) -> Self {
        start_log();
        let files = tempfile::tempdir().unwrap();
        // The first of a name counts.
        let mut env = plan.env;
        env.extend([
            (
                "DAYBIND_PUBLIC_URL".to_owned(),
                "http://127.0.0.1:3000".to_owned(),
            ),
            (
                "DAYBIND_DATA_DIR".to_owned(),
                files.path().display().to_string(),
            ),
            (
                "LEPTOS_SITE_ROOT".to_owned(),
                files.path().display().to_string(),
            ),
            (
                "DAYBIND_MASTER_KEY".to_owned(),
                Keyring::generate().expose_secret().to_owned(),
            ),
        ]);
        let db = match plan.database {
            Database::Sqlite => Db::Sqlite(files.path().join("daybind.sqlite3")),
            Database::Postgres => {
                let url = daybind_storage_postgres::testing::database_url().await;
                env.push(("DATABASE_URL".to_owned(), url.clone()));
                Db::Postgres(url)
            }
        };
        let (outside, outbound) = outside().await;
        let config = read(&plan.composition, &env, &outside);
        let store = assemble::open(&config).await.unwrap();
        store.migrate().await.unwrap();
        let (reads, writes) = (Counter::default(), Counter::default());
        let watched: Arc<dyn Store> = Arc::new(Watched {
            store,
            reads: reads.clone(),
            writes: writes.clone(),
        });
        let (state, router) = build(&plan.composition, &env, &outside, Arc::clone(&watched));
        let own = seed::tenant(&state.services, &router, "own").await;
        let foreign = seed::tenant(&state.services, &router, "foreign").await;
        let site = Self {
            router,
            state,
            db,
            reads,
            writes,
            outbound,
            own,
            foreign,
            endpoints: plan
                .tables
                .iter()
                .flat_map(|table| table.iter().copied())
                .collect(),
            env,
            heard: Mutex::default(),
            composition: plan.composition,
            store: watched,
            outside,
            _files: files,
        };
        for tenant in [&site.own, &site.foreign] {
            seed::fill(&site, tenant).await;
            if let Some(fill) = plan.fill {
                fill(&site, tenant).await;
            }
        }
        site
    }

    /// The same database under other settings or another entry: state and routes.
    pub fn again(
        &self,
        composition: Option<Composition>,
        more: &[(&str, &str)],
    ) -> (AppState, Router) {
        let mut env = self.env.clone();
        for (name, value) in more {
            env.retain(|(known, _)| known != name);
            env.push(((*name).to_owned(), (*value).to_owned()));
        }
        build(
            &composition.unwrap_or(self.composition),
            &env,
            &self.outside,
            Arc::clone(&self.store),
        )
    }

    /// The edition that runs.
    #[must_use]
    pub fn edition(&self) -> Edition {
        self.state.services.edition
    }

    /// Whether this edition refuses the address.
    #[must_use]
    pub fn refuses(&self, endpoint: &Endpoint) -> bool {
        endpoint.offered == Offered::Enterprise && self.edition() == Edition::Community
    }

    /// Sends a call.
    pub async fn send(&self, call: Call) -> Answer {
        let answer = call.send(&self.router).await;
        let mut heard = self.heard.lock().unwrap();
        for (name, value) in &answer.headers {
            // The one place where a session's token belongs.
            if name != "set-cookie" {
                heard.push_str(&format!("{name}: {value:?}\n"));
            }
        }
        heard.push_str(&answer.body);
        heard.push('\n');
        drop(heard);
        answer
    }

    /// The address of somebody outside who hangs up on everybody; [`Site::outbound`] counts who calls.
    #[must_use]
    pub fn somebody(&self) -> &str {
        &self.outside
    }

    /// Everything this site answered so far, cookies left out.
    #[must_use]
    pub fn heard(&self) -> String {
        self.heard.lock().unwrap().clone()
    }

    /// The declared address; pages are found before the forms of the same path.
    #[must_use]
    pub fn endpoint(&self, path: &str) -> Endpoint {
        *self
            .endpoints
            .iter()
            .find(|endpoint| endpoint.path == path)
            .unwrap_or_else(|| panic!("no row for {path} in the policy table"))
    }

    /// The example call of an address: every id is the tenant's own.
    pub async fn example(&self, endpoint: &Endpoint, tenant: &Tenant, nth: usize) -> Call {
        self.call(endpoint, &self.filled(endpoint.form, tenant, nth).await)
    }

    /// A form with the tenant's own ids in it.
    pub async fn filled(&self, form: &str, tenant: &Tenant, nth: usize) -> String {
        let mut form = form.to_owned();
        while let Some((table, column)) = placeholder(&form) {
            let id = self.id(tenant, &table, &column, nth).await;
            form = form.replace(&format!("{{{table}.{column}}}"), &id);
        }
        form
    }

    /// A call of an address with a finished form or query.
    #[must_use]
    pub fn call(&self, endpoint: &Endpoint, form: &str) -> Call {
        let form = form.replace("{secret}", SECRET);
        match endpoint.kind {
            Kind::Page | Kind::Callback | Kind::Stream | Kind::Probe | Kind::Stable => {
                let mark = if form.is_empty() { "" } else { "?" };
                Call::get(&format!("{}{mark}{form}", endpoint.path))
            }
            Kind::Read | Kind::Write | Kind::Form => Call::form(endpoint.path, &form),
            // As Leptos leads there: the page's own address, and a failure in it.
            Kind::Again => {
                let place = match endpoint.path {
                    "/msp/settings" => "tab=integrations&category=providers&",
                    "/msp/profile" => "tab=security&",
                    _ => "",
                };
                let path = format!("{}?{place}__path=x&__err=x", endpoint.path);
                Call::form(&path, &form).header("accept", "text/html")
            }
        }
    }

    /// The `nth` id of a kind in a tenant (they wrap around), or a made-up one where an edition has none of the kind.
    pub async fn id(&self, tenant: &Tenant, table: &str, column: &str, nth: usize) -> String {
        let ids = self.db.values(&tenant.id, table, column).await;
        if ids.is_empty() {
            assert!(
                self.edition() == Edition::Community,
                "the tenants have no row in {table}: add one for each in test-support/guards/src/seed.rs (shared) or in \
                 the edition's own fill"
            );
            return uuid::Uuid::from_u128(u128::MAX - nth as u128).to_string();
        }
        // People are never used up: always the technician, so that nobody in use is changed.
        let nth = if table == "users" { 1 } else { nth };
        ids[nth % ids.len()].clone()
    }
}

/// The first `{table.column}` of a form.
pub(crate) fn placeholder(form: &str) -> Option<(String, String)> {
    form.split('{').skip(1).find_map(|rest| {
        let (name, _) = rest.split_once('}')?;
        let (table, column) = name.split_once('.')?;
        Some((table.to_owned(), column.to_owned()))
    })
}

fn getter<'a>(
    env: &'a [(String, String)],
    outside: &'a str,
) -> impl Fn(&str) -> Option<String> + 'a {
    move |name| {
        env.iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.clone())
            // Whatever host an edition knows of: nobody real is ever called.
            .or_else(|| {
                (name.starts_with("DAYBIND_") && name.ends_with("_URL")).then(|| outside.to_owned())
            })
    }
}

fn read(composition: &Composition, env: &[(String, String)], outside: &str) -> Config {
    Config::read(composition, &getter(env, outside)).unwrap()
}

fn build(
    composition: &Composition,
    env: &[(String, String)],
    outside: &str,
    store: Arc<dyn Store>,
) -> (AppState, Router) {
    let get = getter(env, outside);
    let config = read(composition, env, outside);
    let state = assemble::state(composition, &config, &get, store).unwrap();
    let router = assemble::routes(composition, &config, &state).unwrap();
    (state, router)
}
