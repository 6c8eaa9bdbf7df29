//! The audit log: filters and paging.

use daybind_domain::ids::{AuditId, UserId};
use uuid::Uuid;

use super::fixture::{at, tenant, unit};
use crate::{AuditActor, AuditCursor, AuditFilter, AuditRow, Origin, Store};

/// Every filter narrows the list by itself and together with others; another tenant's rows never appear (M-44).
pub async fn audit_rows_are_filtered(store: &dyn Store) {
    let (a, admin) = tenant(store, "A").await;
    let (b, other) = tenant(store, "B").await;
    let row = |tenant_id, seconds, actor: Option<UserId>, action: &str, subject: &str| AuditRow {
        tenant_id,
        audit_id: AuditId(Uuid::now_v7()),
        at: at(seconds),
        actor,
        action: action.to_owned(),
        subject: subject.to_owned(),
        detail: serde_json::json!({}),
        request_id: None,
        note: None,
        origin: Origin::default(),
    };
    let rows = [
        row(a, 1, Some(admin), "profile.created", "microsoft_profile:1"),
        row(a, 2, Some(admin), "binding.set", "consumer:msp_sso"),
        row(a, 3, Some(admin), "binding.set", "consumer:calendar"),
        row(a, 4, None, "binding.cleared", "consumer:calendar"),
    ];
    let mut u = unit(store, a).await;
    for row in &rows {
        u.add_audit(row).await.unwrap();
    }
    u.save().await.unwrap();
    let mut u = unit(store, b).await;
    let foreign = row(b, 5, Some(other), "binding.set", "consumer:msp_sso");
    u.add_audit(&foreign).await.unwrap();
    u.save().await.unwrap();

    let all = AuditFilter::default();
    let text = |text: &str| Some(text.to_owned());
    let cases = [
        (all.clone(), vec![3, 2, 1, 0]),
        (
            AuditFilter {
                actor: Some(AuditActor::Server),
                ..all.clone()
            },
            vec![3],
        ),
        (
            AuditFilter {
                actor: Some(AuditActor::User(admin)),
                ..all.clone()
            },
            vec![2, 1, 0],
        ),
        (
            AuditFilter {
                actor: Some(AuditActor::User(other)),
                ..all.clone()
            },
            vec![],
        ),
        (
            AuditFilter {
                action: text("binding."),
                ..all.clone()
            },
            vec![3, 2, 1],
        ),
        (
            AuditFilter {
                action: text("binding.set"),
                ..all.clone()
            },
            vec![2, 1],
        ),
        (
            AuditFilter {
                action: text("%"),
                ..all.clone()
            },
            vec![],
        ),
        (
            AuditFilter {
                subject: text("consumer:calendar"),
                ..all.clone()
            },
            vec![3, 2],
        ),
        (
            AuditFilter {
                from: Some(at(2)),
                until: Some(at(4)),
                ..all.clone()
            },
            vec![2, 1],
        ),
        (
            AuditFilter {
                groups: Some(vec!["profile".to_owned()]),
                ..all.clone()
            },
            vec![0],
        ),
        (
            AuditFilter {
                groups: Some(Vec::new()),
                ..all.clone()
            },
            vec![],
        ),
        (
            AuditFilter {
                without_subjects: vec!["consumer:calendar".to_owned()],
                ..all.clone()
            },
            vec![1, 0],
        ),
    ];
    let mut u = unit(store, a).await;
    for (filter, expected) in cases {
        let found = u.find_audit(a, &filter, None, 9).await.unwrap();
        let expected: Vec<_> = expected
            .into_iter()
            .map(|at: usize| rows[at].clone())
            .collect();
        assert_eq!(found, expected, "{filter:?}");
    }
    let actions = u.list_audit_actions(a).await.unwrap();
    assert_eq!(
        actions,
        ["binding.cleared", "binding.set", "profile.created"]
    );
}

/// Page after page shows each row once, also when many share one moment and new ones arrive meanwhile.
pub async fn audit_pages_show_each_row_once(store: &dyn Store) {
    let (a, admin) = tenant(store, "A").await;
    let row = |seconds| AuditRow {
        tenant_id: a,
        audit_id: AuditId(Uuid::new_v4()),
        at: at(seconds),
        actor: Some(admin),
        action: "profile.created".to_owned(),
        subject: "s".to_owned(),
        detail: serde_json::json!({}),
        request_id: None,
        note: None,
        origin: Origin::default(),
    };
    let mut u = unit(store, a).await;
    for at in 0..25 {
        u.add_audit(&row(at / 10)).await.unwrap();
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = u
            .find_audit(a, &AuditFilter::default(), after, 4)
            .await
            .unwrap();
        let Some(last) = page.last() else { break };
        after = Some(AuditCursor {
            at: last.at,
            audit_id: last.audit_id,
        });
        seen.extend(page.iter().map(|row| row.audit_id));
        u.add_audit(&row(100)).await.unwrap();
    }
    let unique: std::collections::HashSet<_> = seen.iter().collect();
    assert_eq!((seen.len(), unique.len()), (25, 25));
    assert!(u.list_audit_actions(a).await.unwrap().len() == 1);
}
