//! Sign-in limits, discovery by login domain, sessions and passwords through their services, on both databases, with two
//! servers on one database.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use daybind_domain::ids::{LoginDomainId, TenantId, UserId};
use daybind_domain::login_domain::ClaimStatus;
use daybind_domain::user::{Role, UserType, normalise_email};
use daybind_domain::{Edition, ErrorCode};
use daybind_services::auth::Client;
use daybind_services::discovery::{self, Discovery};
use daybind_services::{
    Actor, AppError, Clock, CommunityPort, Endpoints, Keyring, Services, SystemClock, auth,
    bindings, demo, flow, limits, login_domains, outbound, passwords, profiles, sessions,
};
use daybind_storage::{AuditRow, LoginDomain, NewUser, Store, Tenant, User};
use daybind_storage_postgres::PgStore;
use daybind_storage_sqlite::SqliteStore;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;
use uuid::Uuid;

/// Runs a test on SQLite and on PostgreSQL; each gets two servers on one database.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let files = tempfile::tempdir().unwrap();
                let path = files.path().join("db");
                let one = super::SqliteStore::open(&path).await.unwrap();
                let two = super::SqliteStore::open(&path).await.unwrap();
                let world = super::World::new(std::sync::Arc::new(one), std::sync::Arc::new(two));
                super::$name(world.await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let url = daybind_storage_postgres::testing::database_url().await;
                let one = super::PgStore::connect(&url).await.unwrap();
                let two = super::PgStore::connect(&url).await.unwrap();
                let world = super::World::new(std::sync::Arc::new(one), std::sync::Arc::new(two));
                super::$name(world.await).await;
            })+
        }
    };
}

on_both! {
    limits_hold_over_two_servers,
    an_office_signs_in_at_nine,
    strangers_keep_nobody_out_who_was_here_before,
    discovery_is_limited_by_address,
    unknown_and_known_domains_answer_alike,
    a_domain_leads_by_the_editions_rule,
    the_list_is_kept_by_administrators,
    the_tester_tells_of_the_own_msp_only,
    a_session_ends_on_every_server,
    sessions_of_others_are_the_administrators,
    a_new_password_ends_the_other_sessions,
    the_command_line_sets_a_password,
    administrators_keep_their_password,
    a_round_trip_keeps_what_it_was_begun_with,
}

#[derive(Default)]
struct ShiftedClock(AtomicI64);

impl Clock for ShiftedClock {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + TimeDelta::seconds(self.0.load(Ordering::Relaxed))
    }
}

struct World {
    /// One server.
    one: Services,
    /// Another one on the same database.
    two: Services,
    clock: Arc<ShiftedClock>,
    admin: Actor,
}

const ADMIN: &str = "admin@demo.daybind.test";
const TESS: &str = "tess@demo.daybind.test";

fn address(text: &str) -> Option<IpAddr> {
    Some(text.parse().unwrap())
}

fn password() -> SecretString {
    SecretString::from(demo::PASSWORD)
}

impl World {
    async fn new(one: Arc<dyn Store>, two: Arc<dyn Store>) -> Self {
        one.migrate().await.unwrap();
        let clock = Arc::new(ShiftedClock::default());
        let one = Services {
            edition: Edition::Community,
            guides: daybind_services::guide::COMMUNITY,
            wording: daybind_services::audit::COMMUNITY,
            store: one,
            keyring: Arc::new(Keyring::parse(&Keyring::generate()).unwrap()),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            public_url: Url::parse("http://127.0.0.1:3000").unwrap(),
            endpoints: Arc::new(Endpoints::from_env(&|_| None).unwrap()),
            http: outbound::client(&Endpoints::from_env(&|_| None).unwrap()).unwrap(),
            wake: Arc::default(),
            live: daybind_services::live::Live::default(),
            issuers: Arc::default(),
        };
        let two = Services {
            store: two,
            ..one.clone()
        };
        demo::seed(&one).await.unwrap();
        let admin = actor(&one, ADMIN).await;
        Self {
            one,
            two,
            clock,
            admin,
        }
    }

