//! Bindings through their services, on both databases, as the Community edition runs them.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use daybind_domain::bindings::BindingState;
use daybind_domain::ids::{ProfileId, TenantId, UserId};
use daybind_domain::user::{Role, UserType};
use daybind_domain::{Cloud, Consumer, Edition, ErrorCode};
use daybind_services::bindings::{self, Change, Clear};
use daybind_services::{
    Actor, AppError, AppResult, Clock, CommunityPort, Endpoints, Keyring, Services, SystemClock,
    audit, demo, outbound, profiles,
};
use daybind_storage::{AuditRow, Binding, NewUser, Profile, Scope, Store, Tenant, User};
use secrecy::SecretString;
use support::{actor, on_both};
use url::Url;
use uuid::Uuid;

on_both! {
    only_the_confirmed_row_changes,
    nothing_is_bound_by_looking,
    a_change_meanwhile_is_noticed,
    whose_accounts_are_not_accepted_any_more_is_said,
    one_of_two_confirmations_wins,
    what_cannot_be_bound_is_refused,
    a_change_is_taken_back_within_ten_minutes,
    an_undo_never_takes_back_a_later_change,
    nobody_is_locked_out_by_unbinding,
    the_log_says_who_what_why_and_from_where,
    hidden_consumers_stay_hidden,
    whoever_may_not_is_refused,
    the_operator_lifts_hidden_bindings,
}

#[derive(Default)]
struct ShiftedClock(AtomicI64);

impl Clock for ShiftedClock {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + TimeDelta::seconds(self.0.load(Ordering::Relaxed))
    }
}

struct World {
    services: Services,
    clock: Arc<ShiftedClock>,
    admin: Actor,
    one: ProfileId,
    two: ProfileId,
}

impl World {
    async fn new(store: Arc<dyn Store>) -> Self {
        store.migrate().await.unwrap();
        let clock = Arc::new(ShiftedClock::default());
        let services = Services {
            edition: Edition::Community,
            guides: daybind_services::guide::COMMUNITY,
            wording: daybind_services::audit::COMMUNITY,
            store,
            keyring: Arc::new(Keyring::parse(&Keyring::generate()).unwrap()),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            public_url: Url::parse("http://127.0.0.1:3000").unwrap(),
            endpoints: Arc::new(Endpoints::from_env(&|_| None).unwrap()),
            http: outbound::client(&Endpoints::from_env(&|_| None).unwrap()).unwrap(),
            wake: Arc::default(),
            live: daybind_services::live::Live::default(),
            issuers: Arc::default(),
        };
        demo::seed(&services).await.unwrap();
        let admin = actor(&services, "admin@demo.daybind.test").await;
        let mut world = Self {
            services,
            clock,
            admin,
            one: ProfileId(Uuid::nil()),
            two: ProfileId(Uuid::nil()),
        };
        world.one = world.profile("Main").await;
        world.two = world.profile("Spare").await;
        world
    }

    async fn profile(&self, name: &str) -> ProfileId {
        let input = profiles::ProfileInput {
            display_name: name.to_owned(),
            client_id: Uuid::new_v4().to_string(),
            directory_id: "contoso.example".to_owned(),
            cloud: String::new(),
            client_secret: SecretString::from(format!("very-secret-{name}-value")),
            secret_expires_on: String::new(),
        };
        profiles::create(&self.services, &self.admin, input)
            .await
            .unwrap()
    }

    async fn set_profile(&self, id: ProfileId, set: fn(&mut Profile)) {
        let mut unit = self.services.begin(demo::TENANT).await.unwrap();
        let found = unit.find_profile(demo::TENANT, id).await.unwrap();
        let mut row = found.unwrap();
        set(&mut row);
        unit.update_profile(&row).await.unwrap();
        unit.save().await.unwrap();
    }

    async fn change(&self, wanted: Change<'_>) -> AppResult<()> {
        bindings::change(&self.services, &CommunityPort, &self.admin, wanted).await
    }

    /// Reviews and confirms.
    async fn bind(&self, to: Option<ProfileId>) -> AppResult<()> {
        let to = to.map(|id| id.to_string()).unwrap_or_default();
        let review =
            bindings::review(&self.services, &CommunityPort, &self.admin, "msp_sso", &to).await?;
        self.change(Change {
            consumer: "msp_sso",
            profile_id: &to,
            seen: Some(&review.seen),
            ..Change::default()
        })
        .await
    }

    /// What MSP SSO is bound to.
    async fn bound(&self) -> Option<ProfileId> {
        let rows = self.rows().await;
        let row = rows.iter().find(|row| row.consumer == Consumer::MspSso);
        row.map(|row| row.profile_id)
    }

