//! Allocates buffers whose length comes from a file.

use crate::CodecError;

/// Allocates an empty buffer with room for `length` bytes. A length from a file must not abort the process.
pub(crate) fn buffer(length: usize) -> Result<Vec<u8>, CodecError> {
    let mut buffer = Vec::new();
    buffer.try_reserve_exact(length).map_err(|_| CodecError::Memory { length })?;
    Ok(buffer)
}
