//! The limits of cipher parameters.

/// The smallest page, in bytes. SQLite needs 480 bytes of a page of 512, but the initialisation vector and the
/// authentication code leave only 432. A file with pages of 512 bytes could be written but never read.
pub(crate) const MIN_PAGE_SIZE: u32 = 1024;
/// The largest page of an SQLite database, in bytes.
pub(crate) const MAX_PAGE_SIZE: u32 = 65536;
/// SQLCipher stores the number of iterations in a C `int`.
pub(crate) const MAX_KDF_ITER: u32 = i32::MAX as u32;
