//! Counts the OpenSSL contexts that a thread holds and has created, for tests.

/// Counts the context that this value is stored beside. Does nothing outside this crate's unit tests.
pub(super) struct Counted {
    _private: (),
}

impl Counted {
    pub(super) fn new() -> Self {
        #[cfg(test)]
        counts::change(|counts| {
            counts.made += 1;
            counts.live += 1;
        });
        Self { _private: () }
    }
}

#[cfg(test)]
impl Drop for Counted {
    fn drop(&mut self) {
        counts::change(|counts| counts.live -= 1);
    }
}

#[cfg(test)]
pub(super) mod counts {
    use std::cell::Cell;

    /// The contexts of this thread.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub(in super::super) struct Counts {
        pub(in super::super) made: usize,
        pub(in super::super) live: usize,
    }

    thread_local! {
        static COUNTS: Cell<Counts> = const { Cell::new(Counts { made: 0, live: 0 }) };
    }

    pub(super) fn change(change: impl FnOnce(&mut Counts)) {
        let mut counts = COUNTS.get();
        change(&mut counts);
        COUNTS.set(counts);
    }

    pub(in super::super) fn get() -> Counts {
        COUNTS.get()
    }
}

/// Counts the derivations of keys from passphrases by SQLCipher.
#[cfg(test)]
pub(super) mod derivations {
    use std::cell::Cell;
    use std::ffi::{c_int, c_void};
    use std::mem::transmute;

    use super::super::{ERROR, base};

    /// The iterations with which SQLCipher derives the key of the HMAC from another key.
    const FAST: c_int = 2;

    thread_local! {
        static RUNS: Cell<usize> = const { Cell::new(0) };
    }

    /// Returns how often SQLCipher has derived a key from a passphrase on this thread.
    pub(crate) fn get() -> usize {
        RUNS.get()
    }

    type Kdf = unsafe extern "C" fn(
        *mut c_void,
        c_int,
        *const u8,
        c_int,
        *const u8,
        c_int,
        c_int,
        c_int,
        *mut u8,
    ) -> c_int;

    unsafe extern "C" fn kdf(
        _: *mut c_void,
        algorithm: c_int,
        secret: *const u8,
        length: c_int,
        salt: *const u8,
        salt_length: c_int,
        iterations: c_int,
        key_length: c_int,
        key: *mut u8,
    ) -> c_int {
        if iterations > FAST {
            RUNS.set(RUNS.get() + 1);
        }
        let Some(own) = base().and_then(|base| base.kdf) else { return ERROR };
        // SAFETY: SQLCipher's own function has this type, does not use its context, and gets SQLCipher's arguments.
        unsafe {
            let own = transmute::<unsafe extern "C" fn(), Kdf>(own);
            own(
                std::ptr::null_mut(),
                algorithm,
                secret,
                length,
                salt,
                salt_length,
                iterations,
                key_length,
                key,
            )
        }
    }

    /// Returns the function that counts, in the form of the provider's struct.
    pub(in super::super) fn function() -> unsafe extern "C" fn() {
        // SAFETY: SQLCipher calls the function with the arguments of its real type.
        unsafe { transmute::<Kdf, unsafe extern "C" fn()>(kdf) }
    }
}
