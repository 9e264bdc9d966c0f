//! Fields of fixed length at fixed places in bytes.

/// Returns the field at `at`. The caller's bytes are long enough: every place is a constant of the format.
#[expect(clippy::expect_used, reason = "a field of the format never ends after the bytes that contain it")]
pub(crate) fn field<const LENGTH: usize>(bytes: &[u8], at: usize) -> &[u8; LENGTH] {
    bytes[at..].first_chunk().expect("the field ends inside the bytes")
}

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes(*field(bytes, at))
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(*field(bytes, at))
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_be_bytes(*field(bytes, at))
}

/// Writes a field at `at`.
pub(crate) fn put(bytes: &mut [u8], at: usize, field: &[u8]) {
    bytes[at..at + field.len()].copy_from_slice(field);
}
