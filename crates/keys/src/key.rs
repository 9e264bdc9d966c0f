//! A key: raw bytes, a passphrase or a recovery code.

use std::fmt;

use crate::{CipherParameters, KeyError, RecoveryCode, SecretBytes, SlotId};

/// The length of a raw key, in bytes: AES-256.
pub const RAW_LENGTH: usize = 32;

/// The format of an encrypted file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// SQLCipher's format, which other tools read.
    SqlCipher,
    /// Strongroom's own format, which costs less time. Described in docs/format.md.
    Strongroom,
}

impl Format {
    /// Returns the name that the JavaScript interface uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::SqlCipher => "sqlcipher",
            Self::Strongroom => "strongroom",
        }
    }
}

/// The key of a database: 32 raw bytes, a passphrase or a recovery code, with its cipher parameters.
///
/// The bytes are [`SecretBytes`]: locked in memory, excluded from core dumps, and zeroised when the key is dropped. Moving
/// a key does not copy its bytes.
pub struct Key {
    material: Material,
    parameters: CipherParameters,
    format: Option<Format>,
    slot: Option<SlotId>,
}

impl Key {
    /// Creates a key from exactly 32 bytes, which are used unchanged.
    ///
    /// # Errors
    ///
    /// [`KeyError::Length`] for any other number of bytes.
    pub fn raw(bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.len() != RAW_LENGTH {
            return Err(KeyError::Length { actual: bytes.len() });
        }
        Ok(Self::from_raw(SecretBytes::copy_of(bytes)))
    }

    /// Creates a key from a passphrase. SQLCipher derives the raw key from the passphrase and the salt of the file.
    ///
    /// # Errors
    ///
    /// [`KeyError::Empty`]. [`KeyError::RawNotation`] for a passphrase that SQLCipher would read as a raw key: `x'`, then
    /// 64, 96 or 160 hexadecimal digits, then `'`.
    pub fn passphrase(passphrase: &[u8]) -> Result<Self, KeyError> {
        if passphrase.is_empty() {
            return Err(KeyError::Empty);
        }
        if is_raw_notation(passphrase) {
            return Err(KeyError::RawNotation);
        }
        Ok(Self::of(Material::Passphrase(SecretBytes::copy_of(passphrase))))
    }

    /// Creates a key from a recovery code, which opens only existing files in the Strongroom format.
    pub fn recovery_code(code: &RecoveryCode) -> Self {
        Self::of(Material::RecoveryCode(SecretBytes::copy_of(code.expose_bytes())))
    }

    /// Generates a random key with OpenSSL. [`Key::expose_raw`] returns its bytes, which the caller must keep safe.
    ///
    /// # Errors
    ///
    /// [`KeyError::Random`] or [`KeyError::Init`] if OpenSSL fails.
    pub fn generate() -> Result<Self, KeyError> {
        vendored_sys::init().map_err(|source| KeyError::Init { source })?;
        let mut bytes = SecretBytes::zeroed(RAW_LENGTH);
        openssl::rand::rand_priv_bytes(&mut bytes).map_err(|source| KeyError::Random { source })?;
        Ok(Self::from_raw(bytes))
    }

    /// Returns the key with cipher parameters that differ from SQLCipher 4's.
    ///
    /// # Errors
    ///
    /// [`KeyError::KdfIter`], [`KeyError::PageSize`] or [`KeyError::Compatibility`] for a value out of its range.
    pub fn with_cipher(mut self, parameters: CipherParameters) -> Result<Self, KeyError> {
        parameters.check()?;
        self.parameters = parameters;
        Ok(self)
    }

    /// Returns the key for files of one format: a new file gets this format, and a file of another format is refused.
    ///
    /// Without a format, the key opens a file of any format, and a new file gets SQLCipher's format.
    ///
    /// # Errors
    ///
    /// [`KeyError::Parameter`] for [`Format::Strongroom`] and parameters that only SQLCipher's format has. The page size
    /// applies to both formats.
    pub fn with_format(mut self, format: Format) -> Result<Self, KeyError> {
        if format == Format::Strongroom
            && let Some(parameter) = self.parameters.first_of_sqlcipher()
        {
            return Err(KeyError::Parameter { parameter });
        }
        self.format = Some(format);
        Ok(self)
    }

    /// Returns the key for one key slot of a file in the Strongroom format: the other slots are not tried.
    pub fn with_slot(mut self, slot: SlotId) -> Self {
        self.slot = Some(slot);
        self
    }

    /// Returns the slot of [`Key::with_slot`].
    pub fn slot(&self) -> Option<SlotId> {
        self.slot
    }

    /// Returns the format of [`Key::with_format`].
    pub fn format(&self) -> Option<Format> {
        self.format
    }

    /// Returns the cipher parameters.
    pub fn parameters(&self) -> &CipherParameters {
        &self.parameters
    }

    pub(crate) fn material(&self) -> &Material {
        &self.material
    }

