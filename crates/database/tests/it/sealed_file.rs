//! A file in the Strongroom format with a known content, for tests that damage the file.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;

use strongroom_database::{Database, Location, OpenOptions, code_of};
use strongroom_keys::{CipherParameters, Format, Key};

use crate::scratch::{Owned, Scratch, rows};

/// The length of a header in bytes.
pub(crate) const HEADER: usize = strongroom_format::HEADER_LENGTH;

/// The rows of a database: the keys and the values of the table `t`.
pub(crate) type Model = BTreeMap<i64, String>;

/// Returns the key of the files, with the page size of a new file in bytes.
pub(crate) fn sealed_key(page_size: u32) -> Key {
    let parameters = CipherParameters { page_size: Some(page_size), ..CipherParameters::default() };
    plain_key().with_cipher(parameters).unwrap().with_format(Format::Strongroom).unwrap()
}

/// Returns the key of the files without a format.
pub(crate) fn plain_key() -> Key {
    Key::raw(&[0x5a; 32]).unwrap()
}

pub(crate) fn create(path: &Path, page_size: u32) -> Database {
    Database::open(Location::File(path), &sealed_key(page_size), &OpenOptions::default()).unwrap()
}

/// The code and the message of an error.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Refusal {
    fn of(error: &(dyn Error + 'static)) -> Self {
        Self { code: code_of(error).unwrap_or("no code").to_owned(), message: error.to_string() }
    }

    /// Asserts that the error names a page and its file.
    #[track_caller]
    pub(crate) fn assert_names(&self, page: usize, path: &Path, context: &str) {
        let page = format!("page {page} ");
        let names = self.message.contains(&page) && self.message.contains(path.to_str().unwrap());
        assert!(self.code == "STRONGROOM_DAMAGED_PAGE" && names, "{context}: {page}: {self:?}");
    }
}

pub(crate) fn reopen(path: &Path) -> Result<Database, Refusal> {
    Database::open(Location::File(path), &plain_key(), &OpenOptions::default())
        .map_err(|error| Refusal::of(&error))
}

/// Opens a file and reads its rows through the table and through the index. Returns no rows for a database without tables.
pub(crate) fn read(path: &Path) -> Result<Model, Refusal> {
    rows_of(&reopen(path)?)
}

/// Reads the rows through the table alone.
pub(crate) fn read_table(path: &Path) -> Result<Model, Refusal> {
    let found = rows(&reopen(path)?, "SELECT id, v FROM t NOT INDEXED", &[]);
    found.map(model_of).map_err(|error| Refusal::of(&error))
}

pub(crate) fn rows_of(database: &Database) -> Result<Model, Refusal> {
    let query = |sql: &str| rows(database, sql, &[]).map_err(|error| Refusal::of(&error));
    if query("SELECT name FROM sqlite_schema WHERE name = 't'")?.is_empty() {
        return Ok(Model::new());
    }
    let by_table = model_of(query("SELECT id, v FROM t NOT INDEXED ORDER BY id")?);
    let by_index = model_of(query("SELECT id, v FROM t INDEXED BY i WHERE v > '' ORDER BY v")?);
    assert!(by_table == by_index, "the table and its index differ, without an error");
    Ok(by_table)
}

fn model_of(rows: Vec<Vec<Owned>>) -> Model {
    let pair = |row: Vec<Owned>| match <[Owned; 2]>::try_from(row).unwrap() {
        [Owned::Integer(id), Owned::Text(value)] => (id, value),
        other => panic!("{other:?}"),
    };
    rows.into_iter().map(pair).collect()
}

/// Creates the table `t` and its index.
pub(crate) fn create_table(database: &Database, settings: &str) {
    database
        .execute_batch(&format!(
            "{settings}; CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT NOT NULL); CREATE INDEX i ON t (v)"
        ))
        .unwrap();
}

/// Writes rows, some longer than a page, and returns the new content.
pub(crate) fn put(
    database: &Database,
    mut model: Model,
    ids: impl Iterator<Item = i64>,
    word: &str,
) -> Model {
    for id in ids {
        let value = format!("{word} {id} {}", "x".repeat(if id % 10 == 0 { 3_000 } else { 60 }));
        let row = [Owned::Integer(id), Owned::Text(value.clone())];
        rows(database, "REPLACE INTO t VALUES (?, ?)", &row).unwrap();
        model.insert(id, value);
    }
    model
}

/// A closed file with rows, an index, overflow pages and free pages.
pub(crate) struct Written {
    pub(crate) scratch: Scratch,
    pub(crate) bytes: Vec<u8>,
    pub(crate) model: Model,
    pub(crate) page_size: usize,
}

impl Written {
    pub(crate) fn new(page_size: u32, settings: &str) -> Self {
        let scratch = Scratch::new();
        let database = create(&scratch.path(), page_size);
        create_table(&database, settings);
        database.execute_batch("BEGIN").unwrap();
        let model = put(&database, Model::new(), 1..=60, "kept");
        put(&database, Model::new(), 1_000..1_020, "gone");
        database.execute_batch("COMMIT; DELETE FROM t WHERE id >= 1000").unwrap();
        database.close().unwrap();
        let bytes = fs::read(scratch.path()).unwrap();
        Self { scratch, bytes, model, page_size: page_size as usize }
    }

    pub(crate) fn pages(&self) -> usize {
        (self.bytes.len() - HEADER) / self.page_size
    }

    /// Returns the offset in the file of a page, counted from 1.
    pub(crate) fn page(&self, number: usize) -> usize {
        HEADER + (number - 1) * self.page_size
    }

    /// Writes changed bytes to the file, without a journal.
    pub(crate) fn write(&self, bytes: &[u8]) {
        fs::write(self.scratch.path(), bytes).unwrap();
    }
}
