//! The errors of changing a key.

use std::fmt;
use std::path::{Path, PathBuf};

use strongroom_keys::KeyError;

use crate::{KeySlotError, OpenError, SqlError};

/// An error of [`Database::rekey`](crate::Database::rekey).
///
/// Except after [`RekeyError::Unverified`], [`RekeyError::Unopened`] and [`RekeyError::Unknown`], the file and the
/// connection keep the old key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RekeyError {
    /// A transaction is open, and the new key would not apply to its pages.
    #[error("cannot change the key inside a transaction: commit it or roll it back first")]
    InTransaction,

    /// A statement of the connection reads from the database.
    #[error(
        "cannot change the key while a statement reads from the database: finish or reset the statement first"
    )]
    Reading,

    /// The connection has no database of this name.
    #[error(
        "cannot change the key of \"{schema}\": the connection has no database of this name; attach it first"
    )]
    UnknownSchema {
        /// The name.
        schema: String,
    },

    /// The database has no key.
    #[error(
        "cannot change the key of \"{path}\": the database is not encrypted; encrypt the file with Database.encrypt()"
    )]
    NotEncrypted {
        /// The path, or `:memory:`.
        path: PathBuf,
    },

    /// The database is in memory, where its pages are not encrypted.
    #[error(
        "cannot change the key of \"{schema}\": an in-memory database is not encrypted; pass the key to db.backup()"
    )]
    InMemory {
        /// The name of the database.
        schema: String,
    },

    /// The connection may not write to the file.
    #[error("cannot change the key of \"{path}\": the database is open read-only; open it for writing")]
    ReadOnly {
        /// The path.
        path: PathBuf,
    },

    /// This connection holds the file's lock permanently, because of its locking mode.
    #[error(
        "cannot change the key of \"{path}\": this connection has locking_mode EXCLUSIVE; set PRAGMA locking_mode = NORMAL \
         and read from the database once"
    )]
    ExclusiveLocking {
        /// The path.
        path: PathBuf,
    },

    /// The new key has parameters that would change the layout of every page.
    #[error(
        "cannot change the key of \"{path}\": the {parameter} of the new key differs from the file's, and a rekey \
         cannot change it; leave the parameter out or use Database.migrate()"
    )]
    Layout {
        /// The path.
        path: PathBuf,
        /// The name of the parameter in SQLCipher's terms.
        parameter: &'static str,
    },

    /// The caller's progress function cancelled the rekey.
    #[error("the rekey was cancelled; the file keeps its old key")]
    Cancelled,

    /// The new key could not be derived.
    #[error("cannot change the key: {source}")]
    Key {
        /// The key's error.
        source: KeyError,
    },

    /// The file could not be opened a second time, or another connection changed its key.
    #[error(transparent)]
    Open {
        /// The error of opening the file.
        source: OpenError,
    },

    /// SQLite failed, and rolled back the rekey.
    #[error("cannot change the key{}: {source}", of_file(path))]
    Sqlite {
        /// The path; empty if the rekey had not begun.
        path: PathBuf,
        /// SQLite's error.
        source: SqlError,
    },

    /// The key slots of the file do not permit the change.
    #[error(transparent)]
    Slots {
        /// The error of the key slots.
        source: Box<KeySlotError>,
    },

    /// The commit failed, and the file cannot be read to find out which key it has.
    #[error(
        "the rekey of \"{path}\" failed, and the file cannot be read to find out whether it has the old key or the \
         new one; keep both, and try them when the file can be read again: {}",
        cause(source)
    )]
    Unknown {
        /// The path.
        path: PathBuf,
        /// The error of the commit.
        source: Box<RekeyError>,
    },

    /// The file has the new key, but could not be opened to read it back.
    #[error(
        "the file \"{path}\" has the new key, but could not be read back; open it with the new key, check it with \
         db.check(), and keep its last backup: {source}"
    )]
    Unopened {
        /// The path.
        path: PathBuf,
        /// The error of opening the file.
        source: Box<RekeyError>,
    },

    /// The file has the new key, but reading it back failed.
    #[error(
        "the file \"{path}\" has the new key, but reading it back failed; check the file with db.check(), and keep its \
         last backup: {source}"
    )]
    Unverified {
        /// The path.
        path: PathBuf,
        /// The error of reading the file.
        source: SqlError,
    },
}

impl RekeyError {
    /// The engine's codes that only [`RekeyError::code`] can return.
    pub const CODES: &'static [&'static str] = &[
        "STRONGROOM_IN_TRANSACTION",
        "STRONGROOM_REKEY_LAYOUT",
        "STRONGROOM_REKEY_UNVERIFIED",
        "STRONGROOM_CANCELLED",
    ];

    /// Returns the stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InTransaction => "STRONGROOM_IN_TRANSACTION",
            Self::Reading => "STRONGROOM_BUSY",
            Self::UnknownSchema { .. } => "STRONGROOM_NOT_ATTACHED",
            Self::NotEncrypted { .. } | Self::InMemory { .. } => "STRONGROOM_NOT_ENCRYPTED",
            Self::ReadOnly { .. } => "SQLITE_READONLY",
            Self::ExclusiveLocking { .. } => "SQLITE_BUSY",
            Self::Layout { .. } => "STRONGROOM_REKEY_LAYOUT",
            Self::Cancelled => "STRONGROOM_CANCELLED",
            Self::Key { source } => source.code(),
            Self::Open { source } => source.code(),
            Self::Sqlite { source, .. } => source.code(),
            Self::Slots { source } => source.code(),
            Self::Unverified { .. } | Self::Unopened { .. } | Self::Unknown { .. } => {
                "STRONGROOM_REKEY_UNVERIFIED"
            }
        }
    }
}

impl From<SqlError> for RekeyError {
    /// An error from before the first write, such as that of a closed database.
    fn from(source: SqlError) -> Self {
        Self::Sqlite { path: PathBuf::new(), source }
    }
}

/// Returns the cause of a failed commit, without the claim that the file keeps its old key.
fn cause(error: &RekeyError) -> &dyn fmt::Display {
    match error {
        RekeyError::Sqlite { source, .. } => source,
        error => error,
    }
}

/// Names the file and its key in a message, if the path is known.
fn of_file(path: &Path) -> String {
    match path.as_os_str().is_empty() {
        true => String::new(),
        false => format!(" of \"{}\", which keeps its old key", path.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The message said that the file may have either key, and then that the file keeps its old key.
    #[test]
    fn a_failed_commit_is_reported_once() {
        let failed = RekeyError::Sqlite { path: "a.db".into(), source: SqlError::Busy };
        assert!(
            failed
                .to_string()
                .starts_with("cannot change the key of \"a.db\", which keeps its old key: the ")
        );
        let error = RekeyError::Unknown { path: "a.db".into(), source: Box::new(failed) };
        assert!(error.to_string().ends_with(&format!("can be read again: {}", SqlError::Busy)), "{error}");
        let error = RekeyError::from(SqlError::Closed);
        assert!(error.to_string().starts_with("cannot change the key: the database is closed"), "{error}");
    }
}