    fn later(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds, Ordering::Relaxed);
    }

    /// Another MSP with an administrator of that address.
    async fn other_msp(&self, email: &str) -> (TenantId, UserId) {
        let tenant_id = TenantId(Uuid::new_v4());
        let user_id = UserId(Uuid::new_v4());
        let mut unit = self.one.begin(tenant_id).await.unwrap();
        let row = Tenant {
            tenant_id,
            name: "Hidden Other MSP".to_owned(),
            time_zone: "UTC".to_owned(),
        };
        unit.add_tenant(&row, self.one.now()).await.unwrap();
        let user = User {
            tenant_id,
            user_id,
            email: email.to_owned(),
            display_name: "Otto Other".to_owned(),
            user_type: UserType::Internal,
            role: Role::Admin,
            is_active: true,
            time_zone: "UTC".to_owned(),
        };
        let new = NewUser {
            user,
            email_normalized: normalise_email(email),
            password_hash: Some(auth::hash_password(password()).await.unwrap()),
        };
        unit.add_user(&new, self.one.now()).await.unwrap();
        unit.save().await.unwrap();
        (tenant_id, user_id)
    }

    /// Lists a domain behind the services' back.
    async fn plant(&self, tenant_id: TenantId, by: UserId, domain: &str, status: ClaimStatus) {
        self.later(1);
        let now = self.one.now();
        let row = LoginDomain {
            tenant_id,
            domain_id: LoginDomainId(Uuid::new_v4()),
            domain: domain.to_owned(),
            status,
            status_changed_at: now,
            status_changed_by: Some(by),
            verified_at: (status == ClaimStatus::Verified).then_some(now),
            version: 1,
            created_by: by,
            created_at: now,
        };
        let mut unit = self.one.begin(tenant_id).await.unwrap();
        unit.add_login_domain(&row).await.unwrap();
        unit.save().await.unwrap();
    }

    /// Binds MSP SSO to a new profile.
    async fn bind(&self) {
        let input = profiles::ProfileInput {
            display_name: "Main".to_owned(),
            client_id: Uuid::new_v4().to_string(),
            directory_id: "contoso.example".to_owned(),
            cloud: String::new(),
            client_secret: SecretString::from("very-secret-value"),
            secret_expires_on: String::new(),
        };
        let id = profiles::create(&self.one, &self.admin, input)
            .await
            .unwrap()
            .to_string();
        bindings::set_binding(&self.one, &CommunityPort, &self.admin, "msp_sso", &id)
            .await
            .unwrap();
    }

    async fn audit(&self) -> Vec<AuditRow> {
        let mut unit = self.one.read(demo::TENANT).await.unwrap();
        unit.list_audit(demo::TENANT, 1000).await.unwrap()
    }

    async fn noted(&self, action: &str) -> usize {
        let rows = self.audit().await;
        rows.iter().filter(|row| row.action == action).count()
    }

    async fn sign_in_as_form(
        &self,
        server: &Services,
        from: &str,
        email: &str,
        word: &str,
    ) -> Result<SecretString, AppError> {
        limits::sign_in(server, address(from), email).await?;
        let client = Client {
            address: address(from),
            ..Client::default()
        };
        let token = auth::sign_in(server, email, SecretString::from(word), &client).await?;
        limits::signed_in(server, address(from), email).await?;
        Ok(token)
    }
}

async fn cookie(services: &Services, email: &str) -> SecretString {
    auth::sign_in(services, email, password(), &Client::default())
        .await
        .unwrap()
}

async fn who(services: &Services, cookie: &SecretString) -> Option<Actor> {
    auth::authenticate(services, cookie.expose_secret(), None)
        .await
        .unwrap()
}

async fn actor(services: &Services, email: &str) -> Actor {
    who(services, &cookie(services, email).await).await.unwrap()
}

/// M-29: tries of one account from one address are counted over both servers; the refusal says how long to wait, is the
/// same for people who do not exist, and concerns neither other addresses nor other accounts.
async fn limits_hold_over_two_servers(world: World) {
    for email in [TESS, "nobody@nowhere.example"] {
        let burst = usize::from(limits::SIGN_IN_ACCOUNT_ADDRESS.burst);
        for n in 0..burst {
            let server = if n % 2 == 0 { &world.one } else { &world.two };
            let tried = world
                .sign_in_as_form(server, "192.0.2.1", email, "wrong")
                .await;
            assert_eq!(
                tried.unwrap_err().code,
                ErrorCode::SignedOut,
                "{email} try {n}"
            );
        }
        for server in [&world.one, &world.two] {
            // Even the right password is not looked at any more.
            let refused = world
                .sign_in_as_form(server, "192.0.2.1", email, demo::PASSWORD)
                .await
                .unwrap_err();
            assert_eq!(refused.code, ErrorCode::RateLimited);
            let wait = refused.retry_after.unwrap();
            let most = u64::from(limits::SIGN_IN_ACCOUNT_ADDRESS.every_seconds);
            assert!((1..=most).contains(&wait), "{wait}");
            assert!(refused.next_step.unwrap().contains("Wait"));
        }
    }
    limits::sign_in(&world.two, address("192.0.2.2"), TESS)
        .await
        .unwrap();
    limits::sign_in(&world.two, address("192.0.2.1"), ADMIN)
        .await
        .unwrap();
    world.later(i64::from(limits::SIGN_IN_ACCOUNT_ADDRESS.every_seconds));
    world
        .sign_in_as_form(&world.two, "192.0.2.1", TESS, demo::PASSWORD)
        .await
        .unwrap();
}

