//! M-43: from the released version to this one, with data, interrupted, on both databases.
//!
//! Released is 0.1.0: migrations 1 and 2. Its rows are in `test-support/releases/0.1.0`.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};

use daybind_storage::Store as _;
use daybind_storage_postgres::{MIGRATOR, PgStore, testing};
use daybind_storage_sqlite::SqliteStore;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqliteConnection};

const RELEASED: i64 = 2;
const FIRST: &str = "11111111-0000-4000-8000-000000000001";
const SECOND: &str = "11111111-0000-4000-8000-000000000002";

/// SHA-384 of the migrations of released versions: they are on other people's machines and may never change.
const PINNED: [(&str, i64, &str); 4] = [
    (
        "postgres",
        1,
        "f7d09a2d8d9b6d86e679d856bf4a5d5a2b61730b6f98318f8563bf2ce34376759b34ddde8039265378a9e386c6ed161d",
    ),
    (
        "postgres",
        2,
        "562c55f1e4f55cb57c4213df1415c11478ae158e95b0f6425e9f776e525cfa04df8e94f9b9f94b33cd38bf79ae7293a8",
    ),
    (
        "sqlite",
        1,
        "0d49afea42188797043b9bef5bac08717373bfd5faca3ff38e5f30a6a86574bb3c17419dde20d8c15430af9f207dc76d",
    ),
    (
        "sqlite",
        2,
        "353c28884ef91b1610c8f863ba6253bda1f7a32454eaba0c4ee6588bad82074b766855ea308c46a9521d2b77a6ed3161",
    ),
];

fn upto(all: &Migrator, version: i64) -> Migrator {
    Migrator::with_migrations(
        all.iter()
            .filter(|migration| migration.version <= version)
            .cloned()
            .collect(),
    )
}

/// All migrations and one that fails half-way.
fn broken(all: &Migrator) -> Migrator {
    let mut migrations: Vec<Migration> = all.iter().cloned().collect();
    migrations.push(Migration::new(
        9999,
        "fails".into(),
        MigrationType::Simple,
        sqlx::SqlSafeStr::into_sql_str(AssertSqlSafe(
            "create table half_done (tenant_id text primary key); insert into nowhere values (1);"
                .to_owned(),
        )),
        false,
    ));
    Migrator::with_migrations(migrations)
}

fn fixture(text: &str, tenant: &str) -> String {
    text.replace("{tenant}", tenant)
}

/// A database of either kind, as the tests need it.
enum Database {
    Postgres(Box<PgConnection>, String),
    Sqlite(Box<SqliteConnection>, tempfile::TempDir),
}

impl Database {
    async fn postgres() -> Self {
        let url = testing::database_url().await;
        Self::Postgres(Box::new(PgConnection::connect(&url).await.unwrap()), url)
    }

