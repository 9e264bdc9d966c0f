//! Binds JavaScript values to a statement's parameters.
//!
//! The TypeScript layer passes an array with one value per parameter, in the engine's order: a number, a string, a
//! bigint, a `Uint8Array`, null or undefined. Nothing here runs JavaScript.

use std::ptr;

use napi::{Env, sys};
use strongroom_database::{Statement, Value};

use crate::{
    error::{Failure, Outcome},
    handle::{self, Handle, check},
};

/// Buffers for reading strings, which a statement reuses.
#[derive(Default)]
pub(crate) struct Scratch {
    utf8: Vec<u8>,
    utf16: Vec<u16>,
}

impl Scratch {
    /// Frees the memory of an exceptionally long string.
    pub(crate) fn trim(&mut self) {
        const MAX_KEPT: usize = 64 * 1024;
        if self.utf8.capacity() > MAX_KEPT {
            self.utf8 = Vec::new();
        }
        // Only text with U+FFFD uses it.
        self.utf16 = Vec::new();
    }
}

/// Binds the values of one call.
pub(crate) struct Binder<'c> {
    pub(crate) env: &'c Env,
    pub(crate) statement: &'c mut Statement,
    pub(crate) scratch: &'c mut Scratch,
}

impl Binder<'_> {
    /// Binds each element of the array `values` to the parameter at its position.
    pub(crate) fn bind_all(&mut self, values: Handle) -> Outcome<()> {
        let count = handle::array_length(self.env, values)?;
        for position in 0..count {
            let value = handle::element(self.env, values, position)?;
            self.bind(position as usize + 1, value)?;
        }
        Ok(())
    }

    fn bind(&mut self, index: usize, value: Handle) -> Outcome<()> {
        match handle::type_of(self.env, value)? {
            sys::ValueType::napi_number => {
                let number = number_of(self.env, value)?;
                self.statement.bind(index, Value::Real(number))?;
            }
            sys::ValueType::napi_string => self.bind_text(index, value)?,
            sys::ValueType::napi_null | sys::ValueType::napi_undefined => {
                self.statement.bind(index, Value::Null)?;
            }
            sys::ValueType::napi_bigint => {
                let Some(integer) = integer_of(self.env, value)? else {
                    let label = self.label(index);
                    return Err(Failure::Range {
                        message: format!(
                            "{label} does not fit SQLite's integers, which have 64 bits and a sign"
                        ),
                    });
                };
                self.statement.bind(index, Value::Integer(integer))?;
            }
            sys::ValueType::napi_object => self.bind_bytes(index, value)?,
            _ => return Err(self.unsupported(index)),
        }
        Ok(())
    }

    fn bind_text(&mut self, index: usize, value: Handle) -> Outcome<()> {
        read_string(self.env, self.scratch, value)?;
        // Node-API writes U+FFFD for a lone surrogate, so that only text with U+FFFD needs the check.
        if holds_replacement(&self.scratch.utf8) && holds_lone_surrogate(self.env, self.scratch, value)? {
            let label = self.label(index);
            return Err(Failure::Value {
                message: format!(
                    "{label} holds a lone surrogate, which UTF-8 cannot store: bind a Buffer, or call toWellFormed()"
                ),
            });
        }
        Ok(self.statement.bind(index, Value::Text(&self.scratch.utf8))?)
    }

    fn bind_bytes(&mut self, index: usize, value: Handle) -> Outcome<()> {
        // SAFETY: the engine copies the bytes, and no JavaScript runs before.
        let Some(bytes) = (unsafe { bytes_of(self.env, value) }) else {
            return Err(self.unsupported(index));
        };
        Ok(self.statement.bind(index, Value::Blob(bytes))?)
    }

    /// Names a parameter in a message: by its position, and by its name if it has one.
    fn label(&self, index: usize) -> String {
        match self.statement.parameter_name(index) {
            Some(name) => format!("parameter {index} ({name})"),
            None => format!("parameter {index}"),
        }
    }

    #[cold]
    fn unsupported(&self, index: usize) -> Failure {
        let label = self.label(index);
        Failure::Type {
            message: format!("{label} must be a number, string, bigint, Buffer, typed array or null"),
        }
    }
}

/// Returns the bytes of a `Uint8Array`, or `None` for another value.
///
/// # Safety
///
/// No JavaScript runs while the bytes are in use, and no other thread can write them: the TypeScript layer copies shared
/// memory.
pub(crate) unsafe fn bytes_of(env: &Env, value: Handle) -> Option<&[u8]> {
    let mut kind = sys::TypedarrayType::int8_array;
    let (mut length, mut data) = (0, ptr::null_mut());
    let (mut buffer, mut offset) = (ptr::null_mut(), 0);
    // SAFETY: `value` is a handle of the running call; Node-API refuses a value that is not a typed array.
    let status = unsafe {
        sys::napi_get_typedarray_info(
            env.raw(),
            value,
            &mut kind,
            &mut length,
            &mut data,
            &mut buffer,
            &mut offset,
        )
    };
    if status != sys::Status::napi_ok || kind != sys::TypedarrayType::uint8_array {
        return None;
    }
    // A view on a detached buffer, or on an empty one, has no address.
    if data.is_null() || length == 0 {
        return Some(&[]);
    }
    // SAFETY: Node-API returned address and length of memory that the handle keeps alive. The caller guarantees the rest.
    Some(unsafe { std::slice::from_raw_parts(data.cast::<u8>(), length) })
}

