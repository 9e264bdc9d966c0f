//! Reads names from a string table, or from a whole file.

use std::cell::Cell;

use crate::limits::{MAX_NAME, MAX_NAME_COUNT, MAX_TABLE_NAMES, MAX_TABLE_READS, MIN_TABLE_READ};
use crate::printable::printable;

/// A string table with a budget.
pub(crate) struct Strings<'data> {
    data: &'data [u8],
    /// The name of the data in an error.
    table: &'static str,
    /// The number of bytes that may still be read.
    left: Cell<usize>,
    /// The number of names read so far.
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

    /// Reads names from data that contains more than a string table.
    pub(crate) fn within(table: &'static str, data: &'data [u8]) -> Self {
        let left = data.len().saturating_mul(MAX_TABLE_READS).clamp(MIN_TABLE_READ, MAX_TABLE_NAMES);
        Strings { data, table, left: Cell::new(left), read: Cell::new(0) }
    }

    /// Returns the name at an offset, with control characters escaped.
    pub(crate) fn get(&self, offset: u64) -> Result<String, String> {
        let table = self.table;
        let outside = || format!("a name at {offset:#x} is outside the {table} of {} bytes", self.data.len());
        let rest =
            usize::try_from(offset).ok().and_then(|offset| self.data.get(offset..)).ok_or_else(outside)?;
        let rest = &rest[..rest.len().min(MAX_NAME)];
        let Some(length) = rest.iter().position(|byte| *byte == 0) else {
            return Err(if rest.len() == MAX_NAME {
                format!("a name at {offset:#x} of the {table} is longer than {MAX_NAME} bytes")
            } else {
                outside()
            });
        };
        self.read.set(self.read.get() + 1);
        if self.read.get() > MAX_NAME_COUNT {
            return Err(format!("the file has more than {MAX_NAME_COUNT} names"));
        }
        let name = printable(&rest[..length]);
        // An escaped name may be several times as long.
        let left = self.left.get().checked_sub(length.max(name.len()) + 1);
        self.left.set(left.ok_or_else(|| {
            let mib = MAX_TABLE_NAMES >> 20;
            format!("the names add up to more than {mib} MiB, or to {MAX_TABLE_READS} times the {table}")
        })?);
        Ok(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_must_stay_in_their_table_and_within_the_budget() {
        let strings = Strings::new(b"\0libc.so.6\0\x1b[2Jx\0open");
        assert_eq!(strings.get(1).as_deref(), Ok("libc.so.6"));
        assert_eq!(strings.get(4).as_deref(), Ok("c.so.6"));
        assert_eq!(strings.get(11).as_deref(), Ok("\\u{1b}[2Jx"));
        assert!(strings.get(17).unwrap_err().contains("outside"), "no end");
        assert!(strings.get(u64::MAX).unwrap_err().contains("outside"));

        let long = vec![b'a'; MAX_NAME + 1];
        assert!(Strings::new(&long).get(0).unwrap_err().contains("longer than"));

        let strings = Strings::new(b"abc\0");
        strings.left.set(7);
        assert!(strings.get(0).is_ok());
        assert!(strings.get(0).unwrap_err().contains("add up"));

        let escaped = [&[1; 1000][..], &[0]].concat();
        let strings = Strings::new(&escaped);
        let reads = (0..20).take_while(|_| strings.get(0).is_ok()).count();
        assert_eq!(reads, MIN_TABLE_READ / 5001, "\\u{{1}} for each byte");
        let long = [&[b'a'; MAX_NAME - 1][..], &[0]].concat();
        let strings = Strings::new(&long);
        let reads = (0..20).take_while(|_| strings.get(0).is_ok()).count();
        assert_eq!(reads, MAX_TABLE_READS, "names that overlap");

        let strings = Strings::new(b"abc\0");
        strings.read.set(MAX_NAME_COUNT - 1);
        assert!(strings.get(0).is_ok());
        assert!(strings.get(0).unwrap_err().contains("more than 1048576 names"));
    }
}
