//! The errors of opening a database.

use std::io;
use std::path::PathBuf;

use strongroom_format::UnlockError;
use strongroom_keys::KeyError;

use crate::SqlError;

/// An error of [`Database::open`](crate::Database::open) or
/// [`Database::open_unencrypted`](crate::Database::open_unencrypted).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The path is empty.
    #[error("cannot open a database: the path is empty; name a file, or open an in-memory database")]
    EmptyPath,

    /// The path holds a NUL, at which the operating system would stop reading.
    #[error(
        "cannot open a database: the path holds a NUL character, at which the operating system stops reading; remove \
         the character"
    )]
    NulInPath,

    /// SQLite cannot take the path, because the path is not valid Unicode. Occurs only on Windows.
    #[error("cannot open \"{path}\": the path is not valid Unicode, which SQLite requires; rename the file")]
    PathEncoding {
        /// The path.
        path: PathBuf,
    },

    /// The folder of the file does not exist.
    #[error("cannot open \"{path}\": the folder \"{directory}\" does not exist; create it first")]
    MissingDirectory {
        /// The path.
        path: PathBuf,
        /// The folder of the file.
        directory: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },

    /// The path uses a file as if the file were a folder.
    #[error("cannot open \"{path}\": \"{file}\" is a file, not a folder; check the path")]
    FileAsDirectory {
        /// The path.
        path: PathBuf,
        /// The part of the path that is a file.
        file: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },

    /// The file does not exist, and the options forbid creating it.
    #[error("cannot open \"{path}\": the file does not exist; check the path")]
    MissingFile {
        /// The path.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },

    /// The path names a folder.
    #[error("cannot open \"{path}\": the path is a folder; name a file inside it")]
    Directory {
        /// The path.
        path: PathBuf,
    },

    /// Another thread converts the file.
    #[error(
        "cannot open \"{path}\": the file is being converted to another key; wait until the conversion ends"
    )]
    InUse {
        /// The path.
        path: PathBuf,
    },

    /// The operating system forbids opening the file.
    #[error("cannot open \"{path}\": permission denied; check the rights of the file and of its folder")]
    Permission {
        /// The path.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },

    /// The operating system cannot open the file for another reason.
    #[error("cannot open \"{path}\": {message}")]
    System {
        /// The path.
        path: PathBuf,
        /// SQLite's name of the extended result code.
        code: &'static str,
        /// SQLite's message.
        message: String,
        /// The operating system's error, if there was one.
        source: Option<io::Error>,
    },

    /// The key does not open the file.
    ///
    /// A wrong key, a damaged first page and a file of random bytes cannot be distinguished.
    #[error(
        "cannot open \"{path}\": the key is wrong, or the file has other cipher parameters, or its first page is damaged; \
         check the key and the parameters"
    )]
    WrongKey {
        /// The path.
        path: PathBuf,
    },

    /// Another connection changed the key of a file that this connection has open.
    #[error(
        "the key that opened \"{path}\" has been changed or removed since: close the database, and open it with a present key"
    )]
    KeyChanged {
        /// The path.
        path: PathBuf,
    },

    /// The key opens no key slot of a file in the Strongroom format.
    #[error("cannot open \"{path}\": {reason}; check the key")]
    WrongSlotKey {
        /// The path.
        path: PathBuf,
        /// The reason, which the message contains.
        reason: UnlockError,
    },

    /// The file is in the Strongroom format, but no key was given.
    #[error(
        "cannot open \"{path}\": the file is encrypted, in the Strongroom format; pass its key or its passphrase"
    )]
    KeyRequired {
        /// The path.
        path: PathBuf,
    },

    /// The file has another format than the key.
    #[error(
        "cannot open \"{path}\": its format is {found}, and the key is for the format \"{wanted}\"; open the file in its own \
         format, or convert it with Database.migrate() or Database.encrypt()"
    )]
    OtherFormat {
        /// The path.
        path: PathBuf,
        /// The key's format.
        wanted: &'static str,
        /// The file's format.
        found: &'static str,
    },

    /// The header of a file in the Strongroom format is damaged, or was changed without the file's key.
    #[error("cannot open \"{path}\": {source} (nothing was written to it)")]
    DamagedHeader {
        /// The path.
        path: PathBuf,
        /// The reason.
        source: Box<dyn std::error::Error + Send + Sync>,
    },

    /// The file needs another version of Strongroom.
    #[error("cannot open \"{path}\": {source}")]
    UnsupportedFormat {
        /// The path.
        path: PathBuf,
        /// The reason.
        source: Box<dyn std::error::Error + Send + Sync>,
    },

    /// The key is right, but a page of a file in the Strongroom format is damaged.
    #[error(
        "cannot open \"{path}\": page {page} fails its authentication: the file is damaged or cut off, or was tampered with; \
         restore it from a copy (nothing was written to it)"
    )]
    DamagedPage {
        /// The path.
        path: PathBuf,
        /// The number of the page, from 1.
        page: u32,
    },

    /// The file is a plain SQLite database, but a key was given.
    #[error(
        "cannot open \"{path}\" with a key: the file is not encrypted; open it without a key, or encrypt it with \
         Database.encrypt()"
    )]
    NotEncrypted {
        /// The path.
        path: PathBuf,
    },

    /// The length of the file is not possible for a database with this key.
    #[error(
        "cannot open \"{path}\": its length, {length} bytes, is not a multiple of the page size; the file is not a \
         database, is cut off, or has other cipher parameters; check the path and the parameters"
    )]
    NotADatabase {
        /// The path.
        path: PathBuf,
        /// The length of the file in bytes.
        length: u64,
        /// SQLite's error.
        source: SqlError,
    },

    /// The file is an encrypted database that is cut off.
    #[error(
        "cannot open \"{path}\": the file is cut off at {length} of {expected} bytes; restore it from a copy (nothing \
         was written to it)"
    )]
    Truncated {
        /// The path.
        path: PathBuf,
        /// The length of the file in bytes.
        length: u64,
        /// The length that the database's header states.
        expected: u64,
    },

    /// The key is right, but the content of the database contradicts itself or the file's length.
    #[error(
        "cannot open \"{path}\": the file is damaged or cut off ({source}); restore it from a copy (nothing was written \
         to it)"
    )]
    Damaged {
        /// The path.
        path: PathBuf,
        /// SQLite's error.
        source: SqlError,
    },

    /// SQLite failed to read or to set up the database.
    #[error("cannot open \"{path}\": {source}")]
    Sqlite {
        /// The path, or `:memory:`.
        path: PathBuf,
        /// SQLite's error.
        source: SqlError,
    },

    /// The key could not be derived.
    #[error("cannot open \"{path}\": {source}")]
    Key {
        /// The path, or `:memory:`.
        path: PathBuf,
        /// The key's error.
        source: KeyError,
    },

    /// The database has no file, which a further connection could open.
    #[error(
        "cannot connect to an in-memory database again: only the connection that made it has its content"
    )]
    InMemory,

    /// A C library failed to initialise.
    #[error("{source}")]
    Init {
        /// The library's error.
        source: vendored_sys::InitError,
    },
}

