//! Attaches further databases to a connection.
//!
//! `ATTACH` reads the file before anything can set the parameters of its key: SQLCipher's statement `ATTACH ... KEY` uses
//! the parameters of the whole process. The engine therefore attaches an encrypted file without a key while SQLite treats
//! it as empty (SQLITE_DBCONFIG_RESET_DATABASE). The engine then sets the key, which makes SQLCipher drop the page that
//! SQLite has read, and reads the file. No SQL holds a key.

use std::ffi::{CStr, CString};
use std::fs::File;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql};
use strongroom_keys::{Key, SALT_LENGTH};
use vendored_sys::sqlite;

use crate::cipher::{Cipher, CipherFailure};
use crate::open::{
    MAIN, c_path, cannot_open, cannot_use, cipher_with_page_size_of_file, path_or_memory, verify,
};
use crate::pragma::quoted;
use crate::seam::{AttachFlags, Core, Failure, OpenFailure};
use crate::strongroom::{self, NewFile};
use crate::unused_pages;
use crate::{AttachError, Database, Location, OpenError, OpenOptions, SqlError};

/// The key of an attached database.
#[derive(Clone, Copy, Debug)]
pub enum AttachKey<'k> {
    /// The key and the parameters of the main database, or no key if the main database has no key.
    ///
    /// A new file also gets the salt of the main database, so that the passphrase of the main database opens it. An
    /// existing file opens if the key is a raw key, or if the file has the salt of the main database. An open database does
    /// not keep its passphrase in memory, so the engine derives no key for another salt.
    OfMain,
    /// The given key.
    Key(&'k Key),
    /// No key: the file is not encrypted.
    Plain,
}

/// Options for attaching a database.
#[derive(Clone, Copy, Debug)]
pub struct AttachOptions<'k> {
    /// The key.
    pub key: AttachKey<'k>,
    /// `true` to refuse every write to this database; the file must then exist.
    pub read_only: bool,
    /// `true` to fail if the file does not exist, instead of creating it.
    pub must_exist: bool,
}

impl Default for AttachOptions<'_> {
    fn default() -> Self {
        Self { key: AttachKey::OfMain, read_only: false, must_exist: false }
    }
}

impl Database {
    /// Attaches or creates a database, and verifies its key. SQL refers to its tables as `name.table`.
    ///
    /// The path is taken literally. If the main database is read-only, each attached database is read-only too. As with
    /// [`Database::open`], a key without a page size opens a file of any page size.
    ///
    /// # Errors
    ///
    /// [`AttachError`]; the connection is unchanged. [`AttachError::Open`] distinguishes a wrong key, a plain file and a
    /// missing file, as [`Database::open`] does.
    pub fn attach(
        &self,
        location: Location<'_>,
        name: &str,
        options: &AttachOptions<'_>,
    ) -> Result<(), AttachError> {
        let session = &self.session;
        let core = &*session.core;
        if !self.is_open() {
            return Err(SqlError::Closed.into());
        }
        let schema = schema_name(name)?;
        let path = path_or_memory(location);
        if self.in_transaction() {
            return Err(AttachError::InTransaction { path });
        }
        if core.is_attached(&schema) {
            return Err(AttachError::NameInUse { path, name: name.to_owned() });
        }
        let limit = attached_limit(core)?;
        if attached_count(core)? >= limit {
            return Err(AttachError::TooMany { path, limit });
        }
        session.trace(
            || None,
            &format!("ATTACH '{}' AS {}", path.display().to_string().replace('\'', "''"), quoted(name)),
        )?;
        let open_options = OpenOptions {
            read_only: options.read_only || core.is_read_only(MAIN),
            must_exist: options.must_exist,
            ..OpenOptions::default()
        };
        let attached = Attachment { core, location, name, schema: &schema, open_options }.attach(options.key);
        session.schema_may_differ();
        attached
    }

