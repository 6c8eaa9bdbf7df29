//! The repositories on SQLite. There is one writer, so no row lock is needed.

use sqlx::sqlite::SqliteRow;

use crate::{SqliteUnit, codec, failure};

daybind_storage::implement_repositories!(SqliteUnit, SqliteRow, skip_locked = "");
