//! A killed server loses nothing and doubles nothing: the real binary dies (no destructor, no flush) between the
//! provider's answer to a create and our commit, is started again, and every entry is in the calendar exactly once.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on must fail loudly"
)]

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use daybind_fakes::{DuplicateTransaction, FakeOptions, FakeProviders, Provider};
use tokio::process::{Child, Command};

/// The demo technician's entries.
const ENTRIES: [&str; 2] = ["Replace switch at Contoso", "Onboard two laptops"];
/// The takeover is what is tested here, not how long a lease lasts (45 s, see `daybind_services::jobs`).
const LEASE_MS: u32 = 3000;
const MASTER_KEY: &str = "D/8qYanSGdg0FzGfgxyPm7QSSUdmHSElztkC4Hn/FQ8=";

struct Server {
    url: String,
    folder: tempfile::TempDir,
    env: Vec<(String, String)>,
}

impl Server {
    fn new(fakes: &FakeProviders, database: Option<String>) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
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
        env.push(("DAYBIND_TEST_LEASE_MS".into(), LEASE_MS.to_string()));
        env.push(("DATABASE_URL".into(), database.unwrap_or_default()));
        Self {
            url: format!("http://{listen}"),
            folder,
            env,
        }
    }

    fn command(&self, arguments: &[&str], log: &str) -> Command {
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

    async fn start(&self, crash_at: Option<&str>, log: &str) -> Child {
        let mut command = self.command(&["serve"], log);
        if let Some(point) = crash_at {
            command.env("DAYBIND_TEST_CRASH_AT", point);
        }
        let child = command.spawn().unwrap();
        for _ in 0..300 {
            if reqwest::get(format!("{}/readyz", self.url))
                .await
                .is_ok_and(|r| r.status().is_success())
            {
                return child;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the server does not serve:\n{}", self.log(log));
    }

    fn log(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }
}

/// Signs in as the demo technician, connects the provider, and chooses its first writable calendar.
async fn connect(server: &Server, provider: &str) -> String {
    let browser = reqwest::Client::builder()
        .cookie_store(true)
        .build()
        .unwrap();
    let form = [
        ("email", "tess@demo.daybind.test"),
        ("password", "daybind-demo"),
    ];
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

async fn killed_between_answer_and_commit(
    provider: Provider,
    name: &str,
    duplicate_transaction: DuplicateTransaction,
    database: Option<String>,
) {
    let options = FakeOptions {
        auto_approve: true,
        duplicate_transaction,
        ..FakeOptions::default()
    };
    let fakes = FakeProviders::start(options).unwrap();
    let server = Server::new(&fakes, database);
    let seeded = server
        .command(&["demo", "--providers"], "demo.log")
        .status()
        .await
        .unwrap();
    assert!(seeded.success(), "{}", server.log("demo.log"));

    let mut doomed = server
        .start(Some("call.after_response"), "doomed.log")
        .await;
    let calendar = connect(&server, name).await;
    let ended = tokio::time::timeout(Duration::from_secs(30), doomed.wait()).await;
    assert!(
        ended.is_ok_and(|status| !status.unwrap().success()),
        "killed: {}",
        server.log("doomed.log")
    );
    assert_eq!(
        fakes.events(provider, &calendar).len(),
        1,
        "the provider answered before the kill"
    );

    let mut alive = server.start(None, "alive.log").await;
    let field = if provider == Provider::Google {
        "summary"
    } else {
        "subject"
    };
    let titles = || {
        let mut titles: Vec<String> = fakes
            .events(provider, &calendar)
            .iter()
            .filter_map(|event| event[field].as_str().map(str::to_owned))
            .collect();
        titles.sort();
        titles
    };
    let mut expected = ENTRIES.map(str::to_owned).to_vec();
    expected.sort();
    // The dead worker's lease runs out first.
    for _ in 0..900 {
        if titles().len() >= expected.len() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(titles(), expected, "{}", server.log("alive.log"));
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(titles(), expected, "nothing more is written later");
    alive.kill().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn google_on_sqlite() {
    killed_between_answer_and_commit(
        Provider::Google,
        "google",
        DuplicateTransaction::Existing,
        None,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn microsoft_on_sqlite() {
    killed_between_answer_and_commit(
        Provider::Microsoft,
        "microsoft",
        DuplicateTransaction::Existing,
        None,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn microsoft_that_answers_conflict_on_sqlite() {
    killed_between_answer_and_commit(
        Provider::Microsoft,
        "microsoft",
        DuplicateTransaction::Conflict,
        None,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn google_on_postgres() {
    killed_between_answer_and_commit(
        Provider::Google,
        "google",
        DuplicateTransaction::Existing,
        Some(daybind_storage_postgres::testing::database_url().await),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn microsoft_on_postgres() {
    killed_between_answer_and_commit(
        Provider::Microsoft,
        "microsoft",
        DuplicateTransaction::Existing,
        Some(daybind_storage_postgres::testing::database_url().await),
    )
    .await;
}
