//! The state that all jobs of an audit share.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::candidate::Candidate;
use super::input;
use super::place::LibraryPath;
use crate::addon::Addon;
use crate::error::AuditError;
use crate::facts::Facts;
use crate::library::LibraryParts;
use crate::limits::MAX_NAMES;
use crate::printable::display_path;
use crate::readers::recognize;

/// Receives the progress of an audit; `()` ignores it.
pub trait Progress: Sync {
    /// Reports the number of additional addons that will be read.
    fn found(&self, addons: usize) {
        let _ = addons;
    }

    /// Reports that an addon was read.
    fn done(&self) {}
}

impl Progress for () {}

/// The progress and the memory budget of an audit.
pub(super) struct Shared<'a> {
    pub(super) progress: &'a dyn Progress,
    /// The memory that facts take, in bytes.
    weight: AtomicU64,
    /// The libraries on disk that were read, by path.
    libraries: Mutex<HashMap<String, Arc<OnceLock<LibraryParts>>>>,
    /// The lock that a job holds while it reads a library.
    turn: Mutex<()>,
}

/// Returns an error as a clause, without the file's name.
fn reason(error: &AuditError) -> String {
    let text = error.to_string();
    text.split_once(": ").map_or(text.clone(), |(_, reason)| reason.to_owned())
}

impl<'a> Shared<'a> {
    pub(super) fn new(progress: &'a dyn Progress) -> Shared<'a> {
        Shared { progress, weight: AtomicU64::new(0), libraries: Mutex::default(), turn: Mutex::new(()) }
    }

    /// Reads a candidate, and counts the memory that its facts take.
    pub(super) fn read(&self, candidate: &Candidate, content: &[u8]) -> Result<Addon, AuditError> {
        let mut addon = candidate.read(content);
        let facts: u64 = addon.facts.iter().map(Facts::weight).sum();
        if !self.has_room(facts + addon.neighbours.weight()) {
            return Err(AuditError::TooMuch { file: display_path(&candidate.path) });
        }
        if candidate.is_on_disk() {
            addon.libraries = candidate.libraries(&addon, &mut |path| Some(self.library(path)));
        }
        Ok(addon)
    }

    /// Reads a library on disk, once for all addons that load it.
    fn library(&self, path: &LibraryPath) -> LibraryParts {
        let slot = {
            let mut libraries = self.libraries.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(libraries.entry(path.id.clone()).or_default())
        };
        slot.get_or_init(|| {
            // The lock admits one large file at a time, beside the addons.
            let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
            let real = Path::new(&path.id);
            let content = input::content(real).map_err(|error| reason(&error))?;
            self.parts(&content)
        })
        .clone()
    }

    /// Returns the facts of a library, and counts the memory that they take.
    pub(super) fn parts(&self, content: &[u8]) -> LibraryParts {
        let parts = recognize(content).map_err(|damage| damage.to_string())?;
        if self.has_room(parts.iter().map(Facts::weight).sum()) {
            Ok(Arc::new(parts))
        } else {
            Err(format!(
                "cannot be read: the names in all files of this audit take more than {} MiB of memory; audit \
                 fewer files at a time",
                MAX_NAMES >> 20
            ))
        }
    }

    /// Counts memory, unless the sum would exceed the limit. Returns whether the memory was counted.
    fn has_room(&self, weight: u64) -> bool {
        let sum = |held: u64| held.checked_add(weight).filter(|sum| *sum <= MAX_NAMES);
        self.weight.fetch_update(Ordering::Relaxed, Ordering::Relaxed, sum).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_counted_up_to_the_limit() {
        let shared = Shared::new(&());
        assert!(shared.has_room(MAX_NAMES - 1) && !shared.has_room(2));
        assert!(shared.has_room(1) && !shared.has_room(1));
        assert!(!Shared::new(&()).has_room(u64::MAX));
    }
}
