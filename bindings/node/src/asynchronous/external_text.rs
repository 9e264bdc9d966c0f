//! Strings whose memory is outside V8's heap.
//!
//! V8 keeps the address of an external string's memory instead of a copy. A thread fills the memory, so the main thread
//! neither copies a long text nor collects the copy.
//! <https://nodejs.org/api/n-api.html#node_api_create_external_string_latin1>

use std::ffi::c_void;
use std::sync::OnceLock;
use std::{mem, ptr};

use napi::{Env, sys};
use zeroize::{Zeroize, Zeroizing};

use crate::error::Outcome;
use crate::handle::{Handle, check};

type Function<U> = unsafe extern "C" fn(
    env: sys::napi_env,
    units: *mut U,
    length: usize,
    finalize: sys::napi_finalize,
    hint: *mut c_void,
    result: *mut sys::napi_value,
    copied: *mut bool,
) -> sys::napi_status;

/// The functions that create external strings, if the host has them.
///
/// The functions belong to Node-API 10, and Node has exported them since 20.4. The addon requires Node-API 9.
pub(crate) struct ExternalText {
    pub(super) latin1: Option<Create<u8>>,
    pub(super) utf16: Option<Create<u16>>,
}

/// A function that creates external strings of the units `U`.
pub(super) struct Create<U> {
    function: Function<U>,
}

impl<U> Clone for Create<U> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<U> Copy for Create<U> {}

impl ExternalText {
    /// Returns the functions of the host. The first call looks them up.
    pub(crate) fn of_host() -> &'static ExternalText {
        static OF_HOST: OnceLock<ExternalText> = OnceLock::new();
        OF_HOST.get_or_init(|| {
            let Some(host) = host() else { return ExternalText { latin1: None, utf16: None } };
            // SAFETY: the signatures are those of Node-API 10, in which `char` and `char16_t` have the size of the units.
            // The library is the host program, which is never unloaded.
            unsafe {
                let latin1 = host.get::<Function<u8>>(b"node_api_create_external_string_latin1\0");
                let utf16 = host.get::<Function<u16>>(b"node_api_create_external_string_utf16\0");
                ExternalText {
                    latin1: latin1.ok().map(|symbol| Create { function: *symbol }),
                    utf16: utf16.ok().map(|symbol| Create { function: *symbol }),
                }
            }
        })
    }
}

/// Returns the program that has loaded the addon.
#[cfg(unix)]
fn host() -> Option<libloading::os::unix::Library> {
    Some(libloading::os::unix::Library::this())
}

/// Returns the program that has loaded the addon.
#[cfg(windows)]
fn host() -> Option<libloading::os::windows::Library> {
    libloading::os::windows::Library::this().ok()
}

impl<U: Zeroize> Create<U> {
    /// Creates a string that owns the units.
    ///
    /// # Errors
    ///
    /// Fails if V8 refuses the string. The memory then leaks, because Node-API does not say who owns it.
    pub(super) fn string(self, env: &Env, mut units: Zeroizing<Box<[U]>>) -> Outcome<Handle> {
        let (mut result, mut copied) = (ptr::null_mut(), false);
        let length = units.len();
        let address = Box::into_raw(mem::take(&mut *units)).cast::<U>();
        // SAFETY: Node-API owns the memory until it calls the finalizer, which may be during this call. The hint is the
        // length that the finalizer needs.
        let status = unsafe {
            (self.function)(
                env.raw(),
                address,
                length,
                Some(finalize::<U>),
                ptr::without_provenance_mut(length),
                &mut result,
                &mut copied,
            )
        };
        // A host that copies the text has already called the finalizer, so `copied` needs no action.
        check(env, status, "cannot create an external string")?;
        Ok(result)
    }
}

/// Wipes and frees the memory of a string. V8 calls the function during a garbage collection, so it runs no other code.
unsafe extern "C" fn finalize<U: Zeroize>(_env: sys::napi_env, units: *mut c_void, length: *mut c_void) {
    let units = ptr::slice_from_raw_parts_mut(units.cast::<U>(), length.addr());
    // SAFETY: `string` made the address of a box with this length, and Node-API calls the finalizer once.
    drop(Zeroizing::new(unsafe { Box::from_raw(units) }));
}
