//! What keeps tenants apart when a query forgets to: the role, row-level security, and settings that end with their
//! transaction. Every check goes over the catalog, so that a new table is covered the day it comes.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::sync::Arc;

use daybind_domain::ids::TenantId;
use daybind_storage::{Scope, Store as _, Tenant, UnitOfWork};
use daybind_storage_postgres::testing::{self, Bouncer};
use daybind_storage_postgres::{PgStore, PgUnit};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};
use uuid::Uuid;

/// Tables that answer before a tenant is known: their `system` policies are reviewed here. Login domains say which tenant it
/// is (read only); their challenges are looked for by the server's own round; rate limits belong to nobody.
const SYSTEM_TABLES: [&str; 8] = [
    "jobs",
    "key_canaries",
    "live_events",
    "msp_sso_domain_verification_challenges",
    "msp_sso_login_domains",
    "rate_limits",
    "tenants",
    "users",
];
const REFUSED: &str = "42501";

async fn add_tenant(store: &PgStore, name: &str) -> TenantId {
    let tenant_id = TenantId(Uuid::new_v4());
    let mut unit = store.begin(Scope::Tenant(tenant_id)).await.unwrap();
    let row = Tenant {
        tenant_id,
        name: name.to_owned(),
        time_zone: "UTC".to_owned(),
    };
    unit.add_tenant(&row, chrono::Utc::now()).await.unwrap();
    unit.save().await.unwrap();
    tenant_id
}

fn pg(unit: &mut Box<dyn UnitOfWork>) -> &mut PgConnection {
    let unit: &mut PgUnit = (**unit).as_any_mut().downcast_mut().unwrap();
    unit.connection()
}

