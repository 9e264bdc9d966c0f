//! Finds the page size of a file in SQLCipher's format, whose key has none.

use std::ffi::CStr;

use super::{PAGE_SIZES, log};
use crate::cipher::Cipher;
use crate::seam::Core;

/// Returns the key of the database `schema` with the page size of its file, if the key authenticates the first page, or if
/// the write-ahead log has another page size than `tried`.
///
/// `tried` is a page size that has already failed. After a loss of power during a checkpoint, the file's first page may be
/// torn; SQLite then reads this page from the log.
pub(crate) fn cipher_with_page_size_of_file(
    core: &Core,
    schema: &CStr,
    tried: Option<u32>,
) -> Option<Cipher> {
    let cipher = Cipher::of(core, schema).ok()??;
    let (keys, _) = cipher.page_keys()?;
    let start = core.file_start(schema, *PAGE_SIZES.end() as usize)?;
    let mut sizes = PAGE_SIZES
        .filter(|&size| size.is_power_of_two() && u64::from(size) <= start.length && Some(size) != tried);
    let found = sizes.find(|&size| {
        let page = start.bytes.get(..size as usize).unwrap_or_default();
        matches!(keys.authenticate(page, 1, &cipher.parameters), Ok(Some(true)))
    });
    let found = found.or_else(|| log::page_size(core, schema).filter(|&size| Some(size) != tried))?;
    Some(cipher.with_page_size(found))
}
