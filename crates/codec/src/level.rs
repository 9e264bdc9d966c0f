//! How hard zstd tries.

use crate::CodecError;

/// A compression level that zstd has, from fastest (negative) to smallest (22). The default is 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Level(i32);

impl Level {
    /// A level from [`Level::min`] to [`Level::max`]. Zero is zstd's own default, 3.
    ///
    /// # Errors
    ///
    /// [`CodecError::Level`] for any other number.
    pub fn new(level: i64) -> Result<Self, CodecError> {
        match i32::try_from(level) {
            Ok(number) if (Self::min().0..=Self::max().0).contains(&number) => Ok(Self(number)),
            _ => Err(CodecError::Level { actual: level, min: Self::min().0, max: Self::max().0 }),
        }
    }

    /// The fastest level.
    pub fn min() -> Self {
        Self(zstd::zstd_safe::min_c_level())
    }

    /// The level that compresses best.
    pub fn max() -> Self {
        Self(zstd::zstd_safe::max_c_level())
    }

    /// The level as zstd counts it.
    pub fn number(self) -> i32 {
        self.0
    }
}

impl Default for Level {
    fn default() -> Self {
        Self(zstd::DEFAULT_COMPRESSION_LEVEL)
    }
}
