//! The errors of an open database.

use std::ffi::c_int;
use std::path::PathBuf;

use strongroom_codec::CodecError;
use vendored_sys::sqlite;

use crate::CallbackError;
use crate::result_codes;
use crate::seam::Failure;

/// An error of a statement, a transaction or an open database.
///
/// Messages hold neither keys nor the values of rows. If a statement holds a key, its error withholds SQLite's message,
/// which may quote part of the key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SqlError {
    /// SQLite reported an error.
    #[error("{message}")]
    Sqlite {
        /// SQLite's name of the extended result code.
        code: &'static str,
        /// SQLite's message.
        message: String,
    },

    /// A function of this engine failed, such as `zstd_decompress`.
    #[error("{function}: {source}")]
    Function {
        /// The function's name in SQL.
        function: &'static str,
        /// The codec's error.
        source: CodecError,
    },

    /// A function, an aggregate or a virtual table of the caller failed.
    #[error("{source}")]
    Callback {
        /// The caller's error.
        source: CallbackError,
    },

    /// The first read of a file found no plain database: the file is encrypted, or not a database.
    #[error(
        "the file is encrypted or not a database: open an encrypted file with its key, or set the key before the first \
         statement"
    )]
    NotADatabase,

    /// VACUUM or an ATTACH without KEY failed: the main database is plain, but its pages have room for a cipher, and
    /// SQLCipher then attaches no database without a key.
    #[error(
        "cannot vacuum this plain database, or attach a database to it without KEY: its pages have room for a cipher, \
         like the pages of an image of an encrypted database; copy it with backup() and plain: true, and use the copy"
    )]
    RoomForCipher,

    /// A page differs from the page that was written.
    #[error(
        "a page of the encrypted database fails its authentication: the file is damaged or cut off, or was tampered \
         with; close the database and restore a copy"
    )]
    PageAuthentication,

    /// Another connection changed the key of the file.
    #[error(
        "the key that opened \"{path}\" has been changed or removed since: close the database, and open it with a present key"
    )]
    KeyChanged {
        /// The path.
        path: PathBuf,
    },

    /// The SQL runs one of SQLCipher's pragmas that can destroy a file or hide its key.
    #[error("PRAGMA {pragma} is refused, because {why}: {instead}")]
    RefusedPragma {
        /// The pragma.
        pragma: &'static str,
        /// The reason.
        why: &'static str,
        /// The call to use instead of the pragma.
        instead: &'static str,
    },

    /// The SQL attaches a database, and the main database is in the Strongroom format.
    #[error("ATTACH is refused, because {why}: {instead}")]
    RefusedAttach {
        /// The reason.
        why: &'static str,
        /// The call to use instead.
        instead: &'static str,
    },

    /// The SQL begins or ends a transaction, inside a transaction that its owner begins and ends.
    #[error(
        "BEGIN, COMMIT, END and ROLLBACK are refused inside a transaction that its owner ends: let the owner commit it or roll it back"
    )]
    TransactionBounds,

    /// The SQL vacuums an attached database into a file, which would get another encryption.
    #[error(
        "VACUUM {schema} INTO is refused, because SQLite would encrypt the file like the main database, or not at all: use \
         db.backup(path, {{ attached: \"{schema}\" }})"
    )]
    RefusedVacuumInto {
        /// The name of the attached database.
        schema: String,
    },

    /// A page of a file in the Strongroom format differs from the page that was written.
    #[error(
        "page {page} of \"{path}\" fails its authentication: the file is damaged or cut off, or was tampered with; close the \
         database and restore a copy"
    )]
    DamagedPage {
        /// The path.
        path: PathBuf,
        /// The number of the page, from 1.
        page: u32,
    },

    /// The trace stopped the statement before it ran.
    #[error("the trace function stopped the statement before it ran")]
    TraceStopped,

    /// The SQL is an UPDATE or a DELETE with ORDER BY or LIMIT, which SQLCipher's parser does not support.
    #[error("UPDATE and DELETE cannot have ORDER BY or LIMIT here: write {rewrite}")]
    LimitedChange {
        /// An equivalent statement.
        rewrite: &'static str,
    },

    /// The database is closed.
    #[error("the database is closed: open it again, and prepare the statement again")]
    Closed,

    /// The database cannot be closed, because an outer frame uses it.
    #[error("the database is in use: finish the open row or the running call first")]
    Busy,

    /// The SQL holds more than the one expected statement.
    #[error(
        "the SQL holds more than one statement: prepare each statement on its own, or run them as a batch"
    )]
    MultipleStatements,

    /// The SQL holds only blanks and comments.
    #[error("the SQL holds no statement, only blanks or comments: pass one statement")]
    NoStatement,

    /// The SQL holds a NUL character, at which SQLite would stop reading.
    #[error(
        "the SQL holds a NUL character at byte {offset}, and SQLite would ignore the text after it: remove the \
         character, or bind the value as a parameter"
    )]
    NulInSql {
        /// The position of the NUL, in bytes.
        offset: usize,
    },

    /// The name of a function is longer than SQLite allows.
    #[error("the function's name has {length} bytes: use a name of at most 255 bytes, SQLite's limit")]
    LongFunctionName {
        /// The length of the name, in bytes.
        length: usize,
    },

    /// The statement has no parameter with this index.
    #[error("parameter {index} does not exist: the statement has {count} parameters, counted from 1")]
    ParameterIndex {
        /// The given index.
        index: usize,
        /// The number of parameters.
        count: usize,
    },

    /// A value exceeds SQLite's limit.
    #[error("the value has {length} bytes, more than SQLite's limit of {limit}: bind a shorter value")]
    TooBig {
        /// The length of the value, in bytes.
        length: usize,
        /// The limit, in bytes.
        limit: usize,
    },

    /// A text is not UTF-8.
    #[error("the text for parameter {index} is not valid UTF-8: bind a blob, or convert the text")]
    InvalidUtf8 {
        /// The parameter.
        index: usize,
    },

    /// A parameter was bound while the statement was between two rows.
    #[error("the statement is running: reset it before you bind parameter {index}")]
    Running {
        /// The parameter.
        index: usize,
    },
}

