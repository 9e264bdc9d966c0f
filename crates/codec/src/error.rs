//! What can be wrong with a frame, a level or a dictionary.

use std::num::NonZeroU32;

/// Why something could not be compressed or decompressed. Messages hold no content.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// A level that zstd does not have.
    #[error("compression level {actual} does not exist: zstd has {min} to {max}")]
    Level {
        /// The level that was given.
        actual: i64,
        /// The lowest level.
        min: i32,
        /// The highest level.
        max: i32,
    },

    /// Bytes that do not begin as a zstd frame does.
    #[error("the {length} bytes are no zstd frame: were they compressed, and with zstd?")]
    NotAFrame {
        /// How many bytes there are.
        length: usize,
    },

    /// A frame that ends too early.
    #[error("the zstd frame is cut off after {length} bytes: its end was not stored, or not read")]
    Truncated {
        /// How many bytes there are.
        length: usize,
    },

    /// A frame that zstd cannot decode, or whose checksum differs.
    #[error("the zstd frame is damaged: {reason}")]
    Corrupt {
        /// zstd's own name of the error.
        reason: &'static str,
    },

    /// Bytes after the end of the frame.
    #[error("{extra} bytes follow the end of the zstd frame: one value is exactly one frame")]
    TrailingData {
        /// How many.
        extra: usize,
    },

    /// Content over the limit: too large a value, or a bomb.
    #[error(
        "the content of the zstd frame is larger than the limit of {limit} bytes: raise the limit, or distrust the frame"
    )]
    TooBig {
        /// The limit that was given.
        limit: usize,
    },

    /// Bytes that are no dictionary in zstd's format.
    #[error("the {length} bytes are no zstd dictionary, or a damaged one: train one from samples")]
    DictionaryInvalid {
        /// How many bytes there are.
        length: usize,
    },

    /// A frame that needs a dictionary, and none was given.
    #[error("the zstd frame was made with dictionary {needed}: pass that dictionary")]
    DictionaryMissing {
        /// The id in the frame.
        needed: NonZeroU32,
    },

    /// A frame that needs another dictionary than the one that was given.
    #[error("the zstd frame was made with dictionary {needed}, and dictionary {given} was passed")]
    DictionaryWrong {
        /// The id in the frame.
        needed: NonZeroU32,
        /// The id of the dictionary that was given.
        given: NonZeroU32,
    },

    /// No dictionary came out of the samples.
    #[error(
        "no dictionary can be trained on {samples} samples of {bytes} bytes together: give more, and more various, ones"
    )]
    Training {
        /// How many samples there are.
        samples: usize,
        /// How long they are together.
        bytes: usize,
        /// zstd's own account of it.
        source: std::io::Error,
    },

    /// No memory for a context or for the content.
    #[error("there is not enough memory for {length} bytes of content")]
    Memory {
        /// How many bytes the content has, as far as that is known.
        length: usize,
    },
}

impl CodecError {
    /// Every code that [`CodecError::code`] can answer.
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

    /// The stable code of the error.
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
