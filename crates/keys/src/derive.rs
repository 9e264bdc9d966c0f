//! Derives a raw key from a passphrase, as SQLCipher does.

use openssl::hash::MessageDigest;
use zeroize::Zeroizing;

use crate::key::RAW_LENGTH;
use crate::{CipherParameters, Key, KeyError};

/// The length of a database's salt, in bytes: the first bytes of an encrypted file.
pub const SALT_LENGTH: usize = 16;

/// Derives the raw key of a database that was created with a passphrase.
///
/// `salt` is the first 16 bytes of the file. A program that opens a database often can derive the key once and keep it,
/// because opening with a raw key takes no time. The algorithm is PBKDF2 over HMAC-SHA-512 with 256,000 iterations,
/// unless `parameters` differ; the key keeps the parameters. Source: SQLCipher's documentation of its design.
///
/// # Errors
///
/// The errors of [`Key::passphrase`] and [`Key::with_cipher`]; [`KeyError::Derivation`] or [`KeyError::Init`] if OpenSSL
/// fails.
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
