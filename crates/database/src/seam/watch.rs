//! Interrupts long statements.

use std::any::Any;
use std::ffi::{c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr;

use vendored_sys::sqlite;

use super::{Core, Failure};

/// The number of instructions of SQLite's virtual machine between two calls.
const INSTRUCTIONS: c_int = 1_000;

/// The callback of a running [`Core::watched`].
struct Watch<'a> {
    go_on: &'a mut dyn FnMut() -> bool,
    panic: Option<Box<dyn Any + Send>>,
}

impl Core {
    /// Runs statements of this connection, and calls `go_on` every now and then while they run. If `go_on` returns false,
    /// the running statement fails with SQLITE_INTERRUPT.
    pub(crate) fn watched<T>(
        &self,
        go_on: &mut dyn FnMut() -> bool,
        run: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let db = self.open_db()?;
        let _entered = self.enter();
        let mut watch = Watch { go_on, panic: None };
        let pointer: *mut Watch<'_> = &raw mut watch;
        // SAFETY: the connection is open. `watch` outlives the handler, which the drop of `unset` removes before `watch`
        // goes, also if `run` panics. Only the handler uses `watch` until then.
        unsafe { sqlite::sqlite3_progress_handler(db, INSTRUCTIONS, Some(call), pointer.cast()) };
        let unset = Unset { db };
        let result = run();
        drop(unset);
        // SAFETY: the handler is gone, so that nothing else uses `watch`.
        if let Some(panic) = unsafe { (*pointer).panic.take() } {
            resume_unwind(panic);
        }
        result
    }
}

/// Removes the handler of an open connection.
struct Unset {
    db: *mut sqlite::sqlite3,
}

impl Drop for Unset {
    fn drop(&mut self) {
        // SAFETY: the connection is open, because its core is entered for longer than this value lives.
        unsafe { sqlite::sqlite3_progress_handler(self.db, 0, None, ptr::null_mut()) };
    }
}

/// Calls the callback. A panic must not cross SQLite's C, and therefore interrupts the statement and goes on afterwards.
unsafe extern "C" fn call(watch: *mut c_void) -> c_int {
    // SAFETY: SQLite passes the pointer that `watched` set, which is valid while the handler is set.
    let watch = unsafe { &mut *watch.cast::<Watch<'_>>() };
    match catch_unwind(AssertUnwindSafe(|| (watch.go_on)())) {
        Ok(go_on) => c_int::from(!go_on),
        Err(panic) => {
            watch.panic = Some(panic);
            1
        }
    }
}
