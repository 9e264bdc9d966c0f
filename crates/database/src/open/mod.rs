//! Opens connections: location, options and key.

mod failure;
mod log;
mod page_size_of_file;
mod path;
mod unlock;

use std::cell::Cell;
use std::ffi::CStr;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Once;
use std::time::Duration;

use rusqlite::OpenFlags;
use rusqlite::config::DbConfig;
use strongroom_keys::Key;
use vendored_sys::sqlite;

use crate::cipher::Cipher;
use crate::functions::{self, FunctionFailures};
use crate::pragma::{pragma, quoted};
use crate::registry;
use crate::result_codes;
use crate::seam::{self, Core, Failure, FileStart};
use crate::strongroom;
use crate::unused_pages;
use crate::{OpenError, SqlError};

pub(crate) use failure::{cannot_open, cannot_use};
pub(crate) use page_size_of_file::cipher_with_page_size_of_file;
pub(crate) use path::{c_path, file_of, path_of, path_or_memory};

/// The location of a database.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Location<'a> {
    /// A file. The path is taken literally: `file:` and `:memory:` have no special meaning.
    File(&'a Path),
    /// Memory, freed when the database is closed.
    Memory,
    /// Memory with a copy of the bytes of a database file, freed when the database is closed.
    Image(&'a [u8]),
}

impl fmt::Debug for Location<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Memory => f.write_str("Memory"),
            // The bytes are the database's content, so they are not shown.
            Self::Image(bytes) => write!(f, "Image({} bytes)", bytes.len()),
        }
    }
}

/// Options for opening a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenOptions {
    /// `true` to refuse every write; the file must then exist.
    pub read_only: bool,
    /// `true` to fail if the file does not exist, instead of creating it.
    pub must_exist: bool,
    /// The longest time that a call waits for another connection's lock, rounded to milliseconds.
    pub busy_timeout: Duration,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self { read_only: false, must_exist: false, busy_timeout: Duration::from_secs(5) }
    }
}

/// SQLite counts milliseconds in a C int.
const MAX_TIMEOUT: Duration = Duration::from_millis(i32::MAX as u64);
/// The first bytes of a plain SQLite database. Source: SQLite's file format, section 1.2.
pub(crate) const PLAIN_HEADER: &[u8; 16] = b"SQLite format 3\0";
/// The length of the header up to and including the number of reserved bytes.
const HEADER: usize = 21;
/// The database that a connection opens.
pub(crate) const MAIN: &CStr = c"main";
/// The page sizes of encrypted files in bytes.
const PAGE_SIZES: RangeInclusive<u32> = 1_024..=65_536;
/// SQLite's smallest page size in bytes. The length of every database is a multiple of this number.
pub(crate) const MIN_PAGE_SIZE: u64 = 512;

/// An open connection.
pub(crate) struct Opened {
    pub(crate) core: Rc<Core>,
    pub(crate) function_failures: FunctionFailures,
    /// The page size of the key's parameters in bytes, or `None` without a key.
    pub(crate) page_size: Option<u32>,
    /// Whether SQLite found a rollback journal at the first attempt to read the file.
    had_journal: Cell<bool>,
}

