//! The errors of opening a file, from the failures of SQLite and of the operating system.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::{Location, OpenOptions, path_or_memory};
use crate::result_codes;
use crate::seam::{Failure, OpenFailure};
use crate::{OpenError, SqlError};

/// Returns the error for a file that the operating system failed to open.
pub(crate) fn cannot_open(location: Location<'_>, options: &OpenOptions, failure: OpenFailure) -> OpenError {
    let OpenFailure { code, message, cause } = failure;
    let code = result_codes::name(code);
    let Location::File(path) = location else {
        return OpenError::Sqlite {
            path: path_or_memory(location),
            source: SqlError::Sqlite { code, message },
        };
    };
    let path = path.to_owned();
    // No system call fails when SQLite refuses a path with too many symbolic links, so the recorded error belongs to an
    // unrelated call.
    let found = fs::metadata(&path).err().filter(|error| error.kind() != ErrorKind::NotFound);
    match found.or(cause) {
        Some(source) if source.kind() == ErrorKind::PermissionDenied => {
            OpenError::Permission { path, source }
        }
        Some(source) if matches!(source.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            let directory = match path.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
                _ => PathBuf::from("."),
            };
            if let Some(file) = file_above(&path) {
                OpenError::FileAsDirectory { path, file, source }
            } else if !directory.is_dir() {
                OpenError::MissingDirectory { path, directory, source }
            } else if options.must_exist || options.read_only {
                OpenError::MissingFile { path, source }
            } else {
                not_created(path, code, message, source)
            }
        }
        source => OpenError::System { path, code, message, source },
    }
}

/// Returns the nearest existing ancestor of a path if that ancestor is a file, not a folder.
fn file_above(path: &Path) -> Option<PathBuf> {
    let nearest = path.ancestors().skip(1).find(|above| above.exists())?;
    (!nearest.is_dir()).then(|| nearest.to_owned())
}

/// Returns the error for a file that SQLite could not create. SQLite then tries to read the file, and reports it as
/// missing.
fn not_created(path: PathBuf, code: &'static str, message: String, missing: io::Error) -> OpenError {
    match File::options().write(true).create_new(true).open(&path) {
        Err(source) if source.kind() == ErrorKind::PermissionDenied => OpenError::Permission { path, source },
        // A dangling link exists, although its target does not.
        Err(source) if source.kind() == ErrorKind::AlreadyExists => {
            OpenError::System { path, code, message, source: Some(missing) }
        }
        Err(source) => OpenError::System { path, code, message, source: Some(source) },
        Ok(_) => OpenError::System { path, code, message, source: None },
    }
}

pub(crate) fn cannot_use(location: Location<'_>, failure: Failure) -> OpenError {
    let source = match failure {
        Failure::Sqlite { code, message } => SqlError::Sqlite { code: result_codes::name(code), message },
        Failure::Closed | Failure::Busy | Failure::Callback(_) => {
            SqlError::Sqlite { code: "SQLITE_MISUSE", message: "the connection is not open".to_owned() }
        }
    };
    OpenError::Sqlite { path: path_or_memory(location), source }
}
