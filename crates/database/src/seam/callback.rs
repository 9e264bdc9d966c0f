//! Arguments, results and errors of the caller's functions, aggregates and virtual tables.

use std::cell::RefCell;
use std::ffi::{c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::slice;

use vendored_sys::sqlite;

use super::row::value_of;
use crate::{CallbackError, FunctionOptions, OwnedValue, Value};

/// The number of failures kept: SQLite may call several callbacks after the first failed one.
const MAX_FAILURES: usize = 8;

/// The errors of a connection's callbacks. SQLite itself passes on only their messages.
#[derive(Clone, Default)]
pub(super) struct CallbackFailures(Rc<RefCell<Vec<CallbackError>>>);

impl CallbackFailures {
    /// Keeps an error. Returns the message for SQLite, cut at a NUL, where SQLite would stop reading.
    fn keep(&self, error: CallbackError) -> String {
        let message = message_of(&error);
        let mut kept = self.0.borrow_mut();
        if kept.len() == MAX_FAILURES {
            kept.remove(0);
        }
        kept.push(error);
        message
    }

    /// Takes the error whose message SQLite reported, and forgets the others.
    pub(super) fn take(&self, message: &str) -> Option<CallbackError> {
        let kept = self.0.take();
        kept.into_iter().rev().find(|error| message_of(error) == message)
    }
}

fn message_of(error: &CallbackError) -> String {
    let mut message = error.to_string();
    message.truncate(message.find('\0').unwrap_or(message.len()));
    message
}

/// The values that SQLite passes to a callback.
pub struct Arguments<'a> {
    values: &'a [*mut sqlite::sqlite3_value],
}

impl Arguments<'_> {
    /// Returns the arguments of a running call.
    ///
    /// # Safety
    ///
    /// `values` points to `count` live values, all of which stay live and unchanged during `'a`.
    pub(super) unsafe fn new(count: c_int, values: *mut *mut sqlite::sqlite3_value) -> Self {
        let values = match usize::try_from(count) {
            // SAFETY: the caller upholds the contract.
            Ok(count) if count > 0 => unsafe { slice::from_raw_parts(values, count) },
            _ => &[],
        };
        Self { values }
    }

    /// Returns the number of arguments.
    #[inline]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Returns whether the call has no arguments.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Returns an argument, counted from 0. An argument that does not exist is NULL.
    #[inline]
    pub fn value(&self, index: usize) -> Value<'_> {
        let Some(&value) = self.values.get(index) else { return Value::Null };
        // SAFETY: the value is live during the call. Reading converts at most the encoding of a text, and only once, so
        // earlier pointers stay valid.
        unsafe { value_of(value) }
    }
}

/// Calls a callback, and turns a panic into an error: no panic may cross C code.
pub(super) fn guarded<T>(call: impl FnOnce() -> Result<T, CallbackError>) -> Result<T, CallbackError> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|payload| Err(CallbackError::panicked(&*payload)))
}

/// Drops a value of the caller. The value's destructor may panic.
pub(super) fn drop_guarded<T>(value: T) {
    let _ = catch_unwind(AssertUnwindSafe(|| drop(value)));
}

/// Returns the flags of a function. The schema of a file is untrusted (SQLITE_TRUSTED_SCHEMA), so it can call only
/// innocuous functions.
pub(super) fn function_flags(options: FunctionOptions) -> c_int {
    let reach = if options.direct_only { sqlite::SQLITE_DIRECTONLY } else { sqlite::SQLITE_INNOCUOUS };
    let deterministic = if options.deterministic { sqlite::SQLITE_DETERMINISTIC } else { 0 };
    sqlite::SQLITE_UTF8 | reach | deterministic
}

/// Sets the result of a call.
///
/// # Safety
///
/// `context` belongs to the running call.
pub(super) unsafe fn set_result(
    context: *mut sqlite::sqlite3_context,
    result: Result<OwnedValue, CallbackError>,
    failures: &CallbackFailures,
) {
    // SAFETY: the context is live, and pointers and lengths belong to values that SQLite copies (SQLITE_TRANSIENT). A
    // length over the limit becomes the error SQLITE_TOOBIG.
    unsafe {
        match result {
            Ok(OwnedValue::Null) => sqlite::sqlite3_result_null(context),
            Ok(OwnedValue::Integer(number)) => sqlite::sqlite3_result_int64(context, number),
            Ok(OwnedValue::Real(number)) => sqlite::sqlite3_result_double(context, number),
            Ok(OwnedValue::Text(text)) => sqlite::sqlite3_result_text64(
                context,
                text.as_ptr().cast::<c_char>(),
                text.len() as u64,
                sqlite::SQLITE_TRANSIENT(),
                sqlite::SQLITE_UTF8 as u8,
            ),
            Ok(OwnedValue::Blob(bytes)) => sqlite::sqlite3_result_blob64(
                context,
                bytes.as_ptr().cast::<c_void>(),
                bytes.len() as u64,
                sqlite::SQLITE_TRANSIENT(),
            ),
            Err(error) => {
                let message = failures.keep(error);
                let length = c_int::try_from(message.len()).unwrap_or(c_int::MAX);
                sqlite::sqlite3_result_error(context, message.as_ptr().cast::<c_char>(), length);
            }
        }
    }
}

/// Keeps an error, and returns its message in SQLite's memory, or null if memory runs out.
pub(super) fn message_for_sqlite(error: CallbackError, failures: &CallbackFailures) -> *mut c_char {
    sqlite_string(&failures.keep(error))
}

/// Copies a text without NUL into SQLite's memory. Returns null if memory runs out.
pub(super) fn sqlite_string(text: &str) -> *mut c_char {
    // SAFETY: the memory has room for the text and a NUL.
    unsafe {
        let copy = sqlite::sqlite3_malloc64(text.len() as u64 + 1).cast::<u8>();
        if !copy.is_null() {
            copy.copy_from_nonoverlapping(text.as_ptr(), text.len());
            copy.add(text.len()).write(0);
        }
        copy.cast()
    }
}
