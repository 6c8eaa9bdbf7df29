//! Every address has a row in the policy table, and every row an address.

use std::collections::BTreeSet;

use axum::Router;

use crate::call::Call;
use crate::site::Site;

/// Paths and methods as the running router knows them; `*` for a path that serves every method.
///
/// Axum lists its routes in its debug form and names a path's methods when it refuses one (`Allow`, RFC 9110 section
/// 10.2.1); nothing here is kept by hand.
pub async fn served(router: &Router) -> BTreeSet<(String, String)> {
    let listing = format!("{router:?}");
    // What follows is the answer to everything else.
    let listing = listing.split("fallback_router").next().unwrap_or_default();
    let paths: BTreeSet<&str> = listing
        .split("RouteId(")
        .filter_map(|part| {
            let (_, rest) = part.split_once("): \"")?;
            let (path, _) = rest.split_once('"')?;
            (path.starts_with('/') && !path.starts_with("/__private")).then_some(path)
        })
        .collect();
    let mut found = BTreeSet::new();
    for path in paths {
        let answer = Call::new("GUARD", path).send(router).await;
        let allow = answer.header("allow").to_owned();
        if answer.status.as_u16() == 405 && !allow.is_empty() {
            for method in allow.split(',').map(str::trim) {
                // Axum answers HEAD wherever it answers GET.
                if method != "HEAD" {
                    found.insert((path.to_owned(), method.to_owned()));
                }
            }
        } else {
            found.insert((path.to_owned(), "*".to_owned()));
        }
    }
    found
}

/// M-01: an address without a declared policy fails, and so does a policy without an address.
pub async fn every_address_is_declared(site: &Site) {
    let served = served(&site.router).await;
    assert!(
        served.len() > 20,
        "the router's routes cannot be read: {served:?}"
    );
    let mut declared = BTreeSet::new();
    for endpoint in &site.endpoints {
        let method = endpoint.method().unwrap_or("*");
        let new = declared.insert((endpoint.path.to_owned(), method.to_owned()));
        assert!(new, "two rows for {method} {}", endpoint.path);
    }
    let undeclared: Vec<String> = served
        .difference(&declared)
        .map(|(path, method)| {
            let kind = match (method.as_str(), path.starts_with("/_fn/")) {
                ("POST", true) => "write",
                ("POST", false) => "form",
                _ => "page",
            };
            let example = if kind == "page" { "" } else { ", \"name=value&profile_id={microsoft_profiles.profile_id}\"" };
            format!("{method} {path}\n      add, for example: {kind}(\"{path}\", May(SettingsUpdate){example}),")
        })
        .collect();
    assert!(
        undeclared.is_empty(),
        "addresses without a policy. Say who may call them in server/src/policy.rs (Enterprise's own: \
         ee/server/src/policy.rs); the top of that file tells how a row is written:\n    {}\n",
        undeclared.join("\n    ")
    );
    let gone: Vec<_> = declared.difference(&served).collect();
    assert!(
        gone.is_empty(),
        "rows of the policy table (server/src/policy.rs) that no route answers; remove or mend them: {gone:?}"
    );
}
