//! Reads the names that the loader looks up, and the library of each name, from the bind opcodes of LC_DYLD_INFO or the
//! import table of LC_DYLD_CHAINED_FIXUPS.

use std::collections::{BTreeMap, HashSet};

use object::endian::{Endianness, U32};
use object::read::ReadRef;

use super::symbols::without_underscore;
use crate::facts::{Binding, ImportedFrom};
use crate::limits::MAX_NAME_COUNT;
use crate::strings::Strings;

/// The parts of a file that bind imports; a file has either opcodes or fixups.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct BindParts<'data> {
    /// The opcodes of the imports that are bound when the file is loaded, and the opcodes of the lazy imports.
    pub(super) opcodes: Option<[&'data [u8]; 2]>,
    pub(super) fixups: Option<&'data [u8]>,
}

/// The special values in place of a library's number.
const ITSELF: i64 = 0;
const PROGRAM: i64 = -1;
const ANY: i64 = -2;

/// Returns the strong imports; None for a file without such parts, or with damaged parts.
///
/// `library` returns the path of a library by its number, from 1.
pub(super) fn bindings<'a>(
    parts: BindParts<'_>,
    endian: Endianness,
    library: impl Fn(usize) -> Option<&'a str>,
) -> Option<Vec<Binding>> {
    let mut found = Found::default();
    match parts {
        BindParts { fixups: Some(fixups), .. } => found.fixups(fixups, endian)?,
        BindParts { opcodes: Some([at_once, lazy]), .. } => {
            found.opcodes(at_once, false)?;
            found.opcodes(lazy, true)?;
        }
        BindParts { .. } => return None,
    }
    let from = |ordinal: i64| match ordinal {
        ITSELF => Some(ImportedFrom::Itself),
        PROGRAM => Some(ImportedFrom::Program),
        ANY => Some(ImportedFrom::Any),
        number => Some(ImportedFrom::Library(library(usize::try_from(number).ok()?)?.to_owned())),
    };
    let bindings = found
        .names
        .into_iter()
        .filter_map(|(ordinal, [symbols, lazy])| Some(Binding { from: from(ordinal)?, symbols, lazy }));
    Some(bindings.collect())
}

/// The names found so far, without repetition: the names that are bound at once, and the lazy names.
#[derive(Default)]
struct Found {
    names: BTreeMap<i64, [Vec<String>; 2]>,
    seen: HashSet<(i64, String)>,
}

impl Found {
    fn add(&mut self, ordinal: i64, name: &str, is_lazy: bool) -> Option<()> {
        let name = without_underscore(name);
        if self.seen.insert((ordinal, name.clone())) {
            self.names.entry(ordinal).or_default()[usize::from(is_lazy)].push(name);
        }
        (self.seen.len() <= MAX_NAME_COUNT).then_some(())
    }

    /// Reads opcodes, each with four bits of data.
    fn opcodes(&mut self, code: &[u8], is_lazy: bool) -> Option<()> {
        let names = Strings::within("bind opcodes", code);
        let (mut ordinal, mut name, mut is_weak) = (ITSELF, String::new(), false);
        let mut at = 0;
        while let Some(byte) = code.get(at) {
            at += 1;
            let data = byte & 0x0f;
            match byte & 0xf0 {
                // BIND_OPCODE_DONE ends each lazy import, and SET_TYPE_IMM changes nothing here.
                0x00 | 0x50 => {}
                0x10 => ordinal = data.into(),
                0x20 => ordinal = i64::try_from(uleb128(code, &mut at)?).ok()?,
                // A small negative number.
                0x30 => ordinal = if data == 0 { 0 } else { i64::from(data) - 16 },
                0x40 => {
                    name = names.get(at as u64).ok()?;
                    at += code.get(at..)?.iter().position(|byte| *byte == 0)? + 1;
                    // BIND_SYMBOL_FLAGS_WEAK_IMPORT
                    is_weak = data & 1 != 0;
                }
                // SET_ADDEND_SLEB, SET_SEGMENT_AND_OFFSET_ULEB, ADD_ADDR_ULEB
                0x60..=0x80 => drop(uleb128(code, &mut at)?),
                // DO_BIND, and DO_BIND with the distance to the next address
                0x90..=0xc0 => {
                    match byte & 0xf0 {
                        0xa0 => drop(uleb128(code, &mut at)?),
                        0xc0 => {
                            uleb128(code, &mut at)?;
                            uleb128(code, &mut at)?;
                        }
                        _ => {}
                    }
                    if !is_weak {
                        self.add(ordinal, &name, is_lazy)?;
                    }
                }
                // BIND_OPCODE_THREADED
                0xd0 if data == 0 => drop(uleb128(code, &mut at)?),
                0xd0 => {}
                _ => return None,
            }
        }
        Some(())
    }

    /// Reads the import table, whose entries have 32 or 64 bits, with or without an addend.
    fn fixups(&mut self, data: &[u8], endian: Endianness) -> Option<()> {
        let header: &[U32<Endianness>] = data.read_slice_at(0, 7).ok()?;
        let [_, _, imports, symbols, count, format, compression] = header else { return None };
        let number = |number: &U32<Endianness>| number.get(endian) as usize;
        // Linkers do not compress the names.
        if number(compression) != 0 {
            return None;
        }
        let names = Strings::within("names of chained fixups", data.get(number(symbols)..)?);
        let (words, is_wide) = match number(format) {
            1 => (1, false),
            2 => (2, false),
            3 => (4, true),
            _ => return None,
        };
        let words_in_all = number(count).checked_mul(words)?;
        let table: &[U32<Endianness>] = data.read_slice_at(imports.get(endian).into(), words_in_all).ok()?;
        for import in table.chunks_exact(words) {
            let first = import.first()?.get(endian);
            // From the low bits up: the library's number (signed), weak, the name's offset.
            let (ordinal, is_weak, name) = if is_wide {
                let ordinal = (first & 0xffff) as u16;
                (i64::from(ordinal.cast_signed()), first >> 16 & 1 != 0, import.get(1)?.get(endian))
            } else {
                let ordinal = (first & 0xff) as u8;
                // Numbers up to 0xf0 are libraries; higher numbers are special values.
                let ordinal = if ordinal > 0xf0 { i64::from(ordinal.cast_signed()) } else { ordinal.into() };
                (ordinal, first >> 8 & 1 != 0, first >> 9)
            };
            if !is_weak {
                self.add(ordinal, &names.get(name.into()).ok()?, false)?;
            }
        }
        Some(())
    }
}

fn uleb128(data: &[u8], position: &mut usize) -> Option<u64> {
    super::exports::uleb128(data, position).ok()
}
