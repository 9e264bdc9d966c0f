//! Wakes the event loop of a host without libuv.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Arc;

use napi::{Env, sys};

use crate::asynchronous::bell::Bell;
use crate::error::Outcome;
use crate::handle::{self, Handle, check};

/// Node-API's function that any thread may call.
pub(super) struct ThreadsafeFunction(sys::napi_threadsafe_function);

// SAFETY: Node-API allows any thread to call the function. The functions for JavaScript's thread have an `Env`.
unsafe impl Send for ThreadsafeFunction {}
// SAFETY: as above.
unsafe impl Sync for ThreadsafeFunction {}

impl ThreadsafeFunction {
    /// Creates a function that calls `wake` from the event loop, and does not keep the event loop alive.
    ///
    /// The end of the environment is reported to `bell`, which must then call [`ThreadsafeFunction::release`].
    pub(super) fn start(env: &Env, wake: Handle, bell: &Arc<Bell>) -> Outcome<Self> {
        let name = handle::string(env, "strongroom")?;
        let mut function = ptr::null_mut();
        // SAFETY: `wake` and `name` are handles of the running call. Without a callback of its own, Node-API calls `wake`
        // without arguments.
        unsafe {
            let status = sys::napi_create_threadsafe_function(
                env.raw(),
                wake,
                ptr::null_mut(),
                name,
                0,
                1,
                ptr::null_mut(),
                None,
                ptr::null_mut(),
                None,
                &mut function,
            );
            check(env, status, "napi_create_threadsafe_function")?;
        }
        let function = Self(function);
        function.hold(env, false)?;
        let data = Arc::into_raw(Arc::clone(bell)).cast_mut().cast();
        // SAFETY: Node-API calls the hook once, on this thread, with the data. Node-API's own hook, which frees the
        // function, was registered before and so runs later.
        let status = unsafe { sys::napi_add_env_cleanup_hook(env.raw(), Some(environment_ends), data) };
        check(env, status, "napi_add_env_cleanup_hook")?;
        Ok(function)
    }

    /// Wakes the event loop. Returns false if the function must not be used any more.
    pub(super) fn call(&self) -> bool {
        // SAFETY: the function is live until `release`, after which the owner has dropped it.
        let status = unsafe {
            sys::napi_call_threadsafe_function(
                self.0,
                ptr::null_mut(),
                sys::ThreadsafeFunctionCallMode::nonblocking,
            )
        };
        // Node-API has given up this thread's use of a function that is closing.
        status != sys::Status::napi_closing
    }

    /// Sets whether the function keeps the event loop alive.
    pub(super) fn hold(&self, env: &Env, on: bool) -> Outcome<()> {
        // SAFETY: the function is live, and this thread is the thread of its environment.
        let status = unsafe {
            match on {
                true => sys::napi_ref_threadsafe_function(env.raw(), self.0),
                false => sys::napi_unref_threadsafe_function(env.raw(), self.0),
            }
        };
        check(env, status, "cannot hold the event loop")
    }

    /// Frees the function.
    pub(super) fn release(self) {
        // SAFETY: the function is live, and no thread uses it after this call.
        unsafe { sys::napi_release_threadsafe_function(self.0, sys::ThreadsafeFunctionReleaseMode::abort) };
    }
}

unsafe extern "C" fn environment_ends(data: *mut c_void) {
    // A panic must not cross Node-API.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: the data comes from `start`, and Node-API calls the hook once.
        let bell = unsafe { Arc::from_raw(data.cast::<Bell>().cast_const()) };
        bell.environment_ends();
    }));
}