    async fn rows(&self) -> Vec<Binding> {
        let mut unit = self.services.read(demo::TENANT).await.unwrap();
        unit.list_bindings(demo::TENANT).await.unwrap()
    }

    /// Binds a consumer behind the services' back.
    async fn plant(&self, consumer: Consumer, profile_id: ProfileId) -> Binding {
        let row = Binding {
            tenant_id: demo::TENANT,
            consumer,
            profile_id,
            updated_by: self.admin.user_id(),
            updated_at: self.services.now(),
        };
        let mut unit = self.services.begin(demo::TENANT).await.unwrap();
        unit.set_binding(&row).await.unwrap();
        unit.save().await.unwrap();
        row
    }

    async fn undo_token(&self) -> Option<String> {
        let board = bindings::board(&self.services, &self.admin).await.unwrap();
        board.rows[0].undo.as_ref().map(|undo| undo.token.clone())
    }

    async fn undo(&self, token: &str) -> AppResult<()> {
        bindings::undo(
            &self.services,
            &CommunityPort,
            &self.admin,
            "msp_sso",
            token,
        )
        .await
    }

    async fn log(&self) -> Vec<AuditRow> {
        let mut unit = self.services.read(demo::TENANT).await.unwrap();
        let mut rows = unit.list_audit(demo::TENANT, 50).await.unwrap();
        rows.retain(|row| row.action.starts_with("binding."));
        rows
    }

    async fn resolve(&self) -> AppResult<bindings::Resolved> {
        let mut unit = self.services.read(demo::TENANT).await.unwrap();
        bindings::resolve(
            &self.services,
            unit.as_mut(),
            demo::TENANT,
            Consumer::MspSso,
        )
        .await
    }
}

fn refused<T: std::fmt::Debug>(result: AppResult<T>, code: ErrorCode) -> AppError {
    let error = result.unwrap_err();
    assert_eq!(error.code, code, "{error:?}");
    error
}

/// A confirmed change moves one row and leaves every other as it was, hidden ones included (M-07, W64).
async fn only_the_confirmed_row_changes(w: World) {
    let mut others = Vec::new();
    for consumer in [Consumer::Email, Consumer::Calendar, Consumer::Teams] {
        others.push(w.plant(consumer, w.one).await);
    }
    w.bind(Some(w.one)).await.unwrap();
    assert_eq!(w.bound().await, Some(w.one));
    w.bind(Some(w.two)).await.unwrap();
    assert_eq!(w.bound().await, Some(w.two));
    assert_eq!(w.resolve().await.unwrap().profile_id, w.two);
    let mut rows = w.rows().await;
    rows.retain(|row| row.consumer != Consumer::MspSso);
    assert_eq!(rows, others);

    // What is bound so already is not written again: no new row in the log, the old change can still be taken back.
    let (token, log) = (w.undo_token().await, w.log().await.len());
    w.bind(Some(w.two)).await.unwrap();
    assert_eq!((w.undo_token().await, w.log().await.len()), (token, log));
}

/// With one usable profile and nothing bound, neither board, review nor resolution binds it (W34, W65, M-07).
async fn nothing_is_bound_by_looking(w: World) {
    let board = bindings::board(&w.services, &w.admin).await.unwrap();
    assert_eq!(board.rows.len(), 1);
    assert_eq!(board.rows[0].state, BindingState::Unbound);
    bindings::choices(&w.services, &w.admin, "msp_sso")
        .await
        .unwrap();
    let to = w.one.to_string();
    bindings::review(&w.services, &CommunityPort, &w.admin, "msp_sso", &to)
        .await
        .unwrap();
    let error = refused(w.resolve().await, ErrorCode::NotReady);
    assert!(error.message.contains("not bound") && error.next_step.is_some());
    assert_eq!(w.rows().await, []);
    // Another consumer's binding helps nobody.
    w.plant(Consumer::Calendar, w.one).await;
    refused(w.resolve().await, ErrorCode::NotReady);
}

/// A review is confirmed for what it showed, or not at all.
async fn a_change_meanwhile_is_noticed(w: World) {
    w.bind(Some(w.one)).await.unwrap();
    let to = w.two.to_string();
    let review = bindings::review(&w.services, &CommunityPort, &w.admin, "msp_sso", &to)
        .await
        .unwrap();
    assert!(!review.same_app && !review.unchanged && review.refused.is_empty());
    assert!(!review.impact.as_ref().unwrap().is_empty());
    let three = w.profile("Third").await;
    w.bind(Some(three)).await.unwrap();
    let log = w.log().await.len();
    let late = w
        .change(Change {
            consumer: "msp_sso",
            profile_id: &to,
            seen: Some(&review.seen),
            ..Change::default()
        })
        .await;
    let error = refused(late, ErrorCode::Conflict);
    assert!(error.message.contains("Nothing was done"));
    assert_eq!((w.bound().await, w.log().await.len()), (Some(three), log));
}