impl Opened {
    /// Opens a connection without reading the file.
    pub(crate) fn connect(location: Location<'_>, options: &OpenOptions) -> Result<Self, OpenError> {
        vendored_sys::init().map_err(|source| OpenError::Init { source })?;
        seam::register_provider();
        silence_cipher_log();
        let path = c_path(location)?;
        let image = match location {
            Location::Image(bytes) => Some(bytes),
            Location::File(_) | Location::Memory => None,
        };
        let mut flags = match options.read_only && image.is_none() {
            true => OpenFlags::SQLITE_OPEN_READ_ONLY,
            false => OpenFlags::SQLITE_OPEN_READ_WRITE,
        };
        if !options.read_only && !options.must_exist {
            flags |= OpenFlags::SQLITE_OPEN_CREATE;
        }
        let core = open_listed(location, || {
            seam::open(&path, flags).map_err(|failure| cannot_open(location, options, failure))
        })?;
        let registered = core.with(|connection| {
            // rusqlite panics on a timeout of more milliseconds than a C int holds.
            connection.busy_timeout(options.busy_timeout.min(MAX_TIMEOUT))?;
            // Defensive mode forbids SQL that can damage a file: writing pages, shadow tables and the schema table.
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
            functions::register(connection)
        });
        let function_failures = registered.map_err(|failure| cannot_use(location, failure))?;
        if let Some(bytes) = image {
            let loaded = match strongroom::without_header(bytes) {
                None => core.deserialize(bytes, options.read_only),
                Some((header, pages)) => {
                    core.keep_header(header);
                    core.deserialize(&pages, options.read_only)
                }
            };
            loaded.map_err(|failure| cannot_use(location, failure))?;
        }
        Ok(Self { core: Rc::new(core), function_failures, page_size: None, had_journal: Cell::new(false) })
    }

    /// Opens the file of the database `schema` of another connection a second time, with the same key and parameters. An
    /// interrupt of the other connection interrupts this one too.
    ///
    /// Returns `None` for an in-memory database, which only its own connection can reach.
    pub(crate) fn twin(core: &Core, schema: &CStr, options: &OpenOptions) -> Result<Option<Self>, OpenError> {
        let Some(path) = core.file_name(schema) else { return Ok(None) };
        let path = path_of(&path);
        let location = Location::File(&path);
        let mut opened = Self::connect(location, options)?;
        if let Some(interrupter) = core.present_interrupter() {
            opened.core.interrupted_by(interrupter);
        }
        let cipher = Cipher::of(core, schema).map_err(|failure| cannot_use(location, failure))?;
        if let Some(cipher) = cipher {
            cipher.apply(&opened.core, MAIN).map_err(|failure| cannot_use(location, failure))?;
            opened.page_size = cipher.parameters.page_size;
        }
        Ok(Some(opened))
    }

    /// Opens the file again with the file's own page size, if the key has no page size and authenticates the first
    /// page.
    ///
    /// Anyone with the key can find the page size by trying each size on the first page.
    pub(crate) fn with_page_size_of_file(
        &self,
        location: Location<'_>,
        options: &OpenOptions,
        key: &Key,
    ) -> Option<Result<Self, OpenError>> {
        if key.parameters().page_size.is_some() {
            return None;
        }
        // The header of a file in the Strongroom format holds the page size, so that `page_keys` is `None` here.
        let cipher = cipher_with_page_size_of_file(&self.core, MAIN, self.page_size)?;
        let again = Self::connect(location, options).and_then(|mut opened| {
            cipher.apply(&opened.core, MAIN).map_err(|failure| cannot_use(location, failure))?;
            opened.page_size = cipher.parameters.page_size;
            opened.had_journal.set(self.had_journal.get());
            Ok(opened)
        });
        Some(again)
    }

    /// Opens a connection with the same key and parameters.
    pub(crate) fn again(&self, location: Location<'_>, options: &OpenOptions) -> Result<Self, OpenError> {
        let opened = Self::connect(location, options)?;
        let cipher = Cipher::of(&self.core, MAIN).map_err(|failure| cannot_use(location, failure))?;
        if let Some(cipher) = cipher {
            cipher.apply(&opened.core, MAIN).map_err(|failure| cannot_use(location, failure))?;
        }
        Ok(Self { page_size: self.page_size, ..opened })
    }

    /// Returns a copy of an encrypted image that is not in WAL mode: an in-memory database cannot have a write-ahead log.
    pub(crate) fn image_without_wal(&self, image: &[u8]) -> Result<Vec<u8>, OpenError> {
        let location = Location::Image(image);
        let core = self.again(location, &OpenOptions::default())?.core;
        // A connection in exclusive locking mode keeps its log in memory, and can leave WAL mode.
        let left = core.with(|connection| {
            connection.execute_batch("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE")
        });
        left.and_then(|()| core.stored_bytes()).map_err(|failure| cannot_use(location, failure))
    }

