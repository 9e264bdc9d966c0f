//! Reads the export trie: the exported names, as a tree of their common prefixes.
//!
//! A node begins with the length of its data (0 if no name ends at the node) and the data. The number of children
//! follows, and for each child, the label of its edge and its offset. Numbers are ULEB128.

use super::symbols::without_underscore;
use crate::limits::{MAX_NAME, MAX_NAME_COUNT, MAX_TABLE_NAMES, MAX_TRIE_DEPTH};
use crate::printable::printable;

const CUT: &str = "a node of the export trie is outside the trie";

/// A node whose children the walk is visiting.
struct Node {
    /// The position of the next child's label.
    position: usize,
    children_left: u8,
    /// The length of the name up to this node, in bytes.
    name_length: usize,
}

/// Returns all names in the order of the trie, without the leading underscore.
pub(super) fn names(trie: &[u8]) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    if trie.is_empty() {
        return Ok(names);
    }
    let mut name = Vec::new();
    let mut total = 0;
    // Nodes share no bytes, so a walk that reads more bytes than the trie has is in a cycle.
    let mut budget = trie.len();
    let mut spend = |bytes: usize| {
        budget = budget.checked_sub(bytes).ok_or("the export trie contains a cycle")?;
        Ok::<(), String>(())
    };
    let mut nodes = Vec::new();
    let mut entered = Some(0);
    loop {
        if let Some(start) = entered.take() {
            let mut position = start;
            let length = usize::try_from(uleb128(trie, &mut position)?).map_err(|_| CUT)?;
            if length > 0 {
                // Names share prefixes, so a small trie can produce any amount of names, and escaped names are longer.
                let escaped = printable(&name);
                total += escaped.len().max(name.len());
                if total > MAX_TABLE_NAMES {
                    return Err(format!(
                        "the exported names add up to more than {} MiB",
                        MAX_TABLE_NAMES >> 20
                    ));
                }
                if names.len() == MAX_NAME_COUNT {
                    return Err(format!("the file exports more than {MAX_NAME_COUNT} names"));
                }
                names.push(without_underscore(&escaped));
            }
            position = position.checked_add(length).ok_or(CUT)?;
            let children_left = *trie.get(position).ok_or(CUT)?;
            position += 1;
            spend(position - start)?;
            nodes.push(Node { position, children_left, name_length: name.len() });
            // Edges with an empty label, which no linker writes, make a trie deeper than its longest name.
            if nodes.len() > MAX_TRIE_DEPTH {
                return Err(format!("the export trie is deeper than {MAX_TRIE_DEPTH} nodes"));
            }
        }
        let Some(node) = nodes.last_mut() else { return Ok(names) };
        name.truncate(node.name_length);
        if node.children_left == 0 {
            nodes.pop();
            continue;
        }
        node.children_left -= 1;
        let start = node.position;
        let rest = trie.get(start..).ok_or(CUT)?;
        let length = rest.iter().take(MAX_NAME).position(|byte| *byte == 0).ok_or(CUT)?;
        name.extend(&rest[..length]);
        if name.len() > MAX_NAME {
            return Err(format!("an exported name is longer than {MAX_NAME} bytes"));
        }
        node.position += length + 1;
        entered = Some(usize::try_from(uleb128(trie, &mut node.position)?).map_err(|_| CUT)?);
        spend(node.position - start)?;
    }
}

pub(super) fn uleb128(data: &[u8], position: &mut usize) -> Result<u64, String> {
    let mut value = 0_u64;
    for shift in (0..u64::BITS).step_by(7) {
        let byte = *data.get(*position).ok_or(CUT)?;
        *position += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err("a number in the export trie has more than 64 bits".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names "_a" and "_ab": root, "_a" with an address of 1 byte, "_ab".
    const TRIE: [u8; 21] = [
        0, 1, b'_', b'a', 0, 6, // root
        2, 0, 0x10, 1, b'b', 0, 14,   // _a at 6
        0xff, // unused
        2, 0, 0x20, 0, // _ab at 14
        0, 0, 0, // padding
    ];

    #[test]
    fn names_are_joined_from_their_prefixes() {
        assert_eq!(names(&TRIE).unwrap(), ["a", "ab"]);
        assert_eq!(names(&[0, 0]).unwrap(), [""; 0]);
        assert_eq!(names(&[]).unwrap(), [""; 0]);
    }

    #[test]
    fn a_trie_with_a_cycle_is_refused() {
        for target in [0, 6] {
            let mut bad = TRIE;
            bad[12] = target;
            assert!(names(&bad).unwrap_err().contains("a cycle"), "{target}");
        }
    }

    #[test]
    fn a_trie_that_leaves_its_data_is_refused() {
        for length in 1..18 {
            assert_eq!(names(&TRIE[..length]).unwrap_err(), CUT, "{length}");
        }
        assert!(names(&[0x80; 16]).unwrap_err().contains("more than 64 bits"));
        let huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
        assert_eq!(names(&huge).unwrap_err(), CUT);
    }

    /// Three levels of 255, 255 and 17 children, where all children of a level are one node. The bytes that follow raise
    /// the walk's budget.
    #[test]
    fn a_trie_with_endlessly_many_names_is_refused() {
        let mut trie = Vec::new();
        for children in [255_u8, 255, 17] {
            let next = trie.len() + 2 + usize::from(children) * 3;
            trie.extend([0, children]);
            let edge = [0, (next & 0x7f) as u8 | 0x80, (next >> 7) as u8];
            (0..children).for_each(|_| trie.extend(edge));
        }
        trie.extend([2, 0, 1, 0]);
        trie.resize(32 << 20, 0);
        assert!(names(&trie).unwrap_err().contains("more than 1048576 names"));
    }

    /// Each 7 bytes of such a trie take 24 bytes of memory, and a file may have a trie of hundreds of megabytes.
    #[test]
    fn a_trie_deeper_than_its_longest_name_is_refused() {
        let mut trie: Vec<u8> = Vec::new();
        for _ in 0..=MAX_TRIE_DEPTH {
            let next = trie.len() + 7;
            let digit = |shift: usize| (next >> shift & 0x7f) as u8;
            trie.extend([0, 1, 0, digit(0) | 0x80, digit(7) | 0x80, digit(14) | 0x80, digit(21)]);
        }
        trie.extend([0, 0]);
        assert!(names(&trie).unwrap_err().contains("deeper than"), "{:?}", names(&trie));
    }

    /// 1200 nodes in a row, each of which ends a name of 60 KB.
    #[test]
    fn many_long_names_are_refused() {
        let mut trie = vec![0, 1];
        trie.extend([b'a'; 60_000]);
        trie.push(0);
        let leb = |value: usize| {
            [(value & 0x7f) as u8 | 0x80, (value >> 7 & 0x7f) as u8 | 0x80, (value >> 14) as u8]
        };
        let next = |trie: &Vec<u8>| leb(trie.len() + 3);
        trie.extend(next(&trie));
        for _ in 0..1200 {
            trie.extend([2, 0, 1, 1, b'b', 0]);
            trie.extend(next(&trie));
        }
        trie.extend([0, 0]);
        assert!(names(&trie).unwrap_err().contains("add up"), "{:?}", names(&trie).map(|names| names.len()));
    }
}
