//! Login domains, rate limits, sessions of a person, passwords.

use daybind_domain::ids::{LoginDomainId, SessionId, TenantId, UserId};
use daybind_domain::login_domain::ClaimStatus;
use uuid::Uuid;

use super::fixture::{at, tenant, unit, user};
use crate::{
    DomainChallenge, LoginDomain, Rate, Scope, Session, SignInSettings, StorageError, Store,
};

fn login_domain(tenant_id: TenantId, by: UserId, domain: &str, seconds: i64) -> LoginDomain {
    LoginDomain {
        tenant_id,
        domain_id: LoginDomainId(Uuid::new_v4()),
        domain: domain.to_owned(),
        status: ClaimStatus::Advisory,
        status_changed_at: at(seconds),
        status_changed_by: Some(by),
        verified_at: None,
        version: 1,
        created_by: by,
        created_at: at(seconds),
    }
}

fn challenge(domain: &LoginDomain, due: i64) -> DomainChallenge {
    DomainChallenge {
        tenant_id: domain.tenant_id,
        domain_id: domain.domain_id,
        host: format!("_daybind.{}", domain.domain),
        value: "daybind-verification=1".to_owned(),
        created_by: domain.created_by,
        created_at: at(0),
        expires_at: at(1000),
        checked_at: Some(at(3)),
        outcome: Some("missing".to_owned()),
        seen: vec!["v=spf1 \"-all\"".to_owned(), "\u{fffd}".to_owned()],
        missing_since: None,
        next_check_at: at(due),
    }
}

/// A domain is listed once per tenant, by any number of tenants; removing it removes its challenge.
pub async fn login_domains_are_kept_per_tenant(store: &dyn Store) {
    let (a, admin) = tenant(store, "A").await;
    let (b, other) = tenant(store, "B").await;
    let mine = login_domain(a, admin, "contoso.com", 1);
    let mut u = unit(store, a).await;
    u.add_login_domain(&mine).await.unwrap();
    u.add_login_domain(&login_domain(a, admin, "a.example", 2))
        .await
        .unwrap();
    u.save_challenge(&challenge(&mine, 5)).await.unwrap();
    u.save().await.unwrap();
    let mut u = unit(store, a).await;
    assert!(matches!(
        u.add_login_domain(&login_domain(a, admin, "contoso.com", 3))
            .await,
        Err(StorageError::Duplicate(_))
    ));
    drop(u);
    let theirs = login_domain(b, other, "contoso.com", 3);
    let mut u = unit(store, b).await;
    u.add_login_domain(&theirs).await.unwrap();
    assert_eq!(u.list_login_domains(b).await.unwrap(), [theirs]);
    assert_eq!(u.find_login_domain(b, mine.domain_id).await.unwrap(), None);
    u.save().await.unwrap();
    let mut u = unit(store, a).await;
    let names: Vec<_> = u.list_login_domains(a).await.unwrap();
    assert_eq!(names[0].domain, "a.example");
    assert_eq!(names[1], mine);
    assert_eq!(
        u.find_challenge(a, mine.domain_id).await.unwrap(),
        Some(challenge(&mine, 5))
    );
    assert!(u.remove_login_domain(a, mine.domain_id).await.unwrap());
    assert!(!u.remove_login_domain(a, mine.domain_id).await.unwrap());
    assert!(u.list_challenges(a).await.unwrap().is_empty());
    u.save().await.unwrap();
}

/// A stale status is refused, and so is one of a domain that is gone.
pub async fn claim_status_is_locked_optimistically(store: &dyn Store) {
    let (a, admin) = tenant(store, "A").await;
    let row = login_domain(a, admin, "contoso.com", 1);
    let mut u = unit(store, a).await;
    u.add_login_domain(&row).await.unwrap();
    let verified = LoginDomain {
        status: ClaimStatus::Verified,
        status_changed_at: at(9),
        status_changed_by: None,
        verified_at: Some(at(9)),
        ..row.clone()
    };
    u.update_login_domain(&verified).await.unwrap();
    assert_eq!(
        u.find_login_domain(a, row.domain_id).await.unwrap(),
        Some(LoginDomain {
            version: 2,
            ..verified.clone()
        })
    );
    assert!(matches!(
        u.update_login_domain(&verified).await,
        Err(StorageError::Stale)
    ));
    let gone = LoginDomain {
        domain_id: LoginDomainId(Uuid::new_v4()),
        ..verified
    };
    assert!(matches!(
        u.update_login_domain(&gone).await,
        Err(StorageError::NotFound)
    ));
    u.save().await.unwrap();
}

