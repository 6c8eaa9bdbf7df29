//! A server on a database of its own, stand-in providers, and technicians who are connected to them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use axum::body::Body;
use axum::http::Request;
use chrono::TimeDelta;
use daybind_domain::Edition;
use daybind_domain::ids::{SubscriptionId, TenantId, UserId};
use daybind_domain::user::{Role, UserType, normalise_email};
use daybind_ee_calendar::{CalendarRuntime, register_endpoints};
use daybind_fakes::{FakeAccount, FakeOptions, FakeProviders, Provider as Fake};
use daybind_services::{
    Actor, CalendarPort as _, Endpoints, Keyring, Provider, Services, StableRoute, SystemClock,
    auth, bindings, demo, outbound, profiles,
};
use daybind_storage::{NewUser, Store as _, User};
use daybind_storage_postgres::{PgStore, testing};
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::process::{Child, Command};
use url::Url;

/// One installation.
pub struct World {
    /// The providers.
    pub fakes: FakeProviders,
    /// What this process does in the server's place: people's clicks.
    pub services: Services,
    /// The same, of calendars.
    pub port: CalendarRuntime,
    /// Where the server serves, without a slash at the end.
    pub url: String,
    /// Its database.
    pub database: String,
    /// Which provider its people use.
    pub provider: Provider,
    /// Whoever sets things up.
    pub admin: Actor,
    /// Its technicians.
    pub people: Vec<Person>,
    server: Child,
    _files: tempfile::TempDir,
}

/// A technician with a calendar.
pub struct Person {
    /// Their session.
    pub actor: Actor,
    /// Their connection.
    pub connection: String,
    /// Their calendar at the provider.
    pub calendar: String,
}

