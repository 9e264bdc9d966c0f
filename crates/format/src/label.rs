//! The label of a key slot: its text, its limits, and the time of the slot's key.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::SlotError;
use crate::field::{field, put, u16_at, u64_at};

/// The length of a label's text in the file, in bytes: 8 bytes of time, 2 of length, 94 of text.
pub(crate) const LABEL_LENGTH: usize = 104;

/// The largest length of a label, in bytes of UTF-8.
pub const MAX_LABEL_LENGTH: usize = LABEL_LENGTH - at::TEXT;

/// The places of the fields in the text of a label.
mod at {
    pub(super) const TIME: usize = 0;
    pub(super) const LENGTH: usize = 8;
    pub(super) const TEXT: usize = 10;
}

/// The label of a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Label {
    /// The time at which the slot got its key, in milliseconds since 1970.
    time: u64,
    /// At most [`MAX_LABEL_LENGTH`] bytes.
    text: String,
}

impl Label {
    /// Returns a label with the present time. An empty text removes the label.
    pub(crate) fn new(text: Option<&str>) -> Result<Self, SlotError> {
        Self::without_text().with_text(text)
    }

    /// Returns the present time without a text.
    pub(crate) fn without_text() -> Self {
        Self { time: 0, text: String::new() }.with_present_time()
    }

    /// Returns the label for a slot that gets its key now.
    pub(crate) fn with_present_time(mut self) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.time = u64::try_from(now.as_millis()).unwrap_or_default();
        self
    }

    /// Returns the label with another text.
    pub(crate) fn with_text(mut self, text: Option<&str>) -> Result<Self, SlotError> {
        let text = text.unwrap_or_default();
        if text.len() > MAX_LABEL_LENGTH {
            return Err(SlotError::LabelLength { length: text.len() });
        }
        if let Some((index, character)) = text.chars().enumerate().find(|(_, found)| found.is_control()) {
            return Err(SlotError::LabelCharacter { character, position: index + 1 });
        }
        self.text = text.to_owned();
        Ok(self)
    }

    /// Returns the text, or `None` if the slot has no label.
    pub(crate) fn into_text(self) -> Option<String> {
        Some(self.text).filter(|text| !text.is_empty())
    }

    /// Returns the time, or `None` for a time that programs cannot represent.
    pub(crate) fn created(&self) -> Option<SystemTime> {
        /// The last time of a `Date` in JavaScript, in milliseconds. Source: ECMA-262, "Time Values and Time Range".
        const LAST: u64 = 8_640_000_000_000_000;
        let time = Some(self.time).filter(|time| *time <= LAST)?;
        UNIX_EPOCH.checked_add(Duration::from_millis(time))
    }

    pub(crate) fn to_bytes(&self) -> [u8; LABEL_LENGTH] {
        let mut bytes = [0; LABEL_LENGTH];
        put(&mut bytes, at::TIME, &self.time.to_be_bytes());
        put(&mut bytes, at::LENGTH, &(self.text.len() as u16).to_be_bytes());
        put(&mut bytes, at::TEXT, self.text.as_bytes());
        bytes
    }

    /// Reads an opened label. Returns `None` if the length or the text is invalid.
    pub(crate) fn from_bytes(bytes: &[u8; LABEL_LENGTH]) -> Option<Self> {
        let text: &[u8; MAX_LABEL_LENGTH] = field(bytes, at::TEXT);
        let text = text.get(..usize::from(u16_at(bytes, at::LENGTH)))?;
        Some(Self { time: u64_at(bytes, at::TIME), text: str::from_utf8(text).ok()?.to_owned() })
    }
}