/// M-29: only failures use a limit up: an office behind one address signs in as often as it likes.
async fn an_office_signs_in_at_nine(world: World) {
    for _ in 0..usize::from(limits::SIGN_IN_ADDRESS.burst) + 5 {
        limits::sign_in(&world.one, address("192.0.2.1"), TESS)
            .await
            .unwrap();
        limits::signed_in(&world.two, address("192.0.2.1"), TESS)
            .await
            .unwrap();
    }
}

/// M-29: strangers on many addresses use an account's limit up, and are refused from then on; the owner still gets in from
/// where they signed in before.
async fn strangers_keep_nobody_out_who_was_here_before(world: World) {
    let office = "198.51.100.7";
    world
        .sign_in_as_form(&world.one, office, ADMIN, demo::PASSWORD)
        .await
        .unwrap();
    let mut refused = 0;
    for host in 1..=20 {
        for _ in 0..6 {
            let from = format!("203.0.113.{host}");
            let tried = world.sign_in_as_form(&world.two, &from, ADMIN, "x").await;
            refused += usize::from(tried.unwrap_err().code == ErrorCode::RateLimited);
        }
    }
    assert!(
        refused >= 50,
        "{refused} of 120 tries never reached the password"
    );
    world
        .sign_in_as_form(&world.two, office, ADMIN, demo::PASSWORD)
        .await
        .unwrap();
    let elsewhere = world
        .sign_in_as_form(&world.one, "203.0.113.99", ADMIN, demo::PASSWORD)
        .await
        .unwrap_err();
    assert_eq!(elsewhere.code, ErrorCode::RateLimited);
}

/// M-29: questions about addresses are limited by where they come from, over both servers.
async fn discovery_is_limited_by_address(world: World) {
    for n in 0..limits::DISCOVERY_ADDRESS.burst {
        let server = if n % 2 == 0 { &world.one } else { &world.two };
        limits::discovery(server, address("2001:db8:1:2::1"))
            .await
            .unwrap();
    }
    // Another address of the same network is the same customer.
    let refused = limits::discovery(&world.two, address("2001:db8:1:2::ffff"))
        .await
        .unwrap_err();
    assert!(refused.retry_after.is_some());
    limits::discovery(&world.two, address("2001:db8:1:3::1"))
        .await
        .unwrap();
    world.later(3600);
    assert!(limits::purge(&world.one).await.unwrap() > 0);
}

/// M-29: an unknown domain, a malformed address and a known domain without a ready profile take the same least time, and
/// the first two the same answer.
async fn unknown_and_known_domains_answer_alike(world: World) {
    login_domains::add(&world.one, &world.admin, "contoso.com")
        .await
        .unwrap();
    let nothing = Discovery::default();
    for (email, expected) in [
        ("ada@unknown.example", nothing),
        ("not an address", nothing),
        ("", nothing),
        (
            "ada@contoso.com",
            Discovery {
                tenant_id: Some(demo::TENANT),
                microsoft_ready: false,
            },
        ),
    ] {
        let begun = std::time::Instant::now();
        assert_eq!(
            discovery::discover(&world.two, email).await.unwrap(),
            expected,
            "{email}"
        );
        assert!(begun.elapsed() >= discovery::LEAST_TIME, "{email}");
    }
    world.bind().await;
    assert!(
        discovery::discover(&world.two, "Ada@CONTOSO.com")
            .await
            .unwrap()
            .microsoft_ready
    );
}

