//! Claims on login domains, from asking to revoking, on both databases and with two servers; and the resolver against a
//! name server of our own.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use daybind_domain::ids::{TenantId, UserId};
use daybind_domain::login_domain::{ClaimStatus, ClaimView};
use daybind_domain::user::{Role, UserType, normalise_email};
use daybind_domain::{Edition, ErrorCode};
use daybind_ee_domains::Claims;
use daybind_ee_domains::dns::{Dns, Seen, Txt};
use daybind_services::auth::Client;
use daybind_services::{
    Actor, Clock, DomainClaims, Endpoints, Keyring, Services, SystemClock, auth, demo, discovery,
    outbound,
};
use daybind_storage::{AuditRow, NewUser, Store, Tenant, User};
use daybind_storage_postgres::PgStore;
use daybind_storage_sqlite::SqliteStore;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::net::UdpSocket;
use url::Url;
use uuid::Uuid;

/// Runs a test on SQLite and on PostgreSQL.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let files = tempfile::tempdir().unwrap();
                let store = super::SqliteStore::open(&files.path().join("db")).await.unwrap();
                super::$name(super::World::new(std::sync::Arc::new(store)).await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let url = daybind_storage_postgres::testing::database_url().await;
                let store = super::PgStore::connect(&url).await.unwrap();
                super::$name(super::World::new(std::sync::Arc::new(store)).await).await;
            })+
        }
    };
}

on_both! {
    a_record_proves_a_domain,
    a_proof_is_never_pushed_aside,
    a_fallen_proof_gives_way_to_a_standing_one,
    a_claim_ends_after_its_time,
    revoking_shows_the_impact,
    whoever_may_not_is_refused,
    each_look_up_is_done_by_one_server,
}

#[derive(Default)]
struct ShiftedClock(AtomicI64);

impl Clock for ShiftedClock {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + TimeDelta::seconds(self.0.load(Ordering::Relaxed))
    }
}

/// DNS as the test says.
#[derive(Default)]
struct Zone {
    records: Mutex<HashMap<String, Vec<String>>>,
    down: Mutex<bool>,
    asked: AtomicUsize,
}

impl Zone {
    fn publish(&self, host: &str, values: &[&str]) {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        self.records.lock().unwrap().insert(host.to_owned(), values);
    }
}

#[async_trait]
impl Txt for Zone {
    async fn txt(&self, host: &str) -> Seen {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if *self.down.lock().unwrap() {
            return Seen::Unreachable;
        }
        let records = self.records.lock().unwrap();
        Seen::Records(records.get(host).cloned().unwrap_or_default())
    }
}

struct World {
    services: Services,
    clock: Arc<ShiftedClock>,
    zone: Arc<Zone>,
    claims: Claims,
    admin: Actor,
    otto: Actor,
}

async fn actor(services: &Services, email: &str) -> Actor {
    let password = SecretString::from(demo::PASSWORD);
    let cookie = auth::sign_in(services, email, password, &Client::default())
        .await
        .unwrap();
    auth::authenticate(services, cookie.expose_secret(), None)
        .await
        .unwrap()
        .unwrap()
}

async fn other_msp(services: &Services) -> Actor {
    let email = "otto@other.example";
    let tenant_id = TenantId(Uuid::new_v4());
    let mut unit = services.begin(tenant_id).await.unwrap();
    let row = Tenant {
        tenant_id,
        name: "Hidden Other MSP".to_owned(),
        time_zone: "UTC".to_owned(),
    };
    unit.add_tenant(&row, services.now()).await.unwrap();
    let user = User {
        tenant_id,
        user_id: UserId(Uuid::new_v4()),
        email: email.to_owned(),
        display_name: "Otto Other".to_owned(),
        user_type: UserType::Internal,
        role: Role::Admin,
        is_active: true,
        time_zone: "UTC".to_owned(),
    };
    let hash = auth::hash_password(SecretString::from(demo::PASSWORD))
        .await
        .unwrap();
    let new = NewUser {
        user,
        email_normalized: normalise_email(email),
        password_hash: Some(hash),
    };
    unit.add_user(&new, services.now()).await.unwrap();
    unit.save().await.unwrap();
    actor(services, email).await
}

