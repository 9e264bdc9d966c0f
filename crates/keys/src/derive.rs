//! Derives keys from passphrases, as SQLCipher does.

use crate::{CipherParameters, Key, KeyError, PageKeys};

/// The length of a database's salt, in bytes: the first bytes of an encrypted file.
pub const SALT_LENGTH: usize = 16;

/// Derives the raw key of a database that was created with a passphrase.
///
/// `salt` is the first 16 bytes of the file. A program that often opens a database can derive the key once and keep it,
/// because opening with a raw key needs no derivation. The algorithm is PBKDF2 over HMAC-SHA-512 with 256,000 iterations,
/// unless `parameters` differ. The key keeps the parameters. Source: SQLCipher's documentation of its design.
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
    let key = Key::passphrase(passphrase)?.with_cipher(*parameters)?;
    Key::from_raw(PageKeys::derive(&key, salt)?.cipher).with_cipher(*parameters)
}

/// Generates the salt of a new database with OpenSSL.
///
/// # Errors
///
/// [`KeyError::Random`] or [`KeyError::Init`] if OpenSSL fails.
pub fn generate_salt() -> Result<[u8; SALT_LENGTH], KeyError> {
    vendored_sys::init().map_err(|source| KeyError::Init { source })?;
    let mut salt = [0; SALT_LENGTH];
    openssl::rand::rand_bytes(&mut salt).map_err(|source| KeyError::Random { source })?;
    Ok(salt)
}
