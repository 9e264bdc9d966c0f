//! Files in the Strongroom format: recognises them, and reads, creates and changes their headers.

use std::ffi::CStr;
use std::path::PathBuf;
use std::sync::Arc;

use strongroom_format::{FormatError, HEADER_LENGTH, Header, HeaderError, MAGIC, UnlockError, Unlocked};
use strongroom_keys::{Format, Key, KeyError, SecretBytes};
use vendored_sys::sqlite;

use crate::cipher::CipherFailure;
use crate::open::{MAIN, PLAIN_HEADER, cannot_use, path_or_memory};
use crate::seam::{Core, Created, Failure, FileOnDisk};
use crate::{Location, OpenError, SqlError};

/// The page size of new files in bytes.
pub(crate) const DEFAULT_PAGE_SIZE: u32 = 4_096;

/// The format and the page size of a file that is new.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewFile {
    pub(crate) format: Format,
    /// Bytes per page.
    pub(crate) page_size: u32,
}

impl NewFile {
    /// Returns the format and the page size of the key, or their defaults.
    pub(crate) fn of(key: &Key) -> Self {
        let format = key.format().unwrap_or(Format::SqlCipher);
        Self { format, page_size: key.parameters().effective_page_size() }
    }
}

/// The failure of using a key for the format of a file.
#[derive(Debug)]
pub(crate) enum FormatFailure {
    /// The key is for another format.
    Other { wanted: &'static str, found: &'static str },
    /// The header is damaged, or needs another version.
    Header(HeaderError),
    /// The key opens no slot, or the header was changed without the key.
    Unlock(UnlockError),
    /// A new header could not be made.
    Create(FormatError),
}

impl FormatFailure {
    pub(crate) fn into_open_error(self, path: PathBuf) -> OpenError {
        match self {
            Self::Other { wanted, found } => OpenError::OtherFormat { path, wanted, found },
            Self::Header(source @ (HeaderError::NewerVersion { .. } | HeaderError::UnknownCipher { .. })) => {
                OpenError::UnsupportedFormat { path, source: Box::new(source) }
            }
            Self::Header(source) => OpenError::DamagedHeader { path, source: Box::new(source) },
            Self::Unlock(
                reason @ (UnlockError::WrongKey
                | UnlockError::NoSlot { .. }
                | UnlockError::UnknownSlot { .. }),
            ) => OpenError::WrongSlotKey { path, reason },
            Self::Unlock(source @ UnlockError::OtherFile) => {
                let moved =
                    Failure::Sqlite { code: sqlite::SQLITE_READONLY_DBMOVED, message: source.to_string() };
                OpenError::Sqlite { path, source: SqlError::from_failure(moved) }
            }
            Self::Unlock(source @ (UnlockError::UnsupportedSlot { .. } | UnlockError::KdfLimit { .. })) => {
                OpenError::UnsupportedFormat { path, source: Box::new(source) }
            }
            Self::Unlock(UnlockError::OpenSsl { source }) | Self::Create(FormatError::OpenSsl { source }) => {
                OpenError::Key { path, source: KeyError::Derivation { source } }
            }
            Self::Unlock(UnlockError::Init { source }) | Self::Create(FormatError::Init { source }) => {
                OpenError::Init { source }
            }
            Self::Create(FormatError::PageSize { actual }) => {
                OpenError::Key { path, source: KeyError::PageSize { actual } }
            }
            Self::Create(FormatError::Key { source }) => OpenError::Key { path, source },
            Self::Unlock(source) => OpenError::DamagedHeader { path, source: Box::new(source) },
            Self::Create(source) => OpenError::UnsupportedFormat { path, source: Box::new(source) },
        }
    }
}

/// Fails for a file in the Strongroom format, which a connection without a key cannot read.
pub(crate) fn refuse_without_key(core: &Core, location: Location<'_>) -> Result<(), OpenError> {
    let found = core.on_disk(MAIN).map_err(|failure| cannot_use(location, failure))?;
    match found.is_some_and(|found| is_strongroom(&found)) {
        true => Err(OpenError::KeyRequired { path: path_or_memory(location) }),
        false => Ok(()),
    }
}

/// Returns whether a file starts like a file in the Strongroom format.
pub(crate) fn is_strongroom(found: &FileOnDisk) -> bool {
    Header::detect(&found.start)
}

