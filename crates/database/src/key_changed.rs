//! Distinguishes a changed key from a damaged page.

use std::ffi::CStr;
use std::path::PathBuf;
use std::time::Duration;

use crate::OpenOptions;
use crate::cipher::Cipher;
use crate::open::{Opened, path_of};
use crate::pragma::pragma;
use crate::seam::Core;

/// The number of pages to authenticate, apart from the first.
const SAMPLES: u64 = 8;

/// Returns the path of the database `schema` if another connection has changed the key of its file.
///
/// The caller's key was right once, and a page has failed its authentication. Damage rarely affects many pages, but a new
/// key affects all of them: the key has changed if the first page and another page fail. If the first page of the file
/// still has this connection's key, the write-ahead log may hold a newer version with the new key. The key has then changed
/// if a new reader cannot read the first page.
pub(crate) fn key_changed(core: &Core, schema: &CStr) -> Option<PathBuf> {
    let path = path_of(&core.file_name(schema)?);
    let cipher = Cipher::of(core, schema).ok()??;
    if cipher.unlocked().is_some() {
        // Changing the key of a file in the Strongroom format changes no page.
        return None;
    }
    let (keys, _) = cipher.page_keys()?;
    let size = cipher.parameters.effective_page_size();
    let length = core.file_start(schema, 0)?.length;
    let pages = length / u64::from(size);
    let authentic = |number: u64| {
        let page = core.file_part(schema, (number - 1) * u64::from(size), size as usize)?;
        keys.authenticate(&page, u32::try_from(number).ok()?, &cipher.parameters).ok()?
    };
    let first = authentic(1)?;
    let log = core.with(|connection| pragma::<String>(connection, &schema.to_string_lossy(), "journal_mode"));
    if first {
        let in_log = log.is_ok_and(|mode| mode == "wal") && !reads_first_page(core, schema);
        return in_log.then_some(path);
    }
    let step = pages.div_ceil(SAMPLES).max(1);
    let mut others =
        (1..=SAMPLES).map(|sample| (sample * step).min(pages)).filter(|&page| page > 1).peekable();
    let changed = others.peek().is_none() || others.any(|page| authentic(page) == Some(false));
    changed.then_some(path)
}

/// Returns whether a new connection with the key can read the first page, which may be in the write-ahead log.
fn reads_first_page(core: &Core, schema: &CStr) -> bool {
    let options = OpenOptions { read_only: true, must_exist: true, busy_timeout: Duration::ZERO };
    let Ok(Some(twin)) = Opened::twin(core, schema, &options) else { return true };
    let read = twin.core.with(|connection| pragma::<i64>(connection, "main", "schema_version"));
    read.is_ok() || !twin.core.cipher_failed("main")
}
