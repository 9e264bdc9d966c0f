//! Looks for interrupts: while SQLite runs a statement, and while it waits for another connection's lock.
//!
//! `sqlite3_interrupt` is not used, because it also ends the statements of the connection that are on a row.

use std::cell::RefCell;
use std::ffi::{CStr, c_int, c_void};
use std::ptr;
use std::time::Duration;

use vendored_sys::sqlite;

use super::Core;
use super::schema_lock::SchemaLock;
use crate::Interrupter;

/// The number of steps of SQLite's virtual machine between two looks.
const STEPS: c_int = 1_000;
/// The name under which SQLite keeps the hook of a connection.
const NAME: &CStr = c"strongroom-interrupt";

/// The part of a connection that SQLite's callbacks use.
pub(super) struct Hook {
    db: *mut sqlite::sqlite3,
    /// Held while SQLite parses a statement.
    parsing: SchemaLock,
    pub(super) interrupter: Interrupter,
}

impl Hook {
    /// Returns whether SQLite must interrupt the statement that runs or is being parsed.
    ///
    /// SQLite also asks when a statement has ended, and its changes are committed: it would then report the interrupt of a
    /// statement that has taken effect. The look therefore counts only while a statement is busy.
    pub(super) fn must_stop(&self) -> bool {
        self.interrupter.is_interrupted() && (self.parsing.is_held() || self.is_busy())
    }

    fn is_busy(&self) -> bool {
        let mut statement = ptr::null_mut();
        loop {
            // SAFETY: the connection is open while SQLite calls back, and the list of its statements does not change.
            unsafe {
                statement = sqlite::sqlite3_next_stmt(self.db, statement);
                if statement.is_null() {
                    return false;
                }
                if sqlite::sqlite3_stmt_busy(statement) != 0 {
                    return true;
                }
            }
        }
    }
}

impl Core {
    /// Returns the interrupter of this connection. The first call makes SQLite look for interrupts.
    pub(crate) fn interrupter(&self) -> Interrupter {
        match self.hook.get() {
            Some(hook) => hook.interrupter.clone(),
            None => {
                let interrupter = Interrupter::default();
                self.interrupted_by(&interrupter);
                interrupter
            }
        }
    }

    /// Makes SQLite look for the interrupts of another connection, unless this connection has an interrupter.
    pub(crate) fn interrupted_by(&self, interrupter: &Interrupter) {
        let Ok(db) = self.open_db() else { return };
        let hook = self.hook.get_or_init(|| {
            let parsing = self.schema_lock.clone();
            Box::new(Hook { db, parsing, interrupter: interrupter.clone() })
        });
        let context = ptr::from_ref::<Hook>(hook).cast_mut().cast();
        // SAFETY: the connection is open, the name ends in NUL, and the hook lives until the connection is closed. If memory
        // runs out, waits for locks are not interrupted.
        unsafe { sqlite::sqlite3_set_clientdata(db, NAME.as_ptr(), context, None) };
        self.look_for_interrupts();
    }

    /// Makes SQLite look for interrupts while it runs a statement, if the connection has an interrupter.
    pub(super) fn look_for_interrupts(&self) {
        let (Ok(db), Some(hook)) = (self.open_db(), self.hook.get()) else { return };
        let context = ptr::from_ref::<Hook>(hook).cast_mut().cast();
        // SAFETY: as above.
        unsafe { sqlite::sqlite3_progress_handler(db, STEPS, Some(must_stop), context) };
    }

    /// Ends the looks for interrupts, before the connection is closed.
    pub(super) fn ignore_interrupts(&self) {
        let (Ok(db), Some(_)) = (self.open_db(), self.hook.get()) else { return };
        // SAFETY: the connection is open, and the name ends in NUL.
        unsafe {
            sqlite::sqlite3_progress_handler(db, 0, None, ptr::null_mut());
            sqlite::sqlite3_set_clientdata(db, NAME.as_ptr(), ptr::null_mut(), None);
        }
    }

    /// Returns the interrupter that the connection has.
    pub(crate) fn present_interrupter(&self) -> Option<&Interrupter> {
        self.hook.get().map(|hook| &hook.interrupter)
    }

    /// Returns whether an interrupt of the connection is in effect.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.present_interrupter().is_some_and(Interrupter::is_interrupted)
    }
}

unsafe extern "C" fn must_stop(hook: *mut c_void) -> c_int {
    // SAFETY: `look_for_interrupts` passes the hook, which lives until the connection is closed.
    c_int::from(unsafe { (*hook.cast::<Hook>()).must_stop() })
}

thread_local! {
    /// The interrupter of the connection that found a lock taken last, until SQLite sleeps.
    static WAITING: RefCell<Option<Interrupter>> = const { RefCell::new(None) };
}

/// Returns the result of taking a lock for SQLite, which another connection holds: the wait of an interrupted connection
/// ends.
///
/// # Safety
///
/// `db` is null, or the open connection to which the file belongs.
#[cold]
pub(super) unsafe fn lock_is_taken(db: *mut sqlite::sqlite3, code: c_int) -> c_int {
    let hook = match db.is_null() {
        true => None,
        // SAFETY: the connection is open and has the hook or null. The hook lives until the connection is closed.
        false => unsafe { sqlite::sqlite3_get_clientdata(db, NAME.as_ptr()).cast::<Hook>().as_ref() },
    };
    let interrupter = hook.map(|hook| &hook.interrupter);
    WAITING.set(interrupter.cloned());
    match interrupter.is_some_and(Interrupter::is_interrupted) {
        true => sqlite::SQLITE_INTERRUPT,
        false => code,
    }
}

/// Waits in place of SQLite's sleep if a connection with an interrupter waits for a lock. Returns whether this call waited.
pub(super) fn sleep(pause: Duration) -> bool {
    let interrupter = WAITING.take();
    interrupter.map(|interrupter| interrupter.wait(pause)).is_some()
}
