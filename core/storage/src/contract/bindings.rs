//! Bindings: changes that race with others, and what can be taken back.

use daybind_domain::Consumer;
use daybind_domain::ids::{ProfileId, TenantId, UserId};
use uuid::Uuid;

use super::fixture::{at, profile, tenant, unit};
use crate::{Binding, BindingUndo, NewUser, Profile, StorageError, StorageResult, Store};

fn row(tenant_id: TenantId, profile_id: ProfileId, updated_by: UserId, seconds: i64) -> Binding {
    Binding {
        tenant_id,
        consumer: Consumer::Calendar,
        profile_id,
        updated_by,
        updated_at: at(seconds),
    }
}

/// A change is made to what was looked at, or not at all; archived and foreign profiles are refused as ever (M-08).
pub async fn a_binding_changes_only_from_what_was_seen(store: &dyn Store) {
    let (a, admin) = tenant(store, "A").await;
    let (b, other) = tenant(store, "B").await;
    let (one, two) = (profile(a, admin, "One"), profile(a, admin, "Two"));
    let archived = Profile {
        archived_at: Some(at(3)),
        ..profile(a, admin, "Old")
    };
    let foreign = profile(b, other, "Foreign");
    let mut u = unit(store, a).await;
    for profile in [&one, &two, &archived] {
        u.add_profile(profile).await.unwrap();
    }
    u.save().await.unwrap();
    let mut u = unit(store, b).await;
    u.add_profile(&foreign).await.unwrap();
    u.save().await.unwrap();

    let first = row(a, one.profile_id, admin, 1);
    let second = row(a, two.profile_id, admin, 2);
    let change = |expected: Option<Binding>, next: Option<Binding>| async move {
        let mut u = unit(store, a).await;
        u.change_binding(a, Consumer::Calendar, expected.as_ref(), next.as_ref())
            .await?;
        u.save().await
    };
    change(None, None).await.unwrap();
    change(None, Some(first.clone())).await.unwrap();
    for (expected, next) in [
        (None, None),
        (None, Some(second.clone())),
        (Some(second.clone()), Some(second.clone())),
        (Some(second.clone()), None),
        // The same profile, but bound again since.
        (Some(row(a, one.profile_id, admin, 5)), Some(second.clone())),
    ] {
        let refused = change(expected, next).await;
        assert!(matches!(refused, Err(StorageError::Stale)), "{refused:?}");
    }
    for profile_id in [archived.profile_id, foreign.profile_id] {
        let refused = change(Some(first.clone()), Some(row(a, profile_id, admin, 3))).await;
        assert!(
            matches!(refused, Err(StorageError::Reference(_))),
            "{refused:?}"
        );
    }
    change(Some(first), Some(second.clone())).await.unwrap();
    let mut u = unit(store, a).await;
    assert_eq!(
        u.find_binding(a, Consumer::Calendar).await.unwrap(),
        Some(second.clone())
    );
    drop(u);
    change(Some(second), None).await.unwrap();
    let mut u = unit(store, a).await;
    assert_eq!(u.find_binding(a, Consumer::Calendar).await.unwrap(), None);
}

/// Of two who change the same binding at once one wins, whether it was bound before or not (M-08, W61).
pub async fn one_of_two_binding_changes_wins(store: &dyn Store) {
    let (a, admin) = tenant(store, "A").await;
    let (one, two) = (profile(a, admin, "One"), profile(a, admin, "Two"));
    let mut u = unit(store, a).await;
    u.add_profile(&one).await.unwrap();
    u.add_profile(&two).await.unwrap();
    u.save().await.unwrap();
    let mut seen: Option<Binding> = None;
    for round in 0..10 {
        let attempt = |profile_id| {
            let (seen, next) = (seen.clone(), row(a, profile_id, admin, 10 + round));
            async move {
                let mut u = unit(store, a).await;
                u.change_binding(a, Consumer::Calendar, seen.as_ref(), Some(&next))
                    .await?;
                u.save().await
            }
        };
        let both: [StorageResult<()>; 2] = {
            let (x, y) = futures::join!(attempt(one.profile_id), attempt(two.profile_id));
            [x, y]
        };
        assert_eq!(
            both.iter().filter(|done| done.is_ok()).count(),
            1,
            "{both:?}"
        );
        let lost = both.iter().find(|done| done.is_err()).unwrap();
        assert!(matches!(lost, Err(StorageError::Stale)), "{lost:?}");
        let mut u = unit(store, a).await;
        seen = u.find_binding(a, Consumer::Calendar).await.unwrap();
        assert!(seen.is_some());
    }
}

