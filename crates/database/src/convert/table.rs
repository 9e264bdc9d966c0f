//! Copies a table, and reads it for the comparison.

use openssl::sha::Sha256;
use rusqlite::{Connection, Result};

use crate::Value;
use crate::pragma::quoted;
use crate::seam::Row;

/// A table of the source.
pub(super) struct Table {
    pub(super) name: String,
    /// The SQL that creates the table in the copy.
    pub(super) sql: String,
    /// `true` if `INSERT INTO copy SELECT * FROM source` copies the raw records, including rowids.
    moves_records: bool,
    /// `true` if the copy's table is filled before it has constraints, types and generated columns.
    has_bare_columns: bool,
    /// A name for the rowid that no column has.
    rowid: Option<&'static str>,
    /// The stored columns.
    columns: Vec<Column>,
}

struct Column {
    name: String,
    generated: bool,
    /// `true` if the column is part of the primary key. In a table without an index, the primary key is an INTEGER PRIMARY
    /// KEY.
    is_key: bool,
}

/// The content of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) rows: u64,
    hash: [u8; 32],
}

impl Table {
    pub(super) fn read(connection: &Connection, name: String, sql: String) -> Result<Self> {
        let mut select = connection.prepare("SELECT name, hidden, pk FROM pragma_table_xinfo(?1, 'main')")?;
        let mut rows = select.query([&name])?;
        let (mut columns, mut names) = (Vec::new(), Vec::new());
        let (mut has_key, mut generated) = (false, false);
        while let Some(row) = rows.next()? {
            let (column, hidden): (String, i64) = (row.get(0)?, row.get(1)?);
            let is_key = row.get::<_, i64>(2)? > 0;
            has_key |= is_key;
            generated |= hidden >= VIRTUAL;
            if hidden != VIRTUAL {
                columns.push(Column { name: column.clone(), generated: hidden > VIRTUAL, is_key });
            }
            names.push(column);
        }
        let has_index: bool = connection.query_row(
            "SELECT EXISTS (SELECT 1 FROM pragma_index_list(?1, 'main'))",
            [&name],
            |row| row.get(0),
        )?;
        let rowid = ["rowid", "_rowid_", "oid"].into_iter().find(|alias| {
            let is_free = !names.iter().any(|column| column.eq_ignore_ascii_case(alias));
            // A table WITHOUT ROWID has no such column.
            is_free && connection.prepare(&format!("SELECT {alias} FROM main.{}", quoted(&name))).is_ok()
        });
        // A table with neither an index nor an INTEGER PRIMARY KEY would get new rowids. A primary key of any other type
        // has an index, or is the table itself if the table is WITHOUT ROWID.
        let moves_records = !generated && (has_key || has_index);
        let has_bare_columns = !moves_records && !has_index;
        let sql = if has_bare_columns { bare(&name, &columns) } else { sql };
        Ok(Self { name, sql, moves_records, has_bare_columns, rowid, columns })
    }

    /// Fills the table of the copy. Returns the number of rows.
    pub(super) fn copy(&self, connection: &Connection) -> Result<u64> {
        let table = quoted(&self.name);
        if self.name == super::schema::SEQUENCE {
            connection.execute_batch("DELETE FROM strongroom_copy.sqlite_sequence")?;
        }
        let sql = match self.moves_records {
            true => format!("INSERT INTO strongroom_copy.{table} SELECT * FROM main.{table}"),
            false => {
                let stored = self.columns.iter().filter(|column| self.has_bare_columns || !column.generated);
                let list = self.list(stored);
                format!(
                    "INSERT INTO strongroom_copy.{table} ({list}) SELECT {list} FROM main.{table} NOT INDEXED"
                )
            }
        };
        connection.execute(&sql, []).map(|rows| rows as u64)
    }

    /// Returns the SQL that reads the table in the order of its keys.
    pub(super) fn select(&self) -> String {
        // Without an index, SQLite reads the table itself, in the order of the rowid or the primary key.
        format!("SELECT {} FROM main.{} NOT INDEXED", self.list(self.columns.iter()), quoted(&self.name))
    }

    fn list<'a>(&'a self, columns: impl Iterator<Item = &'a Column>) -> String {
        let columns = columns.map(|column| quoted(&column.name));
        self.rowid.map(str::to_owned).into_iter().chain(columns).collect::<Vec<_>>().join(", ")
    }
}

/// Returns the SQL of a table that stores the same records and accepts any value unchanged.
///
/// A file may hold values that the table's constraints and types would now refuse. The schema gets the table's own SQL
/// after the table is filled.
fn bare(name: &str, columns: &[Column]) -> String {
    let key = |column: &Column| if column.is_key { " INTEGER PRIMARY KEY" } else { "" };
    let columns: Vec<_> =
        columns.iter().map(|column| format!("{}{}", quoted(&column.name), key(column))).collect();
    format!("CREATE TABLE {} ({})", quoted(name), columns.join(", "))
}

/// `hidden` in table_xinfo is 2 for a virtual generated column, and larger for a stored generated column.
const VIRTUAL: i64 = 2;

/// Hashes the rows of a table. Each value is preceded by its type and length, so that two different rows never hash the
/// same bytes.
pub(super) struct Hasher {
    hash: Sha256,
    rows: u64,
}

impl Hasher {
    pub(super) fn new() -> Self {
        Self { hash: Sha256::new(), rows: 0 }
    }

    /// Adds a row. Returns the number of bytes hashed.
    pub(super) fn add(&mut self, row: &Row<'_>) -> u64 {
        self.rows += 1;
        (0..row.len()).map(|column| self.add_value(row.stored(column))).sum()
    }

    fn add_value(&mut self, value: Value<'_>) -> u64 {
        let (tag, fixed, bytes): (u8, u64, &[u8]) = match value {
            Value::Null => (0, 0, &[]),
            Value::Integer(number) => (1, number.cast_unsigned(), &[]),
            Value::Real(number) => (2, number.to_bits(), &[]),
            Value::Text(bytes) => (3, bytes.len() as u64, bytes),
            Value::Blob(bytes) => (4, bytes.len() as u64, bytes),
        };
        self.hash.update(&[tag]);
        self.hash.update(&fixed.to_le_bytes());
        self.hash.update(bytes);
        9 + bytes.len() as u64
    }

    pub(super) fn finish(self) -> Content {
        Content { rows: self.rows, hash: self.hash.finish() }
    }
}
