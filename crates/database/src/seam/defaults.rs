//! SQLCipher's defaults for the process, changed while VACUUM INTO attaches its target.
//!
//! SQLCipher gives the target of VACUUM INTO the key of the main database, but the page size, the HMAC and the plaintext
//! header of the process's defaults. If these differ from the main database's, SQLCipher would write a file that nobody can
//! read. No call of SQLCipher passes the parameters, so they become the defaults from the moment at which VACUUM prepares
//! its ATTACH until SQLite's next call. A lock orders the vacuums and the `PRAGMA key` of all threads; the engine sets the
//! parameters of every other key explicitly.

use std::cell::{Cell, RefCell};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OpenFlags};

use super::{Core, Failure, open};

/// The pragmas that set the defaults, with their values.
pub(crate) type Defaults = Vec<(&'static str, String)>;

static LOCK: Mutex<()> = Mutex::new(());

thread_local! {
    static IS_CHANGED: Cell<bool> = const { Cell::new(false) };
    static CHANGED: RefCell<Option<Changed>> = const { RefCell::new(None) };
}

/// The right to change the defaults.
struct Changed {
    /// The defaults before the change, and an in-memory database, which runs the pragmas.
    before: Option<(Core, Defaults)>,
    _lock: MutexGuard<'static, ()>,
}

/// Keeps the defaults unchanged until [`restore`], for `PRAGMA key`, which takes them.
pub(super) fn hold() {
    restore();
    let lock = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
    CHANGED.set(Some(Changed { before: None, _lock: lock }));
    IS_CHANGED.set(true);
}

/// Changes the defaults until [`restore`].
pub(super) fn change(defaults: &Defaults) -> Result<(), Failure> {
    restore();
    let lock = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
    let memory = open(c":memory:", OpenFlags::SQLITE_OPEN_READ_WRITE);
    let connection =
        memory.map_err(|failure| Failure::Sqlite { code: failure.code, message: failure.message })?;
    let before = connection.with(|connection| {
        let value = |&(name, _): &(&'static str, String)| {
            let value = connection.pragma_query_value(None, name, |row| row.get::<_, String>(0))?;
            Ok((name, value))
        };
        let before = defaults.iter().map(value).collect::<rusqlite::Result<Defaults>>()?;
        set(connection, defaults)?;
        Ok(before)
    })?;
    CHANGED.set(Some(Changed { before: Some((connection, before)), _lock: lock }));
    IS_CHANGED.set(true);
    Ok(())
}

/// Restores the defaults, if this thread has changed or held them.
#[inline]
pub(super) fn restore() {
    if IS_CHANGED.get() {
        restore_changed();
    }
}

#[cold]
fn restore_changed() {
    IS_CHANGED.set(false);
    let Some(changed) = CHANGED.take() else { return };
    if let Some((connection, before)) = &changed.before {
        // Setting values that were read before does not fail, except for a lack of memory.
        let _ = connection.with(|connection| set(connection, before));
    }
}

fn set(connection: &Connection, defaults: &Defaults) -> rusqlite::Result<()> {
    defaults.iter().try_for_each(|(name, value)| {
        connection.pragma_update_and_check(None, name, value, |_| Ok(())).or_else(|error| match error {
            // Some of the pragmas return no row.
            rusqlite::Error::QueryReturnedNoRows => Ok(()),
            error => Err(error),
        })
    })
}