/// Opens the file of the database `schema` with a key, or creates its header if the file is new and gets the Strongroom
/// format. Returns `None` for a file of another format.
pub(crate) fn unlock(
    core: &Core,
    schema: &CStr,
    key: &Key,
    new: NewFile,
) -> Result<Option<Unlocked>, CipherFailure> {
    let is_wanted = key.format() == Some(Format::Strongroom);
    let becomes = new.format == Format::Strongroom;
    let create = || Unlocked::create(key, new.page_size).map_err(FormatFailure::Create);
    let Some(mut found) = core.on_disk(schema)? else {
        // An in-memory database has no header. One with content is an image of another format.
        let start = core.file_start(schema, PLAIN_HEADER.len()).filter(|start| start.length > 0);
        return match start {
            Some(start) if is_wanted => Err(not_strongroom(&start.bytes)),
            None if becomes => Ok(Some(create()?)),
            _ => Ok(None),
        };
    };
    let is_new = match found.length {
        0 => becomes,
        // A recovery code is the second key of a file, so the file was once complete.
        _ => is_unborn(&found) && !key.is_recovery_code() && (becomes || is_strongroom(&found)),
    };
    if is_new && !(core.is_read_only(schema) && found.length > 0) {
        if let Some(parameter) = key.parameters().first_of_sqlcipher() {
            return Err(CipherFailure::Key(KeyError::Parameter { parameter }));
        }
        let unlocked = create()?;
        if core.is_read_only(schema) {
            // Nothing is written, and the file holds no page to read.
            return Ok(Some(unlocked));
        }
        match core.create_header(schema, &unlocked.header_bytes(), is_free)? {
            Created::New => return Ok(Some(unlocked)),
            Created::Existed(now) => found = now,
        }
    }
    if is_strongroom(&found) {
        return unlock_existing(&found.start, key).map(Some);
    }
    if is_wanted { Err(not_strongroom(&found.start)) } else { Ok(None) }
}

/// Returns the failure for a file that should have the Strongroom format.
fn not_strongroom(start: &[u8]) -> CipherFailure {
    let found = match start.starts_with(PLAIN_HEADER) {
        true => "plain (not encrypted)",
        false => "\"sqlcipher\", or the file is not a database",
    };
    other(Format::Strongroom, found)
}

fn unlock_existing(start: &[u8], key: &Key) -> Result<Unlocked, CipherFailure> {
    if key.format() == Some(Format::SqlCipher) {
        return Err(other(Format::SqlCipher, "\"strongroom\""));
    }
    if let Some(parameter) = key.parameters().first_of_sqlcipher() {
        return Err(CipherFailure::Key(KeyError::Parameter { parameter }));
    }
    let header = Header::read(start).map_err(FormatFailure::Header)?;
    Ok(header.unlock(key).map_err(FormatFailure::Unlock)?)
}

fn other(wanted: Format, found: &'static str) -> CipherFailure {
    FormatFailure::Other { wanted: wanted.name(), found }.into()
}

/// Opens the file of the database `schema` with the credential that opened another file, or creates the header of a new
/// file.
pub(crate) fn unlock_like(
    core: &Core,
    schema: &CStr,
    other_file: &Unlocked,
) -> Result<Unlocked, CipherFailure> {
    let Some(found) = core.on_disk(schema)? else {
        return Ok(other_file.for_new_file(other_file.page_size()).map_err(FormatFailure::Create)?);
    };
    if is_free(&found) {
        return create_from(core, schema, other_file);
    }
    if !is_strongroom(&found) {
        return Err(not_strongroom(&found.start));
    }
    let header = Header::read(&found.start).map_err(FormatFailure::Header)?;
    Ok(header.unlock_with(other_file.credential()).map_err(FormatFailure::Unlock)?)
}

/// Opens the file of the database `schema` with the credential that has opened the same file before.
pub(crate) fn unlock_again(core: &Core, schema: &CStr, before: &Unlocked) -> Result<Unlocked, CipherFailure> {
    let found = core.on_disk(schema)?.ok_or_else(|| Core::failure_of_code(sqlite::SQLITE_MISUSE))?;
    if !is_strongroom(&found) {
        return Err(not_strongroom(&found.start));
    }
    let header = Header::read(&found.start).map_err(FormatFailure::Header)?;
    Ok(header.unlock_again(before).map_err(FormatFailure::Unlock)?)
}

/// Creates the header of a new file, the database `schema`, which the key of `other_file` opens.
pub(crate) fn create_from(
    core: &Core,
    schema: &CStr,
    other_file: &Unlocked,
) -> Result<Unlocked, CipherFailure> {
    let unlocked = other_file.for_new_file(other_file.page_size()).map_err(FormatFailure::Create)?;
    create(core, schema, &unlocked)?;
    Ok(unlocked)
}

/// Writes a header into a new file, the database `schema`, or accepts a file that has this header.
pub(crate) fn create_with_header(
    core: &Core,
    schema: &CStr,
    header: &Arc<Unlocked>,
) -> Result<Arc<Unlocked>, CipherFailure> {
    let has_header = core.on_disk(schema)?.is_some_and(|found| found.start.starts_with(header.copy_bytes()));
    if !has_header {
        create(core, schema, header)?;
    }
    Ok(Arc::clone(header))
}

fn create(core: &Core, schema: &CStr, header: &Unlocked) -> Result<(), CipherFailure> {
    match core.create_header(schema, &header.header_bytes(), is_free)? {
        Created::New => Ok(()),
        Created::Existed(_) => Err(Failure::Sqlite {
            code: sqlite::SQLITE_BUSY,
            message: "another connection has created the file".to_owned(),
        }
        .into()),
    }
}

