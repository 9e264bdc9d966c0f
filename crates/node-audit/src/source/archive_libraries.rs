//! Reads the libraries of an archive that are loaded with its addons. Writes nothing to disk.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use super::archive::Archive;
use super::candidate::Candidate;
use super::entries::{self, EntryKind};
use super::shared::Shared;
use crate::addon::Addon;
use crate::error::AuditError;
use crate::library::LibraryParts;
use crate::limits::{MAX_ARCHIVE_READS, MAX_FILE};
use crate::printable::display_path;

/// Adds to each addon the libraries that are loaded with it. Each pass over the archive reads the libraries that the
/// files of the previous pass need.
pub(super) fn add(
    archive: &Archive,
    candidates: &[Candidate],
    addons: &mut [Addon],
    shared: &Shared<'_>,
) -> Result<(), AuditError> {
    let candidates: HashMap<&Path, &Candidate> =
        candidates.iter().map(|candidate| (candidate.path.as_path(), candidate)).collect();
    let mut known: HashMap<String, LibraryParts> = HashMap::new();
    for _ in 0..MAX_ARCHIVE_READS {
        let mut wanted = BTreeSet::new();
        for addon in addons.iter_mut() {
            let Some(candidate) = candidates.get(addon.path.as_path()) else { continue };
            addon.libraries = candidate.libraries(addon, &mut |path| {
                let parts = known.get(&path.id).cloned();
                if parts.is_none() {
                    wanted.insert(path.id.clone());
                }
                parts
            });
        }
        if wanted.is_empty() {
            break;
        }
        let visited = entries::for_each(archive.open()?, |entry| {
            if entry.kind != EntryKind::File || !wanted.contains(entry.path) {
                return Ok(());
            }
            let parts = if entry.size > MAX_FILE {
                Err(format!("is larger than {} MiB, the largest size that node-audit reads", MAX_FILE >> 20))
            } else {
                let mut content = Vec::new();
                entry.content.read_to_end(&mut content).map_err(|error| error.to_string())?;
                shared.parts(&content)
            };
            known.insert(entry.path.to_owned(), parts);
            Ok(())
        });
        visited.map_err(|damage| AuditError::Archive { file: display_path(archive.name()), damage })?;
    }
    Ok(())
}