    /// Reads the first page and the schema, to detect a wrong key or a truncated file.
    pub(crate) fn verify(&self, location: Location<'_>) -> Result<(), OpenError> {
        let page_size = self.page_size.unwrap_or(strongroom::DEFAULT_PAGE_SIZE);
        self.had_journal.update(|had| had || unused_pages::has_journal(&self.core, MAIN));
        let verified = verify(&self.core, MAIN, location, page_size);
        // The last connection moves the log into the file when it closes. A connection that cannot read the file must
        // change nothing.
        let _ = self.core.with(|connection| {
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, verified.is_err())
        });
        if verified.is_ok() && self.had_journal.get() {
            unused_pages::repair(&self.core, MAIN);
        }
        verified
    }
}

/// Reads the first page and the schema of an encrypted database, to detect a wrong key or a truncated file.
///
/// A new or empty file has nothing to read: its first write creates the salt and uses the key.
pub(crate) fn verify(
    core: &Core,
    schema: &CStr,
    location: Location<'_>,
    page_size: u32,
) -> Result<(), OpenError> {
    let name = schema.to_string_lossy();
    let unlocked = core.unlocked(&name);
    let checked = core.with(|connection| {
        // Inside a transaction, no writer changes the file between the reads of its start and its length.
        let transaction = connection.unchecked_transaction()?;
        let count = format!("SELECT count(*) FROM {}.sqlite_schema", quoted(&name));
        transaction.query_one(&count, [], |row| row.get::<_, i64>(0))?;
        let pages: i64 = pragma(&transaction, &name, "page_count")?;
        let journal: String = pragma(&transaction, &name, "journal_mode")?;
        let expected = pages.unsigned_abs() * u64::from(page_size);
        let truncated = match location {
            // In WAL mode the log may hold the last pages instead of the file.
            Location::File(_) if journal != "wal" => core.file_start(schema, 0),
            Location::Image(_) => core.file_start(schema, 0),
            _ => None,
        };
        let truncated = truncated.map(|start| start.length);
        let truncated = truncated.filter(|&length| length < expected).map(|length| OpenError::Truncated {
            path: path_or_memory(location),
            length,
            expected,
        });
        // A log may hold the first page instead of the file, whose first page a loss of power may have damaged.
        let has_log = journal == "wal" && log::has_frames(core, schema);
        let is_other =
            unlocked.as_ref().is_some_and(|keys| !has_log && !starts_with(core, schema, keys.file_id()));
        let damaged = is_other.then(|| OpenError::DamagedPage { path: path_or_memory(location), page: 1 });
        transaction.commit()?;
        Ok(truncated.or(damaged))
    });
    match (checked, location) {
        (Ok(None), _) => Ok(()),
        (Ok(Some(error)), _) => Err(error),
        (Err(Failure::Sqlite { .. }), Location::File(_) | Location::Image(_))
            if unlocked.is_some() && core.cipher_failed(&name) =>
        {
            let page = core.failed_page(&name).unwrap_or(1);
            Err(OpenError::DamagedPage { path: path_or_memory(location), page })
        }
        (Err(Failure::Sqlite { code, message }), Location::File(_) | Location::Image(_)) => {
            let path = path_or_memory(location);
            let source = SqlError::Sqlite { code: result_codes::name(code), message };
            Err(match code & 0xff {
                // SQLCipher reports SQLITE_NOTADB or SQLITE_ERROR for a first page that fails its authentication.
                sqlite::SQLITE_NOTADB => unreadable(core, schema, path, page_size, source),
                sqlite::SQLITE_ERROR if core.cipher_failed(&name) => {
                    unreadable(core, schema, path, page_size, source)
                }
                // With a plaintext header, SQLite accepts the header of the first page, although SQLCipher has filled
                // the rest with zeros.
                sqlite::SQLITE_CORRUPT if core.cipher_failed(&name) && has_plaintext_header(core, schema) => {
                    OpenError::WrongKey { path }
                }
                sqlite::SQLITE_CORRUPT => OpenError::Damaged { path, source },
                _ => OpenError::Sqlite { path, source },
            })
        }
        (Err(failure), _) => Err(cannot_use(location, failure)),
    }
}

