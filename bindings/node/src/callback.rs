//! Calls of JavaScript from inside SQLite.
//!
//! An exception of a callback stays pending while SQLite ends the statement, and is what the caller of the statement gets.
//! Until then no JavaScript can run, except for the end of a virtual table's rows.

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

/// The numbers of the registrations that SQLite no longer refers to, which the TypeScript layer then forgets.
pub(crate) type Released = Rc<RefCell<Vec<u32>>>;

/// A registration of callbacks, which the TypeScript layer keeps alive until it is dropped.
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
        f.write_str("a JavaScript function that the statement called has thrown an exception")
    }
}

impl std::error::Error for Thrown {}

/// Runs a call of JavaScript, whose handles are freed afterwards.
pub(crate) fn called<T>(env: &Env, call: impl FnOnce() -> Outcome<T>) -> Result<T, CallbackError> {
    let result = handle::Scope::open(env).and_then(|_scope| call());
    result.map_err(|failure| {
        if let napi::Error { status: Status::GenericFailure, reason, .. } = failure.throw(env) {
            // Node-API failed. While a thread is terminated, the error cannot be thrown, and nothing sees it.
            let _ = env.throw_error(&reason, Some("GenericFailure"));
        }
        CallbackError::new(Thrown)
    })
}

/// Calls a function with the handles that `arguments` makes.
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

/// Returns a value for SQL. `source` names the callback in the message for a value that SQL does not have.
pub(crate) fn sql_value(env: &Env, value: Handle, source: impl Fn() -> String) -> Outcome<OwnedValue> {
    let invalid = || Problem::Returned { message: format!("{} an invalid value", source()) }.into();
    match handle::type_of(env, value)? {
        sys::ValueType::napi_number => Ok(OwnedValue::Real(number_of(env, value)?)),
        sys::ValueType::napi_string => match string_of(env, value)? {
            Some(text) => Ok(OwnedValue::Text(text)),
            None => Err(Problem::Returned {
                message: format!("{} a string with a lone surrogate, which UTF-8 cannot store", source()),
            }
            .into()),
        },
        sys::ValueType::napi_null | sys::ValueType::napi_undefined => Ok(OwnedValue::Null),
        sys::ValueType::napi_bigint => integer_of(env, value)?.map(OwnedValue::Integer).ok_or_else(|| {
            Problem::Range { message: format!("{} a bigint that was too big", source()) }.into()
        }),
        // SAFETY: the bytes are copied at once.
        sys::ValueType::napi_object => match unsafe { bytes_of(env, value) } {
            Some(bytes) => Ok(OwnedValue::Blob(bytes.to_vec())),
            None => Err(invalid()),
        },
        _ => Err(invalid()),
    }
}
