//! An SQLite statement that knows whether it is live.

use std::cell::RefCell;
use std::ffi::{CStr, c_char, c_int, c_uint};
use std::ptr::{self, NonNull};
use std::rc::Rc;

use vendored_sys::sqlite;

use super::bound::Bound;
use super::core::text;
use super::provider::failed_pages;
use super::{Core, Failure, Row, pending};
use crate::Value;

/// The outcome of a step.
pub(crate) enum Step {
    /// The statement is on a row.
    Row,
    /// The statement has run to its end.
    Done,
}

/// The origin of a column of a result.
pub(crate) struct Origin {
    pub(crate) name: String,
    pub(crate) column: Option<String>,
    pub(crate) table: Option<String>,
    pub(crate) database: Option<String>,
    pub(crate) declared_type: Option<String>,
}

/// The position of a statement in an SQL text.
pub(crate) struct Source<'s> {
    pub(crate) sql: &'s CStr,
    /// The byte at which the statement starts.
    pub(crate) start: usize,
    /// `true` if the statement will be kept and run again.
    pub(crate) persistent: bool,
}

/// The first statement of a text.
pub(crate) struct Parsed {
    /// `None` if only blanks and comments precede the next semicolon.
    pub(crate) statement: Option<RawStatement>,
    /// The length of the statement in bytes.
    pub(crate) length: usize,
}

/// Owns a `sqlite3_stmt`, which is live as long as the core is open.
pub(crate) struct RawStatement {
    core: Rc<Core>,
    raw: NonNull<sqlite::sqlite3_stmt>,
    bound: Rc<RefCell<Bound>>,
}

impl RawStatement {
    /// Compiles the first statement of `source`.
    pub(crate) fn parse(core: &Rc<Core>, source: &Source<'_>) -> Result<Parsed, Failure> {
        let _entered = core.enter();
        let db = core.open_db()?;
        if core.schema_lock.is_held() {
            return Err(Failure::Busy);
        }
        let _held = core.schema_lock.hold();
        // The length includes the NUL, so that SQLite does not copy the text. A text longer than a C int can express is
        // over SQLite's own limit.
        let sql = source.sql.to_bytes_with_nul().get(source.start..).unwrap_or(b"\0");
        let length = c_int::try_from(sql.len()).unwrap_or(c_int::MAX);
        let flags: c_uint = if source.persistent { sqlite::SQLITE_PREPARE_PERSISTENT } else { 0 };
        let mut raw = ptr::null_mut();
        let mut tail: *const c_char = ptr::null();
        let text: *const c_char = sql.as_ptr().cast();
        // SAFETY: the connection is open, the text has at least `length` bytes, and both results are local.
        let code =
            unsafe { sqlite::sqlite3_prepare_v3(db, text, length, flags, &raw mut raw, &raw mut tail) };
        core.check(code)?;
        let rest = sql.len() - 1;
        let length = if tail.is_null() { rest } else { (tail.addr() - text.addr()).min(rest) };
        let statement = NonNull::new(raw).map(|raw| {
            let bound = Rc::default();
            core.remember(raw, &bound);
            Self { core: Rc::clone(core), raw, bound }
        });
        Ok(Parsed { statement, length })
    }

    /// Returns the statement if its core is open.
    fn live(&self) -> Result<*mut sqlite::sqlite3_stmt, Failure> {
        if self.core.is_open() { Ok(self.raw.as_ptr()) } else { Err(Failure::Closed) }
    }

    #[inline]
    pub(crate) fn step(&mut self) -> Result<Step, Failure> {
        let raw = self.live()?;
        if self.core.schema_lock.is_held() {
            return Err(Failure::Busy);
        }
        let _entered = self.core.enter();
        // SAFETY: the statement is live, and stays live because the core is entered. `&mut self` prevents SQL functions
        // that call back from stepping the same statement.
        let step = match unsafe { sqlite::sqlite3_step(raw) } {
            sqlite::SQLITE_ROW => Step::Row,
            sqlite::SQLITE_DONE => Step::Done,
            code => {
                let failure = self.core.failure(code);
                pending::clear_page_size();
                return Err(failure);
            }
        };
        if self.core.sound.get() != failed_pages() {
            self.core.check_pages(self.raw)?;
        }
        Ok(step)
    }

