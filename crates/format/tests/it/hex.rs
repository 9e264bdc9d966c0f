//! Bytes in hexadecimal digits, as standards print them.

/// Returns the bytes. Spaces and line breaks are skipped.
pub(crate) fn hex<const LENGTH: usize>(digits: &str) -> [u8; LENGTH] {
    let digits: Vec<u32> =
        digits.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16).unwrap()).collect();
    let bytes: Vec<u8> = digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect();
    bytes.try_into().unwrap()
}