/// Returns whether another connection has removed the key slot that opened the file of the database `schema`. A copy for the
/// same key would open with the removed key only.
pub(crate) fn is_slot_removed(core: &Core, schema: &CStr, unlocked: &Unlocked) -> Result<bool, Failure> {
    let header = core.on_disk(schema)?.and_then(|found| Header::read(&found.start).ok());
    let opened = header.map(|header| header.unlock_again(unlocked));
    Ok(matches!(opened, Some(Err(UnlockError::WrongKey | UnlockError::NoSlot { .. }))))
}

/// Returns the damage of the header of a file, which an open connection no longer needs.
pub(crate) fn header_damage(core: &Core, schema: &CStr, unlocked: &Unlocked) -> Option<String> {
    let unreadable = |error: &dyn std::fmt::Display| {
        Some(format!("the header cannot be read ({error}): back the open database up"))
    };
    let found = match core.on_disk(schema) {
        Ok(found) => found?,
        Err(failure) => return unreadable(&SqlError::from_failure(failure)),
    };
    let header = match Header::read(&found.start) {
        Ok(header) => header,
        Err(error) => return unreadable(&error),
    };
    match header.unlock_again(unlocked) {
        Err(error @ (UnlockError::Altered | UnlockError::OtherFile)) => {
            Some(format!("{error}: back the open database up"))
        }
        _ if !header.has_both_copies() => Some(
            "one of the two copies of the header is damaged: a change of a key slot, such as db.keys.change() with the \
             present label, writes both"
                .to_owned(),
        ),
        Ok(current) => {
            let slots = current.slots().unwrap_or_default();
            let unreadable = slots.iter().find(|slot| slot.created.is_none())?;
            Some(format!(
                "the label of key slot {} cannot be read, although the header is authentic: give the slot a label with \
                 db.keys.change(), or remove it",
                unreadable.id
            ))
        }
        Err(_) => None,
    }
}

/// Returns whether a connection may write a header into the file: the file is empty, or it is the remainder of an interrupted
/// creation and the connection may create it. Another connection takes the remainder for a file that was cut off.
fn is_free(found: &FileOnDisk) -> bool {
    found.length == 0 || (found.creates && is_unborn(found))
}

/// Returns whether a file is the remainder of an interrupted creation: it has no page, and neither copy of its header is whole.
fn is_unborn(found: &FileOnDisk) -> bool {
    found.length <= HEADER_LENGTH as u64 && Header::is_interrupted_creation(&found.start)
}

/// Returns a key in SQLCipher's form, which SQLCipher keeps but which encrypts nothing. Its salt, the file's identity, stands
/// at the start of the first page.
pub(crate) fn unused_key(unlocked: &Unlocked) -> Result<SecretBytes, Failure> {
    let random = || Key::generate().ok().and_then(|key| key.expose_raw().map(SecretBytes::copy_of));
    let (Some(cipher), Some(hmac)) = (random(), random()) else {
        return Err(Failure::Sqlite {
            code: sqlite::SQLITE_ERROR,
            message: "OpenSSL returned no random bytes".to_owned(),
        });
    };
    Ok(strongroom_keys::PageKeys { cipher, hmac }.keyspec(unlocked.file_id()))
}

/// Splits an image in the Strongroom format into its header and its pages, which have no gap in memory.
pub(crate) fn without_header(image: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    if !image.starts_with(&MAGIC) {
        return None;
    }
    let header = image.get(..HEADER_LENGTH.min(image.len()))?.to_vec();
    let page_size = Header::read(&header).map_or(DEFAULT_PAGE_SIZE, |header| header.page_size());
    let layout = crate::seam::Layout::new(page_size);
    let length = usize::try_from(layout.logical_length(image.len() as u64)).ok()?;
    let bend = usize::try_from(layout.bend()).ok()?.min(length);
    let first = usize::try_from(layout.place(0)).ok()?;
    let mut pages = image.get(first..first + bend)?.to_vec();
    if length > bend {
        let second = usize::try_from(layout.place(bend as u64)).ok()?;
        pages.extend_from_slice(image.get(second..)?);
    }
    Some((header, pages))
}

/// Returns the image of a file in the Strongroom format with these pages.
pub(crate) fn with_header(unlocked: &Unlocked, pages: &[u8]) -> Vec<u8> {
    let layout = crate::seam::Layout::new(unlocked.page_size());
    let mut image = unlocked.header_bytes().to_vec();
    let bend = usize::try_from(layout.bend()).unwrap_or(usize::MAX).min(pages.len());
    image.extend_from_slice(&pages[..bend]);
    if pages.len() > bend {
        image.resize(usize::try_from(layout.place(bend as u64)).unwrap_or(usize::MAX), 0);
        image.extend_from_slice(&pages[bend..]);
    }
    image
}