impl OpenError {
    /// The engine's codes that [`OpenError::code`] can return, except `STRONGROOM_INIT`, which `KeyError` lists; the other
    /// codes are SQLite's.
    pub const CODES: &'static [&'static str] = &[
        "STRONGROOM_EMPTY_PATH",
        "STRONGROOM_NUL_IN_PATH",
        "STRONGROOM_PATH_ENCODING",
        "STRONGROOM_WRONG_KEY",
        "STRONGROOM_KEY_CHANGED",
        "STRONGROOM_NOT_ENCRYPTED",
        "STRONGROOM_TRUNCATED",
        "STRONGROOM_KEY_REQUIRED",
        "STRONGROOM_OTHER_FORMAT",
        "STRONGROOM_DAMAGED_HEADER",
        "STRONGROOM_UNSUPPORTED_FORMAT",
        "STRONGROOM_DAMAGED_PAGE",
        "STRONGROOM_IN_USE",
    ];

    /// Returns the stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::EmptyPath => "STRONGROOM_EMPTY_PATH",
            Self::NulInPath => "STRONGROOM_NUL_IN_PATH",
            Self::PathEncoding { .. } => "STRONGROOM_PATH_ENCODING",
            Self::MissingDirectory { .. } | Self::FileAsDirectory { .. } | Self::MissingFile { .. } => {
                "SQLITE_CANTOPEN"
            }
            Self::Directory { .. } => "SQLITE_CANTOPEN_ISDIR",
            Self::InUse { .. } => "STRONGROOM_IN_USE",
            Self::Permission { .. } => "SQLITE_PERM",
            Self::System { code, .. } => code,
            Self::Sqlite { source, .. } => source.code(),
            Self::WrongSlotKey { reason: reason @ UnlockError::UnknownSlot { .. }, .. } => reason.code(),
            Self::WrongKey { .. } | Self::WrongSlotKey { .. } => "STRONGROOM_WRONG_KEY",
            Self::KeyRequired { .. } => "STRONGROOM_KEY_REQUIRED",
            Self::OtherFormat { .. } => "STRONGROOM_OTHER_FORMAT",
            Self::DamagedHeader { .. } => "STRONGROOM_DAMAGED_HEADER",
            Self::UnsupportedFormat { .. } => "STRONGROOM_UNSUPPORTED_FORMAT",
            Self::DamagedPage { .. } => "STRONGROOM_DAMAGED_PAGE",
            Self::KeyChanged { .. } => "STRONGROOM_KEY_CHANGED",
            Self::NotEncrypted { .. } => "STRONGROOM_NOT_ENCRYPTED",
            Self::NotADatabase { .. } => "SQLITE_NOTADB",
            Self::Damaged { .. } => "SQLITE_CORRUPT",
            Self::Truncated { .. } => "STRONGROOM_TRUNCATED",
            Self::Key { source, .. } => source.code(),
            Self::InMemory => "SQLITE_MISUSE",
            Self::Init { .. } => "STRONGROOM_INIT",
        }
    }
}
