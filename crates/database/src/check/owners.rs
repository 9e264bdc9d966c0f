//! Finds the tables that pages belong to, by the pages that refer to them.
//!
//! Source of the layout: SQLite's file format, sections 1.5 and 1.6. Every number in a page is untrusted: reads are
//! bounds-checked, and no page is visited twice.

use std::collections::{BTreeSet, HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension, Statement};

use super::tables::Tables;
use super::{Meter, PAGES_PER_CALL};

/// The owner of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// A table or one of its indexes.
    Table { table: String, index: Option<String> },
    /// No table: the page is on the freelist.
    Free,
}

/// A search for the owners of some pages.
struct Search<'s, 'm, 'p> {
    read: Statement<'s>,
    wanted: &'s BTreeSet<u32>,
    meter: &'s mut Meter<'m, 'p>,
    visited: HashSet<u32>,
    owners: HashMap<u32, Owner>,
}

/// Finds the owners of the `wanted` pages without reading those pages.
pub(super) fn owners(
    connection: &Connection,
    tables: &Tables,
    wanted: &BTreeSet<u32>,
    meter: &mut Meter<'_, '_>,
) -> rusqlite::Result<HashMap<u32, Owner>> {
    let read = connection.prepare("SELECT data FROM sqlite_dbpage WHERE pgno = ?1")?;
    let mut search = Search { read, wanted, meter, visited: HashSet::new(), owners: HashMap::new() };
    let Some(first) = search.page(1)? else { return Ok(search.owners) };
    let reserved = usize::from(first.get(20).copied().unwrap_or(0));
    let usable = first.len().saturating_sub(reserved);
    for (root, table, index) in tables.trees() {
        let owner = Owner::Table { table: table.to_owned(), index: index.map(str::to_owned) };
        search.tree(root, usable, &owner)?;
    }
    search.free(be32(&first, 32).unwrap_or(0))?;
    Ok(search.owners)
}

impl Search<'_, '_, '_> {
    fn page(&mut self, number: u32) -> rusqlite::Result<Option<Vec<u8>>> {
        self.read.query_row([number], |row| row.get(0)).optional()
    }

    /// Reads a page that was not visited before. Returns `None` for a wanted page, whose owner is then known.
    fn visit(&mut self, number: u32, owner: &Owner) -> rusqlite::Result<Option<Vec<u8>>> {
        if number == 0 || !self.visited.insert(number) {
            return Ok(None);
        }
        if self.wanted.contains(&number) {
            self.owners.insert(number, owner.clone());
            return Ok(None);
        }
        if (self.visited.len() as u64).is_multiple_of(PAGES_PER_CALL) && !self.meter.go_on() {
            return Ok(None);
        }
        self.page(number)
    }

    fn tree(&mut self, root: u32, usable: usize, owner: &Owner) -> rusqlite::Result<()> {
        let mut pending = vec![root];
        while let Some(number) = pending.pop() {
            let Some(page) = self.visit(number, owner)? else { continue };
            let links = links(&page, number, usable);
            pending.extend(links.children);
            for first in links.overflows {
                let mut next = first;
                while let Some(page) = self.visit(next, owner)? {
                    next = be32(&page, 0).unwrap_or(0);
                }
            }
        }
        Ok(())
    }

    fn free(&mut self, first_trunk: u32) -> rusqlite::Result<()> {
        let mut trunk = first_trunk;
        while let Some(page) = self.visit(trunk, &Owner::Free)? {
            let count = be32(&page, 4).unwrap_or(0) as usize;
            for index in 0..count.min(page.len() / 4) {
                let leaf = be32(&page, 8 + 4 * index).unwrap_or(0);
                // A free page refers to no other page.
                if self.wanted.contains(&leaf) {
                    self.visit(leaf, &Owner::Free)?;
                }
            }
            trunk = be32(&page, 0).unwrap_or(0);
        }
        Ok(())
    }
}

