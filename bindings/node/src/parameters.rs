//! Binds JavaScript values to a statement's parameters.
//!
//! The TypeScript layer passes one value per parameter, in the engine's order: a number, a string, a bigint, a `Uint8Array`,
//! null or undefined. This module runs no JavaScript.

use std::cell::Cell;
use std::{iter, ptr};

use napi::{Env, sys};
use strongroom_database::{Statement, Value};

use crate::{
    error::{Failure, Outcome, Problem},
    exchange::{Exchange, FIRST, MAX_PARAMETERS},
    handle::{self, Handle, check},
    text::{self, Scratch},
};

/// The kinds of the values that the TypeScript layer puts into the shared memory. `ts/api/calls.ts` has the same
/// numbers.
mod kind {
    pub(super) const NULL: u8 = 0;
    /// A slot with a number.
    pub(super) const NUMBER: u8 = 1;
    /// A string, which is an argument of the call.
    pub(super) const TEXT: u8 = 2;
    /// A slot with the offset and the length of bytes.
    pub(super) const BYTES: u8 = 3;
    /// A value of any type, which is an argument of the call.
    pub(super) const VALUE: u8 = 4;
}

/// Takes the values of the parameters, counted from 1.
pub(crate) trait Parameters {
    /// Takes a copy of a value.
    ///
    /// # Errors
    ///
    /// Fails for a value that cannot be stored.
    fn bind(&mut self, index: usize, value: Value<'_>) -> Outcome<()>;

    /// Returns the name of a parameter with its prefix, or `None` for a parameter without a name.
    fn name(&self, index: usize) -> Option<&str>;
}

impl Parameters for Statement {
    #[inline]
    fn bind(&mut self, index: usize, value: Value<'_>) -> Outcome<()> {
        Ok(Statement::bind(self, index, value)?)
    }

    fn name(&self, index: usize) -> Option<&str> {
        self.parameter_name(index)
    }
}

/// Reads the values of one call.
pub(crate) struct Binder<'c, P> {
    pub(crate) env: &'c Env,
    pub(crate) parameters: &'c mut P,
    pub(crate) scratch: &'c mut Scratch,
}

impl<P: Parameters> Binder<'_, P> {
    /// Binds each element of the array `values` to the parameter at its position.
    pub(crate) fn bind_array(&mut self, values: Handle) -> Outcome<()> {
        let count = handle::array_length(self.env, values)?;
        for position in 0..count {
            let value = handle::element(self.env, values, position)?;
            self.bind(position as usize + 1, value)?;
        }
        Ok(())
    }

    /// Binds the arguments of a call, some of which are in the shared memory.
    #[inline]
    pub(crate) fn bind_call(&mut self, exchange: &Exchange, values: &[Handle]) -> Outcome<()> {
        // The iterator also yields a kind for each parameter without a slot, so that one loop binds all parameters.
        let kinds = exchange.bytes()[..MAX_PARAMETERS].iter().map(Cell::get);
        let slots = exchange.slots()[FIRST..].iter().map(Cell::get);
        let places = kinds.zip(slots).chain(iter::repeat((kind::VALUE, 0)));
        for ((index, &value), (kind, slot)) in (1..).zip(values).zip(places) {
            match kind {
                kind::NULL => self.parameters.bind(index, Value::Null)?,
                kind::NUMBER => self.parameters.bind(index, Value::Real(f64::from_bits(slot)))?,
                kind::TEXT => self.bind_text(index, value)?,
                kind::BYTES => {
                    let (start, length) = (slot as u32 as usize, (slot >> 32) as usize);
                    // SAFETY: the engine copies the bytes, and no JavaScript runs before the copy.
                    let bytes = unsafe { exchange.given(start, length) };
                    let bytes = bytes.ok_or_else(|| self.unsupported(index))?;
                    self.parameters.bind(index, Value::Blob(bytes))?;
                }
                _ => self.bind(index, value)?,
            }
        }
        Ok(())
    }

    fn bind(&mut self, index: usize, value: Handle) -> Outcome<()> {
        match handle::type_of(self.env, value)? {
            sys::ValueType::napi_number => {
                let number = number_of(self.env, value)?;
                self.parameters.bind(index, Value::Real(number))?;
            }
            sys::ValueType::napi_string => self.bind_text(index, value)?,
            sys::ValueType::napi_null | sys::ValueType::napi_undefined => {
                self.parameters.bind(index, Value::Null)?;
            }
            sys::ValueType::napi_bigint => {
                let Some(integer) = integer_of(self.env, value)? else {
                    let label = self.label(index);
                    return Err(Problem::Range {
                        message: format!(
                            "{label} is outside the range of a signed 64-bit integer: bind a string or a Buffer instead"
                        ),
                    }
                    .into());
                };
                self.parameters.bind(index, Value::Integer(integer))?;
            }
            sys::ValueType::napi_object => self.bind_bytes(index, value)?,
            _ => return Err(self.unsupported(index)),
        }
        Ok(())
    }

    fn bind_text(&mut self, index: usize, value: Handle) -> Outcome<()> {
        if let Some(text) = text::read_string(self.env, value, self.scratch)? {
            return self.parameters.bind(index, Value::Text(text));
        }
        let label = self.label(index);
        Err(Problem::Value {
            message: format!(
                "{label} holds a lone surrogate, which UTF-8 cannot store: bind a Buffer, or call toWellFormed()"
            ),
        }
        .into())
    }

    fn bind_bytes(&mut self, index: usize, value: Handle) -> Outcome<()> {
        // SAFETY: the engine copies the bytes, and no JavaScript runs before the copy.
        let Some(bytes) = (unsafe { bytes_of(self.env, value) }) else {
            return Err(self.unsupported(index));
        };
        self.parameters.bind(index, Value::Blob(bytes))
    }

    /// Returns the label of a parameter in an error message: its position, and its name if it has one.
    fn label(&self, index: usize) -> String {
        match self.parameters.name(index) {
            Some(name) => format!("parameter {index} ({name})"),
            None => format!("parameter {index}"),
        }
    }

    #[cold]
    fn unsupported(&self, index: usize) -> Failure {
        let label = self.label(index);
        Problem::Type {
            message: format!("{label} must be a number, string, bigint, Buffer, typed array or null"),
        }
        .into()
    }
}

/// Returns the bytes of a `Uint8Array`, or `None` for another value.
///
/// # Safety
///
/// While the bytes are in use, no JavaScript runs and no other thread can write them. The TypeScript layer copies a
/// SharedArrayBuffer first.
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
    // The address of a view on a detached or an empty buffer may be null.
    if data.is_null() || length == 0 {
        return Some(&[]);
    }
    // SAFETY: Node-API returned the address and the length of memory that the handle keeps alive. The caller guarantees
    // that no code writes the memory.
    Some(unsafe { std::slice::from_raw_parts(data.cast::<u8>(), length) })
}

/// Returns a bigint as an `i64`, or `None` if the bigint does not fit.
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

/// Returns a string as UTF-8, or `None` for a string with a lone surrogate.
pub(crate) fn string_of(env: &Env, value: Handle) -> Outcome<Option<String>> {
    let mut scratch = Scratch::default();
    let text = text::read_string(env, value, &mut scratch)?;
    Ok(text.and_then(|text| String::from_utf8(text.to_vec()).ok()))
}