/// W36: in Enterprise only a verified row counts, whatever others list, ask for or give up; in Community a contested domain
/// leads to the MSP that has the person, and otherwise to the one that was first.
async fn a_domain_leads_by_the_editions_rule(world: World) {
    let (other, otto) = world.other_msp("otto@contoso.com").await;
    world
        .plant(
            demo::TENANT,
            demo::ADMIN,
            "contoso.com",
            ClaimStatus::Advisory,
        )
        .await;
    world
        .plant(other, otto, "contoso.com", ClaimStatus::Pending)
        .await;
    let leads = async |edition: Edition, email: &str| {
        let services = Services {
            edition,
            ..world.two.clone()
        };
        discovery::discover(&services, email)
            .await
            .unwrap()
            .tenant_id
    };
    assert_eq!(
        leads(Edition::Community, "new@contoso.com").await,
        Some(demo::TENANT)
    );
    assert_eq!(
        leads(Edition::Community, "otto@contoso.com").await,
        Some(other)
    );
    assert_eq!(leads(Edition::Enterprise, "otto@contoso.com").await, None);
    let status = async |tenant_id: TenantId, status: ClaimStatus| {
        let mut unit = world.one.begin(tenant_id).await.unwrap();
        let rows = unit.list_login_domains(tenant_id).await.unwrap();
        let row = LoginDomain {
            status,
            verified_at: (status == ClaimStatus::Verified).then(|| world.one.now()),
            ..rows[0].clone()
        };
        unit.update_login_domain(&row).await.unwrap();
        unit.save().await.unwrap();
    };
    status(demo::TENANT, ClaimStatus::Verified).await;
    for theirs in [
        ClaimStatus::Pending,
        ClaimStatus::Rejected,
        ClaimStatus::Revoked,
        ClaimStatus::Advisory,
    ] {
        status(other, theirs).await;
        for edition in [Edition::Enterprise, Edition::Community] {
            assert_eq!(
                leads(edition, "otto@contoso.com").await,
                Some(demo::TENANT),
                "{theirs:?}"
            );
        }
    }
    status(demo::TENANT, ClaimStatus::Revoked).await;
    assert_eq!(leads(Edition::Enterprise, "new@contoso.com").await, None);
    assert_eq!(
        leads(Edition::Community, "new@contoso.com").await,
        Some(other)
    );
}

/// Only administrators change the list; each change is in the audit log; that others list a domain is said without saying
/// who.
async fn the_list_is_kept_by_administrators(world: World) {
    let (other, otto) = world.other_msp("otto@other.example").await;
    world
        .plant(other, otto, "contoso.com", ClaimStatus::Advisory)
        .await;
    for refused in [TESS, "client@demo.daybind.test"] {
        let person = actor(&world.one, refused).await;
        let code = login_domains::add(&world.one, &person, "contoso.com")
            .await
            .unwrap_err()
            .code;
        assert_eq!(code, ErrorCode::Forbidden);
    }
    for wrong in ["", "com", "gmail.com", "co.uk", "10.0.0.1", "a b.com"] {
        let error = login_domains::add(&world.one, &world.admin, wrong)
            .await
            .unwrap_err();
        assert_eq!(error.fields[0].field, "domain", "{wrong}");
    }
    login_domains::add(&world.one, &world.admin, "https://Contoso.com/")
        .await
        .unwrap();
    let twice = login_domains::add(&world.one, &world.admin, "contoso.com").await;
    assert_eq!(twice.unwrap_err().fields[0].field, "domain");
    let list = login_domains::list(&world.one, &world.admin).await.unwrap();
    assert_eq!(list.domains.len(), 1);
    let row = &list.domains[0];
    assert_eq!(
        (row.domain.as_str(), row.contested, row.people),
        ("contoso.com", true, 0)
    );
    let said = serde_json::to_string(&list).unwrap();
    for hidden in ["Hidden Other", "Otto", &other.to_string()] {
        assert!(!said.contains(hidden), "{hidden} in {said}");
    }
    // Another MSP's row is as good as none.
    let mut unit = world.one.read(other).await.unwrap();
    let theirs = unit.list_login_domains(other).await.unwrap()[0].domain_id;
    drop(unit);
    let gone = login_domains::remove(&world.one, &world.admin, &theirs.to_string()).await;
    assert_eq!(gone.unwrap_err().code, ErrorCode::NotFound);
    login_domains::remove(&world.one, &world.admin, &row.domain_id)
        .await
        .unwrap();
    assert_eq!(world.noted("login_domain.added").await, 1);
    assert_eq!(world.noted("login_domain.removed").await, 1);
}

