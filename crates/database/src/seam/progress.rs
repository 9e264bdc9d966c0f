//! Calls back while SQLite runs a statement.

use std::any::Any;
use std::ffi::{c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr;

use vendored_sys::sqlite;

use super::interrupt::Hook;
use super::{Core, Failure};

impl Core {
    /// Calls `run`; meanwhile, SQLite calls `go_on` about every `steps` steps of its virtual machine. If `go_on` returns
    /// false, or the connection is interrupted, SQLite interrupts the running statement.
    ///
    /// rusqlite's handler must own its callback, but `go_on` is borrowed. SQLite has one progress handler per connection, so
    /// this handler replaces that of the interrupter meanwhile.
    pub(crate) fn watched<T>(
        &self,
        steps: c_int,
        go_on: &mut dyn FnMut() -> bool,
        run: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let db = self.open_db()?;
        let _entered = self.enter();
        let mut watch = Watch { go_on, hook: self.hook.get().map(|hook| &**hook), panic: None };
        let context: *mut Watch<'_> = &raw mut watch;
        // SAFETY: the connection is open, and stays open because the core is entered. `Handler` removes the callback before
        // `watch` ends, even if `run` panics.
        unsafe { sqlite::sqlite3_progress_handler(db, steps, Some(ask), context.cast()) };
        let handler = Handler { core: self, db };
        let result = run();
        drop(handler);
        match watch.panic {
            Some(panic) => resume_unwind(panic),
            None => result,
        }
    }
}

struct Watch<'w> {
    go_on: &'w mut dyn FnMut() -> bool,
    hook: Option<&'w Hook>,
    /// The panic of `go_on`, which must not cross SQLite.
    panic: Option<Box<dyn Any + Send>>,
}

/// Removes the callback when this value is dropped.
struct Handler<'c> {
    core: &'c Core,
    db: *mut sqlite::sqlite3,
}

impl Drop for Handler<'_> {
    fn drop(&mut self) {
        // SAFETY: the connection is open as long as `watched` runs.
        unsafe { sqlite::sqlite3_progress_handler(self.db, 0, None, ptr::null_mut()) };
        self.core.look_for_interrupts();
    }
}

unsafe extern "C" fn ask(context: *mut c_void) -> c_int {
    // SAFETY: `watched` passes its own `Watch`, which lives until the callback is removed. Nothing else uses the `Watch`
    // while SQLite runs.
    let watch = unsafe { &mut *context.cast::<Watch<'_>>() };
    if watch.hook.is_some_and(Hook::must_stop) {
        return 1;
    }
    match catch_unwind(AssertUnwindSafe(|| (watch.go_on)())) {
        Ok(go_on) => c_int::from(!go_on),
        Err(panic) => {
            watch.panic = Some(panic);
            1
        }
    }
}
