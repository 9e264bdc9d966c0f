//! Opening: where, how, and with which key.

use std::ffi::CString;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Once;
use std::time::Duration;

use rusqlite::OpenFlags;
use strongroom_keys::Key;
use vendored_sys::sqlite;

use crate::seam::{self, Core, Failure, OpenFailure};
use crate::{OpenError, codes, functions};

/// Where a database is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Location<'a> {
    /// In a file. The path is taken as it is: neither `file:` nor `:memory:` means anything else.
    File(&'a Path),
    /// In memory, gone when it is closed.
    Memory,
}

/// How a database is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenOptions {
    /// Refuse every write. The file must exist.
    pub read_only: bool,
    /// Fail where there is no file, instead of creating one.
    pub must_exist: bool,
    /// How long a call waits for a lock that another connection holds. Rounded to milliseconds.
    pub busy_timeout: Duration,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self { read_only: false, must_exist: false, busy_timeout: Duration::from_secs(5) }
    }
}

/// SQLite counts milliseconds in a C int.
const LONGEST_TIMEOUT: Duration = Duration::from_millis(i32::MAX as u64);
/// The first bytes of a plain SQLite database. Source: SQLite's file format, section 1.2.
const PLAIN_HEADER: &[u8; 16] = b"SQLite format 3\0";
/// The length of every database is a multiple of this, the smallest page.
const SMALLEST_PAGE: u64 = 512;

/// Opens a connection that has read nothing yet.
pub(crate) fn connect(location: Location<'_>, options: &OpenOptions) -> Result<Rc<Core>, OpenError> {
    vendored_sys::init().map_err(|source| OpenError::Init { source })?;
    silence_cipher_log();
    let path = c_path(location)?;
    let mut flags = match options.read_only {
        true => OpenFlags::SQLITE_OPEN_READ_ONLY,
        false => OpenFlags::SQLITE_OPEN_READ_WRITE,
    };
    if !options.read_only && !options.must_exist {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    }
    let core = seam::open(&path, flags).map_err(|failure| cannot_open(location, options, failure))?;
    core.with(|connection| {
        // rusqlite panics above what SQLite can count
        connection.busy_timeout(options.busy_timeout.min(LONGEST_TIMEOUT))?;
        functions::register(connection)
    })
    .map_err(|failure| cannot_use(location, failure))?;
    Ok(Rc::new(core))
}

/// Gives the connection its key, with the parameters that go with it. Nothing is read yet.
pub(crate) fn unlock(core: &Rc<Core>, location: Location<'_>, key: &Key) -> Result<(), OpenError> {
    let set_key = || {
        core.key(&key.expose_for_sqlcipher())?;
        let parameters = key.parameters();
        // compatibility comes first, because it sets the other two
        for (pragma, value) in [
            ("cipher_compatibility", parameters.compatibility.map(u32::from)),
            ("cipher_page_size", parameters.page_size),
            ("kdf_iter", parameters.kdf_iter),
        ] {
            if let Some(value) = value {
                core.with(|connection| connection.pragma_update(None, pragma, value))?;
            }
        }
        Ok(())
    };
    set_key().map_err(|failure| cannot_use(location, failure))
}

