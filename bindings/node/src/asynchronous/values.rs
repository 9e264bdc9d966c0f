//! The values of rows on their way from a thread to JavaScript.

use std::fmt;

use napi::Env;
use strongroom_database::Value;

use super::external_text::{ExternalText, Unit};
use super::wiped::Wiped;
use crate::batch;
use crate::encode::Sink;
use crate::error::Outcome;
use crate::handle::Handle;
use crate::row::{self, Integers};
use crate::text::{self, Encoded, Scratch};

/// The number of Latin-1 characters or UTF-16 units from which a text becomes an external string. A shorter text is
/// cheaper to copy.
const MIN_EXTERNAL: usize = 96;
/// The largest number of units of an external string. A longer text is copied, because Node-API does not say who owns
/// the memory of an external string that it refuses as too long.
const MAX_EXTERNAL: usize = 1 << 27;

/// A value that a thread without JavaScript creates. The memory is wiped when the value is dropped.
pub(crate) enum ThreadValue {
    Null,
    /// An integer that becomes a number.
    Number(i64),
    /// An integer that becomes a bigint.
    BigInt(i64),
    Real(f64),
    /// Text whose characters are all below U+0100.
    Latin1(Text<u8>),
    Utf16(Text<u16>),
    /// Text that is not valid UTF-8. Node-API replaces the invalid bytes with U+FFFD, as in the synchronous class.
    Invalid(Text<u8>),
    /// A blob of a column of blobs, which becomes an ArrayBuffer or a Buffer.
    Blob(Wiped<u8>),
    /// A blob of a column of mixed values, which becomes a Buffer.
    Buffer(Wiped<u8>),
}

/// A text with its place, which an error message names.
pub(crate) struct Text<U: Unit> {
    units: Units<U>,
    /// The length in SQLite, in bytes.
    length: u32,
    column: u16,
}

enum Units<U: Unit> {
    /// The units of a text that V8 copies.
    Copied(Wiped<U>),
    External(ExternalText<U>),
}

/// Creates values on a thread.
#[derive(Default)]
pub(crate) struct ThreadSink {
    pub(super) scratch: Scratch,
}

impl Sink for ThreadSink {
    type Value = ThreadValue;

    fn create(&mut self, value: Value<'_>, integers: Integers, column: usize) -> Outcome<ThreadValue> {
        Ok(match (value, integers) {
            (Value::Null, _) => ThreadValue::Null,
            (Value::Integer(integer), Integers::Numbers) => ThreadValue::Number(integer),
            (Value::Integer(integer), Integers::BigInts) => ThreadValue::BigInt(integer),
            (Value::Real(number), _) => ThreadValue::Real(number),
            (Value::Text(text), _) => self.text(text, column)?,
            (Value::Blob(bytes), _) => ThreadValue::Buffer(Wiped::copy(bytes)?),
        })
    }

    fn create_blob(&mut self, bytes: &[u8]) -> Outcome<ThreadValue> {
        Wiped::copy(bytes).map(ThreadValue::Blob)
    }

    fn layout_number(_layouts: u32) -> u32 {
        super::rows::next_layout()
    }
}

impl ThreadSink {
    fn text(&mut self, text: &[u8], column: usize) -> Outcome<ThreadValue> {
        // SQLite's lengths are C ints, and a row has at most 32,767 columns.
        let (length, column) = (text.len() as u32, column as u16);
        Ok(match text::encode(text, &mut self.scratch) {
            Encoded::Latin1(units) => {
                ThreadValue::Latin1(Text { units: Units::copy(units)?, length, column })
            }
            // V8 stores a copy of such a text as Latin-1, but an external string as it is.
            Encoded::Utf16(units) if units.iter().fold(0, |all, unit| all | unit) < 0x100 => {
                let narrow = |narrow: &mut [u8]| {
                    narrow.iter_mut().zip(units).for_each(|(narrow, &unit)| *narrow = unit as u8);
                };
                ThreadValue::Latin1(Text { units: Units::new(units.len(), narrow)?, length, column })
            }
            Encoded::Utf16(units) => ThreadValue::Utf16(Text { units: Units::copy(units)?, length, column }),
            Encoded::Invalid(bytes) => {
                ThreadValue::Invalid(Text { units: Units::Copied(Wiped::copy(bytes)?), length, column })
            }
        })
    }
}

