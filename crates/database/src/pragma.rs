//! Reads and sets pragmas of one database of a connection.
//!
//! rusqlite writes the name of a database without quotes, so that a name like "index" would be a syntax error.

use rusqlite::types::FromSql;
use rusqlite::{Connection, Result};

/// Returns the value of a pragma of the database `schema`.
pub(crate) fn pragma<T: FromSql>(connection: &Connection, schema: &str, name: &str) -> Result<T> {
    connection.query_row(&format!("PRAGMA {}.{name}", quoted(schema)), [], |row| row.get(0))
}

/// Sets a pragma of the database `schema`.
pub(crate) fn set_pragma(connection: &Connection, schema: &str, name: &str, value: &str) -> Result<()> {
    let value = value.replace('\'', "''");
    connection.execute_batch(&format!("PRAGMA {}.{name} = '{value}'", quoted(schema)))
}

/// Returns a name quoted as an SQL identifier.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
