//! What verification says.

use daybind_fakes::{Fault, FaultKind};
use daybind_guards::SECRET;

use daybind_domain::Consumer;

use crate::bench::{Bench, CLIENT, DIRECTORY, HERE, OTHER, WRONG, has, lacks, row};

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

pub async fn the_board_says_what_is_known_of_the_bound_profile(b: Bench) {
    const SSO: &str = "id=\"binding-msp_sso\"";
    let board = async || row(&b.get(HERE).await.body, SSO);
    let id = b.profile("Main", CLIENT, SECRET).await;
    b.plant(&id, Consumer::MspSso).await;
    has(&board().await, "Open the profile to verify it.");
    b.act(&id, "act=verify").await;
    let proven = board().await;
    has(&proven, "Working");
    has(&proven, "Verified ");
    // What ends soon is said although it still works, and on top of every page.
    let today = b.site.state.services.now().date_naive();
    let edit = |version: i64, days: i64, client: &str| {
        let day = today + chrono::TimeDelta::days(days);
        format!(
            "act=update&version={version}&display_name=Main&client_id={client}&directory_id={DIRECTORY}&secret_expires_on={day}"
        )
    };
    b.act(&id, &edit(1, 3, CLIENT)).await;
    let ending = board().await;
    has(&ending, "Needs you");
    has(&ending, "The client secret expires in 3 days.");
    // Other ids: what was proven says nothing about them, and Microsoft knows no such application.
    b.act(&id, &edit(2, 200, OTHER)).await;
    has(&board().await, "Not tested");
    b.act(&id, "act=verify").await;
    let refused = board().await;
    has(&refused, "Needs you");
    has(&refused, "Microsoft refused the last check.");
}

pub async fn every_active_profile_is_verified_at_once(b: Bench) {
    const OFFER: &str = "Verify all";
    let good = b.profile("Good", CLIENT, SECRET).await;
    let wrong = b.profile("Wrong", CLIENT, WRONG).await;
    let old = b.profile("Old", OTHER, SECRET).await;
    b.act(&old, "act=archive&version=1").await;
    has(&b.get(HERE).await.body, OFFER);
    let list = b.list("act=verify_all").await;
    has(&list, "Every active profile has been checked.");
    has(&row(&list, &format!("profile={good}")), "Verified ");
    has(&row(&list, &format!("profile={wrong}")), "Failed");
    let asked = b.column("microsoft_profile_checks", "profile_id").await;
    assert!(asked.contains(&good) && asked.contains(&wrong), "{asked:?}");
    assert!(!asked.contains(&old), "{asked:?}");
}
