//! Private entries from outside: the whole router of the Community server, both databases.

use daybind_guards::{Call, Database, Plan, Site};
use daybind_server::policy::Kind;

/// Words that stand nowhere else.
const WORDS: [&str; 3] = ["Appraisalword", "Salaryword", "Roomword"];
const WEEK: &str = "2027-03-01";

async fn add(site: &Site, cookie: &str, assignee: &str) {
    let form = format!(
        "title={}&notes={}&location={}&private=true&shows=free&start={WEEK}T09%3A00&end={WEEK}T10%3A00&assignees%5B%5D={assignee}",
        WORDS[0], WORDS[1], WORDS[2]
    );
    let call = Call::form("/_fn/save_schedule_entry", &form).cookie(cookie);
    let answer = site.send(call).await;
    assert!(
        answer.status.is_success() || answer.status.is_redirection(),
        "{answer:?}"
    );
}

/// Everything a person can read, by every address that only reads, and the pages of the week and of the entry.
async fn reads(site: &Site, cookie: &str, entry: &str) -> String {
    let mut heard = String::new();
    for endpoint in site
        .endpoints
        .iter()
        .filter(|endpoint| matches!(endpoint.kind, Kind::Page | Kind::Read))
    {
        let call = site.example(endpoint, &site.own, 0).await;
        heard += &site.send(call.cookie(cookie)).await.everything();
    }
    for call in [
        Call::get(&format!("/msp/schedule?week={WEEK}")),
        Call::get(&format!("/msp/schedule?week={WEEK}&entry={entry}")),
        Call::form("/_fn/list_schedule", &format!("week={WEEK}")),
        Call::form("/_fn/get_schedule_entry", &format!("entry_id={entry}")),
    ] {
        heard += &site.send(call.cookie(cookie)).await.everything();
    }
    heard
}

/// W14: who does it and who plans for others reads a private entry; no payload carries its words to anybody else, in this
/// tenant or another.
async fn no_payload_carries_private_words(database: Database) {
    let site = Site::new(Plan::community(database, Vec::new())).await;
    let sql = format!(
        "SELECT CAST(user_id AS TEXT) FROM users WHERE tenant_id = '{}' AND user_type = 'internal' AND role = 'admin'",
        site.own.id
    );
    let admins = site.db.texts(&sql).await;
    add(&site, &site.own.admin, &admins[0]).await;
    let sql = format!(
        "SELECT CAST(entry_id AS TEXT) FROM schedule_entries WHERE title = '{}'",
        WORDS[0]
    );
    let entry = site.db.texts(&sql).await.remove(0);
    let told = reads(&site, &site.own.admin, &entry).await;
    for word in WORDS {
        assert!(told.contains(word), "{word} is told to its assignee");
    }
    assert!(told.contains("Private, shown as free"));
    for (who, cookie) in [
        ("a colleague", &site.own.technician),
        ("a customer", &site.own.client),
        ("another tenant's administrator", &site.foreign.admin),
        ("nobody", &String::new()),
    ] {
        let heard = reads(&site, cookie, &entry).await;
        for word in WORDS {
            assert!(!heard.contains(word), "{word} was told to {who}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sqlite() {
    no_payload_carries_private_words(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn postgres() {
    no_payload_carries_private_words(Database::Postgres).await;
}
