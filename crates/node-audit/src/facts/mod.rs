//! The facts of a file, without a verdict.
//!
//! Strings come from the file, with control characters escaped.

mod elf;
mod macho;
mod pe;
mod registration;
mod segment;

use serde::Serialize;

use crate::format::Format;
use crate::platform::Cpu;

pub use elf::{ElfFacts, References, StaticTls, VersionNeed};
pub use macho::{Binding, Dylib, DylibKind, ImportedFrom, MacPlatform, MachOFacts, Signature};
pub use pe::{DllImports, PeFacts};
pub use registration::Registration;
pub use segment::LoadedSegment;

/// The facts of one shared library, as the loader of its system sees them.
///
/// A fat Mach-O file has one `Facts` for each processor; any other file has one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// The number of bits in an address: 32 or 64.
    pub bits: u8,
    /// `true` if the byte order is little-endian.
    pub little_endian: bool,
    /// The machine's number in the header, and its name: `machine 62 (x86-64)`.
    pub machine: String,
    /// The processor in Node's terms, if Node runs on it.
    pub cpu: Option<Cpu>,
    /// The kind of file: `shared object`, `bundle`, `DLL`, `executable`.
    pub kind: &'static str,
    /// `true` if a running program can load this kind of file.
    pub loadable: bool,
    /// The libraries that are loaded with the file, in order: DT_NEEDED, LC_LOAD_DYLIB and its variants, PE imports.
    pub libraries: Vec<String>,
    /// Imported names, without the leading underscore of Mach-O.
    pub imports: Vec<String>,
    /// Exported names in the form of `imports`, without the names that linkers add (`_end`).
    pub exports: Vec<String>,
    /// `true` if code runs when the file is loaded.
    pub constructors: bool,
    /// The module that a constructor registers with `node_module_register`; None without such a module, or if the search
    /// did not find it.
    pub registration: Option<Registration>,
    /// The segments that the loader maps, in order, at most 64; empty for a PE file, whose sections have one fixed alignment.
    pub segments: Vec<LoadedSegment>,
    /// Segments or sections that are both writable and executable, by name or number.
    pub writable_code: Vec<String>,
    /// Sections of debug information and symbol tables, which only debuggers and linkers read.
    pub leftovers: Vec<Leftover>,
    /// Absolute paths in the content that lead into package stores and build directories, in the order of their first
    /// appearance, without repetition; at most 10,000.
    pub paths: Vec<String>,
    /// The length in bytes; for a fat file, of this part.
    pub size: u64,
    /// The facts that only this format has.
    pub details: Details,
}

/// A section that no loader reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Leftover {
    /// The section's name: `.debug_info`, `.symtab`.
    pub name: String,
    /// The length in the file, in bytes.
    pub bytes: u64,
}

/// The facts that only one format has.
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
    /// Returns the facts of a shared library without imports and exports.
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
            registration: None,
            segments: Vec::new(),
            writable_code: Vec::new(),
            leftovers: Vec::new(),
            paths: Vec::new(),
            size: 0,
            details,
        }
    }

    /// Returns the approximate memory that the lists of names take, in bytes.
    pub(crate) fn weight(&self) -> u64 {
        let names =
            |names: &[String]| -> usize { names.iter().map(|name| size_of::<String>() + name.len()).sum() };
        let own = names(&self.libraries) + names(&self.imports) + names(&self.exports) + names(&self.paths);
        let more: usize = match &self.details {
            Details::Elf(elf) => {
                let needs = elf.version_needs.iter();
                let needs: usize = needs.map(|need| size_of::<VersionNeed>() + names(&need.symbols)).sum();
                let StaticTls { symbols, foreign, .. } = &elf.static_tls;
                let references =
                    elf.references.iter().flat_map(|found| [&found.data, &found.addresses, &found.calls]);
                needs
                    + references.map(|list| names(list)).sum::<usize>()
                    + names(&elf.versions)
                    + names(&elf.rpath)
                    + names(&elf.runpath)
                    + names(symbols)
                    + names(foreign)
            }
            Details::MachO(macho) => {
                let bindings = macho.bindings.iter().flatten();
                let bindings = bindings.map(|binding| names(&binding.symbols) + names(&binding.lazy));
                names(&macho.rpaths) + bindings.sum::<usize>()
            }
            Details::Pe(pe) => pe.dlls.iter().map(|dll| names(&dll.symbols)).sum(),
        };
        (own + more) as u64
    }

    /// Returns the format's name: `ELF`, `Mach-O`, `PE`.
    #[must_use]
    pub fn format(&self) -> &'static str {
        let format = match self.details {
            Details::Elf(_) => Format::Elf,
            Details::MachO(_) => Format::MachO,
            Details::Pe(_) => Format::Pe,
        };
        format.name()
    }

    /// Returns the facts that only an ELF file has.
    #[must_use]
    pub fn elf(&self) -> Option<&ElfFacts> {
        match &self.details {
            Details::Elf(facts) => Some(facts),
            _ => None,
        }
    }

    /// Returns the facts that only a Mach-O file has.
    #[must_use]
    pub fn macho(&self) -> Option<&MachOFacts> {
        match &self.details {
            Details::MachO(facts) => Some(facts),
            _ => None,
        }
    }

    /// Returns the facts that only a PE file has.
    #[must_use]
    pub fn pe(&self) -> Option<&PeFacts> {
        match &self.details {
            Details::Pe(facts) => Some(facts),
            _ => None,
        }
    }
}
