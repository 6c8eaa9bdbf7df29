//! What hangs on a profile, and what its removal and its archiving may meet.

use chrono::{DateTime, Utc};
use daybind_domain::Consumer;
use daybind_domain::ids::{TenantId, UserId};

use super::fixture::{at, profile, tenant, unit};
use crate::{
    Binding, Draft, Profile, ProfileCheck, SecretSlot, StagedSecret, StorageError, StorageResult,
    Store,
};

fn bind(row: &Profile, consumer: Consumer) -> Binding {
    Binding {
        tenant_id: row.tenant_id,
        consumer,
        profile_id: row.profile_id,
        updated_by: row.created_by,
        updated_at: at(2),
    }
}

async fn added(store: &dyn Store, tenant_id: TenantId, by: UserId, name: &str) -> Profile {
    let row = profile(tenant_id, by, name);
    let mut u = unit(store, tenant_id).await;
    u.add_profile(&row).await.unwrap();
    u.save().await.unwrap();
    row
}

/// Removal needs the version that was read, is refused while a consumer is bound (whichever), and takes along what
/// hangs on the profile.
pub async fn a_profile_is_removed_unless_bound_or_changed(store: &dyn Store) {
    let (a, admin) = tenant(store, "A").await;
    let row = added(store, a, admin, "Main").await;
    let mut u = unit(store, a).await;
    u.put_secret(&staged(&row, SecretSlot::Next, None))
        .await
        .unwrap();
    u.put_check(&check(&row, "tenant", "passed")).await.unwrap();
    u.set_binding(&bind(&row, Consumer::Teams)).await.unwrap();
    u.save().await.unwrap();
    let mut u = unit(store, a).await;
    let bound = u.remove_profile(a, row.profile_id, 1).await;
    assert!(
        matches!(bound, Err(StorageError::Reference(_))),
        "{bound:?}"
    );
    drop(u);
    let mut u = unit(store, a).await;
    assert!(u.clear_binding(a, Consumer::Teams).await.unwrap());
    assert!(matches!(
        u.remove_profile(a, row.profile_id, 2).await,
        Err(StorageError::Stale)
    ));
    u.remove_profile(a, row.profile_id, 1).await.unwrap();
    assert!(matches!(
        u.remove_profile(a, row.profile_id, 1).await,
        Err(StorageError::NotFound)
    ));
    assert!(u.list_secrets(a, row.profile_id).await.unwrap().is_empty());
    assert!(u.list_checks(a).await.unwrap().is_empty());
    u.save().await.unwrap();
}

async fn binding_against(
    store: &dyn Store,
    row: &Profile,
    other: impl Future<Output = StorageResult<()>>,
) -> (StorageResult<()>, StorageResult<()>) {
    let bound = async {
        let mut u = unit(store, row.tenant_id).await;
        u.set_binding(&bind(row, Consumer::Calendar)).await?;
        u.save().await
    };
    futures::join!(bound, other)
}

/// M-08, W61: of a bind and an archive at the same moment, whichever order the database puts them in, one is refused.
pub async fn archiving_and_binding_at_once_never_both_succeed(store: &dyn Store) {
    let (a, admin) = tenant(store, "A").await;
    for round in 0..20 {
        let row = added(store, a, admin, &format!("Round {round}")).await;
        let archive = async {
            let mut u = unit(store, a).await;
            let archived = Profile {
                archived_at: Some(at(5)),
                ..row.clone()
            };
            u.update_profile(&archived).await?;
            u.save().await
        };
        let (bound, archived) = binding_against(store, &row, archive).await;
        assert!(bound.is_ok() != archived.is_ok(), "{bound:?} {archived:?}");
        let refused = bound.err().or(archived.err());
        assert!(
            matches!(refused, Some(StorageError::Reference(_))),
            "{refused:?}"
        );
        let mut u = unit(store, a).await;
        let now = u.find_profile(a, row.profile_id).await.unwrap().unwrap();
        let binding = u.find_binding(a, Consumer::Calendar).await.unwrap();
        assert_eq!(binding.is_some(), now.archived_at.is_none());
        u.clear_binding(a, Consumer::Calendar).await.unwrap();
        u.save().await.unwrap();
    }
}

/// M-08, W61: the same for a bind and a deletion.
pub async fn deleting_and_binding_at_once_never_both_succeed(store: &dyn Store) {
    let (a, admin) = tenant(store, "A").await;
    for round in 0..20 {
        let row = added(store, a, admin, &format!("Round {round}")).await;
        let delete = async {
            let mut u = unit(store, a).await;
            u.remove_profile(a, row.profile_id, 1).await?;
            u.save().await
        };
        let (bound, deleted) = binding_against(store, &row, delete).await;
        assert!(bound.is_ok() != deleted.is_ok(), "{bound:?} {deleted:?}");
        let mut u = unit(store, a).await;
        let there = u.find_profile(a, row.profile_id).await.unwrap().is_some();
        let binding = u.find_binding(a, Consumer::Calendar).await.unwrap();
        assert_eq!(binding.is_some(), there);
        u.clear_binding(a, Consumer::Calendar).await.unwrap();
        u.save().await.unwrap();
    }
}

