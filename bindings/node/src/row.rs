//! Turns the engine's rows into JavaScript values.
//!
//! A row crosses with one call: its columns are the arguments of a function that the TypeScript layer compiled for the
//! statement, and that returns the row's object or array.

use std::ptr;

use napi::{Env, sys};
use strongroom_database::{Row, Value};

use crate::{
    error::{Failure, Outcome},
    handle::{self, Handle, check},
};

/// The JavaScript type of INTEGER values.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Integers {
    /// Numbers, inexact beyond 2^53.
    Numbers,
    /// Bigints.
    BigInts,
}

/// The form in which rows reach JavaScript.
pub(crate) struct Format {
    /// Whether a row is its first value alone.
    pub(crate) only_first: bool,
    pub(crate) integers: Integers,
}

/// Buffers for reading rows, which a statement reuses.
#[derive(Default)]
pub(crate) struct Columns {
    handles: Vec<Handle>,
    utf16: Vec<u16>,
}

impl Columns {
    /// Reads the values of a row.
    #[inline]
    pub(crate) fn read(&mut self, env: &Env, row: &Row<'_>, format: &Format) -> Outcome<()> {
        self.handles.clear();
        let count = if format.only_first { 1 } else { row.len() };
        for column in 0..count {
            let value = match row.value(column) {
                Value::Text(text) => self.text(env, text, column)?,
                other => plain_value(env, other, format.integers)?,
            };
            self.handles.push(value);
        }
        Ok(())
    }

    /// Returns the row that was read last, built by `build`, or its first value without `build`.
    #[inline]
    pub(crate) fn row(&self, env: &Env, build: Option<Handle>) -> Outcome<Handle> {
        match (build, self.handles.first()) {
            (Some(build), _) => handle::call(env, build, &self.handles),
            (None, Some(&value)) => Ok(value),
            (None, None) => handle::undefined(env),
        }
    }

    fn text(&mut self, env: &Env, text: &[u8], column: usize) -> Outcome<Handle> {
        text_value(env, text, &mut self.utf16, || format!("column {}", column + 1))
    }
}

/// Creates the value of a caller's callback from an SQL value.
pub(crate) fn argument_value(
    env: &Env,
    value: Value<'_>,
    integers: Integers,
    position: usize,
) -> Outcome<Handle> {
    match value {
        Value::Text(text) => text_value(env, text, &mut Vec::new(), || format!("argument {}", position + 1)),
        other => plain_value(env, other, integers),
    }
}

/// Creates a value that is not a text.
#[inline]
fn plain_value(env: &Env, value: Value<'_>, integers: Integers) -> Outcome<Handle> {
    match value {
        Value::Integer(integer) => integer_value(env, integer, integers),
        Value::Real(number) => real_value(env, number),
        Value::Blob(bytes) => blob_value(env, bytes),
        Value::Null | Value::Text(_) => null(env),
    }
}

/// Creates a string.
///
/// Passes ASCII as Latin-1 and other text as UTF-16, both of which V8 copies as they are. V8's decoder of UTF-8 is
/// several times slower, and only gets text that is not valid UTF-8, for which it writes U+FFFD.
fn text_value(
    env: &Env,
    text: &[u8],
    utf16: &mut Vec<u16>,
    holder: impl FnOnce() -> String,
) -> Outcome<Handle> {
    let mut result = ptr::null_mut();
    // SAFETY: addresses and lengths belong to the slices, which Node-API copies.
    let status = unsafe {
        if text.is_ascii() {
            let address = text.as_ptr().cast();
            sys::napi_create_string_latin1(env.raw(), address, text.len() as isize, &mut result)
        } else if let Ok(text) = std::str::from_utf8(text) {
            utf16.clear();
            utf16.extend(text.encode_utf16());
            let length = utf16.len() as isize;
            sys::napi_create_string_utf16(env.raw(), utf16.as_ptr(), length, &mut result)
        } else {
            let address = text.as_ptr().cast();
            sys::napi_create_string_utf8(env.raw(), address, text.len() as isize, &mut result)
        }
    };
    check(env, status, "the text of a column").map_err(|failure| match failure {
        // V8 throws no error for a text that is too long: it returns nothing.
        Failure::Node(_) => Failure::Range {
            message: format!(
                "{} holds {} bytes of text, more than a JavaScript string can: cast it to BLOB",
                holder(),
                text.len()
            ),
        },
        other => other,
    })?;
    Ok(result)
}

/// Creates a number or a bigint.
pub(crate) fn integer_value(env: &Env, integer: i64, integers: Integers) -> Outcome<Handle> {
    let mut result = ptr::null_mut();
    // SAFETY: `env` is the environment of the running call.
    let status = unsafe {
        if integers == Integers::BigInts {
            sys::napi_create_bigint_int64(env.raw(), integer, &mut result)
        } else if let Ok(small) = i32::try_from(integer) {
            sys::napi_create_int32(env.raw(), small, &mut result)
        } else {
            sys::napi_create_int64(env.raw(), integer, &mut result)
        }
    };
    check(env, status, "the integer of a column")?;
    Ok(result)
}

#[inline]
fn real_value(env: &Env, number: f64) -> Outcome<Handle> {
    let mut result = ptr::null_mut();
    // SAFETY: `env` is the environment of the running call.
    check(env, unsafe { sys::napi_create_double(env.raw(), number, &mut result) }, "napi_create_double")?;
    Ok(result)
}

#[inline]
fn blob_value(env: &Env, bytes: &[u8]) -> Outcome<Handle> {
    let mut result = ptr::null_mut();
    let address = bytes.as_ptr().cast();
    // SAFETY: address and length belong to the slice, which Node-API copies.
    let status = unsafe {
        sys::napi_create_buffer_copy(env.raw(), bytes.len(), address, ptr::null_mut(), &mut result)
    };
    check(env, status, "napi_create_buffer_copy")?;
    Ok(result)
}

#[inline]
fn null(env: &Env) -> Outcome<Handle> {
    let mut result = ptr::null_mut();
    // SAFETY: `env` is the environment of the running call.
    check(env, unsafe { sys::napi_get_null(env.raw(), &mut result) }, "napi_get_null")?;
    Ok(result)
}
