//! Random bytes from the operating system.
//!
//! The system's generator is safe after a fork and after a virtual machine is cloned, where a generator inside the process
//! could repeat its bytes.

use crate::{FormatError, NONCE_LENGTH};

/// Returns a nonce for one page or one other message, from the operating system.
///
/// # Errors
///
/// [`FormatError::Random`] if the system returns no random bytes.
pub fn random_nonce() -> Result<[u8; NONCE_LENGTH], FormatError> {
    random()
}

/// Returns random bytes that are not secret.
pub(crate) fn random<const LENGTH: usize>() -> Result<[u8; LENGTH], FormatError> {
    let mut bytes = [0; LENGTH];
    fill(&mut bytes)?;
    Ok(bytes)
}

/// Fills `bytes` in place, so that a secret is never on the stack.
pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), FormatError> {
    getrandom::fill(bytes).map_err(|source| FormatError::Random { source })
}