impl World {
    async fn new(store: Arc<dyn Store>) -> Self {
        store.migrate().await.unwrap();
        let clock = Arc::new(ShiftedClock::default());
        let services = Services {
            edition: Edition::Enterprise,
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
        let zone = Arc::new(Zone::default());
        Self {
            admin: actor(&services, "admin@demo.daybind.test").await,
            otto: other_msp(&services).await,
            claims: Claims::new(services.clone(), Arc::clone(&zone) as Arc<dyn Txt>),
            services,
            clock,
            zone,
        }
    }

    fn later(&self, by: TimeDelta) {
        self.clock.0.fetch_add(by.num_seconds(), Ordering::Relaxed);
    }

    async fn claim(&self, who: &Actor) -> ClaimView {
        let list = self.claims.list(who).await.unwrap();
        assert_eq!(list.claims.len(), 1);
        list.claims.into_iter().next().unwrap()
    }

    /// Asks for the domain and gives its id, host and value.
    async fn ask(&self, who: &Actor, domain: &str) -> (String, String, String) {
        self.claims.request(who, domain).await.unwrap();
        let claim = self.claim(who).await;
        let challenge = claim.challenge.unwrap();
        (claim.domain.domain_id, challenge.host, challenge.value)
    }

    async fn status(&self, who: &Actor) -> ClaimStatus {
        self.claim(who).await.domain.status
    }

    async fn leads_to(&self, email: &str) -> Option<TenantId> {
        discovery::discover(&self.services, email)
            .await
            .unwrap()
            .tenant_id
    }

    async fn noted(&self, who: &Actor, action: &str) -> Vec<AuditRow> {
        let mut unit = self.services.read(who.tenant_id).await.unwrap();
        let mut rows = unit.list_audit(who.tenant_id, 1000).await.unwrap();
        rows.retain(|row| row.action == action);
        rows
    }
}

/// From asking to verified: what the resolver saw stands in the list, nothing leads anywhere before, and each step is in
/// the audit log.
async fn a_record_proves_a_domain(world: World) {
    let (id, host, value) = world.ask(&world.admin, "Contoso.com").await;
    assert_eq!(host, "_daybind-challenge.contoso.com");
    assert_eq!(world.leads_to("ada@contoso.com").await, None);
    world.claims.check(&world.admin, &id).await.unwrap();
    let challenge = world.claim(&world.admin).await.challenge.unwrap();
    assert!(challenge.outcome.contains("no TXT record"), "{challenge:?}");
    world
        .zone
        .publish(&host, &["v=spf1 -all", "daybind-verification=other"]);
    world.claims.check(&world.admin, &id).await.unwrap();
    let challenge = world.claim(&world.admin).await.challenge.unwrap();
    assert_eq!(
        challenge.seen,
        ["v=spf1 -all", "daybind-verification=other"]
    );
    assert_eq!(world.status(&world.admin).await, ClaimStatus::Pending);
    *world.zone.down.lock().unwrap() = true;
    world.claims.check(&world.admin, &id).await.unwrap();
    let challenge = world.claim(&world.admin).await.challenge.unwrap();
    assert!(challenge.outcome.contains("did not answer"));
    *world.zone.down.lock().unwrap() = false;
    // A new value makes the earlier one worthless.
    world.claims.renew(&world.admin, &id).await.unwrap();
    world.zone.publish(&host, &[&value]);
    world.claims.check(&world.admin, &id).await.unwrap();
    assert_eq!(world.status(&world.admin).await, ClaimStatus::Pending);
    let value = world.claim(&world.admin).await.challenge.unwrap().value;
    world.zone.publish(&host, &[&value]);
    world.claims.check(&world.admin, &id).await.unwrap();
    assert_eq!(world.status(&world.admin).await, ClaimStatus::Verified);
    assert_eq!(
        world.leads_to("ada@contoso.com").await,
        Some(world.admin.tenant_id)
    );
    // W36: asking again for a verified domain does not lose its proof, nor does its record's removal by somebody tidy.
    world
        .claims
        .request(&world.admin, "contoso.com")
        .await
        .unwrap();
    world.zone.publish(&host, &[]);
    world.claims.check(&world.admin, &id).await.unwrap();
    assert_eq!(world.status(&world.admin).await, ClaimStatus::Verified);
    for (action, times) in [
        ("login_domain.requested", 1),
        ("login_domain.renewed", 1),
        ("login_domain.checked", 1),
    ] {
        assert_eq!(
            world.noted(&world.admin, action).await.len(),
            times,
            "{action}"
        );
    }
}

/// W36: another MSP that asks for a verified domain, or even publishes a record beside the standing one, changes nothing
/// for those who proved it, and learns no name.
async fn a_proof_is_never_pushed_aside(world: World) {
    let (id, host, value) = world.ask(&world.admin, "contoso.com").await;
    world.zone.publish(&host, &[&value]);
    world.claims.check(&world.admin, &id).await.unwrap();
    let (theirs, _, their_value) = world.ask(&world.otto, "contoso.com").await;
    assert_eq!(
        world.leads_to("ada@contoso.com").await,
        Some(world.admin.tenant_id)
    );
    world.zone.publish(&host, &[&value, &their_value]);
    world.claims.check(&world.otto, &theirs).await.unwrap();
    let claim = world.claim(&world.otto).await;
    assert_eq!(claim.domain.status, ClaimStatus::Rejected);
    assert!(claim.domain.contested);
    let said = serde_json::to_string(&claim).unwrap();
    for hidden in [
        "Demo",
        "Ada",
        &value.clone(),
        &world.admin.tenant_id.to_string(),
    ] {
        let shown = claim
            .challenge
            .as_ref()
            .map(|challenge| challenge.seen.clone());
        // What is published in DNS is public, and shown as seen.
        let public = shown.is_some_and(|seen| seen.contains(&hidden.to_owned()));
        assert!(public || !said.contains(hidden), "{hidden} in {said}");
    }
    assert_eq!(
        world.leads_to("ada@contoso.com").await,
        Some(world.admin.tenant_id)
    );
    assert_eq!(world.status(&world.admin).await, ClaimStatus::Verified);
}

/// Whoever controls the domain's DNS decides: with the holder's record gone, the one that stands there wins, and the loss
/// is in the holder's audit log.
async fn a_fallen_proof_gives_way_to_a_standing_one(world: World) {
    let (id, host, value) = world.ask(&world.admin, "contoso.com").await;
    world.zone.publish(&host, &[&value]);
    world.claims.check(&world.admin, &id).await.unwrap();
    let (theirs, _, their_value) = world.ask(&world.otto, "contoso.com").await;
    world.zone.publish(&host, &[&their_value]);
    world.claims.check(&world.otto, &theirs).await.unwrap();
    assert_eq!(world.status(&world.otto).await, ClaimStatus::Verified);
    assert_eq!(world.status(&world.admin).await, ClaimStatus::Revoked);
    assert_eq!(
        world.leads_to("ada@contoso.com").await,
        Some(world.otto.tenant_id)
    );
    let rows = world.noted(&world.admin, "login_domain.checked").await;
    assert!(rows.iter().any(|row| row.detail["after"] == "revoked"));
    // The one that lost may prove it again.
    let (id, _, value) = world.ask(&world.admin, "contoso.com").await;
    world.zone.publish(&host, &[&value]);
    world.claims.check(&world.admin, &id).await.unwrap();
    assert_eq!(world.status(&world.admin).await, ClaimStatus::Verified);
}

/// A claim that is not proved in fourteen days is rejected by the server's own round, and can be asked for again.
async fn a_claim_ends_after_its_time(world: World) {
    world.ask(&world.admin, "contoso.com").await;
    assert_eq!(world.claims.check_due().await.unwrap(), 0, "not yet due");
    world.later(TimeDelta::minutes(2));
    assert_eq!(world.claims.check_due().await.unwrap(), 1);
    assert_eq!(world.status(&world.admin).await, ClaimStatus::Pending);
    world.later(TimeDelta::days(14));
    assert_eq!(world.claims.check_due().await.unwrap(), 1);
    assert_eq!(world.status(&world.admin).await, ClaimStatus::Rejected);
    let rows = world.noted(&world.admin, "login_domain.checked").await;
    assert_eq!(rows.len(), 1);
    assert!(rows[0].actor.is_none(), "the server itself");
    world.ask(&world.admin, "contoso.com").await;
    assert_eq!(world.status(&world.admin).await, ClaimStatus::Pending);
}

/// Revoking a domain that people use asks first, counts them, and ends its lead at once.
async fn revoking_shows_the_impact(world: World) {
    let (id, host, value) = world.ask(&world.admin, "demo.daybind.test").await;
    world.zone.publish(&host, &[&value]);
    world.claims.check(&world.admin, &id).await.unwrap();
    let asked = world.claims.revoke(&world.admin, &id, false).await;
    let asked = asked.unwrap_err();
    assert_eq!(asked.code, ErrorCode::Conflict);
    assert!(asked.message.contains("3 people sign in"), "{asked:?}");
    let gone = world.claims.revoke(&world.otto, &id, true).await;
    assert_eq!(gone.unwrap_err().code, ErrorCode::NotFound);
    world.claims.revoke(&world.admin, &id, true).await.unwrap();
    assert_eq!(world.leads_to("tess@demo.daybind.test").await, None);
    let rows = world.noted(&world.admin, "login_domain.revoked").await;
    assert_eq!(rows[0].detail["people"], 3);
    let again = world.claims.revoke(&world.admin, &id, true).await;
    assert_eq!(again.unwrap_err().code, ErrorCode::Conflict);
}

/// Technicians and client-portal users are refused, and look-ups by hand are limited for each MSP.
async fn whoever_may_not_is_refused(world: World) {
    let (id, ..) = world.ask(&world.admin, "contoso.com").await;
    for email in ["tess@demo.daybind.test", "client@demo.daybind.test"] {
        let person = actor(&world.services, email).await;
        for refused in [
            world.claims.request(&person, "x.example").await,
            world.claims.renew(&person, &id).await,
            world.claims.check(&person, &id).await,
            world.claims.revoke(&person, &id, true).await,
        ] {
            assert_eq!(refused.unwrap_err().code, ErrorCode::Forbidden, "{email}");
        }
    }
    assert_eq!(world.zone.asked.load(Ordering::Relaxed), 0);
    let mut last = Ok(());
    for _ in 0..30 {
        last = world.claims.check(&world.admin, &id).await;
        if last.is_err() {
            break;
        }
    }
    assert!(last.unwrap_err().retry_after.is_some());
    assert!(world.zone.asked.load(Ordering::Relaxed) < 30);
}

/// Two servers doing their rounds at once ask DNS once.
async fn each_look_up_is_done_by_one_server(world: World) {
    world.ask(&world.admin, "contoso.com").await;
    world.later(TimeDelta::minutes(2));
    let (one, two) = tokio::join!(world.claims.check_due(), world.claims.check_due());
    assert_eq!(one.unwrap() + two.unwrap(), 1);
    assert_eq!(world.zone.asked.load(Ordering::Relaxed), 1);
}

/// A name server that knows one TXT record of two strings and fails for everything else.
async fn name_server(name: &'static str) -> std::net::SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0_u8; 1500];
        loop {
            let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
            // RFC 1035 section 4.1: header, then the question: labels, type, class.
            let mut end = 12;
            let mut labels = Vec::new();
            while end < length && buffer[end] != 0 {
                let next = end + 1 + usize::from(buffer[end]);
                labels.push(String::from_utf8_lossy(&buffer[end + 1..next]).to_lowercase());
                end = next;
            }
            end += 5;
            let asked = labels.join(".");
            let mut answer = buffer[..end].to_vec();
            answer[2..12].copy_from_slice(&[0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0]);
            if asked == name {
                answer[7] = 1;
                answer.extend([0xc0, 0x0c, 0, 16, 0, 1, 0, 0, 0, 0, 0, 8]);
                answer.extend(b"\x03day\x03bin");
            } else if asked == "broken.example" {
                answer[3] = 0x82;
            } else {
                answer[3] = 0x83;
            }
            socket.send_to(&answer, from).await.unwrap();
        }
    });
    address
}

/// The resolver reads a record's strings as one text, tells "no such record" from "no answer", and asks only the server it
/// was given.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_resolver_says_what_it_saw() {
    let server = name_server("_daybind-challenge.contoso.com").await;
    let dns = Dns::at(server).unwrap();
    assert_eq!(
        dns.txt("_daybind-challenge.contoso.com").await,
        Seen::Records(vec!["daybin".to_owned()])
    );
    assert_eq!(
        dns.txt("_daybind-challenge.fabrikam.com").await,
        Seen::Records(Vec::new())
    );
    assert_eq!(dns.txt("broken.example").await, Seen::Unreachable);
}
