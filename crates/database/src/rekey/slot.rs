//! Changes the key of a file in the Strongroom format, whose header holds the key slots.

use std::ffi::CStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use strongroom_format::{SlotError, Unlocked};
use strongroom_keys::{Format, Key};

use super::{OnRekeyProgress, RekeyProgress, not_begun};
use crate::cipher::CipherFailure;
use crate::key_slots::SlotFile;
use crate::seam::Core;
use crate::{KeySlotError, RekeyError, SqlError};

/// Changes the key slot that opened a file in the Strongroom format. No page changes, so no other connection notices.
pub(super) fn change(
    core: &Core,
    schema: &CStr,
    path: PathBuf,
    unlocked: Arc<Unlocked>,
    to: &Key,
    progress: &mut OnRekeyProgress<'_>,
) -> Result<(), RekeyError> {
    if to.format() == Some(Format::SqlCipher) {
        return Err(RekeyError::Layout { path, parameter: "format" });
    }
    if to.parameters().page_size.is_some_and(|size| size != unlocked.page_size()) {
        return Err(RekeyError::Layout { path, parameter: "page size" });
    }
    let file = SlotFile::new(core, schema.to_owned(), path, unlocked);
    file.require_unmoved().map_err(rekey_error)?;
    let new = file.derive(to).map_err(rekey_error)?;
    if !progress(RekeyProgress { done: 0, total: 1 }) {
        return Err(RekeyError::Cancelled);
    }
    file.change(|current| current.with_key(&new)).map_err(rekey_error)?;
    progress(RekeyProgress { done: 1, total: 1 });
    Ok(())
}

fn rekey_error(error: KeySlotError) -> RekeyError {
    let unknown = |path: PathBuf, source: SqlError| RekeyError::Unknown {
        source: Box::new(RekeyError::Sqlite { path: path.clone(), source }),
        path,
    };
    match error {
        KeySlotError::Key { source } => RekeyError::Key { source },
        KeySlotError::Open { source } => RekeyError::Open { source },
        KeySlotError::Sqlite { path, source } => RekeyError::Sqlite { path, source },
        KeySlotError::OneCopy { path, source } => RekeyError::Unverified { path, source },
        KeySlotError::Unknown { path, source } => unknown(path, source),
        KeySlotError::Slot { path, source: SlotError::Format { source } } => RekeyError::Open {
            source: crate::strongroom::FormatFailure::Create(source).into_open_error(path),
        },
        other => RekeyError::Slots { source: Box::new(other) },
    }
}

/// Returns the error of a key that does not fit.
pub(super) fn unkeyed(path: &Path, failure: CipherFailure) -> RekeyError {
    match failure {
        CipherFailure::Key(source) => RekeyError::Key { source },
        CipherFailure::Sqlite(failure) => not_begun(path, failure),
        CipherFailure::Format(failure) => {
            RekeyError::Open { source: failure.into_open_error(path.to_owned()) }
        }
    }
}
