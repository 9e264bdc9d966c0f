//! The errors of attaching and detaching databases.

use std::path::PathBuf;

use crate::{OpenError, SqlError};

/// Why a database was not attached or detached.
///
/// The connection has the databases that it had before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttachError {
    /// The name is empty or holds a NUL.
    #[error("cannot attach a database as {name:?}: a name has at least one character and no NUL")]
    InvalidName {
        /// The name.
        name: String,
    },

    /// The name is one of a database that each connection has.
    #[error("cannot attach or detach \"{name}\": each connection has databases of the names main and temp")]
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

    /// The connection has as many attached databases as it may have.
    #[error(
        "cannot attach \"{path}\": the connection has {limit} attached databases, SQLite's limit; detach one first"
    )]
    TooMany {
        /// The path, or `:memory:`.
        path: PathBuf,
        /// The limit.
        limit: usize,
    },

    /// A transaction is open, inside which a failed call could not detach the database again.
    #[error("cannot attach \"{path}\" inside a transaction: commit it or roll it back first")]
    InTransaction {
        /// The path, or `:memory:`.
        path: PathBuf,
    },

    /// The databases of a connection must have one text encoding.
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
        /// The error of opening.
        source: OpenError,
    },

    /// The connection has no database of this name.
    #[error("no database of the name \"{name}\" is attached")]
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
    /// Every code of this engine that [`AttachError::code`] can return and no other error has.
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