/// The tester says what will happen and why, and nothing of other MSPs or their people.
async fn the_tester_tells_of_the_own_msp_only(world: World) {
    let (other, otto) = world.other_msp("otto@fabrikam.com").await;
    world
        .plant(other, otto, "fabrikam.com", ClaimStatus::Advisory)
        .await;
    world
        .plant(
            demo::TENANT,
            demo::ADMIN,
            "daybind.test",
            ClaimStatus::Advisory,
        )
        .await;
    world
        .plant(
            demo::TENANT,
            demo::ADMIN,
            "demo.daybind.test",
            ClaimStatus::Advisory,
        )
        .await;
    let ask = async |address: &str| {
        login_domains::test(&world.one, &world.admin, address)
            .await
            .unwrap()
    };
    let (known, unknown) = (
        ask("otto@fabrikam.com").await,
        ask("x@nobody.example").await,
    );
    assert_eq!(known.provider, unknown.provider);
    assert_eq!(known.source, unknown.source);
    let alike = |words: &[String]| words.join(" ").replace("fabrikam.com", "nobody.example");
    assert_eq!(alike(&known.why), alike(&unknown.why));
    assert_eq!(ask(TESS).await.provider, "Password");
    world.bind().await;
    let ready = ask(TESS).await;
    assert_eq!(ready.provider, "Microsoft");
    assert!(ready.why.iter().any(|why| why.contains("may sign in")));
    let client = ask("client@demo.daybind.test").await;
    assert!(
        client.why.iter().any(|why| why.contains("refused here")),
        "{client:?}"
    );
    let malformed = login_domains::test(&world.one, &world.admin, "x").await;
    assert_eq!(malformed.unwrap_err().fields[0].field, "address");
}

/// M-26: a session that is ended, by its owner, by signing out or by a newer one, is over on the other server with the next
/// request; its token is kept as a hash only.
async fn a_session_ends_on_every_server(world: World) {
    let first = cookie(&world.one, TESS).await;
    let second = cookie(&world.one, TESS).await;
    let tess = who(&world.two, &first).await.unwrap();
    let list = sessions::list(&world.one, &tess, "").await.unwrap();
    assert_eq!(list.sessions.len(), 2);
    assert_eq!(list.sessions.iter().filter(|row| row.current).count(), 1);
    assert!(
        list.people.is_empty(),
        "technicians choose from nobody else"
    );
    let other = list.sessions.iter().find(|row| !row.current).unwrap();
    sessions::end(&world.one, &tess, "", &other.session_id)
        .await
        .unwrap();
    assert!(who(&world.two, &second).await.is_none());
    let again = sessions::end(&world.two, &tess, "", &other.session_id).await;
    assert_eq!(again.unwrap_err().code, ErrorCode::NotFound);
    let own = sessions::end(&world.two, &tess, "", &tess.session_id.to_string()).await;
    assert_eq!(own.unwrap_err().code, ErrorCode::Conflict);
    // The browser signs in anew: what it had before is worth nothing.
    let client = Client {
        cookie: Some(first.clone()),
        ..Client::default()
    };
    let third = auth::sign_in(&world.one, TESS, password(), &client)
        .await
        .unwrap();
    assert!(who(&world.two, &first).await.is_none());
    let tess = who(&world.two, &third).await.unwrap();
    auth::sign_out(&world.one, &tess).await.unwrap();
    assert!(who(&world.two, &third).await.is_none());
    assert_eq!(world.noted("session.revoked").await, 1);
    assert_eq!(world.noted("session.replaced").await, 1);
    assert_eq!(world.noted("session.closed").await, 1);
    // Long unused ones end by themselves.
    let fourth = cookie(&world.one, TESS).await;
    world.later(auth::SESSION_IDLE.num_seconds());
    assert!(who(&world.two, &fourth).await.is_none());
}

