//! Strings whose memory is outside V8's heap.
//!
//! V8 keeps the address of an external string's memory instead of a copy. A thread fills the memory, so the main thread
//! neither copies a long text nor moves the copy in a garbage collection.
//! <https://nodejs.org/api/n-api.html#node_api_create_external_string_latin1>

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ffi::c_void;
use std::ops::Deref;
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use napi::{Env, sys};
use zeroize::{DefaultIsZeroes, Zeroize};

use super::wiped::out_of_memory;
use crate::asynchronous::program::program;
use crate::error::Outcome;
use crate::handle::{Handle, check};

type Create<U> = unsafe extern "C" fn(
    env: sys::napi_env,
    units: *mut U,
    length: usize,
    finalize: sys::napi_finalize,
    hint: *mut c_void,
    result: *mut sys::napi_value,
    copied: *mut bool,
) -> sys::napi_status;

/// The functions of the host that create external strings. The functions belong to Node-API 10, and Node has exported
/// them since 20.4. The addon requires Node-API 9, so it looks the functions up.
struct Host {
    latin1: Option<Create<u8>>,
    utf16: Option<Create<u16>>,
    /// `true` once the host has copied a text, as a V8 with a sandbox does. Such a host makes the functions useless.
    copies: AtomicBool,
}

/// The units of an external string: Latin-1 characters, or UTF-16 units.
pub(super) trait Unit: DefaultIsZeroes {
    #[expect(private_interfaces, reason = "only this module implements and uses the trait's function")]
    fn create(host: &Host) -> Option<Create<Self>>;
}

impl Unit for u8 {
    #[expect(private_interfaces, reason = "see the trait")]
    fn create(host: &Host) -> Option<Create<Self>> {
        host.latin1
    }
}

impl Unit for u16 {
    #[expect(private_interfaces, reason = "see the trait")]
    fn create(host: &Host) -> Option<Create<Self>> {
        host.utf16
    }
}

/// The memory of an external string, which is wiped before it is freed.
pub(super) struct ExternalText<U: Unit> {
    memory: NonNull<Header>,
    units: NonNull<U>,
}

/// The start of the memory. The units follow.
#[repr(C)]
struct Header {
    length: usize,
    state: AtomicU32,
}

/// The call that creates the string has not returned.
const CREATING: u32 = 0;
/// The call has not returned, and has called the finalizer.
const FINALIZED: u32 = 1;
/// The string uses the memory.
const USED: u32 = 2;
/// The host has copied the text or failed, and has not called the finalizer.
const UNUSED: u32 = 3;

// SAFETY: the value owns its memory, like a `Box<[U]>`.
unsafe impl<U: Unit> Send for ExternalText<U> {}

impl<U: Unit> ExternalText<U> {
    /// Creates zeros, which `fill` overwrites.
    ///
    /// # Errors
    ///
    /// Fails if memory runs out.
    pub(super) fn new(length: usize, fill: impl FnOnce(&mut [U])) -> Outcome<Self> {
        let (layout, offset) = layout::<U>(length).ok_or_else(out_of_memory)?;
        // SAFETY: the layout has the size of a header at least. The places of the header and of the units are in the
        // memory, and are aligned.
        let mut text = unsafe {
            let memory = NonNull::new(alloc_zeroed(layout)).ok_or_else(out_of_memory)?;
            let (header, units) = (memory.cast::<Header>(), memory.add(offset).cast::<U>());
            header.write(Header { length, state: AtomicU32::new(CREATING) });
            Self { memory: header, units }
        };
        fill(text.units_mut());
        Ok(text)
    }

    /// Returns the number of bytes that [`report_external`] takes.
    pub(super) fn size(&self) -> usize {
        size::<U>(self.len()) as usize
    }

    /// Creates a string of the memory, or returns the memory if the host cannot. The caller has reported the memory.
    ///
    /// # Errors
    ///
    /// Fails if V8 refuses the string, which must not be longer than V8's limit.
    pub(super) fn into_string(self, env: &Env) -> Result<Outcome<Handle>, Self> {
        self.into_string_of(env, Host::get())
    }

    fn into_string_of(self, env: &Env, host: &Host) -> Result<Outcome<Handle>, Self> {
        match U::create(host) {
            Some(create) if !host.copies.load(Ordering::Relaxed) => Ok(self.create(env, create, host)),
            _ => {
                report_external(env, -size::<U>(self.len()));
                Err(self)
            }
        }
    }

