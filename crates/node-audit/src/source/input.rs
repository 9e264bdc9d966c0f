//! Determines the kind of file that a path leads to.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::error::AuditError;
use crate::format::ArchiveFormat;
use crate::limits::MAX_FILE;
use crate::printable::display_path;

/// The extensions of archives.
const ARCHIVE_ENDINGS: [&str; 3] = [".tgz", ".tar.gz", ".tar"];

/// The kind of file that a given path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Input {
    Addon,
    Archive,
    Folder,
}

impl Input {
    pub(super) fn of(path: &Path) -> Result<Input, AuditError> {
        let file = || display_path(path);
        let metadata =
            std::fs::metadata(path).map_err(|source| AuditError::Unreadable { file: file(), source })?;
        if metadata.is_dir() {
            return Ok(Input::Folder);
        }
        // Opening a named pipe may block forever. The job reports the kind of file.
        if !metadata.is_file() || path.extension().is_some_and(|extension| extension == "node") {
            return Ok(Input::Addon);
        }
        let start = start(path)?;
        let is_named_archive = ARCHIVE_ENDINGS.iter().any(|end| path.to_string_lossy().ends_with(end));
        match (ArchiveFormat::of(&start), is_named_archive) {
            (Some(_), _) => Ok(Input::Archive),
            (None, false) => Ok(Input::Addon),
            (None, true) => Err(not_an_archive(path, &start)),
        }
    }
}

/// Returns the error for a file that begins with these bytes and should be an archive.
pub(super) fn not_an_archive(path: &Path, start: &[u8]) -> AuditError {
    let damage = if start.is_empty() { "the file is empty" } else { "the file is neither gzip nor tar" };
    AuditError::Archive { file: display_path(path), damage: damage.to_owned() }
}

/// Returns whether Node opens the file at a path as an addon.
pub(super) fn is_addon(path: &str) -> bool {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.len() > ".node".len() && file.ends_with(".node")
}

/// Returns the folder of an archive's entry.
pub(super) fn folder_of(entry: &str) -> &str {
    entry.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Reads the first block of a file.
pub(super) fn start(path: &Path) -> Result<Vec<u8>, AuditError> {
    let mut start = Vec::new();
    File::open(path)
        .and_then(|file| file.take(ArchiveFormat::START).read_to_end(&mut start))
        .map_err(|source| AuditError::Unreadable { file: display_path(path), source })?;
    Ok(start)
}

/// Reads a whole file of at most [`MAX_FILE`] bytes.
pub(super) fn content(path: &Path) -> Result<Vec<u8>, AuditError> {
    content_up_to(path, MAX_FILE)?.ok_or_else(|| AuditError::TooLarge { file: display_path(path) })
}

/// Reads a whole file; None if it has more bytes than `limit`.
pub(super) fn content_up_to(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, AuditError> {
    let file = || display_path(path);
    let unreadable = |source| AuditError::Unreadable { file: display_path(path), source };
    // Opening a named pipe waits for its other end, so the function first checks the kind of file.
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if metadata.is_dir() {
        return Err(AuditError::Directory { file: file() });
    }
    if !metadata.is_file() {
        return Err(AuditError::Special { file: file() });
    }
    if metadata.len() > limit {
        return Ok(None);
    }
    let mut content = Vec::new();
    // A vector that grows on demand takes up to twice the memory.
    let length = usize::try_from(metadata.len()).unwrap_or_default();
    content.try_reserve_exact(length).map_err(|error| unreadable(error.into()))?;
    // Reads one byte more than the limit, since the file may have grown meanwhile.
    File::open(path).and_then(|open| open.take(limit + 1).read_to_end(&mut content)).map_err(unreadable)?;
    Ok((content.len() as u64 <= limit).then_some(content))
}
