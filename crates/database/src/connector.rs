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
    /// [`OpenError`], such as [`OpenError::WrongKey`] after a rekey in SQLCipher's format, and [`OpenError::KeyChanged`] after
    /// a change of the key slot. SQLITE_READONLY_DBMOVED if another file has the path now; on
    /// Windows, a file is known only by its path.
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
                let changed = cipher.key_changed(&opened.core, MAIN);
                if let Some(path) = changed.map_err(|failure| cannot_use(location, failure))? {
                    return Err(OpenError::KeyChanged { path });
                }
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
    use std::thread;
    use std::time::Duration;

    use strongroom_format::argon2id_runs;
    use strongroom_keys::{CipherParameters, Format, HashAlgorithm, Key, PageNumberOrder};

    use super::*;
    use crate::seam::derivations;

    #[test]
    fn a_connector_is_shared_by_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<Connector>();
    }

    /// Returns the number of derivations on this thread: by Argon2id, and by SQLCipher.
    fn runs() -> (usize, usize) {
        (argon2id_runs(), derivations())
    }

    fn value(database: &Database, sql: &str) -> String {
        let mut statement = database.prepare(sql).unwrap();
        let row = statement.step().unwrap().unwrap();
        format!("{:?}", row.value(0))
    }

    /// Opens a file with a key once, and then through a connector in this thread and in another one.
    fn assert_derived_once(name: &str, key: &Key, expected: (usize, usize)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        let options = OpenOptions { busy_timeout: Duration::ZERO, ..OpenOptions::default() };
        let open = || Database::open(Location::File(&path), key, &options).unwrap();
        open()
            .execute_batch("PRAGMA journal_mode = wal; CREATE TABLE t (a); INSERT INTO t VALUES (1)")
            .unwrap();
        let before = runs();
        let first = open();
        let connector = first.connector().unwrap();
        let derived = (runs().0 - before.0, runs().1 - before.1);
        assert_eq!(derived, expected, "{name}: by the first connection");
        let before = runs();
        let second = connector.open(&options).unwrap();
        second.execute_batch("INSERT INTO t VALUES (2)").unwrap();
        let counted = thread::scope(|scope| {
            let other = scope.spawn(|| {
                let before = runs();
                let third = connector.open(&OpenOptions { read_only: true, ..options.clone() }).unwrap();
                let counted = value(&third, "SELECT count(*) FROM t");
                assert!(third.check("main", &mut |_| true).unwrap().is_ok());
                assert_eq!(runs(), before, "{name}: in another thread");
                counted
            });
            other.join().unwrap()
        });
        assert_eq!(counted, "Integer(2)", "{name}");
        first.execute_batch("INSERT INTO t VALUES (3)").unwrap();
        assert_eq!(value(&second, "SELECT count(*) FROM t"), "Integer(3)", "{name}");
        // A new connector of a connector's connection needs no derivation either.
        let third = second.connector().unwrap().open(&options).unwrap();
        assert_eq!(value(&third, "SELECT sum(a) FROM t"), "Integer(6)", "{name}");
        assert_eq!((first.format(), third.format()), (second.format(), first.format()), "{name}");
        assert_eq!(runs(), before, "{name}: by further connections");
        drop((first, second, third));
        assert!(open().check("main", &mut |_| true).unwrap().is_ok(), "{name}");
    }

    #[test]
    fn further_connections_derive_no_key_in_the_format_of_sqlcipher() {
        let default = CipherParameters::default();
        let few = Some(10);
        let salt = Some([7; strongroom_keys::SALT_LENGTH]);
        for (name, parameters) in [
            ("iterations", CipherParameters { kdf_iter: few, ..default }),
            ("version 1", CipherParameters { compatibility: Some(1), ..default }),
            ("version 3", CipherParameters { compatibility: Some(3), kdf_iter: few, ..default }),
            ("small pages", CipherParameters { page_size: Some(1_024), kdf_iter: few, ..default }),
            ("large pages", CipherParameters { page_size: Some(65_536), kdf_iter: few, ..default }),
            ("no HMAC", CipherParameters { use_hmac: Some(false), kdf_iter: few, ..default }),
            (
                "algorithms",
                CipherParameters {
                    kdf_algorithm: Some(HashAlgorithm::Sha256),
                    hmac_algorithm: Some(HashAlgorithm::Sha1),
                    kdf_iter: few,
                    ..default
                },
            ),
            (
                "byte order",
                CipherParameters { hmac_page_number: Some(PageNumberOrder::Big), kdf_iter: few, ..default },
            ),
            (
                "plaintext header",
                CipherParameters { plaintext_header_size: Some(32), salt, kdf_iter: few, ..default },
            ),
        ] {
            let passphrase = Key::passphrase(b"correct horse").unwrap().with_cipher(parameters).unwrap();
            assert_derived_once(name, &passphrase, (0, 1));
            let raw = Key::raw(&[9; 32]).unwrap().with_cipher(parameters).unwrap();
            assert_derived_once(name, &raw, (0, 0));
        }
        // The engine derives the keys itself, without SQLCipher.
        for parameters in [
            CipherParameters { fast_kdf_iter: Some(5), kdf_iter: few, ..default },
            CipherParameters { hmac_salt_mask: Some(0x11), kdf_iter: few, ..default },
        ] {
            let passphrase = Key::passphrase(b"correct horse").unwrap().with_cipher(parameters).unwrap();
            assert_derived_once("deprecated", &passphrase, (0, 0));
        }
    }

    #[test]
    fn further_connections_derive_no_key_in_the_format_of_strongroom() {
        let with_pages = |key: Key, page_size| {
            let parameters = CipherParameters { page_size: Some(page_size), ..CipherParameters::default() };
            key.with_cipher(parameters).unwrap().with_format(Format::Strongroom).unwrap()
        };
        let passphrase = || Key::passphrase(b"correct horse").unwrap();
        assert_derived_once("passphrase", &with_pages(passphrase(), 4_096), (1, 0));
        assert_derived_once("large pages", &with_pages(passphrase(), 65_536), (1, 0));
        assert_derived_once("raw key", &with_pages(Key::raw(&[9; 32]).unwrap(), 1_024), (0, 0));
    }

    /// SQLCipher derives the keys when it first uses a page. The connector of a connection that has not yet used a page
    /// makes SQLCipher derive them.
    #[test]
    fn an_idle_connection_derives_the_keys_for_its_connector() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        let parameters = CipherParameters { kdf_iter: Some(10), ..CipherParameters::default() };
        let key = Key::passphrase(b"correct horse").unwrap().with_cipher(parameters).unwrap();
        let open = || Database::open(Location::File(&path), &key, &OpenOptions::default()).unwrap();
        let idle = open();
        open().execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1)").unwrap();
        let before = runs();
        let connector = idle.connector().unwrap();
        assert_eq!(runs(), (before.0, before.1 + 1));
        for _ in 0..2 {
            let further = connector.open(&OpenOptions::default()).unwrap();
            assert_eq!(value(&further, "SELECT a FROM t"), "Integer(1)");
        }
        assert_eq!(runs(), (before.0, before.1 + 1));
    }

    /// A key without a page size opens a file of any page size, and tries the sizes for that.
    #[test]
    fn a_file_of_unknown_page_size_is_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        let key = |page_size| {
            let parameters =
                CipherParameters { page_size, kdf_iter: Some(10), ..CipherParameters::default() };
            Key::passphrase(b"correct horse").unwrap().with_cipher(parameters).unwrap()
        };
        let open = |key: &Key| Database::open(Location::File(&path), key, &OpenOptions::default()).unwrap();
        open(&key(Some(8_192))).execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1)").unwrap();
        let database = open(&key(None));
        let connector = database.connector().unwrap();
        let before = runs();
        let further = connector.open(&OpenOptions::default()).unwrap();
        assert_eq!(value(&further, "SELECT a FROM t"), "Integer(1)");
        assert_eq!(value(&further, "PRAGMA page_size"), "Integer(8192)");
        assert_eq!(runs(), before);
    }
}
