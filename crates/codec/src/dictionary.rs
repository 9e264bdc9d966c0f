//! Trained dictionaries.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;

use crate::CodecError;

/// A trained zstd dictionary: what many small values have in common.
///
/// Frames name the dictionary they need by its id. Cloning is cheap.
#[derive(Clone, PartialEq, Eq)]
pub struct Dictionary {
    bytes: Arc<[u8]>,
    id: NonZeroU32,
}

impl Dictionary {
    /// A dictionary in zstd's format, as [`Dictionary::train`] and `zstd --train` make it.
    ///
    /// Arbitrary bytes, which zstd accepts as a dictionary without an id, are refused: a frame made with those cannot
    /// say which dictionary it needs, and reading it with another one would be noticed late or never.
    ///
    /// # Errors
    ///
    /// [`CodecError::DictionaryInvalid`].
    pub fn new(bytes: &[u8]) -> Result<Self, CodecError> {
        // CDict reads the entropy tables, so that a damaged dictionary is found here and not at its first use.
        match zstd::zstd_safe::get_dict_id_from_dict(bytes) {
            Some(id)
                if zstd::zstd_safe::CDict::try_create(bytes, zstd::DEFAULT_COMPRESSION_LEVEL).is_some() =>
            {
                Ok(Self { bytes: Arc::from(bytes), id })
            }
            _ => Err(CodecError::DictionaryInvalid { length: bytes.len() }),
        }
    }

    /// Trains a dictionary of at most `max_size` bytes on samples of what is to be compressed.
    ///
    /// zstd's authors advise about a hundred times as many bytes of samples as the dictionary has, and 100 KB for it.
    ///
    /// # Errors
    ///
    /// [`CodecError::Training`] where there are too few samples, or too much alike or too little, for a dictionary.
    pub fn train<S: AsRef<[u8]>>(samples: &[S], max_size: usize) -> Result<Self, CodecError> {
        let bytes = zstd::dict::from_samples(samples, max_size).map_err(|source| CodecError::Training {
            samples: samples.len(),
            bytes: samples.iter().map(|sample| sample.as_ref().len()).sum(),
            source,
        })?;
        Self::new(&bytes)
    }

    /// The dictionary's own bytes, to be stored beside the frames.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The id that frames made with it carry.
    pub fn id(&self) -> NonZeroU32 {
        self.id
    }

    /// Whether both are the same bytes; cheap where one is the clone of the other.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.bytes, &other.bytes) || self == other
    }
}

impl fmt::Debug for Dictionary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dictionary").field("id", &self.id).field("length", &self.bytes.len()).finish()
    }
}
