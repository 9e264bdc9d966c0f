//! The identity of a key slot.

use std::fmt;
use std::str::FromStr;

use crate::KeyError;

/// The length of a slot's identity, in bytes.
pub const SLOT_ID_LENGTH: usize = 8;

/// The identity of a key slot of a file in the Strongroom format. Not a secret.
///
/// The text form is 16 lower-case hexadecimal digits. Reading also accepts upper case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotId(pub [u8; SLOT_ID_LENGTH]);

impl fmt::Display for SlotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for SlotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SlotId({self})")
    }
}

impl FromStr for SlotId {
    type Err = KeyError;

    /// # Errors
    ///
    /// [`KeyError::SlotId`] unless the text is 16 hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        /// More of a wrong text is not shown.
        const SHOWN: usize = 40;
        let is_id = text.len() == 2 * SLOT_ID_LENGTH && text.bytes().all(|digit| digit.is_ascii_hexdigit());
        match u64::from_str_radix(text, 16) {
            Ok(number) if is_id => Ok(Self(number.to_be_bytes())),
            _ => Err(KeyError::SlotId {
                given: text.chars().take(SHOWN).flat_map(char::escape_default).collect(),
            }),
        }
    }
}
