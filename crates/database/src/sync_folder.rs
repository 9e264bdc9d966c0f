//! Makes the names in a folder survive a loss of power.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;

/// Writes the names in a folder to the disk. Windows writes names with its journal, and cannot open a folder as a file.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(windows) {
        return Ok(());
    }
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // Some network file systems cannot sync a folder, and a folder may be writable but not readable.
        Err(source)
            if !matches!(
                source.kind(),
                ErrorKind::InvalidInput | ErrorKind::Unsupported | ErrorKind::PermissionDenied
            ) =>
        {
            Err(source)
        }
        _ => Ok(()),
    }
}

/// Returns the folder of a file.
pub(crate) fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) => Path::new("."),
        None => Path::new("/"),
    }
}
