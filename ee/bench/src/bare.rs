//! The least a webhook can be: a handler that changes one row and answers.

use std::net::SocketAddr;

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

/// As many connections as Daybind's pool has.
const CONNECTIONS: u32 = 10;

/// Serves until it is ended. The table is made by whoever starts it ([`TABLE`]).
pub async fn serve(database: &str, listen: SocketAddr) -> Result<()> {
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .connect(database)
        .await?;
    let app = Router::new().route("/", post(touch)).with_state(pool);
    let listener = tokio::net::TcpListener::bind(listen).await?;
    Ok(axum::serve(listener, app).await?)
}

/// The table it changes.
pub const TABLE: &str = "CREATE TABLE bench_bare (id int PRIMARY KEY, n bigint NOT NULL); \
                         INSERT INTO bench_bare SELECT id, 0 FROM generate_series(0, 19) AS id";

async fn touch(State(pool): State<PgPool>, body: Bytes) -> StatusCode {
    // As many rows as there are connections in the other half; which one hangs on the body, as there.
    let id = body
        .iter()
        .fold(0_i32, |sum, byte| (sum + i32::from(*byte)) % 20);
    let done = sqlx::query("UPDATE bench_bare SET n = n + 1 WHERE id = $1")
        .bind(id)
        .execute(&pool)
        .await;
    match done {
        Ok(_) => StatusCode::ACCEPTED,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}
