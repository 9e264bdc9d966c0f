//! The parameters of SQLCipher's format.

use crate::KeyError;
use crate::derive::SALT_LENGTH;
use crate::limits::{MAX_KDF_ITER, MAX_PAGE_SIZE, MIN_PAGE_SIZE};

/// A hash function of SQLCipher's key derivation (PBKDF2) or page authentication (HMAC).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashAlgorithm {
    /// SHA-1, the default of SQLCipher 1 to 3.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512, the default of SQLCipher 4.
    Sha512,
}

impl HashAlgorithm {
    /// Returns the length of a digest in bytes.
    pub fn digest_length(self) -> u32 {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

/// The byte order of the page number that the HMAC of a page includes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageNumberOrder {
    /// Little-endian, the default.
    Little,
    /// Big-endian.
    Big,
    /// The byte order of the machine, as written by SQLCipher 2.0.0 to 2.0.6.
    Native,
}

/// The parameters of a file's encryption that differ from SQLCipher 4's defaults.
///
/// `None` means the default of the SQLCipher version in `compatibility`, and version 4 if `compatibility` is `None`.
/// A file does not record its parameters: opening a file requires the parameters that created it.
/// Source of the defaults: SQLCipher's documentation of `PRAGMA cipher_compatibility`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CipherParameters {
    /// The number of PBKDF2 iterations, at least 1. Default: 256,000 (4), 64,000 (3), 4,000 (2 and 1). Unused with a
    /// raw key.
    pub kdf_iter: Option<u32>,
    /// The page size in bytes, a power of two from 1,024 to 65,536. Default: 4,096 (4), 1,024 (3, 2 and 1).
    pub page_size: Option<u32>,
    /// The major version of SQLCipher that defines the file's format, 1 to 4.
    pub compatibility: Option<u8>,
    /// The hash function of PBKDF2. Default: SHA-512 (4), SHA-1 (3, 2 and 1).
    pub kdf_algorithm: Option<HashAlgorithm>,
    /// The hash function of each page's HMAC. Default: SHA-512 (4), SHA-1 (3 and 2).
    pub hmac_algorithm: Option<HashAlgorithm>,
    /// `true` if an HMAC authenticates each page. Default: true, except for version 1.
    pub use_hmac: Option<bool>,
    /// The byte order of the page number in each page's HMAC. Default: little-endian.
    pub hmac_page_number: Option<PageNumberOrder>,
    /// The number of PBKDF2 iterations that derive the HMAC key from the key, at least 1. Default: 2.
    pub fast_kdf_iter: Option<u32>,
    /// The byte that masks the salt when the HMAC key is derived. Default: 0x3a; beta versions of SQLCipher 2.0 had 0.
    pub hmac_salt_mask: Option<u8>,
    /// The number of bytes at the start of the file that are not encrypted, a multiple of 16. Default: 0.
    ///
    /// Unless this number is 0, the file does not hold the salt, and `salt` must give it.
    pub plaintext_header_size: Option<u32>,
    /// The salt, if it is not the first 16 bytes of the file.
    pub salt: Option<[u8; SALT_LENGTH]>,
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
        self.page_size.unwrap_or_else(|| self.default_page_size())
    }

    /// Returns the default page size of the SQLCipher version, in bytes.
    pub fn default_page_size(&self) -> u32 {
        if self.is_before_version_4() { 1_024 } else { 4_096 }
    }

    /// Returns the hash function of PBKDF2, with the defaults filled in.
    pub fn effective_kdf_algorithm(&self) -> HashAlgorithm {
        self.kdf_algorithm.unwrap_or_else(|| self.default_algorithm())
    }

    /// Returns the hash function of each page's HMAC, or `None` if pages have no HMAC.
    pub fn effective_hmac_algorithm(&self) -> Option<HashAlgorithm> {
        let used = self.use_hmac.unwrap_or(self.compatibility != Some(1));
        used.then(|| self.hmac_algorithm.unwrap_or_else(|| self.default_algorithm()))
    }

    /// Returns the byte order of the page number in each page's HMAC, with the default filled in.
    pub fn effective_hmac_page_number(&self) -> PageNumberOrder {
        self.hmac_page_number.unwrap_or(PageNumberOrder::Little)
    }

    /// Returns the number of bytes at the end of each page that hold the initialisation vector and the HMAC.
    ///
    /// Source: `sqlcipher_codec_ctx_reserve_setup`, which rounds up to the cipher's block.
    pub fn reserved_bytes(&self) -> u32 {
        const BLOCK: u32 = 16;
        let hmac = self.effective_hmac_algorithm().map_or(0, HashAlgorithm::digest_length);
        (BLOCK + hmac).next_multiple_of(BLOCK)
    }

    /// Returns the name of the first parameter that is set and that only SQLCipher's format has.
    pub fn first_of_sqlcipher(&self) -> Option<&'static str> {
        let set = [
            ("cipherCompatibility", self.compatibility.is_some()),
            ("kdfIter", self.kdf_iter.is_some()),
            ("kdfAlgorithm", self.kdf_algorithm.is_some()),
            ("hmacAlgorithm", self.hmac_algorithm.is_some()),
            ("useHmac", self.use_hmac.is_some()),
            ("hmacPgno", self.hmac_page_number.is_some()),
            ("fastKdfIter", self.fast_kdf_iter.is_some()),
            ("hmacSaltMask", self.hmac_salt_mask.is_some()),
            ("plaintextHeaderSize", self.plaintext_header_size.is_some()),
            ("salt", self.salt.is_some()),
        ];
        set.into_iter().find(|(_, is_set)| *is_set).map(|(parameter, _)| parameter)
    }

    fn is_before_version_4(&self) -> bool {
        matches!(self.compatibility, Some(1..=3))
    }

    fn default_algorithm(&self) -> HashAlgorithm {
        if self.is_before_version_4() { HashAlgorithm::Sha1 } else { HashAlgorithm::Sha512 }
    }

    pub(crate) fn check(&self) -> Result<(), KeyError> {
        for iterations in [self.kdf_iter, self.fast_kdf_iter] {
            if let Some(actual) = iterations
                && !(1..=MAX_KDF_ITER).contains(&actual)
            {
                return Err(KeyError::KdfIter { actual });
            }
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
        let limit = self.effective_page_size() - self.reserved_bytes();
        if let Some(actual) = self.plaintext_header_size
            && !(actual.is_multiple_of(16) && actual <= limit)
        {
            return Err(KeyError::PlaintextHeader { actual, limit });
        }
        if self.plaintext_header_size.is_some_and(|size| size > 0) && self.salt.is_none() {
            return Err(KeyError::MissingSalt);
        }
        Ok(())
    }
}
