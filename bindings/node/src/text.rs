//! Converts text between SQLite (UTF-8) and V8 (Latin-1 and UTF-16).
//!
//! V8's own UTF-8 conversions are several times slower. The functions here pass Latin-1 and UTF-16, which V8 only
//! copies.

use std::ptr;

use napi::{Env, sys};
use zeroize::{Zeroize, Zeroizing};

use crate::error::{Failure, Outcome, Problem};
use crate::handle::{Handle, check};

/// The largest number of UTF-16 units to keep allocated for the next text.
const MAX_KEPT: usize = 32 * 1024;

/// Reusable memory for conversions. The memory is wiped before it is freed.
#[derive(Default)]
pub(crate) struct Scratch {
    utf8: Zeroizing<Vec<u8>>,
    utf16: Zeroizing<Vec<u16>>,
}

impl Scratch {
    /// Frees the memory if a long text made it large.
    pub(crate) fn trim(&mut self) {
        if self.utf16.capacity() > MAX_KEPT {
            *self = Self::default();
        }
    }
}

/// Empties a vector and makes room for `length` elements. Wipes any memory that the vector gives up.
fn make_room<T: Zeroize>(memory: &mut Zeroizing<Vec<T>>, length: usize)
where
    Vec<T>: Zeroize,
{
    if memory.capacity() < length {
        *memory = Zeroizing::new(Vec::with_capacity(length.next_power_of_two()));
    }
    memory.clear();
}

/// A text in an encoding that Node-API takes.
pub(crate) enum Encoded<'t> {
    Latin1(&'t [u8]),
    Utf16(&'t [u16]),
    /// A text that is not valid UTF-8. Node-API replaces the invalid bytes with U+FFFD.
    Invalid(&'t [u8]),
}

/// Creates a JavaScript string from SQLite's text. `holder` names the place of the text in the error for a text that is
/// too long.
///
/// Invalid UTF-8 becomes U+FFFD.
#[inline]
pub(crate) fn create_string(
    env: &Env,
    text: &[u8],
    scratch: &mut Scratch,
    holder: impl FnOnce() -> String,
) -> Outcome<Handle> {
    create_encoded(env, encode(text, scratch), text.len(), holder)
}

/// Encodes SQLite's text for Node-API.
#[inline]
pub(crate) fn encode<'t>(text: &'t [u8], scratch: &'t mut Scratch) -> Encoded<'t> {
    if text.is_ascii() {
        Encoded::Latin1(text)
    } else if let Some(units) = decode_utf8(text, &mut scratch.utf16) {
        Encoded::Utf16(units)
    } else {
        Encoded::Invalid(text)
    }
}

/// Creates a JavaScript string with a copy of the text. `length` is the number of the text's bytes in SQLite.
#[inline]
pub(crate) fn create_encoded(
    env: &Env,
    text: Encoded<'_>,
    length: usize,
    holder: impl FnOnce() -> String,
) -> Outcome<Handle> {
    let mut result = ptr::null_mut();
    // SAFETY: the addresses and the lengths belong to the slices, which Node-API copies.
    let status = unsafe {
        match text {
            Encoded::Latin1(text) => {
                let address = text.as_ptr().cast();
                sys::napi_create_string_latin1(env.raw(), address, text.len() as isize, &mut result)
            }
            Encoded::Utf16(units) => {
                sys::napi_create_string_utf16(env.raw(), units.as_ptr(), units.len() as isize, &mut result)
            }
            Encoded::Invalid(text) => {
                let address = text.as_ptr().cast();
                sys::napi_create_string_utf8(env.raw(), address, text.len() as isize, &mut result)
            }
        }
    };
    check(env, status, "cannot create a string").map_err(|failure| too_long(failure, &holder(), length))?;
    Ok(result)
}

/// Returns the failure for a text that V8 refuses. `length` is the number of bytes in UTF-8.
#[cold]
fn too_long(failure: Failure, holder: &str, length: usize) -> Failure {
    if failure.is_pending() {
        return failure;
    }
    // V8 throws no exception for a text that is too long, so the failure is not pending.
    Problem::Range {
        message: format!(
            "{holder} holds {length} bytes of text, more than a JavaScript string can hold: cast the text to BLOB"
        ),
    }
    .into()
}

/// Returns the label of a result's column in an error message. `column` is counted from 0.
pub(crate) fn column_label(column: usize) -> String {
    format!("column {}", column + 1)
}

/// Reads a string as UTF-8, or returns `None` for a string with a lone surrogate.
#[inline]
pub(crate) fn read_string<'s>(
    env: &Env,
    value: Handle,
    scratch: &'s mut Scratch,
) -> Outcome<Option<&'s [u8]>> {
    let Scratch { utf8, utf16 } = scratch;
    let length = read_units(env, value, utf16)?;
    let units = &utf16[..length];
    Ok(encode_utf8(units, utf8).then_some(utf8.as_slice()))
}

