//! The parts of an audit that all jobs share.

use std::sync::atomic::{AtomicU64, Ordering};

use super::candidate::Candidate;
use crate::addon::Addon;
use crate::error::AuditError;
use crate::facts::Facts;
use crate::limits::MAX_NAMES;
use crate::printable::display_path;

/// Receives the progress of an audit; `()` ignores it.
pub trait Progress: Sync {
    /// Reports that this many more addons will be read.
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
}

impl<'a> Shared<'a> {
    pub(super) fn new(progress: &'a dyn Progress) -> Shared<'a> {
        Shared { progress, weight: AtomicU64::new(0) }
    }

    /// Reads a candidate, and counts the memory that its facts take.
    pub(super) fn read(&self, candidate: &Candidate, content: &[u8]) -> Result<Addon, AuditError> {
        let addon = candidate.read(content);
        let facts: u64 = addon.facts.iter().map(Facts::weight).sum();
        if !self.has_room(facts + addon.neighbours.weight()) {
            return Err(AuditError::TooMuch { file: display_path(&candidate.path) });
        }
        Ok(addon)
    }

    /// Counts memory, unless the sum would exceed the limit. Returns whether it was counted.
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
