//! The database from outside: what is really in it, read past every tenant rule.

use std::collections::BTreeMap;
use std::path::PathBuf;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _, SqliteConnection};

/// All rows of one tenant, by table, each row as text.
pub type Rows = BTreeMap<String, Vec<String>>;

/// Where the database is.
#[derive(Debug, Clone)]
pub enum Db {
    /// A file.
    Sqlite(PathBuf),
    /// A superuser's address.
    Postgres(String),
}

const PG_TABLES: &str = "SELECT table_name || '.' || column_name FROM information_schema.columns \
    WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations' ORDER BY table_name, ordinal_position";
const SQLITE_TABLES: &str = "SELECT m.name || '.' || c.name FROM sqlite_schema m, pragma_table_xinfo(m.name) c \
    WHERE m.type = 'table' AND m.name <> '_sqlx_migrations' AND m.name NOT LIKE 'sqlite%' ORDER BY m.name, c.cid";

impl Db {
    /// The first column of a query's rows, as text.
    pub async fn texts(&self, sql: &str) -> Vec<String> {
        match self {
            Self::Sqlite(path) => {
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
                let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
                let rows = sqlx::query(AssertSqlSafe(sql.to_owned()))
                    .fetch_all(&mut connection)
                    .await
                    .unwrap();
                connection.close().await.unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            }
            Self::Postgres(url) => {
                let mut connection = PgConnection::connect(url).await.unwrap();
                let rows = sqlx::query(AssertSqlSafe(sql.to_owned()))
                    .fetch_all(&mut connection)
                    .await
                    .unwrap();
                connection.close().await.unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            }
        }
    }

    /// Every table with its columns.
    pub async fn tables(&self) -> BTreeMap<String, Vec<String>> {
        let sql = match self {
            Self::Sqlite(_) => SQLITE_TABLES,
            Self::Postgres(_) => PG_TABLES,
        };
        let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for name in self.texts(sql).await {
            let (table, column) = name.split_once('.').unwrap();
            tables
                .entry(table.to_owned())
                .or_default()
                .push(column.to_owned());
        }
        tables
    }

    /// All rows of a tenant.
    pub async fn rows(&self, tenant_id: &str) -> Rows {
        let mut all = Rows::new();
        for (table, columns) in self.tables().await {
            let sql = match self {
                Self::Sqlite(_) => {
                    let parts: Vec<String> = columns
                        .iter()
                        .map(|column| format!("quote(\"{column}\")"))
                        .collect();
                    format!(
                        "SELECT {} FROM \"{table}\" WHERE tenant_id = '{tenant_id}' ORDER BY 1",
                        parts.join(" || ' ' || ")
                    )
                }
                Self::Postgres(_) => {
                    format!(
                        "SELECT t::text FROM {table} t WHERE tenant_id = '{tenant_id}' ORDER BY 1"
                    )
                }
            };
            all.insert(table, self.texts(&sql).await);
        }
        all
    }

    /// The values of a column in a tenant's rows, oldest key first.
    pub async fn values(&self, tenant_id: &str, table: &str, column: &str) -> Vec<String> {
        let text = match self {
            Self::Sqlite(_) => format!("coalesce(CAST({column} AS TEXT), '')"),
            Self::Postgres(_) => format!("coalesce({column}::text, '')"),
        };
        self.texts(&format!(
            "SELECT {text} FROM {table} WHERE tenant_id = '{tenant_id}' ORDER BY 1"
        ))
        .await
    }
}
