//! Builds the parts of a Mach-O library that bind its imports.

use crate::macho_maker::Out;

/// An import: the number of the library, `true` for a weak import, and the name.
pub(crate) type Bind = (i8, bool, &'static str);

/// The imports that the loader binds.
#[derive(Clone)]
pub(crate) enum Binds {
    None,
    /// LC_DYLD_CHAINED_FIXUPS, with a table of imports of format 1, 2 or 3.
    Fixups(u32, Vec<Bind>),
    /// LC_DYLD_INFO_ONLY, with imports that the loader binds at once, and lazy imports.
    Opcodes(Vec<Bind>, Vec<Bind>),
}

impl Binds {
    /// Returns the chained fixups and an empty part, or the two lists of opcodes. `out` must be empty.
    pub(crate) fn parts(&self, out: Out) -> [Vec<u8>; 2] {
        match self {
            Binds::None => [vec![], vec![]],
            Binds::Fixups(format, binds) => [fixups(out, *format, binds), vec![]],
            Binds::Opcodes(at_once, lazy) => [opcodes(at_once), opcodes(lazy)],
        }
    }
}

/// Returns the header of chained fixups, the table of imports, and their names.
fn fixups(mut out: Out, format: u32, binds: &[Bind]) -> Vec<u8> {
    let width = match format {
        1 => 4,
        2 => 8,
        _ => 16,
    };
    let mut names = vec![0];
    let symbols = 28 + width * binds.len();
    for number in [0, 28, 28, symbols, binds.len(), format as usize, 0] {
        out.u32(number);
    }
    for (library, weak, name) in binds {
        let (ordinal, weak) = (usize::from(library.cast_unsigned()), usize::from(*weak));
        if format == 3 {
            let ordinal = usize::from(i16::from(*library).cast_unsigned());
            out.u32(ordinal | weak << 16);
            out.u32(names.len());
            out.bytes.extend([0; 8]);
        } else {
            out.u32(ordinal | weak << 8 | names.len() << 9);
            out.bytes.extend(vec![0; width - 4]);
        }
        names.extend(name.as_bytes());
        names.push(0);
    }
    [out.bytes, names].concat()
}

/// Returns the opcodes that bind imports. The opcodes of each import set the library, the name, the type, the segment and the
/// offset, bind the import, and end as for a lazy import.
fn opcodes(binds: &[Bind]) -> Vec<u8> {
    let mut code = Vec::new();
    for (library, weak, name) in binds {
        let library = library.cast_unsigned();
        code.push(if library < 0x10 { 0x10 | library } else { 0x30 | library & 0x0f });
        code.push(0x40 | u8::from(*weak));
        code.extend(name.as_bytes());
        code.extend([0, 0x51, 0x72, 0x88, 0x01, 0x90, 0x00]);
    }
    code
}