async fn texts(connection: &mut PgConnection, sql: &str) -> Vec<String> {
    let rows = connection
        .fetch_all(AssertSqlSafe(sql.to_owned()))
        .await
        .unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

async fn tables(connection: &mut PgConnection) -> Vec<String> {
    texts(
        connection,
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') \
         AND relname <> '_sqlx_migrations' ORDER BY relname",
    )
    .await
}

/// One made-up row of a tenant in every table. Whoever is above all rules takes the other constraints away first: here
/// only row-level security is looked at.
async fn a_row_everywhere(url: &str, tenant: TenantId) -> Vec<String> {
    let mut owner = PgConnection::connect(url).await.unwrap();
    let constraints = texts(
        &mut owner,
        "SELECT format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I CASCADE', conrelid::regclass, conname) \
         FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype IN ('c', 'f')",
    )
    .await;
    for drop in constraints {
        owner.execute(AssertSqlSafe(drop)).await.unwrap();
    }
    let tables = tables(&mut owner).await;
    for table in &tables {
        let columns = texts(
            &mut owner,
            &format!(
                "SELECT column_name || ' ' || data_type FROM information_schema.columns WHERE table_schema = 'public' \
                 AND table_name = '{table}' AND is_generated = 'NEVER' AND is_identity = 'NO' AND is_nullable = 'NO' \
                 AND column_name <> 'tenant_id'"
            ),
        )
        .await;
        let (mut names, mut values) = (vec!["tenant_id"], vec![format!("'{}'", tenant.0)]);
        for column in &columns {
            let (name, kind) = column.split_once(' ').unwrap();
            names.push(name);
            values.push(
                match kind {
                    "uuid" => "gen_random_uuid()",
                    "text" => "'x'",
                    "bytea" => "'\\x00'",
                    "boolean" => "true",
                    "jsonb" => "'{}'",
                    "date" => "current_date",
                    "timestamp with time zone" => "now()",
                    "bigint" | "integer" | "smallint" => "1",
                    "ARRAY" => "'{}'",
                    other => panic!("no example of {other} ({table}.{name})"),
                }
                .to_owned(),
            );
        }
        let insert = format!(
            "INSERT INTO {table} ({}) VALUES ({}) ON CONFLICT DO NOTHING",
            names.join(", "),
            values.join(", ")
        );
        owner.execute(AssertSqlSafe(insert)).await.unwrap();
    }
    tables
}

async fn count(connection: &mut PgConnection, table: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM {table}")))
        .fetch_one(connection)
        .await
        .unwrap()
}

fn code(error: &sqlx::Error) -> String {
    let database = error.as_database_error().unwrap();
    database.code().unwrap_or_default().into_owned()
}

/// M-03: the server works as a role that is no superuser, does not bypass row-level security, owns nothing and can make
/// nothing, whoever it logged in as.
#[tokio::test]
async fn the_working_role_has_no_powers() {
    let (store, _url) = testing::store().await;
    for scope in [Scope::System, Scope::Tenant(TenantId(Uuid::new_v4()))] {
        let mut unit = store.begin(scope).await.unwrap();
        let row = sqlx::query(
            "SELECT current_user::text, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolcanlogin, \
             (SELECT count(*) FROM pg_class WHERE relowner = r.oid), \
             has_schema_privilege('public', 'create'), has_database_privilege(current_database(), 'create') \
             FROM pg_roles r WHERE rolname = current_user",
        )
        .fetch_one(pg(&mut unit))
        .await
        .unwrap();
        assert_eq!(row.get::<String, _>(0), "daybind_app");
        for power in 1..=5 {
            assert!(!row.get::<bool, _>(power), "power {power}");
        }
        assert_eq!(row.get::<i64, _>(6), 0, "owns nothing");
        assert!(
            !row.get::<bool, _>(7) && !row.get::<bool, _>(8),
            "makes nothing"
        );
        for sql in [
            "ALTER TABLE tenants DISABLE ROW LEVEL SECURITY",
            "DROP POLICY tenant ON tenants",
            "CREATE TABLE mine (id int)",
        ] {
            let mut unit = store.begin(scope).await.unwrap();
            let refused = pg(&mut unit).execute(sql).await.unwrap_err();
            assert_eq!(code(&refused), REFUSED, "{sql}");
        }
    }
}

/// M-03: without a tenant every tenant table is empty and refuses every insert; with one, every table shows its rows and
/// no others', and takes no row of another; before a tenant is known only the reviewed tables answer.
#[tokio::test]
async fn every_table_is_empty_without_its_tenant() {
    let (store, url) = testing::store().await;
    let (a, b) = (TenantId(Uuid::new_v4()), TenantId(Uuid::new_v4()));
    let tables = a_row_everywhere(&url, a).await;
    assert!(tables.len() >= 14, "{tables:?}");
    let mut system = BTreeSet::new();
    for table in &tables {
        // As the role, with no setting at all: what a query would meet that went round the units.
        let mut bare = PgConnection::connect(&url).await.unwrap();
        bare.execute("SET ROLE daybind_app").await.unwrap();
        assert_eq!(count(&mut bare, table).await, 0, "{table} without a tenant");
        let insert = format!("INSERT INTO {table} (tenant_id) VALUES ('{}')", a.0);
        let refused = bare
            .execute(AssertSqlSafe(insert.clone()))
            .await
            .unwrap_err();
        assert_eq!(
            code(&refused),
            REFUSED,
            "insert into {table} without a tenant"
        );

        for (tenant, rows) in [(a, 1), (b, 0)] {
            let mut unit = store.begin(Scope::Tenant(tenant)).await.unwrap();
            assert_eq!(count(pg(&mut unit), table).await, rows, "{table}");
        }
        let mut unit = store.begin(Scope::Tenant(b)).await.unwrap();
        let refused = pg(&mut unit)
            .execute(AssertSqlSafe(insert))
            .await
            .unwrap_err();
        assert_eq!(
            code(&refused),
            REFUSED,
            "{table} takes another tenant's row"
        );
        let mut unit = store.begin(Scope::Tenant(a)).await.unwrap();
        let moved = format!("UPDATE {table} SET tenant_id = '{}'", b.0);
        let refused = pg(&mut unit)
            .execute(AssertSqlSafe(moved))
            .await
            .unwrap_err();
        assert_eq!(code(&refused), REFUSED, "{table} gives a row away");
        let mut unit = store.begin(Scope::System).await.unwrap();
        if count(pg(&mut unit), table).await > 0 {
            system.insert(table.as_str());
        }
    }
    assert_eq!(
        system,
        BTreeSet::from(SYSTEM_TABLES),
        "tables that answer before a tenant is known"
    );
}

/// 200 units of alternating tenants at once over few connections, saved, cancelled, dropped and failed: each sees its own
/// tenant and nothing of the one before.
async fn alternate(store: PgStore) {
    let store = Arc::new(store);
    let mut tenants = Vec::new();
    for n in 0..4 {
        tenants.push(add_tenant(&store, &format!("MSP {n}")).await);
    }
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..200_usize {
        let (store, tenant) = (Arc::clone(&store), tenants[n % tenants.len()]);
        tasks.spawn(async move {
            let mut unit = if n % 3 == 0 {
                store.read(Scope::Tenant(tenant)).await.unwrap()
            } else {
                store.begin(Scope::Tenant(tenant)).await.unwrap()
            };
            let seen: Vec<Uuid> = sqlx::query_scalar("SELECT tenant_id FROM tenants")
                .fetch_all(pg(&mut unit))
                .await
                .unwrap();
            assert_eq!(seen, [tenant.0], "unit {n}");
            let role: String = sqlx::query_scalar("SELECT current_user::text")
                .fetch_one(pg(&mut unit))
                .await
                .unwrap();
            assert_eq!(role, "daybind_app", "unit {n}");
            match n % 4 {
                0 => unit.save().await.unwrap(),
                1 => unit.cancel().await.unwrap(),
                2 => drop(unit),
                _ => {
                    assert!(pg(&mut unit).execute("SELECT 1 / 0").await.is_err());
                }
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    let mut unit = store.begin(Scope::System).await.unwrap();
    let known = unit.list_tenants().await.unwrap();
    assert_eq!(known.len(), tenants.len());
}

/// M-03: no tenant bleeds into the next unit over a pool of two connections.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_bleeds_through_a_pool_of_two() {
    let (_store, url) = testing::store().await;
    alternate(PgStore::connect_sized(&url, 2).await.unwrap()).await;
}

/// M-03: nor through PgBouncer in transaction mode, where every transaction may get another connection of the database.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_bleeds_through_pgbouncer() {
    let (_store, url) = testing::store().await;
    let bouncer = Bouncer::start();
    let store = PgStore::connect_sized(&bouncer.through(&url), 20)
        .await
        .unwrap();
    store.ready().await.unwrap();
    alternate(store).await;
    // And what others find on the pooler's connections afterwards carries nothing of ours.
    for _ in 0..8 {
        let mut other = PgConnection::connect(&bouncer.through(&url)).await.unwrap();
        other.execute("DEALLOCATE ALL").await.unwrap();
        let left = texts(
            &mut other,
            "SELECT current_user || coalesce(current_setting('daybind.tenant_id', true), '')",
        )
        .await;
        assert_eq!(left, ["postgres"]);
    }
}

/// M-04: every table has `tenant_id` (uuid, not null) and a primary key, and `tenant_id` leads that key, every unique key
/// and both sides of every foreign key: the rule of a cluster sharded by tenant (Citus).
#[tokio::test]
async fn every_key_leads_with_the_tenant() {
    let (_store, url) = testing::store().await;
    let mut owner = PgConnection::connect(&url).await.unwrap();
    let tables = tables(&mut owner).await;
    let keyed = texts(
        &mut owner,
        "SELECT c.conrelid::regclass::text FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid \
         AND a.attnum = c.conkey[1] JOIN pg_type t ON t.oid = a.atttypid WHERE c.contype = 'p' \
         AND c.connamespace = 'public'::regnamespace AND a.attname = 'tenant_id' AND a.attnotnull \
         AND t.typname = 'uuid' ORDER BY 1",
    )
    .await;
    assert_eq!(
        tables, keyed,
        "tables, and those whose primary key begins with tenant_id"
    );
    let wrong = texts(
        &mut owner,
        "SELECT i.indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid \
         LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] \
         WHERE c.relnamespace = 'public'::regnamespace AND c.relname <> '_sqlx_migrations' \
         AND (i.indisunique OR i.indisexclusion) AND a.attname IS DISTINCT FROM 'tenant_id'",
    )
    .await;
    assert!(wrong.is_empty(), "unique keys: {wrong:?}");
    let wrong = texts(
        &mut owner,
        "SELECT f.conrelid::regclass || '.' || f.conname FROM pg_constraint f \
         JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = f.conkey[1] \
         JOIN pg_attribute b ON b.attrelid = f.confrelid AND b.attnum = f.confkey[1] \
         WHERE f.contype = 'f' AND (a.attname <> 'tenant_id' OR b.attname <> 'tenant_id')",
    )
    .await;
    assert!(wrong.is_empty(), "foreign keys: {wrong:?}");
    let open = texts(
        &mut owner,
        "SELECT c.relname::text FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') \
         AND c.relname <> '_sqlx_migrations' AND NOT (c.relrowsecurity AND c.relforcerowsecurity AND EXISTS ( \
         SELECT FROM pg_policies p WHERE p.tablename = c.relname AND p.policyname = 'tenant' AND p.cmd = 'ALL' \
         AND p.qual LIKE '%daybind.tenant_id%' AND coalesce(p.with_check, p.qual) LIKE '%daybind.tenant_id%'))",
    )
    .await;
    assert!(
        open.is_empty(),
        "tables without forced row-level security: {open:?}"
    );
}
