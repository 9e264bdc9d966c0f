//! The keys that encrypt and authenticate a file's pages.

use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;

use crate::key::{Material, RAW_LENGTH, blob_literal};
use crate::{CipherParameters, HashAlgorithm, Key, KeyError, PageNumberOrder, SALT_LENGTH, SecretBytes};

/// The length of a page's initialisation vector, in bytes.
const IV_LENGTH: usize = 16;

/// The keys that encrypt and authenticate the pages of one file.
pub struct PageKeys {
    /// The key of AES-256.
    pub cipher: SecretBytes,
    /// The key of each page's HMAC. Unused if pages have no HMAC.
    pub hmac: SecretBytes,
}

impl PageKeys {
    /// Derives the keys of the file with this salt, as SQLCipher's `sqlcipher_cipher_ctx_key_derive` does.
    ///
    /// # Errors
    ///
    /// As for [`Key::expose_for_sqlcipher`]; [`KeyError::Derivation`] or [`KeyError::Init`] if OpenSSL fails.
    pub fn derive(key: &Key, salt: &[u8; SALT_LENGTH]) -> Result<Self, KeyError> {
        /// SQLCipher's default of `PRAGMA fast_kdf_iter`.
        const FAST_KDF_ITER: u32 = 2;
        /// SQLCipher's default of `PRAGMA cipher_hmac_salt_mask`.
        const HMAC_SALT_MASK: u8 = 0x3a;
        vendored_sys::init().map_err(|source| KeyError::Init { source })?;
        let parameters = key.parameters();
        let algorithm = parameters.effective_kdf_algorithm();
        let cipher = match key.material() {
            Material::Raw(bytes) => SecretBytes::copy_of(bytes),
            Material::Passphrase(passphrase) => {
                pbkdf2(algorithm, passphrase, salt, parameters.effective_kdf_iter())?
            }
            Material::RecoveryCode(_) => return Err(KeyError::RecoveryCodeForSqlCipher),
        };
        key.check_names_no_slot()?;
        let mask = parameters.hmac_salt_mask.unwrap_or(HMAC_SALT_MASK);
        let masked = salt.map(|byte| byte ^ mask);
        let iterations = parameters.fast_kdf_iter.unwrap_or(FAST_KDF_ITER);
        let hmac = pbkdf2(algorithm, &cipher, &masked, iterations)?;
        Ok(Self { cipher, hmac })
    }

    /// Reads the keys and the salt from the form that [`PageKeys::keyspec`] and SQLCipher write.
    ///
    /// If the form has no HMAC key, because pages have no HMAC, `hmac` stays empty. Returns `None` for any other text, such
    /// as a passphrase.
    pub fn from_keyspec(keyspec: &[u8]) -> Option<(Self, [u8; SALT_LENGTH])> {
        let digits = keyspec.strip_prefix(b"x'")?.strip_suffix(b"'")?;
        let bytes = from_hex(digits)?;
        let (cipher, rest) = bytes.split_at_checked(RAW_LENGTH)?;
        let (hmac, salt) = rest.split_at_checked(rest.len().checked_sub(SALT_LENGTH)?)?;
        if !matches!(hmac.len(), 0 | RAW_LENGTH) {
            return None;
        }
        let keys = Self { cipher: SecretBytes::copy_of(cipher), hmac: SecretBytes::copy_of(hmac) };
        Some((keys, salt.try_into().ok()?))
    }

    /// Returns the keys and the salt in the form that `sqlite3_key_v2` takes: `x'<cipher><hmac><salt>'` in hexadecimal.
    pub fn keyspec(&self, salt: &[u8; SALT_LENGTH]) -> SecretBytes {
        blob_literal(&[&self.cipher, &self.hmac, salt])
    }

    /// Returns whether these keys authenticate the page with this number, counted from 1.
    ///
    /// `page` is the whole encrypted page. Returns `None` if pages have no HMAC, and `Some(false)` if `page` is too short.
    /// Source: `sqlcipher_page_cipher` and `sqlcipher_page_hmac`.
    ///
    /// # Errors
    ///
    /// [`KeyError::Derivation`] if OpenSSL fails.
    pub fn authenticate(
        &self,
        page: &[u8],
        number: u32,
        parameters: &CipherParameters,
    ) -> Result<Option<bool>, KeyError> {
        let Some(algorithm) = parameters.effective_hmac_algorithm() else { return Ok(None) };
        let reserved = parameters.reserved_bytes() as usize;
        // The salt or a plaintext header takes the place of the first bytes of page 1.
        let start = match (number, parameters.plaintext_header_size) {
            (1, Some(size)) if size > 0 => size as usize,
            (1, _) => SALT_LENGTH,
            _ => 0,
        };
        let end = page.len().checked_sub(reserved).map(|usable| usable + IV_LENGTH);
        let code = end.and_then(|end| page.get(end..end + algorithm.digest_length() as usize));
        let (Some(content), Some(code)) = (end.and_then(|end| page.get(start..end)), code) else {
            return Ok(Some(false));
        };
        let order = match parameters.effective_hmac_page_number() {
            PageNumberOrder::Little => number.to_le_bytes(),
            PageNumberOrder::Big => number.to_be_bytes(),
            PageNumberOrder::Native => number.to_ne_bytes(),
        };
        let failed = |source| KeyError::Derivation { source };
        let key = PKey::hmac(&self.hmac).map_err(failed)?;
        let mut signer = Signer::new(message_digest(algorithm), &key).map_err(failed)?;
        signer.update(content).map_err(failed)?;
        signer.update(&order).map_err(failed)?;
        let computed = signer.sign_to_vec().map_err(failed)?;
        Ok(Some(openssl::memcmp::eq(&computed, code)))
    }
}

fn pbkdf2(
    algorithm: HashAlgorithm,
    secret: &[u8],
    salt: &[u8; SALT_LENGTH],
    iterations: u32,
) -> Result<SecretBytes, KeyError> {
    let mut bytes = SecretBytes::zeroed(RAW_LENGTH);
    openssl::pkcs5::pbkdf2_hmac(secret, salt, iterations as usize, message_digest(algorithm), &mut bytes)
        .map_err(|source| KeyError::Derivation { source })?;
    Ok(bytes)
}

fn message_digest(algorithm: HashAlgorithm) -> MessageDigest {
    match algorithm {
        HashAlgorithm::Sha1 => MessageDigest::sha1(),
        HashAlgorithm::Sha256 => MessageDigest::sha256(),
        HashAlgorithm::Sha512 => MessageDigest::sha512(),
    }
}

fn from_hex(digits: &[u8]) -> Option<SecretBytes> {
    let nibble = |digit: u8| char::from(digit).to_digit(16);
    let (pairs, rest) = digits.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let mut bytes = SecretBytes::zeroed(pairs.len());
    for (byte, &[high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = u8::try_from(nibble(high)? << 4 | nibble(low)?).ok()?;
    }
    Some(bytes)
}
