//! Images: the bytes of a database file, in memory.

use std::ffi::CString;

use rusqlite::config::DbConfig;
use rusqlite::params;
use strongroom_keys::{Format, Key};
use vendored_sys::sqlite;

use crate::cipher::{Cipher, CipherFailure};
use crate::open::{MAIN, Opened};
use crate::page_layout::PageLayout;
use crate::seam::{Core, Failure, leave_wal};
use crate::strongroom::{self, NewFile};
use crate::{Database, ImageError, Location, OpenOptions, SqlError};

impl Database {
    /// Returns the content of the database `schema`, even if encrypted, as the bytes of a plain database file.
    ///
    /// The image includes the changes of an open transaction. The image of an encrypted database keeps SQLCipher's reserved
    /// bytes at the end of each page, filled with zeros. VACUUM therefore fails in the image. A backup to
    /// [`BackupKey::Plain`](crate::BackupKey::Plain) has no reserved bytes.
    ///
    /// A new database without any page has an empty image. The image of a database in WAL mode is in DELETE mode.
    ///
    /// # Errors
    ///
    /// [`ImageError::UnknownDatabase`], and [`ImageError::Sql`], including `SQLITE_NOMEM` if memory runs out.
    pub fn serialize(&self, schema: &str) -> Result<Vec<u8>, ImageError> {
        let source = Source::find(self, schema)?;
        let unused = if source.encrypted { source.layout.reserved as usize } else { 0 };
        let mut image = Vec::new();
        let pages = source.pages(|_, page| {
            image.try_reserve(page.len()).map_err(|_| out_of_memory())?;
            image.extend_from_slice(page);
            let end = image.len();
            image[end - unused..].fill(0);
            Ok(())
        });
        pages.map_err(|failure| source.failed(failure))?;
        source.authenticated()?;
        leave_wal(&mut image);
        Ok(image)
    }

    /// Returns the content of the database `schema` as the bytes of an encrypted database file.
    ///
    /// The image has the database's own key and cipher parameters, or those of `key`. A key without a page size keeps the
    /// database's page size. Nothing is written to a file. Apart from the encryption, the image equals the image that
    /// [`Database::serialize`] returns.
    ///
    /// # Errors
    ///
    /// [`ImageError`].
    pub fn serialize_encrypted(&self, schema: &str, key: Option<&Key>) -> Result<Vec<u8>, ImageError> {
        let source = Source::find(self, schema)?;
        let target = Opened::connect(Location::Image(&[]), &OpenOptions::default())
            .map_err(|error| ImageError::Open { name: schema.to_owned(), source: error })?
            .core;
        let failed = |failure| source.failed(failure);
        let cipher = match key {
            None => {
                let own = Cipher::of(&self.session.core, &source.name).map_err(failed)?;
                let own = own.ok_or_else(|| ImageError::NotEncrypted { name: schema.to_owned() })?;
                if let Some(path) = own.key_changed(&self.session.core, &source.name).map_err(failed)? {
                    let name = schema.to_owned();
                    return Err(ImageError::Sql { name, source: SqlError::KeyChanged { path } });
                }
                let own = own.with_current_slots(&self.session.core, &source.name).map_err(failed)?;
                own.apply_to_copy(&target, MAIN).map_err(|failure| source.unkeyed(failure))?;
                own
            }
            Some(key) => {
                let cipher = source.cipher(&target, key)?;
                cipher.apply(&target, MAIN).map_err(failed)?;
                cipher
            }
        };
        let written = target.with(|connection| {
            // Defensive mode forbids writing pages.
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false)?;
            connection.execute_batch("PRAGMA journal_mode = OFF; BEGIN")?;
            let mut insert = connection.prepare("INSERT INTO sqlite_dbpage (pgno, data) VALUES (?, ?)")?;
            let pages = source.pages(|number, page| {
                if number == source.layout.lock_page() {
                    return Ok(());
                }
                let mut page = page.to_vec();
                leave_wal(&mut page);
                insert.execute(params![number, page]).map(|_| ())
            });
            // The call reports the first failure, which may already have ended the transaction.
            if pages.is_ok() {
                connection.execute_batch("COMMIT")?;
            }
            Ok(pages)
        });
        written.flatten().map_err(failed)?;
        source.authenticated()?;
        let pages = target.stored_bytes().map_err(failed)?;
        Ok(match cipher.unlocked() {
            Some(unlocked) => strongroom::with_header(unlocked, &pages),
            None => pages,
        })
    }
}

