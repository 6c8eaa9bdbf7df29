//! Profiles from creation to deletion.

use daybind_domain::Consumer;
use daybind_guards::{Call, SECRET};

use crate::bench::{Bench, CLIENT, DIRECTORY, HERE, OTHER, has, lacks, row};

pub async fn a_profile_lives_from_creation_to_deletion(b: Bench) {
    let id = b.profile("Main%20app", CLIENT, SECRET).await;
    let page = b.detail(&id).await;
    has(&page, ">Main app</h1>");
    has(&page, CLIENT);
    has(&page, "Added by");
    has(&page, "/api/auth/callback/azure-ad");
    has(&page, "Nothing is missing.");
    let edit = |name: &str, version: &str| {
        format!(
            "act=update&version={version}&display_name={name}&client_id={OTHER}&directory_id={DIRECTORY}&secret_expires_on=2027-06-30"
        )
    };
    let said = b.act(&id, &edit("Renamed", "1")).await;
    has(&said, "The changes are saved.");
    has(&said, ">Renamed</h1>");
    has(&said, OTHER);
    // The same page, sent again from a second window that still shows version 1.
    let stale = b.act(&id, &edit("Mine", "1")).await;
    has(&stale, "changed this profile on");
    has(&stale, "You typed: Mine.");
    has(&stale, ">Renamed</h1>");
    let wrong = b
        .act(
            &id,
            "act=update&version=2&display_name=&client_id=abc&directory_id=common",
        )
        .await;
    has(&wrong, "Some fields need another look.");
    has(&wrong, "name no single directory");
    assert_eq!(b.version(&id).await, "2");
    let twin = b.profile("Twin", OTHER, SECRET).await;
    has(
        &b.detail(&twin).await,
        "Another profile has the same Application (client) ID",
    );
    has(&b.act(&id, "act=update&version=2&display_name=twin&client_id=8f0f6b1c-0000-4000-8000-00000000000b&directory_id=11111111-1111-4111-8111-111111111111").await, "Another active profile has this name");
    let archived = b.act(&id, "act=archive&version=2").await;
    has(&archived, "The profile is archived.");
    has(&archived, "Restore profile");
    lacks(&archived, "Save changes");
    has(
        &b.act(&id, "act=restore&version=3").await,
        "The profile is active again.",
    );
    has(
        &b.act(&id, "act=delete&version=4&confirm_name=renamed")
            .await,
        "Type the profile's name exactly",
    );
    has(
        &b.act(&id, "act=delete&version=1&confirm_name=Renamed")
            .await,
        "Reload",
    );
    assert!(b.ids().await.contains(&id));
    has(
        &b.act(&id, "act=delete&version=4&confirm_name=Renamed")
            .await,
        "The profile is deleted",
    );
    assert!(!b.ids().await.contains(&id));
    assert_eq!(
        b.get(&format!("{HERE}&profile={id}")).await.status.as_u16(),
        404
    );
    let actions = b.column("audit_log", "action").await;
    for action in [
        "profile.created",
        "profile.updated",
        "profile.archived",
        "profile.restored",
        "profile.deleted",
    ] {
        assert!(
            actions.iter().any(|known| known == action),
            "{action} in {actions:?}"
        );
    }
    lacks(&b.site.heard(), SECRET);
}

pub async fn the_log_says_why(b: Bench) {
    let id = b.profile("Main", CLIENT, SECRET).await;
    b.act(&id, "act=archive&version=1&note=++ticket%0A4711+")
        .await;
    b.act(&id, "act=restore&version=2&note=").await;
    b.act(
        &id,
        "act=delete&version=3&confirm_name=Main&note=end+of+contract",
    )
    .await;
    let domains = "/msp/settings?tab=integrations&category=login-domains";
    b.submit(
        "/_fn/add_login_domain",
        domains,
        "domain=why.example.com&note=new+brand",
    )
    .await;
    let domain = b.column("msp_sso_login_domains", "domain_id").await;
    for id in domain {
        b.submit(
            "/_fn/remove_login_domain",
            domains,
            &format!("domain_id={id}&note=sold"),
        )
        .await;
    }
    let people = b.column("users", "user_id").await;
    b.submit(
        "/_fn/end_other_sessions",
        "/msp/profile?tab=security",
        &format!("person={}&note=lost+laptop", people[1]),
    )
    .await;
    let board = row(&b.get(HERE).await.body, "id=\"binding-msp_sso\"");
    let change = board.split("name=\"change\" value=\"").nth(1).unwrap();
    let change = change.split('"').next().unwrap();
    b.submit(
        "/_fn/undo_rebind",
        HERE,
        &format!("consumer=msp_sso&change={change}&note=too+early"),
    )
    .await;
    let sql = format!(
        "SELECT action || ': ' || COALESCE(note, '-') FROM audit_log WHERE tenant_id = '{}' ORDER BY at",
        b.site.own.id
    );
    let said = b.site.db.texts(&sql).await;
    for line in [
        "profile.created: -",
        "profile.archived: ticket 4711",
        "profile.restored: -",
        "profile.deleted: end of contract",
        "login_domain.added: new brand",
        "login_domain.removed: sold",
        "session.revoked: lost laptop",
        "binding.undone: too early",
    ] {
        assert!(said.iter().any(|row| row == line), "{line} in {said:?}");
    }
}

pub async fn what_is_bound_stays(b: Bench) {
    for (consumer, reason) in [
        (Consumer::MspSso, "It is in use by MSP SSO."),
        (Consumer::Calendar, "also in use by an Enterprise feature"),
    ] {
        let id = b.profile(consumer.as_str(), CLIENT, SECRET).await;
        b.plant(&id, consumer).await;
        let page = b.detail(&id).await;
        has(&page, reason);
        lacks(&page, "Archive profile");
        lacks(&page, "Delete profile");
        let version = b.version(&id).await;
        has(
            &b.act(&id, &format!("act=archive&version={version}")).await,
            "cannot be archived",
        );
        let delete = format!(
            "act=delete&version={version}&confirm_name={}",
            consumer.as_str()
        );
        has(&b.act(&id, &delete).await, "cannot be deleted");
        assert!(b.ids().await.contains(&id));
        assert_eq!(b.version(&id).await, version);
    }
}

pub async fn an_expiry_is_announced(b: Bench) {
    let id = b.profile("Expiring", CLIENT, SECRET).await;
    let today = b.site.state.services.now().date_naive();
    for (version, days, words) in [
        (1, 90, "Expires in 90 days"),
        (2, 60, "Expires in 60 days"),
        (3, 7, "Expires in 7 days"),
        (4, 1, "Expires tomorrow"),
        (5, -1, "Expired yesterday"),
    ] {
        let day = today + chrono::TimeDelta::days(days);
        let page = b
            .act(&id, &format!("act=update&version={version}&display_name=Expiring&client_id={CLIENT}&directory_id={DIRECTORY}&secret_expires_on={day}"))
            .await;
        has(&page, words);
        assert_eq!(page.contains("needs a successor"), days <= 60, "{days}");
        has(&b.get(HERE).await.body, words);
        // A week before the end, and from then on, it stands on top of every page, for who can mend it.
        let anywhere = |cookie: String| {
            let call = Call::get("/msp/schedule").cookie(&cookie);
            b.site.send(call)
        };
        let strip = "panel=rotate\" rel=\"external\"";
        let admin = anywhere(b.site.own.admin.clone()).await.body;
        assert_eq!(admin.contains(strip), days <= 7, "{days}: {admin}");
        lacks(&anywhere(b.site.own.technician.clone()).await.body, strip);
    }
}
