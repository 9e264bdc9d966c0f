//! SQLite's values, borrowed and owned.

/// A value that is bound to a parameter or read from a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// NULL.
    Null,
    /// A signed integer of 64 bits.
    Integer(i64),
    /// A floating-point number. SQLite stores NaN as NULL.
    Real(f64),
    /// Text, as bytes: a file may hold text that is not UTF-8. Binding requires valid UTF-8.
    Text(&'a [u8]),
    /// Bytes.
    Blob(&'a [u8]),
}

/// A value that a caller's function, aggregate or virtual table returns.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum OwnedValue {
    /// NULL.
    #[default]
    Null,
    /// A signed integer of 64 bits.
    Integer(i64),
    /// A floating-point number. NaN becomes NULL.
    Real(f64),
    /// Text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl From<Value<'_>> for OwnedValue {
    /// Copies a value. Text that is not UTF-8 becomes a blob.
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Integer(number) => Self::Integer(number),
            Value::Real(number) => Self::Real(number),
            Value::Text(bytes) => match str::from_utf8(bytes) {
                Ok(text) => Self::Text(text.to_owned()),
                Err(_) => Self::Blob(bytes.to_vec()),
            },
            Value::Blob(bytes) => Self::Blob(bytes.to_vec()),
        }
    }
}
