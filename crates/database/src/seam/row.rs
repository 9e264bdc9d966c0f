//! A result row, borrowed from its statement.

use std::ffi::c_int;
use std::fmt;
use std::ptr::NonNull;
use std::slice;

use vendored_sys::sqlite;

use super::core::Entered;
use crate::Value;

/// The row that a statement is on.
///
/// A row borrows its statement, so the statement cannot be stepped meanwhile. A row also keeps the database from closing.
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

    /// Returns whether the row has no columns.
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
        // SAFETY: the statement is live, because the core is entered, and its row has this column. Earlier pointers stay valid
        // until the next step or reset, which `&self` rules out.
        unsafe { value_of(sqlite::sqlite3_column_value(raw, index)) }
    }

    /// Returns the stored value of a column: text is in the database's encoding, unconverted.
    pub(crate) fn stored(&self, column: usize) -> Value<'_> {
        let raw = self.statement.as_ptr();
        let index = column as c_int;
        // SAFETY: as in `value`. SQLite returns the bytes of a text as a blob without converting them, and their number.
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
    /// Shows the number of columns, but no values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row").field("len", &self.columns).finish_non_exhaustive()
    }
}

/// Returns a value of SQLite. Reading a value as its own type converts at most the encoding of a text.
///
/// For each `sqlite3_column_` function, SQLite looks up the column and takes a mutex. The `sqlite3_value_` functions do
/// neither, and are allowed on the value of a column: one thread at a time uses a connection.
///
/// # Safety
///
/// The pointer is a value that is valid during `'a`, and nothing changes it.
#[inline]
pub(super) unsafe fn value_of<'a>(value: *mut sqlite::sqlite3_value) -> Value<'a> {
    // SAFETY: the caller upholds the contract.
    unsafe {
        match sqlite::sqlite3_value_type(value) {
            sqlite::SQLITE_INTEGER => Value::Integer(sqlite::sqlite3_value_int64(value)),
            sqlite::SQLITE_FLOAT => Value::Real(sqlite::sqlite3_value_double(value)),
            sqlite::SQLITE_TEXT => {
                let bytes = sqlite::sqlite3_value_text(value);
                Value::Text(bytes_at(bytes, sqlite::sqlite3_value_bytes(value)))
            }
            sqlite::SQLITE_BLOB => {
                let bytes = sqlite::sqlite3_value_blob(value);
                Value::Blob(bytes_at(bytes.cast(), sqlite::sqlite3_value_bytes(value)))
            }
            _ => Value::Null,
        }
    }
}

/// Returns the bytes of a value. The pointer is null for an empty value, or if memory runs out.
///
/// # Safety
///
/// The pointer is null, or valid for `length` bytes during `'a`.
pub(super) unsafe fn bytes_at<'a>(pointer: *const u8, length: c_int) -> &'a [u8] {
    match usize::try_from(length) {
        // SAFETY: the caller upholds the contract.
        Ok(length) if length > 0 && !pointer.is_null() => unsafe { slice::from_raw_parts(pointer, length) },
        _ => &[],
    }
}
