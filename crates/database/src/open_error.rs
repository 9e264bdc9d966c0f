//! What can go wrong while a database is opened.

use std::io;
use std::path::PathBuf;

/// Why a database could not be opened or created.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A path without a character.
    #[error("the path is empty: name a file, or ask for a database in memory")]
    EmptyPath,

    /// A path with a NUL in it, at which the operating system would stop reading.
    #[error("the path holds a NUL character: a shorter path than the one that was given would be opened")]
    NulInPath,

    /// A path that SQLite cannot be told, because it is not Unicode. On Windows only.
    #[error("the path \"{path}\" is not valid Unicode: SQLite cannot open it")]
    PathEncoding {
        /// The path.
        path: PathBuf,
    },

    /// The directory of the file does not exist.
    #[error("there is no directory \"{directory}\" for the database \"{path}\": create it first")]
    MissingDirectory {
        /// The path.
        path: PathBuf,
        /// Its directory.
        directory: PathBuf,
    },

    /// The file does not exist, and was not to be created.
    #[error("there is no database \"{path}\", and it must exist: check the path, or allow creating it")]
    MissingFile {
        /// The path.
        path: PathBuf,
    },

    /// The path names a directory.
    #[error("\"{path}\" is a directory: name a file in it")]
    Directory {
        /// The path.
        path: PathBuf,
    },

    /// The operating system does not allow it.
    #[error("no permission to open \"{path}\": check the rights of the file and of its directory")]
    Permission {
        /// The path.
        path: PathBuf,
        /// The operating system's own account of it.
        source: io::Error,
    },

    /// The operating system cannot open the file for another reason.
    #[error("\"{path}\" cannot be opened: {message}")]
    System {
        /// The path.
        path: PathBuf,
        /// SQLite's name of the extended result code.
        code: &'static str,
        /// SQLite's message.
        message: String,
        /// The operating system's own account of it, where there is one.
        source: Option<io::Error>,
    },

    /// The key does not open the file.
    ///
    /// Bytes do not tell a wrong key from a damaged first page, nor from a file of random content.
    #[error(
        "the key does not open \"{path}\": it is wrong, or the file was written with other cipher parameters, \
         or its first page is damaged"
    )]
    WrongKey {
        /// The path.
        path: PathBuf,
    },

    /// The file is a plain SQLite database, and a key was given.
    #[error(
        "\"{path}\" is not encrypted, and a key was given: open it unencrypted, or export it into an encrypted file"
    )]
    NotEncrypted {
        /// The path.
        path: PathBuf,
    },

    /// The file is no database: its length is none that a database of this key can have.
    #[error(
        "\"{path}\" is no database of this key: {length} bytes are no whole number of pages; it is something else, \
         or cut off, or was written with other cipher parameters"
    )]
    NotADatabase {
        /// The path.
        path: PathBuf,
        /// The length of the file in bytes.
        length: u64,
    },

    /// The file is an encrypted database whose end is missing.
    #[error(
        "\"{path}\" is cut off: {length} bytes of {expected} are there; restore it from a copy, what is here is left as it is"
    )]
    Truncated {
        /// The path.
        path: PathBuf,
        /// The length of the file in bytes.
        length: u64,
        /// The length that the database says it has.
        expected: u64,
    },

    /// The key is right, and what the database says of itself does not fit the file.
    #[error(
        "\"{path}\" is damaged or cut off ({message}): restore it from a copy, what is here is left as it is"
    )]
    Damaged {
        /// The path.
        path: PathBuf,
        /// SQLite's message.
        message: String,
    },

    /// SQLite could not read or prepare the database.
    #[error("\"{path}\" cannot be used: {message}")]
    Sqlite {
        /// The path, or `:memory:`.
        path: PathBuf,
        /// SQLite's name of the extended result code.
        code: &'static str,
        /// SQLite's message.
        message: String,
    },

    /// A library of C that did not get ready.
    #[error("the database library did not get ready")]
    Init {
        /// What vendored-sys says of it.
        source: vendored_sys::InitError,
    },
}

impl OpenError {
    /// Every code of this engine's own that [`OpenError::code`] can answer, but for `STRONGROOM_INIT`, which is
    /// `KeyError`'s as well; the others are SQLite's.
    pub const CODES: &'static [&'static str] = &[
        "STRONGROOM_EMPTY_PATH",
        "STRONGROOM_NUL_IN_PATH",
        "STRONGROOM_PATH_ENCODING",
        "STRONGROOM_WRONG_KEY",
        "STRONGROOM_NOT_ENCRYPTED",
        "STRONGROOM_TRUNCATED",
    ];

    /// The stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::EmptyPath => "STRONGROOM_EMPTY_PATH",
            Self::NulInPath => "STRONGROOM_NUL_IN_PATH",
            Self::PathEncoding { .. } => "STRONGROOM_PATH_ENCODING",
            Self::MissingDirectory { .. } | Self::MissingFile { .. } => "SQLITE_CANTOPEN",
            Self::Directory { .. } => "SQLITE_CANTOPEN_ISDIR",
            Self::Permission { .. } => "SQLITE_PERM",
            Self::System { code, .. } | Self::Sqlite { code, .. } => code,
            Self::WrongKey { .. } => "STRONGROOM_WRONG_KEY",
            Self::NotEncrypted { .. } => "STRONGROOM_NOT_ENCRYPTED",
            Self::NotADatabase { .. } => "SQLITE_NOTADB",
            Self::Damaged { .. } => "SQLITE_CORRUPT",
            Self::Truncated { .. } => "STRONGROOM_TRUNCATED",
            Self::Init { .. } => "STRONGROOM_INIT",
        }
    }
}
