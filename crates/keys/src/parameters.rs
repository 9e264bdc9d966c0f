//! The parameters of SQLCipher's format.

use crate::KeyError;

/// The smallest page, in bytes. SQLite has one of 512 bytes, but wants 480 of them for itself, and the initialisation
/// vector and the authentication code leave 432: a file of such pages can be written and never be read again.
pub(crate) const PAGE_SIZE_MIN: u32 = 1024;
/// The largest page of an SQLite database, in bytes.
pub(crate) const PAGE_SIZE_MAX: u32 = 65536;
/// SQLCipher keeps the number of iterations in a C `int`.
pub(crate) const KDF_ITER_MAX: u32 = i32::MAX as u32;

/// How a file is encrypted, where it differs from SQLCipher 4's defaults.
///
/// `None` is the default of the generation that `compatibility` names, and that is 4 where it is `None` as well.
/// A file does not say which parameters it was written with: opening it takes the same ones.
/// Source of the defaults: SQLCipher's documentation of `PRAGMA cipher_compatibility`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CipherParameters {
    /// Iterations of PBKDF2, from 1. Default: 256,000 (4), 64,000 (3), 4,000 (2 and 1). A raw key has no use for it.
    pub kdf_iter: Option<u32>,
    /// The page size in bytes, a power of two from 1,024 to 65,536. Default: 4,096 (4), 1,024 (3, 2 and 1).
    pub page_size: Option<u32>,
    /// The major version of SQLCipher whose format it is, 1 to 4.
    pub compatibility: Option<u8>,
}

impl CipherParameters {
    /// Iterations of PBKDF2 that are in force.
    pub fn effective_kdf_iter(&self) -> u32 {
        self.kdf_iter.unwrap_or(match self.compatibility {
            Some(1 | 2) => 4_000,
            Some(3) => 64_000,
            _ => 256_000,
        })
    }

    /// The page size that is in force, in bytes.
    pub fn effective_page_size(&self) -> u32 {
        self.page_size.unwrap_or(match self.compatibility {
            Some(1..=3) => 1_024,
            _ => 4_096,
        })
    }

    /// Whether PBKDF2 runs over SHA-1, as SQLCipher did before version 4.
    pub(crate) fn uses_sha1(&self) -> bool {
        matches!(self.compatibility, Some(1..=3))
    }

    pub(crate) fn check(&self) -> Result<(), KeyError> {
        if let Some(actual) = self.kdf_iter
            && !(1..=KDF_ITER_MAX).contains(&actual)
        {
            return Err(KeyError::KdfIter { actual });
        }
        if let Some(actual) = self.page_size
            && !(actual.is_power_of_two() && (PAGE_SIZE_MIN..=PAGE_SIZE_MAX).contains(&actual))
        {
            return Err(KeyError::PageSize { actual });
        }
        if let Some(actual) = self.compatibility
            && !(1..=4).contains(&actual)
        {
            return Err(KeyError::Compatibility { actual });
        }
        Ok(())
    }
}
