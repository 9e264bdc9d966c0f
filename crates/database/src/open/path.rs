//! The paths of databases, in the form of SQLite and in the form of the operating system.

use std::ffi::{CStr, CString};
use std::path::{Path, PathBuf};

use super::{Location, MAIN};
use crate::OpenError;
use crate::seam::Core;

/// Returns the path for messages, or a name for an in-memory database.
pub(crate) fn path_or_memory(location: Location<'_>) -> PathBuf {
    match location {
        Location::File(path) => path.to_owned(),
        Location::Memory => PathBuf::from(":memory:"),
        Location::Image(_) => PathBuf::from("the image"),
    }
}

/// Returns the path of a connection's main database, for messages.
pub(crate) fn file_of(core: &Core) -> PathBuf {
    core.file_name(MAIN).map_or_else(|| PathBuf::from(":memory:"), |name| path_of(&name))
}

/// Turns a path into the form that SQLite takes.
pub(crate) fn c_path(location: Location<'_>) -> Result<CString, OpenError> {
    let Location::File(path) = location else { return Ok(c":memory:".to_owned()) };
    if path.as_os_str().is_empty() {
        return Err(OpenError::EmptyPath);
    }
    let bytes = path_bytes(path)?;
    // Names that start with a colon have a special meaning for SQLite; names that start with a folder do not.
    let bytes = match bytes.starts_with(b":") {
        true => [b"./", &*bytes].concat(),
        false => bytes,
    };
    let path_c = CString::new(bytes).map_err(|_| OpenError::NulInPath)?;
    // SQLite opens a folder without an error; only the first read fails.
    match path.is_dir() {
        true => Err(OpenError::Directory { path: path.to_owned() }),
        false => Ok(path_c),
    }
}

#[cfg(unix)]
fn path_bytes(path: &Path) -> Result<Vec<u8>, OpenError> {
    use std::os::unix::ffi::OsStrExt;
    Ok(path.as_os_str().as_bytes().to_vec())
}

/// Converts a path from SQLite's form.
#[cfg(unix)]
pub(crate) fn path_of(name: &CStr) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(std::ffi::OsStr::from_bytes(name.to_bytes()))
}

/// Converts a path from SQLite's form.
#[cfg(not(unix))]
pub(crate) fn path_of(name: &CStr) -> PathBuf {
    PathBuf::from(&*name.to_string_lossy())
}

#[cfg(not(unix))]
fn path_bytes(path: &Path) -> Result<Vec<u8>, OpenError> {
    match path.to_str() {
        Some(text) => Ok(text.as_bytes().to_vec()),
        None => Err(OpenError::PathEncoding { path: path.to_owned() }),
    }
}
