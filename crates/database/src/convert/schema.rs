//! Reads and writes the schema and the settings of a database for a conversion.

use rusqlite::{Connection, OptionalExtension, Result};

use super::table::Table;

/// SQLite's table that holds the last rowid of each AUTOINCREMENT table.
pub(super) const SEQUENCE: &str = "sqlite_sequence";

/// The schema that a conversion reads from the source.
pub(super) struct Schema {
    pub(super) page_size: u32,
    pub(super) pages: u64,
    pub(super) settings: Settings,
    pub(super) entries: Vec<Entry>,
    /// The tables that have pages: not virtual tables, but their shadow tables.
    pub(super) tables: Vec<Table>,
    /// The indexes that have their own statement: name and SQL.
    indexes: Vec<(String, String)>,
}

/// The settings that the file holds.
#[derive(PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) is_wal: bool,
    encoding: String,
    auto_vacuum: i64,
    user_version: i64,
    application_id: i64,
}

/// An entry of the schema: rowid, type, name, table, whether it has pages, and SQL.
pub(super) type Entry = (i64, Option<String>, Option<String>, Option<String>, bool, Option<String>);

impl Schema {
    /// Reads the schema of the database `main`.
    pub(super) fn read(connection: &Connection) -> Result<Self> {
        let number =
            |pragma: &str| connection.pragma_query_value(Some("main"), pragma, |row| row.get::<_, i64>(0));
        let mut select = connection.prepare(
            "SELECT name, sql FROM main.sqlite_schema WHERE type = ?1 AND sql IS NOT NULL
             AND coalesce(rootpage, 0) > 0 ORDER BY rowid",
        )?;
        let mut named = |kind: &str| -> Result<Vec<(String, String)>> {
            select.query_map([kind], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        };
        let (tables, indexes) = (named("table")?, named("index")?);
        let tables = tables
            .into_iter()
            .map(|(name, sql)| Table::read(connection, name, sql))
            .collect::<Result<_>>()?;
        let journal: String =
            connection.pragma_query_value(Some("main"), "journal_mode", |row| row.get(0))?;
        Ok(Self {
            page_size: page_size(connection)?,
            pages: number("page_count")?.unsigned_abs(),
            settings: Settings {
                is_wal: journal == "wal",
                encoding: connection.pragma_query_value(None, "encoding", |row| row.get(0))?,
                auto_vacuum: number("auto_vacuum")?,
                user_version: number("user_version")?,
                application_id: number("application_id")?,
            },
            entries: entries(connection)?,
            tables,
            indexes,
        })
    }

    /// Applies the settings that a database accepts only before its first page is written, and begins a transaction.
    pub(super) fn prepare_file(&self, connection: &Connection, page_size: u32) -> Result<()> {
        connection.pragma_update(None, "encoding", &self.settings.encoding)?;
        // SQLCipher ignores this pragma for an encrypted database: the key has set the page size.
        connection.pragma_update(None, "page_size", page_size)?;
        connection.pragma_update(None, "auto_vacuum", self.settings.auto_vacuum)?;
        // Lets CREATE TABLE accept the names of SQLite's own tables.
        connection.execute_batch(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA writable_schema = ON; BEGIN",
        )
    }

    /// Returns the name and the SQL of each table and index, in the order in which they can be created.
    pub(super) fn statements(&self) -> impl Iterator<Item = (&str, &str)> {
        let tables = self.tables.iter().map(|table| (&*table.name, &*table.sql));
        tables.chain(self.indexes.iter().map(|(name, sql)| (&**name, &**sql)))
    }

    /// Writes the header's fields, and commits.
    pub(super) fn finish_file(&self, connection: &Connection) -> Result<()> {
        if self.tables.is_empty() {
            // SQLite writes the encoding with the first table.
            connection.execute_batch("CREATE TABLE strongroom_empty (a); DROP TABLE strongroom_empty")?;
        }
        connection.pragma_update(None, "user_version", self.settings.user_version)?;
        connection.pragma_update(None, "application_id", self.settings.application_id)?;
        connection.execute_batch("COMMIT; PRAGMA writable_schema = OFF")
    }

    /// Replaces the copy's schema entries with the source's, including views, triggers and virtual tables, which have no
    /// pages. The rowids and texts are the source's; the page numbers are the copy's.
    pub(super) fn copy_entries(&self, connection: &Connection) -> Result<()> {
        connection.execute_batch(
            "PRAGMA writable_schema = ON;
             CREATE TEMP TABLE strongroom_root AS
               SELECT type, name, rootpage FROM strongroom_copy.sqlite_schema;
             DELETE FROM strongroom_copy.sqlite_schema;
             INSERT INTO strongroom_copy.sqlite_schema (rowid, type, name, tbl_name, rootpage, sql)
               SELECT rowid, type, name, tbl_name,
                 CASE WHEN coalesce(rootpage, 0) = 0 THEN rootpage
                   ELSE (SELECT rootpage FROM temp.strongroom_root AS root
                         WHERE root.type = source.type AND root.name = source.name) END,
                 sql
               FROM main.sqlite_schema AS source ORDER BY rowid;
             DROP TABLE temp.strongroom_root;
             PRAGMA writable_schema = OFF",
        )
    }
}

fn entries(connection: &Connection) -> Result<Vec<Entry>> {
    let mut select = connection.prepare(
        "SELECT rowid, type, name, tbl_name, coalesce(rootpage, 0) > 0, sql FROM main.sqlite_schema ORDER BY rowid",
    )?;
    select
        .query_map([], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
        })?
        .collect()
}

/// Creates a table or an index in the copy.
pub(super) fn create(connection: &Connection, name: &str, sql: &str) -> Result<()> {
    // SQLite itself creates this table, with the first AUTOINCREMENT table.
    let exists = name == SEQUENCE
        && connection
            .query_row("SELECT 1 FROM sqlite_schema WHERE name = ?1", [name], |_| Ok(()))
            .optional()?
            .is_some();
    if exists { Ok(()) } else { connection.execute(sql, []).map(drop) }
}

/// Returns the page size in bytes. SQLCipher returns the size as text.
pub(super) fn page_size(connection: &Connection) -> Result<u32> {
    connection.pragma_query_value(Some("main"), "page_size", |row| {
        let value = row.get_ref(0)?;
        Ok(match value.as_i64() {
            Ok(number) => u32::try_from(number).unwrap_or(0),
            Err(_) => value.as_str()?.parse().unwrap_or(0),
        })
    })
}
