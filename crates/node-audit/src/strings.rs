//! Names out of a string table, or out of a whole file.

use std::cell::Cell;

use crate::error::printable;

/// The longest name that is read. C++ names of several kilobytes are real.
pub(crate) const LONGEST: usize = 64 << 10;

/// How much may be read in total.
pub(crate) const TOTAL: usize = 64 << 20;

/// How many times its own length may be read of a table. Names may overlap, so that a small file could ask for any amount;
/// linkers let a name end within another, and versions name their library again and again.
const TIMES: usize = 8;

/// What may be read of the smallest table.
const LEAST: usize = 64 << 10;

/// How many names are read. Node itself has some 75,000.
pub(crate) const MOST: usize = 1 << 20;

/// A string table with a budget.
pub(crate) struct Strings<'data> {
    data: &'data [u8],
    /// What the data is, in an error.
    table: &'static str,
    left: Cell<usize>,
    read: Cell<usize>,
}

impl Default for Strings<'_> {
    fn default() -> Self {
        Strings::new(&[])
    }
}

impl<'data> Strings<'data> {
    pub(crate) fn new(data: &'data [u8]) -> Self {
        Strings::within("string table", data)
    }

    /// The same for data that is no string table of its own.
    pub(crate) fn within(table: &'static str, data: &'data [u8]) -> Self {
        let total = data.len().saturating_mul(TIMES).clamp(LEAST, TOTAL);
        Strings { data, table, left: Cell::new(total), read: Cell::new(0) }
    }

    /// The name at an offset, with control characters escaped.
    pub(crate) fn get(&self, offset: u64) -> Result<String, String> {
        let table = self.table;
        let outside = || format!("a name at {offset:#x} is outside its {table} of {} bytes", self.data.len());
        let rest =
            usize::try_from(offset).ok().and_then(|offset| self.data.get(offset..)).ok_or_else(outside)?;
        let rest = &rest[..rest.len().min(LONGEST)];
        let Some(length) = rest.iter().position(|byte| *byte == 0) else {
            return Err(if rest.len() == LONGEST {
                format!("a name at {offset:#x} of its {table} is longer than {LONGEST} bytes")
            } else {
                outside()
            });
        };
        self.read.set(self.read.get() + 1);
        if self.read.get() > MOST {
            return Err(format!("it has more than {MOST} names"));
        }
        let name = printable(&rest[..length]);
        // What is escaped grows to several times its length.
        let left = self.left.get().checked_sub(length.max(name.len()) + 1);
        self.left.set(left.ok_or_else(|| {
            format!("its names add up to more than {} MiB, or to {TIMES} times their {table}", TOTAL >> 20)
        })?);
        Ok(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_in_their_table_and_within_the_budget() {
        let strings = Strings::new(b"\0libc.so.6\0\x1b[2Jx\0open");
        assert_eq!(strings.get(1).as_deref(), Ok("libc.so.6"));
        assert_eq!(strings.get(4).as_deref(), Ok("c.so.6"));
        assert_eq!(strings.get(11).as_deref(), Ok("\\u{1b}[2Jx"));
        assert!(strings.get(17).unwrap_err().contains("outside"), "no end");
        assert!(strings.get(u64::MAX).unwrap_err().contains("outside"));

        let long = vec![b'a'; LONGEST + 1];
        assert!(Strings::new(&long).get(0).unwrap_err().contains("longer than"));

        let strings = Strings::new(b"abc\0");
        strings.left.set(7);
        assert!(strings.get(0).is_ok());
        assert!(strings.get(0).unwrap_err().contains("add up"));

        let escaped = [&[1; 1000][..], &[0]].concat();
        let strings = Strings::new(&escaped);
        assert_eq!(
            (0..20).take_while(|_| strings.get(0).is_ok()).count(),
            LEAST / 5001,
            "\\u{{1}} for each byte"
        );
        let long = [&[b'a'; LONGEST - 1][..], &[0]].concat();
        let strings = Strings::new(&long);
        assert_eq!((0..20).take_while(|_| strings.get(0).is_ok()).count(), TIMES, "names that overlap");

        let strings = Strings::new(b"abc\0");
        strings.read.set(MOST - 1);
        assert!(strings.get(0).is_ok());
        assert!(strings.get(0).unwrap_err().contains("more than 1048576 names"));
    }
}
