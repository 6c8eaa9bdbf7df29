//! Sealed values, the canary, and the import ledger.

use uuid::Uuid;

use super::fixture::{at, profile, tenant, unit};
use crate::{LedgerRow, RowKey, Scope, SealedColumn, SealedValue, StorageError, Store};

/// Every `*_sealed` column is found in the schema, under a key by which its rows can be rewritten (M-20).
pub async fn every_sealed_column_can_be_rewritten(store: &dyn Store) {
    let mut u = store.read(Scope::System).await.unwrap();
    let columns = u.sealed_columns().await.unwrap();
    for column in &columns {
        assert_ne!(
            column.row_key,
            RowKey::Other,
            "{}.{}: keys rotate can only rewrite tables keyed by the tenant, an id and perhaps a name",
            column.table,
            column.column
        );
    }
    let has = |table: &str, column: &str, row_key: RowKey| {
        columns.contains(&SealedColumn {
            table: table.to_owned(),
            column: column.to_owned(),
            row_key,
        })
    };
    let by = |name: &str| RowKey::Column(name.to_owned());
    assert!(has(
        "microsoft_profiles",
        "client_secret_sealed",
        by("profile_id")
    ));
    assert!(has("oauth_flows", "verifier_sealed", by("flow_id")));
    assert!(has(
        "google_clients",
        "client_secret_sealed",
        RowKey::Tenant
    ));
    assert!(has(
        "calendar_providers",
        "refresh_token_sealed",
        by("connection_id")
    ));
}

/// Values are listed in order, counted, and replaced only while they are what was read (M-20).
pub async fn sealed_values_are_replaced_by_comparing(store: &dyn Store) {
    let (a, admin) = tenant(store, "A").await;
    let (b, other) = tenant(store, "B").await;
    let mut u = unit(store, a).await;
    let mut ids = Vec::new();
    for n in 0..3 {
        let mut row = profile(a, admin, &format!("Profile {n}"));
        row.client_secret_sealed = Some(format!("v2.old_.{n}"));
        ids.push(row.profile_id.0);
        u.add_profile(&row).await.unwrap();
    }
    let mut without = profile(a, admin, "Without");
    without.client_secret_sealed = None;
    u.add_profile(&without).await.unwrap();
    u.save().await.unwrap();
    let mut u = unit(store, b).await;
    u.add_profile(&profile(b, other, "Theirs")).await.unwrap();
    u.save().await.unwrap();
    ids.sort();

    let column = SealedColumn {
        table: "microsoft_profiles".to_owned(),
        column: "client_secret_sealed".to_owned(),
        row_key: RowKey::Column("profile_id".to_owned()),
    };
    let mut u = unit(store, a).await;
    let first = u
        .sealed_values(a, &column, "v2.new_.", (Uuid::nil(), ""), 2)
        .await
        .unwrap();
    assert_eq!(
        first.iter().map(|value| value.row).collect::<Vec<_>>(),
        ids[..2]
    );
    let rest = u
        .sealed_values(a, &column, "v2.new_.", (first[1].row, &first[1].label), 2)
        .await
        .unwrap();
    assert_eq!(rest.len(), 1);
    assert!(
        u.replace_sealed(a, &column, &first[0], "v2.new_.x")
            .await
            .unwrap()
    );
    let stale = SealedValue {
        row: first[1].row,
        label: first[1].label.clone(),
        sealed: "v2.old_.changed".to_owned(),
    };
    assert!(
        !u.replace_sealed(a, &column, &stale, "v2.new_.y")
            .await
            .unwrap()
    );
    // A prefix is text, not a pattern: `_` matches nothing but itself.
    let count = |prefixes: &[&str]| {
        prefixes
            .iter()
            .map(|&prefix| prefix.to_owned())
            .collect::<Vec<String>>()
    };
    for (prefixes, left) in [
        (count(&["v2.new_."]), 2),
        (count(&["v2.oldX."]), 3),
        (count(&["v2.new_.", "v2.old_."]), 0),
        (count(&[]), 3),
    ] {
        assert_eq!(
            u.count_sealed_otherwise(a, &column, &prefixes)
                .await
                .unwrap(),
            left
        );
    }
    u.save().await.unwrap();
}

/// The canary is written once, by whoever comes first, and replaced on purpose only (M-20).
pub async fn the_canary_is_written_once(store: &dyn Store) {
    let mut u = store.begin(Scope::System).await.unwrap();
    assert_eq!(u.find_canary().await.unwrap(), None);
    assert!(u.add_canary("one", at(0)).await.unwrap());
    assert!(!u.add_canary("two", at(1)).await.unwrap());
    u.save().await.unwrap();
    let mut u = store.begin(Scope::System).await.unwrap();
    assert_eq!(u.find_canary().await.unwrap().as_deref(), Some("one"));
    u.update_canary("three", at(2)).await.unwrap();
    u.save().await.unwrap();
    let mut u = store.read(Scope::System).await.unwrap();
    assert_eq!(u.find_canary().await.unwrap().as_deref(), Some("three"));
}

/// A row of a predecessor is entered once for each tenant.
pub async fn the_ledger_holds_a_row_once(store: &dyn Store) {
    let (a, _) = tenant(store, "A").await;
    let (b, _) = tenant(store, "B").await;
    let row = LedgerRow {
        tenant_id: a,
        source: "alga".to_owned(),
        kind: "profile".to_owned(),
        source_id: "1".to_owned(),
        target_id: Some(Uuid::new_v4()),
        imported_at: at(1),
    };
    let mut u = unit(store, a).await;
    u.add_ledger(&row).await.unwrap();
    u.save().await.unwrap();
    let mut u = unit(store, a).await;
    assert!(matches!(
        u.add_ledger(&row).await,
        Err(StorageError::Duplicate(_))
    ));
    u.cancel().await.unwrap();
    let mut u = unit(store, b).await;
    let theirs = LedgerRow {
        tenant_id: b,
        target_id: None,
        ..row.clone()
    };
    u.add_ledger(&theirs).await.unwrap();
    assert_eq!(u.list_ledger(b, "alga").await.unwrap(), [theirs]);
    assert!(u.list_ledger(b, "other").await.unwrap().is_empty());
    u.save().await.unwrap();
    let mut u = unit(store, a).await;
    assert_eq!(u.list_ledger(a, "alga").await.unwrap(), [row]);
}
