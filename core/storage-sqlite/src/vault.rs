//! Sealed values of the whole schema, and the canary.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use daybind_domain::ids::TenantId;
use daybind_storage::{
    RowKey, SealedColumn, SealedValue, StorageError, StorageResult, VaultRepository,
};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::SqliteUnit;
use crate::codec::{self, failure, get};

/// Table, sealed column, and the row's column for a statement; all from the catalogue, none from a user.
struct Names {
    table: String,
    column: String,
    row: String,
    label: String,
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn names(column: &SealedColumn) -> Option<Names> {
    let (row, slot) = match &column.row_key {
        RowKey::Tenant => (quoted("tenant_id"), None),
        RowKey::Column(name) => (quoted(name), None),
        RowKey::Slot(name, slot) => (quoted(name), Some(quoted(slot))),
        RowKey::Other => return None,
    };
    Some(Names {
        table: quoted(&column.table),
        column: quoted(&column.column),
        row,
        label: slot
            .unwrap_or_else(|| format!("CAST('{}' AS text)", column.column.replace('\'', "''"))),
    })
}

/// `keys`: the primary key's columns in order.
fn row_key(keys: &[String]) -> RowKey {
    match keys {
        [tenant] if tenant == "tenant_id" => RowKey::Tenant,
        // SQLite has no id type; ids are named so everywhere.
        [tenant, row] if tenant == "tenant_id" && row.ends_with("_id") => {
            RowKey::Column(row.clone())
        }
        [tenant, row, slot]
            if tenant == "tenant_id" && row.ends_with("_id") && !slot.ends_with("_id") =>
        {
            RowKey::Slot(row.clone(), slot.clone())
        }
        _ => RowKey::Other,
    }
}

#[async_trait]
impl VaultRepository for SqliteUnit {
    async fn sealed_columns(&mut self) -> StorageResult<Vec<SealedColumn>> {
        let rows = sqlx::query(
            "SELECT m.name AS \"table\", c.name AS \"column\", \
             (SELECT group_concat(k.name) FROM (SELECT name FROM pragma_table_xinfo(m.name) WHERE pk > 0 ORDER BY pk) k) \
             AS keys FROM sqlite_schema m, pragma_table_xinfo(m.name) c \
             WHERE m.type = 'table' AND substr(c.name, -7) = '_sealed' ORDER BY 1, 2",
        )
        .fetch_all(self.connection())
        .await
        .map_err(failure)?;
        rows.iter()
            .map(|found| {
                let keys: Option<String> = get(found, "keys")?;
                let keys: Vec<String> = keys
                    .unwrap_or_default()
                    .split(',')
                    .map(str::to_owned)
                    .collect();
                Ok(SealedColumn {
                    table: get(found, "table")?,
                    column: get(found, "column")?,
                    row_key: row_key(&keys),
                })
            })
            .collect()
    }

    async fn sealed_values(
        &mut self,
        tenant_id: TenantId,
        column: &SealedColumn,
        prefix: &str,
        after: (Uuid, &str),
        limit: i64,
    ) -> StorageResult<Vec<SealedValue>> {
        let Some(n) = names(column) else {
            return Ok(Vec::new());
        };
        let Names {
            table,
            column,
            row,
            label,
        } = n;
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT {row} AS row_id, {label} AS label, {column} AS sealed FROM {table} \
             WHERE tenant_id = $1 AND ({row}, {label}) > ($2, $3) AND {column} IS NOT NULL AND {column} <> '' \
             AND substr({column}, 1, length($4)) <> $4 ORDER BY 1, 2 LIMIT $5"
        )))
        .bind(codec::id(tenant_id.0))
        .bind(codec::id(after.0))
        .bind(after.1.to_owned())
        .bind(prefix.to_owned())
        .bind(limit)
        .fetch_all(self.connection())
        .await
        .map_err(failure)?;
        rows.iter()
            .map(|found| {
                Ok(SealedValue {
                    row: codec::get_id(found, "row_id")?,
                    label: get(found, "label")?,
                    sealed: get(found, "sealed")?,
                })
            })
            .collect()
    }

    async fn count_sealed_otherwise(
        &mut self,
        tenant_id: TenantId,
        column: &SealedColumn,
        prefixes: &[String],
    ) -> StorageResult<i64> {
        let (table, column) = (quoted(&column.table), quoted(&column.column));
        let mut sql = format!(
            "SELECT count(*) FROM {table} WHERE tenant_id = $1 AND {column} IS NOT NULL AND {column} <> ''"
        );
        for at in 0..prefixes.len() {
            let n = at + 2;
            sql.push_str(&format!(" AND substr({column}, 1, length(${n})) <> ${n}"));
        }
        let mut query = sqlx::query_scalar(AssertSqlSafe(sql)).bind(codec::id(tenant_id.0));
        for prefix in prefixes {
            query = query.bind(prefix.clone());
        }
        query.fetch_one(self.connection()).await.map_err(failure)
    }

    async fn replace_sealed(
        &mut self,
        tenant_id: TenantId,
        column: &SealedColumn,
        old: &SealedValue,
        new: &str,
    ) -> StorageResult<bool> {
        let Some(n) = names(column) else {
            return Err(StorageError::NotFound);
        };
        let Names {
            table,
            column,
            row,
            label,
        } = n;
        let done = sqlx::query(AssertSqlSafe(format!(
            "UPDATE {table} SET {column} = $4 WHERE tenant_id = $1 AND {row} = $2 AND {label} = $5 \
             AND {column} = $3"
        )))
        .bind(codec::id(tenant_id.0))
        .bind(codec::id(old.row))
        .bind(old.sealed.clone())
        .bind(new.to_owned())
        .bind(old.label.clone())
        .execute(self.connection())
        .await
        .map_err(failure)?;
        Ok(done.rows_affected() == 1)
    }

    async fn find_canary(&mut self) -> StorageResult<Option<String>> {
        sqlx::query_scalar(
            "SELECT canary FROM key_canaries WHERE tenant_id = $1 AND canary_id = $1",
        )
        .bind(codec::id(Uuid::nil()))
        .fetch_optional(self.connection())
        .await
        .map_err(failure)
    }

    async fn add_canary(&mut self, canary: &str, now: DateTime<Utc>) -> StorageResult<bool> {
        let done = sqlx::query(
            "INSERT INTO key_canaries (tenant_id, canary_id, canary, updated_at) VALUES ($1, $1, $2, $3) \
             ON CONFLICT (tenant_id, canary_id) DO NOTHING",
        )
        .bind(codec::id(Uuid::nil()))
        .bind(canary.to_owned())
        .bind(codec::at(now))
        .execute(self.connection())
        .await
        .map_err(failure)?;
        Ok(done.rows_affected() == 1)
    }

    async fn update_canary(&mut self, canary: &str, now: DateTime<Utc>) -> StorageResult<()> {
        sqlx::query("UPDATE key_canaries SET canary = $2, updated_at = $3 WHERE tenant_id = $1 AND canary_id = $1")
            .bind(codec::id(Uuid::nil()))
            .bind(canary.to_owned())
            .bind(codec::at(now))
            .execute(self.connection())
            .await
            .map_err(failure)?;
        Ok(())
    }
}
