//! An archive, on disk or in memory, which the audit reads twice.

use std::fs::File;
use std::io::{BufReader, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::read::MultiGzDecoder;

use super::input;
use crate::error::AuditError;
use crate::format::ArchiveFormat;
use crate::printable::display_path;

/// An archive, on disk or in memory.
pub(super) enum Archive {
    Disk(PathBuf),
    Memory { name: PathBuf, content: Arc<Vec<u8>> },
}

impl Archive {
    /// Returns the path under which the audit reports the archive.
    pub(super) fn name(&self) -> &Path {
        match self {
            Archive::Disk(path) => path,
            Archive::Memory { name, .. } => name,
        }
    }

    /// Opens the archive. The returned reader decompresses the content.
    pub(super) fn open(&self) -> Result<Box<dyn Read + '_>, AuditError> {
        match self {
            Archive::Disk(path) => {
                let format = ArchiveFormat::of(&input::start(path)?);
                let unreadable = |source| AuditError::Unreadable { file: display_path(path), source };
                let file = File::open(path).map(BufReader::new).map_err(unreadable)?;
                Ok(decompressed(format, file))
            }
            Archive::Memory { name, content } => match ArchiveFormat::of(content) {
                Some(format) => Ok(decompressed(Some(format), Cursor::new(content.as_slice()))),
                None => Err(input::not_an_archive(name, content)),
            },
        }
    }
}

fn decompressed<'a>(
    format: Option<ArchiveFormat>,
    content: impl std::io::BufRead + 'a,
) -> Box<dyn Read + 'a> {
    match format {
        Some(ArchiveFormat::Gzip) => Box::new(MultiGzDecoder::new(content)),
        _ => Box::new(content),
    }
}
