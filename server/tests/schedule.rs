//! The week over HTTP: the whole router of the Community server, both databases.

use daybind_guards::{Call, Database, Plan, Site};

const WEEK: &str = "2027-03-01";

async fn person(site: &Site, role: &str) -> String {
    let sql = format!(
        "SELECT CAST(user_id AS TEXT) FROM users WHERE tenant_id = '{}' AND user_type = 'internal' AND role = '{role}' ORDER BY user_id",
        site.own.id
    );
    site.db.texts(&sql).await.remove(0)
}

async fn add(site: &Site, title: &str, start: &str, end: &str, assignee: &str) {
    let form = format!("title={title}&start={start}&end={end}&assignees%5B%5D={assignee}");
    let call = Call::form("/_fn/save_schedule_entry", &form).cookie(&site.own.admin);
    let answer = site.send(call).await;
    assert!(
        answer.status.is_success() || answer.status.is_redirection(),
        "{answer:?}"
    );
}

/// The server draws the grid whole; filters leave out what they say, and show nobody more than they may see.
async fn the_week_is_drawn_by_the_server(database: Database) {
    let site = Site::new(Plan::community(database, Vec::new())).await;
    let (admin, tech) = (
        person(&site, "admin").await,
        person(&site, "technician").await,
    );
    add(
        &site,
        "Ofadmin",
        "2027-03-02T09%3A00",
        "2027-03-02T10%3A00",
        &admin,
    )
    .await;
    add(
        &site,
        "Oftech",
        "2027-03-02T09%3A00",
        "2027-03-02T10%3A00",
        &tech,
    )
    .await;
    let page = async |cookie: &str, more: &str| {
        let call = Call::get(&format!("/msp/schedule?week={WEEK}{more}")).cookie(cookie);
        site.send(call).await.everything()
    };
    let whole = page(&site.own.admin, "").await;
    assert_eq!(whole.matches("class=\"db-grid__day\"").count(), 7);
    assert!(whole.contains("db-lane-0-2") && whole.contains("db-lane-1-2"));
    assert!(
        whole.contains("at=2027-03-07T18:00"),
        "free hours are links"
    );
    assert!(!whole.contains("db-grid__legend"), "Community has no marks");
    let agenda = page(&site.own.admin, "&as=agenda").await;
    assert!(!agenda.contains("db-grid__day") && agenda.contains("Oftech"));

    let (of_tech, nobody) = (format!("&person={tech}"), "&person=nonsense".to_owned());
    let (of_admin, cancelled) = (format!("&person={admin}"), "&status=cancelled".to_owned());
    for (cookie, more, shown) in [
        (&site.own.admin, &of_tech, [false, true]),
        (&site.own.admin, &of_admin, [true, false]),
        (&site.own.admin, &nobody, [false, false]),
        (&site.own.admin, &cancelled, [false, false]),
        (&site.own.technician, &of_tech, [false, true]),
        (&site.own.technician, &of_admin, [false, false]),
        (&site.foreign.admin, &of_tech, [false, false]),
    ] {
        let told = page(cookie, more).await;
        for (title, shown) in ["Ofadmin", "Oftech"].into_iter().zip(shown) {
            assert_eq!(told.contains(title), shown, "{title} with {more}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sqlite() {
    the_week_is_drawn_by_the_server(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn postgres() {
    the_week_is_drawn_by_the_server(Database::Postgres).await;
}
