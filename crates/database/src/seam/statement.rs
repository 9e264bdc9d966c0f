//! A prepared statement that knows whether it is still alive.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::NonNull;
use std::rc::Rc;

use vendored_sys::sqlite;

use super::core::text;
use super::{Core, Failure, Row};
use crate::Value;

/// What a step came to.
pub(crate) enum Step {
    /// There is a row.
    Row,
    /// The statement has run to its end.
    Done,
}

/// Where a column of a result comes from.
pub(crate) struct Origin {
    pub(crate) name: String,
    pub(crate) column: Option<String>,
    pub(crate) table: Option<String>,
    pub(crate) database: Option<String>,
    pub(crate) declared_type: Option<String>,
}

/// The owner of a `sqlite3_stmt`, which is live as long as the core is open.
pub(crate) struct RawStatement {
    core: Rc<Core>,
    raw: NonNull<sqlite::sqlite3_stmt>,
}

impl RawStatement {
    pub(super) fn new(core: Rc<Core>, raw: NonNull<sqlite::sqlite3_stmt>) -> Self {
        Self { core, raw }
    }

    /// The statement, if its core is open.
    fn live(&self) -> Result<*mut sqlite::sqlite3_stmt, Failure> {
        if self.core.is_open() { Ok(self.raw.as_ptr()) } else { Err(Failure::Closed) }
    }

    #[inline]
    pub(crate) fn step(&mut self) -> Result<Step, Failure> {
        let raw = self.live()?;
        let _entered = self.core.enter();
        // SAFETY: the statement is live, and stays so because the core is entered. `&mut self` keeps SQL functions that
        // call back from stepping the same statement.
        match unsafe { sqlite::sqlite3_step(raw) } {
            sqlite::SQLITE_ROW => Ok(Step::Row),
            sqlite::SQLITE_DONE => Ok(Step::Done),
            code => Err(self.core.failure(code)),
        }
    }

    /// The row that the last step came to.
    #[inline]
    pub(crate) fn row(&self) -> Row<'_> {
        let columns = match self.live() {
            // SAFETY: the statement is live. SQLite answers 0 where there is no row.
            Ok(raw) => unsafe { sqlite::sqlite3_data_count(raw) },
            Err(_) => 0,
        };
        Row::new(self.core.enter(), self.raw, usize::try_from(columns).unwrap_or(0))
    }

    /// Ends a run. SQLite repeats the error of the last step here, which was reported then.
    #[inline]
    pub(crate) fn reset(&mut self) {
        if let Ok(raw) = self.live() {
            let _entered = self.core.enter();
            // SAFETY: the statement is live, and no row borrows it.
            unsafe { sqlite::sqlite3_reset(raw) };
        }
    }

    pub(crate) fn clear_bindings(&mut self) {
        if let Ok(raw) = self.live() {
            // SAFETY: the statement is live.
            unsafe { sqlite::sqlite3_clear_bindings(raw) };
        }
    }

    /// Binds a value, which is copied. Text is UTF-8.
    #[inline]
    pub(crate) fn bind(&mut self, index: c_int, value: Value<'_>) -> Result<(), Failure> {
        let raw = self.live()?;
        // SAFETY: the statement is live; SQLite checks the index; pointer and length are those of a slice, and SQLite
        // copies it (SQLITE_TRANSIENT). The pointer of an empty slice is dangling but not null, which SQLite would take
        // for NULL, and is not read.
        let code = unsafe {
            match value {
                Value::Null => sqlite::sqlite3_bind_null(raw, index),
                Value::Integer(number) => sqlite::sqlite3_bind_int64(raw, index, number),
                Value::Real(number) => sqlite::sqlite3_bind_double(raw, index, number),
                Value::Text(bytes) => sqlite::sqlite3_bind_text64(
                    raw,
                    index,
                    bytes.as_ptr().cast::<c_char>(),
                    bytes.len() as u64,
                    sqlite::SQLITE_TRANSIENT(),
                    sqlite::SQLITE_UTF8 as u8,
                ),
                Value::Blob(bytes) => sqlite::sqlite3_bind_blob64(
                    raw,
                    index,
                    bytes.as_ptr().cast::<c_void>(),
                    bytes.len() as u64,
                    sqlite::SQLITE_TRANSIENT(),
                ),
            }
        };
        self.core.check(code)
    }

    pub(crate) fn is_read_only(&self) -> bool {
        // SAFETY: the statement is live.
        self.live().is_ok_and(|raw| unsafe { sqlite::sqlite3_stmt_readonly(raw) } != 0)
    }

    pub(crate) fn parameter_count(&self) -> usize {
        // SAFETY: the statement is live.
        let count = self.live().map_or(0, |raw| unsafe { sqlite::sqlite3_bind_parameter_count(raw) });
        usize::try_from(count).unwrap_or(0)
    }

    /// The names of all parameters, each with its prefix.
    pub(crate) fn parameter_names(&self) -> Vec<Option<String>> {
        let Ok(raw) = self.live() else { return Vec::new() };
        // SAFETY: the statement is live; the index is in range; the name is copied.
        let name = |index| unsafe { text(sqlite::sqlite3_bind_parameter_name(raw, index)) };
        (1..).take(self.parameter_count()).map(name).collect()
    }

    pub(crate) fn column_count(&self) -> usize {
        // SAFETY: the statement is live.
        let count = self.live().map_or(0, |raw| unsafe { sqlite::sqlite3_column_count(raw) });
        usize::try_from(count).unwrap_or(0)
    }

    /// How often SQLite has prepared it anew since it was made, because the schema had changed.
    pub(crate) fn reprepared(&self) -> u32 {
        // SAFETY: the statement is live.
        let count = self.live().map_or(0, |raw| unsafe {
            sqlite::sqlite3_stmt_status(raw, sqlite::SQLITE_STMTSTATUS_REPREPARE, 0)
        });
        count.cast_unsigned()
    }

    pub(crate) fn origins(&self) -> Result<Vec<Origin>, Failure> {
        let raw = self.live()?;
        // SAFETY: the statement is live, each index is in range, and each string is copied before the next call.
        let origin = |index| unsafe {
            Origin {
                name: text(sqlite::sqlite3_column_name(raw, index)).unwrap_or_default(),
                column: text(sqlite::sqlite3_column_origin_name(raw, index)),
                table: text(sqlite::sqlite3_column_table_name(raw, index)),
                database: text(sqlite::sqlite3_column_database_name(raw, index)),
                declared_type: text(sqlite::sqlite3_column_decltype(raw, index)),
            }
        };
        Ok((0..).take(self.column_count()).map(origin).collect())
    }

    /// The SQL with the values of its parameters, where SQLite has the memory for it.
    pub(crate) fn expanded_sql(&self) -> Option<String> {
        let raw = self.live().ok()?;
        // SAFETY: the statement is live. The text ends in NUL, is copied, and then freed by the allocator it is from.
        unsafe {
            let expanded = sqlite::sqlite3_expanded_sql(raw);
            if expanded.is_null() {
                return None;
            }
            let copy = CStr::from_ptr(expanded).to_string_lossy().into_owned();
            sqlite::sqlite3_free(expanded.cast());
            Some(copy)
        }
    }
}

impl Drop for RawStatement {
    fn drop(&mut self) {
        if self.core.forget(self.raw) {
            // SAFETY: it was live, and nothing else knows it any more.
            unsafe { sqlite::sqlite3_finalize(self.raw.as_ptr()) };
        }
    }
}
