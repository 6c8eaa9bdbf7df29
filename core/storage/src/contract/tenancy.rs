//! Tenants apart, transactions whole, log-ins and sessions.

use daybind_domain::ids::{SessionId, TenantId};
use uuid::Uuid;

use super::fixture::{at, profile, tenant, unit};
use crate::{Scope, Session, StorageError, Store};

/// A query with another tenant's id finds nothing, even if it names the right key.
pub async fn another_tenant_sees_nothing(store: &dyn Store) {
    let (a, admin) = tenant(store, "A").await;
    let (b, _) = tenant(store, "B").await;
    let row = profile(a, admin, "Main");
    let mut own = unit(store, a).await;
    own.add_profile(&row).await.unwrap();
    own.save().await.unwrap();
    let mut other = unit(store, b).await;
    assert_eq!(other.find_profile(b, row.profile_id).await.unwrap(), None);
    assert_eq!(other.find_user(b, admin).await.unwrap(), None);
    assert!(other.list_profiles(b).await.unwrap().is_empty());
    let moved = crate::Profile {
        tenant_id: b,
        ..row.clone()
    };
    assert!(matches!(
        other.update_profile(&moved).await,
        Err(StorageError::NotFound)
    ));
    assert_eq!(
        other
            .list_tenants()
            .await
            .unwrap()
            .iter()
            .map(|t| t.tenant_id)
            .collect::<Vec<_>>(),
        [b]
    );
    drop(other);
    let mut own = unit(store, a).await;
    assert_eq!(
        own.find_profile(a, row.profile_id).await.unwrap(),
        Some(row)
    );
}

/// Only `save` keeps anything.
pub async fn a_dropped_or_cancelled_unit_keeps_nothing(store: &dyn Store) {
    let (a, admin) = tenant(store, "A").await;
    let mut dropped = unit(store, a).await;
    dropped
        .add_profile(&profile(a, admin, "Dropped"))
        .await
        .unwrap();
    drop(dropped);
    let mut cancelled = unit(store, a).await;
    cancelled
        .add_profile(&profile(a, admin, "Cancelled"))
        .await
        .unwrap();
    cancelled.cancel().await.unwrap();
    let mut reader = store.read(Scope::Tenant(a)).await.unwrap();
    assert!(reader.list_profiles(a).await.unwrap().is_empty());
    assert!(
        reader
            .add_profile(&profile(a, admin, "Read"))
            .await
            .is_err()
    );
}

/// Sign-in by email sees all tenants; a tenant's unit sees its own.
pub async fn logins_are_found_over_all_tenants(store: &dyn Store) {
    let (a, _) = tenant(store, "A").await;
    let (b, _) = tenant(store, "B").await;
    let mut system = store.read(Scope::System).await.unwrap();
    let mut found: Vec<_> = system
        .find_login("admin@example.test")
        .await
        .unwrap()
        .iter()
        .map(|c| c.tenant_id)
        .collect();
    found.sort();
    let mut both = [a, b];
    both.sort();
    assert_eq!(found, both);
    assert_eq!(system.list_tenants().await.unwrap().len(), 2);
    let mut own = store.read(Scope::Tenant(a)).await.unwrap();
    assert_eq!(own.find_login("admin@example.test").await.unwrap().len(), 1);
}

/// A session is found by its hash in its tenant until it is removed.
pub async fn sessions_begin_and_end(store: &dyn Store) {
    let (a, user_id) = tenant(store, "A").await;
    let session = Session {
        tenant_id: a,
        session_id: SessionId(Uuid::new_v4()),
        user_id,
        token_hash: vec![7; 32],
        created_at: at(0),
        last_seen_at: at(0),
        expires_at: at(100),
        method: "microsoft".to_owned(),
        user_agent: Some("Browser".to_owned()),
        address: Some("192.0.2.1".to_owned()),
    };
    let mut u = unit(store, a).await;
    u.add_session(&session).await.unwrap();
    u.touch_session(a, session.session_id, at(5)).await.unwrap();
    let found = u.find_session(a, &[7; 32]).await.unwrap().unwrap();
    assert_eq!(
        found,
        Session {
            last_seen_at: at(5),
            ..session.clone()
        }
    );
    assert_eq!(
        u.find_session(TenantId(Uuid::new_v4()), &[7; 32])
            .await
            .unwrap(),
        None
    );
    u.remove_session(a, session.session_id).await.unwrap();
    u.remove_session(a, session.session_id).await.unwrap();
    assert_eq!(u.find_session(a, &[7; 32]).await.unwrap(), None);
    u.save().await.unwrap();
}
