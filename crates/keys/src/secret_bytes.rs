//! Secret bytes of a fixed length.

use std::fmt;
use std::mem;
use std::ops::{Deref, DerefMut};

use zeroize::{Zeroize, Zeroizing};

use crate::locked_memory::{LockedMemory, POOL};

/// Secret bytes of a fixed length: locked in memory, excluded from core dumps, and zeroised on drop.
///
/// Each value has its own pages, locked by `mlock` or `VirtualLock`, so that the system doesn't write them to swap. On
/// Linux, `MADV_DONTDUMP` excludes the pages from core dumps; macOS and Windows have no such call for one mapping.
///
/// Systems limit the memory that a process may lock: Linux to 8 MiB by default, or 64 KiB before version 5.16. Beyond the
/// limit, the bytes are still excluded from core dumps and zeroised, but may be swapped out. If the system refuses to
/// map pages, the bytes are on the heap and are only zeroised. Neither case is an error: a program with many keys must
/// not fail where a program with one key runs.
pub struct SecretBytes {
    memory: Memory,
    length: usize,
}

impl SecretBytes {
    /// Returns `length` zeros, for a function that writes a secret in place.
    pub fn zeroed(length: usize) -> Self {
        let memory = match POOL.take(length) {
            Ok(mapping) => Memory::Locked(mapping),
            Err(_) => Memory::Heap(Zeroizing::new(vec![0; length])),
        };
        Self { memory, length }
    }

    /// Copies `bytes`. The caller must overwrite the original.
    pub fn copy_of(bytes: &[u8]) -> Self {
        let mut copy = Self::zeroed(bytes.len());
        copy.copy_from_slice(bytes);
        copy
    }
}

impl Deref for SecretBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.memory {
            Memory::Locked(mapping) => &mapping.bytes()[..self.length],
            Memory::Heap(bytes) => bytes,
        }
    }
}

impl DerefMut for SecretBytes {
    fn deref_mut(&mut self) -> &mut [u8] {
        match &mut self.memory {
            Memory::Locked(mapping) => &mut mapping.bytes_mut()[..self.length],
            Memory::Heap(bytes) => bytes,
        }
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes(..)")
    }
}

impl Drop for SecretBytes {
    fn drop(&mut self) {
        self.zeroize();
        if let Memory::Locked(mapping) = mem::replace(&mut self.memory, Memory::Heap(Zeroizing::default())) {
            POOL.give_back(mapping);
        }
    }
}

enum Memory {
    Locked(LockedMemory),
    Heap(Zeroizing<Vec<u8>>),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locked_memory::SHORT_LENGTH;

    #[test]
    fn any_length_can_be_written_and_read() {
        for length in [0, 1, 32, SHORT_LENGTH - 1, SHORT_LENGTH, SHORT_LENGTH + 1, 5 * SHORT_LENGTH] {
            let bytes: Vec<u8> = (0..length).map(|index| (index % 251) as u8 + 1).collect();
            assert!(*SecretBytes::copy_of(&bytes) == *bytes, "{length}");
            // The mapping is reused, unless another test took the idle mapping.
            assert!(SecretBytes::zeroed(length).iter().all(|byte| *byte == 0), "{length}");
        }
    }

    #[test]
    fn the_heap_replaces_pages_that_the_system_refuses() {
        // No machine has this much memory. `take` must report an error instead of ending the process.
        assert!(POOL.take(isize::MAX as usize - SHORT_LENGTH).is_err());
        let mut bytes = SecretBytes { memory: Memory::Heap(Zeroizing::new(vec![0; 32])), length: 32 };
        bytes.copy_from_slice(&[7; 32]);
        assert_eq!(*bytes, [7; 32]);
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", SecretBytes::copy_of(b"correct horse")), "SecretBytes(..)");
    }
}
