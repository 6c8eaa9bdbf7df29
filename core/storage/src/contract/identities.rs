//! Microsoft accounts of people, and those that wait for approval.

use daybind_domain::ids::{IdentityId, IdentityRequestId, TenantId, UserId};
use uuid::Uuid;

use super::fixture::{at, tenant, unit, user};
use crate::{Identity, IdentityRequest, Proof, RequestState, StorageError, Store};

fn identity(tenant_id: TenantId, user_id: UserId, object_id: &str) -> Identity {
    Identity {
        tenant_id,
        identity_id: IdentityId(Uuid::new_v4()),
        user_id,
        directory_id: "11111111-1111-4111-8111-111111111111".to_owned(),
        object_id: object_id.to_owned(),
        account_name: "tess@contoso.example".to_owned(),
        proof: Proof::SignedIn,
        linked_by: user_id,
        linked_at: at(1),
        last_used_at: None,
    }
}

/// (directory, object) is unique inside a tenant, unknown outside it, and gone when it is removed (M-13).
pub async fn an_account_belongs_to_one_person_of_a_tenant(store: &dyn Store) {
    let (a, admin) = tenant(store, "A").await;
    let (b, stranger) = tenant(store, "B").await;
    let other = user(store, a, "other@example.test").await;
    let row = identity(a, admin, "o-1");
    let mut u = unit(store, a).await;
    u.add_identity(&row).await.unwrap();
    u.touch_identity(a, row.identity_id, at(9)).await.unwrap();
    u.save().await.unwrap();
    let mut u = unit(store, a).await;
    let found = u.find_identity(a, &row.directory_id, "o-1").await.unwrap();
    let touched = Identity {
        last_used_at: Some(at(9)),
        ..row.clone()
    };
    assert_eq!(found, Some(touched.clone()));
    assert_eq!(u.list_identities_of(a, admin).await.unwrap(), [touched]);
    assert!(u.lock_identities_of(a, other).await.unwrap().is_empty());
    assert_eq!(
        u.find_identity(a, "another-directory", "o-1")
            .await
            .unwrap(),
        None
    );
    let taken = u.add_identity(&identity(a, other, "o-1")).await;
    assert!(
        matches!(taken, Err(StorageError::Duplicate(_))),
        "{taken:?}"
    );
    drop(u);
    // The same account may belong to somebody of another tenant; neither sees the other's.
    let mut u = unit(store, b).await;
    assert_eq!(
        u.find_identity(b, &row.directory_id, "o-1").await.unwrap(),
        None
    );
    u.add_identity(&identity(b, stranger, "o-1")).await.unwrap();
    assert!(!u.remove_identity(b, row.identity_id).await.unwrap());
    u.save().await.unwrap();
    let mut u = unit(store, a).await;
    assert!(u.remove_identity(a, row.identity_id).await.unwrap());
    assert!(!u.remove_identity(a, row.identity_id).await.unwrap());
    u.save().await.unwrap();
}

/// One request for each account; a decision sticks.
pub async fn an_account_asks_once_and_is_decided_once(store: &dyn Store) {
    let (a, admin) = tenant(store, "A").await;
    let (b, _) = tenant(store, "B").await;
    let request = |object_id: &str, seconds| IdentityRequest {
        tenant_id: a,
        request_id: IdentityRequestId(Uuid::new_v4()),
        directory_id: "d".to_owned(),
        object_id: object_id.to_owned(),
        account_name: "tess@contoso.example".to_owned(),
        account_verified: true,
        suggested_user_id: Some(admin),
        state: RequestState::Pending,
        requested_at: at(seconds),
        decided_by: None,
        decided_at: None,
    };
    let (first, second) = (request("o-1", 1), request("o-2", 2));
    let mut u = unit(store, a).await;
    assert!(u.add_identity_request(&first).await.unwrap());
    assert!(u.add_identity_request(&second).await.unwrap());
    assert!(!u.add_identity_request(&request("o-1", 3)).await.unwrap());
    u.save().await.unwrap();
    let mut u = unit(store, a).await;
    let listed = u.list_identity_requests(a).await.unwrap();
    assert_eq!(listed, [second.clone(), first.clone()]);
    assert_eq!(
        u.find_request_of_account(a, "d", "o-1").await.unwrap(),
        Some(first)
    );
    let decline = |seconds| (second.request_id, admin, at(seconds));
    let (id, by, when) = decline(5);
    assert!(u.decline_identity_request(a, id, by, when).await.unwrap());
    let (id, by, when) = decline(6);
    assert!(!u.decline_identity_request(a, id, by, when).await.unwrap());
    let declined = u.find_identity_request(a, id).await.unwrap().unwrap();
    assert_eq!(declined.state, RequestState::Declined);
    assert_eq!(
        (declined.decided_by, declined.decided_at),
        (Some(admin), Some(at(5)))
    );
    // A declined one is not reopened by asking again, and sorts behind those that wait.
    assert!(!u.add_identity_request(&request("o-2", 7)).await.unwrap());
    let order: Vec<_> = u.list_identity_requests(a).await.unwrap();
    assert_eq!(
        order
            .iter()
            .map(|row| row.object_id.as_str())
            .collect::<Vec<_>>(),
        ["o-1", "o-2"]
    );
    u.save().await.unwrap();
    let mut foreign = unit(store, b).await;
    assert!(foreign.list_identity_requests(b).await.unwrap().is_empty());
    assert!(!foreign.remove_identity_request(b, id).await.unwrap());
    drop(foreign);
    let mut u = unit(store, a).await;
    assert!(u.remove_identity_request(a, id).await.unwrap());
    assert_eq!(u.find_identity_request(a, id).await.unwrap(), None);
    u.save().await.unwrap();
}
