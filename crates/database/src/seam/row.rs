//! A row of a result, borrowed from its statement.

use std::ffi::c_int;
use std::fmt;
use std::ptr::NonNull;
use std::slice;

use vendored_sys::sqlite;

use super::core::Entered;
use crate::Value;

/// The row that a statement is on.
///
/// A row borrows its statement, which cannot be stepped meanwhile, and keeps the database from closing.
pub struct Row<'s> {
    _entered: Entered<'s>,
    statement: NonNull<sqlite::sqlite3_stmt>,
    columns: usize,
}

impl<'s> Row<'s> {
    pub(super) fn new(
        entered: Entered<'s>,
        statement: NonNull<sqlite::sqlite3_stmt>,
        columns: usize,
    ) -> Self {
        Self { _entered: entered, statement, columns }
    }
}

impl Row<'_> {
    /// Returns the number of columns.
    #[inline]
    pub fn len(&self) -> usize {
        self.columns
    }

    /// Whether the row has no column.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.columns == 0
    }

    /// Returns the value of a column, counted from 0. A column that does not exist is NULL.
    #[inline]
    pub fn value(&self, column: usize) -> Value<'_> {
        if column >= self.columns {
            return Value::Null;
        }
        let raw = self.statement.as_ptr();
        // SQLite counts columns in a C int, and `column` is less than their number.
        let index = column as c_int;
        // SAFETY: the statement is live, because the core is entered, and its row has this column. Reading a value as its
        // own type converts nothing, so that earlier pointers stay valid until the next step or reset, which `&self`
        // rules out.
        unsafe {
            match sqlite::sqlite3_column_type(raw, index) {
                sqlite::SQLITE_INTEGER => Value::Integer(sqlite::sqlite3_column_int64(raw, index)),
                sqlite::SQLITE_FLOAT => Value::Real(sqlite::sqlite3_column_double(raw, index)),
                sqlite::SQLITE_TEXT => {
                    let bytes = sqlite::sqlite3_column_text(raw, index);
                    Value::Text(bytes_at(bytes, sqlite::sqlite3_column_bytes(raw, index)))
                }
                sqlite::SQLITE_BLOB => {
                    let bytes = sqlite::sqlite3_column_blob(raw, index);
                    Value::Blob(bytes_at(bytes.cast(), sqlite::sqlite3_column_bytes(raw, index)))
                }
                _ => Value::Null,
            }
        }
    }

    /// Returns the value of a column as it is stored: text has the encoding of the database, and is not converted.
    pub(crate) fn stored(&self, column: usize) -> Value<'_> {
        let raw = self.statement.as_ptr();
        let index = column as c_int;
        // SAFETY: as in `value`. SQLite returns the bytes of a text as a blob without a conversion, and their number.
        let is_text = column < self.columns
            && unsafe { sqlite::sqlite3_column_type(raw, index) } == sqlite::SQLITE_TEXT;
        if !is_text {
            return self.value(column);
        }
        // SAFETY: as above.
        unsafe {
            let bytes = sqlite::sqlite3_column_blob(raw, index);
            Value::Text(bytes_at(bytes.cast(), sqlite::sqlite3_column_bytes(raw, index)))
        }
    }
}

impl fmt::Debug for Row<'_> {
    /// Shows the number of columns, and no value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row").field("len", &self.columns).finish_non_exhaustive()
    }
}

/// Returns the bytes of a value. The pointer is null for an empty value, or if memory is short.
///
/// # Safety
///
/// The pointer is null, or valid for `length` bytes during `'a`.
pub(super) unsafe fn bytes_at<'a>(pointer: *const u8, length: c_int) -> &'a [u8] {
    match usize::try_from(length) {
        // SAFETY: the caller guarantees it.
        Ok(length) if length > 0 && !pointer.is_null() => unsafe { slice::from_raw_parts(pointer, length) },
        _ => &[],
    }
}