fn staged(row: &Profile, slot: SecretSlot, destroy_at: Option<DateTime<Utc>>) -> StagedSecret {
    StagedSecret {
        tenant_id: row.tenant_id,
        profile_id: row.profile_id,
        slot,
        secret_sealed: format!("sealed {}", slot.as_str()),
        last4: "wxyz".to_owned(),
        added_by: Some(row.created_by),
        added_at: Some(at(3)),
        expires_on: at(86_400 * 40).date_naive().into(),
        verified_at: None,
        destroy_at,
    }
}

/// One secret waits, one was before; only the latter has an end, by a rule of the database.
pub async fn staged_secrets_keep_their_slots(store: &dyn Store) {
    let (a, admin) = tenant(store, "A").await;
    let row = added(store, a, admin, "Main").await;
    let next = staged(&row, SecretSlot::Next, None);
    let previous = staged(&row, SecretSlot::Previous, Some(at(90)));
    let mut u = unit(store, a).await;
    u.put_secret(&previous).await.unwrap();
    u.put_secret(&next).await.unwrap();
    let verified = StagedSecret {
        verified_at: Some(at(4)),
        ..next
    };
    u.put_secret(&verified).await.unwrap();
    assert_eq!(
        u.list_secrets(a, row.profile_id).await.unwrap(),
        [verified, previous]
    );
    assert!(
        u.remove_secret(a, row.profile_id, SecretSlot::Next)
            .await
            .unwrap()
    );
    assert!(
        !u.remove_secret(a, row.profile_id, SecretSlot::Next)
            .await
            .unwrap()
    );
    u.save().await.unwrap();
    let mut u = unit(store, a).await;
    let endless = u
        .put_secret(&staged(&row, SecretSlot::Previous, None))
        .await;
    assert!(
        matches!(endless, Err(StorageError::Reference(_))),
        "{endless:?}"
    );
}

fn check(row: &Profile, name: &str, outcome: &str) -> ProfileCheck {
    ProfileCheck {
        tenant_id: row.tenant_id,
        profile_id: row.profile_id,
        name: name.to_owned(),
        outcome: outcome.to_owned(),
        subject: "digest".to_owned(),
        error: Some("invalid_client".to_owned()),
        number: Some(7_000_215),
        trace_id: Some("trace".to_owned()),
        correlation_id: None,
        detail: Some("detail".to_owned()),
        checked_by: row.created_by,
        checked_at: at(6),
    }
}

/// A second run replaces the first; other tenants see neither.
pub async fn a_check_keeps_its_latest_result(store: &dyn Store) {
    let (a, admin) = tenant(store, "A").await;
    let (b, _) = tenant(store, "B").await;
    let row = added(store, a, admin, "Main").await;
    let mut u = unit(store, a).await;
    u.put_check(&check(&row, "tenant", "failed")).await.unwrap();
    u.put_check(&check(&row, "credentials", "failed"))
        .await
        .unwrap();
    let passed = ProfileCheck {
        error: None,
        number: None,
        ..check(&row, "tenant", "passed")
    };
    u.put_check(&passed).await.unwrap();
    assert_eq!(
        u.list_checks(a).await.unwrap(),
        [check(&row, "credentials", "failed"), passed]
    );
    u.save().await.unwrap();
    let mut other = unit(store, b).await;
    assert!(other.list_checks(b).await.unwrap().is_empty());
}

/// Saving again keeps the day it was begun.
pub async fn a_draft_belongs_to_one_person(store: &dyn Store) {
    let (a, admin) = tenant(store, "A").await;
    let draft = Draft {
        tenant_id: a,
        user_id: admin,
        answers: serde_json::json!({"display_name": "Contoso", "consumers": ["msp_sso"]}),
        created_at: at(1),
        updated_at: at(1),
    };
    let mut u = unit(store, a).await;
    u.put_draft(&draft).await.unwrap();
    let later = Draft {
        created_at: at(9),
        updated_at: at(9),
        ..draft.clone()
    };
    u.put_draft(&later).await.unwrap();
    assert_eq!(
        u.find_draft(a, admin).await.unwrap(),
        Some(Draft {
            created_at: at(1),
            ..later
        })
    );
    assert!(u.remove_draft(a, admin).await.unwrap());
    assert!(!u.remove_draft(a, admin).await.unwrap());
    assert_eq!(u.find_draft(a, admin).await.unwrap(), None);
    u.save().await.unwrap();
}
