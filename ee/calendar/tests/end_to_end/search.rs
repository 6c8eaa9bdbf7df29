//! The search finds connections and syncs for whoever may read them on their own pages.

use daybind_domain::search::{SearchGroup, SearchView};
use daybind_fakes::DuplicateTransaction;
use daybind_services::{Actor, Provider, search::search};

use crate::bench::{Database, World, actor};

async fn find(w: &World, who: &Actor, typed: &str) -> SearchView {
    search(&w.services, w.port.as_ref(), who, typed)
        .await
        .unwrap()
}

fn group<'a>(view: &'a SearchView, title: &str) -> Option<&'a SearchGroup> {
    view.groups.iter().find(|group| group.title == title)
}

/// The addresses of the connections.
fn connections(view: &SearchView) -> Vec<String> {
    let hits = group(view, "Calendar connections").map(|group| group.hits.clone());
    let hits = hits.unwrap_or_default().into_iter();
    hits.map(|hit| hit.href).collect()
}

/// W39: administrators find everybody's connections and syncs, technicians their own connection only.
async fn who_finds_which_connections(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let tom = actor(&w.services, "tom@demo.daybind.test").await;
    let (toms, _) = w.connect_second(&tom).await;
    let settings = "/msp/settings?tab=integrations&category=calendar";
    let page = format!("{settings}&connection={toms}");
    let name = tom.user.display_name.clone();
    let both = format!("second@ {}", name.to_uppercase());
    for typed in ["second@EXAMPLE", &name, &toms, &both] {
        let found = find(&w, &w.admin, typed).await;
        assert_eq!(connections(&found), [page.as_str()], "{typed}");
        assert!(
            connections(&find(&w, &w.tess, typed).await).is_empty(),
            "{typed}"
        );
        let own = find(&w, &tom, typed).await;
        assert_eq!(connections(&own), ["/msp/profile?tab=calendar"], "{typed}");
    }
    let other = format!("second@ {}", w.tess.user.display_name);
    assert!(connections(&find(&w, &w.admin, &other).await).is_empty());
    assert_eq!(
        connections(&find(&w, &w.admin, "example.test").await).len(),
        2
    );
    assert!(connections(&find(&w, &w.admin, "%").await).is_empty());

    let query = daybind_domain::activity::ActivityQuery::default();
    let runs =
        daybind_services::CalendarPort::list_calendar_activity(w.port.as_ref(), &w.admin, &query);
    let run = runs.await.unwrap().rows[0].run_id.clone();
    let found = find(&w, &w.admin, &run).await;
    let hits = &group(&found, "Syncs").unwrap().hits;
    assert_eq!(
        hits[0].href,
        format!("/msp/operations?view=activity&run={run}")
    );
    assert!(find(&w, &tom, &run).await.groups.is_empty());

    for address in find(&w, &tom, "")
        .await
        .groups
        .iter()
        .flat_map(|group| &group.hits)
    {
        let open = ["/msp/schedule", "/msp/profile"];
        assert!(
            open.iter().any(|page| address.href.starts_with(page)),
            "{address:?}"
        );
    }
}

everywhere! {
    /// W39.
    connections_found: who_finds_which_connections;
}
