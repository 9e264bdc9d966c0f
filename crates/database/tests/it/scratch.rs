//! A temporary folder for each test, and helpers that query a database.

use std::path::PathBuf;

use strongroom_database::{Database, Location, OpenError, OpenOptions, SqlError, Value};
use strongroom_keys::Key;
use tempfile::TempDir;

/// A folder that is deleted when the test ends, with the database `test.db`.
pub(crate) struct Scratch {
    folder: TempDir,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("test.db")
    }

    pub(crate) fn open(&self) -> Database {
        self.open_with(&key()).unwrap()
    }

    pub(crate) fn open_with(&self, key: &Key) -> Result<Database, OpenError> {
        Database::open(Location::File(&self.path()), key, &OpenOptions::default())
    }

    pub(crate) fn open_plain(&self) -> Database {
        Database::open_unencrypted(Location::File(&self.path()), &OpenOptions::default()).unwrap()
    }
}

/// The endings of the files that SQLite or this package removes.
pub(crate) const REMOVED_ENDINGS: [&str; 7] = [
    "-journal",
    "-wal",
    "-shm",
    "-strongroom-migrating",
    "-strongroom-keeping",
    "-strongroom-backup",
    "-strongroom-backup-pages",
];

/// Returns the key of most tests. The key is raw, because deriving a key from a passphrase takes a third of a second.
pub(crate) fn key() -> Key {
    Key::raw(&[0x5a; 32]).unwrap()
}

pub(crate) fn memory() -> Database {
    Database::open(Location::Memory, &key(), &OpenOptions::default()).unwrap()
}

/// An owned value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Owned {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
}

impl Owned {
    pub(crate) fn as_value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Integer(number) => Value::Integer(*number),
            Self::Real(number) => Value::Real(*number),
            Self::Text(text) => Value::Text(text.as_bytes()),
            Self::Blob(bytes) => Value::Blob(bytes),
        }
    }
}

impl From<Value<'_>> for Owned {
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Integer(number) => Self::Integer(number),
            Value::Real(number) => Self::Real(number),
            Value::Text(bytes) => Self::Text(String::from_utf8(bytes.to_vec()).unwrap()),
            Value::Blob(bytes) => Self::Blob(bytes.to_vec()),
        }
    }
}

pub(crate) fn text(text: &str) -> Owned {
    Owned::Text(text.to_owned())
}

/// Runs a statement and returns all rows.
pub(crate) fn rows(
    database: &Database,
    sql: &str,
    parameters: &[Owned],
) -> Result<Vec<Vec<Owned>>, SqlError> {
    let mut statement = database.prepare(sql)?;
    for (position, value) in parameters.iter().enumerate() {
        statement.bind(position + 1, value.as_value())?;
    }
    let mut rows = Vec::new();
    while let Some(row) = statement.step()? {
        rows.push((0..row.len()).map(|column| row.value(column).into()).collect());
    }
    Ok(rows)
}

/// Runs a statement and returns the first value of the first row.
pub(crate) fn value(database: &Database, sql: &str, parameters: &[Owned]) -> Result<Owned, SqlError> {
    Ok(rows(database, sql, parameters)?.remove(0).remove(0))
}

pub(crate) fn integer(database: &Database, sql: &str) -> i64 {
    match value(database, sql, &[]).unwrap() {
        Owned::Integer(number) => number,
        other => panic!("{sql} is {other:?}"),
    }
}

/// Asserts that SQLite finds no fault in a database, encrypted or not.
pub(crate) fn assert_sound(database: &Database) {
    assert_eq!(value(database, "PRAGMA integrity_check", &[]).unwrap(), text("ok"));
}

/// Asserts that neither SQLite nor SQLCipher finds a fault in an encrypted database.
pub(crate) fn assert_intact(database: &Database) {
    assert_eq!(value(database, "PRAGMA integrity_check", &[]).unwrap(), text("ok"));
    // The message shows only the first of possibly thousands of bad pages.
    let bad = rows(database, "PRAGMA cipher_integrity_check", &[]).unwrap();
    assert_eq!(bad.first(), None, "and {} more", bad.len().saturating_sub(1));
}
