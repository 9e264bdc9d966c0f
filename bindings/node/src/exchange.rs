//! The memory that statement calls share with JavaScript. The memory carries numbers and small blobs without a
//! Node-API call.
//!
//! `ts/api/calls.ts` has the same layout. JavaScript writes only before a call, and the addon only during a call.

use std::cell::{Cell, RefCell};
use std::ptr::{self, NonNull};
use std::slice;

use napi::{Env, sys};
use zeroize::Zeroizing;

use crate::error::Outcome;
use crate::handle::{Handle, check};
use crate::reference::Reference;
use crate::text::Scratch;

// Both sides use the machine's byte order and split a slot into two halves.
const _: () = assert!(cfg!(target_endian = "little"));

/// The slot whose first half is the number of rows, and whose second half is 1 once the run has ended, otherwise 0.
const ROWS: usize = 0;
/// The slot whose first half is the version of the rows' layout, and whose second half is the number of values that a
/// call returns as JavaScript values.
const LAYOUT: usize = 1;
/// The slot with the number of changes.
const CHANGES: usize = 2;
/// The slot with the last rowid.
const ROWID: usize = 3;
/// The slot of the first row's first value, or of the first parameter.
pub(crate) const FIRST: usize = 8;
/// The number of slots. A row has at most 2,000 columns in SQLite, so at least one row fits.
pub(crate) const SLOTS: usize = 4096;

/// The number of parameters that have a slot.
pub(crate) const MAX_PARAMETERS: usize = 256;
/// The length of the byte memory, which starts with the kinds of the parameters.
pub(crate) const BYTES: usize = 64 * 1024;

/// The memory of one JavaScript thread.
pub(crate) struct Exchange {
    slots: Memory,
    bytes: Memory,
    /// Borrowed for one value at a time, because JavaScript can run between two values.
    pub(crate) scratch: RefCell<Scratch>,
    /// `None` while a call reads rows. Wiping an empty `Staging` in this cell would cost more than a whole call.
    staging: Cell<Option<Box<Staging>>>,
}

/// The rows of a call before they are in the shared memory.
///
/// SQLite may call JavaScript between two rows and at the end of a run. Such a callback may run statements of other
/// databases, which use the shared memory too. A call therefore publishes its rows last, when no other code can run before
/// the caller reads them.
#[derive(Default)]
pub(crate) struct Staging {
    pub(crate) slots: Zeroizing<Vec<u64>>,
    pub(crate) bytes: Zeroizing<Vec<u8>>,
    pub(crate) handles: Vec<Handle>,
}

