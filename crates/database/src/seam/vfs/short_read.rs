//! Remembers the last read past the end of a database file.
//!
//! With auto_vacuum, SQLite reads a page that it is about to append. SQLCipher does not distinguish this page, which is all
//! zeros, from a page of the file that was overwritten with zeros. After a part of a large transaction has been written, not
//! even the length of the file shows the difference: the page may be a hole, which the commit fills.

use std::cell::Cell;
use std::ffi::c_int;

use vendored_sys::sqlite::{self, sqlite3_int64};

thread_local! {
    /// The offset of the last read of a database file of this thread if that read met the end of the file, or -1.
    static PAST_END: Cell<sqlite3_int64> = const { Cell::new(-1) };
}

/// Remembers a read of SQLite that ended with `code`, which is returned.
pub(super) fn note(code: c_int, offset: sqlite3_int64) -> c_int {
    PAST_END.set(if code == sqlite::SQLITE_IOERR_SHORT_READ { offset } else { -1 });
    code
}

/// Returns whether the last page that SQLite read on this thread, which must have this number, was past the end of its file.
pub(crate) fn is_past_end(number: u32) -> bool {
    let (offset, before) = (PAST_END.get(), i64::from(number) - 1);
    // The page size is a power of two.
    before > 0 && offset > 0 && offset % before == 0 && (offset / before).cast_unsigned().is_power_of_two()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_page_of_the_last_short_read_is_past_the_end() {
        note(sqlite::SQLITE_IOERR_SHORT_READ, 4 * 4096);
        assert!(is_past_end(5));
        assert!(!is_past_end(1) && !is_past_end(4) && !is_past_end(6));
        note(sqlite::SQLITE_OK, 4 * 4096);
        assert!(!is_past_end(5));
    }
}
