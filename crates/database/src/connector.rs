//! Further connections to the file of an open database, without deriving its key again.

use std::fmt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use vendored_sys::sqlite;

use crate::cipher::Cipher;
use crate::open::{MAIN, Opened, cannot_use, file_of, path_of};
use crate::registry::{FileId, file_id};
use crate::seam::{Core, Failure};
use crate::session::Session;
use crate::strongroom;
use crate::{Database, Location, OpenError, OpenOptions};

/// Opens further connections to the file of a database, on any thread, with the keys that the database has when
/// [`Database::connector`] is called.
///
/// After a rekey, a new connector is needed. Attached databases, functions and the settings of the connection do not belong to
/// a connector.
pub struct Connector {
    path: PathBuf,
    /// The file's identity, so that a file which replaced it is not opened in its place.
    file: Option<FileId>,
    /// `None` for a database without a key.
    cipher: Option<Cipher>,
}

impl Database {
    /// Returns a connector for further connections to the main database's file.
    ///
    /// A database in SQLCipher's format derives the keys of a passphrase when it first reads or writes a page. This call
    /// therefore reads the first page. A file that is still empty has no salt: each connection then derives the keys itself.
    ///
    /// # Errors
    ///
    /// [`OpenError::InMemory`], and [`OpenError::Sqlite`] if the database is closed or its first page cannot be read.
    pub fn connector(&self) -> Result<Connector, OpenError> {
        let core = &self.session.core;
        let failed = |failure| cannot_use(Location::File(&file_of(core)), failure);
        if !core.is_open() {
            return Err(failed(Failure::Closed));
        }
        let Some(name) = core.file_name(MAIN) else { return Err(OpenError::InMemory) };
        let path = path_of(&name);
        let cipher = Cipher::of(core, MAIN).map_err(failed)?;
        let cipher = match cipher {
            Some(cipher) if cipher.unlocked().is_none() && cipher.page_keys().is_none() => {
                core.with(|connection| {
                    connection.query_one("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
                })
                .map_err(failed)?;
                Cipher::of(core, MAIN).map_err(failed)?
            }
            cipher => cipher,
        };
        Ok(Connector { file: file_id(&path), path, cipher })
    }
}

impl Connector {
    /// Opens a connection to the file, and verifies that the file still has the keys.
    ///
    /// The file is never created, whatever the options say.
    ///
    /// # Errors
    ///
    /// [`OpenError`], such as [`OpenError::WrongKey`] after a rekey in SQLCipher's format. SQLITE_READONLY_DBMOVED if another
    /// file has the path now.
    pub fn open(&self, options: &OpenOptions) -> Result<Database, OpenError> {
        let location = Location::File(&self.path);
        let options = OpenOptions { must_exist: true, ..options.clone() };
        let mut opened = Opened::connect(location, &options)?;
        if self.file.is_some() && self.file != file_id(&self.path) {
            return Err(cannot_use(location, Core::failure_of_code(sqlite::SQLITE_READONLY_DBMOVED)));
        }
        match &self.cipher {
            None => strongroom::refuse_without_key(&opened.core, location)?,
            Some(cipher) => {
                cipher.apply(&opened.core, MAIN).map_err(|failure| cannot_use(location, failure))?;
                opened.page_size = Some(cipher.parameters.effective_page_size());
                opened.verify(location)?;
                opened.core.key_is_verified();
            }
        }
        Ok(Database { session: Rc::new(Session::new(opened)) })
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The keys are not shown.
        f.debug_struct("Connector").field("path", &self.path).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connector_is_shared_by_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<Connector>();
    }
}
