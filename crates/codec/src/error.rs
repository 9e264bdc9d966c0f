//! The errors of compression and decompression.

use std::num::NonZeroU32;

/// An error of compressing or decompressing a value, or of a dictionary. Messages hold no content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// zstd does not support this level.
    #[error("compression level {actual} does not exist: use a level from {min} to {max}")]
    Level {
        /// The given level.
        actual: i64,
        /// The lowest level.
        min: i32,
        /// The highest level.
        max: i32,
    },

    /// The bytes do not start like a zstd frame.
    #[error("the {length}-byte value is not a zstd frame: decompress only values that zstd compressed")]
    NotAFrame {
        /// The number of bytes.
        length: usize,
    },

    /// The frame ends too early.
    #[error("the {length}-byte zstd frame is cut off: store and read the whole frame")]
    Truncated {
        /// The number of bytes.
        length: usize,
    },

    /// zstd cannot decode the frame, or the checksum differs.
    #[error("the zstd frame is damaged: {reason}")]
    Corrupt {
        /// zstd's name of the error.
        reason: &'static str,
    },

    /// Bytes follow the end of the frame.
    #[error("a {extra}-byte remainder follows the end of the zstd frame: a value must be exactly one frame")]
    TrailingData {
        /// The number of bytes after the frame.
        extra: usize,
    },

    /// The content exceeds the limit: the value is large, or the frame is a decompression bomb.
    #[error(
        "the content of the zstd frame is larger than the limit of {limit} bytes: raise the limit, or reject the frame"
    )]
    TooBig {
        /// The given limit.
        limit: usize,
    },

    /// The bytes are not a dictionary in zstd's format.
    #[error("the {length}-byte dictionary is not a valid zstd dictionary: train a dictionary on samples")]
    DictionaryInvalid {
        /// The number of bytes.
        length: usize,
    },

    /// The frame needs a dictionary, but the call passes none.
    #[error("the zstd frame needs dictionary {needed}: pass that dictionary")]
    DictionaryMissing {
        /// The id in the frame.
        needed: NonZeroU32,
    },

    /// The frame needs another dictionary.
    #[error("the zstd frame needs dictionary {needed}, not {given}: pass that dictionary")]
    DictionaryWrong {
        /// The id in the frame.
        needed: NonZeroU32,
        /// The id of the given dictionary.
        given: NonZeroU32,
    },

    /// zstd could not train a dictionary.
    #[error(
        "cannot train a dictionary on {samples} samples with {bytes} bytes in total ({reason}): pass more samples of \
         typical values"
    )]
    Training {
        /// The number of samples.
        samples: usize,
        /// The total length of the samples.
        bytes: usize,
        /// zstd's name of the error.
        reason: &'static str,
    },

    /// Not enough memory for a context or for the content.
    #[error("not enough memory for {length} bytes of content")]
    Memory {
        /// The length of the content, or 0 if it is not known.
        length: usize,
    },
}

impl CodecError {
    /// The codes that [`CodecError::code`] can return.
    pub const CODES: &'static [&'static str] = &[
        "STRONGROOM_ZSTD_LEVEL",
        "STRONGROOM_ZSTD_NOT_A_FRAME",
        "STRONGROOM_ZSTD_TRUNCATED",
        "STRONGROOM_ZSTD_CORRUPT",
        "STRONGROOM_ZSTD_TRAILING_DATA",
        "STRONGROOM_ZSTD_TOO_BIG",
        "STRONGROOM_ZSTD_DICTIONARY_INVALID",
        "STRONGROOM_ZSTD_DICTIONARY_MISSING",
        "STRONGROOM_ZSTD_DICTIONARY_WRONG",
        "STRONGROOM_ZSTD_TRAINING",
        "STRONGROOM_ZSTD_MEMORY",
    ];

    /// Returns the stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Level { .. } => "STRONGROOM_ZSTD_LEVEL",
            Self::NotAFrame { .. } => "STRONGROOM_ZSTD_NOT_A_FRAME",
            Self::Truncated { .. } => "STRONGROOM_ZSTD_TRUNCATED",
            Self::Corrupt { .. } => "STRONGROOM_ZSTD_CORRUPT",
            Self::TrailingData { .. } => "STRONGROOM_ZSTD_TRAILING_DATA",
            Self::TooBig { .. } => "STRONGROOM_ZSTD_TOO_BIG",
            Self::DictionaryInvalid { .. } => "STRONGROOM_ZSTD_DICTIONARY_INVALID",
            Self::DictionaryMissing { .. } => "STRONGROOM_ZSTD_DICTIONARY_MISSING",
            Self::DictionaryWrong { .. } => "STRONGROOM_ZSTD_DICTIONARY_WRONG",
            Self::Training { .. } => "STRONGROOM_ZSTD_TRAINING",
            Self::Memory { .. } => "STRONGROOM_ZSTD_MEMORY",
        }
    }
}
