//! The errors of converting a database.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use vendored_sys::sqlite;

use crate::seam::Failure;
use crate::{OpenError, SqlError, result_codes};

/// An error of [`migrate`](crate::migrate). The file is unchanged, except after [`MigrateError::Unsynced`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrateError {
    /// The file, or its copy, could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),

    /// Another connection has the file open.
    #[error(
        "cannot convert \"{path}\": another connection has the file open; close every connection to it, in this process \
         and in others, and try again"
    )]
    InUse {
        /// The file.
        path: PathBuf,
    },

    /// The caller cancelled the conversion.
    #[error("the conversion of \"{path}\" was cancelled; the file is as it was")]
    Cancelled {
        /// The file.
        path: PathBuf,
    },

    /// The file is encrypted, but no key was given.
    #[error(
        "cannot convert \"{path}\": the file is encrypted, or is not a database; convert an encrypted file with Database.migrate(), whose option `from` takes the current key"
    )]
    Encrypted {
        /// The file.
        path: PathBuf,
    },

    /// The file is plain, but a key was given for it.
    #[error(
        "cannot convert \"{path}\": the file is not encrypted, but a current key was given; omit the current key, or \
         leave the file as it is"
    )]
    NotEncrypted {
        /// The file.
        path: PathBuf,
    },

    /// The file holds no database, encrypted or plain.
    #[error("cannot convert \"{path}\": the file of {length} bytes is not a database; check the path")]
    NotADatabase {
        /// The file.
        path: PathBuf,
        /// The length of the file in bytes.
        length: u64,
    },

    /// The file is empty.
    #[error(
        "cannot convert \"{path}\": the file is empty, so nothing can be converted; open it with the key that it \
         should have"
    )]
    EmptyFile {
        /// The file.
        path: PathBuf,
    },

    /// The path names something that is neither a file nor a folder.
    #[error("cannot convert \"{path}\": the path is not a regular file; name the file of a database")]
    NotAFile {
        /// The path.
        path: PathBuf,
    },

    /// The operating system forbids writing the file.
    #[error("cannot convert \"{path}\": the file is read-only; make it writable first")]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },

    /// The path at which to keep the original exists.
    #[error(
        "cannot keep the original of \"{path}\" as \"{keep}\": the path exists; name a path that does not exist"
    )]
    KeepExists {
        /// The file.
        path: PathBuf,
        /// The path for the original.
        keep: PathBuf,
    },

    /// The name for the original is reserved: SQLite or this engine would remove or apply a file of that name.
    #[error(
        "cannot keep the original of \"{path}\" as \"{keep}\": SQLite or Strongroom would remove or apply a file whose \
         name ends in \"{ending}\"; use another name"
    )]
    KeepName {
        /// The file.
        path: PathBuf,
        /// The path for the original.
        keep: PathBuf,
        /// The ending of the name.
        ending: &'static str,
    },

    /// The folder of the path at which to keep the original does not exist.
    #[error(
        "cannot keep the original of \"{path}\" as \"{keep}\": the folder \"{directory}\" does not exist; create it first"
    )]
    KeepDirectory {
        /// The file.
        path: PathBuf,
        /// The path for the original.
        keep: PathBuf,
        /// The folder.
        directory: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },

    /// The file of the copy exists and is not empty.
    #[error(
        "cannot write the copy \"{path}\": the file exists and is not empty; remove it, or name another path"
    )]
    TargetExists {
        /// The file of the copy.
        path: PathBuf,
    },

    /// The disk is full.
    #[error(
        "cannot convert \"{path}\": the disk is full; the copy needs as much space as the file; free some space and try again"
    )]
    Full {
        /// The file.
        path: PathBuf,
        /// The operating system's error, if the system itself reported one.
        source: Option<io::Error>,
    },

    /// The operating system failed a step.
    #[error("cannot {step} \"{path}\": {source}")]
    System {
        /// The step, such as `rename the copy to`.
        step: &'static str,
        /// The path.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },

    /// The file is converted, but the folder of its new name could not be synced.
    #[error(
        "\"{path}\" is converted, but its folder could not be synced ({source}): a loss of power may restore the \
         original; check the disk before you discard the old key"
    )]
    Unsynced {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },

    /// The schema uses a function or a collation of the application.
    #[error(
        "cannot convert \"{path}\": \"{name}\" uses a function or a collation that only the application defines \
         ({source}); drop the index, or recreate the table without the function or collation, convert the file, then \
         restore the definition"
    )]
    MissingFunction {
        /// The file.
        path: PathBuf,
        /// The table or the index.
        name: String,
        /// SQLite's error.
        source: SqlError,
    },

    /// SQLite refused to create or to copy a table or an index.
    #[error("cannot convert \"{path}\": \"{name}\" cannot be copied: {source}")]
    Table {
        /// The file.
        path: PathBuf,
        /// The table or the index.
        name: String,
        /// SQLite's error.
        source: SqlError,
    },

    /// The copy differs from the original.
    #[error(
        "cannot convert \"{path}\": the copy differs from the original in \"{what}\"; the copy was discarded; check the \
         file for damage"
    )]
    Different {
        /// The file.
        path: PathBuf,
        /// The table, or the part of the database.
        what: String,
    },

    /// SQLite failed.
    #[error("cannot convert \"{path}\": {source}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// SQLite's error.
        source: SqlError,
    },
}