fn out_of_memory() -> rusqlite::Error {
    let message = "not enough memory for the image; back the database up to a file".to_owned();
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(sqlite::SQLITE_NOMEM), Some(message))
}

/// The database that becomes an image.
struct Source<'d> {
    database: &'d Database,
    schema: &'d str,
    name: CString,
    layout: PageLayout,
    encrypted: bool,
}

impl<'d> Source<'d> {
    fn find(database: &'d Database, schema: &'d str) -> Result<Self, ImageError> {
        let unknown = || ImageError::UnknownDatabase { name: schema.to_owned() };
        let name = CString::new(schema).map_err(|_| unknown())?;
        let core = &database.session.core;
        let failed =
            |failure| ImageError::Sql { name: schema.to_owned(), source: SqlError::from_failure(failure) };
        let layout = PageLayout::of(core, &name).map_err(failed)?.ok_or_else(unknown)?;
        let encrypted = Cipher::of(core, &name).map_err(failed)?.is_some();
        Ok(Self { database, schema, name, layout, encrypted })
    }

    /// Fails if a page has failed its authentication. For such a page, SQLCipher gives SQLite a page of zeros and no error.
    fn authenticated(&self) -> Result<(), ImageError> {
        let core = &self.database.session.core;
        match self.encrypted && (core.cipher_failed(self.schema) || core.has_zeroed_page(self.schema)) {
            true => {
                Err(ImageError::Sql { name: self.schema.to_owned(), source: SqlError::PageAuthentication })
            }
            false => Ok(()),
        }
    }

    /// Calls `take` with the number and the plain bytes of each page, all from one snapshot of the database.
    fn pages(&self, mut take: impl FnMut(u32, &[u8]) -> rusqlite::Result<()>) -> Result<(), Failure> {
        self.database.session.core.with(|connection| {
            let mut statement =
                connection.prepare("SELECT pgno, data FROM sqlite_dbpage WHERE schema = ?")?;
            let mut pages = statement.query(params![self.schema])?;
            while let Some(page) = pages.next()? {
                take(page.get(0)?, page.get_ref(1)?.as_blob()?)?;
            }
            Ok(())
        })
    }

    /// Returns the cipher for another key, if the pages of the database have room for it.
    fn cipher(&self, target: &Core, key: &Key) -> Result<Cipher, ImageError> {
        let own =
            Cipher::of(&self.database.session.core, &self.name).map_err(|failure| self.failed(failure))?;
        // Without a format, a new key keeps the source's.
        let format = key.format().or_else(|| own.map(|own| own.format())).unwrap_or(Format::SqlCipher);
        let wanted = self.layout.adopt(format, key.parameters());
        if wanted != self.layout && self.layout.reserved == 0 && !self.encrypted {
            return Err(ImageError::NoRoom { name: self.schema.to_owned() });
        }
        if wanted != self.layout {
            return Err(ImageError::OtherLayout {
                name: self.schema.to_owned(),
                wanted: wanted.page_size,
                wanted_reserved: wanted.reserved,
                page_size: self.layout.page_size,
                reserved: self.layout.reserved,
            });
        }
        let new = NewFile { format, page_size: wanted.page_size };
        let cipher = Cipher::new(target, MAIN, key, new).map_err(|failure| self.unkeyed(failure))?;
        Ok(cipher.with_page_size(wanted.page_size))
    }

    fn unkeyed(&self, failure: CipherFailure) -> ImageError {
        let name = self.schema.to_owned();
        match failure {
            CipherFailure::Key(source) => ImageError::Key { name, source },
            CipherFailure::Sqlite(failure) => self.failed(failure),
            failure @ CipherFailure::Format(_) => {
                ImageError::Open { name, source: failure.into_open_error(Location::Memory) }
            }
        }
    }

    fn failed(&self, failure: Failure) -> ImageError {
        ImageError::Sql { name: self.schema.to_owned(), source: self.database.session.explain(failure) }
    }
}
