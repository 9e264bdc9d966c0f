//! Loads extensions.

use std::ffi::CString;
use std::path::{Path, PathBuf};

use vendored_sys::sqlite;

use crate::library_header::{HERE, LibraryHeader};
use crate::seam::{Failure, try_library};
use crate::{Database, ExtensionError, SqlError};

/// The start of SQLite's message for an extension whose initialisation failed.
const REFUSED: &str = "error during initialization: ";

/// The suffix that SQLite appends to a path that fails to load.
const SUFFIX: &str = if cfg!(windows) {
    "dll"
} else if cfg!(target_vendor = "apple") {
    "dylib"
} else {
    "so"
};

impl Database {
    /// Loads an SQLite extension into this connection, with its functions and virtual tables.
    ///
    /// The operating system finds the library: a path with a separator is relative to the current folder; a bare name is
    /// searched for in the system's library folders. If the path does not load, SQLite tries the path with the system's
    /// suffix (`.so`, `.dylib`, `.dll`). Without `entry`, SQLite calls `sqlite3_extension_init`, or the function named
    /// after the file: `sqlite3_vec_init` for `vec0.so`.
    ///
    /// An extension is native code that can do anything that the process can. SQL cannot load extensions:
    /// `load_extension()` is refused, even while an extension loads.
    ///
    /// # Errors
    ///
    /// [`ExtensionError`].
    pub fn load_extension(&self, path: &str, entry: Option<&str>) -> Result<(), ExtensionError> {
        if path.is_empty() {
            return Err(ExtensionError::EmptyPath);
        }
        let nul = |what| move |_| ExtensionError::Nul { what };
        let path_c = CString::new(path).map_err(nul("path"))?;
        let entry_c = entry.map(CString::new).transpose().map_err(nul("entry point"))?;
        let loaded = self.session.core.load_extension(&path_c, entry_c.as_deref());
        // The extension may have created tables.
        self.session.schema_may_differ();
        loaded.map_err(|failure| match failure {
            Failure::Sqlite { code: sqlite::SQLITE_ERROR, message } => not_loaded(path, entry, message),
            failure => ExtensionError::Sql { source: SqlError::from_failure(failure) },
        })
    }
}

/// Inspects the file to find why an extension did not load.
#[cold]
fn not_loaded(path: &str, entry: Option<&str>, message: String) -> ExtensionError {
    if let Some(message) = message.strip_prefix(REFUSED) {
        let message = if message.is_empty() { "an error without a message" } else { message };
        return ExtensionError::Refused { path: path.into(), message: message.to_owned() };
    }
    let with_suffix = PathBuf::from(format!("{path}.{SUFFIX}"));
    let given = Path::new(path);
    let tried = [given, &with_suffix];
    // The system searches for a bare name in folders that only the system knows.
    let found = tried.into_iter().find(|file| file.is_file());
    let (file, name) = match found {
        Some(file) => (file, CString::new(file.to_string_lossy().as_bytes())),
        None if given.is_dir() => return ExtensionError::Directory { path: path.into() },
        None if path.contains(std::path::is_separator) => {
            return ExtensionError::Missing { path: path.into(), with_suffix };
        }
        None => (given, CString::new(path)),
    };
    let failed = name.ok().map_or(Some(message), |name| try_library(&name));
    let file = file.to_owned();
    match (failed, entry) {
        (Some(message), _) => match LibraryHeader::read(&file) {
            Some(LibraryHeader::Other) => ExtensionError::NotALibrary { path: file, message },
            Some(LibraryHeader::Library(built_for)) if built_for != HERE => {
                ExtensionError::OtherMachine { path: file, built_for, here: HERE }
            }
            _ => ExtensionError::Loader { path: file, message },
        },
        (None, Some(entry)) => ExtensionError::NoEntryPoint { path: file, entry: entry.to_owned() },
        (None, None) => ExtensionError::NoDefaultEntryPoint { path: file },
    }
}