    async fn sqlite() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = sqlx::sqlite::SqliteConnectOptions::new()
            .filename(dir.path().join("daybind.sqlite3"))
            .create_if_missing(true)
            .foreign_keys(true);
        let connection = SqliteConnection::connect_with(&options).await.unwrap();
        Self::Sqlite(Box::new(connection), dir)
    }

    fn migrations(&self) -> &'static Migrator {
        match self {
            Self::Postgres(..) => &MIGRATOR,
            Self::Sqlite(..) => &daybind_storage_sqlite::MIGRATOR,
        }
    }

    async fn run(&mut self, migrator: &Migrator) -> Result<(), sqlx::migrate::MigrateError> {
        match self {
            Self::Postgres(connection, _) => migrator.run(&mut **connection).await,
            Self::Sqlite(connection, _) => migrator.run(&mut **connection).await,
        }
    }

    async fn execute(&mut self, sql: String) {
        match self {
            Self::Postgres(connection, _) => {
                connection.execute(AssertSqlSafe(sql)).await.unwrap();
            }
            Self::Sqlite(connection, _) => {
                connection.execute(AssertSqlSafe(sql)).await.unwrap();
            }
        }
    }

    async fn texts(&mut self, sql: String) -> Vec<String> {
        match self {
            Self::Postgres(connection, _) => sqlx::query_scalar(AssertSqlSafe(sql))
                .fetch_all(&mut **connection)
                .await
                .unwrap(),
            Self::Sqlite(connection, _) => sqlx::query_scalar(AssertSqlSafe(sql))
                .fetch_all(&mut **connection)
                .await
                .unwrap(),
        }
    }

    /// The statements of 0.1.0 that add rows.
    async fn as_the_first_release_writes(&mut self, tenant: &str) {
        let text = match self {
            Self::Postgres(..) => include_str!("../../../test-support/releases/0.1.0/postgres.sql"),
            Self::Sqlite(..) => include_str!("../../../test-support/releases/0.1.0/sqlite.sql"),
        };
        self.execute(fixture(text, tenant)).await;
    }

    /// Tables and columns, `table.column`.
    async fn columns(&mut self) -> Vec<String> {
        let sql = match self {
            Self::Postgres(..) => {
                "SELECT table_name || '.' || column_name FROM information_schema.columns \
                 WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations' ORDER BY 1"
            }
            Self::Sqlite(..) => {
                "SELECT m.name || '.' || c.name FROM sqlite_schema m, pragma_table_xinfo(m.name) c \
                 WHERE m.type = 'table' AND m.name <> '_sqlx_migrations' AND m.name NOT LIKE 'sqlite%' ORDER BY 1"
            }
        };
        self.texts(sql.to_owned()).await
    }

    /// Everything that makes the schema: columns with types, defaults and nullability, constraints, indexes, policies,
    /// rights.
    async fn schema(&mut self) -> BTreeSet<String> {
        let sql = match self {
            Self::Postgres(..) => {
                "SELECT concat_ws(' ', 'column', table_name, column_name, data_type, is_nullable, column_default, \
                 generation_expression) FROM information_schema.columns WHERE table_schema = 'public' \
                 UNION ALL SELECT concat_ws(' ', 'constraint', conrelid::regclass, pg_get_constraintdef(oid)) \
                 FROM pg_constraint WHERE connamespace = 'public'::regnamespace \
                 UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public' \
                 UNION ALL SELECT concat_ws(' ', 'policy', tablename, policyname, cmd, qual, with_check) \
                 FROM pg_policies WHERE schemaname = 'public' \
                 UNION ALL SELECT concat_ws(' ', 'right', table_name, privilege_type) \
                 FROM information_schema.role_table_grants WHERE grantee = 'daybind_app'"
            }
            Self::Sqlite(..) => "SELECT type || ' ' || coalesce(sql, name) FROM sqlite_schema",
        };
        self.texts(sql.to_owned()).await.into_iter().collect()
    }

    /// Every row of the given columns (`table` to its columns), as text.
    async fn rows(&mut self, columns: &BTreeMap<String, Vec<String>>) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        for (table, columns) in columns {
            let sql = match self {
                Self::Postgres(..) => {
                    let list: Vec<String> = columns
                        .iter()
                        .map(|c| format!("'{c}', to_jsonb(t.{c})"))
                        .collect();
                    format!(
                        "SELECT '{table} ' || jsonb_build_object({})::text FROM {table} t WHERE tenant_id = '{FIRST}'",
                        list.join(", ")
                    )
                }
                Self::Sqlite(..) => {
                    let list: Vec<String> = columns
                        .iter()
                        .map(|c| format!("'{c}=' || quote({c})"))
                        .collect();
                    format!(
                        "SELECT '{table} ' || {} FROM {table} WHERE tenant_id = '{FIRST}'",
                        list.join(" || ' ' || ")
                    )
                }
            };
            all.extend(self.texts(sql).await);
        }
        all
    }
}

fn by_table(columns: &[String]) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for column in columns {
        let (table, column) = column.split_once('.').unwrap();
        all.entry(table.to_owned())
            .or_default()
            .push(column.to_owned());
    }
    all
}

