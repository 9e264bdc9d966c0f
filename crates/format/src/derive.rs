//! HKDF-SHA-256 and HMAC-SHA-256, by OpenSSL.

use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::md::Md;
use openssl::pkey::{Id, PKey};
use openssl::pkey_ctx::PkeyCtx;
use openssl::sign::Signer;
use strongroom_keys::SecretBytes;

use crate::KEY_LENGTH;

/// The `info` of HKDF for each key.
pub(crate) mod info {
    /// The key-encryption key of a raw key.
    pub(crate) const RAW_KEY: &[u8] = b"Strongroom 1 raw key";
    /// The page key.
    pub(crate) const PAGES: &[u8] = b"Strongroom 1 pages";
    /// The key of the header's HMAC.
    pub(crate) const HEADER: &[u8] = b"Strongroom 1 header";
    /// The key that seals the slots' labels.
    pub(crate) const LABELS: &[u8] = b"Strongroom 1 labels";
}

/// Derives 32 bytes with HKDF-SHA-256 (RFC 5869).
///
/// The module `kdf` of the crate `openssl` has the same function, but copies the secret into memory that OpenSSL frees
/// without wiping it.
pub(crate) fn hkdf(secret: &[u8], salt: &[u8], info: &[u8]) -> Result<SecretBytes, ErrorStack> {
    let mut key = SecretBytes::zeroed(KEY_LENGTH);
    hkdf_into(secret, salt, info, &mut key)?;
    Ok(key)
}

fn hkdf_into(secret: &[u8], salt: &[u8], info: &[u8], key: &mut [u8]) -> Result<(), ErrorStack> {
    let mut context = PkeyCtx::new_id(Id::HKDF)?;
    context.derive_init()?;
    context.set_hkdf_md(Md::sha256())?;
    context.set_hkdf_key(secret)?;
    context.set_hkdf_salt(salt)?;
    context.add_hkdf_info(info)?;
    match context.derive(Some(key))? == key.len() {
        true => Ok(()),
        false => Err(ErrorStack::get()),
    }
}

/// Returns the HMAC-SHA-256 (RFC 2104) of `bytes`.
pub(crate) fn hmac(key: &[u8], bytes: &[u8]) -> Result<[u8; 32], ErrorStack> {
    let mut code = [0; 32];
    let key = PKey::hmac(key)?;
    let length = Signer::new(MessageDigest::sha256(), &key)?.sign_oneshot(&mut code, bytes)?;
    match length == code.len() {
        true => Ok(code),
        false => Err(ErrorStack::get()),
    }
}
