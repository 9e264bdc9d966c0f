//! The encoding of a statement's columns in the shared memory.

use strongroom_database::Value;

use crate::row::Integers;

/// The encoding of a column's values. `ts/api/build-row.ts` has the same numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// 32-bit integers, in the first half of a slot.
    Small = 0,
    /// Numbers and NULL. NaN encodes NULL, because SQLite has no NaN.
    Number = 1,
    /// 64-bit integers that become bigints.
    BigInt = 2,
    /// Blobs and NULL. A slot holds the offset and the length of the bytes, or a mark that `batch.rs` defines.
    Blob = 3,
    /// Values of any type, each as a JavaScript value.
    Value = 4,
}

/// The kinds of the columns. A value that does not fit its kind widens the kind.
pub(crate) struct Layout {
    /// A number that changes whenever the kinds change.
    pub(crate) version: u32,
    /// Empty before the first row.
    pub(crate) kinds: Vec<Kind>,
}

impl Kind {
    /// Returns whether this kind can encode the value.
    #[inline]
    pub(crate) fn holds(self, value: Value<'_>, integers: Integers) -> bool {
        match (self, value) {
            (Kind::Small, Value::Integer(integer)) => i32::try_from(integer).is_ok(),
            (Kind::Number, Value::Integer(_)) => integers == Integers::Numbers,
            (Kind::Number, Value::Real(_) | Value::Null)
            | (Kind::BigInt, Value::Integer(_))
            | (Kind::Blob, Value::Blob(_) | Value::Null)
            | (Kind::Value, _) => true,
            _ => false,
        }
    }

    /// Returns the narrowest kind for the value.
    pub(crate) fn of(value: Value<'_>, integers: Integers) -> Self {
        match (value, integers) {
            (Value::Integer(_), Integers::BigInts) => Kind::BigInt,
            (Value::Integer(integer), Integers::Numbers) if i32::try_from(integer).is_ok() => Kind::Small,
            (Value::Integer(_) | Value::Real(_) | Value::Null, _) => Kind::Number,
            (Value::Blob(_), _) => Kind::Blob,
            (Value::Text(_), _) => Kind::Value,
        }
    }

    /// Returns the narrowest kind for `value` and for every value of this kind.
    pub(crate) fn widened(self, value: Value<'_>, integers: Integers) -> Self {
        match (self, Kind::of(value, integers)) {
            _ if self.holds(value, integers) => self,
            (Kind::Small | Kind::Number, Kind::Small | Kind::Number) => Kind::Number,
            _ => Kind::Value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUES: [Value<'_>; 6] = [
        Value::Null,
        Value::Integer(1),
        Value::Integer(1 << 40),
        Value::Real(0.5),
        Value::Text(b"a"),
        Value::Blob(b"b"),
    ];

    #[test]
    fn a_kind_holds_the_values_that_it_was_created_or_widened_for() {
        for integers in [Integers::Numbers, Integers::BigInts] {
            for first in VALUES {
                let kind = Kind::of(first, integers);
                assert!(kind.holds(first, integers), "{first:?}");
                for second in VALUES {
                    let wider = kind.widened(second, integers);
                    assert!(
                        wider.holds(first, integers) && wider.holds(second, integers),
                        "{first:?} {second:?}"
                    );
                }
            }
        }
    }
}
