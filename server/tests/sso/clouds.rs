//! Microsoft's national clouds: authority, token endpoint, issuer and keys are the profile's cloud's.

use serde_json::json;

use crate::bench::{Bench, FIRST, page};

/// M-13: with a profile in another cloud, the whole way goes to that cloud's log-in, whose keys and issuer alone are
/// believed. No other cloud's log-in hears of it.
pub async fn one_signs_in_through_the_profiles_cloud(bench: Bench) {
    let own = &bench.site.own.technician;
    let back = bench.connect(own, FIRST).await;
    assert_eq!(bench.arrive(&back, own).await, page("connected"));
    let end = bench.try_sign_in(FIRST).await;
    assert!(end.starts_with("/msp/profile"), "{end}");
    assert_eq!(bench.tokens(), 2);
    assert!(
        bench.count("microsoft.keys") > 0,
        "{:?}",
        bench.fakes.counters()
    );

    // A token of another cloud's issuer is no token of this one's, though one and the same directory is named.
    let issuer = format!(
        "{}ms/login/{}/v2.0",
        bench.elsewhere.base_url,
        crate::bench::DIRECTORY
    );
    bench.fakes.set_claims(json!({ "iss": issuer }));
    let end = bench.try_sign_in(FIRST).await;
    assert_eq!(end, page("token_invalid"));
    assert_eq!(bench.elsewhere.counters().values().sum::<u64>(), 0);
}
