//! Repairs unused pages after a loss of power.
//!
//! SQLite does not journal a page that is unused when a transaction begins: after a rollback, nobody needs the content. If
//! power fails while such a page is written, the page may be torn. SQLite never reads an unused page, but a backup, VACUUM
//! and a rekey read every page of the file, and would fail at this page's authentication. The first connection that opens
//! the file with its key after the loss of power therefore fills torn unused pages with zeros. So does VACUUM: the first
//! connection may have had a wrong key, and SQLite deletes the journal without regard to the key.

use std::collections::HashSet;
use std::ffi::CStr;
use std::fs::File;
use std::io::Read;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::OpenOptions;
use crate::cipher::Cipher;
use crate::convert::with_ending;
use crate::open::{MAIN, Opened, path_of};
use crate::pragma::pragma;
use crate::seam::{Core, Failure};

/// Returns whether the database `schema` has a rollback journal that SQLite will roll back, or that another connection
/// writes. Must precede the first read.
///
/// SQLite locks no bytes of a journal, so closing a second descriptor releases no lock.
pub(crate) fn has_journal(core: &Core, schema: &CStr) -> bool {
    /// Source: SQLite's file format, section 3. An ended transaction overwrites or deletes these bytes.
    const MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
    let Some(name) = core.file_name(schema) else { return false };
    let mut start = [0; MAGIC.len()];
    let journal = File::open(with_ending(&path_of(&name), "-journal"));
    journal.and_then(|mut journal| journal.read_exact(&mut start)).is_ok() && start == MAGIC
}

/// Fills the unused pages of the database `schema` that fail their authentication with zeros.
///
/// The repair is best effort: the database is sound without it. A file that another connection writes, or that is
/// read-only, stays as it is.
pub(crate) fn repair(core: &Core, schema: &CStr) {
    if core.is_read_only(schema) || core.is_query_only() || !matches!(Cipher::of(core, schema), Ok(Some(_))) {
        return;
    }
    let options = OpenOptions { must_exist: true, busy_timeout: Duration::ZERO, ..OpenOptions::default() };
    if let Ok(Some(writer)) = Opened::twin(core, schema, &options) {
        // Dropping the connection rolls back an incomplete repair.
        let _ = repair_with(&writer.core);
    }
}

fn repair_with(core: &Core) -> Result<(), Failure> {
    core.with(|connection| connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false).map(drop))?;
    // Readers and writers go on during the search. Only a repair takes the lock of a writer.
    if torn_leaves(core, "BEGIN")?.0.is_empty() {
        return Ok(());
    }
    let (torn, size) = torn_leaves(core, "ROLLBACK; BEGIN IMMEDIATE")?;
    for page in torn {
        core.tolerate_unused_page("main", page)?;
        let sql = "UPDATE sqlite_dbpage SET data = zeroblob(?1) WHERE pgno = ?2";
        let filled = core.with(|connection| connection.execute(sql, (size as i64, page)));
        core.tolerate_unused_page("main", 0)?;
        filled?;
    }
    core.with(|connection| connection.execute_batch("COMMIT"))
}

/// Begins a transaction. Returns the unused pages that fail their authentication, and the page size in bytes.
fn torn_leaves(core: &Core, begin: &str) -> Result<(Vec<u32>, usize), Failure> {
    let (mut leaves, size) = core.with(|connection| {
        connection.execute_batch(begin)?;
        unused_leaves(connection)
    })?;
    let authenticator = Cipher::of(core, MAIN)?.and_then(|cipher| cipher.authenticator().ok().flatten());
    let Some(mut authenticator) = authenticator else { return Ok((Vec::new(), size)) };
    leaves.retain(|&page| {
        let stored = core.file_part(MAIN, (u64::from(page) - 1) * size as u64, size).unwrap_or_default();
        matches!(authenticator.authenticate(&stored, page), Ok(false))
    });
    Ok((leaves, size))
}

/// Returns the unused pages that refer to no other pages, and the page size in bytes. Source: SQLite's file format, section
/// 1.5.
fn unused_leaves(connection: &Connection) -> rusqlite::Result<(Vec<u32>, usize)> {
    let pages: u32 = pragma(connection, "main", "page_count")?;
    let mut read = connection.prepare("SELECT data FROM sqlite_dbpage WHERE pgno = ?1")?;
    let mut page = |number: u32| read.query_row([number], |row| row.get::<_, Vec<u8>>(0));
    let number = |page: &[u8], at: usize| {
        page.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_be_bytes)
    };
    let first = page(1)?;
    let size = first.len();
    let (mut leaves, mut seen) = (Vec::new(), HashSet::new());
    let mut trunk = number(&first, 32).unwrap_or(0);
    while (2..=pages).contains(&trunk) && seen.insert(trunk) {
        let content = page(trunk)?;
        let count = number(&content, 4).unwrap_or(0) as usize;
        let listed = (0..count.min(size / 4)).filter_map(|index| number(&content, 8 + 4 * index));
        leaves.extend(listed.filter(|leaf| (2..=pages).contains(leaf)));
        trunk = number(&content, 0).unwrap_or(0);
    }
    Ok((leaves, size))
}
