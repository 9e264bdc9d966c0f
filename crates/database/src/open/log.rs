//! The write-ahead log of a file that is being opened.
//!
//! SQLite locks no bytes of a log, so closing a second descriptor releases no lock.

use std::ffi::CStr;
use std::fs::{self, File};
use std::io::Read;
use std::path::PathBuf;

use super::{PAGE_SIZES, path_of};
use crate::convert::with_ending;
use crate::seam::Core;

/// The length of a log's header in bytes.
const HEADER: u64 = 32;

/// Returns whether the database `schema` has a log with pages.
pub(super) fn has_frames(core: &Core, schema: &CStr) -> bool {
    path(core, schema).is_some_and(|log| fs::metadata(log).is_ok_and(|log| log.len() > HEADER))
}

/// Returns the page size from the header of the write-ahead log of the database `schema`. Returns `None` without a log.
/// Source: SQLite's file format, section 4.1.
pub(super) fn page_size(core: &Core, schema: &CStr) -> Option<u32> {
    const MAGIC: [u32; 2] = [0x377f_0682, 0x377f_0683];
    let mut header = [[0; 4]; 3];
    let log = path(core, schema)?;
    File::open(log).and_then(|mut log| log.read_exact(header.as_flattened_mut())).ok()?;
    let [magic, _, size] = header.map(u32::from_be_bytes);
    (MAGIC.contains(&magic) && PAGE_SIZES.contains(&size) && size.is_power_of_two()).then_some(size)
}

/// Returns the path of the log, or `None` for an in-memory database.
fn path(core: &Core, schema: &CStr) -> Option<PathBuf> {
    Some(with_ending(&path_of(&core.file_name(schema)?), "-wal"))
}