/// Returns whether the first page of a file in the Strongroom format starts with the file's identity, or the file holds no
/// page. SQLCipher neither decrypts nor authenticates these bytes.
fn starts_with(core: &Core, schema: &CStr, identity: &[u8]) -> bool {
    let start = core.file_start(schema, identity.len());
    start.is_none_or(|start| start.length == 0 || start.bytes == identity)
}

/// Opens a connection and registers its file as open, unless another thread converts the file.
fn open_listed(
    location: Location<'_>,
    open: impl Fn() -> Result<Core, OpenError>,
) -> Result<Core, OpenError> {
    let Location::File(path) = location else { return open() };
    let in_use = || OpenError::InUse { path: path.to_owned() };
    // SQLite would keep the descriptor of a second connection open until the first connection is closed.
    if registry::file_id(path).is_some_and(|id| registry::is_claimed(&id)) {
        return Err(in_use());
    }
    let core = open()?;
    let Some(id) = registry::file_id(path) else { return Ok(core) };
    let listed = registry::list(id).map_err(|_| in_use())?;
    // A conversion may have replaced the file between the open and the registration.
    let core = if core.has_moved(MAIN) { open()? } else { core };
    core.keep_listed(listed);
    Ok(core)
}

/// Returns whether a file starts like a plain database but has encrypted pages.
///
/// Byte 20 of the header counts the bytes that are reserved at the end of each page. SQLCipher reserves 16 for an IV, and a
/// multiple of 16 for the HMAC. A plain copy of an encrypted database reserves the same bytes, and leaves them zero.
/// Source: SQLite's file format, sections 1.3.2 and 1.3.4.
pub(crate) fn has_plaintext_header(core: &Core, schema: &CStr) -> bool {
    let Some(header) = core.file_part(schema, 0, HEADER).filter(|bytes| bytes.starts_with(PLAIN_HEADER))
    else {
        return false;
    };
    let &[.., high, low, _, _, reserved] = header.as_slice() else { return false };
    // A page of 65,536 bytes is written as 1.
    let page_size = match u64::from(u16::from_be_bytes([high, low])) {
        1 => 65_536,
        size => size,
    };
    let end = page_size.saturating_sub(reserved.into());
    let kept = core.file_part(schema, end, reserved.into());
    reserved >= 16
        && reserved.is_multiple_of(16)
        && kept.is_some_and(|kept| kept.iter().any(|&byte| byte != 0))
}

/// Inspects a file's bytes to find why the key does not open the file.
fn unreadable(core: &Core, schema: &CStr, path: PathBuf, page_size: u32, source: SqlError) -> OpenError {
    let FileStart { bytes, length } =
        core.file_start(schema, PLAIN_HEADER.len()).unwrap_or(FileStart { bytes: Vec::new(), length: 0 });
    if bytes == PLAIN_HEADER && !has_plaintext_header(core, schema) {
        return OpenError::NotEncrypted { path };
    }
    // The file may have a smaller page size than the key. The key's parameter is then wrong.
    match length % MIN_PAGE_SIZE == 0 && length >= u64::from(page_size) {
        true => OpenError::WrongKey { path },
        false => OpenError::NotADatabase { path, length, source },
    }
}

/// Turns off SQLCipher's log, which writes to standard error, or to the system's log on macOS.
///
/// A library must not write to the caller's streams. The caller gets each error as a value. `PRAGMA cipher_log_level` turns
/// the log on again.
fn silence_cipher_log() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let memory = seam::open(c":memory:", OpenFlags::SQLITE_OPEN_READ_WRITE);
        if let Ok(core) = memory {
            // If this call runs out of memory, opening the connection does too, and reports the failure.
            let _ = core.with(|connection| connection.pragma_update(None, "cipher_log_level", "NONE"));
        }
    });
}
