//! The errors of a backup.

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};

use strongroom_keys::KeyError;

use crate::{MigrateError, OpenError, SqlError, result_codes};

/// An error of a [`Backup`](crate::Backup). The file that the backup would replace is unchanged, except after
/// [`BackupError::Unsynced`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The path is empty.
    #[error("cannot back up: the path of the copy is empty; name a file")]
    EmptyPath,

    /// The connection has no database of this name.
    #[error("cannot back up \"{name}\": the connection has no database of this name; attach it first")]
    UnknownDatabase {
        /// The name.
        name: String,
    },

    /// The database is in memory without a key, and the main database is encrypted.
    #[error(
        "cannot back up \"{name}\" like its source: it is in memory and has no key, and the main database is encrypted; pass \
         a key, or plain: true"
    )]
    PlainInMemory {
        /// The name.
        name: String,
    },

    /// The source could not be read.
    #[error("cannot back up \"{name}\": {source}")]
    Source {
        /// The name of the database.
        name: String,
        /// The engine's error.
        source: SqlError,
    },

    /// The folder of the copy does not exist.
    #[error("cannot back up to \"{path}\": the folder \"{directory}\" does not exist; create it first")]
    MissingDirectory {
        /// The path of the copy.
        path: PathBuf,
        /// The folder of the copy.
        directory: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },

    /// The path of the copy names a folder.
    #[error("cannot back up to \"{path}\": the path is a folder; name a file inside it")]
    Directory {
        /// The path of the copy.
        path: PathBuf,
    },

    /// This connection has the file at the path of the copy open.
    #[error(
        "cannot back up to \"{path}\": this connection has the file open; name another file for the copy"
    )]
    TargetIsSource {
        /// The path of the copy.
        path: PathBuf,
    },

    /// The copy's name is reserved: SQLite or this engine would remove or apply a file of that name.
    #[error(
        "cannot back up to \"{path}\": SQLite or Strongroom would remove or apply a file whose name ends in \
         \"{ending}\"; use another name"
    )]
    TargetName {
        /// The path of the copy.
        path: PathBuf,
        /// The ending of the name.
        ending: &'static str,
    },

    /// Another connection, or another backup, uses the file.
    #[error("cannot back up to \"{path}\": the file is in use; close its connections, or name another file")]
    TargetInUse {
        /// The file.
        path: PathBuf,
    },

    /// The file that the copy would replace has a journal, which SQLite would apply to the copy.
    #[error(
        "cannot back up to \"{path}\": a process that used the existing file crashed and left \"{journal}\"; open and \
         close the existing database once, or name another file"
    )]
    TargetHasJournal {
        /// The path of the copy.
        path: PathBuf,
        /// The journal.
        journal: PathBuf,
    },

    /// The file that the copy would replace is not a database.
    #[error(
        "cannot back up to \"{path}\": the file exists and is not a database; remove it, or name another file"
    )]
    TargetNotADatabase {
        /// The path of the copy.
        path: PathBuf,
    },

    /// The operating system refused to create, write, or rename a file.
    #[error("cannot back up to \"{path}\": cannot {action} \"{file}\": {source}")]
    System {
        /// The path of the copy.
        path: PathBuf,
        /// The action that failed, such as `create`.
        action: &'static str,
        /// The file.
        file: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },

    /// The copy is complete and in place, but its folder could not be synced.
    #[error(
        "the backup to \"{path}\" is complete, but its folder could not be synced ({source}): a loss of power may undo \
         the backup; check the disk and back up again"
    )]
    Unsynced {
        /// The path of the copy.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },

    /// SQLite could not open the temporary file, or the file that the copy would replace.
    #[error("cannot back up to \"{path}\": {}", reason(source, path))]
    Open {
        /// The path of the copy.
        path: PathBuf,
        /// The engine's error.
        source: OpenError,
    },

    /// The copy's key could not be derived.
    #[error("cannot back up to \"{path}\": {source}")]
    Key {
        /// The path of the copy.
        path: PathBuf,
        /// The key's error.
        source: KeyError,
    },

    /// The caller cancelled the conversion.
    #[error("the backup to \"{path}\" was cancelled")]
    Cancelled {
        /// The path of the copy.
        path: PathBuf,
    },

    /// The conversion of the pages to the key of the copy failed.
    #[error("cannot back up to \"{path}\": {}", reason(source, path))]
    Convert {
        /// The path of the copy.
        path: PathBuf,
        /// The conversion's error.
        source: Box<MigrateError>,
    },

    /// SQLite could not write the copy.
    #[error("cannot back up to \"{path}\": {source}")]
    Target {
        /// The path of the copy.
        path: PathBuf,
        /// SQLite's error.
        source: SqlError,
    },
}

impl BackupError {
    /// The engine's codes that only [`BackupError::code`] can return.
    pub const CODES: &'static [&'static str] =
        &["STRONGROOM_TARGET_IS_SOURCE", "STRONGROOM_TARGET_HAS_JOURNAL"];

    /// Returns the stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::EmptyPath => "STRONGROOM_EMPTY_PATH",
            Self::UnknownDatabase { .. } => "STRONGROOM_NOT_ATTACHED",
            Self::PlainInMemory { .. } => "STRONGROOM_NOT_ENCRYPTED",
            Self::Source { source, .. } | Self::Target { source, .. } => source.code(),
            Self::MissingDirectory { .. } => "SQLITE_CANTOPEN",
            Self::Directory { .. } => "SQLITE_CANTOPEN_ISDIR",
            Self::TargetIsSource { .. } => "STRONGROOM_TARGET_IS_SOURCE",
            Self::TargetName { .. } => "STRONGROOM_RESERVED_NAME",
            Self::TargetInUse { .. } => "STRONGROOM_IN_USE",
            Self::TargetHasJournal { .. } => "STRONGROOM_TARGET_HAS_JOURNAL",
            Self::TargetNotADatabase { .. } => "SQLITE_NOTADB",
            Self::System { source, .. } => result_codes::of_system(source),
            Self::Unsynced { .. } => "SQLITE_IOERR_DIR_FSYNC",
            Self::Open { source, .. } => source.code(),
            Self::Key { source, .. } => source.code(),
            Self::Cancelled { .. } => "STRONGROOM_CANCELLED",
            Self::Convert { source, .. } => source.code(),
        }
    }

    pub(crate) fn system(path: &Path, action: &'static str, file: &Path, source: io::Error) -> Self {
        Self::System { path: path.to_owned(), action, file: file.to_owned(), source }
    }
}

/// Returns the message of an error, without the operation that failed if that operation concerned the same file.
fn reason(error: &impl Display, path: &Path) -> String {
    let message = error.to_string();
    let operations =
        ["open", "convert"].map(|operation| format!("cannot {operation} \"{}\": ", path.display()));
    let reason = operations.iter().find_map(|operation| message.strip_prefix(operation.as_str()));
    reason.unwrap_or(&message).to_owned()
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    /// The message named the path twice: "cannot back up to "a.db": cannot convert "a.db": the disk is full".
    #[test]
    fn a_failed_conversion_is_reported_once() {
        let error = |file: &str| BackupError::Convert {
            path: "a.db".into(),
            source: Box::new(MigrateError::Full { path: file.into(), source: None }),
        };
        let shown = error("a.db").to_string();
        assert!(shown.starts_with("cannot back up to \"a.db\": the disk is full; "), "{shown}");
        let shown = error("b.db").to_string();
        assert!(shown.starts_with("cannot back up to \"a.db\": cannot convert \"b.db\": "), "{shown}");
        assert!(error("a.db").source().is_some());
    }
}