    fn create(mut self, env: &Env, create: Create<U>, host: &Host) -> Outcome<Handle> {
        let (mut result, mut copied) = (ptr::null_mut(), false);
        let (length, units) = (self.len(), self.units.as_ptr());
        let hint = self.memory.as_ptr().cast();
        // SAFETY: the units have this length, and live until the finalizer frees them. The hint is what the finalizer
        // takes.
        let status =
            unsafe { create(env.raw(), units, length, Some(finalize::<U>), hint, &mut result, &mut copied) };
        // SAFETY: the memory is live, because the finalizer frees it only in the state `USED`.
        let state = unsafe { &self.memory.as_ref().state };
        let created = check(env, status, "cannot create an external string");
        let used = created.is_ok() && !copied;
        if !used {
            report_external(env, -size::<U>(length));
        }
        if state.load(Ordering::Relaxed) != FINALIZED {
            if !used {
                // Node has already called the finalizer, but hosts exist that call it later or never.
                self.units_mut().zeroize();
            }
            state.store(if used { USED } else { UNUSED }, Ordering::Relaxed);
            std::mem::forget(self);
        }
        if copied {
            host.copies.store(true, Ordering::Relaxed);
        }
        created.map(|()| result)
    }

    fn units_mut(&mut self) -> &mut [U] {
        let length = self.len();
        // SAFETY: as in `deref`, and the value is borrowed exclusively.
        unsafe { slice::from_raw_parts_mut(self.units.as_ptr(), length) }
    }
}

impl<U: Unit> Deref for ExternalText<U> {
    type Target = [U];

    fn deref(&self) -> &[U] {
        // SAFETY: `new` has written the header, and allocated this number of zeros.
        unsafe { slice::from_raw_parts(self.units.as_ptr(), self.memory.as_ref().length) }
    }
}

impl<U: Unit> Drop for ExternalText<U> {
    fn drop(&mut self) {
        self.units_mut().zeroize();
        if let Some((layout, _)) = layout::<U>(self.len()) {
            // SAFETY: `new` allocated the memory with this layout.
            unsafe { dealloc(self.memory.as_ptr().cast(), layout) };
        }
    }
}

/// Returns the number of bytes of the units.
fn size<U>(length: usize) -> i64 {
    // A `Layout` of this size exists, so the product fits.
    (length * size_of::<U>()) as i64
}

/// Reports to V8 that the memory of external strings grows or shrinks by a number of bytes. Values report their strings
/// before the strings exist, because their finalizers report the opposite.
///
/// V8 counts this memory itself, but does not collect garbage because of it.
pub(super) fn report_external(env: &Env, change: i64) {
    let mut total = 0;
    if change != 0 {
        // SAFETY: the environment is alive, and this is its thread; Node-API permits the call in finalizers. After a
        // failure, V8 only collects at other times.
        unsafe { sys::napi_adjust_external_memory(env.raw(), change, &mut total) };
    }
}

/// Returns the layout of the memory and the offset of the units, or `None` for a length that no memory has.
fn layout<U>(length: usize) -> Option<(Layout, usize)> {
    let units = Layout::array::<U>(length).ok()?;
    Layout::new::<Header>().extend(units).ok()
}

/// Wipes and frees the memory of a string. V8 may call the function during a garbage collection, and without an
/// environment after the environment's end. Bun 1.0 passes no address of the units.
unsafe extern "C" fn finalize<U: Unit>(env: sys::napi_env, _units: *mut c_void, hint: *mut c_void) {
    let Some(memory) = NonNull::new(hint.cast::<Header>()) else { return };
    // SAFETY: the hint comes from `create`. The memory is live, because the host calls the finalizer once.
    unsafe {
        let Header { length, state } = memory.as_ref();
        match state.load(Ordering::Relaxed) {
            CREATING => return state.store(FINALIZED, Ordering::Relaxed),
            USED if !env.is_null() => report_external(&Env::from_raw(env), -size::<U>(*length)),
            _ => {}
        }
        if let Some((_, offset)) = layout::<U>(*length) {
            let units = memory.cast::<u8>().add(offset).cast::<U>();
            drop(ExternalText { memory, units });
        }
    }
}

