//! The bell, which wakes JavaScript's thread when replies wait.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::{mem, ptr};

use napi::{Env, sys};
use strongroom_queue::Replies;

use crate::asynchronous::reply::Reply;
use crate::asynchronous::shared::Shared;
use crate::error::Outcome;
use crate::handle::{self, Handle, check};

/// The replies of all databases of a JavaScript thread, and the function that wakes the thread.
pub(crate) struct Bell {
    replies: Replies<Reply>,
    /// `None` once the environment ends.
    function: Mutex<Option<ThreadsafeFunction>>,
    databases: Mutex<Vec<Weak<Shared>>>,
}

/// Node-API's function that any thread may call.
struct ThreadsafeFunction(sys::napi_threadsafe_function);

// SAFETY: Node-API allows any thread to call the function. The functions for JavaScript's thread have an `Env`.
unsafe impl Send for ThreadsafeFunction {}

impl Bell {
    /// Creates a bell that calls `wake` from the event loop. The bell does not keep the event loop alive.
    pub(crate) fn new(env: &Env, wake: Handle) -> Outcome<Arc<Self>> {
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
            check(
                env,
                sys::napi_unref_threadsafe_function(env.raw(), function),
                "napi_unref_threadsafe_function",
            )?;
        }
        let function = Mutex::new(Some(ThreadsafeFunction(function)));
        let bell = Arc::new(Self { replies: Replies::new(), function, databases: Mutex::default() });
        let data = Arc::into_raw(Arc::clone(&bell)).cast_mut().cast::<c_void>();
        // SAFETY: Node-API calls the hook once, on this thread, with the data. Node-API's own hook, which frees the
        // function, was registered before and so runs later.
        let status = unsafe { sys::napi_add_env_cleanup_hook(env.raw(), Some(environment_ends), data) };
        check(env, status, "napi_add_env_cleanup_hook")?;
        Ok(bell)
    }

    /// Adds a reply, and wakes JavaScript if no reply waited.
    pub(crate) fn send(&self, reply: Reply) {
        if self.replies.push(reply) {
            self.ring();
        }
    }

    /// Takes the first reply. Without a reply, JavaScript's thread rests until the bell rings.
    pub(crate) fn take(&self) -> Option<Reply> {
        loop {
            if let Some(reply) = self.replies.take() {
                return Some(reply);
            }
            if !self.replies.rest() {
                return None;
            }
        }
    }

    /// Wakes JavaScript.
    pub(crate) fn ring(&self) {
        let mut function = self.function();
        let Some(ThreadsafeFunction(raw)) = *function else { return };
        // SAFETY: the function is live: only `silence` frees it, under the same lock.
        let status = unsafe {
            sys::napi_call_threadsafe_function(
                raw,
                ptr::null_mut(),
                sys::ThreadsafeFunctionCallMode::nonblocking,
            )
        };
        if status == sys::Status::napi_closing {
            // Node-API has given up this thread's use of the function.
            *function = None;
        }
    }

    /// Sets whether the bell keeps the event loop alive.
    pub(crate) fn hold(&self, env: &Env, on: bool) -> Outcome<()> {
        let function = self.function();
        let Some(ThreadsafeFunction(raw)) = *function else { return Ok(()) };
        // SAFETY: the function is live, and this thread is the thread of its environment.
        let status = unsafe {
            match on {
                true => sys::napi_ref_threadsafe_function(env.raw(), raw),
                false => sys::napi_unref_threadsafe_function(env.raw(), raw),
            }
        };
        check(env, status, "cannot hold the event loop")
    }

    /// Adds a database, which stops when the environment ends.
    pub(crate) fn add(&self, database: &Arc<Shared>) {
        let mut databases = self.databases.lock().unwrap_or_else(PoisonError::into_inner);
        databases.retain(|database| database.strong_count() > 0);
        databases.push(Arc::downgrade(database));
    }

    /// Ends the use of Node-API while the process exits. Later replies are never delivered.
    pub(crate) fn forget(&self) {
        self.function().take();
    }

    /// Ends the use of Node-API when the environment ends. Later replies are never delivered.
    fn silence(&self) {
        if let Some(ThreadsafeFunction(raw)) = self.function().take() {
            // SAFETY: the function is live, and no thread uses it after this call.
            unsafe { sys::napi_release_threadsafe_function(raw, sys::ThreadsafeFunctionReleaseMode::abort) };
        }
    }

    fn function(&self) -> MutexGuard<'_, Option<ThreadsafeFunction>> {
        self.function.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Stops every database when the environment ends: at the end of a worker, or of the process.
unsafe extern "C" fn environment_ends(data: *mut c_void) {
    // A panic must not cross Node-API.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: the data comes from `Bell::new`, and Node-API calls the hook once.
        let bell = unsafe { Arc::from_raw(data.cast::<Bell>()) };
        bell.silence();
        let databases = mem::take(&mut *bell.databases.lock().unwrap_or_else(PoisonError::into_inner));
        for database in databases.iter().filter_map(Weak::upgrade) {
            database.stop();
        }
    }));
}
