//! The real binary against the stand-ins: starting it, signing in, connecting a calendar.

#![allow(dead_code, reason = "no test needs all of it")]

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use daybind_fakes::{FakeProviders, Provider};
use tokio::process::{Child, Command};

/// The demo technician's entries.
pub const ENTRIES: [&str; 2] = ["Replace switch at Contoso", "Onboard two laptops"];
const MASTER_KEY: &str = "D/8qYanSGdg0FzGfgxyPm7QSSUdmHSElztkC4Hn/FQ8=";

/// One installation: its settings outlive the processes that serve it.
pub struct Server {
    /// Where it serves.
    pub url: String,
    folder: tempfile::TempDir,
    env: Vec<(String, String)>,
}

impl Server {
    /// A folder and a free port of its own; `database` is a PostgreSQL URL, or nothing for the embedded one.
    pub fn new(fakes: &FakeProviders, database: Option<String>) -> Self {
        let port = free_port();
        let folder = tempfile::tempdir().unwrap();
        let mut env = fakes.env();
        let listen = format!("127.0.0.1:{port}");
        env.push(("DAYBIND_LISTEN".into(), listen.clone()));
        env.push(("DAYBIND_PUBLIC_URL".into(), format!("http://{listen}")));
        env.push((
            "DAYBIND_DATA_DIR".into(),
            folder.path().display().to_string(),
        ));
        env.push((
            "LEPTOS_SITE_ROOT".into(),
            folder.path().display().to_string(),
        ));
        env.push(("DAYBIND_MASTER_KEY".into(), MASTER_KEY.into()));
        env.push(("DATABASE_URL".into(), database.unwrap_or_default()));
        Self {
            url: format!("http://{listen}"),
            folder,
            env,
        }
    }

    /// The program, with its log in the folder.
    pub fn command(&self, arguments: &[&str], log: &str) -> Command {
        let log = std::fs::File::create(self.folder.path().join(log)).unwrap();
        let mut command = Command::new(PathBuf::from(env!("CARGO_BIN_EXE_daybind-ee")));
        command
            .args(arguments)
            .envs(self.env.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true);
        command
    }

    /// Seeds the demo tenant with its providers.
    pub async fn seed(&self) {
        let seeded = self
            .command(&["demo", "--providers"], "demo.log")
            .status()
            .await
            .unwrap();
        assert!(seeded.success(), "{}", self.log("demo.log"));
    }

    /// Serves, with more variables; returns once it is ready.
    pub async fn start(&self, more: &[(&str, &str)], log: &str) -> Child {
        let mut command = self.command(&["serve"], log);
        command.envs(more.iter().copied());
        self.begin(command, &self.url, log).await
    }

    /// Serves beside another one, at an address of its own.
    pub async fn start_beside(&self, more: &[(&str, &str)], log: &str) -> Child {
        self.start_beside_at(more, log).await.0
    }

    /// As [`Self::start_beside`], with that address.
    pub async fn start_beside_at(&self, more: &[(&str, &str)], log: &str) -> (Child, String) {
        let port = free_port();
        let mut command = self.command(&["serve"], log);
        command.envs(more.iter().copied());
        command.env("DAYBIND_LISTEN", format!("127.0.0.1:{port}"));
        let url = format!("http://127.0.0.1:{port}");
        (self.begin(command, &url, log).await, url)
    }

    async fn begin(&self, mut command: Command, url: &str, log: &str) -> Child {
        let child = command.spawn().unwrap();
        for _ in 0..300 {
            if reqwest::get(format!("{url}/readyz"))
                .await
                .is_ok_and(|r| r.status().is_success())
            {
                return child;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the server does not serve:\n{}", self.log(log));
    }

    /// Where the embedded database is.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// What a process wrote.
    pub fn log(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }
}

/// A port that nobody listens on.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// A browser in which the demo technician has signed in.
pub async fn sign_in(server: &Server) -> reqwest::Client {
    sign_in_as(server, "tess").await
}

/// A browser in which one of the demo's people has signed in.
pub async fn sign_in_as(server: &Server, person: &str) -> reqwest::Client {
    let email = format!("{person}@demo.daybind.test");
    let browser = reqwest::Client::builder()
        .cookie_store(true)
        .build()
        .unwrap();
    let form = [("email", email.as_str()), ("password", "daybind-demo")];
    let page = browser
        .post(format!("{}/auth/msp/signin", server.url))
        .form(&form)
        .send()
        .await
        .unwrap();
    assert!(
        page.url().path().starts_with("/msp/"),
        "signed in: {}",
        page.url()
    );
    browser
}

/// Signs in as the demo technician, connects the provider, and chooses its first writable calendar.
pub async fn connect(server: &Server, provider: &str) -> String {
    let browser = sign_in(server).await;
    let call = |name: &str, form: Vec<(&'static str, String)>| {
        let request = browser
            .post(format!("{}/_fn/{name}", server.url))
            .form(&form);
        async move {
            let answer = request.send().await.unwrap();
            assert!(
                answer.status().is_success(),
                "{}: {}",
                answer.status(),
                answer.text().await.unwrap()
            );
            answer.json::<serde_json::Value>().await.unwrap()
        }
    };
    let address = call(
        "initiate_calendar_oauth",
        vec![("provider", provider.to_owned())],
    )
    .await;
    let landed = browser.get(address.as_str().unwrap()).send().await.unwrap();
    assert!(
        landed
            .url()
            .query()
            .unwrap_or_default()
            .contains("calendarAuth=success"),
        "{}",
        landed.url()
    );
    let view = call("get_calendar_providers", vec![]).await;
    let connection = view["connections"][0]["connection_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let calendars = call(
        "list_remote_calendars",
        vec![("connection_id", connection.clone())],
    )
    .await;
    let calendar = calendars
        .as_array()
        .unwrap()
        .iter()
        .find(|calendar| calendar["can_write"] == true)
        .and_then(|calendar| calendar["calendar_id"].as_str())
        .unwrap()
        .to_owned();
    let chosen = vec![
        ("connection_id", connection),
        ("calendar_id", calendar.clone()),
    ];
    call("update_calendar_provider", chosen).await;
    calendar
}

/// The titles in a calendar, sorted.
pub fn titles(fakes: &FakeProviders, provider: Provider, calendar: &str) -> Vec<String> {
    let field = if provider == Provider::Google {
        "summary"
    } else {
        "subject"
    };
    let mut titles: Vec<String> = fakes
        .events(provider, calendar)
        .iter()
        .filter_map(|event| event[field].as_str().map(str::to_owned))
        .collect();
    titles.sort();
    titles
}

/// [`ENTRIES`], sorted.
pub fn expected() -> Vec<String> {
    let mut expected = ENTRIES.map(str::to_owned).to_vec();
    expected.sort();
    expected
}
