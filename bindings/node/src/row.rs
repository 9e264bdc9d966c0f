//! Converts the engine's values to JavaScript values.

use std::ptr;

use napi::{Env, sys};
use strongroom_database::Value;

use crate::{
    error::Outcome,
    handle::{Handle, check},
    text::{self, Scratch},
};

/// The JavaScript type of INTEGER values.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Integers {
    /// Numbers. Integers beyond 2^53 lose precision.
    Numbers,
    /// Bigints.
    BigInts,
}

/// Creates the argument of a caller's callback from an SQL value.
pub(crate) fn argument_value(
    env: &Env,
    value: Value<'_>,
    integers: Integers,
    position: usize,
) -> Outcome<Handle> {
    match value {
        Value::Text(text) => {
            text::create_string(env, text, &mut Scratch::default(), || format!("argument {}", position + 1))
        }
        other => plain_value(env, other, integers),
    }
}

/// Creates a value of any type except text.
#[inline]
pub(crate) fn plain_value(env: &Env, value: Value<'_>, integers: Integers) -> Outcome<Handle> {
    match value {
        Value::Integer(integer) => integer_value(env, integer, integers),
        Value::Real(number) => real_value(env, number),
        Value::Blob(bytes) => blob_value(env, bytes),
        Value::Null | Value::Text(_) => null(env),
    }
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
    check(env, status, "cannot create an integer")?;
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
    // SAFETY: the address and the length belong to the slice, which Node-API copies.
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
