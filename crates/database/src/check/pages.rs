//! Checks that each page of a file was written with the key.

use std::collections::BTreeSet;
use std::fs;

use super::report::LISTED;
use super::twin::{Begun, Twin};
use super::{CheckError, Meter};
use crate::cipher::{Authenticator, Cipher};
use crate::open::{MAIN, file_of};
use crate::page_layout::lock_page;
use crate::pragma::pragma;
use crate::seam::Core;
use crate::{Location, OpenError, SqlError};

/// The number of bytes to read from the file at once.
const CHUNK: u64 = 1 << 20;
/// The number of times that the connection is opened again after a failed page.
const MAX_REOPENED: usize = 1_000;

/// The size of a database and of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    /// Bytes per page.
    pub(super) page: u64,
    /// The number of pages that the database's header states.
    pub(super) pages: u64,
    /// The length of the file in bytes.
    pub(super) file: u64,
    /// `true` if the write-ahead log may hold pages that the file lacks.
    pub(super) log: bool,
}

impl Size {
    /// Reads the sizes. If the first page cannot be read, the number of pages is computed from the length of the file.
    pub(super) fn of(core: &Core, readable: bool) -> Result<Self, CheckError> {
        let file = core.file_start(MAIN, 0).map_or(0, |start| start.length);
        let sizes = core.with(|connection| {
            let page = pragma::<u32>(connection, "main", "page_size");
            // SQLCipher returns text.
            let page = page.or_else(|_| {
                let text = pragma::<String>(connection, "main", "page_size")?;
                Ok::<_, rusqlite::Error>(text.parse().unwrap_or(0))
            })?;
            let log = pragma::<String>(connection, "main", "journal_mode").is_ok_and(|mode| mode == "wal");
            let counted = pragma::<i64>(connection, "main", "page_count").unwrap_or(0).unsigned_abs();
            let stated = connection.query_row("SELECT data FROM sqlite_dbpage WHERE pgno = 1", [], |row| {
                Ok(pages_of_header(row.get_ref(0)?.as_blob()?))
            });
            Ok((u64::from(page), log, counted.max(stated.ok().flatten().unwrap_or(0))))
        });
        let (page, log, pages) = sizes.map_err(SqlError::from_failure)?;
        let page = page.max(1);
        if !readable {
            // The unreadable first page holds the journal mode. A log with content shows WAL mode: SQLite removes an
            // empty log.
            let mut log = file_of(core).into_os_string();
            log.push("-wal");
            let log = fs::metadata(log).is_ok_and(|metadata| metadata.len() > 0);
            return Ok(Self { page, pages: file.div_ceil(page), file, log });
        }
        Ok(Self { page, pages, file, log })
    }

    /// Returns the number of complete pages in the file, at most the number that the database states.
    pub(super) fn whole_pages(&self) -> u64 {
        if self.log { self.pages } else { self.pages.min(self.file / self.page) }
    }

    /// Returns the missing pages, at most as many as a report lists.
    pub(super) fn missing(&self) -> impl Iterator<Item = u32> + use<> {
        let missing = self.whole_pages() + 1..=self.pages;
        missing.take(LISTED).filter_map(|page| u32::try_from(page).ok())
    }

    fn lock_page(&self) -> u64 {
        lock_page(self.page)
    }
}

/// Returns the number of pages that a database's header states, if that number is up to date. Source: SQLite's file format,
/// section 1.3.7.
fn pages_of_header(page: &[u8]) -> Option<u64> {
    let valid = page.get(24..28)? == page.get(92..96)?;
    let bytes = page.get(28..32)?.try_into().ok()?;
    valid.then(|| u64::from(u32::from_be_bytes(bytes)))
}

/// The pages that failed.
#[derive(Default)]
pub(super) struct Failed {
    pub(super) pages: BTreeSet<u32>,
    /// The first page that was not checked, because too many before it had failed.
    pub(super) stopped: Option<u64>,
}

