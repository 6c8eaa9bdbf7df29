//! Microsoft's national clouds: a profile's cloud says which hosts are talked to, and a token goes to no other cloud's.

use daybind_domain::Cloud;
use daybind_fakes::{FakeOptions, FakeProviders};
use daybind_services::{bindings, demo, profiles};
use serde_json::json;

use crate::bench::{Database, World, hosts, location};

/// A connection in one cloud, and a stand-in for each of the others on a port of its own.
struct Clouds {
    w: World,
    others: Vec<(Cloud, FakeProviders)>,
}

impl Clouds {
    async fn new(database: Database, home: Cloud) -> Self {
        let others: Vec<_> = Cloud::ALL
            .into_iter()
            .filter(|cloud| *cloud != home)
            .map(|cloud| {
                let options = FakeOptions {
                    auto_approve: true,
                    ..FakeOptions::default()
                };
                (cloud, FakeProviders::start(options).unwrap())
            })
            .collect();
        let env = others
            .iter()
            .flat_map(|(cloud, fakes)| hosts(*cloud, fakes));
        let w = World::in_cloud(database, home, env.collect()).await;
        Self { w, others }
    }

    /// What the hosts of other clouds were asked so far.
    #[track_caller]
    fn nobody_else_was_asked(&self) {
        for (cloud, fakes) in &self.others {
            let asked = fakes.counters();
            assert!(asked.is_empty(), "{cloud:?}: {asked:?}");
        }
    }

    async fn profile(&self) -> daybind_storage::Profile {
        let mut unit = self.w.services.read(demo::TENANT).await.unwrap();
        let bound = unit
            .find_binding(demo::TENANT, daybind_domain::Consumer::Calendar)
            .await;
        let id = bound.unwrap().unwrap().profile_id;
        let profile = unit.find_profile(demo::TENANT, id).await.unwrap();
        profile.unwrap()
    }

    /// Moves the profile to another cloud, as an administrator does.
    async fn move_profile(&self, to: Cloud) {
        let profile = self.profile().await;
        let edit = profiles::ProfileEdit {
            version: profile.version,
            display_name: profile.fields.display_name,
            client_id: profile.fields.client_id,
            directory_id: profile.fields.directory_id,
            cloud: to.as_str().to_owned(),
            secret_expires_on: String::new(),
        };
        let id = profile.profile_id.to_string();
        let (services, port) = (&self.w.services, self.w.port.as_ref());
        profiles::update(services, port, &self.w.admin, &id, edit)
            .await
            .unwrap();
    }
}

/// M-25: consent, tokens, calls, push and their renewal go to the hosts of the profile's cloud alone; a link to another cloud's
/// host is not followed, nor is a token sent there when the profile says another cloud by now.
async fn a_token_stays_in_its_cloud(database: Database, home: Cloud) {
    let clouds = Clouds::new(database, home).await;
    let w = &clouds.w;
    let (away, elsewhere) = &clouds.others[0];
    assert_eq!(w.row().await.cloud, home);
    w.add("Replace switch").await;
    w.drain().await;
    w.outside(
        &w.named("Replace switch")[0],
        &json!({ "subject": "Replace router" }),
    );
    w.fakes.expire_access_tokens(w.fake);
    w.sync().await;
    assert_eq!(w.fakes.subscriptions(w.fake).len(), 1);
    assert_eq!(w.named("Replace router").len(), 1);
    let tokens = w.asked("-", "microsoft.token");
    assert!(tokens >= 2, "a code and a refresh");
    clouds.nobody_else_was_asked();

    // A cursor that somebody made lead elsewhere is not followed.
    let path = format!(
        "{}ms/graph/v1.0/me/calendarView/delta?x",
        elsewhere.base_url
    );
    w.execute(&format!("UPDATE calendar_providers SET cursor = '{path}'"))
        .await;
    w.sync().await;
    assert_eq!(w.status().await, "connected");
    clouds.nobody_else_was_asked();

    // Behind everybody's back, the profile is another cloud's: neither token is sent there.
    let word = |cloud: Cloud| format!("UPDATE microsoft_profiles SET cloud = '{}'", cloud.as_str());
    w.execute(&word(*away)).await;
    w.sync().await;
    clouds.nobody_else_was_asked();
    w.fakes.expire_access_tokens(w.fake);
    w.sync().await;
    assert_eq!(w.status().await, "needs_reconnect");
    assert_eq!(w.asked("-", "microsoft.token"), tokens);
    clouds.nobody_else_was_asked();
    w.execute(&word(home)).await;
    let id = w.connection().await;
    let end = location(&w.authorize(&w.tess, Some(&id)).await);
    assert!(end.contains("calendarAuth=success"), "{end}");
    w.drain().await;
    assert_eq!(w.status().await, "connected");
    clouds.nobody_else_was_asked();
}

