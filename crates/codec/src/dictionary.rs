//! Trained dictionaries.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;

use zstd::zstd_safe;

use crate::CodecError;
use crate::buffer::buffer;

/// A trained zstd dictionary, which holds the text that many small values share.
///
/// A frame identifies its dictionary by an id. Cloning is cheap.
#[derive(Clone, PartialEq, Eq)]
pub struct Dictionary {
    bytes: Arc<[u8]>,
    id: NonZeroU32,
}

impl Dictionary {
    /// Reads a dictionary in zstd's format, such as [`Dictionary::train`] and `zstd --train` produce.
    ///
    /// zstd accepts other bytes as a dictionary without an id. This function refuses such bytes: a frame cannot identify
    /// the dictionary, and decompression with a wrong dictionary would fail late or never.
    ///
    /// # Errors
    ///
    /// [`CodecError::DictionaryInvalid`].
    pub fn new(bytes: &[u8]) -> Result<Self, CodecError> {
        // Creating the CDict reads the entropy tables, and so detects a damaged dictionary before its first use.
        match zstd_safe::get_dict_id_from_dict(bytes) {
            Some(id) if zstd_safe::CDict::try_create(bytes, zstd::DEFAULT_COMPRESSION_LEVEL).is_some() => {
                Ok(Self { bytes: Arc::from(bytes), id })
            }
            _ => Err(CodecError::DictionaryInvalid { length: bytes.len() }),
        }
    }

    /// Trains a dictionary of at most `max_size` bytes on samples of the values to compress.
    ///
    /// zstd's authors advise a dictionary of 100 KB, and about a hundred times as many bytes of samples.
    ///
    /// # Errors
    ///
    /// [`CodecError::Training`] if there are too few samples, or if they are too similar or too different;
    /// [`CodecError::Memory`].
    pub fn train<S: AsRef<[u8]>>(samples: &[S], max_size: usize) -> Result<Self, CodecError> {
        let sizes: Vec<usize> = samples.iter().map(|sample| sample.as_ref().len()).collect();
        let content: Vec<u8> = samples.iter().flat_map(AsRef::as_ref).copied().collect();
        let mut dictionary = buffer(max_size)?;
        zstd_safe::train_from_buffer(&mut dictionary, &content, &sizes).map_err(|code| {
            CodecError::Training {
                samples: samples.len(),
                bytes: content.len(),
                reason: zstd_safe::get_error_name(code),
            }
        })?;
        Self::new(&dictionary)
    }

    /// Returns the dictionary's bytes. Store the bytes with the frames.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the id that the dictionary's frames carry.
    pub fn id(&self) -> NonZeroU32 {
        self.id
    }

    /// Returns whether both dictionaries have the same bytes. The comparison is cheap between clones.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.bytes, &other.bytes) || self == other
    }
}

impl fmt::Debug for Dictionary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dictionary").field("id", &self.id).field("length", &self.bytes.len()).finish()
    }
}