/// Binding a profile and archiving it at once: never both (M-08, W61).
pub async fn binding_and_archiving_never_both_happen(store: &dyn Store) {
    let (a, admin) = tenant(store, "A").await;
    for round in 0..10 {
        let wanted = profile(a, admin, &format!("P{round}"));
        let mut u = unit(store, a).await;
        u.clear_binding(a, Consumer::Calendar).await.unwrap();
        u.add_profile(&wanted).await.unwrap();
        u.save().await.unwrap();
        let bind = async {
            let mut u = unit(store, a).await;
            let next = row(a, wanted.profile_id, admin, round);
            u.change_binding(a, Consumer::Calendar, None, Some(&next))
                .await?;
            u.save().await
        };
        let archive = async {
            let mut u = unit(store, a).await;
            let archived = Profile {
                archived_at: Some(at(3)),
                ..wanted.clone()
            };
            u.update_profile(&archived).await?;
            u.save().await
        };
        let (bound, archived) = if round % 2 == 0 {
            futures::join!(bind, archive)
        } else {
            let (archived, bound) = futures::join!(archive, bind);
            (bound, archived)
        };
        assert!(bound.is_ok() != archived.is_ok(), "{bound:?} {archived:?}");
        let mut u = unit(store, a).await;
        let binding = u.find_binding(a, Consumer::Calendar).await.unwrap();
        let now = u.find_profile(a, wanted.profile_id).await.unwrap().unwrap();
        assert_eq!(binding.is_some(), bound.is_ok());
        assert_eq!(now.archived_at.is_some(), archived.is_ok());
    }
}

/// The last change of each consumer is kept, whole, until it is forgotten.
pub async fn the_last_binding_change_is_kept(store: &dyn Store) {
    let (a, admin) = tenant(store, "A").await;
    let (b, _) = tenant(store, "B").await;
    let one = profile(a, admin, "One");
    let note = |consumer, after, seconds| BindingUndo {
        tenant_id: a,
        consumer,
        before: None,
        after,
        changed_by: admin,
        changed_at: at(seconds),
        undo_until: at(seconds + 600),
        memo: serde_json::json!({ "connections": [{ "status": "connected", "n": 1 }] }),
    };
    let calendar = note(Consumer::Calendar, Some(one.profile_id), 5);
    let sso = BindingUndo {
        before: Some(one.profile_id),
        ..note(Consumer::MspSso, None, 6)
    };
    let mut u = unit(store, a).await;
    u.add_profile(&one).await.unwrap();
    u.note_undo(&note(Consumer::Calendar, None, 1))
        .await
        .unwrap();
    u.note_undo(&calendar).await.unwrap();
    u.note_undo(&sso).await.unwrap();
    u.save().await.unwrap();
    let mut u = unit(store, b).await;
    assert!(u.list_undo(b).await.unwrap().is_empty());
    drop(u);
    let mut u = unit(store, a).await;
    assert_eq!(u.list_undo(a).await.unwrap(), [sso, calendar.clone()]);
    assert_eq!(
        u.find_undo(a, Consumer::Calendar).await.unwrap(),
        Some(calendar)
    );
    assert_eq!(u.find_undo(a, Consumer::Email).await.unwrap(), None);
    u.remove_undo(a, Consumer::Calendar).await.unwrap();
    u.remove_undo(a, Consumer::Calendar).await.unwrap();
    assert_eq!(u.find_undo(a, Consumer::Calendar).await.unwrap(), None);
    u.save().await.unwrap();
}

/// Who could not sign in without Microsoft: active, internal, no password; of this tenant only.
pub async fn people_without_a_password_are_found(store: &dyn Store) {
    use daybind_domain::user::{Role, UserType};
    let (a, _) = tenant(store, "A").await;
    let (b, _) = tenant(store, "B").await;
    let add = |tenant_id, name: &'static str, user_type, is_active, hash: Option<&'static str>| async move {
        let new = NewUser {
            user: crate::User {
                tenant_id,
                user_id: UserId(Uuid::new_v4()),
                email: format!("{name}@example.test"),
                display_name: name.to_owned(),
                user_type,
                role: Role::Technician,
                is_active,
                time_zone: "UTC".to_owned(),
            },
            email_normalized: format!("{name}@example.test"),
            password_hash: hash.map(str::to_owned),
        };
        let mut u = unit(store, tenant_id).await;
        u.add_user(&new, at(0)).await.unwrap();
        u.save().await.unwrap();
    };
    add(a, "zoe", UserType::Internal, true, None).await;
    add(a, "ben", UserType::Internal, true, None).await;
    add(a, "gone", UserType::Internal, false, None).await;
    add(a, "client", UserType::Client, true, None).await;
    add(a, "pat", UserType::Internal, true, Some("hash")).await;
    add(b, "other", UserType::Internal, true, None).await;
    let mut u = unit(store, a).await;
    let people = u.list_without_password(a).await.unwrap();
    let names: Vec<_> = people.into_iter().map(|user| user.display_name).collect();
    assert_eq!(names, ["ben", "zoe"]);
}
