//! SQL functions that are on every connection.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{Type, ValueRef};
use rusqlite::{Connection, Error, Result};
use strongroom_codec::{Codec, CodecError, Dictionary, Level};
use vendored_sys::sqlite;

use crate::seam::length_limit;

/// Registers `zstd_compress(x [, level [, dictionary]])` and `zstd_decompress(x [, dictionary])`.
///
/// Both answer a blob, and NULL for NULL; a level or a dictionary that is NULL is none.
/// - `zstd_compress` takes text, as its UTF-8 bytes, or a blob, and no number: which text stands for a number is the
///   caller's to say, by a CAST.
/// - `zstd_decompress` takes a blob. `CAST(zstd_decompress(x) AS TEXT)` is text again. Content over the connection's
///   SQLITE_LIMIT_LENGTH is an error before it is made.
///
/// Both are deterministic, so that an index or a generated column may use them, and innocuous, so that a schema may.
pub(crate) fn register(connection: &Connection) -> Result<()> {
    let flags =
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    for arguments in 1..=3 {
        let state = Mutex::new(State::default());
        connection.create_scalar_function("zstd_compress", arguments, flags, move |context| {
            compress(&mut lock(&state), context)
        })?;
    }
    for arguments in 1..=2 {
        let state = Mutex::new(State::default());
        connection.create_scalar_function("zstd_decompress", arguments, flags, move |context| {
            decompress(&mut lock(&state), context)
        })?;
    }
    Ok(())
}

/// What a function keeps from one row to the next.
#[derive(Default)]
struct State {
    codec: Codec,
    dictionary: Option<Dictionary>,
}

impl State {
    /// The dictionary in an argument. It is the same one in each row, and reading it costs more than compressing a row.
    fn dictionary(&mut self, name: &str, argument: ValueRef<'_>) -> Result<Option<Dictionary>> {
        let bytes = match argument {
            ValueRef::Null => return Ok(None),
            ValueRef::Blob(bytes) => bytes,
            other => return Err(wrong_type(name, "its dictionary is a blob", other.data_type())),
        };
        match &self.dictionary {
            Some(kept) if kept.as_bytes() == bytes => {}
            _ => self.dictionary = Some(Dictionary::new(bytes).map_err(|error| failure(name, &error))?),
        }
        Ok(self.dictionary.clone())
    }
}

fn compress(state: &mut State, context: &Context<'_>) -> Result<Option<Vec<u8>>> {
    let name = "zstd_compress";
    let content = match context.get_raw(0) {
        ValueRef::Null => return Ok(None),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
        other => return Err(wrong_type(name, "it takes text or a blob", other.data_type())),
    };
    let level = match argument(context, 1) {
        ValueRef::Null => Level::default(),
        ValueRef::Integer(number) => Level::new(number).map_err(|error| failure(name, &error))?,
        // JavaScript has one kind of number, which arrives as REAL; out of range, the cast saturates.
        ValueRef::Real(number) if number.fract() == 0.0 => {
            Level::new(number as i64).map_err(|error| failure(name, &error))?
        }
        other => return Err(wrong_type(name, "its level is an integer", other.data_type())),
    };
    let dictionary = state.dictionary(name, argument(context, 2))?;
    let frame = state.codec.compress(content, level, dictionary.as_ref());
    frame.map(Some).map_err(|error| failure(name, &error))
}

fn decompress(state: &mut State, context: &Context<'_>) -> Result<Option<Vec<u8>>> {
    let name = "zstd_decompress";
    let frame = match context.get_raw(0) {
        ValueRef::Null => return Ok(None),
        ValueRef::Blob(bytes) => bytes,
        other => return Err(wrong_type(name, "it takes a blob", other.data_type())),
    };
    let dictionary = state.dictionary(name, argument(context, 1))?;
    let content = state.codec.decompress(frame, dictionary.as_ref(), length_limit(context));
    content.map(Some).map_err(|error| failure(name, &error))
}

fn argument<'a>(context: &'a Context<'_>, index: usize) -> ValueRef<'a> {
    if index < context.len() { context.get_raw(index) } else { ValueRef::Null }
}

fn wrong_type(name: &str, takes: &str, given: Type) -> Error {
    error(format!("{name}: {takes}, and this is of type {given}"))
}

fn failure(name: &str, cause: &CodecError) -> Error {
    error(format!("{name}: {cause}"))
}

fn error(message: String) -> Error {
    Error::SqliteFailure(rusqlite::ffi::Error::new(sqlite::SQLITE_ERROR), Some(message))
}

/// A function that panicked left a codec without its context, which is a sound one.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
