//! Calls JavaScript from inside SQLite.
//!
//! A callback's exception stays pending while SQLite ends the statement, and then reaches the statement's caller. No
//! JavaScript can run in between, except the function that closes a virtual table's cursor.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use napi::{Env, Status, sys};
use strongroom_database::{CallbackError, OwnedValue};

use crate::{
    error::{Outcome, Problem},
    handle::{self, Handle},
    parameters::{bytes_of, integer_of, number_of, string_of},
    reference::Reference,
};

/// The numbers of the registrations that SQLite no longer uses. The TypeScript layer then drops their callbacks.
pub(crate) type Released = Rc<RefCell<Vec<u32>>>;

/// A registration of callbacks. The TypeScript layer keeps the callbacks alive until the registration is dropped.
pub(crate) struct Registration {
    pub(crate) number: u32,
    pub(crate) released: Released,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.released.borrow_mut().push(self.number);
    }
}

/// The engine's error for a callback whose exception is pending.
#[derive(Debug)]
struct Thrown;

impl fmt::Display for Thrown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JavaScript function that the statement called threw an exception")
    }
}

impl std::error::Error for Thrown {}

/// Calls JavaScript in a handle scope of its own.
pub(crate) fn called<T>(env: &Env, call: impl FnOnce() -> Outcome<T>) -> Result<T, CallbackError> {
    let result = handle::Scope::open(env).and_then(|_scope| call());
    result.map_err(|failure| {
        if let napi::Error { status: Status::GenericFailure, reason, .. } = failure.throw(env) {
            // Node-API failed. A thread that is being terminated cannot throw the error, and no code would see it.
            let _ = env.throw_error(&reason, Some("GenericFailure"));
        }
        CallbackError::new(Thrown)
    })
}

/// Calls a function with the handles that `argument` returns.
pub(crate) fn call(
    function: &Reference,
    count: usize,
    mut argument: impl FnMut(&Env, usize) -> Outcome<Handle>,
) -> Outcome<Handle> {
    const FEW: usize = 8;
    let env = function.env();
    if count > FEW {
        let handles = (0..count).map(|index| argument(&env, index)).collect::<Outcome<Vec<_>>>()?;
        return handle::call(&env, function.value()?, &handles);
    }
    let mut handles = [std::ptr::null_mut(); FEW];
    for (index, place) in handles.iter_mut().enumerate().take(count) {
        *place = argument(&env, index)?;
    }
    handle::call(&env, function.value()?, &handles[..count])
}

/// Converts a JavaScript value to an SQL value. `source` names the callback in the error for a value that SQL does not
/// support.
pub(crate) fn sql_value(env: &Env, value: Handle, source: impl Fn() -> String) -> Outcome<OwnedValue> {
    let invalid = || Problem::Returned { message: format!("{} an invalid value", source()) }.into();
    match handle::type_of(env, value)? {
        sys::ValueType::napi_number => Ok(OwnedValue::Real(number_of(env, value)?)),
        sys::ValueType::napi_string => match string_of(env, value)? {
            Some(text) => Ok(OwnedValue::Text(text)),
            None => Err(Problem::Returned {
                message: format!(
                    "{} a string with a lone surrogate, which UTF-8 cannot store: use a Buffer, or call toWellFormed()",
                    source()
                ),
            }
            .into()),
        },
        sys::ValueType::napi_null | sys::ValueType::napi_undefined => Ok(OwnedValue::Null),
        sys::ValueType::napi_bigint => integer_of(env, value)?.map(OwnedValue::Integer).ok_or_else(|| {
            Problem::Range { message: format!("{} a bigint that was too big", source()) }.into()
        }),
        // SAFETY: no JavaScript runs before the bytes are copied.
        sys::ValueType::napi_object => match unsafe { bytes_of(env, value) } {
            Some(bytes) => Ok(OwnedValue::Blob(bytes.to_vec())),
            None => Err(invalid()),
        },
        _ => Err(invalid()),
    }
}