/// An address nobody listens on.
pub fn free_address() -> Result<SocketAddr> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// Waits until the address answers.
pub async fn answers(url: &str) -> Result<()> {
    for _ in 0..300 {
        if reqwest::get(url).await.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bail!("nothing answers at {url}")
}

fn account(n: usize) -> String {
    format!("person{n}@bench.test")
}

impl World {
    /// Starts a server with `people` technicians, each with an account of their own, none connected yet.
    pub async fn start(server: &Path, provider: Provider, people: usize) -> Result<Self> {
        let database = testing::database_url().await;
        let store = PgStore::connect(&database).await?;
        store.migrate().await?;
        let options = FakeOptions {
            auto_approve: true,
            accounts: (0..people)
                .map(|n| FakeAccount::new(&account(n), &format!("Person {n}")))
                .collect(),
            ..FakeOptions::default()
        };
        let fakes = FakeProviders::start(options.clone())?;
        let env = fakes.env();
        let get = |name: &str| {
            env.iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.clone())
        };
        let mut endpoints = Endpoints::from_env(&get).map_err(anyhow::Error::msg)?;
        register_endpoints(&mut endpoints, &get).map_err(anyhow::Error::msg)?;
        let listen = free_address()?;
        let url = format!("http://{listen}");
        let key = Keyring::generate();
        let services = Services {
            edition: Edition::Enterprise,
            guides: daybind_ee_calendar::GUIDES,
            wording: daybind_ee_calendar::WORDING,
            store: Arc::new(store),
            keyring: Arc::new(Keyring::parse(&key)?),
            clock: Arc::new(SystemClock),
            public_url: Url::parse(&url)?,
            http: outbound::client(&endpoints)?,
            endpoints: Arc::new(endpoints),
            issuers: Arc::default(),
            wake: Arc::default(),
            live: daybind_services::live::Live::default(),
        };
        demo::seed(&services).await?;
        let files = tempfile::tempdir()?;
        let server = Command::new(server)
            .arg("serve")
            .envs(env)
            .env("DATABASE_URL", &database)
            .env("DAYBIND_MASTER_KEY", key.expose_secret())
            .env("DAYBIND_LISTEN", listen.to_string())
            .env("DAYBIND_PUBLIC_URL", &url)
            .env("DAYBIND_DATA_DIR", files.path())
            .env("LEPTOS_SITE_ROOT", files.path())
            .env("DAYBIND_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("the server does not start")?;
        answers(&format!("{url}/readyz")).await?;
        let port = CalendarRuntime::new(services.clone());
        let admin = demo::admin(&services).await?;
        set_up(&services, &port, &admin, &options).await?;
        let mut world = Self {
            fakes,
            services,
            port,
            url,
            database,
            provider,
            admin,
            people: Vec::new(),
            server,
            _files: files,
        };
        for n in 0..people {
            let actor = world.technician(n).await?;
            let connection = world.authorize(&actor, n).await?;
            let calendars = world
                .port
                .list_remote_calendars(&actor, &connection)
                .await?;
            let calendar = calendars.first().context("no calendar")?;
            let calendar = calendar.calendar_id.clone();
            world.people.push(Person {
                actor,
                connection,
                calendar,
            });
        }
        Ok(world)
    }

    /// A technician with a session.
    async fn technician(&self, n: usize) -> Result<Actor> {
        let email = account(n);
        let mut unit = self.services.begin(demo::TENANT).await?;
        let user = User {
            tenant_id: demo::TENANT,
            user_id: UserId(self.services.new_id()),
            email: email.clone(),
            display_name: format!("Person {n}"),
            user_type: UserType::Internal,
            role: Role::Technician,
            is_active: true,
            time_zone: "Europe/Berlin".to_owned(),
        };
        let password = || SecretString::from(demo::PASSWORD);
        let new = NewUser {
            user,
            email_normalized: normalise_email(&email),
            password_hash: Some(auth::hash_password(password()).await?),
        };
        unit.add_user(&new, self.services.now()).await?;
        unit.save().await?;
        let client = auth::Client::default();
        let cookie = auth::sign_in(&self.services, &email, password(), &client).await?;
        auth::authenticate(&self.services, cookie.expose_secret(), None)
            .await?
            .context("no session")
    }

    /// Goes the way of the consent; the connection.
    async fn authorize(&self, actor: &Actor, n: usize) -> Result<String> {
        let start = self
            .port
            .initiate_calendar_oauth(actor, self.provider.as_str(), None)
            .await?;
        let start = format!("{start}&login_hint={}", account(n));
        let answer = self.services.http.get(start).send().await?;
        let back = answer.headers()["location"].to_str()?.to_owned();
        let mut request = Request::get(back).body(Body::empty())?;
        request.extensions_mut().insert(Some(actor.clone()));
        let route = StableRoute::Callback(self.provider);
        let done = self.port.serve(route, request).await;
        ensure!(done.status().is_redirection(), "{done:?}");
        let view = self.port.get_calendar_providers(actor).await?;
        let connection = view.connections.first().context("not connected")?;
        Ok(connection.connection_id.clone())
    }

    /// Chooses a technician's calendar, which begins the first sync.
    pub async fn choose(&self, person: &Person) -> Result<()> {
        let calendar = Some(person.calendar.as_str());
        self.port
            .update_calendar_provider(&person.actor, &person.connection, calendar, None)
            .await?;
        Ok(())
    }

    /// Chooses everybody's calendar and waits until all are connected with a subscription and it is quiet.
    pub async fn connect(&self) -> Result<()> {
        for person in &self.people {
            self.choose(person).await?;
        }
        let began = Instant::now();
        while self.tokens().len() < self.people.len() {
            ensure!(
                began.elapsed() < Duration::from_secs(120),
                "the subscriptions are not made"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        self.quiet().await
    }

    /// What the providers send to prove themselves: one for each subscription.
    pub fn tokens(&self) -> Vec<String> {
        let mut tokens: Vec<String> = self
            .fakes
            .secrets()
            .into_iter()
            .filter(|secret| {
                let mut parts = secret.splitn(3, '.');
                let tenant = parts.next().and_then(|part| part.parse::<TenantId>().ok());
                let subscription = parts
                    .next()
                    .and_then(|part| part.parse::<SubscriptionId>().ok());
                tenant.is_some() && subscription.is_some() && parts.next().is_some()
            })
            .collect();
        tokens.sort();
        tokens.dedup();
        tokens
    }

    /// A provider's message for each subscription, as Graph sends it.
    pub fn messages(&self) -> Vec<String> {
        self.tokens()
            .into_iter()
            .map(|token| {
                serde_json::json!({"value": [{
                    "subscriptionId": "bench", "clientState": token, "changeType": "updated",
                    "resource": "me/calendars/x/events/y", "tenantId": "t",
                }]})
                .to_string()
            })
            .collect()
    }

    /// Waits until the providers have not been asked anything for three seconds.
    pub async fn quiet(&self) -> Result<()> {
        let began = Instant::now();
        let (mut last, mut since) = (self.fakes.counters(), Instant::now());
        while since.elapsed() < Duration::from_secs(3) {
            ensure!(
                began.elapsed() < Duration::from_secs(300),
                "it never becomes quiet"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
            let now = self.fakes.counters();
            if now != last {
                (last, since) = (now, Instant::now());
            }
        }
        Ok(())
    }

    /// What the providers were asked since `before`; deliveries of their own messages left out.
    pub fn asked(&self, before: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
        self.fakes
            .counters()
            .into_iter()
            .filter(|(name, _)| !name.contains("webhook"))
            .map(|(name, count)| {
                let earlier = before.get(&name).copied().unwrap_or_default();
                (name, count - earlier)
            })
            .filter(|(_, count)| *count > 0)
            .collect()
    }

    /// Rows written since the database began, by table.
    pub async fn written(&self) -> Result<BTreeMap<String, i64>> {
        // A session that has become idle tells of its statistics after ten seconds at the latest.
        tokio::time::sleep(Duration::from_secs(12)).await;
        let mut connection = PgConnection::connect(&self.database).await?;
        let sql = "SELECT relname::text, (n_tup_ins + n_tup_upd + n_tup_del)::bigint FROM pg_stat_user_tables";
        let rows: Vec<(String, i64)> = sqlx::query_as(sql).fetch_all(&mut connection).await?;
        Ok(rows.into_iter().collect())
    }

    /// Runs a statement beside the server.
    pub async fn execute(&self, sql: &str) -> Result<()> {
        let mut connection = PgConnection::connect(&self.database).await?;
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
            .execute(&mut connection)
            .await?;
        Ok(())
    }

    /// The server's memory in MiB: now, and the most since it began.
    pub fn memory(&self) -> Result<(u64, u64)> {
        let id = self.server.id().context("the server has ended")?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let of = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name))?;
            let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
            Some(kib / 1024)
        };
        let both = of("VmRSS:").zip(of("VmHWM:"));
        both.context("no memory in /proc")
    }

    /// The provider, as the stand-ins name it.
    pub fn fake(&self) -> Fake {
        match self.provider {
            Provider::Google => Fake::Google,
            Provider::Microsoft => Fake::Microsoft,
        }
    }

    /// Day and hour far enough ahead to lie in every window.
    pub fn ahead(&self, days: i64) -> chrono::DateTime<chrono::Utc> {
        self.services.now() + TimeDelta::days(days)
    }
}

async fn set_up(
    services: &Services,
    port: &CalendarRuntime,
    admin: &Actor,
    options: &FakeOptions,
) -> Result<()> {
    let google = &options.google;
    port.save_google_client(admin, &google.client_id, &google.client_secret)
        .await?;
    let microsoft = &options.microsoft;
    let input = profiles::ProfileInput {
        display_name: "Calendar".to_owned(),
        client_id: microsoft.client_id.clone(),
        directory_id: microsoft.tenant_id.clone(),
        cloud: String::new(),
        client_secret: SecretString::from(microsoft.client_secret.clone()),
        secret_expires_on: String::new(),
    };
    let profile = profiles::create(services, admin, input).await?;
    bindings::set_binding(services, port, admin, "calendar", &profile.to_string()).await?;
    Ok(())
}
