//! Profiles, bindings, flows and the audit log.

use daybind_domain::Consumer;
use daybind_domain::ids::{AuditId, FlowId, ProfileId, TenantId, UserId};
use uuid::Uuid;

use super::fixture::{at, profile, tenant, unit};
use crate::{AuditRow, Binding, OauthFlow, Origin, Profile, StorageError, Store};

fn binding(
    tenant_id: TenantId,
    consumer: Consumer,
    profile_id: ProfileId,
    updated_by: UserId,
) -> Binding {
    Binding {
        tenant_id,
        consumer,
        profile_id,
        updated_by,
        updated_at: at(2),
    }
}

/// An update needs the version that was read, and raises it.
pub async fn profiles_are_locked_optimistically(store: &dyn Store) {
    let (a, admin) = tenant(store, "A").await;
    let row = profile(a, admin, "Main");
    let mut u = unit(store, a).await;
    u.add_profile(&row).await.unwrap();
    u.update_profile(&row).await.unwrap();
    assert_eq!(
        u.find_profile(a, row.profile_id)
            .await
            .unwrap()
            .unwrap()
            .version,
        2
    );
    assert!(matches!(
        u.update_profile(&row).await,
        Err(StorageError::Stale)
    ));
    let gone = Profile {
        profile_id: ProfileId(Uuid::new_v4()),
        ..row
    };
    assert!(matches!(
        u.update_profile(&gone).await,
        Err(StorageError::NotFound)
    ));
    u.save().await.unwrap();
}

/// Names are unique among active profiles only.
pub async fn an_archived_name_can_be_used_again(store: &dyn Store) {
    let (a, admin) = tenant(store, "A").await;
    let first = profile(a, admin, "Main");
    let mut u = unit(store, a).await;
    u.add_profile(&first).await.unwrap();
    u.save().await.unwrap();
    let mut u = unit(store, a).await;
    assert!(matches!(
        u.add_profile(&profile(a, admin, "MAIN")).await,
        Err(StorageError::Duplicate(_))
    ));
    drop(u);
    let mut u = unit(store, a).await;
    u.update_profile(&Profile {
        archived_at: Some(at(9)),
        ..first.clone()
    })
    .await
    .unwrap();
    u.add_profile(&profile(a, admin, "MAIN")).await.unwrap();
    let names: Vec<_> = u
        .list_profiles(a)
        .await
        .unwrap()
        .into_iter()
        .map(|p| p.fields.display_name)
        .collect();
    assert_eq!(names, ["MAIN", "Main"]);
    u.save().await.unwrap();
}

/// Bindings are independent rows.
pub async fn setting_a_binding_touches_no_other(store: &dyn Store) {
    let (a, admin) = tenant(store, "A").await;
    let (one, two) = (profile(a, admin, "One"), profile(a, admin, "Two"));
    let mut u = unit(store, a).await;
    u.add_profile(&one).await.unwrap();
    u.add_profile(&two).await.unwrap();
    let email = binding(a, Consumer::Email, one.profile_id, admin);
    u.set_binding(&binding(a, Consumer::Calendar, one.profile_id, admin))
        .await
        .unwrap();
    u.set_binding(&email).await.unwrap();
    let calendar = binding(a, Consumer::Calendar, two.profile_id, admin);
    u.set_binding(&calendar).await.unwrap();
    assert_eq!(u.list_bindings(a).await.unwrap(), [email.clone(), calendar]);
    assert_eq!(u.find_binding(a, Consumer::MspSso).await.unwrap(), None);
    assert!(u.clear_binding(a, Consumer::Calendar).await.unwrap());
    assert!(!u.clear_binding(a, Consumer::Calendar).await.unwrap());
    assert_eq!(u.list_bindings(a).await.unwrap(), [email]);
    u.save().await.unwrap();
}

