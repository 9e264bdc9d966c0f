//! A recovery code: 16 random bytes that a person keeps on paper and types.

use std::fmt;

use bech32::primitives::checksum::{Checksum, Engine};
use bech32::primitives::iter::Checksummed;
use bech32::{Bech32m, ByteIterExt, Fe32, Fe32IterExt, Hrp};

use crate::{KeyError, SecretBytes};

/// The number of bytes of a recovery code.
pub const CODE_LENGTH: usize = 16;

/// The human-readable part of Bech32m. A code does not show this part, which only distinguishes the checksum from that of
/// other codes.
const PREFIX: Hrp = Hrp::parse_unchecked("strongroom");

/// The number of characters for the bytes: 128 bits, and two bits of zeros.
const DATA_CHARACTERS: usize = 26;

/// The number of characters: those for the bytes, and 6 for the checksum.
const CHARACTERS: usize = DATA_CHARACTERS + 6;

/// The number of characters in a group.
const GROUP: usize = 4;

/// The length of the text: 8 groups of 4 characters, and the hyphens between them.
const TEXT_LENGTH: usize = CHARACTERS + CHARACTERS / GROUP - 1;

/// A recovery code: 16 random bytes, which open a slot of a file in the Strongroom format.
///
/// The text of a code is the data part of Bech32m (BIP-350) with the human-readable part "strongroom", in upper case and in
/// groups: `ABCD-EFGH-…`. The checksum detects every code with up to four wrong characters, so a typing error is not
/// mistaken for a wrong code. The bytes are [`SecretBytes`].
pub struct RecoveryCode {
    bytes: SecretBytes,
}

impl RecoveryCode {
    /// Generates a random code with OpenSSL.
    ///
    /// # Errors
    ///
    /// [`KeyError::Random`] or [`KeyError::Init`] if OpenSSL fails.
    pub fn generate() -> Result<Self, KeyError> {
        vendored_sys::init().map_err(|source| KeyError::Init { source })?;
        let mut bytes = SecretBytes::zeroed(CODE_LENGTH);
        openssl::rand::rand_priv_bytes(&mut bytes).map_err(|source| KeyError::Random { source })?;
        Ok(Self { bytes })
    }

    /// Reads a code that a person typed.
    ///
    /// Upper and lower case are the same. White space and dashes are ignored. `1` and `I` are read as `L`, and `O` as `0`,
    /// because no code contains these characters.
    ///
    /// # Errors
    ///
    /// [`KeyError::RecoveryCode`] for a character that no code contains, for a wrong number of characters, and for a wrong
    /// checksum.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let mut values = SecretBytes::zeroed(CHARACTERS);
        let mut count = 0;
        for character in text.chars().filter(|character| !is_ignored(*character)) {
            let value = value(character).ok_or(KeyError::RecoveryCode {
                problem: RecoveryCodeProblem::Character { character, position: count + 1 },
            })?;
            if let Some(place) = values.get_mut(count) {
                *place = value.to_u8();
            }
            count += 1;
        }
        if count != CHARACTERS {
            return Err(KeyError::RecoveryCode { problem: RecoveryCodeProblem::Length { actual: count } });
        }
        let code = Self { bytes: bytes_of(elements(&values[..DATA_CHARACTERS])) };
        // The two bits after the bytes are zeros, or the same bytes would have four texts.
        let is_whole = has_checksum(PREFIX, elements(&values))
            && code.bytes.iter().copied().bytes_to_fes().eq(elements(&values[..DATA_CHARACTERS]));
        match is_whole {
            true => Ok(code),
            false => Err(KeyError::RecoveryCode { problem: RecoveryCodeProblem::Checksum }),
        }
    }

    /// Returns the secret text in ASCII: 8 groups of 4 characters in upper case, with hyphens.
    pub fn expose_text(&self) -> SecretBytes {
        let mut text = SecretBytes::zeroed(TEXT_LENGTH);
        text.fill(b'-');
        let places = (0..TEXT_LENGTH).filter(|place| place % (GROUP + 1) != GROUP);
        for (place, element) in places.zip(with_checksum(PREFIX, self.bytes.iter().copied().bytes_to_fes())) {
            // The alphabet is ASCII.
            text[place] = element.to_char().to_ascii_uppercase() as u8;
        }
        text
    }

    /// Returns the 16 secret bytes.
    pub fn expose_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(..)")
    }
}

/// The difference between a text and a recovery code. Holds no character that a code contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecoveryCodeProblem {
    /// No code contains this character.
    #[error(
        "{character:?} is not a character of a code (character {position}, in group {}): compare the group with the code",
        group(*.position)
    )]
    Character {
        /// The character.
        character: char,
        /// The number of the character, from 1, without white space and dashes.
        position: usize,
    },

    /// A code has another number of characters.
    #[error("the code has {actual} of {CHARACTERS} characters: compare each group with the code")]
    Length {
        /// The number of characters, without white space and dashes.
        actual: usize,
    },

    /// The checksum is wrong.
    #[error("the check characters do not match: compare each group with the code")]
    Checksum,
}

/// Returns the number of a character's group, from 1. `position` counts characters from 1.
fn group(position: usize) -> usize {
    position.div_ceil(GROUP)
}

