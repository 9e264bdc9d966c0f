//! From JavaScript values to what the engine binds.
//!
//! The TypeScript layer has flattened the arguments: one array with one value per parameter, in the engine's order,
//! each of them a number, a string, a bigint, a `Uint8Array`, null or undefined. Nothing here runs JavaScript.

use std::ptr;

use napi::{Env, sys};
use strongroom_database::{Statement, Value};

use crate::{
    error::{Failure, Outcome},
    handle::{self, Handle, check},
};

/// Buffers that one statement uses again and again to read strings.
#[derive(Default)]
pub(crate) struct Scratch {
    utf8: Vec<u8>,
    utf16: Vec<u16>,
}

impl Scratch {
    /// Gives the memory of an exceptionally long string back.
    pub(crate) fn trim(&mut self) {
        const KEPT: usize = 64 * 1024;
        if self.utf8.capacity() > KEPT {
            self.utf8 = Vec::new();
        }
        // used for text that holds U+FFFD only
        self.utf16 = Vec::new();
    }
}

/// Binds each element of the array `values` to the parameter of its position.
pub(crate) fn bind(
    env: &Env,
    statement: &mut Statement,
    scratch: &mut Scratch,
    values: Handle,
) -> Outcome<()> {
    let count = handle::array_length(env, values)?;
    for position in 0..count {
        let value = handle::element(env, values, position)?;
        bind_one(env, statement, scratch, (position as usize + 1, value))?;
    }
    Ok(())
}

fn bind_one(
    env: &Env,
    statement: &mut Statement,
    scratch: &mut Scratch,
    (index, value): (usize, Handle),
) -> Outcome<()> {
    match handle::type_of(env, value)? {
        sys::ValueType::napi_number => {
            let mut number = 0.0;
            // SAFETY: `value` is a handle of the running call, and a number.
            let status = unsafe { sys::napi_get_value_double(env.raw(), value, &mut number) };
            check(env, status, "napi_get_value_double")?;
            statement.bind(index, Value::Real(number))?;
        }
        sys::ValueType::napi_string => {
            read_string(env, scratch, value)?;
            // U+FFFD is also what Node-API writes for a lone surrogate; only its presence makes a second look due.
            if holds_replacement(&scratch.utf8) && holds_lone_surrogate(env, scratch, value)? {
                return Err(Failure::Value {
                    message: format!(
                        "{} holds a lone surrogate, which UTF-8 cannot store: bind a Buffer, or call toWellFormed()",
                        label(statement, index)
                    ),
                });
            }
            statement.bind(index, Value::Text(&scratch.utf8))?;
        }
        sys::ValueType::napi_null | sys::ValueType::napi_undefined => statement.bind(index, Value::Null)?,
        sys::ValueType::napi_bigint => {
            let (mut integer, mut lossless) = (0, false);
            // SAFETY: `value` is a handle of the running call, and a bigint.
            let status =
                unsafe { sys::napi_get_value_bigint_int64(env.raw(), value, &mut integer, &mut lossless) };
            check(env, status, "napi_get_value_bigint_int64")?;
            if !lossless {
                return Err(Failure::Range {
                    message: format!(
                        "{} is outside SQLite's integers, which have 64 bits and a sign",
                        label(statement, index)
                    ),
                });
            }
            statement.bind(index, Value::Integer(integer))?;
        }
        sys::ValueType::napi_object => bind_bytes(env, statement, (index, value))?,
        _ => return Err(unsupported(statement, index)),
    }
    Ok(())
}

fn bind_bytes(env: &Env, statement: &mut Statement, (index, value): (usize, Handle)) -> Outcome<()> {
    let mut kind = sys::TypedarrayType::int8_array;
    let (mut length, mut data) = (0, ptr::null_mut());
    let (mut buffer, mut offset) = (ptr::null_mut(), 0);
    // SAFETY: `value` is a handle of the running call; Node-API refuses what is no typed array.
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
        return Err(unsupported(statement, index));
    }
    // A view on a detached buffer, or on none, has no address.
    let bytes = if data.is_null() || length == 0 {
        &[]
    } else {
        // SAFETY: Node-API gave address and length of memory that the handle keeps alive. No JavaScript runs before
        // the engine has copied it, and the TypeScript layer passes no memory that another thread can write.
        unsafe { std::slice::from_raw_parts(data.cast::<u8>(), length) }
    };
    Ok(statement.bind(index, Value::Blob(bytes))?)
}

/// Reads a string as UTF-8 into `scratch.utf8`.
fn read_string(env: &Env, scratch: &mut Scratch, value: Handle) -> Outcome<()> {
    let buffer = &mut scratch.utf8;
    buffer.clear();
    buffer.reserve(64);
    let mut written = fill(env, buffer, value)?;
    // Node-API stops before a character that does not fit: up to three bytes and its own NUL stay free.
    if written + 4 >= buffer.capacity() {
        let mut needed = 0;
        // SAFETY: without a buffer Node-API only measures.
        let status =
            unsafe { sys::napi_get_value_string_utf8(env.raw(), value, ptr::null_mut(), 0, &mut needed) };
        check(env, status, "napi_get_value_string_utf8")?;
        if needed > written {
            buffer.reserve(needed + 1);
            written = fill(env, buffer, value)?;
        }
    }
    // SAFETY: Node-API has written that many bytes at the buffer's start, within its capacity.
    unsafe { buffer.set_len(written) };
    Ok(())
}

/// Writes as much of the string as the capacity holds, and says how many bytes that is.
fn fill(env: &Env, buffer: &mut Vec<u8>, value: Handle) -> Outcome<usize> {
    let mut written = 0;
    // SAFETY: Node-API writes at most `capacity` bytes, its NUL included, to memory that the buffer owns.
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
    // No ASCII text holds 0xEF; the three-byte search runs only where there is one.
    bytes.contains(&0xEF) && bytes.windows(3).any(|window| window == "\u{FFFD}".as_bytes())
}

fn holds_lone_surrogate(env: &Env, scratch: &mut Scratch, value: Handle) -> Outcome<bool> {
    let mut units = 0;
    // SAFETY: without a buffer Node-API only measures.
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

/// How a message names a parameter: by its position, and by its name where it has one.
fn label(statement: &Statement, index: usize) -> String {
    match statement.parameter_name(index) {
        Some(name) => format!("parameter {index} ({name})"),
        None => format!("parameter {index}"),
    }
}

#[cold]
fn unsupported(statement: &Statement, index: usize) -> Failure {
    Failure::Type {
        message: format!(
            "{} must be a number, string, bigint, Buffer, typed array or null",
            label(statement, index)
        ),
    }
}
