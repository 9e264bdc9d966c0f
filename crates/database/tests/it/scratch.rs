//! A folder of its own for each test, and short ways to ask a database.

use std::path::PathBuf;

use strongroom_database::{Database, Location, OpenError, OpenOptions, SqlError, Value};
use strongroom_keys::Key;
use tempfile::TempDir;

/// A folder that goes with the test, and the database `test.db` in it.
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

/// The key of most tests: raw, because a passphrase takes a third of a second to derive.
/// The endings of files that SQLite or this package removes.
pub(crate) const REMOVED_ENDINGS: [&str; 6] =
    ["-journal", "-wal", "-shm", "-strongroom-migrating", "-strongroom-backup", "-strongroom-backup-pages"];

pub(crate) fn key() -> Key {
    Key::raw(&[0x5a; 32]).unwrap()
}

pub(crate) fn memory() -> Database {
    Database::open(Location::Memory, &key(), &OpenOptions::default()).unwrap()
}

/// A value of its own.
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

/// Every row of a statement.
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

/// The first value of the first row.
pub(crate) fn value(database: &Database, sql: &str, parameters: &[Owned]) -> Result<Owned, SqlError> {
    Ok(rows(database, sql, parameters)?.remove(0).remove(0))
}

pub(crate) fn integer(database: &Database, sql: &str) -> i64 {
    match value(database, sql, &[]).unwrap() {
        Owned::Integer(number) => number,
        other => panic!("{sql} is {other:?}"),
    }
}

/// Fails where SQLite finds a fault in a file with or without encryption.
pub(crate) fn assert_sound(database: &Database) {
    assert_eq!(value(database, "PRAGMA integrity_check", &[]).unwrap(), text("ok"));
}

/// Fails where SQLite or SQLCipher find a fault in the file.
pub(crate) fn assert_intact(database: &Database) {
    assert_eq!(value(database, "PRAGMA integrity_check", &[]).unwrap(), text("ok"));
    // Of thousands of bad pages, the first suffices.
    let bad = rows(database, "PRAGMA cipher_integrity_check", &[]).unwrap();
    assert_eq!(bad.first(), None, "and {} more", bad.len().saturating_sub(1));
}
