//! What verification says.

use daybind_fakes::{Fault, FaultKind};
use daybind_guards::SECRET;

use crate::bench::{Bench, CLIENT, DIRECTORY, HERE, OTHER, WRONG, has, lacks};

pub async fn verification_says_what_and_where(b: Bench) {
    let id = b.profile("Verify", CLIENT, WRONG).await;
    has(
        &b.detail(&id).await,
        "Nobody has tested this with the current ids and secret.",
    );
    let wrong = b.act(&id, "act=verify").await;
    has(&wrong, "Microsoft knows this directory");
    has(&wrong, "The client secret is wrong.");
    has(&wrong, "Certificates &amp; secrets");
    has(&wrong, "AADSTS7000215");
    has(&wrong, "Correlation ID");
    let good = b.profile("Good", CLIENT, SECRET).await;
    let proven = b.act(&good, "act=verify").await;
    has(&proven, "Microsoft issued a token");
    has(&proven, "Test sign-in for MSP SSO");
    // Microsoft is away: what was known stays known, with the time of the vain attempt.
    b.fakes.arm(Fault::new(
        "microsoft.*",
        20,
        FaultKind::Status {
            status: 503,
            retry_after: None,
            reason: None,
        },
    ));
    has(
        &b.act(&good, "act=verify").await,
        "this is the last known result",
    );
    let fresh = b.profile("Fresh", OTHER, SECRET).await;
    has(&b.act(&fresh, "act=verify").await, "so nothing is known");
    // Other ids: what was proven about the old ones says nothing about them.
    let edit = format!(
        "act=update&version=1&display_name=Good&client_id={OTHER}&directory_id={DIRECTORY}"
    );
    lacks(&b.act(&good, &edit).await, "Microsoft issued a token");
    let told = b
        .get(&format!(
            "{HERE}&profile={good}&panel=verify&number=AADSTS50011"
        ))
        .await;
    has(&told.body, "The redirect URI is not registered.");
    let odd = b
        .get(&format!(
            "{HERE}&profile={good}&panel=verify&number=%3Cscript%3E"
        ))
        .await;
    has(&odd.body, "Enter the number from Microsoft");
    lacks(&odd.body, "<script>\"");
}

pub async fn a_refused_form_says_what_is_wrong_now(b: Bench) {
    let id = b.profile("Twice", CLIENT, SECRET).await;
    let page = format!("{HERE}&profile={id}");
    let form = format!("act=update&profile_id={id}&version=1&display_name=&client_id=x");
    let once = b
        .submit(
            "/_fn/change_microsoft_profile",
            &format!("{page}&saved=updated"),
            &form,
        )
        .await;
    assert!(once.starts_with(&page), "{once}");
    lacks(&b.get(&once).await.body, "The changes are saved.");
    // Sent again from the page that says so: its address says it once.
    let twice = b
        .submit("/_fn/change_microsoft_profile", &once, &form)
        .await;
    assert_eq!(twice, once);
    assert_eq!(twice.matches("__err=").count(), 1, "{twice}");
    // A page that says nothing keeps its address to the letter.
    let plain = b
        .submit("/_fn/change_microsoft_profile", &page, &form)
        .await;
    assert_eq!(plain, once);
}
