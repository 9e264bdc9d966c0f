//! What can go wrong with a statement.

use std::ffi::c_int;

use vendored_sys::sqlite;

use crate::codes;
use crate::seam::Failure;

/// Why a statement, a transaction or a database that is open could not do what was asked.
///
/// Messages hold neither keys nor the values of rows. Where a statement holds a key and SQLite's message might quote a
/// part of it, the message says so instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SqlError {
    /// SQLite refused.
    #[error("{message}")]
    Sqlite {
        /// SQLite's name of the extended result code.
        code: &'static str,
        /// SQLite's message.
        message: String,
    },

    /// The first read of a file found no database in it: it is encrypted, or something else.
    #[error(
        "the file is encrypted or is no database: if it is encrypted, open it with its key, \
         or set the right key before the first statement"
    )]
    NotADatabase,

    /// A page does not have the content that was written.
    #[error(
        "a page of the encrypted database fails its authentication: the file is damaged, cut off or was tampered with; \
         close it and restore a copy"
    )]
    PageAuthentication,

    /// The database was closed.
    #[error("the database is closed: open it again, and prepare the statement again")]
    Closed,

    /// The database cannot be closed, because it is in use on an outer frame.
    #[error("the database is in use by a row or a call that has not ended: finish it first")]
    Busy,

    /// More than one statement where one was expected.
    #[error("the SQL holds more than one statement: prepare each by itself, or execute them as a batch")]
    MultipleStatements,

    /// Nothing but blanks and comments.
    #[error("the SQL holds no statement")]
    NoStatement,

    /// A NUL character, at which SQLite would stop reading.
    #[error("the SQL holds a NUL character at byte {offset}: SQLite would ignore what follows")]
    NulInSql {
        /// Its position, in bytes.
        offset: usize,
    },

    /// A parameter that the statement does not have.
    #[error("parameter {index} does not exist: the statement has {count}, counted from 1")]
    ParameterIndex {
        /// The index that was given.
        index: usize,
        /// How many parameters there are.
        count: usize,
    },

    /// A value or an SQL text over SQLite's limit.
    #[error("{length} bytes are more than SQLite's limit of {limit}")]
    TooBig {
        /// The length that was given, in bytes.
        length: usize,
        /// The limit, in bytes.
        limit: usize,
    },

    /// Text that is not UTF-8.
    #[error("the text for parameter {index} is not valid UTF-8: bind it as a blob, or convert it")]
    InvalidUtf8 {
        /// The parameter.
        index: usize,
    },

    /// A parameter was bound while the statement was between two rows.
    #[error("the statement is running: reset it before binding parameter {index}")]
    Running {
        /// The parameter.
        index: usize,
    },
}

impl SqlError {
    /// Every code of this engine's own that [`SqlError::code`] can answer; the others are SQLite's.
    pub const CODES: &'static [&'static str] = &[
        "STRONGROOM_CLOSED",
        "STRONGROOM_BUSY",
        "STRONGROOM_MULTIPLE_STATEMENTS",
        "STRONGROOM_NO_STATEMENT",
        "STRONGROOM_NUL_IN_SQL",
        "STRONGROOM_INVALID_UTF8",
    ];

    /// The stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Sqlite { code, .. } => code,
            Self::NotADatabase => "SQLITE_NOTADB",
            Self::PageAuthentication => "SQLITE_CORRUPT",
            Self::Closed => "STRONGROOM_CLOSED",
            Self::Busy => "STRONGROOM_BUSY",
            Self::MultipleStatements => "STRONGROOM_MULTIPLE_STATEMENTS",
            Self::NoStatement => "STRONGROOM_NO_STATEMENT",
            Self::NulInSql { .. } => "STRONGROOM_NUL_IN_SQL",
            Self::ParameterIndex { .. } => "SQLITE_RANGE",
            Self::TooBig { .. } => "SQLITE_TOOBIG",
            Self::InvalidUtf8 { .. } => "STRONGROOM_INVALID_UTF8",
            Self::Running { .. } => "SQLITE_MISUSE",
        }
    }

    /// What SQLite reported while it ran a statement.
    pub(crate) fn from_failure(failure: Failure) -> Self {
        match failure {
            Failure::Closed => Self::Closed,
            Failure::Busy => Self::Busy,
            Failure::Sqlite { code, .. } if code & 0xff == sqlite::SQLITE_NOTADB => Self::NotADatabase,
            Failure::Sqlite { code, message } => Self::Sqlite { code: codes::name(code), message },
        }
    }

    /// What SQLite reported while it parsed a statement that holds a key: its message may quote any part of the text.
    pub(crate) fn withheld(failure: Failure) -> Self {
        match failure {
            Failure::Sqlite { code, message } if message.starts_with(KEY_REFUSED) => Self::Sqlite {
                code: codes::name(code),
                message: "SQLCipher refused the key: it is empty, or PRAGMA rekey was run on a database that is not \
                          encrypted, which ATTACH ... KEY and sqlcipher_export encrypt"
                    .to_owned(),
            },
            Failure::Sqlite { code, .. } if code & 0xff != sqlite::SQLITE_NOTADB => {
                Self::Sqlite { code: codes::name(code), message: withheld_message(code) }
            }
            other => Self::from_failure(other),
        }
    }
}

/// How SQLCipher's own message begins, which quotes nothing.
const KEY_REFUSED: &str = "An error occurred with PRAGMA key or rekey";

fn withheld_message(code: c_int) -> String {
    let general = match code & 0xff {
        sqlite::SQLITE_ERROR => "it cannot be parsed",
        sqlite::SQLITE_BUSY | sqlite::SQLITE_LOCKED => "the database is locked",
        _ => "it cannot be prepared",
    };
    format!(
        "{general}: a statement that holds a key, so that SQLite's message, which may quote it, is withheld"
    )
}
