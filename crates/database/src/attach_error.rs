//! The errors of attaching and detaching databases.

use std::path::PathBuf;

use crate::{OpenError, SqlError};

/// An error of [`Database::attach`](crate::Database::attach) or [`Database::detach`](crate::Database::detach).
///
/// The connection still has exactly the databases that it had before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttachError {
    /// The name is empty or holds a NUL.
    #[error("cannot attach a database as {name:?}: a name has at least one character and no NUL")]
    InvalidName {
        /// The name.
        name: String,
    },

    /// The name is that of a database that every connection has.
    #[error(
        "cannot attach or detach \"{name}\": every connection has its own databases named main and temp; use another name"
    )]
    ReservedName {
        /// The name.
        name: String,
    },

    /// The connection has a database of this name.
    #[error(
        "cannot attach \"{path}\" as \"{name}\": a database of this name is attached; detach it or use another name"
    )]
    NameInUse {
        /// The path, or `:memory:`.
        path: PathBuf,
        /// The name.
        name: String,
    },

    /// The connection has the maximum number of attached databases.
    #[error(
        "cannot attach \"{path}\": the connection has {limit} attached databases, SQLite's limit; detach one first"
    )]
    TooMany {
        /// The path, or `:memory:`.
        path: PathBuf,
        /// The limit.
        limit: usize,
    },

    /// A transaction is open, and a failed call could not detach the database inside it.
    #[error("cannot attach \"{path}\" inside a transaction: commit it or roll it back first")]
    InTransaction {
        /// The path, or `:memory:`.
        path: PathBuf,
    },

    /// The file's text encoding differs from the main database's. All databases of a connection must have one encoding.
    #[error(
        "cannot attach \"{path}\": its text encoding differs from that of the main database; open it on its own and copy \
         its rows"
    )]
    Encoding {
        /// The path.
        path: PathBuf,
    },

    /// The file could not be opened, or the key does not open it.
    #[error(transparent)]
    Open {
        /// The error of opening the file.
        source: OpenError,
    },

    /// The connection has no database of this name.
    #[error("cannot detach \"{name}\": the connection has no database of this name; check the name")]
    NotAttached {
        /// The name.
        name: String,
    },

    /// A transaction or a running statement uses the database.
    #[error(
        "cannot detach \"{name}\": a transaction or a statement uses the database; end the transaction, and read the \
         statement to its end or reset it"
    )]
    InUse {
        /// The name.
        name: String,
    },

    /// SQLite failed, or the main database is closed.
    #[error(transparent)]
    Sql {
        /// The error.
        source: SqlError,
    },
}

impl AttachError {
    /// The engine's codes that only [`AttachError::code`] can return.
    pub const CODES: &'static [&'static str] = &[
        "STRONGROOM_ATTACH_NAME",
        "STRONGROOM_ATTACH_LIMIT",
        "STRONGROOM_ATTACH_ENCODING",
        "STRONGROOM_NOT_ATTACHED",
    ];

    /// Returns the stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidName { .. } | Self::ReservedName { .. } | Self::NameInUse { .. } => {
                "STRONGROOM_ATTACH_NAME"
            }
            Self::TooMany { .. } => "STRONGROOM_ATTACH_LIMIT",
            Self::InTransaction { .. } => "STRONGROOM_IN_TRANSACTION",
            Self::Encoding { .. } => "STRONGROOM_ATTACH_ENCODING",
            Self::Open { source } => source.code(),
            Self::NotAttached { .. } => "STRONGROOM_NOT_ATTACHED",
            Self::InUse { .. } => "SQLITE_LOCKED",
            Self::Sql { source } => source.code(),
        }
    }
}

impl From<OpenError> for AttachError {
    fn from(source: OpenError) -> Self {
        Self::Open { source }
    }
}

impl From<SqlError> for AttachError {
    fn from(source: SqlError) -> Self {
        Self::Sql { source }
    }
}
