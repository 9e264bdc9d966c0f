//! The memory that the calls of statements share with JavaScript, in which numbers and small blobs cross without a call.
//!
//! `ts/api/calls.ts` has the same layout. Either side writes only while the other one waits: JavaScript before a call, the
//! addon during it.

use std::cell::{Cell, RefCell};
use std::ptr::{self, NonNull};
use std::slice;

use napi::{Env, sys};
use zeroize::Zeroizing;

use crate::error::Outcome;
use crate::handle::{Handle, check};
use crate::reference::Reference;
use crate::text::Scratch;

// Both sides use the machine's byte order, and split a slot in two halves.
const _: () = assert!(cfg!(target_endian = "little"));

/// The slot with the number of rows, and whether the run has ended.
const ROWS: usize = 0;
/// The slot with the version of the rows' layout, and the number of values that cross as JavaScript values.
const LAYOUT: usize = 1;
/// The slot with the number of changes.
const CHANGES: usize = 2;
/// The slot with the last rowid.
const ROWID: usize = 3;
/// The slot of the first value of the first row, or of the first parameter.
pub(crate) const FIRST: usize = 8;
/// The number of slots. SQLite has at most 2,000 columns, so that at least one row fits.
pub(crate) const SLOTS: usize = 4096;

/// The number of parameters that have a slot.
pub(crate) const MAX_PARAMETERS: usize = 256;
/// The length of the byte memory, which starts with the kinds of the parameters.
pub(crate) const BYTES: usize = 64 * 1024;

/// The memory of one thread of JavaScript.
pub(crate) struct Exchange {
    slots: Memory,
    bytes: Memory,
    /// Borrowed for one value at a time: JavaScript can run between two of them.
    pub(crate) scratch: RefCell<Scratch>,
    /// Taken while a call reads rows. In an option, because to wipe an empty vector costs more than a call.
    staging: Cell<Option<Box<Staging>>>,
}

/// The rows of a call before they are in the shared memory.
///
/// SQLite may call JavaScript between two rows, and when a run ends. That JavaScript may run statements of other databases,
/// which use the shared memory too. So rows reach it last, when nothing else can run before the caller reads them.
#[derive(Default)]
pub(crate) struct Staging {
    pub(crate) slots: Zeroizing<Vec<u64>>,
    pub(crate) bytes: Zeroizing<Vec<u8>>,
    pub(crate) handles: Vec<Handle>,
}

impl Staging {
    /// Empties the memory, which then has room for as much as the shared memory.
    fn begin(&mut self) {
        if self.slots.capacity() == 0 {
            self.slots.reserve_exact(SLOTS - FIRST);
            self.bytes.reserve_exact(BYTES - MAX_PARAMETERS);
        }
        self.slots.clear();
        self.bytes.clear();
        self.handles.clear();
    }

    /// Whether another row of `columns` values fits.
    #[inline]
    pub(crate) fn has_room(&self, columns: usize) -> bool {
        self.slots.len() + columns <= SLOTS - FIRST
    }

    /// Returns the place that the next blob has in the shared memory, if it fits.
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

/// The head of the rows of a call.
pub(crate) struct Head {
    pub(crate) rows: usize,
    /// Whether the run has ended.
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
        // SAFETY: the memory has this many slots, is aligned as the memory of every ArrayBuffer, and is kept alive by its
        // reference. JavaScript does not run while the addon uses it, and never detaches it.
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
    /// No JavaScript runs, and nothing here writes the bytes, while they are in use.
    #[inline]
    pub(crate) unsafe fn given(&self, start: usize, length: usize) -> Option<&[u8]> {
        let bytes = self.bytes().get(start..start.checked_add(length)?)?;
        // SAFETY: a cell of a byte has the layout of the byte, and the caller guarantees that nothing writes it.
        Some(unsafe { slice::from_raw_parts(bytes.as_ptr().cast(), length) })
    }

    /// Returns the memory for the rows of a call. A call within another one gets memory of its own.
    #[inline]
    pub(crate) fn stage(&self) -> Box<Staging> {
        let mut staging = self.staging.take().unwrap_or_default();
        staging.begin();
        staging
    }

    /// Keeps the memory of a call that failed for the next one.
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

    /// Overwrites the values of earlier calls.
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

    /// Sets the outcome of a statement: the changes as a number, and the rowid as a number or as a bigint.
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
            None => Err(napi::Error::from_reason("an ArrayBuffer has no memory").into()),
        }
    }
}
