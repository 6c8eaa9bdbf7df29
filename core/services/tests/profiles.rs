//! Microsoft profiles through their services, on both databases, with a stand-in Microsoft.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use daybind_domain::ids::ProfileId;
use daybind_domain::profile_view::{CheckView, ProfileDetailView, Standing};
use daybind_domain::{Consumer, Edition, ErrorCode};
use daybind_fakes::{FakeOptions, FakeProviders};
use daybind_services::profiles::{self, ProfileEdit, ProfileInput, secrets};
use daybind_services::{
    Actor, AppError, AppResult, Clock, CommunityPort, Endpoints, Keyring, Services, SystemClock,
    demo, outbound, upkeep, verify,
};
use daybind_storage::{Binding, Scope, Store};
use secrecy::{ExposeSecret as _, SecretString};
use support::{actor, on_both};
use url::Url;
use uuid::Uuid;

on_both! {
    a_stale_edit_changes_nothing_and_says_who_was_first,
    what_is_bound_is_neither_archived_nor_deleted,
    a_binding_and_an_archiving_at_once_never_both_succeed,
    a_new_secret_is_proven_before_it_counts,
    the_previous_secret_ends_with_its_overlap,
    each_failed_step_says_cause_and_place,
    an_outage_keeps_the_last_known_result,
    only_administrators_change_profiles,
    the_cloud_says_whom_to_ask,
}

const DIRECTORY: &str = "11111111-1111-4111-8111-111111111111";
const CLIENT: &str = "22222222-2222-4222-8222-222222222222";
const RIGHT: &str = "demo-microsoft-secret";
const OLD: &str = "an-older-secret-of-ours";

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
    fakes: FakeProviders,
    /// Microsoft's log-in in China.
    china: FakeProviders,
    admin: Actor,
    tech: Actor,
    id: String,
}

fn input(name: &str, secret: &str) -> ProfileInput {
    ProfileInput {
        display_name: name.to_owned(),
        client_id: CLIENT.to_owned(),
        directory_id: DIRECTORY.to_owned(),
        cloud: String::new(),
        client_secret: SecretString::from(secret),
        secret_expires_on: String::new(),
    }
}

impl World {
    async fn new(store: Arc<dyn Store>) -> Self {
        store.migrate().await.unwrap();
        let fakes = FakeProviders::start(FakeOptions::default()).unwrap();
        let china = FakeProviders::start(FakeOptions::default()).unwrap();
        let mut env = fakes.env();
        env.push((
            "DAYBIND_MICROSOFT_LOGIN_URL_CHINA".to_owned(),
            format!("{}ms/login", china.base_url),
        ));
        let get = |name: &str| {
            let found = env.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value.clone())
        };
        let clock = Arc::new(ShiftedClock::default());
        let services = Services {
            edition: Edition::Community,
            guides: daybind_services::guide::COMMUNITY,
            wording: daybind_services::audit::COMMUNITY,
            store,
            keyring: Arc::new(Keyring::parse(&Keyring::generate()).unwrap()),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            public_url: Url::parse("http://127.0.0.1:3000").unwrap(),
            endpoints: Arc::new(Endpoints::from_env(&get).unwrap()),
            http: outbound::client(&Endpoints::from_env(&get).unwrap()).unwrap(),
            wake: Arc::default(),
            live: daybind_services::live::Live::default(),
            issuers: Arc::default(),
        };
        demo::seed(&services).await.unwrap();
        let admin = actor(&services, "admin@demo.daybind.test").await;
        let tech = actor(&services, "tess@demo.daybind.test").await;
        let id = profiles::create(&services, &admin, input("Main", OLD))
            .await
            .unwrap()
            .to_string();
        Self {
            services,
            clock,
            fakes,
            china,
            admin,
            tech,
            id,
        }
    }

    async fn detail(&self) -> ProfileDetailView {
        profiles::detail(&self.services, &self.admin, &self.id)
            .await
            .unwrap()
    }

    async fn version(&self) -> i64 {
        self.detail().await.profile.version
    }

    fn profile_id(&self) -> ProfileId {
        self.id.parse().unwrap()
    }

    async fn edit(&self, version: i64, name: &str, directory: &str) -> AppResult<()> {
        let edit = ProfileEdit {
            version,
            display_name: name.to_owned(),
            client_id: CLIENT.to_owned(),
            directory_id: directory.to_owned(),
            cloud: String::new(),
            secret_expires_on: String::new(),
        };
        profiles::update(&self.services, &CommunityPort, &self.admin, &self.id, edit).await
    }

    async fn stage(&self, secret: &str) -> AppResult<()> {
        let secret = SecretString::from(secret);
        secrets::stage(&self.services, &self.admin, &self.id, &secret, "").await
    }

    /// Binds a consumer behind the services' back, as the other edition would have.
    async fn plant(&self, consumer: Consumer) -> AppResult<()> {
        let mut unit = self.services.begin(demo::TENANT).await?;
        let binding = Binding {
            tenant_id: demo::TENANT,
            consumer,
            profile_id: self.profile_id(),
            updated_by: demo::ADMIN,
            updated_at: self.services.now(),
        };
        let set = unit.set_binding(&binding).await;
        let saved = match set {
            Ok(()) => unit.save().await,
            Err(error) => Err(error),
        };
        saved.map_err(|error| AppError::new(ErrorCode::Conflict, error.to_string()))
    }

    async fn unplant(&self, consumer: Consumer) {
        let mut unit = self.services.begin(demo::TENANT).await.unwrap();
        unit.clear_binding(demo::TENANT, consumer).await.unwrap();
        unit.save().await.unwrap();
    }

    async fn check(&self, name: &str) -> CheckView {
        let checks = self.detail().await.checks;
        checks.into_iter().find(|check| check.name == name).unwrap()
    }

    async fn active(&self) -> String {
        let mut unit = self.services.read(demo::TENANT).await.unwrap();
        let found = unit.find_profile(demo::TENANT, self.profile_id()).await;
        let row = found.unwrap().unwrap();
        let secret = profiles::active_secret(&self.services, &row).unwrap();
        secret.expose_secret().to_owned()
    }
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: AppResult<T>, code: ErrorCode) -> AppError {
    let error = result.unwrap_err();
    assert_eq!(error.code, code, "{error:?}");
    error
}

