//! zstd frames and dictionaries.
//!
//! A [`Codec`] reuses zstd's contexts to compress and decompress single frames with a content size and a checksum.
//! Decompression takes a limit, because a frame of a few bytes may expand to gigabytes. A [`Dictionary`], trained on
//! samples, lets small values compress as well as long values. The crate uses neither keys nor SQL.
#![forbid(unsafe_code)]

mod buffer;
mod codec;
mod dictionary;
mod error;
mod frame;
mod level;

pub use codec::Codec;
pub use dictionary::Dictionary;
pub use error::CodecError;
pub use level::Level;
