//! The values of rows on their way from a thread to JavaScript.

use std::fmt;

use napi::Env;
use strongroom_database::Value;
use zeroize::{Zeroize, Zeroizing};

use super::external_text::ExternalText;
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
    Blob(Zeroizing<Box<[u8]>>),
    /// A blob of a column of mixed values, which becomes a Buffer.
    Buffer(Zeroizing<Box<[u8]>>),
}

/// A text with its place, which an error message names.
pub(crate) struct Text<U: Zeroize> {
    pub(super) units: Zeroizing<Box<[U]>>,
    /// The length in UTF-8, in bytes.
    length: u32,
    column: u16,
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
            (Value::Text(text), _) => self.text(text, column),
            (Value::Blob(bytes), _) => ThreadValue::Buffer(copy(bytes)),
        })
    }

    fn create_blob(&mut self, bytes: &[u8]) -> Outcome<ThreadValue> {
        Ok(ThreadValue::Blob(copy(bytes)))
    }

    fn layout_number(_layouts: u32) -> u32 {
        super::rows::next_layout()
    }
}

impl ThreadSink {
    fn text(&mut self, text: &[u8], column: usize) -> ThreadValue {
        match text::encode(text, &mut self.scratch) {
            Encoded::Latin1(units) => ThreadValue::Latin1(Text::new(copy(units), text, column)),
            // V8 stores a copy of such a text as Latin-1, but an external string as it is.
            Encoded::Utf16(units) if units.iter().fold(0, |all, unit| all | unit) < 0x100 => {
                let units: Box<[u8]> = units.iter().map(|&unit| unit as u8).collect();
                ThreadValue::Latin1(Text::new(Zeroizing::new(units), text, column))
            }
            Encoded::Utf16(units) => ThreadValue::Utf16(Text::new(copy(units), text, column)),
            Encoded::Invalid(units) => ThreadValue::Invalid(Text::new(copy(units), text, column)),
        }
    }
}

fn copy<U: Zeroize + Clone>(units: &[U]) -> Zeroizing<Box<[U]>> {
    Zeroizing::new(Box::from(units))
}

impl<U: Zeroize> Text<U> {
    fn new(units: Zeroizing<Box<[U]>>, utf8: &[u8], column: usize) -> Self {
        // SQLite's lengths are C ints, and a row has at most 32,767 columns.
        Self { units, length: utf8.len() as u32, column: column as u16 }
    }

    /// Creates a string with a copy of the text.
    fn create<'t>(&'t self, env: &Env, encoded: impl FnOnce(&'t [U]) -> Encoded<'t>) -> Outcome<Handle> {
        let holder = || text::column_label(self.column.into());
        text::create_encoded(env, encoded(&self.units), self.length as usize, holder)
    }

    fn is_external(&self) -> bool {
        (MIN_EXTERNAL..=MAX_EXTERNAL).contains(&self.units.len())
    }
}

impl ThreadValue {
    /// Creates the JavaScript value.
    ///
    /// # Errors
    ///
    /// Fails if V8 refuses the value: a text is too long, or memory runs out.
    pub(crate) fn materialize(self, env: &Env, external: &ExternalText) -> Outcome<Handle> {
        match self {
            ThreadValue::Null => row::plain_value(env, Value::Null, Integers::Numbers),
            ThreadValue::Number(integer) => row::integer_value(env, integer, Integers::Numbers),
            ThreadValue::BigInt(integer) => row::integer_value(env, integer, Integers::BigInts),
            ThreadValue::Real(number) => row::plain_value(env, Value::Real(number), Integers::Numbers),
            ThreadValue::Blob(bytes) => batch::blob(env, &bytes),
            ThreadValue::Buffer(bytes) => row::plain_value(env, Value::Blob(&bytes), Integers::Numbers),
            ThreadValue::Latin1(text) => match external.latin1 {
                Some(create) if text.is_external() => create.string(env, text.units),
                _ => text.create(env, Encoded::Latin1),
            },
            ThreadValue::Utf16(text) => match external.utf16 {
                Some(create) if text.is_external() => create.string(env, text.units),
                _ => text.create(env, Encoded::Utf16),
            },
            ThreadValue::Invalid(text) => text.create(env, Encoded::Invalid),
        }
    }
}

impl fmt::Debug for ThreadValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Stored values do not belong in a log.
        f.write_str("ThreadValue")
    }
}
