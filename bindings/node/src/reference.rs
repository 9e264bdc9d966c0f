//! References to JavaScript values that live longer than a call.

use std::ptr;

use napi::{Env, Status, sys};

use crate::error::Outcome;
use crate::handle::{Handle, check};

/// A strong or a weak reference to a value. The reference is dropped on the thread of its environment.
pub(crate) struct Reference {
    env: sys::napi_env,
    reference: sys::napi_ref,
}

impl Reference {
    /// Keeps a value of the running call alive.
    pub(crate) fn new(env: &Env, value: Handle) -> Outcome<Self> {
        Self::counted(env, value, 1)
    }

    /// Refers to a value that another owner keeps alive, such as the session of the TypeScript layer.
    ///
    /// A strong reference to a function would also keep alive every value that the function uses. If the function uses
    /// the database, the garbage collector could then never free the database.
    pub(crate) fn weak(env: &Env, value: Handle) -> Outcome<Self> {
        Self::counted(env, value, 0)
    }

    fn counted(env: &Env, value: Handle, count: u32) -> Outcome<Self> {
        let mut reference = ptr::null_mut();
        // SAFETY: `value` is a handle of the running call.
        let status = unsafe { sys::napi_create_reference(env.raw(), value, count, &mut reference) };
        check(env, status, "napi_create_reference")?;
        Ok(Self { env: env.raw(), reference })
    }

    /// Returns the environment of the value. Callers use a reference only during a call of its environment.
    pub(crate) fn env(&self) -> Env {
        Env::from_raw(self.env)
    }

    /// Returns the value as a handle of the running call.
    pub(crate) fn value(&self) -> Outcome<Handle> {
        let mut value = ptr::null_mut();
        // SAFETY: the reference is live, and a call of its environment runs on this thread.
        let status = unsafe { sys::napi_get_reference_value(self.env, self.reference, &mut value) };
        check(&self.env(), status, "napi_get_reference_value")?;
        if value.is_null() {
            let reason =
                "the garbage collector has freed a JavaScript callback that SQLite still uses".to_owned();
            return Err(napi::Error::new(Status::GenericFailure, reason).into());
        }
        Ok(value)
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        // SAFETY: the reference is live, and this drop runs on the thread of the reference's environment.
        unsafe { sys::napi_delete_reference(self.env, self.reference) };
    }
}
