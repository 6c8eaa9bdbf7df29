//! The test sign-in of Calendar, from outside: what it proves, and that it connects nothing.

use daybind_fakes::{Fault, FaultKind};
use daybind_guards::{Call, Database, Site};

use crate::connected::{consent, providers, reachable, set_up};

mod sqlite {
    /// M-10, M-12: a test connects nothing, and a connection is no test.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn a_test_of_calendar_connects_nothing() {
        super::connects_nothing(daybind_guards::Database::Sqlite).await;
    }
}

mod postgres {
    /// M-10, M-12: a test connects nothing, and a connection is no test.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn a_test_of_calendar_connects_nothing() {
        super::connects_nothing(daybind_guards::Database::Postgres).await;
    }
}

const PROVIDERS: &str = "/msp/settings?tab=integrations&category=providers";

async fn profile(site: &Site) -> String {
    let sql = format!(
        "SELECT CAST(profile_id AS text) FROM microsoft_profile_consumer_bindings WHERE tenant_id = '{}' AND consumer_type = 'calendar'",
        site.own.id
    );
    site.db.texts(&sql).await.remove(0)
}

/// Sends the form of the verify panel; where it leads.
async fn begin(site: &Site, profile: &str, consumer: &str) -> String {
    let form = format!("act=test_sign_in&which={consumer}&profile_id={profile}");
    let call = Call::form("/_fn/change_microsoft_profile", &form)
        .header("accept", "text/html")
        .header("origin", "http://127.0.0.1:3000")
        .header("referer", &format!("http://127.0.0.1:3000{PROVIDERS}"))
        .cookie(&site.own.admin);
    site.send(call).await.location().to_owned()
}

/// Sets out and says yes at Microsoft; the way back.
async fn approved(site: &Site, profile: &str, consumer: &str) -> String {
    let away = begin(site, profile, consumer).await;
    way_back(site, away).await
}

/// Says yes at an address of Microsoft's; the way back.
async fn way_back(site: &Site, away: String) -> String {
    let sent_back = site.state.services.http.get(away).send().await.unwrap();
    let back = sent_back.headers()["location"].to_str().unwrap().to_owned();
    let back = url::Url::parse(&back).unwrap();
    format!("{}?{}", back.path(), back.query().unwrap())
}

async fn follow(site: &Site, path: &str, cookie: &str) -> String {
    let answer = site.send(Call::get(path).cookie(cookie)).await;
    assert_eq!(answer.status.as_u16(), 303, "{answer:?}");
    answer.location().to_owned()
}

async fn told(site: &Site, profile: &str) -> String {
    let path = format!("{PROVIDERS}&profile={profile}&panel=verify");
    let page = site.send(Call::get(&path).cookie(&site.own.admin)).await;
    page.body.replace("<!>", "")
}

async fn connections(site: &Site) -> Vec<String> {
    site.db
        .values(&site.own.id, "calendar_providers", "connection_id")
        .await
}

async fn connects_nothing(database: Database) {
    let fakes = providers();
    let site = reachable(database, &fakes).await;
    set_up(&site, &site.own).await;
    let profile = profile(&site).await;
    let page = told(&site, &profile).await;
    for label in ["MSP SSO", "Calendar"] {
        assert!(
            page.contains(&format!("Test sign-in for {label}</button>")),
            "{page}"
        );
    }
    for label in ["Email", "Teams"] {
        assert!(
            !page.contains(&format!("Test sign-in for {label}</button>")),
            "{page}"
        );
        assert!(
            page.contains(&format!("of {label}, so only the directory")),
            "{page}"
        );
    }
    for consumer in ["email", "teams", "another"] {
        let target = begin(&site, &profile, consumer).await;
        assert!(!target.contains("/oauth2/"), "{target}");
    }
    let away = begin(&site, &profile, "calendar").await;
    assert!(away.contains("Calendars.ReadWrite"), "{away}");
    assert!(away.contains("calendar%2Fcallback"), "{away}");
    let back = approved(&site, &profile, "calendar").await;
    let end = follow(&site, &back, &site.own.admin).await;
    assert_eq!(
        end,
        format!("{PROVIDERS}&profile={profile}&panel=verify&saved=sign_in_tested")
    );
    let page = told(&site, &profile).await;
    assert!(page.contains("A real sign-in came back"), "{page}");
    assert!(
        page.contains("Calendars that could be listed: 3."),
        "{page}"
    );
    assert_eq!(connections(&site).await.len(), 0);
    // Less is granted than was asked for.
    let away = begin(&site, &profile, "calendar").await;
    let less = away.replace("+Calendars.ReadWrite", "");
    assert_ne!(less, away);
    let end = follow(&site, &way_back(&site, less).await, &site.own.admin).await;
    assert!(end.contains("saved=sign_in_tested"), "{end}");
    let page = told(&site, &profile).await;
    assert!(page.contains("Missing: Calendars.ReadWrite."), "{page}");
    let again = follow(&site, &back, &site.own.admin).await;
    assert!(again.contains("calendarError=invalid_state"), "{again}");
    // Somebody else, the other callback, the other purpose.
    let back = approved(&site, &profile, "calendar").await;
    let end = follow(&site, &back, &site.own.technician).await;
    assert!(end.contains("calendarError=invalid_state"), "{end}");
    for (consumer, from, to) in [
        (
            "calendar",
            "/api/auth/microsoft/calendar/callback",
            "/api/auth/callback/azure-ad",
        ),
        (
            "msp_sso",
            "/api/auth/callback/azure-ad",
            "/api/auth/microsoft/calendar/callback",
        ),
    ] {
        let back = approved(&site, &profile, consumer).await;
        assert!(back.starts_with(from), "{back}");
        let end = follow(&site, &back.replace(from, to), &site.own.admin).await;
        assert!(
            end.contains("already_used") || end.contains("invalid_state"),
            "{end}"
        );
        let page = told(&site, &profile).await;
        assert!(page.contains("has not come back"), "{page}");
    }
    assert_eq!(connections(&site).await.len(), 0);
    // What Calendar then asks for is refused: the sign-in alone proves little, and the page says so.
    let back = approved(&site, &profile, "calendar").await;
    let refused = FaultKind::Status {
        status: 403,
        retry_after: None,
        reason: None,
    };
    fakes.arm(Fault::new("microsoft.calendars.list", 1, refused));
    follow(&site, &back, &site.own.admin).await;
    let page = told(&site, &profile).await;
    assert!(
        page.contains("refused what the consumer then asked for"),
        "{page}"
    );
    // A connection is no test: it connects, and says nothing about the test.
    let back = consent(&site, &site.own.admin, "microsoft", 0).await;
    let end = follow(&site, &back, &site.own.admin).await;
    assert!(end.contains("calendarAuth=success"), "{end}");
    assert_eq!(connections(&site).await.len(), 1);
    assert!(
        told(&site, &profile)
            .await
            .contains("refused what the consumer then asked for")
    );
}