impl MigrateError {
    /// The engine's codes that only [`MigrateError::code`] can return; the other codes are SQLite's and those of
    /// [`OpenError`] and [`RekeyError`](crate::RekeyError).
    pub const CODES: &'static [&'static str] = &[
        "STRONGROOM_ENCRYPTED",
        "STRONGROOM_EMPTY_FILE",
        "STRONGROOM_EXISTS",
        "STRONGROOM_RESERVED_NAME",
        "STRONGROOM_MISSING_FUNCTION",
        "STRONGROOM_COPY_DIFFERS",
    ];

    /// Returns the stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Open(error) => error.code(),
            Self::InUse { .. } => "STRONGROOM_IN_USE",
            Self::Cancelled { .. } => "STRONGROOM_CANCELLED",
            Self::Encrypted { .. } => "STRONGROOM_ENCRYPTED",
            Self::NotEncrypted { .. } => "STRONGROOM_NOT_ENCRYPTED",
            Self::NotADatabase { .. } => "SQLITE_NOTADB",
            Self::EmptyFile { .. } => "STRONGROOM_EMPTY_FILE",
            Self::NotAFile { .. } | Self::KeepDirectory { .. } => "SQLITE_CANTOPEN",
            Self::ReadOnly { .. } => "SQLITE_READONLY",
            Self::KeepExists { .. } | Self::TargetExists { .. } => "STRONGROOM_EXISTS",
            Self::KeepName { .. } => "STRONGROOM_RESERVED_NAME",
            Self::Full { .. } => "SQLITE_FULL",
            Self::System { source, .. } => result_codes::of_system(source),
            Self::Unsynced { .. } => "STRONGROOM_REKEY_UNVERIFIED",
            Self::MissingFunction { .. } => "STRONGROOM_MISSING_FUNCTION",
            Self::Different { .. } => "STRONGROOM_COPY_DIFFERS",
            Self::Table { source, .. } | Self::Sqlite { source, .. } => source.code(),
        }
    }

    /// Returns the error for a key that does not open the file. `path` is the path as given.
    pub(crate) fn key(path: &Path, error: OpenError) -> Self {
        match error {
            OpenError::NotEncrypted { .. } => Self::NotEncrypted { path: path.to_owned() },
            error => error.into(),
        }
    }

    /// Returns the error for a step that the operating system failed. `file` is the database being converted.
    pub(crate) fn system(file: &Path, step: &'static str, path: &Path, source: io::Error) -> Self {
        match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                Self::Full { path: file.to_owned(), source: Some(source) }
            }
            _ => Self::System { step, path: path.to_owned(), source },
        }
    }

    /// Returns the error for a failure of SQLite during the conversion of `file`.
    pub(crate) fn sqlite(file: &Path, failure: Failure) -> Self {
        let path = file.to_owned();
        match failure {
            Failure::Sqlite { code, .. } if code & 0xff == sqlite::SQLITE_INTERRUPT => {
                Self::Cancelled { path }
            }
            Failure::Sqlite { code, .. } if code & 0xff == sqlite::SQLITE_FULL => {
                Self::Full { path, source: None }
            }
            failure => Self::Sqlite { path, source: SqlError::from_failure(failure) },
        }
    }

    /// Returns the error for a table or index `name` that SQLite failed to create or copy.
    pub(crate) fn table(file: &Path, name: &str, failure: Failure) -> Self {
        let (path, name) = (file.to_owned(), name.to_owned());
        match failure {
            Failure::Sqlite { code, message } if is_missing_function(&message) => {
                let source = SqlError::Sqlite { code: result_codes::name(code), message };
                Self::MissingFunction { path, name, source }
            }
            failure => match Self::sqlite(file, failure) {
                Self::Sqlite { path, source } => Self::Table { path, name, source },
                other => other,
            },
        }
    }
}

/// Returns whether SQLite's message names a function or a collation that the connection lacks.
fn is_missing_function(message: &str) -> bool {
    ["no such function", "no such collation sequence", "unknown function"]
        .iter()
        .any(|start| message.starts_with(start))
}
