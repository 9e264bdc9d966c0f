//! The errors of loading an extension.

use std::path::PathBuf;

use crate::SqlError;

/// An error of [`Database::load_extension`](crate::Database::load_extension).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExtensionError {
    /// The path is empty.
    #[error("cannot load an extension: the path is empty; name a library")]
    EmptyPath,

    /// The path or the name of the function holds a NUL, at which the operating system would stop reading.
    #[error(
        "cannot load an extension: the {what} holds a NUL character, at which the operating system stops reading; \
         remove the character"
    )]
    Nul {
        /// `path` or `entry point`.
        what: &'static str,
    },

    /// The library does not exist.
    #[error(
        "cannot load the extension \"{path}\": neither this file nor \"{with_suffix}\" exists; check the path"
    )]
    Missing {
        /// The path.
        path: PathBuf,
        /// The path with the suffix that libraries have on this system.
        with_suffix: PathBuf,
    },

    /// The path names a folder.
    #[error("cannot load the extension \"{path}\": the path is a folder; name the library in it")]
    Directory {
        /// The path.
        path: PathBuf,
    },

    /// The file is not a library.
    #[error("cannot load the extension \"{path}\": the file is not a library ({message}); check the path")]
    NotALibrary {
        /// The path.
        path: PathBuf,
        /// The operating system's message.
        message: String,
    },

    /// The library was built for another system or processor.
    #[error(
        "cannot load the extension \"{path}\": the library was built for {built_for}, but this process needs a library \
         for {here}; install that build of the extension"
    )]
    OtherMachine {
        /// The path.
        path: PathBuf,
        /// The system and the processor of the library.
        built_for: String,
        /// The system and the processor of this process.
        here: &'static str,
    },

    /// The operating system did not load the library.
    #[error("cannot load the extension \"{path}\": {message}")]
    Loader {
        /// The path.
        path: PathBuf,
        /// The operating system's message.
        message: String,
    },

    /// The library lacks the given entry point.
    #[error(
        "cannot load the extension \"{path}\": the library has no function \"{entry}\"; check the name of the entry point"
    )]
    NoEntryPoint {
        /// The path.
        path: PathBuf,
        /// The name.
        entry: String,
    },

    /// The library has neither of the two functions that SQLite looks for.
    #[error(
        "cannot load the extension \"{path}\": the library has neither the function \"sqlite3_extension_init\" nor the \
         function whose name SQLite derives from the file's name; pass the name of the entry point"
    )]
    NoDefaultEntryPoint {
        /// The path.
        path: PathBuf,
    },

    /// The extension's initialisation failed.
    #[error("cannot load the extension \"{path}\": the extension reports: {message}")]
    Refused {
        /// The path.
        path: PathBuf,
        /// The extension's message.
        message: String,
    },

    /// The database is closed, or memory ran out.
    #[error(transparent)]
    Sql {
        /// The error.
        source: SqlError,
    },
}

impl ExtensionError {
    /// Returns the stable code of the error. SQLite has one code for every failure of an extension.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Sql { source } => source.code(),
            _ => "SQLITE_ERROR",
        }
    }
}