/// Optimistic lock (F8): the later of two edits learns who was first and what differs; a second try from
/// the current version is stored.
async fn a_stale_edit_changes_nothing_and_says_who_was_first(w: World) {
    w.edit(1, "Contoso", DIRECTORY).await.unwrap();
    let error = refused(w.edit(1, "Fabrikam", DIRECTORY).await, ErrorCode::Conflict);
    assert!(
        error.message.contains(&w.admin.user.display_name),
        "{error:?}"
    );
    let name = error.field_message("display_name").unwrap();
    assert!(
        name.contains("Contoso") && name.contains("Fabrikam"),
        "{name}"
    );
    assert!(error.field_message("client_id").is_none(), "{error:?}");
    assert_eq!(w.detail().await.profile.display_name, "Contoso");
    let current = w.version().await;
    w.edit(current, "Fabrikam", DIRECTORY).await.unwrap();
    assert_eq!(w.detail().await.profile.display_name, "Fabrikam");
}

/// M-08, W63: visible consumers are named, hidden ones counted without a name; unbound, it is archived, restored and
/// deleted, and an archived profile cannot be bound or edited.
async fn what_is_bound_is_neither_archived_nor_deleted(w: World) {
    let (s, a, id) = (&w.services, &w.admin, w.id.as_str());
    let hidden = [Consumer::Email, Consumer::Calendar, Consumer::Teams];
    for consumer in hidden.into_iter().chain([Consumer::MspSso]) {
        w.plant(consumer).await.unwrap();
        let archive = refused(profiles::archive(s, a, id, 1).await, ErrorCode::Conflict);
        let delete = refused(
            profiles::delete(s, a, id, 1, "Main").await,
            ErrorCode::Conflict,
        );
        let words = if consumer == Consumer::MspSso {
            "MSP SSO"
        } else {
            "an Enterprise feature"
        };
        for error in [&archive, &delete] {
            assert!(error.message.contains(words), "{error:?}");
            assert!(error.next_step.is_some(), "{error:?}");
            let text = error.message.to_lowercase();
            assert!(
                !["calendar", "email", "teams"]
                    .iter()
                    .any(|word| text.contains(word)),
                "{text}"
            );
        }
        assert!(w.detail().await.in_use.unwrap().contains(words));
        w.unplant(consumer).await;
    }
    profiles::archive(s, a, id, 1).await.unwrap();
    assert_eq!(w.detail().await.profile.standing, Standing::Off);
    refused(w.plant(Consumer::MspSso).await, ErrorCode::Conflict);
    let version = w.version().await;
    refused(
        w.edit(version, "Other", DIRECTORY).await,
        ErrorCode::Conflict,
    );
    profiles::restore(s, a, id, version).await.unwrap();
    let version = w.version().await;
    let wrong = profiles::delete(s, a, id, version, "main").await;
    assert!(wrong.unwrap_err().field_message("confirm_name").is_some());
    profiles::delete(s, a, id, version, "Main").await.unwrap();
    refused(profiles::detail(s, a, id).await, ErrorCode::NotFound);
}