    /// Detaches a database. A database that a transaction uses stays attached: detaching never rolls anything back.
    ///
    /// # Errors
    ///
    /// [`AttachError::NotAttached`], [`AttachError::InUse`], [`AttachError::ReservedName`].
    pub fn detach(&self, name: &str) -> Result<(), AttachError> {
        let session = &self.session;
        if !self.is_open() {
            return Err(SqlError::Closed.into());
        }
        let attached = schema_name(name)?;
        if !session.core.is_attached(&attached) {
            return Err(AttachError::NotAttached { name: name.to_owned() });
        }
        session.trace(|| None, &format!("DETACH {}", quoted(name)))?;
        session.schema_may_differ();
        let detached = session.core.with(|connection| connection.execute("DETACH ?1", [name]).map(drop));
        let detached = detached.inspect(|()| session.core.forget_key(&attached));
        detached.map_err(|failure| match failure {
            // SQLite has no code of its own for this failure.
            Failure::Sqlite { message, .. } if message.ends_with("is locked") => {
                AttachError::InUse { name: name.to_owned() }
            }
            failure => SqlError::from_failure(failure).into(),
        })
    }
}

/// One call of [`Database::attach`].
struct Attachment<'a> {
    core: &'a Core,
    location: Location<'a>,
    name: &'a str,
    schema: &'a CStr,
    open_options: OpenOptions,
}

