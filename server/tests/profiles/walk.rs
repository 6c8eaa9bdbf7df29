//! The walkthrough.

use daybind_guards::SECRET;

use crate::bench::{Bench, CLIENT, DIRECTORY, HERE, OTHER, has, lacks};

pub async fn the_walkthrough_checks_what_is_pasted(b: Bench) {
    // A step that the answers do not lead to is not opened.
    let far = b.get(&format!("{HERE}&profile=new&panel=6")).await.body;
    has(&far, "New profile: Register the app");
    has(&b.build("act=choose").await.1, "Choose at least one use.");
    let (target, _) = b.build("act=choose&consumers%5B%5D=msp_sso").await;
    assert!(target.ends_with("panel=2"), "{target}");
    // Community has no other use to choose.
    has(
        &b.build("act=choose&consumers%5B%5D=calendar").await.1,
        "Choose at least one use.",
    );
    let (target, uris) = b.build("act=name&display_name=Walked").await;
    assert!(target.ends_with("panel=3"), "{target}");
    has(&uris, "http://127.0.0.1:3000/api/auth/callback/azure-ad");
    has(
        &b.build("act=uris").await.1,
        "What you have ticked is saved.",
    );
    let entered =
        "act=uris&entered%5B%5D=http%3A%2F%2F127.0.0.1%3A3000%2Fapi%2Fauth%2Fcallback%2Fazure-ad";
    assert!(b.build(entered).await.0.ends_with("panel=4"));
    // The same id twice, a directory Microsoft does not know, then the block from Overview.
    has(
        &b.build(&format!("act=ids&client_id={CLIENT}&directory_id={CLIENT}"))
            .await
            .1,
        "Both fields hold the same id.",
    );
    has(
        &b.build("act=ids&overview=nothing").await.1,
        "No ids were found in it.",
    );
    let (_, unknown) = b
        .build(&format!(
            "act=ids&client_id={CLIENT}&directory_id=99999999-9999-4999-8999-999999999999"
        ))
        .await;
    has(&unknown, "There is no");
    let block = format!(
        "act=ids&overview=Display%20name%0AWalked%0AApplication%20(client)%20ID%0A{CLIENT}%0AObject%20ID%0A{OTHER}%0ADirectory%20(tenant)%20ID%0A{DIRECTORY}"
    );
    let (target, secret) = b.build(&block).await;
    assert!(target.ends_with("panel=5"), "{target}");
    has(&secret, "Microsoft knows the directory");
    // Another day: it goes on where it was.
    has(
        &b.get(&format!("{HERE}&profile=new&panel=next")).await.body,
        "New profile: Client secret",
    );
    has(
        &b.build(&format!("act=secret&client_secret={OTHER}"))
            .await
            .1,
        "looks like the Secret ID",
    );
    let bound = b.column("microsoft_profile_consumer_bindings", "profile_id");
    let bound = bound.await;
    let before = b.ids().await.len();
    let send = format!("act=secret&client_secret={SECRET}&secret_expires_on=2030-01-31");
    let (target, done) = b.build(&send).await;
    assert!(target.ends_with("panel=6"), "{target}");
    has(&done, "Review and use it for MSP SSO");
    b.build(&send).await;
    assert_eq!(b.ids().await.len(), before + 1, "sent twice, made once");
    let after = b.column("microsoft_profile_consumer_bindings", "profile_id");
    assert_eq!(
        bound,
        after.await,
        "the walkthrough binds nothing by itself"
    );
    assert_eq!(b.build("act=close").await.0, HERE);
    assert!(
        b.column("microsoft_profile_drafts", "user_id")
            .await
            .is_empty()
    );
    lacks(&b.site.heard(), SECRET);
}
