//! The memory that statement calls share with JavaScript. The memory carries numbers and small blobs without a
//! Node-API call.
//!
//! `ts/api/calls.ts` has the same layout. JavaScript writes only before a call, and the addon only during a call.

use std::cell::{Cell, RefCell};
use std::ptr::{self, NonNull};
use std::rc::{Rc, Weak};
use std::slice;

use crate::error::Outcome;
use crate::handle::{Handle, check};
use crate::reference::Reference;
use crate::staging::{Head, Staging, halves};
use crate::text::Scratch;
use napi::{Env, sys};

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
/// The slot whose first half is the number of the thread that replies, and whose second half describes its connection.
const STATE: usize = 4;
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
    staging: Cell<Option<Box<Staging<Handle>>>>,
}

/// An ArrayBuffer and its address.
struct Memory {
    buffer: Reference,
    address: NonNull<u8>,
}

thread_local! {
    /// The memory of each environment of this thread. A thread has one environment, except in Electron.
    static EXCHANGES: RefCell<Vec<(sys::napi_env, Weak<Exchange>)>> = const { RefCell::new(Vec::new()) };
}

impl Exchange {
    /// Returns the memory of the environment. The memory lives as long as its owners.
    pub(crate) fn of(env: &Env) -> Outcome<Rc<Self>> {
        let known = EXCHANGES.with_borrow(|exchanges| {
            let known = exchanges.iter().find(|(owner, _)| *owner == env.raw());
            known.and_then(|(_, exchange)| exchange.upgrade())
        });
        if let Some(exchange) = known {
            return Ok(exchange);
        }
        let (slots, bytes) = (Memory::new(env, SLOTS * size_of::<u64>())?, Memory::new(env, BYTES)?);
        let exchange = Rc::new(Self { slots, bytes, scratch: RefCell::default(), staging: Cell::default() });
        EXCHANGES.with_borrow_mut(|exchanges| {
            exchanges.retain(|(owner, exchange)| *owner != env.raw() && exchange.strong_count() > 0);
            exchanges.push((env.raw(), Rc::downgrade(&exchange)));
        });
        Ok(exchange)
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
    pub(crate) fn stage(&self) -> Box<Staging<Handle>> {
        let mut staging = self.staging.take().unwrap_or_default();
        staging.begin();
        staging
    }

    /// Keeps the memory for the rows of the next call.
    pub(crate) fn unstage(&self, staging: Box<Staging<Handle>>) {
        self.staging.set(Some(staging));
    }

    /// Puts the rows of a call into the shared memory.
    #[inline]
    pub(crate) fn publish(&self, head: &Head, slots: &[u64], bytes: &[u8]) {
        for (place, &slot) in self.slots()[FIRST..].iter().zip(slots) {
            place.set(slot);
        }
        for (place, &byte) in self.bytes()[MAX_PARAMETERS..].iter().zip(bytes) {
            place.set(byte);
        }
        self.set_head(head);
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

    /// Sets the thread that replies, and the state of its connection.
    pub(crate) fn set_state(&self, thread: u32, state: u32) {
        self.slots()[STATE].set(halves(thread, state));
    }

    /// Sets the outcome of a statement: the changes as a number, and the rowid as a number or a bigint.
    pub(crate) fn set_outcome(&self, changes: u64, rowid: i64, bigint: bool) {
        let slots = self.slots();
        slots[CHANGES].set((changes as f64).to_bits());
        slots[ROWID].set(if bigint { rowid.cast_unsigned() } else { (rowid as f64).to_bits() });
    }
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
