//! The content of a database, in the model and in a file.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use strongroom_database::{Database, SqlError, Value};

use crate::random::Random;

/// Identifies the content of a database: its tables, its indexes and every row.
pub(crate) type Digest = u64;

/// A table: its rows by id, and whether it has an index.
#[derive(Clone, Debug, Default)]
struct Table {
    rows: BTreeMap<i64, (i64, Vec<u8>)>,
    has_index: bool,
}

/// The content that a database should have.
#[derive(Clone, Debug, Default)]
pub(crate) struct Content {
    tables: BTreeMap<String, Table>,
}

/// The table with one row, the number of the last transaction.
const LAST: &str = "last";
const TABLES: [&str; 4] = ["t0", "t1", "t2", "t3"];

impl Content {
    pub(crate) fn digest(&self) -> Digest {
        let tables = self.tables.iter().map(|(name, table)| {
            let rows = table.rows.iter().map(|(id, (number, bytes))| row(*id, *number, bytes));
            (name.clone(), table.has_index, sum(rows))
        });
        digest(tables)
    }

    /// Writes the number of a transaction.
    pub(crate) fn set_last(
        &mut self,
        database: &Database,
        schema: &str,
        number: usize,
    ) -> Result<(), SqlError> {
        self.tables.entry(LAST.to_owned()).or_default().rows.insert(0, (number as i64, Vec::new()));
        database.execute_batch(&format!(
            "CREATE TABLE IF NOT EXISTS {schema}.{LAST} (id INTEGER PRIMARY KEY, number INTEGER, bytes BLOB);
             REPLACE INTO {schema}.{LAST} VALUES (0, {number}, x'')"
        ))
    }

    /// Changes the database and the model in the same way, by one random change of its rows.
    pub(crate) fn change_rows(
        &mut self,
        database: &Database,
        schema: &str,
        random: &mut Random,
    ) -> Result<(), SqlError> {
        let existing: Vec<String> = self.tables.keys().filter(|name| *name != LAST).cloned().collect();
        if existing.is_empty() {
            return self.change_schema(database, schema, random);
        }
        let name = existing[random.below(existing.len())].clone();
        let table = self.tables.entry(name.clone()).or_default();
        let (first, length) = (random.below(120) as i64, random.below(20) as i64 + 1);
        match random.below(8) {
            0..=4 => {
                let mut insert =
                    database.prepare(&format!("REPLACE INTO {schema}.{name} VALUES (?, ?, ?)"))?;
                for id in first..first + length {
                    let bytes = random_bytes(random);
                    let number = (random.next() % 1000) as i64;
                    insert.bind(1, Value::Integer(id))?;
                    insert.bind(2, Value::Integer(number))?;
                    insert.bind(3, Value::Blob(&bytes))?;
                    insert.step()?;
                    insert.reset();
                    table.rows.insert(id, (number, bytes));
                }
            }
            5 | 6 => {
                database.execute_batch(&format!(
                    "UPDATE {schema}.{name} SET number = number + 1 WHERE id BETWEEN {first} AND {}",
                    first + 3 * length
                ))?;
                for (number, _) in table.rows.range_mut(first..=first + 3 * length).map(|(_, row)| row) {
                    *number += 1;
                }
            }
            _ => {
                database.execute_batch(&format!(
                    "DELETE FROM {schema}.{name} WHERE id BETWEEN {first} AND {}",
                    first + 2 * length
                ))?;
                table.rows.retain(|id, _| !(first..=first + 2 * length).contains(id));
            }
        }
        Ok(())
    }

    /// Changes the database and the model in the same way, by one random change of the schema.
    pub(crate) fn change_schema(
        &mut self,
        database: &Database,
        schema: &str,
        random: &mut Random,
    ) -> Result<(), SqlError> {
        let name = random.pick(&TABLES);
        let Some(table) = self.tables.get_mut(name) else {
            self.tables.insert(name.to_owned(), Table::default());
            return database.execute_batch(&format!(
                "CREATE TABLE {schema}.{name} (id INTEGER PRIMARY KEY, number INTEGER, bytes BLOB)"
            ));
        };
        if table.has_index && random.chance(40) {
            self.tables.remove(name);
            return database.execute_batch(&format!("DROP TABLE {schema}.{name}"));
        }
        table.has_index = !table.has_index;
        database.execute_batch(&match table.has_index {
            true => format!("CREATE INDEX {schema}.{name}_number ON {name} (number, bytes)"),
            false => format!("DROP INDEX {schema}.{name}_number"),
        })
    }
}

/// Returns a value of a length from nothing to several pages.
fn random_bytes(random: &mut Random) -> Vec<u8> {
    let length = match random.below(20) {
        0 => random.below(20_000),
        1..=4 => random.below(2_000),
        _ => random.below(100),
    };
    random.bytes(length)
}

/// Reads the content of the database `schema`.
pub(crate) fn read(database: &Database, schema: &str) -> Result<Digest, SqlError> {
    let mut names = Vec::new();
    let mut select = database.prepare(&format!(
        "SELECT name, EXISTS (SELECT 1 FROM {schema}.sqlite_schema WHERE type = 'index' AND tbl_name = t.name)
         FROM {schema}.sqlite_schema AS t WHERE type = 'table' ORDER BY name"
    ))?;
    while let Some(row) = select.step()? {
        let (Value::Text(name), Value::Integer(has_index)) = (row.value(0), row.value(1)) else { continue };
        names.push((String::from_utf8_lossy(name).into_owned(), has_index != 0));
    }
    let mut tables = Vec::new();
    for (name, has_index) in names {
        let mut select = database.prepare(&format!("SELECT id, number, bytes FROM {schema}.{name}"))?;
        let mut rows = Vec::new();
        while let Some(found) = select.step()? {
            rows.push(match (found.value(0), found.value(1), found.value(2)) {
                (Value::Integer(id), Value::Integer(number), Value::Blob(bytes)) => row(id, number, bytes),
                _ => 0,
            });
        }
        tables.push((name, has_index, sum(rows.into_iter())));
    }
    Ok(digest(tables.into_iter()))
}

fn row(id: i64, number: i64, bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    (id, number, bytes).hash(&mut hasher);
    hasher.finish()
}

/// Combines rows independently of their order.
fn sum(rows: impl Iterator<Item = u64>) -> (usize, u64) {
    rows.fold((0, 0), |(count, sum), row| (count + 1, row.wrapping_add(sum)))
}

fn digest(tables: impl Iterator<Item = (String, bool, (usize, u64))>) -> Digest {
    let mut hasher = DefaultHasher::new();
    tables.for_each(|table| table.hash(&mut hasher));
    hasher.finish()
}