/// M-08: of a binding and an archiving at the same moment one is refused, with the reason and not the database's words.
async fn a_binding_and_an_archiving_at_once_never_both_succeed(w: World) {
    for _ in 0..10 {
        let version = w.version().await;
        let (bound, archived) = tokio::join!(
            w.plant(Consumer::MspSso),
            profiles::archive(&w.services, &w.admin, &w.id, version),
        );
        assert!(bound.is_ok() != archived.is_ok(), "{bound:?} {archived:?}");
        match archived {
            Err(error) => assert!(error.message.contains("MSP SSO"), "{error:?}"),
            Ok(()) => {
                let version = w.version().await;
                profiles::restore(&w.services, &w.admin, &w.id, version)
                    .await
                    .unwrap();
            }
        }
        w.unplant(Consumer::MspSso).await;
    }
}

/// Two secrets (S11): one Microsoft refuses is not stored; an accepted one changes nothing until the switch; one click
/// goes back. M-19, W37: no view and no audit row holds a value.
async fn a_new_secret_is_proven_before_it_counts(w: World) {
    let (s, a, id) = (&w.services, &w.admin, w.id.as_str());
    let wrong = w.stage("not-the-right-secret").await.unwrap_err();
    assert!(wrong.field_message("client_secret").is_some(), "{wrong:?}");
    assert!(w.detail().await.next.is_none());
    let secret_id = w.stage("8f0f6b1c-0000-4000-8000-00000000000a").await;
    assert!(
        secret_id
            .unwrap_err()
            .field_message("client_secret")
            .is_some()
    );
    w.stage(RIGHT).await.unwrap();
    assert_eq!(w.active().await, OLD);
    assert!(w.detail().await.next.unwrap().usable);
    let version = w.version().await;
    secrets::switch(s, a, id, version, 24).await.unwrap();
    assert_eq!(w.active().await, RIGHT);
    assert!(w.detail().await.previous.unwrap().usable);
    let version = w.version().await;
    secrets::switch_back(s, a, id, version).await.unwrap();
    assert_eq!(w.active().await, OLD);
    let mut unit = s.read(demo::TENANT).await.unwrap();
    let log = unit.list_audit(demo::TENANT, 50).await.unwrap();
    let told = format!(
        "{} {}",
        serde_json::to_string(&w.detail().await).unwrap(),
        log.iter()
            .map(|row| row.detail.to_string())
            .collect::<String>()
    );
    assert!(
        log.iter()
            .any(|row| row.action == "profile.secret_switched")
    );
    for value in [OLD, RIGHT] {
        assert!(!told.contains(value), "a secret is told");
    }
}

/// After the overlap the previous secret is destroyed by the background job, not before, and nobody goes back to it.
async fn the_previous_secret_ends_with_its_overlap(w: World) {
    let (s, a, id) = (&w.services, &w.admin, w.id.as_str());
    w.stage(RIGHT).await.unwrap();
    let version = w.version().await;
    secrets::switch(s, a, id, version, 1).await.unwrap();
    let due = async || {
        let mut unit = s.store.begin(Scope::System).await.unwrap();
        let until = s.now() + TimeDelta::minutes(1);
        let jobs = unit.claim_jobs(upkeep::KINDS, 5, s.now(), until).await;
        unit.save().await.unwrap();
        jobs.unwrap()
    };
    assert!(due().await.is_empty());
    w.clock.0.store(3_601, Ordering::Relaxed);
    let jobs = due().await;
    assert_eq!(jobs.len(), 1);
    upkeep::run(s, &jobs[0]).await.unwrap();
    let mut unit = s.read(demo::TENANT).await.unwrap();
    let left = unit.list_secrets(demo::TENANT, w.profile_id()).await;
    assert!(left.unwrap().is_empty());
    let version = w.version().await;
    refused(
        secrets::switch_back(s, a, id, version).await,
        ErrorCode::Conflict,
    );
    assert_eq!(w.active().await, RIGHT);
}

/// S10: a wrong secret and an unknown directory each say what is wrong and where in Entra; what works says so, and a
/// sign-in nobody made is not called proven.
async fn each_failed_step_says_cause_and_place(w: World) {
    verify::run(&w.services, &w.admin, &w.id).await.unwrap();
    let wrong = w.check(verify::CREDENTIALS).await;
    assert_eq!(wrong.standing, Standing::Failed);
    assert!(
        wrong.place.is_some() && wrong.next_step.is_some(),
        "{wrong:?}"
    );
    assert!(
        wrong.ids.iter().any(|(_, id)| id == "AADSTS7000215"),
        "{wrong:?}"
    );
    assert_eq!(w.detail().await.profile.standing, Standing::Failed);
    w.stage(RIGHT).await.unwrap();
    let version = w.version().await;
    secrets::switch(&w.services, &w.admin, &w.id, version, 24)
        .await
        .unwrap();
    assert_eq!(w.detail().await.profile.standing, Standing::Working);
    assert_eq!(
        w.check("sign_in.msp_sso").await.standing,
        Standing::NotTested
    );
    let version = w.version().await;
    let other = Uuid::from_u128(0x0fff_0000_4000_8000_0000_0000_0001).to_string();
    w.edit(version, "Main", &other).await.unwrap();
    assert_eq!(w.check(verify::TENANT).await.standing, Standing::NotTested);
    verify::run(&w.services, &w.admin, &w.id).await.unwrap();
    assert_eq!(w.check(verify::TENANT).await.standing, Standing::Failed);
}