/// Returns whether a character separates groups. Programs for text replace hyphens by other dashes.
fn is_ignored(character: char) -> bool {
    character.is_whitespace() || matches!(character, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{feff}')
}

/// Returns the value of a character, or of the character that looks alike.
fn value(character: char) -> Option<Fe32> {
    let character = match character.to_ascii_lowercase() {
        '1' | 'i' => 'l',
        'o' => '0',
        other => other,
    };
    Fe32::from_char(character).ok()
}

/// Returns the elements with these values. The values are below 32.
fn elements(values: &[u8]) -> impl Iterator<Item = Fe32> {
    values.iter().filter_map(|value| Fe32::try_from(*value).ok())
}

/// Returns the first [`CODE_LENGTH`] bytes.
fn bytes_of(elements: impl Iterator<Item = Fe32>) -> SecretBytes {
    let mut bytes = SecretBytes::zeroed(CODE_LENGTH);
    bytes.iter_mut().zip(elements.fes_to_bytes()).for_each(|(place, byte)| *place = byte);
    bytes
}

/// Returns the elements and their checksum.
fn with_checksum(prefix: Hrp, data: impl Iterator<Item = Fe32>) -> impl Iterator<Item = Fe32> {
    Checksummed::<_, Bech32m>::new_hrp(prefix, data)
}

/// Returns whether the elements end with their checksum.
fn has_checksum(prefix: Hrp, elements: impl Iterator<Item = Fe32>) -> bool {
    let mut engine = Engine::<Bech32m>::new();
    engine.input_hrp(prefix);
    elements.for_each(|element| engine.input_fe(element));
    *engine.residue() == Bech32m::TARGET_RESIDUE
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Splits a string of Bech32m, and reads its data part as a code is read.
    fn split(text: &str) -> Option<(Hrp, Vec<Fe32>)> {
        let (prefix, data) = text.rsplit_once('1')?;
        Some((Hrp::parse(prefix).ok()?, data.chars().map(value).collect::<Option<_>>()?))
    }

    fn is_valid(text: &str) -> bool {
        split(text).is_some_and(|(prefix, data)| has_checksum(prefix, data.into_iter()))
    }

    /// BIP-350, "Test vectors for Bech32m".
    #[test]
    fn the_published_strings_have_their_checksums() {
        for text in [
            "A1LQFN3A",
            "a1lqfn3a",
            "an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11sg7hg6",
            "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx",
            "11llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllludsr8",
            "split1checkupstagehandshakeupstreamerranterredcaperredlc445v",
            "?1v759aa",
        ] {
            assert!(is_valid(text), "{text}");
            let (prefix, data) = split(text).unwrap();
            let (start, _) = data.split_last_chunk::<6>().unwrap();
            assert!(with_checksum(prefix, start.iter().copied()).eq(data.iter().copied()), "{text}");
        }
    }

    /// BIP-350: strings with a wrong checksum or an invalid character. A code has no human-readable part and one length, so
    /// the strings that break other rules do not apply.
    #[test]
    fn the_published_invalid_strings_are_refused() {
        for text in [
            "y1b0jsk6g",
            "lt1igcx5c0",
            "au1s5cgom",
            "M1VUXWEZ",
            // The checksum of Bech32, which Bech32m replaces.
            "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
            "tb1z0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqglt7rf",
            "BC1S0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ54WELL",
            "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
        ] {
            assert!(!is_valid(text), "{text}");
        }
    }

    /// BIP-350 refuses `i`. A code is read more leniently: this published string differs from a valid one only in a character
    /// that looks alike.
    #[test]
    fn one_published_string_is_valid_with_the_character_that_looks_alike() {
        assert!(Fe32::from_char('i').is_err());
        assert!(is_valid("mm1crxm3i") && is_valid("mm1crxm3l"));
        assert!(!is_valid("mm1crxm3b"));
    }

    /// BIP-350: addresses of segregated witnesses. A witness version precedes the bytes.
    #[test]
    fn the_published_addresses_hold_their_bytes() {
        for (text, version, bytes) in [
            (
                "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y",
                1,
                "751e76e8199196d454941c45d1b3a323f1433bd6751e76e8199196d454941c45d1b3a323f1433bd6",
            ),
            ("BC1SW50QGDZ25J", 16, "751e"),
            ("bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs", 2, "751e76e8199196d454941c45d1b3a323"),
            (
                "tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c",
                1,
                "000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433",
            ),
            (
                "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
                1,
                "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
            ),
        ] {
            let (prefix, data) = split(text).unwrap();
            let bytes: Vec<u8> = bytes
                .as_bytes()
                .chunks(2)
                .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
                .collect();
            let version = std::iter::once(Fe32::try_from(version).unwrap());
            let fields = version.chain(bytes.iter().copied().bytes_to_fes());
            assert!(with_checksum(prefix, fields).eq(data.iter().copied()), "{text}");
            let start = &data[1..data.len() - 6];
            assert!(start.iter().copied().fes_to_bytes().eq(bytes.iter().copied()), "{text}");
            // A program of 16 bytes has the length of a code.
            if bytes.len() == CODE_LENGTH {
                assert_eq!(*bytes_of(start.iter().copied()), *bytes);
            }
        }
    }

    /// A typing error cannot make one of these, but another program could.
    #[test]
    fn the_bits_after_the_bytes_must_be_zeros() {
        let text = |last: u8| -> String {
            let data = [0; DATA_CHARACTERS - 1].into_iter().chain([last]);
            let elements = data.map(|value| Fe32::try_from(value).unwrap());
            with_checksum(PREFIX, elements).map(Fe32::to_char).collect()
        };
        for last in 0..32 {
            let read = RecoveryCode::parse(&text(last));
            assert_eq!(read.is_ok(), last % 4 == 0, "{last}");
        }
    }
}