/// Administrators see and end everybody's sessions of their MSP; technicians their own only; nobody another MSP's.
async fn sessions_of_others_are_the_administrators(world: World) {
    let (_, otto) = world.other_msp("otto@other.example").await;
    let tess = actor(&world.one, TESS).await;
    let tess_id = tess.user_id().to_string();
    let seen = sessions::list(&world.two, &world.admin, &tess_id)
        .await
        .unwrap();
    assert_eq!(seen.sessions.len(), 1);
    assert!(seen.can_end);
    let admin_id = world.admin.user_id().to_string();
    let denied = sessions::list(&world.one, &tess, &admin_id).await;
    assert_eq!(denied.unwrap_err().code, ErrorCode::Forbidden);
    let denied = sessions::end_others(&world.one, &tess, &admin_id).await;
    assert_eq!(denied.unwrap_err().code, ErrorCode::Forbidden);
    for foreign in [otto.to_string(), Uuid::new_v4().to_string()] {
        let gone = sessions::end_others(&world.one, &world.admin, &foreign).await;
        assert_eq!(gone.unwrap_err().code, ErrorCode::NotFound);
    }
    let ended = sessions::end_others(&world.one, &world.admin, &tess_id).await;
    assert_eq!(ended.unwrap(), 1);
    assert_eq!(world.noted("session.revoked").await, 1);
    let client = actor(&world.one, "client@demo.daybind.test").await;
    let denied = sessions::list(&world.one, &client, "").await;
    assert_eq!(denied.unwrap_err().code, ErrorCode::Forbidden);
}

/// M-26: changing one's password ends the other sessions on both servers and is limited in rate.
async fn a_new_password_ends_the_other_sessions(world: World) {
    let (here, elsewhere) = (
        cookie(&world.one, TESS).await,
        cookie(&world.two, TESS).await,
    );
    let tess = who(&world.one, &here).await.unwrap();
    let change = async |current: &str, new: &str, repeated: &str| {
        let repeated = SecretString::from(repeated);
        passwords::change_own(&world.one, &tess, current.into(), new.into(), &repeated).await
    };
    let new = "correct horse battery";
    for (current, wanted, repeated, field) in [
        (demo::PASSWORD, new, "something else", "repeated"),
        (demo::PASSWORD, "short", "short", "new"),
        ("wrong", new, new, "current"),
    ] {
        let error = change(current, wanted, repeated).await.unwrap_err();
        assert_eq!(error.fields[0].field, field);
    }
    assert!(who(&world.two, &elsewhere).await.is_some());
    change(demo::PASSWORD, new, new).await.unwrap();
    assert!(who(&world.two, &elsewhere).await.is_none());
    assert!(who(&world.two, &here).await.is_some());
    let old = auth::sign_in(&world.two, TESS, password(), &Client::default()).await;
    assert_eq!(old.unwrap_err().code, ErrorCode::SignedOut);
    let rows = world.audit().await;
    let row = rows
        .iter()
        .find(|row| row.action == "password.changed")
        .unwrap();
    assert_eq!(row.detail["password"], "changed");
    assert!(!format!("{rows:?}").contains(new));
    for _ in 0..usize::from(limits::PASSWORD_CHANGE.burst) {
        let _ = change("wrong", new, new).await;
    }
    let limited = change(new, "another horse battery", "another horse battery").await;
    assert_eq!(limited.unwrap_err().code, ErrorCode::RateLimited);
}

/// The break-glass command replaces a password and ends every session of that person; it needs the MSP's name where several
/// have the address.
async fn the_command_line_sets_a_password(world: World) {
    let new = "a way in without anybody";
    let before = cookie(&world.one, ADMIN).await;
    let set = async |email: &str, tenant: Option<&str>, word: &str| {
        passwords::set_from_command_line(&world.two, email, tenant, word.into()).await
    };
    assert_eq!(
        set("nobody@x.example", None, new).await.unwrap_err().code,
        ErrorCode::NotFound
    );
    assert_eq!(
        set(ADMIN, None, "short").await.unwrap_err().fields[0].field,
        "password"
    );
    set("Admin@Demo.Daybind.test", None, new).await.unwrap();
    assert!(who(&world.one, &before).await.is_none());
    auth::sign_in(&world.one, ADMIN, new.into(), &Client::default())
        .await
        .unwrap();
    world.other_msp(ADMIN).await;
    let unclear = set(ADMIN, None, new).await.unwrap_err();
    assert_eq!(unclear.code, ErrorCode::Conflict);
    set(ADMIN, Some("Hidden Other MSP"), "yet another horse battery")
        .await
        .unwrap();
    auth::sign_in(&world.one, ADMIN, new.into(), &Client::default())
        .await
        .unwrap();
    assert_eq!(world.noted("password.set").await, 1);
}

