//! Gives a file in the Strongroom format a new data key, by rewriting it.

use std::fmt;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use strongroom_format::{Slot, SlotError, Unlocked};
use strongroom_keys::Key;

use super::{KeySlotError, SlotFile};
use crate::cipher::CipherFailure;
use crate::convert::Encryption;
use crate::migrate::Opener;
use crate::open::MAIN;
use crate::seam::Core;
use crate::strongroom;
use crate::{Converted, Database, MigrateError, Migration, Progress, SqlError, registry};

/// The options of a rotation.
#[derive(Debug, Default)]
pub struct RotationOptions {
    /// The keys of the other slots that the new file keeps. A slot is kept with its id and its label.
    pub secrets: Vec<Key>,
    /// `true` to drop the slots whose keys are not among `secrets`.
    pub drop_others: bool,
    /// A path at which to keep the original. Nothing may exist there.
    pub keep: Option<PathBuf>,
    /// The folder to which a relative `keep` refers, or `None` for the current folder of the process.
    pub folder: Option<PathBuf>,
    /// The longest time to wait for another connection's lock.
    pub timeout: Duration,
}

/// A rotation of a file's data key that can begin once the connection is closed, on any thread.
pub struct Rotation {
    path: PathBuf,
    /// The file's keys, from the connection.
    unlocked: Arc<Unlocked>,
    options: RotationOptions,
    /// The header of the new file, and the slots that it lacks.
    new: NewHeader,
}

/// The header of the new file.
struct NewHeader {
    header: Arc<Unlocked>,
    dropped: Vec<Slot>,
    /// The generation of the header from which this one was made.
    generation: u64,
}

/// The result of a rotation.
#[derive(Clone, Debug)]
pub struct Rotated {
    /// The result of rewriting the file.
    pub converted: Converted,
    /// The slots that the new file does not have.
    pub dropped: Vec<Slot>,
}

impl fmt::Debug for Rotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rotation").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Database {
    /// Prepares a rotation of the data key of the main database's file. The rotation requires that this connection is closed
    /// first.
    ///
    /// The new file has the slot that opened this connection, and the slots that `options.secrets` open. Each secret that is
    /// a passphrase costs up to one run of Argon2id for each slot.
    ///
    /// # Errors
    ///
    /// [`KeySlotError`]; the connection stays as it is. [`SlotError::SecretsMissing`] names the slots whose keys are neither
    /// in `options.secrets` nor to be dropped.
    pub fn rotation(&self, options: RotationOptions) -> Result<Rotation, KeySlotError> {
        let file = SlotFile::of(self, "main")?;
        file.require_writable(self)?;
        if file.core.is_reading(None) {
            return Err(KeySlotError::Reading);
        }
        let others = registry::file_id(&file.path).map_or(0, |id| registry::connections(&id));
        if others > 1 {
            return Err(KeySlotError::Rewrite { source: MigrateError::InUse { path: file.path } });
        }
        options.migration(&file.path).check_keep()?;
        let current = file.current()?;
        let new = NewHeader::of(&current, &options, &file.path)?;
        Ok(Rotation { path: file.path, unlocked: Arc::new(current), options, new })
    }
}

impl RotationOptions {
    /// Returns the rotation as a conversion, without keys.
    fn migration<'a>(&'a self, path: &'a Path) -> Migration<'a> {
        Migration {
            path,
            folder: self.folder.as_deref(),
            from: None,
            to: None,
            keep: self.keep.as_deref(),
            timeout: self.timeout,
        }
    }
}

impl Rotation {
    /// Rewrites the file with a new data key, as [`migrate`](crate::migrate) does, and replaces it.
    ///
    /// No connection may have the file open. `progress` is called repeatedly, and cancels the rotation by returning `Break`.
    ///
    /// # Errors
    ///
    /// [`KeySlotError`]. The file is then unchanged, except after [`MigrateError::Unsynced`].
    pub fn run(self, progress: &mut dyn FnMut(Progress) -> ControlFlow<()>) -> Result<Rotated, KeySlotError> {
        let Self { path, unlocked, options, mut new } = self;
        let migration = options.migration(&path);
        let encryption = |core: &Core| {
            let current = strongroom::unlock_again(core, MAIN, &unlocked)
                .map_err(|failure| unusable(&path, failure))?;
            // Another process may have changed the slots before this rotation locked the file.
            if current.generation() != new.generation {
                new = NewHeader::of(&current, &options, &path)?;
            }
            Ok::<_, KeySlotError>(Encryption::Header(Arc::clone(&new.header)))
        };
        let converted = migration.run(Opener::Unlocked(&unlocked), encryption, progress)?;
        Ok(Rotated { converted, dropped: new.dropped })
    }
}

impl NewHeader {
    fn of(current: &Unlocked, options: &RotationOptions, path: &Path) -> Result<Self, KeySlotError> {
        let secrets: Vec<&Key> = options.secrets.iter().collect();
        let (header, dropped) = current
            .for_rotation(&secrets, options.drop_others)
            .map_err(|source: SlotError| KeySlotError::Slot { path: path.to_owned(), source })?;
        Ok(Self { header: Arc::new(header), dropped, generation: current.generation() })
    }
}

fn unusable(path: &Path, failure: CipherFailure) -> KeySlotError {
    match failure {
        CipherFailure::Key(source) => KeySlotError::Key { source },
        CipherFailure::Sqlite(failure) => {
            KeySlotError::Sqlite { path: path.to_owned(), source: SqlError::from_failure(failure) }
        }
        CipherFailure::Format(failure) => {
            KeySlotError::Open { source: failure.into_open_error(path.to_owned()) }
        }
    }
}

impl From<MigrateError> for KeySlotError {
    fn from(source: MigrateError) -> Self {
        Self::Rewrite { source }
    }
}