/// The review says when another directory's accounts, or those of the same one in another cloud, are let in from then on, and
/// says nothing of it where they stay the same.
async fn whose_accounts_are_not_accepted_any_more_is_said(w: World) {
    w.bind(Some(w.one)).await.unwrap();
    let to = w.two.to_string();
    let told = async || {
        let review = bindings::review(&w.services, &CommunityPort, &w.admin, "msp_sso", &to);
        let impact = review.await.unwrap().impact.unwrap();
        let mut lines = impact.iter().map(|line| line.text.as_str());
        lines.any(|text| text.contains("are not accepted any more"))
    };
    assert!(!told().await, "the same directory");
    w.set_profile(w.two, |row| row.fields.cloud = Cloud::China)
        .await;
    assert!(told().await, "another cloud");
    w.set_profile(w.two, |row| {
        row.fields.cloud = Cloud::Global;
        "fabrikam.example".clone_into(&mut row.fields.directory_id);
    })
    .await;
    assert!(told().await, "another directory");
}

/// Two confirm the same review at once: one wins, the other is told (M-08, W61).
async fn one_of_two_confirmations_wins(w: World) {
    w.bind(Some(w.one)).await.unwrap();
    let three = w.profile("Third").await;
    let to = [w.two.to_string(), three.to_string()];
    let review = bindings::review(&w.services, &CommunityPort, &w.admin, "msp_sso", &to[0])
        .await
        .unwrap();
    let confirm = |to| {
        w.change(Change {
            consumer: "msp_sso",
            profile_id: to,
            seen: Some(&review.seen),
            ..Change::default()
        })
    };
    let (left, right) = futures::join!(confirm(&to[0]), confirm(&to[1]));
    let done = [left, right];
    assert_eq!(done.iter().filter(|d| d.is_ok()).count(), 1, "{done:?}");
    let lost = done.into_iter().find(Result::is_err).unwrap();
    refused(lost, ErrorCode::Conflict);
    // One row in the log for the first binding, one for the change that won.
    assert_eq!(w.log().await.len(), 2);
}

/// Archived, incomplete, foreign and unknown profiles (M-08).
async fn what_cannot_be_bound_is_refused(w: World) {
    w.bind(Some(w.one)).await.unwrap();
    let three = w.profile("Third").await;
    w.set_profile(w.two, |row| row.archived_at = Some(row.created_at))
        .await;
    w.set_profile(three, |row| {
        row.client_secret_sealed = None;
        row.client_secret_last4 = None;
    })
    .await;

    let archived = refused(w.bind(Some(w.two)).await, ErrorCode::Conflict);
    assert!(archived.message.contains("archived"));
    let incomplete = refused(w.bind(Some(three)).await, ErrorCode::NotReady);
    assert!(incomplete.message.contains("secret") && incomplete.next_step.is_some());
    let nowhere = Some(ProfileId(Uuid::new_v4()));
    refused(w.bind(nowhere).await, ErrorCode::NotFound);

    let other = TenantId(Uuid::new_v4());
    let mut unit = w.services.store.begin(Scope::System).await.unwrap();
    let tenant = Tenant {
        tenant_id: other,
        name: "Other".to_owned(),
        time_zone: "UTC".to_owned(),
    };
    unit.add_tenant(&tenant, w.services.now()).await.unwrap();
    unit.save().await.unwrap();
    let mut stranger = w.admin.clone();
    stranger.tenant_id = other;
    let mine = w.one.to_string();
    let wanted = Change {
        consumer: "msp_sso",
        profile_id: &mine,
        ..Change::default()
    };
    let across = bindings::change(&w.services, &CommunityPort, &stranger, wanted).await;
    refused(across, ErrorCode::NotFound);
    assert_eq!(w.bound().await, Some(w.one));
    assert_eq!(w.log().await.len(), 1);
    // The reviews say so beforehand.
    for id in [w.two, three] {
        let to = id.to_string();
        let review = bindings::review(&w.services, &CommunityPort, &w.admin, "msp_sso", &to)
            .await
            .unwrap();
        assert!(!review.refused.is_empty());
    }
}