impl Attachment<'_> {
    fn attach(&self, key: AttachKey<'_>) -> Result<(), AttachError> {
        self.core.forget_key(self.schema);
        let of_main = match key {
            AttachKey::OfMain => self.use_core(Cipher::of(self.core, MAIN))?,
            AttachKey::Key(_) | AttachKey::Plain => None,
        };
        if of_main.is_none() && !matches!(key, AttachKey::Key(_)) {
            return self.connect(Reads::AtOnce);
        }
        self.connect(Reads::AfterTheKey)?;
        let attached = self.unlock(key, of_main);
        if attached.is_err() {
            // The caller gets the error of attaching. Nothing uses the database, so detaching does not fail.
            let _ = self.undo();
        }
        attached
    }

    /// Sets the key of the attached database and reads the file.
    fn unlock(&self, key: AttachKey<'_>, of_main: Option<Cipher>) -> Result<(), AttachError> {
        let had_journal = unused_pages::has_journal(self.core, self.schema);
        self.unlock_and_read(key, of_main)?;
        if had_journal {
            unused_pages::repair(self.core, self.schema);
        }
        Ok(())
    }

    fn unlock_and_read(&self, key: AttachKey<'_>, of_main: Option<Cipher>) -> Result<(), AttachError> {
        let (cipher, any_page_size) = match (key, of_main) {
            (AttachKey::Key(key), _) => {
                let cipher = Cipher::new(self.core, self.schema, key, NewFile::of(key))
                    .map_err(|failure| self.unkeyed(failure))?;
                (cipher, key.parameters().page_size.is_none())
            }
            (_, Some(of_main)) => (self.for_file(of_main)?, true),
            (_, None) => return Ok(()),
        };
        self.apply(&cipher)?;
        let page_size = cipher.parameters.effective_page_size();
        let verified = self.verify(page_size);
        let Err(AttachError::Open { .. }) = verified else { return verified };
        let found = match any_page_size {
            true => cipher_with_page_size_of_file(self.core, self.schema, Some(page_size)),
            false => None,
        };
        let Some(cipher) = found else { return verified };
        // The cipher is in an error state, which ends only when the database is closed.
        self.undo()?;
        self.connect(Reads::AfterTheKey)?;
        self.apply(&cipher)?;
        self.verify(cipher.parameters.effective_page_size())
    }

    /// Returns the key of the main database in the form that the attached file needs.
    ///
    /// SQLCipher would use the salt of the main database and the matching HMAC key. A file with another salt opens if it
    /// was created with the same raw key. A file in the Strongroom format opens if one of its slots has the same raw key, or
    /// the same passphrase and salt.
    fn for_file(&self, of_main: Cipher) -> Result<Cipher, AttachError> {
        let failed = |failure| self.unkeyed(CipherFailure::Sqlite(failure));
        if let Some(path) = of_main.key_changed(self.core, MAIN).map_err(failed)? {
            return Err(OpenError::KeyChanged { path }.into());
        }
        if let Some(found) = self.core.on_disk(self.schema).map_err(failed)?
            && of_main.unlocked().is_none()
            && strongroom::is_strongroom(&found)
        {
            let (path, wanted) = (path_or_memory(self.location), of_main.format().name());
            return Err(OpenError::OtherFormat { path, wanted, found: "\"strongroom\"" }.into());
        }
        if let Some(unlocked) = of_main.unlocked() {
            let like = Cipher::like(self.core, self.schema, unlocked);
            return like.map_err(|failure| self.unkeyed(failure));
        }
        let Some((keys, salt)) = of_main.page_keys() else { return Ok(of_main) };
        let in_file = self.core.file_start(self.schema, SALT_LENGTH);
        let in_file = in_file.filter(|start| start.length >= SALT_LENGTH as u64).map(|start| start.bytes);
        let has_salt = of_main.parameters.plaintext_header_size.is_none();
        match in_file {
            Some(in_file) if has_salt && in_file != salt => {
                let unkeyed = |source| self.unkeyed(CipherFailure::Key(source));
                let key = Key::raw(&keys.cipher).and_then(|key| key.with_cipher(of_main.parameters));
                let key = key.map_err(unkeyed)?;
                Cipher::new(self.core, self.schema, &key, NewFile::of(&key))
                    .map_err(|failure| self.unkeyed(failure))
            }
            _ => Ok(of_main),
        }
    }

    fn connect(&self, reads: Reads) -> Result<(), AttachError> {
        let path = c_path(self.location)?;
        let failure = match self.run_attach(&path, &reads) {
            Ok(()) => return Ok(()),
            Err(failure) => failure,
        };
        let failure = match failure {
            // The flags of the main database apply, and may forbid creating files.
            failure if is_missing(&failure) && self.create() => match self.run_attach(&path, &reads) {
                Ok(()) => return Ok(()),
                Err(failure) => failure,
            },
            failure => failure,
        };
        Err(self.not_connected(failure))
    }

    /// Creates an empty file, if the options allow it.
    fn create(&self) -> bool {
        let allowed = !self.open_options.must_exist && !self.open_options.read_only;
        match self.location {
            Location::File(path) if allowed => File::create_new(path).is_ok(),
            _ => false,
        }
    }

    fn run_attach(&self, path: &CStr, reads: &Reads) -> Result<(), OpenFailure> {
        let flags =
            AttachFlags { write: !self.open_options.read_only, create: !self.open_options.must_exist };
        self.core.with_attach_flags(&flags, |connection| {
            // SQLite would also treat every other schema that it has not read yet as empty.
            connection.prepare("SELECT 1 FROM main.sqlite_schema")?;
            // The empty key keeps SQLCipher from using the key of the main database.
            let mut attach = connection.prepare("ATTACH ?1 AS ?2 KEY ''")?;
            let parameters: [&dyn ToSql; 2] = [&Text(path.to_bytes()), &self.name];
            let attached = match reads {
                Reads::AtOnce => attach.execute(parameters),
                Reads::AfterTheKey => with_empty_files(connection, || attach.execute(parameters)),
            };
            attached.map(drop)
        })
    }

    /// Reads the file.
    fn verify(&self, page_size: u32) -> Result<(), AttachError> {
        verify(self.core, self.schema, self.location, page_size).map_err(|error| match error {
            OpenError::Sqlite { path, source } if is_encoding(&source) => AttachError::Encoding { path },
            error => error.into(),
        })
    }

    /// Sets the key, and makes SQLite forget the empty schema.
    fn apply(&self, cipher: &Cipher) -> Result<(), AttachError> {
        self.use_core(cipher.apply(self.core, self.schema))?;
        self.use_core(self.core.with(forget_schemas))
    }

    /// Detaches the database after its file could not be read. SQLite would otherwise read the file again before it
    /// detaches.
    fn undo(&self) -> Result<(), AttachError> {
        let undone = self.core.with(|connection| {
            let detached = with_empty_files(connection, || connection.execute("DETACH ?1", [self.name]));
            forget_schemas(connection)?;
            detached.map(drop)
        });
        self.use_core(undone)
    }

    fn not_connected(&self, failure: OpenFailure) -> AttachError {
        let path = path_or_memory(self.location);
        match failure.code & 0xff {
            sqlite::SQLITE_NOTADB if self.is_strongroom() => OpenError::KeyRequired { path }.into(),
            sqlite::SQLITE_NOTADB => OpenError::Sqlite { path, source: SqlError::NotADatabase }.into(),
            sqlite::SQLITE_ERROR if failure.message.contains("text encoding") => {
                AttachError::Encoding { path }
            }
            sqlite::SQLITE_CANTOPEN | sqlite::SQLITE_PERM | sqlite::SQLITE_IOERR => {
                cannot_open(self.location, &self.open_options, failure).into()
            }
            _ => self.unusable(Failure::Sqlite { code: failure.code, message: failure.message }),
        }
    }

    /// Returns whether the file, which SQLite could not read, is in the Strongroom format.
    fn is_strongroom(&self) -> bool {
        let Ok(path) = c_path(self.location) else { return false };
        if self.run_attach(&path, &Reads::AfterTheKey).is_err() {
            return false;
        }
        let found = self.core.on_disk(self.schema).ok().flatten();
        let found = found.is_some_and(|found| strongroom::is_strongroom(&found));
        let _ = self.undo();
        found
    }

    fn unkeyed(&self, failure: CipherFailure) -> AttachError {
        failure.into_open_error(self.location).into()
    }

    fn use_core<T>(&self, result: Result<T, Failure>) -> Result<T, AttachError> {
        result.map_err(|failure| self.unusable(failure))
    }

    fn unusable(&self, failure: Failure) -> AttachError {
        cannot_use(self.location, failure).into()
    }
}

