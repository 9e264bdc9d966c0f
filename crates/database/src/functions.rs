//! The SQL functions that every connection has.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{Type, ValueRef};
use rusqlite::{Connection, Error, Result};
use strongroom_codec::{Codec, CodecError, Dictionary, Level};
use vendored_sys::sqlite;

use crate::SqlError;
use crate::seam::length_limit;

/// Registers `zstd_compress(x [, level [, dictionary]])` and `zstd_decompress(x [, dictionary])`.
///
/// Both functions return a blob, or NULL for NULL. A NULL level or dictionary is treated as absent.
/// - `zstd_compress` takes text, as its UTF-8 bytes, or a blob. A number requires a CAST, which chooses its text form.
/// - `zstd_decompress` takes a blob. `CAST(zstd_decompress(x) AS TEXT)` returns the text. If the content exceeds the
///   connection's SQLITE_LIMIT_LENGTH, the call fails before decompressing.
///
/// Both functions are deterministic, so indexes and generated columns may use them. Both functions are also innocuous,
/// so the rest of a schema may use them.
pub(crate) fn register(connection: &Connection) -> Result<FunctionFailures> {
    let flags =
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    let failures = FunctionFailures::default();
    for arguments in 1..=3 {
        let call = Mutex::new(Call::new("zstd_compress", &failures));
        connection.create_scalar_function("zstd_compress", arguments, flags, move |context| {
            lock(&call).compress(context)
        })?;
    }
    for arguments in 1..=2 {
        let call = Mutex::new(Call::new("zstd_decompress", &failures));
        connection.create_scalar_function("zstd_decompress", arguments, flags, move |context| {
            lock(&call).decompress(context)
        })?;
    }
    Ok(failures)
}

/// The last failure of a function on a connection. SQLite itself passes on only a failed function's message.
#[derive(Clone, Default)]
pub(crate) struct FunctionFailures(Arc<Mutex<Option<SqlError>>>);

impl FunctionFailures {
    /// Takes the failure whose message SQLite reported.
    pub(crate) fn take(&self, message: &str) -> Option<SqlError> {
        lock(&self.0).take().filter(|failure| failure.to_string() == message)
    }
}

/// A function with the state that it keeps from one row to the next.
struct Call {
    function: &'static str,
    failures: FunctionFailures,
    codec: Codec,
    dictionary: Option<Dictionary>,
}

impl Call {
    fn new(function: &'static str, failures: &FunctionFailures) -> Self {
        Self { function, failures: failures.clone(), codec: Codec::default(), dictionary: None }
    }

    fn compress(&mut self, context: &Context<'_>) -> Result<Option<Vec<u8>>> {
        let content = match context.get_raw(0) {
            ValueRef::Null => return Ok(None),
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
            other => return Err(self.wrong_type("the value must be text or a blob", other.data_type())),
        };
        let level = match argument(context, 1) {
            ValueRef::Null => Level::default(),
            ValueRef::Integer(number) => Level::new(number).map_err(|source| self.failed(source))?,
            // JavaScript's numbers arrive as REAL. The cast saturates numbers out of range.
            ValueRef::Real(number) if number.fract() == 0.0 => {
                Level::new(number as i64).map_err(|source| self.failed(source))?
            }
            other => return Err(self.wrong_type("the level must be an integer", other.data_type())),
        };
        let dictionary = self.dictionary(argument(context, 2))?;
        let frame = self.codec.compress(content, level, dictionary.as_ref());
        frame.map(Some).map_err(|source| self.failed(source))
    }

    fn decompress(&mut self, context: &Context<'_>) -> Result<Option<Vec<u8>>> {
        let frame = match context.get_raw(0) {
            ValueRef::Null => return Ok(None),
            ValueRef::Blob(bytes) => bytes,
            other => return Err(self.wrong_type("the value must be a blob", other.data_type())),
        };
        let dictionary = self.dictionary(argument(context, 1))?;
        let content = self.codec.decompress(frame, dictionary.as_ref(), length_limit(context));
        content.map(Some).map_err(|source| self.failed(source))
    }

    /// Reads the dictionary in an argument, or returns the previous row's dictionary if the bytes are the same.
    fn dictionary(&mut self, argument: ValueRef<'_>) -> Result<Option<Dictionary>> {
        let bytes = match argument {
            ValueRef::Null => return Ok(None),
            ValueRef::Blob(bytes) => bytes,
            other => return Err(self.wrong_type("the dictionary must be a blob", other.data_type())),
        };
        match &self.dictionary {
            Some(kept) if kept.as_bytes() == bytes => {}
            _ => self.dictionary = Some(Dictionary::new(bytes).map_err(|source| self.failed(source))?),
        }
        Ok(self.dictionary.clone())
    }

    fn failed(&self, source: CodecError) -> Error {
        let failure = SqlError::Function { function: self.function, source };
        let message = failure.to_string();
        *lock(&self.failures.0) = Some(failure);
        error(message)
    }

    fn wrong_type(&self, expected: &str, given: Type) -> Error {
        error(format!("{}: {expected}, not {}", self.function, sql_name(given)))
    }
}

/// Returns SQL's name of a type, as `typeof` does, but in capitals.
fn sql_name(type_: Type) -> &'static str {
    match type_ {
        Type::Null => "NULL",
        Type::Integer => "INTEGER",
        Type::Real => "REAL",
        Type::Text => "TEXT",
        Type::Blob => "BLOB",
    }
}

fn argument<'a>(context: &'a Context<'_>, index: usize) -> ValueRef<'a> {
    if index < context.len() { context.get_raw(index) } else { ValueRef::Null }
}

fn error(message: String) -> Error {
    Error::SqliteFailure(rusqlite::ffi::Error::new(sqlite::SQLITE_ERROR), Some(message))
}

/// Locks a mutex, even after a panic: a function that panicked leaves a codec without contexts, which still works.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
