//! The handles that identify values of the addon to the functions of `asynchronous`.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Arc;

use napi::{Env, sys};

use crate::error::Outcome;
use crate::handle::{Handle, check};

/// Creates a handle, which keeps the value alive.
pub(crate) fn create<T>(env: &Env, value: &Arc<T>) -> Outcome<Handle> {
    let data = Arc::into_raw(Arc::clone(value)).cast_mut().cast::<c_void>();
    let mut external = ptr::null_mut();
    // SAFETY: the data is live as long as the handle, whose finalizer frees it.
    let status = unsafe {
        sys::napi_create_external(env.raw(), data, Some(free::<T>), ptr::null_mut(), &mut external)
    };
    check(env, status, "napi_create_external")?;
    Ok(external)
}

/// Drops the count of a handle.
unsafe extern "C" fn free<T>(_env: sys::napi_env, data: *mut c_void, _hint: *mut c_void) {
    // SAFETY: the data comes from `create`, and Node-API calls the finalizer once.
    let _ = catch_unwind(AssertUnwindSafe(|| unsafe { drop(Arc::from_raw(data.cast::<T>())) }));
}

/// Returns the address of the value that a handle identifies. The value is live as long as the handle.
///
/// # Errors
///
/// Fails for a value that is not a handle.
pub(crate) fn address<T>(env: &Env, value: Handle) -> Outcome<*const T> {
    let mut data = ptr::null_mut();
    // SAFETY: Node-API checks that the value is a handle.
    let status = unsafe { sys::napi_get_value_external(env.raw(), value, &mut data) };
    check(env, status, "cannot read a handle")?;
    Ok(data.cast_const().cast())
}

/// Returns the value that a handle identifies.
///
/// # Safety
///
/// The handle comes from `create::<T>`.
///
/// # Errors
///
/// Fails for a value that is not a handle.
pub(crate) unsafe fn read<T>(env: &Env, value: Handle) -> Outcome<Arc<T>> {
    let data = address::<T>(env, value)?;
    // SAFETY: the handle owns a count, and is live as an argument of the running call.
    Ok(unsafe {
        Arc::increment_strong_count(data);
        Arc::from_raw(data)
    })
}
