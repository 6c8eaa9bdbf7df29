//! The audit log as it is read and exported, on both databases.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::sync::Arc;

use daybind_domain::audit::AuditQuery;
use daybind_domain::ids::AuditId;
use daybind_domain::user::UserType;
use daybind_domain::{Edition, ErrorCode};
use daybind_services::audit::{self, CSV_ROWS};
use daybind_services::{Actor, Endpoints, Keyring, Services, SystemClock, demo, outbound};
use daybind_storage::{AuditRow, Origin, Store};
use futures::TryStreamExt as _;
use support::{actor, on_both};
use url::Url;
use uuid::Uuid;

on_both! {
    pages_and_filters_lead_through_the_log,
    community_shows_only_its_own,
    community_shows_all_of_its_own,
    an_export_is_whole_or_says_that_it_is_not,
    the_log_is_for_administrators,
}

struct World {
    services: Services,
    admin: Actor,
}

impl World {
    async fn new(store: Arc<dyn Store>) -> Self {
        store.migrate().await.unwrap();
        let services = Services {
            edition: Edition::Enterprise,
            guides: daybind_services::guide::COMMUNITY,
            wording: daybind_services::audit::COMMUNITY,
            store,
            keyring: Arc::new(Keyring::parse(&Keyring::generate()).unwrap()),
            clock: Arc::new(SystemClock),
            issuers: Arc::default(),
            public_url: Url::parse("http://127.0.0.1:3000").unwrap(),
            endpoints: Arc::new(Endpoints::from_env(&|_| None).unwrap()),
            http: outbound::client(&Endpoints::from_env(&|_| None).unwrap()).unwrap(),
            wake: Arc::default(),
            live: daybind_services::live::Live::default(),
        };
        demo::seed(&services).await.unwrap();
        let admin = actor(&services, "admin@demo.daybind.test").await;
        Self { services, admin }
    }

    fn row(&self, action: &str, subject: &str) -> AuditRow {
        AuditRow {
            tenant_id: demo::TENANT,
            audit_id: AuditId(Uuid::now_v7()),
            at: self.services.now(),
            actor: Some(self.admin.user_id()),
            action: action.to_owned(),
            subject: subject.to_owned(),
            detail: serde_json::json!({"before": null, "after": "x"}),
            request_id: None,
            note: Some("=1+1".to_owned()),
            origin: Origin::default(),
        }
    }

    async fn add(&self, rows: &[AuditRow]) {
        let mut unit = self.services.begin(demo::TENANT).await.unwrap();
        for row in rows {
            unit.add_audit(row).await.unwrap();
        }
        unit.save().await.unwrap();
    }

    async fn csv(&self, query: &AuditQuery) -> String {
        let pieces = audit::csv(&self.services, &self.admin, query)
            .await
            .unwrap();
        let pieces: Vec<String> = pieces.try_collect().await.unwrap();
        pieces.concat()
    }
}

fn asked(action: &str) -> AuditQuery {
    AuditQuery {
        action: action.to_owned(),
        ..AuditQuery::default()
    }
}

/// Page after page shows every row of the filter once, newest first; people and actions are told by name (M-44).
async fn pages_and_filters_lead_through_the_log(w: World) {
    let rows: Vec<_> = (0..120)
        .map(|n| w.row("profile.created", &format!("test:{n}")))
        .collect();
    w.add(&rows).await;
    w.add(&[w.row("binding.set", "consumer:calendar")]).await;
    let mut query = asked("profile.created");
    let mut seen = Vec::new();
    loop {
        let page = audit::list(&w.services, &w.admin, &query).await.unwrap();
        assert!(page.rows.iter().all(|row| row.actor == "Ada Admin"));
        seen.extend(page.rows.into_iter().map(|row| row.subject));
        let Some(next) = page.next else { break };
        query.after = next;
    }
    let mut expected: Vec<_> = rows.iter().map(|row| row.subject.clone()).collect();
    seen.sort();
    expected.sort();
    assert_eq!(seen, expected);
    let page = audit::list(&w.services, &w.admin, &asked("binding."))
        .await
        .unwrap();
    assert_eq!(page.rows[0].subject_text, "Calendar");
    assert_eq!(page.rows[0].note.as_deref(), Some("=1+1"));
    assert!(page.actions.iter().any(|(key, _)| key == "profile.created"));
}

/// What Enterprise did before is not told in Community, neither on the page nor in the file.
async fn community_shows_only_its_own(w: World) {
    w.add(&[
        w.row("binding.set", "consumer:calendar"),
        w.row("binding.set", "consumer:msp_sso"),
        w.row("calendar.connected", "connection:1"),
    ])
    .await;
    let community = World {
        services: Services {
            edition: Edition::Community,
            guides: daybind_services::guide::COMMUNITY,
            wording: daybind_services::audit::COMMUNITY,
            ..w.services.clone()
        },
        admin: w.admin.clone(),
    };
    let page = audit::list(&community.services, &w.admin, &asked(""))
        .await
        .unwrap();
    let shown = format!(
        "{} {}",
        serde_json::to_string(&page).unwrap(),
        community.csv(&asked("")).await
    );
    assert!(shown.contains("msp_sso"));
    assert!(!shown.to_lowercase().contains("calendar"), "{shown}");
    let page = audit::list(&w.services, &w.admin, &asked(""))
        .await
        .unwrap();
    assert!(
        serde_json::to_string(&page)
            .unwrap()
            .contains("calendar.connected")
    );
}

/// Login domains, sign-ins, accounts and passwords are Community's as well: page and file tell of them (M-44).
async fn community_shows_all_of_its_own(w: World) {
    let actions = [
        "login_domain.added",
        "password.changed",
        "sign_in.approved",
        "user.created",
        "session.revoked",
        "profile.verified",
    ];
    let rows: Vec<_> = actions
        .iter()
        .map(|action| w.row(action, "test:1"))
        .collect();
    w.add(&rows).await;
    let community = World {
        services: Services {
            edition: Edition::Community,
            ..w.services.clone()
        },
        admin: w.admin.clone(),
    };
    let page = audit::list(&community.services, &w.admin, &asked(""))
        .await
        .unwrap();
    let file = community.csv(&asked("")).await;
    for action in actions {
        assert!(page.rows.iter().any(|row| row.action == action), "{action}");
        assert!(
            page.actions.iter().any(|(key, _)| key == action),
            "{action}"
        );
        assert!(file.contains(action), "{action} in {file}");
    }
}

/// An export holds every row of the filter up to its cap, and then says so; what looks like a formula is text.
async fn an_export_is_whole_or_says_that_it_is_not(w: World) {
    let rows: Vec<_> = (0..CSV_ROWS)
        .map(|_| w.row("profile.created", "test:1"))
        .collect();
    w.add(&rows).await;
    let whole = w.csv(&asked("profile.")).await;
    assert_eq!(whole.lines().count(), CSV_ROWS + 1);
    assert!(!whole.contains("This export ends") && whole.contains("\"'=1+1\""));
    w.add(&[w.row("profile.created", "test:1")]).await;
    let cut = w.csv(&asked("profile.")).await;
    assert_eq!(cut.lines().count(), CSV_ROWS + 2);
    assert!(cut.lines().last().unwrap().contains("there are more"));
}

async fn the_log_is_for_administrators(w: World) {
    let mut client = w.admin.clone();
    client.user.user_type = UserType::Client;
    let refused = audit::list(&w.services, &client, &asked("")).await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::Forbidden);
    let refused = audit::csv(&w.services, &client, &asked("")).await;
    assert_eq!(refused.err().unwrap().code, ErrorCode::Forbidden);
}
