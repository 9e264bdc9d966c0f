//! The parameters of SQLCipher's format.

use crate::KeyError;
use crate::limits::{MAX_KDF_ITER, MAX_PAGE_SIZE, MIN_PAGE_SIZE};

/// The parameters of a file's encryption that differ from SQLCipher 4's defaults.
///
/// `None` means the default of the SQLCipher version in `compatibility`, and version 4 if `compatibility` is `None`.
/// A file does not record its parameters: opening a file requires the parameters that created it.
/// Source of the defaults: SQLCipher's documentation of `PRAGMA cipher_compatibility`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CipherParameters {
    /// Iterations of PBKDF2, from 1. Default: 256,000 (4), 64,000 (3), 4,000 (2 and 1). Raw keys ignore it.
    pub kdf_iter: Option<u32>,
    /// The page size in bytes, a power of two from 1,024 to 65,536. Default: 4,096 (4), 1,024 (3, 2 and 1).
    pub page_size: Option<u32>,
    /// The major version of SQLCipher whose format the file has, 1 to 4.
    pub compatibility: Option<u8>,
}

impl CipherParameters {
    /// Returns the number of iterations, with the defaults filled in.
    pub fn effective_kdf_iter(&self) -> u32 {
        self.kdf_iter.unwrap_or(match self.compatibility {
            Some(1 | 2) => 4_000,
            Some(3) => 64_000,
            _ => 256_000,
        })
    }

    /// Returns the page size in bytes, with the defaults filled in.
    pub fn effective_page_size(&self) -> u32 {
        self.page_size.unwrap_or(match self.compatibility {
            Some(1..=3) => 1_024,
            _ => 4_096,
        })
    }

    /// Whether PBKDF2 uses SHA-1, as SQLCipher did before version 4.
    pub(crate) fn uses_sha1(&self) -> bool {
        matches!(self.compatibility, Some(1..=3))
    }

    pub(crate) fn check(&self) -> Result<(), KeyError> {
        if let Some(actual) = self.kdf_iter
            && !(1..=MAX_KDF_ITER).contains(&actual)
        {
            return Err(KeyError::KdfIter { actual });
        }
        if let Some(actual) = self.page_size
            && !(actual.is_power_of_two() && (MIN_PAGE_SIZE..=MAX_PAGE_SIZE).contains(&actual))
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
