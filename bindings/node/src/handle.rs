//! Raw Node-API calls with a checked status, for the code that runs for every row.
//!
//! Every function takes an `Env` and handles of the running call. A handle lives as long as its handle scope: the scope
//! of the call, or a [`Scope`] that the caller holds.

use std::ffi::{CStr, c_void};
use std::ptr;

use napi::{Env, Status, sys};

use crate::error::{Failure, Outcome, Problem};

/// A JavaScript value of the running call.
pub(crate) type Handle = sys::napi_value;

/// Turns the status of a Node-API call into a failure. A JavaScript exception stays pending.
#[inline]
pub(crate) fn check(env: &Env, status: sys::napi_status, what: &'static str) -> Outcome<()> {
    if status == sys::Status::napi_ok { Ok(()) } else { Err(failure(env, status, what)) }
}

#[cold]
fn failure(env: &Env, status: sys::napi_status, what: &'static str) -> Failure {
    let mut pending = false;
    // SAFETY: `env` is the environment of the running call.
    let asked = unsafe { sys::napi_is_exception_pending(env.raw(), &mut pending) };
    if asked == sys::Status::napi_ok && pending {
        return Problem::Pending.into();
    }
    napi::Error::new(Status::GenericFailure, format!("{what}: {}", Status::from(status))).into()
}

/// The class of an error.
#[derive(Clone, Copy)]
pub(crate) enum ErrorKind {
    Plain,
    Type,
    Range,
}

/// Creates an error with the property `code`.
pub(crate) fn error(env: &Env, kind: ErrorKind, code: &str, message: &str) -> Outcome<Handle> {
    let (code, message) = (string(env, code)?, string(env, message)?);
    let create = match kind {
        ErrorKind::Plain => sys::napi_create_error,
        ErrorKind::Type => sys::napi_create_type_error,
        ErrorKind::Range => sys::napi_create_range_error,
    };
    let mut error = ptr::null_mut();
    // SAFETY: `code` and `message` are handles of strings of the running call.
    check(env, unsafe { create(env.raw(), code, message, &mut error) }, "cannot create an error")?;
    Ok(error)
}

/// Creates a number.
pub(crate) fn uint32(env: &Env, number: u32) -> Outcome<Handle> {
    let mut value = ptr::null_mut();
    // SAFETY: `env` is the environment of the running call.
    check(env, unsafe { sys::napi_create_uint32(env.raw(), number, &mut value) }, "napi_create_uint32")?;
    Ok(value)
}

/// Returns the value of a number that is a signed integer.
pub(crate) fn int32(env: &Env, value: Handle) -> Outcome<i32> {
    let mut result = 0;
    // SAFETY: `value` is a handle of the running call; Node-API checks that it is a number.
    let status = unsafe { sys::napi_get_value_int32(env.raw(), value, &mut result) };
    check(env, status, "napi_get_value_int32")?;
    Ok(result)
}

/// Creates a boolean.
pub(crate) fn from_boolean(env: &Env, value: bool) -> Outcome<Handle> {
    let mut result = ptr::null_mut();
    // SAFETY: `env` is the environment of the running call.
    check(env, unsafe { sys::napi_get_boolean(env.raw(), value, &mut result) }, "napi_get_boolean")?;
    Ok(result)
}

/// A handle scope. Dropping the scope frees the handles that were created since the scope was opened.
pub(crate) struct Scope<'e> {
    env: &'e Env,
    scope: sys::napi_handle_scope,
}

impl<'e> Scope<'e> {
    pub(crate) fn open(env: &'e Env) -> Outcome<Scope<'e>> {
        let mut scope = ptr::null_mut();
        // SAFETY: `env` is the environment of the running call.
        check(env, unsafe { sys::napi_open_handle_scope(env.raw(), &mut scope) }, "napi_open_handle_scope")?;
        Ok(Scope { env, scope })
    }
}

impl Drop for Scope<'_> {
    fn drop(&mut self) {
        // SAFETY: `open` opened the scope, and only this drop closes it. Scopes are local variables, so they close in
        // reverse order.
        unsafe { sys::napi_close_handle_scope(self.env.raw(), self.scope) };
    }
}