/// Who else lists a domain is known to the server whatever the unit's scope; the unit sees no more than before otherwise.
pub async fn claims_are_compared_over_all_tenants(store: &dyn Store) {
    let (a, admin) = tenant(store, "A").await;
    let (b, other) = tenant(store, "B").await;
    let name = format!("{}.example", Uuid::new_v4().simple());
    let (mine, theirs) = (
        login_domain(a, admin, &name, 2),
        login_domain(b, other, &name, 1),
    );
    let alone = login_domain(b, other, "alone.example", 1);
    let mut u = unit(store, a).await;
    u.add_login_domain(&mine).await.unwrap();
    u.save().await.unwrap();
    let mut u = unit(store, b).await;
    u.add_login_domain(&theirs).await.unwrap();
    u.add_login_domain(&alone).await.unwrap();
    u.save().await.unwrap();
    let mut u = unit(store, a).await;
    u.lock_domain(&name).await.unwrap();
    let both = [theirs.clone(), mine.clone()];
    assert_eq!(u.claims_on_domain(&name).await.unwrap(), both);
    assert_eq!(
        u.contested_domains(a).await.unwrap(),
        std::slice::from_ref(&name)
    );
    assert!(u.list_login_domains(b).await.unwrap().is_empty() || !store.is_remote());
    u.save().await.unwrap();
    let mut u = store.read(Scope::System).await.unwrap();
    assert_eq!(u.claims_on_domain(&name).await.unwrap(), both);
    drop(u);
    let mut u = unit(store, b).await;
    u.update_login_domain(&LoginDomain {
        status: ClaimStatus::Revoked,
        ..theirs
    })
    .await
    .unwrap();
    u.save().await.unwrap();
    let mut u = unit(store, a).await;
    assert!(u.contested_domains(a).await.unwrap().is_empty());
}

/// A due challenge is handed out once.
pub async fn due_challenges_are_taken_once(store: &dyn Store) {
    let (a, admin) = tenant(store, "A").await;
    let (one, two) = (
        login_domain(a, admin, "one.example", 1),
        login_domain(a, admin, "two.example", 1),
    );
    let mut u = unit(store, a).await;
    for (row, due) in [(&one, 10), (&two, 20)] {
        u.add_login_domain(row).await.unwrap();
        u.save_challenge(&challenge(row, due)).await.unwrap();
    }
    u.save().await.unwrap();
    let take = async |now| {
        let mut u = store.begin(Scope::System).await.unwrap();
        let taken = u
            .take_due_challenges(at(now), at(now + 60), 10)
            .await
            .unwrap();
        u.save().await.unwrap();
        taken
    };
    assert!(take(9).await.is_empty());
    let first = take(15).await;
    assert_eq!(first.len(), 1);
    assert_eq!(first[0].domain_id, one.domain_id);
    assert_eq!(first[0].next_check_at, at(75));
    assert_eq!(take(20).await[0].domain_id, two.domain_id);
    assert!(take(74).await.is_empty());
}

/// A burst, then one for each interval; refusals count nothing and say how long to wait.
pub async fn uses_are_limited_to_a_rate(store: &dyn Store) {
    let rate = Rate {
        burst: 3,
        interval_micros: 10_000_000,
    };
    let key = Uuid::new_v4().into_bytes();
    let count = async |seconds| {
        let mut u = store.begin(Scope::System).await.unwrap();
        let wait = u.count_use("test", &key, rate, at(seconds)).await.unwrap();
        u.save().await.unwrap();
        wait
    };
    for _ in 0..3 {
        assert_eq!(count(0).await, None);
    }
    assert_eq!(count(0).await, Some(10_000_000));
    assert_eq!(count(4).await, Some(6_000_000));
    assert_eq!(count(10).await, None);
    assert_eq!(count(10).await, Some(10_000_000));
    let mut u = store.begin(Scope::System).await.unwrap();
    u.return_use("test", &key, rate).await.unwrap();
    u.save().await.unwrap();
    assert_eq!(count(10).await, None);
    let mut u = store.begin(Scope::System).await.unwrap();
    assert_eq!(
        u.count_use("other", &key, rate, at(10)).await.unwrap(),
        None
    );
    u.reset_uses("test", &key).await.unwrap();
    u.save().await.unwrap();
    assert_eq!(count(10).await, None);
    let mut u = store.begin(Scope::System).await.unwrap();
    assert_eq!(u.purge_limits(at(19)).await.unwrap(), 0);
    assert_eq!(u.purge_limits(at(20)).await.unwrap(), 2);
    u.save().await.unwrap();
}

