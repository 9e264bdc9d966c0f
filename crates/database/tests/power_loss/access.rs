//! The formats and keys of files.

use std::fmt;
use std::path::Path;

use strongroom_database::{AttachKey, AttachOptions, Database, Location, OpenError, OpenOptions};
use strongroom_keys::{CipherParameters, Format, Key};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum FileFormat {
    Plain,
    SqlCipher,
    Strongroom,
}

pub(crate) const FORMATS: [FileFormat; 3] =
    [FileFormat::Plain, FileFormat::SqlCipher, FileFormat::Strongroom];

impl fmt::Display for FileFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Plain => "plain",
            Self::SqlCipher => "SQLCipher",
            Self::Strongroom => "Strongroom",
        })
    }
}

/// What opens a file: its format, and the number of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) format: FileFormat,
    pub(crate) key: u8,
}

impl Access {
    /// The accesses to plain files are the same.
    pub(crate) fn new(format: FileFormat, key: u8) -> Self {
        Self { format, key: if format == FileFormat::Plain { 0 } else { key } }
    }

    /// Returns the key, or `None` for a plain file. Every key is raw: deriving a key from a passphrase would be slow.
    pub(crate) fn key(self, page_size: Option<u32>) -> Option<Key> {
        let format = match self.format {
            FileFormat::Plain => return None,
            FileFormat::SqlCipher => Format::SqlCipher,
            FileFormat::Strongroom => Format::Strongroom,
        };
        let parameters = CipherParameters { page_size, ..CipherParameters::default() };
        let key = Key::raw(&[self.key; 32]).unwrap().with_cipher(parameters).unwrap();
        Some(key.with_format(format).unwrap())
    }

    pub(crate) fn open(self, path: &Path, page_size: Option<u32>) -> Result<Database, OpenError> {
        let options = OpenOptions::default();
        match self.key(page_size) {
            Some(key) => Database::open(Location::File(path), &key, &options),
            None => {
                let database = Database::open_unencrypted(Location::File(path), &options)?;
                if let Some(size) = page_size {
                    // Has an effect on a new file only.
                    let _ = database.execute_batch(&format!("PRAGMA page_size = {size}"));
                }
                Ok(database)
            }
        }
    }

    pub(crate) fn attach(
        self,
        database: &Database,
        path: &Path,
        name: &str,
        page_size: Option<u32>,
    ) -> Result<(), String> {
        let key = self.key(page_size);
        let attach_key = key.as_ref().map_or(AttachKey::Plain, AttachKey::Key);
        let options = AttachOptions { key: attach_key, ..AttachOptions::default() };
        database.attach(Location::File(path), name, &options).map_err(|error| error.to_string())?;
        if let (None, Some(size)) = (&key, page_size) {
            let _ = database.execute_batch(&format!("PRAGMA {name}.page_size = {size}"));
        }
        Ok(())
    }
}
