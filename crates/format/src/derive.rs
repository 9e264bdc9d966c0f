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
    /// The key-encryption key of a recovery code.
    pub(crate) const RECOVERY_CODE: &[u8] = b"Strongroom 1 recovery code";
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

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5869, appendix A.1 and A.2.
    #[test]
    fn hkdf_has_the_published_results() {
        vendored_sys::init().unwrap();
        let range = |range: std::ops::RangeInclusive<u8>| range.collect::<Vec<u8>>();
        let mut key = [0; 42];
        hkdf_into(&[0x0b; 22], &range(0..=0x0c), &range(0xf0..=0xf9), &mut key).unwrap();
        assert_eq!(
            to_hex(&key),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
        );
        let mut key = [0; 82];
        hkdf_into(&range(0..=0x4f), &range(0x60..=0xaf), &range(0xb0..=0xff), &mut key).unwrap();
        assert_eq!(
            to_hex(&key),
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da32756\
             00c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"
        );
        let short = hkdf(&[0x0b; 22], &range(0..=0x0c), &range(0xf0..=0xf9)).unwrap();
        assert_eq!(to_hex(&short), "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf");
    }

    /// RFC 4231, section 4.2.
    #[test]
    fn hmac_has_the_published_result() {
        vendored_sys::init().unwrap();
        let code = hmac(&[0x0b; 20], b"Hi There").unwrap();
        assert_eq!(to_hex(&code), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    }

    fn to_hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
