//! Reads the header of a frame before the content is decoded.

use std::num::NonZeroU32;

use zstd::zstd_safe;
use zstd::zstd_safe::zstd_sys::ZSTD_ErrorCode;

use crate::{CodecError, Dictionary};

/// The first bytes of a zstd frame. Source: RFC 8878, section 3.1.1.
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// One complete frame without trailing bytes.
#[derive(Clone, Copy)]
pub(crate) struct Frame<'a> {
    pub(crate) bytes: &'a [u8],
    /// The size of the content according to the header, which may be wrong.
    pub(crate) declared: Option<u64>,
    dictionary: Option<NonZeroU32>,
}

impl<'a> Frame<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, CodecError> {
        let length = bytes.len();
        if !bytes.starts_with(&MAGIC) {
            return Err(match MAGIC.starts_with(bytes) && length > 0 {
                true => CodecError::Truncated { length },
                false => CodecError::NotAFrame { length },
            });
        }
        let end =
            zstd_safe::find_frame_compressed_size(bytes).map_err(|code| {
                match zstd_safe::is_error_kind(code, ZSTD_ErrorCode::ZSTD_error_srcSize_wrong) {
                    true => CodecError::Truncated { length },
                    false => CodecError::Corrupt { reason: zstd_safe::get_error_name(code) },
                }
            })?;
        if end < length {
            return Err(CodecError::TrailingData { extra: length - end });
        }
        let declared = zstd_safe::get_frame_content_size(bytes)
            .map_err(|_| CodecError::Corrupt { reason: "the header cannot be read" })?;
        Ok(Self { bytes, declared, dictionary: zstd_safe::get_dict_id_from_frame(bytes) })
    }

    /// Checks that the frame can be decompressed with this dictionary, or without a dictionary.
    pub(crate) fn accepts(&self, dictionary: Option<&Dictionary>) -> Result<(), CodecError> {
        match (self.dictionary, dictionary.map(Dictionary::id)) {
            (Some(needed), None) => Err(CodecError::DictionaryMissing { needed }),
            (Some(needed), Some(given)) if needed != given => {
                Err(CodecError::DictionaryWrong { needed, given })
            }
            _ => Ok(()),
        }
    }
}