/// A profile that is moved to another cloud is another application: its connections wait, as the review of such
/// a binding says, and go on when it is moved back. Whoever reconnects has tokens of the new cloud, and nothing of the old.
async fn another_cloud_is_another_application(database: Database, home: Cloud) {
    let clouds = Clouds::new(database, home).await;
    let w = &clouds.w;
    let (away, elsewhere) = &clouds.others[0];
    let there = profiles::ProfileInput {
        display_name: "There".to_owned(),
        cloud: away.as_str().to_owned(),
        client_id: clouds.profile().await.fields.client_id,
        directory_id: clouds.profile().await.fields.directory_id,
        client_secret: FakeOptions::default().microsoft.client_secret.into(),
        secret_expires_on: String::new(),
    };
    let there = profiles::create(&w.services, &w.admin, there)
        .await
        .unwrap()
        .to_string();
    let review = bindings::review(&w.services, w.port.as_ref(), &w.admin, "calendar", &there);
    let said = format!("{:?}", review.await.unwrap().impact);
    assert!(said.contains("must connect Outlook again"), "{said}");

    clouds.move_profile(*away).await;
    assert_eq!(w.status().await, "needs_reconnect");
    w.add("Meanwhile").await;
    w.drain().await;
    assert!(w.named("Meanwhile").is_empty());
    clouds.nobody_else_was_asked();
    clouds.move_profile(home).await;
    w.drain().await;
    assert_eq!(w.status().await, "connected");
    assert_eq!(w.named("Meanwhile").len(), 1);

    clouds.move_profile(*away).await;
    let at_home = w.fakes.counters();
    let id = w.connection().await;
    w.authorize(&w.tess, Some(&id)).await;
    let row = w.row().await;
    assert_eq!((row.cloud, row.cursor), (*away, None));
    assert!(elsewhere.counters().contains_key("microsoft.token"));
    w.drain().await;
    let calls = |counters: &std::collections::BTreeMap<String, u64>| counters.values().sum::<u64>();
    assert_eq!(
        calls(&w.fakes.counters()),
        calls(&at_home),
        "no token of the new cloud goes to the old one"
    );
}

macro_rules! in_clouds {
    ($($name:ident: $run:ident($database:ident, $cloud:ident);)+) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            $run(Database::$database, Cloud::$cloud).await;
        }
    )+};
}

in_clouds! {
    global_on_sqlite: a_token_stays_in_its_cloud(Sqlite, Global);
    global_on_postgres: a_token_stays_in_its_cloud(Postgres, Global);
    gcc_high_on_sqlite: a_token_stays_in_its_cloud(Sqlite, UsGovHigh);
    gcc_high_on_postgres: a_token_stays_in_its_cloud(Postgres, UsGovHigh);
    dod_on_sqlite: a_token_stays_in_its_cloud(Sqlite, UsGovDod);
    dod_on_postgres: a_token_stays_in_its_cloud(Postgres, UsGovDod);
    china_on_sqlite: a_token_stays_in_its_cloud(Sqlite, China);
    china_on_postgres: a_token_stays_in_its_cloud(Postgres, China);
    moved_on_sqlite: another_cloud_is_another_application(Sqlite, China);
    moved_on_postgres: another_cloud_is_another_application(Postgres, China);
}