/// The database itself refuses an archived profile and another tenant's.
pub async fn archived_and_foreign_profiles_cannot_be_bound(store: &dyn Store) {
    let (a, admin) = tenant(store, "A").await;
    let (b, other) = tenant(store, "B").await;
    let archived = Profile {
        archived_at: Some(at(3)),
        ..profile(a, admin, "Old")
    };
    let foreign = profile(b, other, "Foreign");
    let mut u = unit(store, a).await;
    u.add_profile(&archived).await.unwrap();
    u.save().await.unwrap();
    let mut u = unit(store, b).await;
    u.add_profile(&foreign).await.unwrap();
    u.save().await.unwrap();
    for profile_id in [archived.profile_id, foreign.profile_id] {
        let mut u = unit(store, a).await;
        let refused = u
            .set_binding(&binding(a, Consumer::Email, profile_id, admin))
            .await;
        assert!(
            matches!(refused, Err(StorageError::Reference(_))),
            "{refused:?}"
        );
    }
}

/// The same rule from the other side.
pub async fn a_bound_profile_cannot_be_archived(store: &dyn Store) {
    let (a, admin) = tenant(store, "A").await;
    let row = profile(a, admin, "Main");
    let mut u = unit(store, a).await;
    u.add_profile(&row).await.unwrap();
    u.set_binding(&binding(a, Consumer::Email, row.profile_id, admin))
        .await
        .unwrap();
    u.save().await.unwrap();
    let mut u = unit(store, a).await;
    let refused = u
        .update_profile(&Profile {
            archived_at: Some(at(4)),
            ..row
        })
        .await;
    assert!(
        matches!(refused, Err(StorageError::Reference(_))),
        "{refused:?}"
    );
}

/// A state is good for one callback.
pub async fn flows_are_taken_once(store: &dyn Store) {
    let (a, admin) = tenant(store, "A").await;
    let flow = OauthFlow {
        tenant_id: a,
        flow_id: FlowId(Uuid::new_v4()),
        state_hash: vec![1; 32],
        purpose: "calendar_connect".to_owned(),
        provider: "google".to_owned(),
        profile_id: None,
        profile_version: None,
        user_id: Some(admin),
        session_id: None,
        connection_id: None,
        verifier_sealed: "sealed".to_owned(),
        nonce_hash: Some(vec![8; 32]),
        browser_hash: Some(vec![9; 32]),
        return_to: Some("/msp/schedule".to_owned()),
        redirect_uri: "http://127.0.0.1/callback".to_owned(),
        created_at: at(0),
        expires_at: at(600),
    };
    let mut u = unit(store, a).await;
    u.add_flow(&flow).await.unwrap();
    assert_eq!(u.take_flow(a, &[1; 32]).await.unwrap(), Some(flow.clone()));
    assert_eq!(u.take_flow(a, &[1; 32]).await.unwrap(), None);
    u.add_flow(&flow).await.unwrap();
    let later = OauthFlow {
        flow_id: FlowId(Uuid::new_v4()),
        state_hash: vec![2; 32],
        created_at: at(601),
        expires_at: at(1201),
        ..flow
    };
    u.add_flow(&later).await.unwrap();
    assert_eq!(u.take_flow(a, &[1; 32]).await.unwrap(), None);
    u.save().await.unwrap();
}

/// Newest first, limited, and unchanged by the way through the database.
pub async fn audit_rows_are_listed_newest_first(store: &dyn Store) {
    let (a, admin) = tenant(store, "A").await;
    let row = |seconds, actor| AuditRow {
        tenant_id: a,
        audit_id: AuditId(Uuid::now_v7()),
        at: at(seconds),
        actor,
        action: "profile.created".to_owned(),
        subject: "microsoft_profile:1".to_owned(),
        detail: serde_json::json!({"client_secret": "changed", "n": [1, null]}),
        request_id: Some("r".to_owned()),
        note: Some("ticket 4711".to_owned()),
        origin: Origin {
            ip: Some("192.0.2.1".to_owned()),
            user_agent: Some("Browser".to_owned()),
        },
    };
    let (old, new) = (row(1, None), row(2, Some(admin)));
    let mut u = unit(store, a).await;
    u.add_audit(&old).await.unwrap();
    u.add_audit(&new).await.unwrap();
    assert_eq!(u.list_audit(a, 9).await.unwrap(), [new.clone(), old]);
    assert_eq!(u.list_audit(a, 1).await.unwrap(), [new]);
    u.save().await.unwrap();
}
