//! The rows of a call on their way to the memory that the addon shares with JavaScript.

use zeroize::Zeroizing;

use crate::exchange::{BYTES, FIRST, MAX_PARAMETERS, SLOTS};

/// The rows of a call before they are in the shared memory.
///
/// SQLite may call JavaScript between two rows and at the end of a run. Such a callback may run statements of other
/// databases, which use the shared memory too. A call therefore publishes its rows last, when no other code can run before
/// the caller reads them.
pub(crate) struct Staging<V> {
    /// The memory of the slots.
    pub(crate) slots: Zeroizing<Vec<u64>>,
    /// The number of slots that the rows use.
    pub(crate) used: usize,
    pub(crate) contents: Contents<V>,
}

/// The parts of rows that do not fit into a slot.
pub(crate) struct Contents<V> {
    /// Small blobs.
    pub(crate) bytes: Zeroizing<Vec<u8>>,
    /// The other values, in the order of rows and columns.
    pub(crate) values: Vec<V>,
}

impl<V> Default for Staging<V> {
    fn default() -> Self {
        let contents = Contents { bytes: Zeroizing::default(), values: Vec::new() };
        Self { slots: Zeroizing::default(), used: 0, contents }
    }
}

impl<V> Staging<V> {
    /// Empties the memory, which is as large as the shared memory.
    pub(crate) fn begin(&mut self) {
        if self.slots.is_empty() {
            self.slots.resize(SLOTS - FIRST, 0);
            self.contents.bytes.reserve_exact(BYTES - MAX_PARAMETERS);
        }
        self.used = 0;
        self.contents.bytes.clear();
        self.contents.values.clear();
    }

    /// Returns the slots of the rows.
    #[inline]
    pub(crate) fn slots(&self) -> &[u64] {
        self.slots.get(..self.used).unwrap_or_default()
    }
}

impl<V> Contents<V> {
    /// Returns the next blob's offset in the shared memory, if the blob fits.
    #[inline]
    pub(crate) fn place(&self, length: usize) -> Option<u32> {
        let place = MAX_PARAMETERS + self.bytes.len();
        (place + length <= BYTES).then_some(place as u32)
    }
}

/// The header of a call's rows.
pub(crate) struct Head {
    pub(crate) rows: usize,
    /// `true` once the run has ended.
    pub(crate) done: bool,
    pub(crate) layout: u32,
    pub(crate) values: usize,
}

/// Returns a slot whose halves JavaScript reads as two elements of an Int32Array.
#[inline]
pub(crate) fn halves(first: u32, second: u32) -> u64 {
    u64::from(first) | u64::from(second) << 32
}