impl Staging {
    /// Empties the memory and reserves as much as the shared memory holds.
    fn begin(&mut self) {
        if self.slots.capacity() == 0 {
            self.slots.reserve_exact(SLOTS - FIRST);
            self.bytes.reserve_exact(BYTES - MAX_PARAMETERS);
        }
        self.slots.clear();
        self.bytes.clear();
        self.handles.clear();
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

/// An ArrayBuffer and its address.
struct Memory {
    buffer: Reference,
    address: NonNull<u8>,
}

/// The header of a call's rows.
pub(crate) struct Head {
    pub(crate) rows: usize,
    /// `true` once the run has ended.
    pub(crate) done: bool,
    pub(crate) layout: u32,
    pub(crate) values: usize,
}

impl Exchange {
    pub(crate) fn new(env: &Env) -> Outcome<Self> {
        let (slots, bytes) = (Memory::new(env, SLOTS * size_of::<u64>())?, Memory::new(env, BYTES)?);
        Ok(Self { slots, bytes, scratch: RefCell::default(), staging: Cell::default() })
    }

    /// Returns the two ArrayBuffers: the slots and the bytes.
    pub(crate) fn buffers(&self) -> Outcome<[Handle; 2]> {
        Ok([self.slots.buffer.value()?, self.bytes.buffer.value()?])
    }

    #[inline]
    pub(crate) fn slots(&self) -> &[Cell<u64>] {
        // SAFETY: the memory has this many slots, and the alignment of every ArrayBuffer. `buffer` keeps the memory
        // alive. JavaScript does not run while the addon uses the memory, and never detaches it.
        unsafe { slice::from_raw_parts(self.slots.address.as_ptr().cast(), SLOTS) }
    }

    #[inline]
    pub(crate) fn bytes(&self) -> &[Cell<u8>] {
        // SAFETY: as above.
        unsafe { slice::from_raw_parts(self.bytes.address.as_ptr().cast(), BYTES) }
    }

    /// Returns the bytes of a parameter.
    ///
    /// # Safety
    ///
    /// While the bytes are in use, no JavaScript runs and no code of the addon writes them.
    #[inline]
    pub(crate) unsafe fn given(&self, start: usize, length: usize) -> Option<&[u8]> {
        let bytes = self.bytes().get(start..start.checked_add(length)?)?;
        // SAFETY: a `Cell<u8>` has the layout of a `u8`, and the caller guarantees that no code writes the bytes.
        Some(unsafe { slice::from_raw_parts(bytes.as_ptr().cast(), length) })
    }

    /// Returns the memory for the rows of a call. A nested call gets memory of its own.
    #[inline]
    pub(crate) fn stage(&self) -> Box<Staging> {
        let mut staging = self.staging.take().unwrap_or_default();
        staging.begin();
        staging
    }

    /// Keeps the memory for the rows of the next call.
    pub(crate) fn unstage(&self, staging: Box<Staging>) {
        self.staging.set(Some(staging));
    }

    /// Puts the rows of a call into the shared memory.
    #[inline]
    pub(crate) fn publish(&self, head: &Head, staging: Box<Staging>) {
        for (place, &slot) in self.slots()[FIRST..].iter().zip(staging.slots.iter()) {
            place.set(slot);
        }
        for (place, &byte) in self.bytes()[MAX_PARAMETERS..].iter().zip(staging.bytes.iter()) {
            place.set(byte);
        }
        self.set_head(head);
        self.unstage(staging);
    }

    /// Wipes the values of earlier calls.
    pub(crate) fn wipe(&self) {
        self.scratch.take();
        self.staging.take();
        self.slots().iter().for_each(|slot| slot.set(0));
        self.bytes().iter().for_each(|byte| byte.set(0));
    }

    fn set_head(&self, head: &Head) {
        let slots = self.slots();
        slots[ROWS].set(halves(head.rows as u32, u32::from(head.done)));
        slots[LAYOUT].set(halves(head.layout, head.values as u32));
    }

    /// Sets the outcome of a statement: the changes as a number, and the rowid as a number or a bigint.
    pub(crate) fn set_outcome(&self, changes: u64, rowid: i64, bigint: bool) {
        let slots = self.slots();
        slots[CHANGES].set((changes as f64).to_bits());
        slots[ROWID].set(if bigint { rowid.cast_unsigned() } else { (rowid as f64).to_bits() });
    }
}

/// Returns a slot whose halves JavaScript reads as two elements of an Int32Array.
#[inline]
pub(crate) fn halves(first: u32, second: u32) -> u64 {
    u64::from(first) | u64::from(second) << 32
}

impl Memory {
    fn new(env: &Env, length: usize) -> Outcome<Self> {
        let (mut address, mut buffer) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: `env` is the environment of the running call. Node-API sets the address of `length` bytes of zeros.
        let status = unsafe { sys::napi_create_arraybuffer(env.raw(), length, &mut address, &mut buffer) };
        check(env, status, "napi_create_arraybuffer")?;
        let buffer = Reference::new(env, buffer)?;
        match NonNull::new(address.cast()) {
            Some(address) => Ok(Self { buffer, address }),
            None => Err(napi::Error::from_reason("Node-API returned an ArrayBuffer without memory").into()),
        }
    }
}
