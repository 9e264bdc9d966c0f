//! Copies a database page by page with SQLite, while the database is in use.

use std::ffi::{CStr, c_int};
use std::ptr::NonNull;
use std::rc::Rc;

use vendored_sys::sqlite;

use super::{Core, Failure};

/// Owns a `sqlite3_backup`, which is live as long as the source is open.
///
/// No statement runs on the target before [`RawBackup::into_target`]: SQLite forbids any use of the target during the copy.
pub(crate) struct RawBackup {
    source: Rc<Core>,
    raw: NonNull<sqlite::sqlite3_backup>,
    /// `None` once `into_target` has taken it.
    target: Option<Rc<Core>>,
}

/// The progress of a copy.
#[derive(Clone, Copy)]
pub(crate) struct Copied {
    /// The number of pages of the source.
    pub(crate) total: u64,
    /// The number of pages left to copy.
    pub(crate) remaining: u64,
    /// `true` if the copy is complete and committed to the target.
    pub(crate) done: bool,
}

impl RawBackup {
    /// Starts the copy of the source's database `schema` into the main database of `target`.
    pub(crate) fn start(source: &Rc<Core>, schema: &CStr, target: Rc<Core>) -> Result<Self, Failure> {
        let (from, to) = (source.open_db()?, target.open_db()?);
        // SAFETY: both connections are open, and both names end in NUL.
        let raw = unsafe { sqlite::sqlite3_backup_init(to, c"main".as_ptr(), from, schema.as_ptr()) };
        match NonNull::new(raw) {
            Some(raw) => {
                source.remember_backup(raw);
                Ok(Self { source: Rc::clone(source), raw, target: Some(target) })
            }
            // SQLite stores the error in the target's connection.
            None => Err(target.last_failure()),
        }
    }

    /// Copies up to `pages` pages, or all pages for a negative number.
    pub(crate) fn step(&self, pages: c_int) -> Result<Copied, Failure> {
        let _entered = self.source.enter();
        self.source.open_db()?;
        let raw = self.raw.as_ptr();
        // SAFETY: the copy is live, because its source is open, and the target lives as long as `self`.
        let code = unsafe { sqlite::sqlite3_backup_step(raw, pages) };
        match code {
            sqlite::SQLITE_OK | sqlite::SQLITE_DONE => {
                // SAFETY: as above.
                let (total, remaining) =
                    unsafe { (sqlite::sqlite3_backup_pagecount(raw), sqlite::sqlite3_backup_remaining(raw)) };
                Ok(Copied {
                    total: u64::from(total.unsigned_abs()),
                    remaining: u64::from(remaining.unsigned_abs()),
                    done: code == sqlite::SQLITE_DONE,
                })
            }
            // The failure may be the source's or the target's, so neither connection's message certainly belongs to it.
            code => Err(Core::failure_of_code(code)),
        }
    }

    /// Ends the copy and returns the target's connection. An incomplete copy is rolled back.
    pub(crate) fn into_target(mut self) -> Option<Rc<Core>> {
        self.end();
        self.target.take()
    }

    fn end(&mut self) {
        if self.source.forget_backup(self.raw) {
            // SAFETY: the copy was in the source's list of live copies until now. The target still lives.
            unsafe { sqlite::sqlite3_backup_finish(self.raw.as_ptr()) };
        }
    }
}

impl Drop for RawBackup {
    fn drop(&mut self) {
        self.end();
    }
}