/// While Microsoft cannot be reached, the last known result stays and is said to be old.
async fn an_outage_keeps_the_last_known_result(w: World) {
    verify::run(&w.services, &w.admin, &w.id).await.unwrap();
    assert_eq!(w.check(verify::TENANT).await.standing, Standing::Working);
    let World {
        services,
        fakes,
        admin,
        id,
        ..
    } = w;
    fakes.stop();
    verify::run(&services, &admin, &id).await.unwrap();
    let detail = profiles::detail(&services, &admin, &id).await.unwrap();
    let tenant = detail
        .checks
        .iter()
        .find(|check| check.name == verify::TENANT);
    let tenant = tenant.unwrap();
    assert_eq!(tenant.standing, Standing::Working);
    assert!(tenant.text.contains("could not be reached"), "{tenant:?}");
}

/// W34: a technician neither reads nor changes profiles, and nothing is changed by trying.
async fn only_administrators_change_profiles(w: World) {
    let (s, t, id) = (&w.services, &w.tech, w.id.as_str());
    let code = ErrorCode::Forbidden;
    refused(profiles::create(s, t, input("Mine", RIGHT)).await, code);
    refused(profiles::archive(s, t, id, 1).await, code);
    refused(profiles::restore(s, t, id, 1).await, code);
    refused(profiles::delete(s, t, id, 1, "Main").await, code);
    refused(verify::run(s, t, id).await, code);
    refused(
        secrets::stage(s, t, id, &SecretString::from(RIGHT), "").await,
        code,
    );
    refused(secrets::switch(s, t, id, 1, 24).await, code);
    refused(secrets::switch_back(s, t, id, 1).await, code);
    refused(secrets::discard(s, t, id, "next").await, code);
    refused(profiles::detail(s, t, id).await, code);
    assert_eq!(w.version().await, 1);
}

/// The cloud of a profile says which log-in host is asked, and no other is; a change of it is told with before and after,
/// outdates what the other cloud said, and a wrong word changes nothing.
async fn the_cloud_says_whom_to_ask(w: World) {
    let asked = |fakes: &FakeProviders| fakes.counters().values().sum::<u64>();
    verify::run(&w.services, &w.admin, &w.id).await.unwrap();
    let (global, china) = (asked(&w.fakes), asked(&w.china));
    assert!(global > 0 && china == 0);
    assert_eq!(w.detail().await.cloud, "global");
    let edit = |version, cloud: &str| ProfileEdit {
        version,
        display_name: "Main".to_owned(),
        client_id: CLIENT.to_owned(),
        directory_id: DIRECTORY.to_owned(),
        cloud: cloud.to_owned(),
        secret_expires_on: String::new(),
    };
    let update =
        async |edit| profiles::update(&w.services, &CommunityPort, &w.admin, &w.id, edit).await;
    let error = update(edit(1, "germany")).await.unwrap_err();
    assert!(error.field_message("cloud").is_some(), "{error:?}");
    update(edit(1, "china")).await.unwrap();
    assert_eq!(w.detail().await.cloud, "china");
    assert_eq!(w.check(verify::TENANT).await.standing, Standing::NotTested);
    verify::run(&w.services, &w.admin, &w.id).await.unwrap();
    assert_eq!(w.check(verify::TENANT).await.standing, Standing::Working);
    assert_eq!(asked(&w.fakes), global, "nothing more goes there");
    assert!(asked(&w.china) > 0);
    let more = w.check(verify::CREDENTIALS).await.more;
    assert!(more.is_some_and(|more| more.starts_with(w.china.base_url.as_str())));

    let stale = update(edit(1, "us_gov_high")).await.unwrap_err();
    let told = stale.field_message("cloud").unwrap();
    assert!(
        told.contains("21Vianet") && told.contains("GCC High"),
        "{told}"
    );
    let mut unit = w.services.read(demo::TENANT).await.unwrap();
    let log = unit.list_audit(demo::TENANT, 50).await.unwrap();
    let row = log.iter().find(|row| row.action == "profile.updated");
    let detail = &row.unwrap().detail;
    assert_eq!(
        (&detail["before"]["cloud"], &detail["after"]["cloud"]),
        (&"global".into(), &"china".into())
    );
}