/// Passwords of technicians are switched off only once signing in through Microsoft is known to work; administrators keep
/// theirs whatever happens, and technicians get theirs back when MSP SSO stops being ready.
async fn administrators_keep_their_password(world: World) {
    let try_in = async |email: &str| {
        auth::sign_in(&world.two, email, password(), &Client::default())
            .await
            .map_err(|error| error.code)
    };
    let off = async || passwords::set_rule(&world.one, &world.admin, false).await;
    assert_eq!(off().await.unwrap_err().code, ErrorCode::NotReady);
    world.bind().await;
    assert_eq!(
        off().await.unwrap_err().code,
        ErrorCode::NotReady,
        "nobody proved that it works"
    );
    let by = world.admin.user_id();
    auth::open_session(
        &world.one,
        demo::TENANT,
        by,
        "microsoft",
        &Client::default(),
    )
    .await
    .unwrap();
    let tess = actor(&world.one, TESS).await;
    let denied = passwords::set_rule(&world.one, &tess, false).await;
    assert_eq!(denied.unwrap_err().code, ErrorCode::Forbidden);
    off().await.unwrap();
    assert_eq!(try_in(TESS).await.unwrap_err(), ErrorCode::Forbidden);
    try_in(ADMIN).await.unwrap();
    // A wrong password tells nothing of the rule.
    let wrong = auth::sign_in(&world.two, TESS, "wrong".into(), &Client::default()).await;
    assert_eq!(wrong.unwrap_err().code, ErrorCode::SignedOut);
    let mut unit = world.one.begin(demo::TENANT).await.unwrap();
    unit.clear_binding(demo::TENANT, daybind_domain::Consumer::MspSso)
        .await
        .unwrap();
    unit.save().await.unwrap();
    try_in(TESS).await.unwrap();
    let rule = passwords::rule(&world.one, &world.admin).await.unwrap();
    assert!(!rule.technicians && !rule.overridden.is_empty());
    assert_eq!(world.noted("sign_in.passwords").await, 1);
}

/// M-10, M-12: the row of a round trip is its own tenant's and person's, lives ten minutes, keeps of `state` only the hash,
/// and holds the verifier of the challenge that was sent (RFC 7636 section 4.6), for this row alone.
async fn a_round_trip_keeps_what_it_was_begun_with(w: World) {
    let begun = w.one.now();
    let begin = || flow::Start {
        tenant_id: demo::TENANT,
        purpose: "sign_in",
        provider: "microsoft",
        profile_id: None,
        version: 7,
        actor: Some(&w.admin),
        redirect_uri: "https://daybind.example/back?x=1".to_owned(),
    };
    let started = flow::start(&w.one, begin()).unwrap();
    let url = started
        .address(
            "https://login.example/authorize?p=1",
            "client",
            "openid email",
        )
        .unwrap();
    let query: std::collections::BTreeMap<_, _> = url.query_pairs().into_owned().collect();
    let row = started.row;
    assert_eq!(row.created_at + TimeDelta::minutes(10), row.expires_at);
    assert!(row.created_at >= begun && row.created_at <= w.one.now());
    assert_eq!(row.user_id, Some(w.admin.user_id()));
    assert_eq!(row.session_id, Some(w.admin.session_id));
    assert_eq!((row.profile_version, row.profile_id), (Some(7), None));
    let names: Vec<&str> = query.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "client_id",
            "code_challenge",
            "code_challenge_method",
            "p",
            "redirect_uri",
            "response_type",
            "scope",
            "state"
        ]
    );
    assert_eq!(query["redirect_uri"], row.redirect_uri);
    assert_eq!(query["scope"], "openid email");
    assert_eq!(flow::state_tenant(&query["state"]), Some(demo::TENANT));
    assert_eq!(row.state_hash, flow::hash(&query["state"]));
    // FIPS 180-4: SHA-256 of "abc".
    assert_eq!(flow::hash("abc")[..4], [0xba, 0x78, 0x16, 0xbf]);
    let verifier = flow::verifier(&w.two, &row).unwrap();
    let verifier = oauth2::PkceCodeVerifier::new(verifier.expose_secret().to_owned());
    let challenge = oauth2::PkceCodeChallenge::from_code_verifier_sha256(&verifier);
    assert_eq!(query["code_challenge"], challenge.as_str());
    let other = flow::start(&w.one, begin()).unwrap().row;
    assert_ne!(other.state_hash, row.state_hash);
    let swapped = daybind_storage::OauthFlow {
        verifier_sealed: other.verifier_sealed,
        ..row
    };
    assert!(flow::verifier(&w.one, &swapped).is_err());
}
