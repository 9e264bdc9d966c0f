//! The tables and indexes of a database, as far as the schema can be read.

use rusqlite::{Connection, Result};

use crate::pragma::quoted;

/// The tables and indexes of a database.
#[derive(Default)]
pub(super) struct Tables(Vec<Entry>);

struct Entry {
    name: String,
    table: String,
    /// The first page, or 0 for a virtual table.
    root: u32,
    kind: Kind,
}

#[derive(PartialEq)]
enum Kind {
    Table,
    Index,
}

/// The schema table; its root is the first page.
const SCHEMA: &str = "sqlite_schema";

impl Tables {
    pub(super) fn read(connection: &Connection, schema: &str) -> Result<Self> {
        let sql = format!(
            "SELECT type, name, tbl_name, rootpage FROM {}.sqlite_schema WHERE type IN ('table', 'index') ORDER BY rowid",
            quoted(schema)
        );
        let mut statement = connection.prepare(&sql)?;
        let entries = statement.query_map([], |row| {
            let kind = if row.get_ref(0)?.as_str()? == "index" { Kind::Index } else { Kind::Table };
            Ok(Entry { kind, name: row.get(1)?, table: row.get(2)?, root: row.get(3).unwrap_or(0) })
        })?;
        // Any other entry is damage, which the structure check reports.
        Ok(Self(entries.filter_map(Result::ok).collect()))
    }

    /// Returns the root page of each tree with its table and, for an index, the index's name.
    pub(super) fn trees(&self) -> impl Iterator<Item = (u32, &str, Option<&str>)> {
        let trees = self.0.iter().filter(|entry| entry.root != 0).map(|entry| {
            let index = (entry.kind == Kind::Index).then_some(entry.name.as_str());
            (entry.root, entry.table.as_str(), index)
        });
        [(1, SCHEMA, None)].into_iter().chain(trees)
    }

    /// Returns the names of the tables.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|entry| entry.kind == Kind::Table).map(|entry| entry.name.as_str())
    }

    /// Returns the table of the tree whose root is this page.
    pub(super) fn of_root(&self, root: u32) -> Option<&str> {
        self.trees().find(|(page, ..)| *page == root).map(|(_, table, _)| table)
    }

    /// Returns the table of an index.
    pub(super) fn of_index(&self, index: &str) -> Option<&str> {
        let entry = self.0.iter().find(|entry| entry.kind == Kind::Index && entry.name == index);
        entry.map(|entry| entry.table.as_str())
    }

    /// Returns the table of a column in the form `table.column`.
    pub(super) fn of_column(&self, column: &str) -> Option<&str> {
        let of = |name: &&str| column.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        self.names().filter(of).max_by_key(|name| name.len())
    }

    /// Returns the table's name as spelled in the schema, or `None` if the table does not exist.
    pub(super) fn named(&self, table: &str) -> Option<&str> {
        self.names().find(|name| *name == table)
    }
}