/// Returns the means to authenticate the pages, or `None` for pages that nothing authenticates.
pub(super) fn authenticator(core: &Core) -> Result<Option<Authenticator>, CheckError> {
    let cipher = Cipher::of(core, MAIN).map_err(SqlError::from_failure)?;
    let Some(cipher) = cipher else { return Ok(None) };
    let path = file_of(core);
    cipher.authenticator().map_err(|failure| failure.into_open_error(Location::File(&path)).into())
}

/// Authenticates the pages in the file.
///
/// The lock of the twin's read transaction prevents changes to the file, except in WAL mode.
pub(super) fn in_file(
    core: &Core,
    size: Size,
    authenticator: &mut Authenticator,
    meter: &mut Meter<'_, '_>,
) -> Result<Failed, CheckError> {
    let mut failed = Failed::default();
    let whole = size.pages.min(size.file / size.page);
    let per_chunk = (CHUNK / size.page).max(1);
    let mut first = 1;
    while first <= whole {
        let count = per_chunk.min(whole - first + 1);
        let length = usize::try_from(count * size.page).unwrap_or(usize::MAX);
        let chunk = core.file_part(MAIN, (first - 1) * size.page, length).unwrap_or_default();
        let mut pages = chunk.chunks(usize::try_from(size.page).unwrap_or(usize::MAX));
        for page in first..first + count {
            let content = pages.next().unwrap_or_default();
            let number = u32::try_from(page).unwrap_or(u32::MAX);
            if page == size.lock_page() {
                continue;
            }
            let authentic = authenticator
                .authenticate(content, number)
                .map_err(|source| OpenError::Key { path: file_of(core), source })?;
            if !authentic {
                failed.pages.insert(number);
            }
        }
        first += count;
        meter.checked(first - 1)?;
    }
    Ok(failed)
}

/// Authenticates the pages as a reader sees them, in the file or in the write-ahead log.
pub(super) fn in_snapshot(
    twin: &mut Twin<'_>,
    size: Size,
    meter: &mut Meter<'_, '_>,
) -> Result<Failed, CheckError> {
    let mut failed = Failed::default();
    let mut reopened = 0;
    let mut next = 1;
    while next <= size.pages {
        let Some(page) = first_unreadable(twin, next, size.pages, meter)? else { break };
        failed.pages.insert(u32::try_from(page).unwrap_or(u32::MAX));
        next = page + 1;
        reopened += 1;
        if reopened == MAX_REOPENED || twin.reopen(false)? != Begun::Sound {
            failed.stopped = (next <= size.pages).then_some(next);
            break;
        }
    }
    Ok(failed)
}

/// Reads pages up to the first that fails its authentication.
fn first_unreadable(
    twin: &Twin<'_>,
    from: u64,
    to: u64,
    meter: &mut Meter<'_, '_>,
) -> Result<Option<u64>, CheckError> {
    let (mut cancelled, mut unreadable) = (Ok(()), None);
    let read = twin.core().with(|connection| {
        let mut read = connection.prepare("SELECT data FROM sqlite_dbpage WHERE pgno = ?1")?;
        for page in from..=to {
            let mut rows = read.query([page.cast_signed()])?;
            // SQLCipher replaces a page that fails by zeros, and SQLite reports no error.
            let zeros = match rows.next()? {
                Some(row) => row.get_ref(0)?.as_blob().is_ok_and(|data| data.iter().all(|&byte| byte == 0)),
                None => false,
            };
            drop(rows);
            if zeros && (twin.cipher_failed() || twin.core().has_zeroed_page("main")) {
                unreadable = Some(page);
                break;
            }
            cancelled = meter.maybe_checked(page);
            if cancelled.is_err() {
                break;
            }
        }
        Ok(())
    });
    cancelled?;
    // A failed page may also end the read with an error, which would report the page a second time.
    if unreadable.is_none() {
        read.map_err(SqlError::from_failure)?;
    }
    Ok(unreadable)
}
