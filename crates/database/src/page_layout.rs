//! The layout of a database's pages, which decides whether pages can be copied from one database to another.

use std::ffi::CStr;

use rusqlite::types::ValueRef;
use strongroom_keys::CipherParameters;

use crate::seam::{Core, Failure};

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
            // SQLite knows the layout of a plain file once it has read the file. A lock or a wrong key, which prevent the
            // reading, prevent every later read as well.
            let _ = connection.pragma_query_value(Some(&*name), "page_count", |_| Ok(()));
            connection.pragma_query_value(Some(&*name), "page_size", |row| match row.get_ref(0)? {
                // SQLCipher's answer is a text.
                ValueRef::Text(text) => Ok(str::from_utf8(text).ok().and_then(|text| text.parse().ok())),
                _ => row.get(0).map(Some),
            })
        })?;
        let reserved = core.reserved_bytes(schema)?;
        Ok(page_size.zip(reserved).map(|(page_size, reserved)| Self { page_size, reserved }))
    }

    /// Returns the layout that a copy of the database has with these parameters.
    ///
    /// Without a page size in the parameters, the copy keeps the page size. Only a page with an HMAC shows its size to
    /// those who open the file: otherwise the copy has the size that they expect.
    pub(crate) fn adopt(&self, parameters: &CipherParameters) -> Self {
        /// A smaller page has no room for a cipher.
        const MIN_ENCRYPTED: u32 = 1024;
        let found_by_reader = parameters.effective_hmac_algorithm().is_some();
        let page_size = match parameters.page_size {
            None if found_by_reader && self.page_size >= MIN_ENCRYPTED => self.page_size,
            _ => parameters.effective_page_size(),
        };
        Self { page_size, reserved: parameters.reserved_bytes() }
    }

    /// Returns the number of the page that holds SQLite's lock bytes. The page has no content and cannot be written.
    pub(crate) fn lock_page(&self) -> u32 {
        0x4000_0000 / self.page_size + 1
    }
}
