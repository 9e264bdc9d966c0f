//! From a passphrase to a raw key, as SQLCipher does it.

use openssl::hash::MessageDigest;
use zeroize::Zeroizing;

use crate::key::RAW_LENGTH;
use crate::{CipherParameters, Key, KeyError};

/// The length of a database's salt, in bytes: the first bytes of an encrypted file.
pub const SALT_LENGTH: usize = 16;

/// Derives the raw key that opens a database which was written with a passphrase.
///
/// `salt` is the first 16 bytes of the file. Opening with the raw key takes no time, so that a program which opens one
/// database often may derive once and keep the key. It is PBKDF2 over HMAC-SHA-512 with 256,000 iterations, or what
/// `parameters` say; the parameters stay with the key. Source: SQLCipher's documentation of its design.
///
/// # Errors
///
/// What [`Key::passphrase`] and [`Key::with_cipher`] refuse, and [`KeyError::Derivation`] or [`KeyError::Init`] when
/// OpenSSL is not able to.
pub fn derive(
    passphrase: &[u8],
    salt: &[u8; SALT_LENGTH],
    parameters: &CipherParameters,
) -> Result<Key, KeyError> {
    Key::passphrase(passphrase)?;
    parameters.check()?;
    vendored_sys::init().map_err(|source| KeyError::Init { source })?;
    let digest = if parameters.uses_sha1() { MessageDigest::sha1() } else { MessageDigest::sha512() };
    let iterations = parameters.effective_kdf_iter() as usize;
    let mut bytes = Zeroizing::new([0; RAW_LENGTH]);
    openssl::pkcs5::pbkdf2_hmac(passphrase, salt, iterations, digest, &mut *bytes)
        .map_err(|source| KeyError::Derivation { source })?;
    Key::raw(&*bytes)?.with_cipher(*parameters)
}