    /// Returns the secret bytes of a raw key, or `None` for another kind of key.
    pub fn expose_raw(&self) -> Option<&[u8]> {
        match &self.material {
            Material::Raw(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Returns the secret bytes of a passphrase, or `None` for another kind of key.
    pub fn expose_passphrase(&self) -> Option<&[u8]> {
        match &self.material {
            Material::Passphrase(passphrase) => Some(passphrase),
            _ => None,
        }
    }

    /// Returns the 16 secret bytes of a recovery code, or `None` for another kind of key.
    pub fn expose_recovery_code(&self) -> Option<&[u8]> {
        match &self.material {
            Material::RecoveryCode(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Returns whether the key is a recovery code.
    pub fn is_recovery_code(&self) -> bool {
        matches!(self.material, Material::RecoveryCode(_))
    }

    /// Returns the secret in the form that `sqlite3_key_v2` takes: `x'<hex>'` for a raw key, or the unchanged passphrase.
    ///
    /// # Errors
    ///
    /// [`KeyError::RecoveryCodeForSqlCipher`] for a recovery code; [`KeyError::SlotWithoutFile`] for a key that names a
    /// slot.
    pub fn expose_for_sqlcipher(&self) -> Result<SecretBytes, KeyError> {
        let secret = match &self.material {
            Material::Raw(bytes) => blob_literal(&[bytes]),
            Material::Passphrase(passphrase) => SecretBytes::copy_of(passphrase),
            Material::RecoveryCode(_) => return Err(KeyError::RecoveryCodeForSqlCipher),
        };
        self.check_names_no_slot()?;
        Ok(secret)
    }

    /// Fails for a key that names a slot, which only an existing file in the Strongroom format has.
    ///
    /// # Errors
    ///
    /// [`KeyError::SlotWithoutFile`].
    pub fn check_names_no_slot(&self) -> Result<(), KeyError> {
        match self.slot {
            Some(slot) => Err(KeyError::SlotWithoutFile { slot }),
            None => Ok(()),
        }
    }

    /// Creates a key from [`RAW_LENGTH`] bytes.
    pub(crate) fn from_raw(bytes: SecretBytes) -> Self {
        Self::of(Material::Raw(bytes))
    }

    fn of(material: Material) -> Self {
        Self { material, parameters: CipherParameters::default(), format: None, slot: None }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// The secret of a key.
pub(crate) enum Material {
    Raw(SecretBytes),
    Passphrase(SecretBytes),
    RecoveryCode(SecretBytes),
}

/// Returns `x'<hex>'`, an SQL blob literal.
pub(crate) fn blob_literal(parts: &[&[u8]]) -> SecretBytes {
    let length = parts.iter().map(|part| part.len()).sum::<usize>();
    let mut text = SecretBytes::zeroed(2 * length + 3);
    text[..2].copy_from_slice(b"x'");
    for (digits, byte) in text[2..].chunks_exact_mut(2).zip(parts.iter().copied().flatten()) {
        digits.copy_from_slice(&[hex_digit(byte >> 4), hex_digit(byte & 0xf)]);
    }
    text[2 * length + 2] = b'\'';
    text
}

fn hex_digit(nibble: u8) -> u8 {
    match nibble {
        0..=9 => b'0' + nibble,
        _ => b'a' + (nibble - 10),
    }
}

/// Returns whether SQLCipher reads a passphrase as key material: key, key and salt, or key, HMAC key and salt. Source:
/// `sqlcipher_cipher_ctx_key_derive`.
fn is_raw_notation(passphrase: &[u8]) -> bool {
    let Some(digits) = passphrase
        .strip_prefix(b"x'")
        .or_else(|| passphrase.strip_prefix(b"X'"))
        .and_then(|rest| rest.strip_suffix(b"'"))
    else {
        return false;
    };
    matches!(digits.len(), 64 | 96 | 160) && digits.iter().all(u8::is_ascii_hexdigit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raw_key_is_written_as_a_blob_literal() {
        let bytes: Vec<u8> = (0..32).map(|index| index * 8 + 7).collect();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let text = Key::raw(&bytes).unwrap().expose_for_sqlcipher().unwrap();
        assert_eq!(*text, *format!("x'{hex}'").as_bytes());
    }

    #[test]
    fn raw_notation_is_exactly_the_text_that_sqlcipher_reads_as_a_raw_key() {
        for length in [64, 96, 160] {
            assert!(is_raw_notation(format!("x'{}'", "aF".repeat(length / 2)).as_bytes()));
            assert!(is_raw_notation(format!("X'{}'", "0".repeat(length)).as_bytes()));
            assert!(!is_raw_notation(format!("x'{}'", "g".repeat(length)).as_bytes()));
            assert!(!is_raw_notation(format!("x\"{}\"", "0".repeat(length)).as_bytes()));
        }
        assert!(!is_raw_notation(format!("x'{}'", "0".repeat(62)).as_bytes()));
        assert!(!is_raw_notation(b"x'"));
        assert!(!is_raw_notation(b"correct horse"));
    }
}
