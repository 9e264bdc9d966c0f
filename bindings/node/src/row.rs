//! From the engine's rows to JavaScript values.
//!
//! A row crosses with one call: its columns are the arguments of a function that the TypeScript layer compiled for
//! the statement, and which does nothing but build the row's object or array from them.

use std::ptr;

use napi::{Env, sys};
use strongroom_database::{Row, Value};

use crate::{
    error::{Failure, Outcome},
    handle::{self, Handle, check},
};

/// How INTEGER values reach JavaScript.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Integers {
    /// As numbers, inexact beyond 2^53.
    Numbers,
    /// As bigints.
    BigInts,
}

/// Buffers that one statement uses again and again to hand over rows.
#[derive(Default)]
pub(crate) struct Columns {
    handles: Vec<Handle>,
    utf16: Vec<u16>,
}

impl Columns {
    /// Takes over the values of a row, or of its first column alone.
    #[inline]
    pub(crate) fn read(
        &mut self,
        env: &Env,
        row: &Row<'_>,
        (only_first, integers): (bool, Integers),
    ) -> Outcome<()> {
        self.handles.clear();
        let count = if only_first { 1 } else { row.len() };
        for column in 0..count {
            let value = self.value(env, row.value(column), (column, integers))?;
            self.handles.push(value);
        }
        Ok(())
    }

    /// The row that was read last, as `build` makes it; without `build` its first value.
    #[inline]
    pub(crate) fn row(&self, env: &Env, build: Option<Handle>) -> Outcome<Handle> {
        match (build, self.handles.first()) {
            (Some(build), _) => handle::call(env, build, &self.handles),
            (None, Some(&value)) => Ok(value),
            (None, None) => handle::undefined(env),
        }
    }

    fn value(
        &mut self,
        env: &Env,
        value: Value<'_>,
        (column, integers): (usize, Integers),
    ) -> Outcome<Handle> {
        let mut result = ptr::null_mut();
        // SAFETY: each call gets the environment of the running call, and addresses and lengths of memory that the
        // row keeps alive until Node-API has copied it.
        let status = unsafe {
            match value {
                Value::Null => sys::napi_get_null(env.raw(), &mut result),
                Value::Integer(integer) => return integer_value(env, integer, integers),
                Value::Real(number) => sys::napi_create_double(env.raw(), number, &mut result),
                Value::Text(text) => return self.text(env, text, column),
                Value::Blob(bytes) => {
                    let address = bytes.as_ptr().cast();
                    sys::napi_create_buffer_copy(
                        env.raw(),
                        bytes.len(),
                        address,
                        ptr::null_mut(),
                        &mut result,
                    )
                }
            }
        };
        check(env, status, "the value of a column")?;
        Ok(result)
    }

    /// ASCII goes over as Latin-1 and the rest as UTF-16, both of which V8 copies as they are; its own decoder of
    /// UTF-8, several times slower, is left for text that is not valid UTF-8, where it puts U+FFFD.
    fn text(&mut self, env: &Env, text: &[u8], column: usize) -> Outcome<Handle> {
        let mut result = ptr::null_mut();
        // SAFETY: addresses and lengths are those of the slices, which Node-API copies.
        let status = unsafe {
            if text.is_ascii() {
                let address = text.as_ptr().cast();
                sys::napi_create_string_latin1(env.raw(), address, text.len() as isize, &mut result)
            } else if let Ok(text) = std::str::from_utf8(text) {
                self.utf16.clear();
                self.utf16.extend(text.encode_utf16());
                let length = self.utf16.len() as isize;
                sys::napi_create_string_utf16(env.raw(), self.utf16.as_ptr(), length, &mut result)
            } else {
                let address = text.as_ptr().cast();
                sys::napi_create_string_utf8(env.raw(), address, text.len() as isize, &mut result)
            }
        };
        check(env, status, "the text of a column").map_err(|failure| match failure {
            // V8 throws no RangeError of its own here: it hands back nothing.
            Failure::Node(_) => Failure::Range {
                message: format!(
                    "column {} holds {} bytes of text, more than a JavaScript string can: cast it to BLOB",
                    column + 1,
                    text.len()
                ),
            },
            other => other,
        })?;
        Ok(result)
    }
}

/// An integer as the statement was asked to give it.
pub(crate) fn integer_value(env: &Env, integer: i64, integers: Integers) -> Outcome<Handle> {
    let mut result = ptr::null_mut();
    // SAFETY: each call gets the environment of the running call.
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
