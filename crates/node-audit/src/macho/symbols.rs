//! Reads the symbol table: imports, and symbols that only debuggers read.

use object::endian::Endianness;
use object::macho::{self, SymtabCommand};
use object::read::ReadRef;
use object::read::macho::{MachHeader, Nlist};

use crate::facts::Leftover;
use crate::strings::Strings;

/// The name of the one debug symbol that Apple's `strip` leaves.
const STRIPPED: &[u8] = b"radr://5614542\0";

/// The facts of the symbol table.
#[derive(Default)]
pub(super) struct Symbols {
    pub(super) imports: Vec<String>,
    /// The exports of a file from before export tries.
    pub(super) exports: Vec<String>,
    pub(super) leftovers: Vec<Leftover>,
}

/// Counts the bytes of symbols and their names.
struct Tally<'data> {
    strings: &'data [u8],
    symbol: u64,
    /// The bytes of names that may still be read. Names may overlap, so they may take longer to read than the file.
    left: usize,
}

/// Reads the symbol table.
pub(super) fn symbols<Mach>(
    endian: Endianness,
    content: &[u8],
    command: &SymtabCommand<Endianness>,
) -> Result<Symbols, String>
where
    Mach: MachHeader<Endian = Endianness>,
{
    let count = command.nsyms.get(endian);
    let symbols: &[Mach::Nlist] = content
        .read_slice_at(command.symoff.get(endian).into(), count as usize)
        .map_err(|()| format!("the symbol table of {count} symbols is outside the file"))?;
    let strings = content
        .read_bytes_at(command.stroff.get(endian).into(), command.strsize.get(endian).into())
        .map_err(|()| "the string table is outside the file")?;
    let names = Strings::new(strings);
    let mut tally = Tally { strings, symbol: size_of::<Mach::Nlist>() as u64, left: strings.len() };
    let (mut locals, mut stabs) = (0, 0);
    let mut found = Symbols::default();
    for symbol in symbols {
        let kind = symbol.n_type();
        if kind.is_stab() {
            if strings.get(symbol.n_strx(endian) as usize..).is_some_and(|rest| rest.starts_with(STRIPPED)) {
                continue;
            }
            stabs += tally.bytes(symbol.n_strx(endian));
        } else if !kind.is_ext() || kind.is_pext() {
            locals += tally.bytes(symbol.n_strx(endian));
        } else if kind.typ() == macho::N_UNDF || kind.typ() == macho::N_PBUD {
            found.imports.push(without_underscore(&names.get(symbol.n_strx(endian).into())?));
        } else {
            found.exports.push(without_underscore(&names.get(symbol.n_strx(endian).into())?));
        }
    }
    for (name, bytes) in [("local symbols", locals), ("debug symbols", stabs)] {
        if bytes > 0 {
            found.leftovers.push(Leftover { name: name.to_owned(), bytes });
        }
    }
    Ok(found)
}

/// Returns a name without the leading underscore that C compilers add.
pub(super) fn without_underscore(name: &str) -> String {
    name.strip_prefix('_').unwrap_or(name).to_owned()
}

impl Tally<'_> {
    /// Returns the size of a symbol and its name, in bytes.
    fn bytes(&mut self, name: u32) -> u64 {
        let rest = self.strings.get(name as usize..).unwrap_or_default();
        let rest = &rest[..rest.len().min(self.left)];
        let length = rest.iter().position(|byte| *byte == 0).map_or(rest.len(), |end| end + 1);
        self.left -= length;
        self.symbol + length as u64
    }
}
