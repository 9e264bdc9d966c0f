//! What was read from a file, with no verdict.
//!
//! Texts come from the file; control characters in them are escaped.

mod elf;
mod macho;
mod pe;

use serde::Serialize;

use crate::platform::Cpu;

pub use elf::{ElfFacts, StaticTls, VersionNeed};
pub use macho::{Dylib, DylibKind, MacPlatform, MachOFacts, Signature};
pub use pe::{DllImports, PeFacts};

/// What one shared library says of itself, as the loader of its system sees it.
///
/// A file has one of these; a fat Mach-O file has one for each processor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// 32 or 64.
    pub bits: u8,
    /// Byte order.
    pub little_endian: bool,
    /// The machine's number in the header and its name, as in `machine 62 (x86-64)`.
    pub machine: String,
    /// The machine in Node's terms, where Node runs on it.
    pub cpu: Option<Cpu>,
    /// What kind of file it is: `shared object`, `bundle`, `DLL`, `executable`.
    pub kind: &'static str,
    /// Whether a loader opens this kind of file on behalf of a program.
    pub loadable: bool,
    /// The libraries that are loaded with it, in order: DT_NEEDED, LC_LOAD_DYLIB and its like, PE imports.
    pub libraries: Vec<String>,
    /// Names that it takes from other libraries; without the underscore that Mach-O puts in front.
    pub imports: Vec<String>,
    /// Names that others can take from it, without those that every linker adds (`_end`); as `imports`.
    pub exports: Vec<String>,
    /// Code runs when it is loaded.
    pub constructors: bool,
    /// Segments or sections that can be written to and executed, by name or number.
    pub writable_code: Vec<String>,
    /// What only debuggers and linkers read: sections of debug information and symbol tables.
    pub leftovers: Vec<Leftover>,
    /// Absolute paths that stand in it, of package stores and of the directories that builds run in; each once, in the
    /// order in which they first appear, at most 10,000.
    pub paths: Vec<String>,
    /// Its length in bytes; of a fat file, that of this part.
    pub size: u64,
    /// What only this format has.
    pub details: Details,
}

/// A section that no loader needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Leftover {
    /// Its name: `.debug_info`, `.symtab`.
    pub name: String,
    /// Its length in the file, in bytes.
    pub bytes: u64,
}

/// The formats, each with what only it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "format")]
pub enum Details {
    /// Linux and other Unix systems.
    #[serde(rename = "ELF")]
    Elf(ElfFacts),
    /// Apple's systems.
    #[serde(rename = "Mach-O")]
    MachO(MachOFacts),
    /// Windows.
    #[serde(rename = "PE")]
    Pe(PeFacts),
}

impl Facts {
    /// A shared library that says nothing of itself.
    #[cfg(test)]
    pub(crate) fn empty(details: Details) -> Facts {
        Facts {
            bits: 64,
            little_endian: true,
            machine: String::new(),
            cpu: None,
            kind: "shared object",
            loadable: true,
            libraries: Vec::new(),
            imports: Vec::new(),
            exports: Vec::new(),
            constructors: false,
            writable_code: Vec::new(),
            leftovers: Vec::new(),
            paths: Vec::new(),
            size: 0,
            details,
        }
    }

    /// How much memory its lists of names take, in bytes, about.
    pub(crate) fn weight(&self) -> u64 {
        let names =
            |names: &[String]| -> usize { names.iter().map(|name| size_of::<String>() + name.len()).sum() };
        let own = names(&self.libraries) + names(&self.imports) + names(&self.exports) + names(&self.paths);
        let more: usize = match &self.details {
            Details::Elf(elf) => {
                let needs = elf.version_needs.iter();
                let needs: usize = needs.map(|need| size_of::<VersionNeed>() + names(&need.symbols)).sum();
                let StaticTls { symbols, foreign, .. } = &elf.static_tls;
                needs + names(&elf.rpath) + names(&elf.runpath) + names(symbols) + names(foreign)
            }
            Details::MachO(macho) => names(&macho.rpaths),
            Details::Pe(pe) => pe.dlls.iter().map(|dll| names(&dll.symbols)).sum(),
        };
        (own + more) as u64
    }

    /// The format's name: `ELF`, `Mach-O`, `PE`.
    #[must_use]
    pub fn format(&self) -> &'static str {
        match self.details {
            Details::Elf(_) => "ELF",
            Details::MachO(_) => "Mach-O",
            Details::Pe(_) => "PE",
        }
    }

    /// The facts of an ELF file.
    #[must_use]
    pub fn elf(&self) -> Option<&ElfFacts> {
        match &self.details {
            Details::Elf(facts) => Some(facts),
            _ => None,
        }
    }

    /// The facts of a Mach-O file.
    #[must_use]
    pub fn macho(&self) -> Option<&MachOFacts> {
        match &self.details {
            Details::MachO(facts) => Some(facts),
            _ => None,
        }
    }

    /// The facts of a PE file.
    #[must_use]
    pub fn pe(&self) -> Option<&PeFacts> {
        match &self.details {
            Details::Pe(facts) => Some(facts),
            _ => None,
        }
    }
}