/// Returns the pages to which a page of a tree refers.
#[derive(Default)]
struct Links {
    children: Vec<u32>,
    overflows: Vec<u32>,
}

fn links(page: &[u8], number: u32, usable: usize) -> Links {
    const INTERIOR_INDEX: u8 = 2;
    const INTERIOR_TABLE: u8 = 5;
    const LEAF_INDEX: u8 = 10;
    const LEAF_TABLE: u8 = 13;
    let mut links = Links::default();
    // The database header precedes the header of the first page.
    let header = if number == 1 { 100 } else { 0 };
    let Some(&kind) = page.get(header) else { return links };
    let interior = matches!(kind, INTERIOR_INDEX | INTERIOR_TABLE);
    if !interior && !matches!(kind, LEAF_INDEX | LEAF_TABLE) {
        return links;
    }
    let count = be16(page, header + 3).unwrap_or(0);
    let pointers = header + if interior { 12 } else { 8 };
    if interior {
        links.children.extend(be32(page, header + 8));
    }
    for index in 0..count {
        let Some(mut at) = be16(page, pointers + 2 * index) else { break };
        if interior {
            links.children.extend(be32(page, at));
            at += 4;
        }
        if kind != INTERIOR_TABLE {
            links.overflows.extend(overflow(page, at, usable, kind == LEAF_TABLE));
        }
    }
    links
}

/// Returns the first overflow page of the cell at `at`, whose payload begins with its length.
fn overflow(page: &[u8], at: usize, usable: usize, table: bool) -> Option<u32> {
    let (payload, mut at) = varint(page, at)?;
    if table {
        // The rowid.
        (_, at) = varint(page, at)?;
    }
    let payload = usize::try_from(payload).ok()?;
    let index_maximum = (usable.checked_sub(12)? * 64 / 255).checked_sub(23)?;
    let maximum = if table { usable.checked_sub(35)? } else { index_maximum };
    if payload <= maximum {
        return None;
    }
    let minimum = (usable.checked_sub(12)? * 32 / 255).checked_sub(23)?;
    let fitting = minimum + payload.checked_sub(minimum)? % usable.checked_sub(4)?;
    let local = if fitting <= maximum { fitting } else { minimum };
    be32(page, at.checked_add(local)?)
}

/// Returns a number of 1 to 9 bytes, and the position after it.
fn varint(page: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut value = 0;
    for index in 0..9 {
        let byte = *page.get(at + index)?;
        if index == 8 {
            return Some((value << 8 | u64::from(byte), at + 9));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, at + index + 1));
        }
    }
    None
}

fn be16(page: &[u8], at: usize) -> Option<usize> {
    let bytes = page.get(at..at.checked_add(2)?)?.try_into().ok()?;
    Some(usize::from(u16::from_be_bytes(bytes)))
}

fn be32(page: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(page.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_to_nine_bytes() {
        assert_eq!(varint(&[0x7f], 0), Some((127, 1)));
        assert_eq!(varint(&[0x81, 0x00], 0), Some((128, 2)));
        assert_eq!(varint(&[0xff; 9], 0), Some((u64::MAX, 9)));
        assert_eq!(varint(&[0xff; 8], 0), None);
        assert_eq!(varint(&[], 5), None);
    }

    #[test]
    fn no_content_of_a_page_causes_a_panic() {
        for byte in [0, 1, 0x0a, 0x7f, 0x80, 0xff] {
            for length in [0, 1, 7, 12, 99, 100, 112, 512, 4_096] {
                for kind in [2, 5, 10, 13, 0] {
                    let mut page = vec![byte; length];
                    for at in [0, 100] {
                        if let Some(place) = page.get_mut(at) {
                            *place = kind;
                        }
                    }
                    for usable in [0, 11, 34, 480, length] {
                        links(&page, 1, usable);
                        links(&page, 2, usable);
                    }
                }
            }
        }
    }
}