/// Reads the UTF-16 units of a string into the start of `units`. Returns the number of units.
fn read_units(env: &Env, value: Handle, units: &mut Zeroizing<Vec<u16>>) -> Outcome<usize> {
    if units.is_empty() {
        units.resize(256, 0);
    }
    let length = fill(env, value, units)?;
    // Node-API truncates a string that does not fit, and always writes a NUL.
    if length + 1 < units.len() {
        return Ok(length);
    }
    let mut needed = 0;
    // SAFETY: without a buffer, Node-API only returns the length.
    let status =
        unsafe { sys::napi_get_value_string_utf16(env.raw(), value, ptr::null_mut(), 0, &mut needed) };
    check(env, status, "napi_get_value_string_utf16")?;
    make_room(units, needed + 2);
    units.resize(needed + 2, 0);
    fill(env, value, units)
}

/// Fills the buffer with as many units as fit. Returns the number of units.
fn fill(env: &Env, value: Handle, units: &mut [u16]) -> Outcome<usize> {
    let mut written = 0;
    // SAFETY: `value` is a handle of the running call, and Node-API checks that it is a string. The buffer has the
    // given length.
    let status = unsafe {
        sys::napi_get_value_string_utf16(env.raw(), value, units.as_mut_ptr(), units.len(), &mut written)
    };
    check(env, status, "napi_get_value_string_utf16")?;
    Ok(written)
}

/// Encodes UTF-16 as UTF-8. Returns false if the text has a lone surrogate.
fn encode_utf8(units: &[u16], utf8: &mut Zeroizing<Vec<u8>>) -> bool {
    // The compiler vectorizes both loops.
    if units.iter().fold(0, |all, unit| all | unit) < 0x80 {
        make_room(utf8, units.len());
        utf8.extend(units.iter().map(|&unit| unit as u8));
        return true;
    }
    make_room(utf8, units.len() * 3);
    let mut rest = units.iter();
    while let Some(&unit) = rest.next() {
        match unit {
            0..0x80 => utf8.push(unit as u8),
            0x80..0x800 => utf8.extend([0xC0 | (unit >> 6) as u8, 0x80 | (unit & 0x3F) as u8]),
            0xD800..0xDC00 => {
                let Some(&low @ 0xDC00..0xE000) = rest.next() else { return false };
                let scalar = 0x10000 + (u32::from(unit & 0x3FF) << 10 | u32::from(low & 0x3FF));
                utf8.extend([
                    0xF0 | (scalar >> 18) as u8,
                    0x80 | (scalar >> 12 & 0x3F) as u8,
                    0x80 | (scalar >> 6 & 0x3F) as u8,
                    0x80 | (scalar & 0x3F) as u8,
                ]);
            }
            0xDC00..0xE000 => return false,
            _ => utf8.extend([
                0xE0 | (unit >> 12) as u8,
                0x80 | (unit >> 6 & 0x3F) as u8,
                0x80 | (unit & 0x3F) as u8,
            ]),
        }
    }
    true
}

