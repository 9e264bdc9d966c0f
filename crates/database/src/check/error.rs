//! The errors of checking a database.

use crate::{OpenError, SqlError};

/// An error of [`Database::check`](crate::Database::check). Damage is not an error, but part of the
/// [report](crate::CheckReport).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The caller's progress function cancelled the check.
    #[error("the check was cancelled")]
    Cancelled,

    /// The connection has no database of this name.
    #[error("cannot check \"{name}\": the connection has no database of this name; attach it first")]
    NotAttached {
        /// The name.
        name: String,
    },

    /// The file could not be opened a second time, or another connection changed its key.
    #[error(transparent)]
    Open {
        /// The error of opening the file.
        source: OpenError,
    },

    /// The database is closed or locked, or SQLite failed for a reason other than damage.
    #[error(transparent)]
    Sql {
        /// The error.
        source: SqlError,
    },
}

impl CheckError {
    /// Returns the stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Cancelled => "STRONGROOM_CANCELLED",
            Self::NotAttached { .. } => "STRONGROOM_NOT_ATTACHED",
            Self::Open { source } => source.code(),
            Self::Sql { source } => source.code(),
        }
    }
}

impl From<OpenError> for CheckError {
    fn from(source: OpenError) -> Self {
        Self::Open { source }
    }
}

impl From<SqlError> for CheckError {
    fn from(source: SqlError) -> Self {
        Self::Sql { source }
    }
}