    /// Returns the row that the last step reached.
    #[inline]
    pub(crate) fn row(&self) -> Row<'_> {
        let columns = match self.live() {
            // SAFETY: the statement is live. Without a row, SQLite returns 0.
            Ok(raw) => unsafe { sqlite::sqlite3_data_count(raw) },
            Err(_) => 0,
        };
        Row::new(self.core.enter(), self.raw, usize::try_from(columns).unwrap_or(0))
    }

    /// Ends a run. The returned code repeats the last step's error, which `step` has already reported.
    #[inline]
    pub(crate) fn reset(&mut self) {
        if let Ok(raw) = self.live() {
            let _entered = self.core.enter();
            // SAFETY: the statement is live, and no row borrows it.
            unsafe { sqlite::sqlite3_reset(raw) };
        }
    }

    /// Sets every parameter to NULL, unless the statement is running: its registers may refer to the memory of the values.
    pub(crate) fn clear_bindings(&mut self) {
        if let Ok(raw) = self.live() {
            // SAFETY: the statement is live. A statement that is not busy reads no value before the next step.
            unsafe {
                if sqlite::sqlite3_stmt_busy(raw) != 0 {
                    return;
                }
                sqlite::sqlite3_clear_bindings(raw);
            }
            self.bound.borrow_mut().clear();
        }
    }

    /// Sets every parameter to NULL if one of the values is long.
    #[inline]
    pub(crate) fn clear_long_bindings(&mut self) {
        if self.bound.borrow().long {
            self.clear_bindings();
        }
    }

    /// Binds a copy of a value. Text is UTF-8.
    #[inline]
    pub(crate) fn bind(&mut self, index: c_int, value: Value<'_>) -> Result<(), Failure> {
        let raw = self.live()?;
        // SAFETY: the statement is live, and SQLite checks the index.
        let code = unsafe {
            match value {
                Value::Null => sqlite::sqlite3_bind_null(raw, index),
                Value::Integer(number) => sqlite::sqlite3_bind_int64(raw, index, number),
                Value::Real(number) => sqlite::sqlite3_bind_double(raw, index, number),
                Value::Text(bytes) | Value::Blob(bytes) => {
                    let is_text = matches!(value, Value::Text(_));
                    return self.bind_bytes(raw, index, bytes, is_text);
                }
            }
        };
        self.core.check(code)
    }

    fn bind_bytes(
        &mut self,
        raw: *mut sqlite::sqlite3_stmt,
        index: c_int,
        bytes: &[u8],
        is_text: bool,
    ) -> Result<(), Failure> {
        // SAFETY: the statement is live.
        let running = unsafe { sqlite::sqlite3_stmt_busy(raw) } != 0;
        let position = usize::try_from(index).ok().and_then(|index| index.checked_sub(1));
        let position = position.filter(|&position| !running && position < self.parameter_count());
        let mut bound = self.bound.borrow_mut();
        let (bytes, destructor) = match position.and_then(|position| bound.keep(position, bytes)) {
            Some(kept) => (kept, sqlite::SQLITE_STATIC()),
            None => (bytes, sqlite::SQLITE_TRANSIENT()),
        };
        let (address, length) = (bytes.as_ptr(), bytes.len() as u64);
        // SAFETY: the statement is live, and SQLite checks the index. SQLite either copies the bytes, or keeps the pointer
        // until another value is bound to the parameter or all values are cleared. The memory changes only before this
        // call, which replaces the pointer; if the call fails, all pointers are dropped below. A statement that is not
        // running reads no parameter. SQLite does not read the dangling pointer of an empty slice; a null pointer would
        // bind NULL.
        let code = unsafe {
            if is_text {
                let (text, encoding) = (address.cast::<c_char>(), sqlite::SQLITE_UTF8 as u8);
                sqlite::sqlite3_bind_text64(raw, index, text, length, destructor, encoding)
            } else {
                sqlite::sqlite3_bind_blob64(raw, index, address.cast(), length, destructor)
            }
        };
        if code != sqlite::SQLITE_OK && position.is_some() {
            let failure = self.core.failure(code);
            // SAFETY: the statement is live, and is not running.
            unsafe {
                sqlite::sqlite3_reset(raw);
                sqlite::sqlite3_clear_bindings(raw);
            }
            return Err(failure);
        }
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

    /// Returns the names of all parameters with their prefixes.
    pub(crate) fn parameter_names(&self) -> Vec<Option<String>> {
        let Ok(raw) = self.live() else { return Vec::new() };
        // SAFETY: the statement is live, the index is in range, and the name is copied.
        let name = |index| unsafe { text(sqlite::sqlite3_bind_parameter_name(raw, index)) };
        (1..).take(self.parameter_count()).map(name).collect()
    }

    pub(crate) fn column_count(&self) -> usize {
        // SAFETY: the statement is live.
        let count = self.live().map_or(0, |raw| unsafe { sqlite::sqlite3_column_count(raw) });
        usize::try_from(count).unwrap_or(0)
    }

    /// Returns how often SQLite has recompiled the statement after a schema change.
    pub(crate) fn reprepared(&self) -> u32 {
        // SAFETY: the statement is live.
        let count = self.live().map_or(0, |raw| unsafe {
            sqlite::sqlite3_stmt_status(raw, sqlite::SQLITE_STMTSTATUS_REPREPARE, 0)
        });
        count.cast_unsigned()
    }

    /// Returns the number of virtual machine steps that the statement has taken.
    #[inline]
    pub(crate) fn vm_steps(&self) -> u32 {
        // SAFETY: the statement is live.
        let count = self.live().map_or(0, |raw| unsafe {
            sqlite::sqlite3_stmt_status(raw, sqlite::SQLITE_STMTSTATUS_VM_STEP, 0)
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

    /// Returns the SQL with the values of its parameters, or `None` if memory runs out.
    pub(crate) fn expanded_sql(&self) -> Option<String> {
        let raw = self.live().ok()?;
        // SAFETY: the statement is live. The text ends in NUL, and SQLite's allocator frees it after the copy.
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
            // Dropping the rows of a virtual table here may call back.
            let _entered = self.core.enter();
            // SAFETY: the statement was live, and nothing else refers to it.
            unsafe { sqlite::sqlite3_finalize(self.raw.as_ptr()) };
        }
    }
}
