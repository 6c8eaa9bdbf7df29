//! What the tests through the services share.

use daybind_services::{Actor, Services, auth, demo};
use secrecy::{ExposeSecret as _, SecretString};

/// Runs a test on SQLite and on PostgreSQL, each with a `World` of its own.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let files = tempfile::tempdir().unwrap();
                let store = daybind_storage_sqlite::SqliteStore::open(&files.path().join("db")).await.unwrap();
                super::$name(super::World::new(std::sync::Arc::new(store)).await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let url = daybind_storage_postgres::testing::database_url().await;
                let store = daybind_storage_postgres::PgStore::connect(&url).await.unwrap();
                super::$name(super::World::new(std::sync::Arc::new(store)).await).await;
            })+
        }
    };
}
pub(crate) use on_both;

/// One of the demo people, signed in.
pub async fn actor(services: &Services, email: &str) -> Actor {
    let client = auth::Client::default();
    let password = SecretString::from(demo::PASSWORD);
    let cookie = auth::sign_in(services, email, password, &client)
        .await
        .unwrap();
    auth::authenticate(services, cookie.expose_secret(), None)
        .await
        .unwrap()
        .unwrap()
}