/// Returns a bigint that SQLite can store, or `None` for one that has more than 64 bits.
pub(crate) fn integer_of(env: &Env, value: Handle) -> Outcome<Option<i64>> {
    let (mut integer, mut lossless) = (0, false);
    // SAFETY: `value` is a handle of the running call; Node-API checks that it is a bigint.
    let status = unsafe { sys::napi_get_value_bigint_int64(env.raw(), value, &mut integer, &mut lossless) };
    check(env, status, "napi_get_value_bigint_int64")?;
    Ok(lossless.then_some(integer))
}

/// Returns a number.
pub(crate) fn number_of(env: &Env, value: Handle) -> Outcome<f64> {
    let mut number = 0.0;
    // SAFETY: `value` is a handle of the running call; Node-API checks that it is a number.
    let status = unsafe { sys::napi_get_value_double(env.raw(), value, &mut number) };
    check(env, status, "napi_get_value_double")?;
    Ok(number)
}

/// Returns a string as UTF-8, or `None` for one with a lone surrogate.
pub(crate) fn string_of(env: &Env, value: Handle) -> Outcome<Option<String>> {
    let mut scratch = Scratch::default();
    read_string(env, &mut scratch, value)?;
    if holds_replacement(&scratch.utf8) && holds_lone_surrogate(env, &mut scratch, value)? {
        return Ok(None);
    }
    Ok(String::from_utf8(scratch.utf8).ok())
}

/// Reads a string as UTF-8 into `scratch.utf8`.
fn read_string(env: &Env, scratch: &mut Scratch, value: Handle) -> Outcome<()> {
    let buffer = &mut scratch.utf8;
    buffer.clear();
    buffer.reserve(64);
    let mut written = fill(env, buffer, value)?;
    // Node-API stops before a character that does not fit, which leaves up to three bytes and the NUL free.
    if written + 4 >= buffer.capacity() {
        let mut needed = 0;
        // SAFETY: without a buffer Node-API only returns the length.
        let status =
            unsafe { sys::napi_get_value_string_utf8(env.raw(), value, ptr::null_mut(), 0, &mut needed) };
        check(env, status, "napi_get_value_string_utf8")?;
        if needed > written {
            buffer.reserve(needed + 1);
            written = fill(env, buffer, value)?;
        }
    }
    // SAFETY: Node-API has written this many bytes to the start of the buffer, within its capacity.
    unsafe { buffer.set_len(written) };
    Ok(())
}

/// Writes as much of the string as the buffer's capacity holds. Returns the number of bytes.
fn fill(env: &Env, buffer: &mut Vec<u8>, value: Handle) -> Outcome<usize> {
    let mut written = 0;
    // SAFETY: Node-API writes at most `capacity` bytes, including the NUL, to memory that the buffer owns.
    let status = unsafe {
        sys::napi_get_value_string_utf8(
            env.raw(),
            value,
            buffer.as_mut_ptr().cast(),
            buffer.capacity(),
            &mut written,
        )
    };
    check(env, status, "napi_get_value_string_utf8")?;
    Ok(written)
}

/// Whether the bytes hold U+FFFD.
fn holds_replacement(bytes: &[u8]) -> bool {
    // The search for the byte 0xEF, which no ASCII text holds, is faster than the search for all three bytes.
    bytes.contains(&0xEF) && bytes.windows(3).any(|window| window == "\u{FFFD}".as_bytes())
}

fn holds_lone_surrogate(env: &Env, scratch: &mut Scratch, value: Handle) -> Outcome<bool> {
    let mut units = 0;
    // SAFETY: without a buffer Node-API only returns the length.
    let status =
        unsafe { sys::napi_get_value_string_utf16(env.raw(), value, ptr::null_mut(), 0, &mut units) };
    check(env, status, "napi_get_value_string_utf16")?;
    let buffer = &mut scratch.utf16;
    buffer.clear();
    buffer.resize(units + 1, 0);
    // SAFETY: the buffer has room for the units and a NUL.
    let status = unsafe {
        sys::napi_get_value_string_utf16(env.raw(), value, buffer.as_mut_ptr(), units + 1, &mut units)
    };
    check(env, status, "napi_get_value_string_utf16")?;
    Ok(char::decode_utf16(buffer[..units].iter().copied()).any(|unit| unit.is_err()))
}
