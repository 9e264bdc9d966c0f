//! The memory of the values bound to a statement's parameters.

use zeroize::Zeroizing;

/// The length of the longest value whose memory is kept for the next value.
const MAX_KEPT: usize = 16 * 1024;
/// The most memory that all values of a statement keep together.
const MAX_KEPT_TOGETHER: usize = 64 * 1024;

/// The bytes of the text or blob bound to each parameter. SQLite holds pointers to the bytes.
///
/// The next value of a parameter reuses the memory, which saves an allocation per value and run. The memory is wiped before
/// it is freed, and when the connection is closed.
#[derive(Default)]
pub(super) struct Bound {
    values: Vec<Zeroizing<Vec<u8>>>,
    /// The capacity of all values.
    capacity: usize,
    /// `true` if the values are too long to be kept after the run.
    pub(super) long: bool,
}

impl Bound {
    /// Copies the bytes for a parameter, counted from 0. Returns `None` for a value that is too long.
    pub(super) fn keep(&mut self, position: usize, bytes: &[u8]) -> Option<&[u8]> {
        if bytes.len() > MAX_KEPT {
            self.long = true;
            return None;
        }
        if self.values.len() <= position {
            self.values.resize_with(position + 1, Zeroizing::default);
        }
        let kept = self.values.get_mut(position)?;
        if kept.capacity() < bytes.len() {
            // A growing vector would free its old memory without wiping it.
            let capacity = bytes.len().next_power_of_two();
            self.capacity += capacity - kept.capacity();
            self.long |= self.capacity > MAX_KEPT_TOGETHER;
            *kept = Zeroizing::new(Vec::with_capacity(capacity));
        }
        kept.clear();
        kept.extend_from_slice(bytes);
        Some(kept)
    }

    /// Wipes and frees the memory. No parameter may still refer to it.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