/// Reads the first page and the schema, which shows whether the key is right, and whether the end of the file is there.
///
/// A file that is new or empty has nothing to read: its first write puts the salt and the key to use.
pub(crate) fn verify(core: &Rc<Core>, location: Location<'_>, key: &Key) -> Result<(), OpenError> {
    let checked = core.with(|connection| {
        // One transaction, so that no writer changes the length between the two looks at it.
        connection.execute_batch("BEGIN")?;
        connection.query_one("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))?;
        let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
        let journal: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
        let expected = pages.unsigned_abs() * u64::from(key.parameters().effective_page_size());
        let truncated = match location {
            // In WAL mode the last pages may stand in the log and not in the file yet.
            Location::File(path) if journal != "wal" => {
                let length = fs::metadata(path).map_or(expected, |metadata| metadata.len());
                (length < expected).then_some((path, length, expected))
            }
            _ => None,
        };
        connection.execute_batch("COMMIT")?;
        Ok(truncated)
    });
    match (checked, location) {
        (Ok(None), _) => Ok(()),
        (Ok(Some((path, length, expected))), _) => {
            Err(OpenError::Truncated { path: path.to_owned(), length, expected })
        }
        (Err(Failure::Sqlite { code, message }), Location::File(path)) => Err(match code & 0xff {
            // SQLCipher reports a first page that does not authenticate as one of these two.
            sqlite::SQLITE_NOTADB => unreadable(core, path, key),
            sqlite::SQLITE_ERROR if core.cipher_failed() => unreadable(core, path, key),
            sqlite::SQLITE_CORRUPT => OpenError::Damaged { path: path.to_owned(), message },
            _ => OpenError::Sqlite { path: path.to_owned(), code: codes::name(code), message },
        }),
        (Err(failure), _) => Err(cannot_use(location, failure)),
    }
}

/// What a file is that the key does not open, as far as its bytes tell.
fn unreadable(core: &Core, path: &Path, key: &Key) -> OpenError {
    let path = path.to_owned();
    let (header, length) = core.file_start().unwrap_or_default();
    if header == *PLAIN_HEADER {
        return OpenError::NotEncrypted { path };
    }
    // The page size of the file may be another than that of the key, which is a wrong parameter.
    match length % SMALLEST_PAGE == 0 && length >= u64::from(key.parameters().effective_page_size()) {
        true => OpenError::WrongKey { path },
        false => OpenError::NotADatabase { path, length },
    }
}

/// Why the operating system did not open the file, as far as it tells.
fn cannot_open(location: Location<'_>, options: &OpenOptions, failure: OpenFailure) -> OpenError {
    let OpenFailure { code, message, cause } = failure;
    let code = codes::name(code);
    let Location::File(path) = location else {
        return OpenError::Sqlite { path: shown(location), code, message };
    };
    let path = path.to_owned();
    match cause {
        Some(source) if source.kind() == ErrorKind::PermissionDenied => {
            OpenError::Permission { path, source }
        }
        Some(source) if matches!(source.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            let directory = match path.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
                _ => PathBuf::from("."),
            };
            if !directory.is_dir() {
                OpenError::MissingDirectory { path, directory }
            } else if options.must_exist || options.read_only {
                OpenError::MissingFile { path }
            } else {
                not_created(path, code, message)
            }
        }
        source => OpenError::System { path, code, message, source },
    }
}

/// Why a file could not be created. SQLite tries to open it for reading then, and reports that there is no file.
fn not_created(path: PathBuf, code: &'static str, message: String) -> OpenError {
    match File::options().write(true).create_new(true).open(&path) {
        Err(source) if source.kind() == ErrorKind::PermissionDenied => OpenError::Permission { path, source },
        Err(source) => OpenError::System { path, code, message, source: Some(source) },
        Ok(_) => OpenError::System { path, code, message, source: None },
    }
}

fn cannot_use(location: Location<'_>, failure: Failure) -> OpenError {
    let (code, message) = match failure {
        Failure::Sqlite { code, message } => (codes::name(code), message),
        Failure::Closed | Failure::Busy => ("SQLITE_MISUSE", "the connection is not open".to_owned()),
    };
    OpenError::Sqlite { path: shown(location), code, message }
}

fn shown(location: Location<'_>) -> PathBuf {
    match location {
        Location::File(path) => path.to_owned(),
        Location::Memory => PathBuf::from(":memory:"),
    }
}

/// The path as SQLite takes it, where it is one of a file that can be.
fn c_path(location: Location<'_>) -> Result<CString, OpenError> {
    let Location::File(path) = location else { return Ok(c":memory:".to_owned()) };
    if path.as_os_str().is_empty() {
        return Err(OpenError::EmptyPath);
    }
    let bytes = path_bytes(path)?;
    // SQLite would take these for something else than a file; nothing that begins with a directory is.
    let bytes = match bytes.starts_with(b":") {
        true => [b"./", &*bytes].concat(),
        false => bytes,
    };
    let path_c = CString::new(bytes).map_err(|_| OpenError::NulInPath)?;
    // For reading, a directory can be opened, and only the first read fails.
    match path.is_dir() {
        true => Err(OpenError::Directory { path: path.to_owned() }),
        false => Ok(path_c),
    }
}

#[cfg(unix)]
fn path_bytes(path: &Path) -> Result<Vec<u8>, OpenError> {
    use std::os::unix::ffi::OsStrExt;
    Ok(path.as_os_str().as_bytes().to_vec())
}

#[cfg(not(unix))]
fn path_bytes(path: &Path) -> Result<Vec<u8>, OpenError> {
    match path.to_str() {
        Some(text) => Ok(text.as_bytes().to_vec()),
        None => Err(OpenError::PathEncoding { path: path.to_owned() }),
    }
}

/// Switches SQLCipher's own log off, which writes errors to standard error, or to the system's log on Apple's.
///
/// It is the host's process, and each error is reported where it belongs. Who wants the log sets
/// `PRAGMA cipher_log_level` afterwards.
fn silence_cipher_log() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let memory = seam::open(c":memory:", OpenFlags::SQLITE_OPEN_READ_WRITE);
        if let Ok(core) = memory {
            // Without memory for this there is none for the connection that follows, which then reports it.
            let _ = core.with(|connection| connection.pragma_update(None, "cipher_log_level", "NONE"));
        }
    });
}