async fn keeps_every_row(mut database: Database) {
    let all = database.migrations();
    database.run(&upto(all, RELEASED)).await.unwrap();
    database.as_the_first_release_writes(FIRST).await;
    let columns = by_table(&database.columns().await);
    let before = database.rows(&columns).await;
    let tables: BTreeSet<&str> = before
        .iter()
        .map(|row| row.split_once(' ').unwrap().0)
        .collect();
    assert_eq!(tables.len(), columns.len(), "a row of every table");

    // Interrupted after every migration, and in the middle of one.
    for migration in all.iter().filter(|m| m.version > RELEASED) {
        database.run(&upto(all, migration.version)).await.unwrap();
        assert_eq!(
            before,
            database.rows(&columns).await,
            "{}",
            migration.version
        );
    }
    let whole = database.schema().await;
    assert!(database.run(&broken(all)).await.is_err());
    assert_eq!(
        whole,
        database.schema().await,
        "a failed migration leaves nothing"
    );
    database.run(all).await.unwrap();
    assert_eq!(before, database.rows(&columns).await);

    // A server of the released version goes on writing while the new one is rolled out (R29).
    database.as_the_first_release_writes(SECOND).await;
}

/// M-43: data of 0.1.0 survives every migration, interrupted after each and in the middle of one, and the statements
/// of 0.1.0 still work afterwards.
#[tokio::test]
async fn released_data_survives_postgres() {
    keeps_every_row(Database::postgres().await).await;
}

/// M-43, on SQLite.
#[tokio::test]
async fn released_data_survives_sqlite() {
    keeps_every_row(Database::sqlite().await).await;
}

/// A Google connection to a calendar: `(number, account, reason)`; `import` stands for one that was brought over unproved.
fn google(number: u8, account: &str, calendar: &str, reason: Option<&str>, at: &str) -> String {
    let id = format!("22222222-0000-4000-8000-0000000001{number:02}");
    let account = match account {
        "import" => format!("import:{id}"),
        account => account.to_owned(),
    };
    let reason = reason.map_or("null".to_owned(), |reason| format!("'{reason}'"));
    format!(
        "INSERT INTO calendar_providers (tenant_id, connection_id, user_id, provider, account_id, account_email, calendar_id, \
         status, status_reason, client_id, access_token_sealed, access_token_expires_at, refresh_token_sealed, version, \
         created_at, updated_at) SELECT tenant_id, '{id}', user_id, 'google', '{account}', '{account}', '{calendar}', \
         'connected', {reason}, client_id, access_token_sealed, access_token_expires_at, refresh_token_sealed, 1, {at}, {at} \
         FROM calendar_providers WHERE provider = 'microsoft'"
    )
}

async fn keeps_calendars_apart(mut database: Database) {
    let all = database.migrations();
    database.run(&upto(all, 16)).await.unwrap();
    database.as_the_first_release_writes(FIRST).await;
    let early = "created_at";
    let late = match &database {
        Database::Postgres(..) => "created_at + interval '1 day'",
        Database::Sqlite(..) => "created_at + 86400000000",
    };
    for row in [
        google(3, "ada", "shared", None, early),
        google(1, "bob", "shared", None, late),
        google(2, "cid", "shared", Some("secret"), late),
        google(4, "dan", "shared", Some("disconnecting"), early),
        google(5, "import", "primary", Some("imported"), early),
        google(6, "import", "primary", Some("imported"), late),
        google(7, "bob", "own", None, late),
    ] {
        database.execute(row).await;
    }
    if let Database::Postgres(..) = &database {
        // As an owner who is not above the policies.
        database
            .execute(
                "DO $$ DECLARE t text; BEGIN \
                 IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'daybind_test_keeper') THEN \
                 CREATE ROLE daybind_test_keeper; END IF; GRANT ALL ON SCHEMA public TO daybind_test_keeper; \
                 FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP \
                 EXECUTE format('ALTER TABLE %I OWNER TO daybind_test_keeper', t); END LOOP; END $$"
                    .to_owned(),
            )
            .await;
        database
            .execute("SET ROLE daybind_test_keeper".to_owned())
            .await;
    }
    database.run(all).await.unwrap();
    if let Database::Postgres(..) = &database {
        let forced =
            "SELECT relforcerowsecurity::text FROM pg_class WHERE relname = 'calendar_providers'";
        assert_eq!(database.texts(forced.to_owned()).await, ["true"]);
        database.execute("RESET ROLE".to_owned()).await;
    }
    let rows = "SELECT account_id || ' ' || calendar_id || ' ' || status || ' ' || coalesce(status_reason, '-') \
                FROM calendar_providers WHERE provider = 'google' AND account_id NOT LIKE 'import%' ORDER BY 1";
    assert_eq!(
        database.texts(rows.to_owned()).await,
        [
            "ada shared connected -",
            "bob own connected -",
            "bob shared needs_reconnect calendar_twice",
            "cid shared needs_reconnect calendar_twice",
            "dan shared connected disconnecting",
        ]
    );
}