impl SqlError {
    /// The engine's codes that [`SqlError::code`] can return, except `STRONGROOM_KEY_CHANGED`, which `OpenError` lists, and
    /// `STRONGROOM_IN_TRANSACTION`, which `RekeyError` lists; the other codes are SQLite's.
    pub const CODES: &'static [&'static str] = &[
        "STRONGROOM_PRAGMA_REFUSED",
        "STRONGROOM_ATTACH_REFUSED",
        "STRONGROOM_VACUUM_REFUSED",
        "STRONGROOM_CLOSED",
        "STRONGROOM_BUSY",
        "STRONGROOM_MULTIPLE_STATEMENTS",
        "STRONGROOM_NO_STATEMENT",
        "STRONGROOM_NUL_IN_SQL",
        "STRONGROOM_INVALID_UTF8",
    ];

    /// Returns the stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Sqlite { code, .. } => code,
            Self::Function { .. } | Self::Callback { .. } | Self::LimitedChange { .. } => "SQLITE_ERROR",
            Self::RoomForCipher | Self::LongFunctionName { .. } => "SQLITE_MISUSE",
            Self::NotADatabase => "SQLITE_NOTADB",
            Self::PageAuthentication => "SQLITE_CORRUPT",
            Self::KeyChanged { .. } => "STRONGROOM_KEY_CHANGED",
            Self::RefusedPragma { .. } => "STRONGROOM_PRAGMA_REFUSED",
            Self::RefusedAttach { .. } => "STRONGROOM_ATTACH_REFUSED",
            Self::TransactionBounds => "STRONGROOM_IN_TRANSACTION",
            Self::RefusedVacuumInto { .. } => "STRONGROOM_VACUUM_REFUSED",
            Self::DamagedPage { .. } => "STRONGROOM_DAMAGED_PAGE",
            Self::TraceStopped => "SQLITE_ABORT",
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

    /// Returns the error for a statement that SQLite failed to run.
    pub(crate) fn from_failure(failure: Failure) -> Self {
        match failure {
            Failure::Callback(source) => Self::Callback { source },
            Failure::Closed => Self::Closed,
            Failure::Busy => Self::Busy,
            Failure::Sqlite { code, .. } if code & 0xff == sqlite::SQLITE_NOTADB => Self::NotADatabase,
            // SQLite's own failures to open a file have different codes.
            Failure::Sqlite { code: sqlite::SQLITE_MISUSE, message } if message.starts_with(NOT_ATTACHED) => {
                Self::RoomForCipher
            }
            Failure::Sqlite { code, message } => Self::Sqlite { code: result_codes::name(code), message },
        }
    }

    /// Returns the error for a statement with a key that SQLite failed to parse. SQLite's message may quote any part of the
    /// statement.
    pub(crate) fn withheld(failure: Failure) -> Self {
        match failure {
            Failure::Sqlite { code, message } if message.starts_with(KEY_REFUSED) => Self::Sqlite {
                code: result_codes::name(code),
                message: "SQLCipher refused the key: the key is empty".to_owned(),
            },
            Failure::Sqlite { code, .. } if code & 0xff != sqlite::SQLITE_NOTADB => {
                Self::Sqlite { code: result_codes::name(code), message: withheld_message(code) }
            }
            other => Self::from_failure(other),
        }
    }
}

/// The start of SQLite's message when ATTACH fails.
const NOT_ATTACHED: &str = "unable to open database: ";

/// The start of SQLCipher's own message, which quotes no SQL.
const KEY_REFUSED: &str = "An error occurred with PRAGMA key or rekey";

fn withheld_message(code: c_int) -> String {
    let general = match code & 0xff {
        sqlite::SQLITE_ERROR => "the statement cannot be parsed",
        sqlite::SQLITE_BUSY | sqlite::SQLITE_LOCKED => "the database is locked",
        _ => "the statement cannot be prepared",
    };
    format!("{general}; SQLite's message is withheld, because it may quote the key that the statement holds")
}