/// Calls `work` with the arguments of a call, and with the data of the function that is called. Up to `FEW` arguments need
/// no allocation. A call with fewer than `least` arguments gets `undefined` for the rest; `least` is at most `FEW`.
#[inline]
pub(crate) fn with_arguments<const FEW: usize, T>(
    env: &Env,
    info: sys::napi_callback_info,
    least: usize,
    work: impl FnOnce(&[Handle], *const c_void) -> Outcome<T>,
) -> Outcome<T> {
    let mut few = [ptr::null_mut(); FEW];
    let (mut count, mut data) = (FEW, ptr::null_mut());
    // SAFETY: `info` comes from Node-API, which writes at most `count` arguments.
    let status = unsafe {
        sys::napi_get_cb_info(env.raw(), info, &mut count, few.as_mut_ptr(), ptr::null_mut(), &mut data)
    };
    check(env, status, "napi_get_cb_info")?;
    if count <= FEW {
        return work(&few[..count.max(least)], data);
    }
    let mut many = vec![ptr::null_mut(); count];
    // SAFETY: as above.
    let status = unsafe {
        let (this, data) = (ptr::null_mut(), ptr::null_mut());
        sys::napi_get_cb_info(env.raw(), info, &mut count, many.as_mut_ptr(), this, data)
    };
    check(env, status, "napi_get_cb_info")?;
    work(&many, data)
}

/// Creates a handle for data that Rust owns.
///
/// # Safety
///
/// `free` takes the data, once. The data stays valid until then.
pub(crate) unsafe fn external(
    env: &Env,
    data: *const c_void,
    free: unsafe extern "C" fn(sys::napi_env, *mut c_void, *mut c_void),
) -> Outcome<Handle> {
    let mut external = ptr::null_mut();
    // SAFETY: the caller upholds the contract.
    let status = unsafe {
        sys::napi_create_external(env.raw(), data.cast_mut(), Some(free), ptr::null_mut(), &mut external)
    };
    check(env, status, "napi_create_external")?;
    Ok(external)
}

/// Returns the data of a handle.
///
/// # Errors
///
/// Fails for a value that is not a handle.
#[inline]
pub(crate) fn external_data(env: &Env, external: Handle) -> Outcome<*const c_void> {
    let mut data = ptr::null_mut();
    // SAFETY: Node-API checks that the value is a handle.
    let status = unsafe { sys::napi_get_value_external(env.raw(), external, &mut data) };
    check(env, status, "cannot read a handle")?;
    Ok(data)
}

/// Returns the type of a value, as `typeof` reports it.
#[inline]
pub(crate) fn type_of(env: &Env, value: Handle) -> Outcome<sys::napi_valuetype> {
    let mut kind = sys::ValueType::napi_undefined;
    // SAFETY: `value` is a handle of the running call.
    check(env, unsafe { sys::napi_typeof(env.raw(), value, &mut kind) }, "napi_typeof")?;
    Ok(kind)
}

/// Returns the value of a boolean.
pub(crate) fn boolean(env: &Env, value: Handle) -> Outcome<bool> {
    let mut result = false;
    // SAFETY: `value` is a handle of the running call; Node-API checks that it is a boolean.
    check(env, unsafe { sys::napi_get_value_bool(env.raw(), value, &mut result) }, "napi_get_value_bool")?;
    Ok(result)
}

/// Returns the value of a number that is an unsigned integer.
pub(crate) fn number(env: &Env, value: Handle) -> Outcome<u32> {
    let mut result = 0;
    // SAFETY: `value` is a handle of the running call; Node-API checks that it is a number.
    let status = unsafe { sys::napi_get_value_uint32(env.raw(), value, &mut result) };
    check(env, status, "napi_get_value_uint32")?;
    Ok(result)
}

/// Creates an empty array.
pub(crate) fn array(env: &Env) -> Outcome<Handle> {
    let mut array = ptr::null_mut();
    // SAFETY: `env` is the environment of the running call.
    check(env, unsafe { sys::napi_create_array(env.raw(), &mut array) }, "napi_create_array")?;
    Ok(array)
}

