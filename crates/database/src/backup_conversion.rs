//! The second part of a backup to another key: a conversion of the copied pages, on any thread.

use std::fmt;
use std::ops::ControlFlow;
use std::path::Path;

use strongroom_keys::Key;

use crate::backup_file::BackupFile;
use crate::backup_target::target_failure;
use crate::cipher::Cipher;
use crate::convert::{self, convert};
use crate::open::{MAIN, Opened};
use crate::seam::{Core, Failure};
use crate::temporary_file::{TemporaryFile, connect};
use crate::{
    BackupError, BackupKey, BackupProgress, Location, MigrateError, OpenError, OpenOptions, Progress,
    SqlError,
};

/// The inputs of a conversion, kept from the start of the backup.
pub(crate) struct Conversion {
    /// Keeps other processes from mistaking the copy, which the conversion writes last, for a leftover.
    _lock: Opened,
    /// The file of the pages, which are encrypted in the same way as the source. `None` if the pages are in memory, because
    /// the source is plain and in memory.
    pages: Option<TemporaryFile>,
    /// The source's cipher, with which the pages are encrypted.
    pub(crate) cipher: Option<Cipher>,
    /// The key of the copy, or `None` for a plain one.
    key: Option<Key>,
}

impl Conversion {
    /// Creates the file of the pages, unless they are in memory.
    pub(crate) fn create(
        file: &BackupFile,
        encrypted: bool,
        source_file: Option<&Path>,
        key: BackupKey,
    ) -> Result<Self, BackupError> {
        let lock = connect(file.given(), file.temporary())?;
        lock.core.lock_file().map_err(|failure| target_failure(file, failure))?;
        let pages = match (encrypted, source_file) {
            (true, _) => Some(file.create_pages(None)?),
            // Plaintext is written only to the folder of the source, which already holds it.
            (false, Some(source)) => Some(file.create_pages(Some(source))?),
            (false, None) => None,
        };
        let key = match key {
            BackupKey::Key(key) => Some(key),
            BackupKey::Plain | BackupKey::Source => None,
        };
        Ok(Self { _lock: lock, pages, cipher: None, key })
    }

    /// Returns the location of the pages.
    pub(crate) fn location(&self) -> Location<'_> {
        self.pages.as_ref().map_or(Location::Image(&[]), |pages| Location::File(pages.path()))
    }

    /// Turns the complete pages into a form that another thread can read.
    pub(crate) fn read(self, target: &Core) -> Result<CopiedPages, Failure> {
        let place = match self.pages {
            Some(file) => Place::File(file),
            None => Place::Memory(target.stored_bytes()?),
        };
        Ok(CopiedPages { place, cipher: self.cipher, key: self.key })
    }
}

/// A complete copy in its temporary file. Dropping this value removes the file.
pub struct CopiedBackup {
    pub(crate) file: BackupFile,
    pub(crate) conversion: Option<CopiedPages>,
}

impl fmt::Debug for CopiedBackup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CopiedBackup").field("file", &self.file).finish_non_exhaustive()
    }
}

/// Pages to convert.
pub(crate) struct CopiedPages {
    place: Place,
    cipher: Option<Cipher>,
    key: Option<Key>,
}

enum Place {
    File(TemporaryFile),
    Memory(Vec<u8>),
}

impl CopiedBackup {
    /// Converts the copy to another key if necessary, writes it to the disk, and renames it to its target.
    ///
    /// `report` is called during a conversion, and cancels it by returning `Break`.
    ///
    /// # Errors
    ///
    /// [`BackupError`]. The target is unchanged, except after [`BackupError::Unsynced`].
    pub fn install(
        self,
        mut report: impl FnMut(BackupProgress) -> ControlFlow<()>,
    ) -> Result<(), BackupError> {
        if let Some(pages) = self.conversion {
            let given = self.file.given();
            let converted = pages.convert(given, self.file.temporary(), &mut |Progress { done, total }| {
                // The steps have already copied the pages, which are half of `total`.
                report(BackupProgress {
                    total_pages: total + total / 2,
                    remaining_pages: total - done,
                    waiting: false,
                    copied: true,
                })
            });
            converted.map_err(|error| match error {
                MigrateError::Cancelled { .. } => BackupError::Cancelled { path: given.to_owned() },
                source => BackupError::Convert { path: given.to_owned(), source: Box::new(source) },
            })?;
        }
        self.file.install()
    }
}

impl CopiedPages {
    fn convert(
        self,
        path: &Path,
        target: &Path,
        report: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<(), MigrateError> {
        let location = match &self.place {
            Place::File(file) => Location::File(file.path()),
            Place::Memory(bytes) => Location::Image(bytes),
        };
        let mut source = Opened::connect(location, &OpenOptions::default())?;
        if let Place::File(file) = &self.place
            && !file.is_in_place()
        {
            return Err(MigrateError::InUse { path: file.path().to_owned() });
        }
        if let Some(cipher) = &self.cipher {
            cipher.apply(&source.core, MAIN).map_err(|failure| OpenError::Sqlite {
                path: path.to_owned(),
                source: SqlError::from_failure(failure),
            })?;
            source.page_size = cipher.parameters.page_size;
        }
        let encryption = convert::Encryption::of(self.key.as_ref());
        let conversion = convert::Conversion { source: &source, path, target, encryption };
        convert(&conversion, report).map(|_| ())
        // The connection is closed before the file of the pages is removed.
    }
}
