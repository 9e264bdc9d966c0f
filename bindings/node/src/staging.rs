//! The rows of a call on their way to the memory that the addon shares with JavaScript.

use zeroize::Zeroizing;

use crate::exchange::{BYTES, FIRST, MAX_PARAMETERS, SLOTS};

/// The rows of a call before they are in the shared memory.
///
/// SQLite may call JavaScript between two rows and at the end of a run. Such a callback may run statements of other
/// databases, which use the shared memory too. A call therefore publishes its rows last, when no other code can run before
/// the caller reads them.
pub(crate) struct Staging<V> {
    pub(crate) slots: Zeroizing<Vec<u64>>,
    pub(crate) bytes: Zeroizing<Vec<u8>>,
    /// The values that have no place in a slot, in the order of rows and columns.
    pub(crate) values: Vec<V>,
}

impl<V> Default for Staging<V> {
    fn default() -> Self {
        Self { slots: Zeroizing::default(), bytes: Zeroizing::default(), values: Vec::new() }
    }
}

impl<V> Staging<V> {
    /// Empties the memory and reserves as much as the shared memory holds.
    pub(crate) fn begin(&mut self) {
        if self.slots.capacity() == 0 {
            self.slots.reserve_exact(SLOTS - FIRST);
            self.bytes.reserve_exact(BYTES - MAX_PARAMETERS);
        }
        self.slots.clear();
        self.bytes.clear();
        self.values.clear();
    }

    /// Returns whether another row of `columns` values fits.
    #[inline]
    pub(crate) fn has_room(&self, columns: usize) -> bool {
        self.slots.len() + columns <= SLOTS - FIRST
    }

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