impl<U: Unit> Units<U> {
    fn copy(units: &[U]) -> Outcome<Self> {
        Self::new(units.len(), |copy| copy.copy_from_slice(units))
    }

    /// Creates zeros, which `fill` overwrites.
    fn new(length: usize, fill: impl FnOnce(&mut [U])) -> Outcome<Self> {
        if (MIN_EXTERNAL..=MAX_EXTERNAL).contains(&length) {
            return ExternalText::new(length, fill).map(Self::External);
        }
        Wiped::new(length, fill).map(Self::Copied)
    }
}

impl<U: Unit> Text<U> {
    /// Creates a string: an external one, or a copy.
    fn into_string(self, env: &Env, encoded: impl FnOnce(&[U]) -> Encoded<'_>) -> Outcome<Handle> {
        let create = |units: &[U]| {
            let holder = || text::column_label(self.column.into());
            text::create_encoded(env, encoded(units), self.length as usize, holder)
        };
        match self.units {
            Units::Copied(units) => create(&units),
            Units::External(units) => units.into_string(env).unwrap_or_else(|units| create(&units)),
        }
    }
}

impl ThreadValue {
    /// Returns the number of bytes outside V8's heap that the JavaScript value uses.
    pub(super) fn external_size(&self) -> usize {
        match self {
            ThreadValue::Latin1(Text { units: Units::External(units), .. }) => units.size(),
            ThreadValue::Utf16(Text { units: Units::External(units), .. }) => units.size(),
            _ => 0,
        }
    }

    /// Creates the JavaScript value. The caller has reported the external size.
    ///
    /// # Errors
    ///
    /// Fails if V8 refuses the value: a text is too long, or memory runs out.
    pub(crate) fn materialize(self, env: &Env) -> Outcome<Handle> {
        match self {
            ThreadValue::Null => row::plain_value(env, Value::Null, Integers::Numbers),
            ThreadValue::Number(integer) => row::integer_value(env, integer, Integers::Numbers),
            ThreadValue::BigInt(integer) => row::integer_value(env, integer, Integers::BigInts),
            ThreadValue::Real(number) => row::plain_value(env, Value::Real(number), Integers::Numbers),
            ThreadValue::Blob(bytes) => batch::blob(env, &bytes),
            ThreadValue::Buffer(bytes) => row::plain_value(env, Value::Blob(&bytes), Integers::Numbers),
            ThreadValue::Latin1(text) => text.into_string(env, |units| Encoded::Latin1(units)),
            ThreadValue::Utf16(text) => text.into_string(env, |units| Encoded::Utf16(units)),
            ThreadValue::Invalid(text) => text.into_string(env, |units| Encoded::Invalid(units)),
        }
    }
}

impl fmt::Debug for ThreadValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Stored values do not belong in a log.
        f.write_str("ThreadValue")
    }
}

#[cfg(test)]
impl ThreadValue {
    /// Returns the units of a text, and whether the text becomes an external string.
    pub(super) fn units(&self) -> Option<(Vec<u16>, bool)> {
        fn wide<U: Unit + Into<u16>>(text: &Text<U>) -> Option<(Vec<u16>, bool)> {
            let (units, external): (&[U], _) = match &text.units {
                Units::Copied(units) => (units, false),
                Units::External(units) => (units, true),
            };
            Some((units.iter().map(|&unit| unit.into()).collect(), external))
        }
        match self {
            ThreadValue::Latin1(text) => wide(text),
            ThreadValue::Utf16(text) => wide(text),
            _ => None,
        }
    }

    /// Returns the bytes of a text that is not valid UTF-8, or of a blob.
    pub(super) fn bytes(&self) -> Option<Vec<u8>> {
        match self {
            ThreadValue::Invalid(Text { units: Units::Copied(bytes), .. })
            | ThreadValue::Blob(bytes)
            | ThreadValue::Buffer(bytes) => Some(bytes.to_vec()),
            _ => None,
        }
    }
}
