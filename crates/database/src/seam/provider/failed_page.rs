//! Counts the pages whose HMAC differs from the HMAC in the file.

use std::cell::Cell;
use std::slice;
use std::sync::atomic::{AtomicU32, Ordering};

use openssl::memcmp;

/// Counts the pages of all connections that failed their authentication.
static FAILED_PAGES: AtomicU32 = AtomicU32::new(0);

/// Returns the number of pages that failed their authentication in this process.
///
/// For such a page, SQLCipher gives SQLite a page of zeros, and fails only at the next page. If the page were the last page
/// of a value, SQLite would return the zeros as a part of the value.
#[inline]
pub(in super::super) fn failed_pages() -> u32 {
    FAILED_PAGES.load(Ordering::Relaxed)
}

/// Counts a page that failed its authentication.
pub(super) fn count_failure() {
    FAILED_PAGES.fetch_add(1, Ordering::Relaxed);
    FAILED_PAGES_HERE.set(FAILED_PAGES_HERE.get().wrapping_add(1));
}

thread_local! {
    static FAILED_PAGES_HERE: Cell<u32> = const { Cell::new(0) };
}

/// Returns the number of pages that failed their authentication on this thread, to which a connection belongs.
pub(in super::super) fn failed_pages_here() -> u32 {
    FAILED_PAGES_HERE.get()
}

/// A page whose HMAC differs from the HMAC in the file.
pub(super) enum FailedPage {
    /// Every byte is zero.
    Zeros,
    Other,
}

impl FailedPage {
    /// Compares the HMAC of a page with the computed one, and counts a failure.
    ///
    /// # Safety
    ///
    /// `content` is the start of a page in SQLCipher's buffer. The page's HMAC follows the content.
    pub(super) unsafe fn check(content: &[u8], computed: &[u8]) -> Option<Self> {
        // SAFETY: SQLCipher compares the same bytes after this call.
        let page = unsafe { slice::from_raw_parts(content.as_ptr(), content.len() + computed.len()) };
        // Compares in constant time, as SQLCipher's `sqlcipher_memcmp` does.
        if memcmp::eq(&page[content.len()..], computed) {
            return None;
        }
        count_failure();
        match page.iter().all(|&byte| byte == 0) {
            true => Some(Self::Zeros),
            false => Some(Self::Other),
        }
    }
}
