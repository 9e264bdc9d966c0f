//! The key slots of a file in the Strongroom format, each of which wraps the file's data key for one key.
//!
//! The slots are in the header, outside SQLite's pages and transactions. A change takes the header's own lock, so that
//! other connections read and write meanwhile.

mod error;
mod rotate;

use std::ffi::CString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use strongroom_format::{Header, NewSlot, Slot, SlotError, UnlockError, Unlocked};
use strongroom_keys::{Format, Key, KeyError, SlotId};
use vendored_sys::sqlite;

pub use self::error::KeySlotError;
pub use self::rotate::{Rotated, Rotation, RotationOptions};

use crate::cipher::Cipher;
use crate::open::path_of;
use crate::seam::{Core, Failure, HeaderChange};
use crate::strongroom::FormatFailure;
use crate::{Database, OpenError, SqlError};

/// A change of a key slot.
#[derive(Clone, Copy, Debug, Default)]
pub struct SlotChange<'a> {
    /// The new key, or `None` to keep the key.
    pub key: Option<&'a Key>,
    /// The new label, `Some(None)` for no label, or `None` to keep the label.
    pub label: Option<Option<&'a str>>,
}

impl Database {
    /// Returns the key slots of the database `schema`, as the file has them now.
    ///
    /// # Errors
    ///
    /// [`KeySlotError`].
    pub fn key_slots(&self, schema: &str) -> Result<Vec<Slot>, KeySlotError> {
        let file = SlotFile::of(self, schema)?;
        slots_of(&file.current()?, &file.path)
    }

    /// Adds a key slot, and returns it. The new key then opens the file too.
    ///
    /// The call derives the key first, then changes the header under the header's own lock. The call waits for other
    /// changes of the header for at most the busy timeout.
    ///
    /// # Errors
    ///
    /// [`KeySlotError`].
    pub fn add_key_slot(&self, schema: &str, key: &Key, label: Option<&str>) -> Result<Slot, KeySlotError> {
        let file = SlotFile::of(self, schema)?;
        file.require_writable(self)?;
        let new = file.derive(key)?;
        let mut id = None;
        let changed = file.change(|current| {
            let (changed, added) = current.with_slot_added(&new, label)?;
            id = Some(added);
            Ok(changed)
        })?;
        find(&slots_of(&changed, &file.path)?, id).ok_or_else(|| file.failed(vanished()))
    }

    /// Removes a key slot, and returns it. Its key no longer opens the file.
    ///
    /// Anyone who has the key and an older copy of the header still opens the file, until [`Database::rotate`] gives it a
    /// new data key.
    ///
    /// # Errors
    ///
    /// [`KeySlotError`].
    pub fn remove_key_slot(&self, schema: &str, id: SlotId) -> Result<Slot, KeySlotError> {
        let file = SlotFile::of(self, schema)?;
        file.require_writable(self)?;
        let mut before = None;
        file.change(|current| {
            before = Some(current.slots().map_err(|source| SlotError::Format { source })?);
            current.with_slot_removed(id)
        })?;
        find(&before.unwrap_or_default(), Some(id)).ok_or_else(|| file.failed(vanished()))
    }

    /// Changes the key or the label of a slot, and returns the slot, which keeps its id.
    ///
    /// # Errors
    ///
    /// [`KeySlotError`].
    pub fn change_key_slot(
        &self,
        schema: &str,
        id: SlotId,
        change: &SlotChange<'_>,
    ) -> Result<Slot, KeySlotError> {
        let file = SlotFile::of(self, schema)?;
        file.require_writable(self)?;
        let new = change.key.map(|key| file.derive(key)).transpose()?;
        let changed = file.change(|current| current.with_slot_changed(id, new.as_ref(), change.label))?;
        find(&slots_of(&changed, &file.path)?, Some(id)).ok_or_else(|| file.failed(vanished()))
    }
}

/// The open file of a database in the Strongroom format.
pub(crate) struct SlotFile<'c> {
    core: &'c Core,
    name: CString,
    path: PathBuf,
    unlocked: Arc<Unlocked>,
}

impl<'c> SlotFile<'c> {
    fn of(database: &'c Database, schema: &str) -> Result<Self, KeySlotError> {
        let core = &database.session.core;
        if !database.is_open() {
            return Err(SqlError::Closed.into());
        }
        let name = CString::new(schema).ok().filter(|name| core.is_attached(name));
        let Some(name) = name else { return Err(KeySlotError::UnknownSchema { schema: schema.to_owned() }) };
        let Some(path) = core.file_name(&name) else {
            return Err(KeySlotError::InMemory { schema: schema.to_owned() });
        };
        let path = path_of(&path);
        let cipher = Cipher::of(core, &name).map_err(|failure| not_changed(&path, failure))?;
        let unlocked = cipher.as_ref().and_then(|cipher| cipher.unlocked().cloned());
        let Some(unlocked) = unlocked else {
            let (found, remedy) = match cipher {
                Some(_) => ("in SQLCipher's format, which has one key", "migrate"),
                None => ("not encrypted", "encrypt"),
            };
            return Err(KeySlotError::OtherFormat { path, found, remedy });
        };
        Ok(Self::new(core, name, path, unlocked))
    }

