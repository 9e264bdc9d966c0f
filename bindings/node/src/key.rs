//! Keys from JavaScript.

use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;
use strongroom_keys::{CipherParameters, Format, HashAlgorithm, Key, PageNumberOrder, RecoveryCode, SlotId};

use crate::error::{Outcome, Problem};

/// A key with its cipher parameters. The TypeScript layer has checked each value.
#[napi(object, object_to_js = false)]
pub struct NativeKey {
    /// A raw key of 32 bytes.
    pub key: Option<Uint8Array>,
    /// A passphrase, from which SQLCipher derives the key.
    pub passphrase: Option<Uint8Array>,
    /// A recovery code as a person typed it, in UTF-8.
    pub recovery: Option<Uint8Array>,
    /// The id of the only key slot to try.
    pub slot: Option<String>,
    /// The number of iterations that derive the key.
    pub kdf_iter: Option<u32>,
    /// The page size in bytes.
    pub page_size: Option<u32>,
    /// The major version of SQLCipher whose format and defaults apply.
    pub cipher_compatibility: Option<u32>,
    /// The hash function of the key derivation: `sha1`, `sha256` or `sha512`.
    pub kdf_algorithm: Option<String>,
    /// The hash function of each page's HMAC: `sha1`, `sha256` or `sha512`.
    pub hmac_algorithm: Option<String>,
    /// `true` if an HMAC authenticates each page.
    pub use_hmac: Option<bool>,
    /// The byte order of the page number in the HMAC: `le`, `be` or `native`.
    pub hmac_pgno: Option<String>,
    /// The number of iterations that derive the HMAC key.
    pub fast_kdf_iter: Option<u32>,
    /// The byte that masks the salt of the HMAC key.
    pub hmac_salt_mask: Option<u32>,
    /// The number of unencrypted bytes at the start of the file.
    pub plaintext_header_size: Option<u32>,
    /// The salt. The default is the first 16 bytes of the file.
    pub salt: Option<Uint8Array>,
    /// The format of the file: `sqlcipher` or `strongroom`.
    pub format: Option<String>,
}

impl NativeKey {
    /// Returns the key, or `None` if the object holds no secret.
    pub(crate) fn key(&self) -> Outcome<Option<Key>> {
        let key = match (&self.key, &self.passphrase, &self.recovery) {
            (Some(bytes), _, _) => Key::raw(bytes)?,
            (None, Some(passphrase), _) => Key::passphrase(passphrase)?,
            (None, None, Some(code)) => Key::recovery_code(&recovery_code(code)?),
            (None, None, None) => return Ok(None),
        };
        let key = match &self.slot {
            Some(slot) => key.with_slot(slot.parse::<SlotId>()?),
            None => key,
        };
        let byte = |number: Option<u32>| number.and_then(|number| u8::try_from(number).ok());
        let parameters = CipherParameters {
            kdf_iter: self.kdf_iter,
            page_size: self.page_size,
            compatibility: byte(self.cipher_compatibility),
            kdf_algorithm: self.kdf_algorithm.as_deref().and_then(hash_algorithm),
            hmac_algorithm: self.hmac_algorithm.as_deref().and_then(hash_algorithm),
            use_hmac: self.use_hmac,
            hmac_page_number: match self.hmac_pgno.as_deref() {
                Some("le") => Some(PageNumberOrder::Little),
                Some("be") => Some(PageNumberOrder::Big),
                Some("native") => Some(PageNumberOrder::Native),
                _ => None,
            },
            fast_kdf_iter: self.fast_kdf_iter,
            hmac_salt_mask: byte(self.hmac_salt_mask),
            plaintext_header_size: self.plaintext_header_size,
            salt: self.salt.as_deref().and_then(|salt| salt.try_into().ok()),
        };
        let key = key.with_cipher(parameters)?;
        Ok(Some(match self.format.as_deref() {
            Some("sqlcipher") => key.with_format(Format::SqlCipher)?,
            Some("strongroom") => key.with_format(Format::Strongroom)?,
            _ => key,
        }))
    }
}

fn recovery_code(code: &[u8]) -> Outcome<RecoveryCode> {
    let text = str::from_utf8(code).map_err(|_| Problem::Value {
        message: "the \"recovery\" option is not text in UTF-8: pass the code as it was shown".to_owned(),
    })?;
    Ok(RecoveryCode::parse(text)?)
}

fn hash_algorithm(name: &str) -> Option<HashAlgorithm> {
    match name {
        "sha1" => Some(HashAlgorithm::Sha1),
        "sha256" => Some(HashAlgorithm::Sha256),
        "sha512" => Some(HashAlgorithm::Sha512),
        _ => None,
    }
}