/// Undo puts back what was bound, once, for ten minutes; also when nothing was (W68).
async fn a_change_is_taken_back_within_ten_minutes(w: World) {
    w.bind(Some(w.one)).await.unwrap();
    let first = w.undo_token().await.unwrap();
    w.undo(&first).await.unwrap();
    assert_eq!((w.bound().await, w.undo_token().await), (None, None));
    refused(w.undo(&first).await, ErrorCode::Conflict);

    w.bind(Some(w.one)).await.unwrap();
    w.bind(Some(w.two)).await.unwrap();
    let token = w.undo_token().await.unwrap();
    w.clock.0.fetch_add(590, Ordering::Relaxed);
    w.undo(&token).await.unwrap();
    assert_eq!(w.bound().await, Some(w.one));

    w.bind(Some(w.two)).await.unwrap();
    let token = w.undo_token().await.unwrap();
    w.clock.0.fetch_add(601, Ordering::Relaxed);
    assert_eq!(w.undo_token().await, None);
    refused(w.undo(&token).await, ErrorCode::Conflict);
    assert_eq!(w.bound().await, Some(w.two));
    let actions: Vec<_> = w.log().await.into_iter().map(|row| row.action).collect();
    assert_eq!(actions.iter().filter(|a| *a == "binding.undone").count(), 2);
}

/// The button of an older change does nothing to a newer one, and an archived profile is not brought back.
async fn an_undo_never_takes_back_a_later_change(w: World) {
    w.bind(Some(w.one)).await.unwrap();
    let old = w.undo_token().await.unwrap();
    w.bind(Some(w.two)).await.unwrap();
    refused(w.undo(&old).await, ErrorCode::Conflict);
    assert_eq!(w.bound().await, Some(w.two));

    // The binding moved without a note.
    let token = w.undo_token().await.unwrap();
    w.plant(Consumer::MspSso, w.one).await;
    assert_eq!(w.undo_token().await, None);
    refused(w.undo(&token).await, ErrorCode::Conflict);
    assert_eq!(w.bound().await, Some(w.one));

    w.bind(Some(w.two)).await.unwrap();
    let token = w.undo_token().await.unwrap();
    w.set_profile(w.one, |row| row.archived_at = Some(row.created_at))
        .await;
    let error = refused(w.undo(&token).await, ErrorCode::Conflict);
    assert!(error.message.contains("archived"), "{error}");
    assert_eq!(w.bound().await, Some(w.two));
}

/// MSP SSO can be unbound, but not as long as somebody has no other way in.
async fn nobody_is_locked_out_by_unbinding(w: World) {
    w.bind(Some(w.one)).await.unwrap();
    w.bind(None).await.unwrap();
    assert_eq!(w.bound().await, None);
    let token = w.undo_token().await.unwrap();
    w.undo(&token).await.unwrap();
    assert_eq!(w.bound().await, Some(w.one));

    let new = NewUser {
        user: User {
            tenant_id: demo::TENANT,
            user_id: UserId(Uuid::new_v4()),
            email: "sid@demo.daybind.test".to_owned(),
            display_name: "Sid Single".to_owned(),
            user_type: UserType::Internal,
            role: Role::Technician,
            is_active: true,
            time_zone: "UTC".to_owned(),
        },
        email_normalized: "sid@demo.daybind.test".to_owned(),
        password_hash: None,
    };
    let mut unit = w.services.begin(demo::TENANT).await.unwrap();
    unit.add_user(&new, w.services.now()).await.unwrap();
    unit.save().await.unwrap();
    let error = refused(w.bind(None).await, ErrorCode::Conflict);
    assert!(error.message.contains("Sid Single"), "{error}");
    assert_eq!(w.bound().await, Some(w.one));
}

/// The row is written with the change: who, before and after by name, why, from where; no secret (M-44).
async fn the_log_says_who_what_why_and_from_where(w: World) {
    w.bind(Some(w.one)).await.unwrap();
    let request = audit::Request::new(
        "req-1".to_owned(),
        Some("192.0.2.7".to_owned()),
        Some("Browser"),
    );
    let to = w.two.to_string();
    let wanted = Change {
        consumer: "msp_sso",
        profile_id: &to,
        note: "  ticket\n4711 ",
        ..Change::default()
    };
    audit::from(request, w.change(wanted)).await.unwrap();
    let row = w.log().await.into_iter().next().unwrap();
    assert_eq!(row.actor, Some(w.admin.user_id()));
    assert_eq!(
        (row.action.as_str(), row.subject.as_str()),
        ("binding.set", "consumer:msp_sso")
    );
    assert_eq!(row.detail["before"]["profile"], "Main");
    assert_eq!(row.detail["after"]["profile_id"], to);
    assert_eq!(row.note.as_deref(), Some("ticket 4711"));
    assert_eq!(row.request_id.as_deref(), Some("req-1"));
    assert_eq!(row.origin.ip.as_deref(), Some("192.0.2.7"));
    assert_eq!(row.origin.user_agent.as_deref(), Some("Browser"));
    assert!(!row.detail.to_string().contains("very-secret"));
}

