//! A borrowed value of SQLite.

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
