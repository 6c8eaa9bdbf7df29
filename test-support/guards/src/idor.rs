//! Ids of other tenants.

use daybind_server::policy::Kind;

use crate::call::Answer;
use crate::site::{Site, placeholder};

/// M-02: for every id any address takes, another tenant's id and one that does not exist are answered alike, the own one
/// is not, and the other tenant's rows stay as they were.
pub async fn foreign_ids_are_as_good_as_none(site: &Site) {
    let before = site.db.rows(&site.foreign.id).await;
    let mut tried = 0;
    for (n, endpoint) in site.endpoints.iter().enumerate() {
        let mut ids = Vec::new();
        let mut rest = endpoint.form.to_owned();
        while let Some((table, column)) = placeholder(&rest) {
            rest = rest.replacen(&format!("{{{table}.{column}}}"), "", 1);
            ids.push((table, column));
        }
        for (table, column) in &ids {
            let what = format!("{table}.{column} at {:?} {}", endpoint.kind, endpoint.path);
            let ask = async |id: &str| -> Answer {
                let tested = format!("{{{table}.{column}}}");
                let form = endpoint.form.replace(&tested, id);
                let form = site.filled(&form, &site.own, n).await;
                site.send(site.call(endpoint, &form).cookie(&site.own.admin))
                    .await
            };
            let foreign = ask(&site.id(&site.foreign, table, column, n).await).await;
            let made_up =
                uuid::Uuid::from_u128(0x7f00_0000_0000_4000_8000_0000_0000_0000 + n as u128);
            let random = ask(&made_up.to_string()).await;
            assert_eq!(
                foreign.comparable(),
                random.comparable(),
                "{what}: another tenant's and none"
            );
            // Not every own row can do everything, but one must be answered as none of another tenant's is.
            if !site.refuses(endpoint) && !matches!(endpoint.kind, Kind::Page | Kind::Again) {
                let mut told_apart = false;
                for nth in 0..8 {
                    let own = ask(&site.id(&site.own, table, column, n + nth).await).await;
                    told_apart |= own.status != foreign.status;
                    if told_apart {
                        break;
                    }
                }
                assert!(
                    told_apart,
                    "{what}: own ones are answered like another tenant's: {foreign:?}"
                );
                tried += 1;
            }
            assert_eq!(
                before,
                site.db.rows(&site.foreign.id).await,
                "{what}: the other tenant's rows"
            );
        }
    }
    assert!(tried >= 4, "{tried} ids tried");
}
