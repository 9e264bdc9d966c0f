//! The file, the key and the options of a database that a thread opens.

use std::path::{self, PathBuf};
use std::time::Duration;

use strongroom_database::{Database, Location, OpenOptions};
use strongroom_keys::Key;
use zeroize::Zeroizing;

use crate::database::NativeOpenOptions;
use crate::error::Outcome;
use crate::key::NativeKey;

/// A database to open.
pub(crate) struct Source {
    place: Place,
    key: Option<Key>,
    pub(crate) options: OpenOptions,
}

enum Place {
    File(PathBuf),
    Memory,
    Image(Zeroizing<Vec<u8>>),
}

impl Source {
    /// Copies the options of JavaScript.
    pub(crate) fn read(options: &NativeOpenOptions) -> Outcome<Self> {
        let place = match (&options.path, &options.image) {
            (Some(path), _) => Place::File(absolute(path.into())),
            (None, Some(image)) => Place::Image(Zeroizing::new(image.to_vec())),
            (None, None) => Place::Memory,
        };
        let key = options.key.as_ref().map(NativeKey::key).transpose()?.flatten();
        let options = OpenOptions {
            read_only: options.readonly,
            must_exist: options.must_exist,
            busy_timeout: Duration::from_millis(options.timeout.into()),
        };
        Ok(Self { place, key, options })
    }

    /// Opens the database.
    pub(crate) fn open(self) -> Outcome<Database> {
        let location = match &self.place {
            Place::File(path) => Location::File(path),
            Place::Memory => Location::Memory,
            Place::Image(bytes) => Location::Image(bytes),
        };
        Ok(match &self.key {
            Some(key) => Database::open(location, key, &self.options)?,
            None => Database::open_unencrypted(location, &self.options)?,
        })
    }
}

/// Returns the path from the root: the program may change its current folder before a thread uses the path.
pub(crate) fn absolute(path: PathBuf) -> PathBuf {
    // Without a current folder, the thread fails with the operating system's error.
    path::absolute(&path).unwrap_or(path)
}
