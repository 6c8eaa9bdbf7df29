//! The search through its service, on both databases: everybody finds what they may open, and nothing else.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::sync::Arc;

use daybind_domain::search::SearchView;
use daybind_domain::{Edition, ErrorCode};
use daybind_services::profiles::{self, ProfileInput};
use daybind_services::search::search;
use daybind_services::{
    Actor, CommunityPort, Endpoints, Keyring, Services, SystemClock, demo, outbound,
};
use daybind_storage::Store;
use secrecy::SecretString;
use support::{actor, on_both};
use url::Url;

on_both! {
    a_profile_is_found_by_each_of_its_names,
    a_technician_finds_nothing_of_the_settings,
    every_address_found_is_a_page,
    a_client_of_the_msp_finds_nothing,
}

const DIRECTORY: &str = "11111111-1111-4111-8111-111111111111";
const CLIENT: &str = "22222222-2222-4222-8222-222222222222";

struct World {
    services: Services,
    admin: Actor,
    tech: Actor,
    id: String,
}

impl World {
    async fn new(store: Arc<dyn Store>) -> Self {
        store.migrate().await.unwrap();
        let endpoints = Endpoints::from_env(&|_: &str| None).unwrap();
        let services = Services {
            edition: Edition::Community,
            guides: daybind_services::guide::COMMUNITY,
            wording: daybind_services::audit::COMMUNITY,
            store,
            keyring: Arc::new(Keyring::parse(&Keyring::generate()).unwrap()),
            clock: Arc::new(SystemClock),
            public_url: Url::parse("http://127.0.0.1:3000").unwrap(),
            http: outbound::client(&endpoints).unwrap(),
            endpoints: Arc::new(endpoints),
            wake: Arc::default(),
            live: daybind_services::live::Live::default(),
            issuers: Arc::default(),
        };
        demo::seed(&services).await.unwrap();
        let admin = actor(&services, "admin@demo.daybind.test").await;
        let tech = actor(&services, "tess@demo.daybind.test").await;
        let input = ProfileInput {
            display_name: "Bürgenstock Main".to_owned(),
            client_id: CLIENT.to_owned(),
            directory_id: DIRECTORY.to_owned(),
            cloud: String::new(),
            client_secret: SecretString::from("a-secret-of-ours"),
            secret_expires_on: String::new(),
        };
        let id = profiles::create(&services, &admin, input).await.unwrap();
        Self {
            services,
            admin,
            tech,
            id: id.to_string(),
        }
    }

    async fn find(&self, who: &Actor, typed: &str) -> SearchView {
        search(&self.services, &CommunityPort, who, typed)
            .await
            .unwrap()
    }
}

fn addresses(view: &SearchView) -> Vec<&str> {
    let hits = view.groups.iter().flat_map(|group| &group.hits);
    hits.map(|hit| hit.href.as_str()).collect()
}

async fn a_profile_is_found_by_each_of_its_names(w: World) {
    let page = format!(
        "/msp/settings?tab=integrations&category=providers&profile={}",
        w.id
    );
    for typed in [
        "bürgen",
        "MAIN BÜRGENSTOCK",
        &CLIENT[..13],
        DIRECTORY,
        &w.id,
    ] {
        let found = w.find(&w.admin, typed).await;
        assert_eq!(addresses(&found), [page.as_str()], "{typed}");
        assert_eq!(found.told, "1 result.");
    }
    let none = w.find(&w.admin, "bürgenstock spare").await;
    assert!(none.groups.is_empty());
    assert_eq!(none.told, "Nothing was found.");
    assert!(w.find(&w.admin, "a-secret-of-ours").await.groups.is_empty());
    assert!(w.find(&w.admin, "%").await.groups.is_empty());
}

/// W39: neither records nor pages that the person may not open, whatever is typed.
async fn a_technician_finds_nothing_of_the_settings(w: World) {
    let everything = w.find(&w.tech, "").await;
    let own = [
        "/msp/schedule",
        "/msp/profile?tab=profile",
        "/msp/profile?tab=security",
    ];
    for address in own {
        assert!(addresses(&everything).contains(&address), "{address}");
    }
    for address in addresses(&everything) {
        let open = ["/msp/schedule", "/msp/profile"];
        assert!(
            open.iter().any(|page| address.starts_with(page)),
            "{address}"
        );
    }
    let tom = actor(&w.services, "tom@demo.daybind.test").await;
    for typed in ["bürgen", CLIENT, DIRECTORY, &w.id, "Providers", "tom"] {
        assert!(w.find(&w.tech, typed).await.groups.is_empty(), "{typed}");
        assert!(!w.find(&w.admin, typed).await.groups.is_empty(), "{typed}");
    }
    let name = tom.user.display_name.as_str();
    assert!(w.find(&w.tech, name).await.groups.is_empty());
    let schedule = format!("/msp/schedule?person={}", tom.user_id());
    assert!(addresses(&w.find(&w.admin, name).await).contains(&schedule.as_str()));
}

async fn every_address_found_is_a_page(w: World) {
    let everything = w.find(&w.admin, "").await;
    assert_eq!(everything.told, "", "nothing was asked for");
    let places = addresses(&everything);
    assert!(places.len() > 10, "{places:?}");
    for place in &places {
        assert!(place.starts_with("/msp/"), "{place}");
        assert_eq!(
            places.iter().filter(|other| other == &place).count(),
            1,
            "{place}"
        );
    }
    let words = format!("{everything:?}").to_lowercase();
    for word in ["calendar", "google", "outlook", "teams"] {
        assert!(!words.contains(word), "{word}");
    }
}

/// M-05.
async fn a_client_of_the_msp_finds_nothing(w: World) {
    let client = actor(&w.services, "client@demo.daybind.test").await;
    for typed in ["", "schedule", CLIENT] {
        let refused = search(&w.services, &CommunityPort, &client, typed).await;
        assert_eq!(refused.unwrap_err().code, ErrorCode::Forbidden, "{typed}");
    }
}
