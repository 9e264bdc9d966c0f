//! Compression levels.

use crate::CodecError;

/// A compression level of zstd, from the fastest (negative) to the smallest output (22). The default is 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Level(i32);

impl Level {
    /// Checks a level, which must be from [`Level::min`] to [`Level::max`]. Zero means zstd's default, 3.
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

    /// Returns the fastest level.
    pub fn min() -> Self {
        Self(zstd::zstd_safe::min_c_level())
    }

    /// Returns the level that compresses best.
    pub fn max() -> Self {
        Self(zstd::zstd_safe::max_c_level())
    }

    /// Returns the level as zstd's number.
    pub fn number(self) -> i32 {
        self.0
    }
}

impl Default for Level {
    fn default() -> Self {
        Self(zstd::DEFAULT_COMPRESSION_LEVEL)
    }
}
