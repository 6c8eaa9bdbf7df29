//! Two client secrets during a rollover.

use daybind_guards::{Db, SECRET};

use crate::bench::{Bench, CLIENT, WRONG, has, lacks};

pub async fn a_secret_is_rolled_over_and_back(b: Bench) {
    let id = b.profile("Rollover", CLIENT, WRONG).await;
    // The Secret ID, and a value Microsoft does not know: nothing is stored.
    has(
        &b.act(&id, &format!("act=stage&client_secret={CLIENT}"))
            .await,
        "looks like the Secret ID",
    );
    let refused = b
        .act(
            &id,
            "act=stage&client_secret=Another~wrong.value_1234567890",
        )
        .await;
    has(
        &refused,
        "Often the Secret ID was pasted instead of the Value.",
    );
    assert!(
        b.column("microsoft_profile_secrets", "slot")
            .await
            .is_empty()
    );
    // The right one waits; nothing has changed for any service.
    let stage = format!("act=stage&client_secret={SECRET}&secret_expires_on=2030-01-31");
    let staged = b.act(&id, &stage).await;
    has(&staged, "New secret, not in use yet");
    has(&staged, "Microsoft accepted it on");
    assert_eq!(b.version(&id).await, "1");
    has(
        &b.act(&id, "act=verify").await,
        "The client secret is wrong.",
    );
    let switched = b.act(&id, "act=switch&version=1&overlap_hours=24").await;
    has(&switched, "Go back to the previous secret");
    has(&switched, "It is destroyed on");
    has(&b.act(&id, "act=verify").await, "Microsoft issued a token");
    let back = b.act(&id, "act=switch_back&version=2").await;
    has(&back, "The previous secret is in use again.");
    has(&back, "New secret, not in use yet");
    has(
        &b.act(&id, "act=verify").await,
        "The client secret is wrong.",
    );
    // What was in use waits again, proven, and can be switched to again.
    has(
        &b.act(&id, "act=switch&version=3&overlap_hours=1").await,
        "Go back to the previous secret",
    );
    has(
        &b.act(&id, "act=discard&which=previous").await,
        "The secret is destroyed.",
    );
    has(
        &b.act(&id, "act=switch_back&version=4").await,
        "The previous secret has been destroyed.",
    );
    // W37: one place for each value, each sealed for itself.
    let sealed = b.column("microsoft_profiles", "client_secret_sealed").await;
    assert!(sealed.iter().all(|value| !value.contains(SECRET)));
    let heard = b.site.heard();
    lacks(&heard, SECRET);
    lacks(&heard, WRONG);
}

pub async fn the_previous_secret_ends(b: Bench) {
    let id = b.profile("Overlap", CLIENT, WRONG).await;
    b.act(&id, &format!("act=stage&client_secret={SECRET}"))
        .await;
    b.act(&id, "act=switch&version=1&overlap_hours=1").await;
    let earlier = match b.site.db {
        Db::Sqlite(_) => "destroy_at - 3600000000",
        Db::Postgres(_) => "destroy_at - interval '1 hour'",
    };
    b.site
        .db
        .texts(&format!(
            "UPDATE microsoft_profile_secrets SET destroy_at = {earlier} WHERE slot = 'previous'"
        ))
        .await;
    // The job may be late; the promise is not.
    has(
        &b.act(&id, "act=switch_back&version=2").await,
        "The previous secret has been destroyed.",
    );
    lacks(&b.detail(&id).await, "Go back to the previous secret");
    let services = &b.site.state.services;
    let job = daybind_storage::ClaimedJob {
        tenant_id: b.site.own.id.parse().unwrap(),
        job_id: services.new_id().into(),
        kind: daybind_services::profiles::secrets::DESTROY.to_owned(),
        key: id.clone(),
        payload: serde_json::Value::Null,
        attempt: 1,
        max_attempts: 20,
        run_at: services.now(),
        lease_token: services.new_id(),
        poked: 0,
    };
    let end = daybind_services::upkeep::run(services, &job).await;
    assert!(
        matches!(end, Some(daybind_storage::FinishJob::Done)),
        "{end:?}"
    );
    assert!(
        b.column("microsoft_profile_secrets", "slot")
            .await
            .is_empty()
    );
    let actions = b.column("audit_log", "action").await;
    assert!(
        actions
            .iter()
            .any(|action| action == "profile.secret_destroyed")
    );
}
