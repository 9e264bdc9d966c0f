//! The parameters of Argon2id.

use std::cell::Cell;

use openssl::error::ErrorStack;
use strongroom_keys::SecretBytes;

use crate::argon2id_openssl::derive;
use crate::{KEY_LENGTH, SALT_LENGTH};

/// The parameters of Argon2id, version 1.3 (RFC 9106).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Argon2id {
    /// In KiB.
    pub(crate) memory: u32,
    pub(crate) passes: u32,
    pub(crate) lanes: u32,
}

/// The largest accepted memory, in KiB: 1 GiB.
pub(crate) const MAX_MEMORY: u32 = 1 << 20;

/// The largest accepted number of passes.
pub(crate) const MAX_PASSES: u32 = 16;

/// The largest accepted number of lanes.
pub(crate) const MAX_LANES: u32 = 16;

impl Argon2id {
    /// The parameters of new slots: RFC 9106's second recommended set (section 4), for machines with limited memory.
    ///
    /// Measured: 125 ms on an AMD EPYC. OpenSSL computes the lanes one after the other, unless the process lets OpenSSL start
    /// threads.
    pub(crate) const NEW: Self = Self { memory: 1 << 16, passes: 3, lanes: 4 };

    /// Returns whether the parameters are valid by RFC 9106 (section 3.1) and within the limits. A file's header can name
    /// any parameters before the header is authenticated.
    pub(crate) fn is_accepted(&self) -> bool {
        (1..=MAX_LANES).contains(&self.lanes)
            && (1..=MAX_PASSES).contains(&self.passes)
            && (8 * self.lanes..=MAX_MEMORY).contains(&self.memory)
    }

    /// Derives a key-encryption key. The caller has called [`Self::is_accepted`].
    pub(crate) fn derive(
        &self,
        passphrase: &[u8],
        salt: &[u8; SALT_LENGTH],
    ) -> Result<SecretBytes, ErrorStack> {
        RUNS.set(RUNS.get() + 1);
        let mut key = SecretBytes::zeroed(KEY_LENGTH);
        derive(self, passphrase, salt, &[], &mut key)?;
        Ok(key)
    }
}

thread_local! {
    static RUNS: Cell<usize> = const { Cell::new(0) };
}

/// Returns how often this thread has run Argon2id. The tests of this crate and of those above it count derivations.
pub fn argon2id_runs() -> usize {
    RUNS.get()
}

/// Counts the derivations of a thread.
#[cfg(test)]
pub(crate) mod runs {
    use super::argon2id_runs;

    /// Returns the number of derivations in `function`.
    pub(crate) fn of<T>(function: impl FnOnce() -> T) -> (usize, T) {
        let before = argon2id_runs();
        let result = function();
        (argon2id_runs() - before, result)
    }
}
