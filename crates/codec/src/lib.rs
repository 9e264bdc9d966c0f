//! zstd frames and dictionaries.
//!
//! A [`Codec`] keeps zstd's contexts for reuse and makes and reads single frames that state their content size and
//! carry a checksum. Reading takes a limit, because a frame of some bytes may expand to gigabytes. A [`Dictionary`],
//! trained on samples, makes small values compress as well as long ones.
#![forbid(unsafe_code)]

mod codec;
mod dictionary;
mod error;
mod frame;
mod level;

pub use codec::Codec;
pub use dictionary::Dictionary;
pub use error::CodecError;
pub use level::Level;
