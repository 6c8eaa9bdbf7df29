//! The repositories on PostgreSQL.

use sqlx::postgres::PgRow;

use crate::{PgUnit, codec, failure};

daybind_storage::implement_repositories!(PgUnit, PgRow, skip_locked = "for update skip locked");