/// Returns the length of an array.
pub(crate) fn array_length(env: &Env, array: Handle) -> Outcome<u32> {
    let mut length = 0;
    // SAFETY: `array` is a handle of the running call; Node-API checks that it is an array.
    let status = unsafe { sys::napi_get_array_length(env.raw(), array, &mut length) };
    check(env, status, "napi_get_array_length")?;
    Ok(length)
}

/// Returns an element of an array.
#[inline]
pub(crate) fn element(env: &Env, array: Handle, index: u32) -> Outcome<Handle> {
    let mut value = ptr::null_mut();
    // SAFETY: `array` is a handle of the running call; Node-API checks that it is an object.
    check(env, unsafe { sys::napi_get_element(env.raw(), array, index, &mut value) }, "napi_get_element")?;
    Ok(value)
}

/// Sets an element of an array.
#[inline]
pub(crate) fn set_element(env: &Env, array: Handle, index: u32, value: Handle) -> Outcome<()> {
    // SAFETY: `array` and `value` are handles of the running call; Node-API checks that `array` is an object.
    check(env, unsafe { sys::napi_set_element(env.raw(), array, index, value) }, "napi_set_element")
}

/// Returns the value `undefined`.
pub(crate) fn undefined(env: &Env) -> Outcome<Handle> {
    let mut value = ptr::null_mut();
    // SAFETY: `env` is the environment of the running call.
    check(env, unsafe { sys::napi_get_undefined(env.raw(), &mut value) }, "napi_get_undefined")?;
    Ok(value)
}

/// Returns the value, or `None` if it is `undefined`.
pub(crate) fn defined(env: &Env, value: Handle) -> Outcome<Option<Handle>> {
    Ok((type_of(env, value)? != sys::ValueType::napi_undefined).then_some(value))
}

/// Calls `function` with `undefined` as its `this`.
#[inline]
pub(crate) fn call(env: &Env, function: Handle, arguments: &[Handle]) -> Outcome<Handle> {
    let this = undefined(env)?;
    let mut result = ptr::null_mut();
    // SAFETY: `this`, `function` and `arguments` are handles of the running call; Node-API checks that `function` is a
    // function.
    let status = unsafe {
        sys::napi_call_function(env.raw(), this, function, arguments.len(), arguments.as_ptr(), &mut result)
    };
    check(env, status, "napi_call_function")?;
    Ok(result)
}

/// Creates a string.
pub(crate) fn string(env: &Env, text: &str) -> Outcome<Handle> {
    let mut value = ptr::null_mut();
    // SAFETY: pointer and length belong to `text`, which Node-API copies.
    let status = unsafe {
        sys::napi_create_string_utf8(env.raw(), text.as_ptr().cast(), text.len() as isize, &mut value)
    };
    check(env, status, "napi_create_string_utf8")?;
    Ok(value)
}

/// Returns a property of an object.
pub(crate) fn property(env: &Env, object: Handle, name: &CStr) -> Outcome<Handle> {
    let mut value = ptr::null_mut();
    // SAFETY: `object` is a handle of the running call, and the name ends in NUL.
    let status = unsafe { sys::napi_get_named_property(env.raw(), object, name.as_ptr(), &mut value) };
    check(env, status, "napi_get_named_property")?;
    Ok(value)
}

/// Takes the pending exception, if any. No JavaScript can run while an exception is pending.
pub(crate) fn take_exception(env: &Env) -> Option<Handle> {
    let (mut pending, mut exception) = (false, ptr::null_mut());
    // SAFETY: `env` is the environment of the running call.
    unsafe {
        sys::napi_is_exception_pending(env.raw(), &mut pending);
        let taken = pending
            && sys::napi_get_and_clear_last_exception(env.raw(), &mut exception) == sys::Status::napi_ok;
        taken.then_some(exception)
    }
}

/// Makes an exception pending.
pub(crate) fn throw(env: &Env, exception: Handle) {
    // SAFETY: `exception` is a handle of the running call. The call fails on a thread that is being terminated, whose
    // own exception stays pending.
    unsafe { sys::napi_throw(env.raw(), exception) };
}