/// The moment at which SQLite reads the file that it attaches.
enum Reads {
    AtOnce,
    AfterTheKey,
}

/// Text that may not be UTF-8, such as a path.
struct Text<'a>(&'a [u8]);

impl ToSql for Text<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(self.0)))
    }
}

fn schema_name(name: &str) -> Result<CString, AttachError> {
    let reserved = ["main", "temp"].iter().any(|reserved| name.eq_ignore_ascii_case(reserved));
    match CString::new(name) {
        Ok(_) if reserved => Err(AttachError::ReservedName { name: name.to_owned() }),
        Ok(schema) if !name.is_empty() => Ok(schema),
        _ => Err(AttachError::InvalidName { name: name.to_owned() }),
    }
}

/// Calls `run` while SQLite treats every file that it has not read yet as empty.
fn with_empty_files(
    connection: &Connection,
    run: impl FnOnce() -> rusqlite::Result<usize>,
) -> rusqlite::Result<usize> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_RESET_DATABASE, true)?;
    let result = run();
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_RESET_DATABASE, false)?;
    result
}

/// Makes SQLite read each schema again. Outside a transaction, no schema has changes that are not in its file.
fn forget_schemas(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("PRAGMA writable_schema = RESET")
}

fn attached_limit(core: &Core) -> Result<usize, SqlError> {
    let limit = core.with(|connection| connection.limit(Limit::SQLITE_LIMIT_ATTACHED));
    limit.map(|limit| usize::try_from(limit).unwrap_or(0)).map_err(SqlError::from_failure)
}

fn attached_count(core: &Core) -> Result<usize, SqlError> {
    let schemas = core.schemas().map_err(SqlError::from_failure)?;
    Ok(schemas.iter().filter(|name| !matches!(name.as_str(), "main" | "temp")).count())
}

fn is_missing(failure: &OpenFailure) -> bool {
    failure.code & 0xff == sqlite::SQLITE_CANTOPEN
}

fn is_encoding(error: &SqlError) -> bool {
    matches!(error, SqlError::Sqlite { message, .. } if message.contains("text encoding"))
}