impl Host {
    /// Returns the functions of the host.
    fn get() -> &'static Host {
        static HOST: OnceLock<Host> = OnceLock::new();
        HOST.get_or_init(|| {
            let copies = AtomicBool::new(false);
            let Some(program) = program() else { return Host { latin1: None, utf16: None, copies } };
            // SAFETY: the signatures are those of Node-API 10, in which `char` and `char16_t` have the size of the units.
            // The program is never unloaded.
            unsafe {
                let latin1 = program.get::<Create<u8>>(b"node_api_create_external_string_latin1\0");
                let utf16 = program.get::<Create<u16>>(b"node_api_create_external_string_utf16\0");
                Host { latin1: latin1.ok().map(|name| *name), utf16: utf16.ok().map(|name| *name), copies }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    //! Creates strings in a host that this module imitates.

    use std::cell::RefCell;

    use super::*;

    /// The arguments of the last call.
    struct Call {
        units: *mut u16,
        length: usize,
        finalize: unsafe extern "C" fn(sys::napi_env, *mut c_void, *mut c_void),
        hint: *mut c_void,
    }

    impl Call {
        /// Calls the finalizer, without the address of the units as Bun 1.0 does.
        fn finalize(&self) {
            // SAFETY: the tests call the finalizer once for each string.
            unsafe { (self.finalize)(ptr::null_mut(), ptr::null_mut(), self.hint) };
        }

        fn units(&self) -> Vec<u16> {
            // SAFETY: the tests read the units before the finalizer.
            unsafe { slice::from_raw_parts(self.units, self.length) }.to_vec()
        }
    }

    thread_local! {
        static CALL: RefCell<Option<Call>> = const { RefCell::new(None) };
    }

    /// The ways in which a host takes a text.
    const KEEPS: u32 = 0;
    const COPIES_AND_FINALIZES: u32 = 1;
    const COPIES: u32 = 2;
    const FAILS: u32 = 3;
    const FAILS_AND_FINALIZES: u32 = 4;

    unsafe extern "C" fn create<const WAY: u32>(
        _env: sys::napi_env,
        units: *mut u16,
        length: usize,
        finalize: sys::napi_finalize,
        hint: *mut c_void,
        _result: *mut sys::napi_value,
        copied: *mut bool,
    ) -> sys::napi_status {
        let call = Call { units, length, finalize: finalize.unwrap(), hint };
        assert_eq!(call.units(), TEXT);
        if WAY == COPIES_AND_FINALIZES || WAY == FAILS_AND_FINALIZES {
            call.finalize();
        }
        CALL.set(Some(call));
        if WAY == FAILS || WAY == FAILS_AND_FINALIZES {
            return sys::Status::napi_generic_failure;
        }
        // SAFETY: the caller passes a place.
        unsafe { copied.write(WAY != KEEPS) };
        sys::Status::napi_ok
    }

    const TEXT: [u16; 3] = [0x6F22, 0x5B57, 0x21];

    /// Creates a string. Returns whether the call succeeded, whether the host is known to copy, and the call.
    fn created<const WAY: u32>() -> (bool, bool, Call) {
        let host = Host { latin1: None, utf16: Some(create::<WAY>), copies: AtomicBool::new(false) };
        let text = ExternalText::new(3, |units| units.copy_from_slice(&TEXT)).unwrap();
        let env = Env::from_raw(ptr::null_mut());
        let succeeded = text.into_string_of(&env, &host).ok().unwrap().is_ok();
        (succeeded, host.copies.into_inner(), CALL.take().unwrap())
    }

    #[test]
    fn a_host_keeps_the_memory_until_it_calls_the_finalizer() {
        let (succeeded, copies, call) = created::<KEEPS>();
        assert!(succeeded && !copies);
        assert_eq!(call.units(), TEXT);
        call.finalize();
    }

    #[test]
    fn a_host_that_copies_may_call_the_finalizer_at_once_or_later() {
        let (succeeded, copies, _) = created::<COPIES_AND_FINALIZES>();
        assert!(succeeded && copies);

        let (succeeded, copies, call) = created::<COPIES>();
        assert!(succeeded && copies);
        assert_eq!(call.units(), [0; 3], "the memory is wiped although the finalizer did not run");
        call.finalize();
    }

    #[test]
    fn a_host_that_fails_may_call_the_finalizer() {
        let (succeeded, _, call) = created::<FAILS>();
        assert!(!succeeded);
        assert_eq!(call.units(), [0; 3]);
        call.finalize();

        let (succeeded, _, _) = created::<FAILS_AND_FINALIZES>();
        assert!(!succeeded);
    }

    #[test]
    fn a_host_that_copies_or_lacks_the_function_returns_the_text() {
        let env = Env::from_raw(ptr::null_mut());
        for (utf16, copies) in [(None, false), (Some(create::<KEEPS> as Create<u16>), true)] {
            let host = Host { latin1: None, utf16, copies: AtomicBool::new(copies) };
            let text = ExternalText::new(3, |units| units.copy_from_slice(&TEXT)).unwrap();
            let Err(text) = text.into_string_of(&env, &host) else { panic!("the host cannot") };
            assert_eq!(*text, TEXT);
        }
    }

    #[test]
    fn a_text_larger_than_memory_is_an_error() {
        for length in [usize::MAX, isize::MAX as usize / 2] {
            assert!(ExternalText::<u16>::new(length, |_| ()).is_err());
        }
    }
}
