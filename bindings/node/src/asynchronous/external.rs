//! The handles that identify values of the addon to the functions of `asynchronous`.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use napi::{Env, sys};

use crate::error::Outcome;
use crate::handle::{self, Handle};

/// Creates a handle, which keeps the value alive.
pub(crate) fn create<T>(env: &Env, value: &Arc<T>) -> Outcome<Handle> {
    let data = Arc::into_raw(Arc::clone(value)).cast();
    // SAFETY: the finalizer drops the count.
    unsafe { handle::external(env, data, free::<T>) }
}

/// Drops the count of a handle.
unsafe extern "C" fn free<T>(_env: sys::napi_env, data: *mut c_void, _hint: *mut c_void) {
    // SAFETY: the data comes from `create`, and Node-API calls the finalizer once.
    let _ = catch_unwind(AssertUnwindSafe(|| unsafe { drop(Arc::from_raw(data.cast::<T>())) }));
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
    let data = handle::external_data(env, value)?.cast::<T>();
    // SAFETY: the handle owns a count, and is live as an argument of the running call.
    Ok(unsafe {
        Arc::increment_strong_count(data);
        Arc::from_raw(data)
    })
}
