//! The layout of a database's pages. Pages can be copied only between databases of one layout.

use std::ffi::CStr;

use rusqlite::types::ValueRef;
use strongroom_keys::{CipherParameters, Format};

use crate::cipher::reserved_bytes;
use crate::seam::{Core, Failure};

/// The offset of SQLite's lock bytes. The lock-byte page, which contains them, holds no content. Source: SQLite's file
/// format, section 1.4.
pub(crate) const LOCK_BYTE: u64 = 0x4000_0000;

/// Returns the number of the lock-byte page, which cannot be written. `page_size` is in bytes.
pub(crate) fn lock_page(page_size: u64) -> u64 {
    LOCK_BYTE / page_size + 1
}

/// The size of a page and of the part at its end that holds no content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PageLayout {
    /// Bytes per page.
    pub(crate) page_size: u32,
    /// Bytes at the end of each page for the cipher, or for another extension.
    pub(crate) reserved: u32,
}

impl PageLayout {
    /// Returns the layout of the database `schema`, or `None` for an unknown name.
    pub(crate) fn of(core: &Core, schema: &CStr) -> Result<Option<Self>, Failure> {
        if core.reserved_bytes(schema)?.is_none() {
            return Ok(None);
        }
        let name = schema.to_string_lossy();
        let page_size = core.with(|connection| {
            // SQLite knows the layout of a plain file only once it has read the file. A failure of this read is ignored: a
            // lock or a wrong key makes every later read fail too.
            let _ = connection.pragma_query_value(Some(&*name), "page_count", |_| Ok(()));
            connection.pragma_query_value(Some(&*name), "page_size", |row| match row.get_ref(0)? {
                // SQLCipher returns text.
                ValueRef::Text(text) => Ok(str::from_utf8(text).ok().and_then(|text| text.parse().ok())),
                _ => row.get(0).map(Some),
            })
        })?;
        let reserved = core.reserved_bytes(schema)?;
        Ok(page_size.zip(reserved).map(|(page_size, reserved)| Self { page_size, reserved }))
    }

    /// Returns the layout of a copy of the database with these parameters.
    ///
    /// Without a page size in the parameters, the copy keeps the page size. Without an HMAC, opening the file cannot reveal
    /// its page size, so the copy gets the default size.
    pub(crate) fn adopt(&self, format: Format, parameters: &CipherParameters) -> Self {
        /// Smaller pages have no room for a cipher.
        const MIN_ENCRYPTED: u32 = 1024;
        let found_by_reader = parameters.effective_hmac_algorithm().is_some();
        let page_size = match parameters.page_size {
            None if found_by_reader && self.page_size >= MIN_ENCRYPTED => self.page_size,
            _ => parameters.effective_page_size(),
        };
        Self { page_size, reserved: reserved_bytes(format, parameters) }
    }

    /// Returns the number of the lock-byte page, which holds no content and cannot be written.
    pub(crate) fn lock_page(&self) -> u32 {
        u32::try_from(lock_page(self.page_size.into())).unwrap_or(u32::MAX)
    }
}