    pub(crate) fn new(core: &'c Core, name: CString, path: PathBuf, unlocked: Arc<Unlocked>) -> Self {
        Self { core, name, path, unlocked }
    }

    fn require_writable(&self, database: &Database) -> Result<(), KeySlotError> {
        if database.in_transaction() {
            return Err(KeySlotError::InTransaction);
        }
        if self.core.is_read_only(&self.name) || self.core.is_query_only() {
            return Err(KeySlotError::ReadOnly { path: self.path.clone() });
        }
        self.require_unmoved()
    }

    pub(crate) fn require_unmoved(&self) -> Result<(), KeySlotError> {
        if self.core.has_moved(&self.name) {
            let message =
                "another file has replaced the file: close the database, and open it again".to_owned();
            let code = sqlite::SQLITE_READONLY_DBMOVED;
            return Err(not_changed(&self.path, Failure::Sqlite { code, message }));
        }
        Ok(())
    }

    /// Derives the key of a new slot, which takes time and memory for a passphrase. Nothing is locked yet.
    pub(crate) fn derive(&self, key: &Key) -> Result<NewSlot, KeySlotError> {
        if key.format() == Some(Format::SqlCipher) {
            return Err(KeySlotError::Key { source: KeyError::Parameter { parameter: "format" } });
        }
        if let Some(parameter) = key.parameters().first_of_sqlcipher() {
            return Err(KeySlotError::Key { source: KeyError::Parameter { parameter } });
        }
        NewSlot::derive(key).map_err(|source| self.unusable(FormatFailure::Create(source)))
    }

    /// Returns the file's keys with the slots that the file has now.
    fn current(&self) -> Result<Unlocked, KeySlotError> {
        let found = self.core.on_disk(&self.name).map_err(|failure| self.failed(failure))?;
        let found = found.ok_or_else(|| self.failed(vanished()))?;
        self.unlock(&found.start)
    }

    fn unlock(&self, start: &[u8]) -> Result<Unlocked, KeySlotError> {
        let header = Header::read(start).map_err(|error| self.unusable(FormatFailure::Header(error)))?;
        header.unlock_again(&self.unlocked).map_err(|error| self.unusable(FormatFailure::Unlock(error)))
    }

    /// Changes the header. Afterwards the connection has the new header and, if its own slot has changed, the new key.
    pub(crate) fn change(
        &self,
        change: impl FnOnce(&Unlocked) -> Result<Unlocked, SlotError>,
    ) -> Result<Arc<Unlocked>, KeySlotError> {
        let mut changed = None;
        let written = self.core.change_header(&self.name, |found| {
            // Another connection may have changed the header since this connection read it.
            let current = self.unlock(&found.start)?;
            let new =
                change(&current).map_err(|source| KeySlotError::Slot { path: self.path.clone(), source })?;
            let bytes = (new.copy_bytes().to_vec(), new.write_order());
            changed = Some(Arc::new(new));
            Ok::<_, KeySlotError>(bytes)
        });
        let written = written.map_err(|failure| self.failed(failure))?;
        let written = written.ok_or_else(|| self.failed(vanished()))??;
        let changed: Arc<Unlocked> = changed.ok_or_else(|| self.failed(vanished()))?;
        let path = self.path.clone();
        if !matches!(written, HeaderChange::Unknown(_)) {
            self.core.exchange_unlocked(&self.name, Arc::clone(&changed));
        }
        match written {
            HeaderChange::Both => Ok(changed),
            HeaderChange::One(failure) => {
                Err(KeySlotError::OneCopy { path, source: SqlError::from_failure(failure) })
            }
            HeaderChange::Unknown(failure) => {
                Err(KeySlotError::Unknown { path, source: SqlError::from_failure(failure) })
            }
        }
    }

    fn failed(&self, failure: Failure) -> KeySlotError {
        not_changed(&self.path, failure)
    }

    fn unusable(&self, failure: FormatFailure) -> KeySlotError {
        let path = self.path.clone();
        KeySlotError::Open {
            source: match failure {
                // The slot of this connection's key has gone.
                FormatFailure::Unlock(UnlockError::WrongKey | UnlockError::NoSlot { .. }) => {
                    OpenError::KeyChanged { path }
                }
                failure => failure.into_open_error(path),
            },
        }
    }
}

fn slots_of(unlocked: &Unlocked, path: &Path) -> Result<Vec<Slot>, KeySlotError> {
    unlocked.slots().map_err(|source| KeySlotError::Open {
        source: FormatFailure::Create(source).into_open_error(path.to_owned()),
    })
}

fn find(slots: &[Slot], id: Option<SlotId>) -> Option<Slot> {
    slots.iter().find(|slot| Some(slot.id) == id).cloned()
}

fn not_changed(path: &Path, failure: Failure) -> KeySlotError {
    KeySlotError::Sqlite { path: path.to_owned(), source: SqlError::from_failure(failure) }
}

/// Returns the failure for a database that has lost its file, because it was detached meanwhile.
fn vanished() -> Failure {
    Failure::Sqlite { code: sqlite::SQLITE_MISUSE, message: "the database has no file".to_owned() }
}
