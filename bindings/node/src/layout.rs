//! How the columns of a statement's rows cross to JavaScript.

use strongroom_database::Value;

use crate::row::Integers;

/// How the values of a column cross. `ts/api/build-row.ts` has the same numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// Integers of 32 bits, in the first half of a slot.
    Small = 0,
    /// Numbers and NULL, which is NaN: SQLite has no NaN.
    Number = 1,
    /// Integers of 64 bits that become bigints.
    BigInt = 2,
    /// Blobs and NULL: a slot with the place and the length of the bytes, or with the mark of `batch.rs`.
    Blob = 3,
    /// Anything, as a JavaScript value.
    Value = 4,
}

/// The kinds of the columns, which a value of another type widens.
pub(crate) struct Layout {
    /// Changes with the kinds.
    pub(crate) version: u32,
    /// Empty before the first row.
    pub(crate) kinds: Vec<Kind>,
}

impl Kind {
    /// Whether the value can cross in this way.
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

    /// Returns the narrowest kind for the values of both this kind and `value`.
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
    fn a_kind_holds_the_value_that_it_is_of_or_was_widened_for() {
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
