//! Changes the key of a file in the Strongroom format, whose header holds the key slots.

use std::ffi::CStr;
use std::path::{Path, PathBuf};

use strongroom_format::{UnlockError, Unlocked};
use strongroom_keys::{Format, Key, KeyError};
use vendored_sys::sqlite;

use super::{OnRekeyProgress, RekeyProgress, not_begun};
use crate::cipher::CipherFailure;
use crate::seam::{Core, Failure};
use crate::strongroom::{self, FormatFailure};
use crate::{OpenError, RekeyError};

/// Changes the key slot that opened a file in the Strongroom format. No page changes, so no other connection notices.
pub(super) fn change(
    core: &Core,
    schema: &CStr,
    path: PathBuf,
    unlocked: &Unlocked,
    to: &Key,
    progress: &mut OnRekeyProgress<'_>,
) -> Result<(), RekeyError> {
    if to.format() == Some(Format::SqlCipher) {
        return Err(RekeyError::Layout { path, parameter: "format" });
    }
    if to.parameters().page_size.is_some_and(|size| size != unlocked.page_size()) {
        return Err(RekeyError::Layout { path, parameter: "page size" });
    }
    if let Some(parameter) = to.parameters().first_of_sqlcipher() {
        return Err(RekeyError::Key { source: KeyError::Parameter { parameter } });
    }
    if core.has_moved(schema) {
        let message = "another file has replaced the file: close the database, and open it again".to_owned();
        return Err(not_begun(&path, Failure::Sqlite { code: sqlite::SQLITE_READONLY_DBMOVED, message }));
    }
    if !progress(RekeyProgress { done: 0, total: 1 }) {
        return Err(RekeyError::Cancelled);
    }
    // The transaction excludes other changes of the header, and rolls back the journal of a crashed process. Readers go on.
    core.with(|connection| connection.execute_batch("BEGIN IMMEDIATE"))
        .map_err(|failure| not_begun(&path, failure))?;
    let changed = strongroom::change_key(core, schema, unlocked, to);
    // Nothing was written in the transaction.
    let _ = core.with(|connection| connection.execute_batch("ROLLBACK"));
    core.exchange_unlocked(schema, changed.map_err(|failure| unkeyed(&path, failure))?);
    progress(RekeyProgress { done: 1, total: 1 });
    Ok(())
}

/// Returns the error of a key that does not fit.
pub(super) fn unkeyed(path: &Path, failure: CipherFailure) -> RekeyError {
    match failure {
        CipherFailure::Key(source) => RekeyError::Key { source },
        CipherFailure::Sqlite(failure) => not_begun(path, failure),
        // The slot of this connection's key has gone.
        CipherFailure::Format(FormatFailure::Unlock(UnlockError::WrongKey | UnlockError::NoSlot { .. })) => {
            RekeyError::Open { source: OpenError::KeyChanged { path: path.to_owned() } }
        }
        CipherFailure::Format(failure) => {
            RekeyError::Open { source: failure.into_open_error(path.to_owned()) }
        }
    }
}
