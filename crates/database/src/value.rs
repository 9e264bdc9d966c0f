//! A value of SQLite's, borrowed.

/// A value that is bound to a parameter or read from a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// NULL.
    Null,
    /// A signed integer of 64 bits.
    Integer(i64),
    /// A floating-point number. Binding NaN stores NULL, as SQLite does.
    Real(f64),
    /// Text, as bytes: a file may hold text that is not UTF-8. Binding takes valid UTF-8.
    Text(&'a [u8]),
    /// Bytes.
    Blob(&'a [u8]),
}