/// M-43: where two connections of a calendar came about, the update goes through: the oldest goes on, the others wait.
#[tokio::test]
async fn calendars_that_were_connected_twice() {
    keeps_calendars_apart(Database::postgres().await).await;
    keeps_calendars_apart(Database::sqlite().await).await;
}

async fn upgraded_equals_fresh(mut upgraded: Database, mut fresh: Database) {
    let all = upgraded.migrations();
    upgraded.run(&upto(all, RELEASED)).await.unwrap();
    upgraded.as_the_first_release_writes(FIRST).await;
    upgraded.run(all).await.unwrap();
    fresh.run(all).await.unwrap();
    assert_eq!(upgraded.schema().await, fresh.schema().await);
}

/// M-43, schema drift: an upgraded database with data has the schema of a fresh one, to the last index and right.
#[tokio::test]
async fn an_upgraded_schema_is_a_fresh_one() {
    upgraded_equals_fresh(Database::postgres().await, Database::postgres().await).await;
    upgraded_equals_fresh(Database::sqlite().await, Database::sqlite().await).await;
}

/// M-43: a released migration is never edited, on neither database; both have the same numbers.
#[test]
fn released_migrations_do_not_change() {
    for (name, migrator) in [
        ("postgres", &MIGRATOR),
        ("sqlite", &daybind_storage_sqlite::MIGRATOR),
    ] {
        for migration in migrator.iter().filter(|m| m.version <= RELEASED) {
            let checksum: String = migration
                .checksum
                .iter()
                .map(|b| format!("{b:02x}"))
                .collect();
            assert!(
                PINNED.contains(&(name, migration.version, checksum.as_str())),
                "(\"{name}\", {}, \"{checksum}\")",
                migration.version
            );
        }
    }
}

/// R29: a server one version behind is ready on the newer schema; one that lacks a migration is not.
#[tokio::test]
async fn the_version_before_works_on_a_newer_schema() {
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 VALUES (9000, 'newer', true, 'x', 1)";
    let mut database = Database::postgres().await;
    let all = database.migrations();
    database.run(&upto(all, RELEASED)).await.unwrap();
    let Database::Postgres(_, url) = &database else {
        unreachable!()
    };
    let store = PgStore::connect(url).await.unwrap();
    assert!(store.ready().await.is_err());
    database.run(all).await.unwrap();
    store.ready().await.unwrap();
    database.execute(newer.to_owned()).await;
    store.ready().await.unwrap();

    let mut database = Database::sqlite().await;
    let all = database.migrations();
    database.run(all).await.unwrap();
    database.execute(newer.to_owned()).await;
    let Database::Sqlite(_, dir) = &database else {
        unreachable!()
    };
    let store = SqliteStore::open(&dir.path().join("daybind.sqlite3"))
        .await
        .unwrap();
    store.ready().await.unwrap();
}
