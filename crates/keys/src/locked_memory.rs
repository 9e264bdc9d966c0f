//! A mapping of zeros that is neither swapped out nor written to a core dump.

use std::io;
use std::sync::{Mutex, PoisonError};

use memmap2::MmapMut;

/// The length of the mappings that are reused. The system rounds a mapping up to whole pages, and no system has smaller
/// pages.
pub(crate) const SHORT_LENGTH: usize = 4096;

/// An anonymous mapping of whole pages: locked in memory if the system permits, and excluded from core dumps on Linux.
///
/// A mapping shares its pages with no other memory, so unlocking other memory never unlocks a mapping.
pub(crate) struct LockedMemory {
    /// Unlocks the pages when dropped. Declared before the mapping, so that it is dropped first.
    #[cfg(windows)]
    _guard: Option<region::LockGuard>,
    map: MmapMut,
    locked: bool,
}

impl LockedMemory {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.map
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.map
    }

    fn map(length: usize) -> io::Result<Self> {
        let map = MmapMut::map_anon(length)?;
        // Kernels have supported MADV_DONTDUMP since 3.4; on older kernels, the pages are dumped like all others.
        #[cfg(target_os = "linux")]
        let _ = map.advise(memmap2::Advice::DontDump);
        #[cfg(unix)]
        return Ok(Self { locked: map.lock().is_ok(), map });
        #[cfg(windows)]
        {
            let guard = region::lock(map.as_ptr(), map.len()).ok();
            Ok(Self { locked: guard.is_some(), _guard: guard, map })
        }
    }
}

/// Mappings that hold zeros and wait for the next secret.
///
/// Opening a database takes two mappings: for its key, and for the key's text for SQLCipher. Without idle mappings, each
/// opening would make eight system calls.
pub(crate) struct Pool {
    idle: Mutex<Vec<LockedMemory>>,
}

/// The pool that the whole process shares.
pub(crate) static POOL: Pool = Pool { idle: Mutex::new(Vec::new()) };

/// Some systems let a process lock only 64 KiB, of which SQLCipher takes 48 KiB.
const MAX_IDLE: usize = 2;

impl Pool {
    /// Takes an idle mapping, or maps at least `length` zeros.
    ///
    /// # Errors
    ///
    /// The system's error if memory runs out or the process has too many mappings. A system that refuses to lock the pages
    /// isn't an error: see [`SecretBytes`](crate::SecretBytes).
    pub(crate) fn take(&self, length: usize) -> io::Result<LockedMemory> {
        if length > SHORT_LENGTH {
            return LockedMemory::map(length);
        }
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| LockedMemory::map(SHORT_LENGTH), Ok)
    }

    /// Keeps a mapping for the next [`Self::take`], or unmaps it. The caller must have overwritten the bytes with zeros.
    pub(crate) fn give_back(&self, mapping: LockedMemory) {
        // A mapping that isn't locked is unmapped, because a later attempt to lock may succeed.
        if mapping.map.len() > SHORT_LENGTH || !mapping.locked {
            return;
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MAX_IDLE {
            idle.push(mapping);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Opening a thousand databases maps and locks two pages, not two thousand.
    #[test]
    fn a_thousand_pairs_of_secrets_take_two_mappings() {
        let pool = Pool { idle: Mutex::default() };
        for round in 0..1000_u16 {
            let mut pair = [pool.take(32).unwrap(), pool.take(SHORT_LENGTH).unwrap()];
            if !pair.iter().all(|mapping| mapping.locked) {
                println!("skipped: the system does not let this process lock two pages");
                return;
            }
            // A reused mapping still holds the mark; a new mapping would hold zeros.
            assert!(pair.iter().all(|mapping| mapping.bytes().starts_with(&round.to_le_bytes())), "{round}");
            for mapping in &mut pair {
                mapping.bytes_mut()[..2].copy_from_slice(&(round + 1).to_le_bytes());
            }
            pair.into_iter().for_each(|mapping| pool.give_back(mapping));
        }
    }

    #[test]
    fn a_pool_keeps_few_mappings_and_no_long_mapping() {
        let pool = Pool { idle: Mutex::default() };
        pool.give_back(pool.take(SHORT_LENGTH + 1).unwrap());
        assert!(pool.idle.lock().unwrap().is_empty());
        let many: Vec<_> = (0..10).map(|_| pool.take(1).unwrap()).collect();
        many.into_iter().for_each(|mapping| pool.give_back(mapping));
        assert!(pool.idle.lock().unwrap().len() <= MAX_IDLE);
    }
}
