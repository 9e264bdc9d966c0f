//! The errors of reading and changing key slots.

use std::path::PathBuf;

use strongroom_format::SlotError;
use strongroom_keys::KeyError;

use crate::{MigrateError, OpenError, SqlError};

/// An error of reading or changing the key slots of a file.
///
/// Except after [`KeySlotError::OneCopy`] and [`KeySlotError::Unknown`], the file keeps its slots.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeySlotError {
    /// The connection has no database of this name.
    #[error("the connection has no database \"{schema}\" whose key slots could be used: attach it first")]
    UnknownSchema {
        /// The name.
        schema: String,
    },

    /// The file has another format.
    #[error(
        "\"{path}\" has no key slots, because it is {found}: only files in the Strongroom format have key slots; convert the \
         file with Database.{remedy}() and format: 'strongroom'"
    )]
    OtherFormat {
        /// The path.
        path: PathBuf,
        /// The format of the file.
        found: &'static str,
        /// The method that converts the file.
        remedy: &'static str,
    },

    /// The database is in memory.
    #[error("the database \"{schema}\" has no key slots, because it is in memory: only a file has key slots")]
    InMemory {
        /// The name of the database.
        schema: String,
    },

    /// The connection has a transaction open, which could not undo a change of the key slots.
    #[error(
        "cannot change the key slots inside a transaction, because a rollback could not undo the change: commit the \
         transaction or roll it back first"
    )]
    InTransaction,

    /// A statement of the connection reads from the database.
    #[error(
        "cannot rotate the data key while a statement of this connection reads: finish or reset it first"
    )]
    Reading,

    /// The connection may not write to the file.
    #[error("cannot change the key slots of \"{path}\": the database is open read-only; open it for writing")]
    ReadOnly {
        /// The path.
        path: PathBuf,
    },

    /// The slots do not permit the change.
    #[error("cannot change the key slots of \"{path}\": {source}")]
    Slot {
        /// The path.
        path: PathBuf,
        /// The reason.
        source: SlotError,
    },

    /// The new key does not fit the format.
    #[error("cannot change the key slots: {source}")]
    Key {
        /// The key's error.
        source: KeyError,
    },

    /// The slot of this connection's key has gone, or the header is damaged.
    #[error(transparent)]
    Open {
        /// The error that opening the file would have.
        source: OpenError,
    },

    /// The header could not be read or written.
    #[error("cannot use the key slots of \"{path}\", which are unchanged: {source}")]
    Sqlite {
        /// The path; empty for a closed database.
        path: PathBuf,
        /// SQLite's error.
        source: SqlError,
    },

    /// The change is in effect, but only one of the two copies of the header could be written.
    #[error(
        "the key slots of \"{path}\" have changed, but only one of the two copies of the header could be written; repeat the \
         change, which writes both, or change another slot: {source}"
    )]
    OneCopy {
        /// The path.
        path: PathBuf,
        /// SQLite's error.
        source: SqlError,
    },

    /// The header could neither be written nor restored.
    #[error(
        "the change of the key slots of \"{path}\" failed, and the header could not be restored: the file has either the old \
         slots or the new ones; list them, and keep both keys until then: {source}"
    )]
    Unknown {
        /// The path.
        path: PathBuf,
        /// SQLite's error.
        source: SqlError,
    },

    /// Rewriting the file with a new data key failed.
    #[error("cannot rotate the data key: {source}")]
    Rewrite {
        /// The error of the conversion.
        source: MigrateError,
    },
}

impl KeySlotError {
    /// The engine's codes that only [`KeySlotError::code`] can return.
    pub const CODES: &'static [&'static str] = &[
        "STRONGROOM_NO_SLOTS",
        "STRONGROOM_DUPLICATE_SLOT",
        "STRONGROOM_SLOTS_FULL",
        "STRONGROOM_LAST_GENERATION",
        "STRONGROOM_LAST_SLOT",
        "STRONGROOM_UNKNOWN_SLOT",
        "STRONGROOM_SLOT_LABEL",
        "STRONGROOM_SLOT_SECRETS",
        "STRONGROOM_HEADER_UNVERIFIED",
    ];

    /// Returns the stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownSchema { .. } => "STRONGROOM_NOT_ATTACHED",
            Self::OtherFormat { .. } | Self::InMemory { .. } => "STRONGROOM_NO_SLOTS",
            Self::InTransaction => "STRONGROOM_IN_TRANSACTION",
            Self::Reading => "STRONGROOM_BUSY",
            Self::ReadOnly { .. } => "SQLITE_READONLY",
            Self::Slot { source, .. } => source.code(),
            Self::Key { source } => source.code(),
            Self::Open { source } => source.code(),
            Self::Sqlite { source, .. } => source.code(),
            Self::OneCopy { .. } | Self::Unknown { .. } => "STRONGROOM_HEADER_UNVERIFIED",
            Self::Rewrite { source } => source.code(),
        }
    }
}

impl From<SqlError> for KeySlotError {
    /// An error from before the first read, such as that of a closed database.
    fn from(source: SqlError) -> Self {
        Self::Sqlite { path: PathBuf::new(), source }
    }
}