/// Community answers for its own consumer only; hidden bindings are in no payload (PRD, "Actions and payloads").
async fn hidden_consumers_stay_hidden(w: World) {
    for consumer in [Consumer::Email, Consumer::Calendar, Consumer::Teams] {
        w.plant(consumer, w.one).await;
        let name = consumer.as_str();
        let to = w.two.to_string();
        let wanted = Change {
            consumer: name,
            profile_id: &to,
            ..Change::default()
        };
        refused(w.change(wanted).await, ErrorCode::EnterpriseOnly);
        let review = bindings::review(&w.services, &CommunityPort, &w.admin, name, &to).await;
        refused(review, ErrorCode::EnterpriseOnly);
        let choices = bindings::choices(&w.services, &w.admin, name).await;
        refused(choices, ErrorCode::EnterpriseOnly);
        let undo = bindings::undo(&w.services, &CommunityPort, &w.admin, name, "1").await;
        refused(undo, ErrorCode::EnterpriseOnly);
    }
    w.bind(Some(w.one)).await.unwrap();
    let board = bindings::board(&w.services, &w.admin).await.unwrap();
    let choices = bindings::choices(&w.services, &w.admin, "msp_sso")
        .await
        .unwrap();
    let payload = format!(
        "{} {}",
        serde_json::to_string(&board).unwrap(),
        serde_json::to_string(&choices).unwrap()
    )
    .to_lowercase();
    for word in ["calendar", "email", "teams", "outlook", "google"] {
        assert!(!payload.contains(word), "{word} in {payload}");
    }
}

/// Technicians and client-portal users neither see nor change bindings.
async fn whoever_may_not_is_refused(w: World) {
    let mut client = w.admin.clone();
    client.user.user_type = UserType::Client;
    let tess = actor(&w.services, "tess@demo.daybind.test").await;
    let to = w.one.to_string();
    for who in [&client, &tess] {
        let board = bindings::board(&w.services, who).await;
        refused(board, ErrorCode::Forbidden);
        let choices = bindings::choices(&w.services, who, "msp_sso").await;
        refused(choices, ErrorCode::Forbidden);
        let review = bindings::review(&w.services, &CommunityPort, who, "msp_sso", &to).await;
        refused(review, ErrorCode::Forbidden);
        let wanted = Change {
            consumer: "msp_sso",
            profile_id: &to,
            ..Change::default()
        };
        let change = bindings::change(&w.services, &CommunityPort, who, wanted).await;
        refused(change, ErrorCode::Forbidden);
        let undo = bindings::undo(&w.services, &CommunityPort, who, "msp_sso", "1").await;
        refused(undo, ErrorCode::Forbidden);
    }
    assert_eq!(w.rows().await, []);
}

/// What Community does not show and yet protects a profile can be lifted on the command line, on record (W63).
async fn the_operator_lifts_hidden_bindings(w: World) {
    w.bind(Some(w.one)).await.unwrap();
    w.plant(Consumer::Calendar, w.two).await;
    w.plant(Consumer::Teams, w.two).await;
    let clear = |which| bindings::clear(&w.services, &CommunityPort, demo::TENANT, which);
    let one = clear(Clear::One(Consumer::Teams)).await.unwrap();
    assert_eq!(one.len(), 1);
    let hidden = clear(Clear::Hidden).await.unwrap();
    assert_eq!(hidden[0].consumer, Consumer::Calendar);
    assert_eq!((hidden.len(), w.bound().await), (1, Some(w.one)));
    assert_eq!(w.rows().await.len(), 1);
    assert_eq!(clear(Clear::Hidden).await.unwrap(), []);
    let log = w.log().await;
    let row = log.first().unwrap();
    assert_eq!((row.actor, row.action.as_str()), (None, "binding.cleared"));
    assert_eq!(row.detail["before"]["profile"], "Spare");
    let nobody = TenantId(Uuid::new_v4());
    let unknown = bindings::clear(&w.services, &CommunityPort, nobody, Clear::Hidden).await;
    refused(unknown, ErrorCode::NotFound);
}