/// Many servers at once let through what the rate says and not one more (M-29).
pub async fn a_rate_holds_under_a_race(store: &dyn Store) {
    let rate = Rate {
        burst: 5,
        interval_micros: 60_000_000,
    };
    let key = Uuid::new_v4().into_bytes();
    let tries = (0..25).map(|_| async {
        let mut u = store.begin(Scope::System).await.unwrap();
        let wait = u.count_use("race", &key, rate, at(0)).await.unwrap();
        u.save().await.unwrap();
        wait.is_none()
    });
    let passed = futures::future::join_all(tries).await;
    assert_eq!(passed.into_iter().filter(|passed| *passed).count(), 5);
}

/// Lists, ends and clears away one person's sessions only.
pub async fn a_persons_sessions_are_listed_and_ended(store: &dyn Store) {
    let (a, admin) = tenant(store, "A").await;
    let other = user(store, a, "other@example.test").await;
    let session = |user_id, seen: i64, method: &str| Session {
        tenant_id: a,
        session_id: SessionId(Uuid::new_v4()),
        user_id,
        token_hash: Uuid::new_v4().into_bytes().to_vec(),
        created_at: at(0),
        last_seen_at: at(seen),
        expires_at: at(1000),
        method: method.to_owned(),
        user_agent: Some("Browser".to_owned()),
        address: None,
    };
    let (old, new) = (
        session(admin, 1, "password"),
        session(admin, 5, "microsoft"),
    );
    let foreign = session(other, 3, "password");
    let mut u = unit(store, a).await;
    assert!(!u.has_session_by(a, "microsoft").await.unwrap());
    for row in [&old, &new, &foreign] {
        u.add_session(row).await.unwrap();
    }
    assert!(u.has_session_by(a, "microsoft").await.unwrap());
    assert_eq!(
        u.list_sessions(a, admin).await.unwrap(),
        [new.clone(), old.clone()]
    );
    let ended = u
        .remove_other_sessions(a, admin, Some(new.session_id))
        .await
        .unwrap();
    assert_eq!(ended, [old.session_id]);
    assert_eq!(
        u.remove_other_sessions(a, admin, None).await.unwrap(),
        [new.session_id]
    );
    assert_eq!(
        u.list_sessions(a, other).await.unwrap(),
        std::slice::from_ref(&foreign)
    );
    u.purge_sessions(a, at(10), at(2)).await.unwrap();
    assert_eq!(u.list_sessions(a, other).await.unwrap(), [foreign]);
    u.purge_sessions(a, at(10), at(3)).await.unwrap();
    assert!(u.list_sessions(a, other).await.unwrap().is_empty());
    u.save().await.unwrap();
}

/// Passwords and the rule about them.
pub async fn passwords_are_replaced(store: &dyn Store) {
    let (a, admin) = tenant(store, "A").await;
    let mut u = unit(store, a).await;
    assert_eq!(
        u.find_password(a, admin).await.unwrap().as_deref(),
        Some("hash")
    );
    u.set_password(a, admin, "other").await.unwrap();
    assert_eq!(
        u.find_password(a, admin).await.unwrap().as_deref(),
        Some("other")
    );
    let nobody = UserId(Uuid::new_v4());
    assert!(matches!(
        u.set_password(a, nobody, "x").await,
        Err(StorageError::NotFound)
    ));
    assert!(matches!(
        u.find_password(a, nobody).await,
        Err(StorageError::NotFound)
    ));
    assert_eq!(u.find_sign_in_settings(a).await.unwrap(), None);
    for technician_passwords in [false, true] {
        let settings = SignInSettings {
            tenant_id: a,
            technician_passwords,
            updated_by: admin,
            updated_at: at(4),
        };
        u.set_sign_in_settings(&settings).await.unwrap();
        assert_eq!(u.find_sign_in_settings(a).await.unwrap(), Some(settings));
    }
    u.save().await.unwrap();
}