/// Decodes UTF-8 into the start of `units`, or returns `None` for invalid text.
///
/// Checks and decodes in one pass. The byte ranges of each length come from table 3-7 of the Unicode standard.
fn decode_utf8<'u>(text: &[u8], units: &'u mut Zeroizing<Vec<u16>>) -> Option<&'u [u16]> {
    // UTF-16 has at most as many units as UTF-8 has bytes.
    if units.len() < text.len() {
        make_room(units, text.len());
        units.resize(text.len().max(256), 0);
    }
    let (mut at, mut length) = (0, 0);
    let continued = |byte: u8| byte & 0xC0 == 0x80;
    while let Some(&first) = text.get(at) {
        match first {
            0..0x80 => {
                *units.get_mut(length)? = first.into();
                at += 1;
            }
            0xC2..0xE0 => {
                let &second = text.get(at + 1)?;
                if !continued(second) {
                    return None;
                }
                *units.get_mut(length)? = u16::from(first & 0x1F) << 6 | u16::from(second & 0x3F);
                at += 2;
            }
            0xE0..0xF0 => {
                let &[second, third] = text.get(at + 1..at + 3)? else { return None };
                let unit =
                    u16::from(first & 0x0F) << 12 | u16::from(second & 0x3F) << 6 | u16::from(third & 0x3F);
                if !continued(second) || !continued(third) || unit < 0x800 || unit & 0xF800 == 0xD800 {
                    return None;
                }
                *units.get_mut(length)? = unit;
                at += 3;
            }
            0xF0..0xF5 => {
                let &[second, third, fourth] = text.get(at + 1..at + 4)? else { return None };
                let scalar = u32::from(first & 0x07) << 18
                    | u32::from(second & 0x3F) << 12
                    | u32::from(third & 0x3F) << 6
                    | u32::from(fourth & 0x3F);
                let valid = continued(second) && continued(third) && continued(fourth);
                if !valid || !(0x10000..0x110000).contains(&scalar) {
                    return None;
                }
                let scalar = scalar - 0x10000;
                *units.get_mut(length)? = 0xD800 | (scalar >> 10) as u16;
                length += 1;
                *units.get_mut(length)? = 0xDC00 | (scalar & 0x3FF) as u16;
                at += 4;
            }
            _ => return None,
        }
        length += 1;
    }
    units.get(..length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts with UTF-8 sequences of every length, and with the first and the last scalar of each length.
    const TEXTS: [&str; 6] = [
        "",
        "ascii",
        "\u{80}\u{7FF}\u{800}\u{D7FF}\u{E000}\u{FFFF}\u{10000}\u{10FFFF}",
        "é漢é漢",
        "a\0b\u{1F600}c",
        "\u{FEFF}x\u{FFFD}",
    ];

    #[test]
    fn text_converts_as_in_the_standard_library() {
        for text in TEXTS {
            let expected: Vec<u16> = text.encode_utf16().collect();
            let mut units = Zeroizing::new(vec![0xAAAA; 3]);
            assert_eq!(decode_utf8(text.as_bytes(), &mut units), Some(&*expected), "{text:?}");
            let mut utf8 = Zeroizing::new(vec![1, 2, 3]);
            assert!(encode_utf8(&expected, &mut utf8));
            assert_eq!(*utf8, text.as_bytes());
        }
    }

    #[test]
    fn decoding_accepts_the_same_bytes_as_the_standard_library() {
        let same = |bytes: &[u8]| {
            let expected: Option<Vec<u16>> =
                str::from_utf8(bytes).ok().map(|text| text.encode_utf16().collect());
            assert_eq!(decode_utf8(bytes, &mut Zeroizing::default()), expected.as_deref(), "{bytes:x?}");
        };
        for first in 0..=255 {
            for second in 0..=255 {
                same(&[first, second]);
                same(&[first, second, 0x80]);
                same(&[first, second, 0xBF, 0xBF]);
                same(&[0xF0, 0x9F, first, second]);
                same(&[b'a', first, second, 0x41, 0x80]);
            }
        }
    }

    #[test]
    fn encoding_refuses_a_lone_surrogate() {
        let lone: [&[u16]; 5] =
            [&[0xD800], &[0xDC00], &[0x41, 0xDBFF, 0x41], &[0xDFFF, 0xD800], &[0xD83D, 0xD83D, 0xDE00]];
        for units in lone {
            assert!(!encode_utf8(units, &mut Zeroizing::default()), "{units:x?}");
        }
    }

    #[test]
    fn the_memory_of_a_long_text_is_freed() {
        let mut scratch = Scratch::default();
        decode_utf8(&vec![b'a'; MAX_KEPT + 1], &mut scratch.utf16);
        scratch.trim();
        assert_eq!(scratch.utf16.capacity(), 0);
    }
}
