//! Facts that only ELF files have.

use serde::Serialize;

use crate::platform::Libc;

/// Facts from the dynamic table and the program headers of an ELF file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ElfFacts {
    /// The C library that the file is linked to; None without one.
    pub libc: Option<Libc>,
    /// DT_SONAME.
    pub soname: Option<String>,
    /// DT_RPATH, split at colons.
    pub rpath: Vec<String>,
    /// DT_RUNPATH, split at colons.
    pub runpath: Vec<String>,
    /// The symbol versions that the file needs from other libraries.
    pub version_needs: Vec<VersionNeed>,
    /// The names of the versions that the file defines; empty for a file without symbol versions.
    pub versions: Vec<String>,
    /// The strong imports by the kind of reference; None for a machine with unknown relocations.
    pub references: Option<References>,
    /// `true` if references bind to the file itself first (DF_SYMBOLIC).
    pub symbolic: bool,
    /// `true` if glibc refuses to open the file with `dlopen` (DF_1_NOOPEN).
    pub noopen: bool,
    /// `true` if the file is never unloaded (DF_1_NODELETE).
    pub nodelete: bool,
    /// Thread-local variables that need space in the static thread-local block, which has a fixed layout once the program
    /// starts.
    pub static_tls: StaticTls,
    /// `true` if a segment becomes read-only after relocation (PT_GNU_RELRO).
    pub relro: bool,
    /// `true` if the loader binds all imports when it loads the file (DF_BIND_NOW, DF_1_NOW, DT_BIND_NOW).
    pub bind_now: bool,
    /// `true` if the loader relocates the code, and so must make it writable (DT_TEXTREL, DF_TEXTREL).
    pub text_relocations: bool,
    /// `true` if the file asks for an executable stack: PT_GNU_STACK has PF_X, or is absent on a machine where its
    /// absence means the same.
    pub executable_stack: bool,
    /// The Node-API version that the addon declares: the return value of `node_api_module_get_api_version_v1`.
    pub node_api: Option<u32>,
    /// The exported entry point that is a variable outside of all code, by name.
    pub variable_entry: Option<String>,
    /// The system in the header (EI_OSABI): 0 for System V, 3 for GNU.
    pub os_abi: u8,
    /// The version of that system's ABI (EI_ABIVERSION).
    pub abi_version: u8,
    /// The ELF version in the header (e_version), unless it is 1.
    pub other_version: Option<u32>,
}

/// The strong imports that relocations refer to; each import is in one list. The loader never looks up an import without
/// a relocation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct References {
    /// The imports that data relocations refer to.
    pub data: Vec<String>,
    /// The imports that only the global offset table refers to, and possibly jump slots.
    pub addresses: Vec<String>,
    /// The functions that only jump slots refer to.
    pub calls: Vec<String>,
}

/// Thread-local variables in the initial-exec model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StaticTls {
    /// `true` if DF_STATIC_TLS is set.
    pub flag: bool,
    /// The number of TPOFF relocations that refer to variables of the file itself.
    pub own: u64,
    /// The names of these variables, if they have names; without repetition.
    pub symbols: Vec<String>,
    /// The names of variables of other libraries with TPOFF relocations; without repetition.
    pub foreign: Vec<String>,
    /// The size of the thread-local block (PT_TLS), in bytes.
    pub size: u64,
}

/// A symbol version that a file needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VersionNeed {
    /// The library that must have the version: `libc.so.6`.
    pub library: String,
    /// The version: `GLIBC_2.34`.
    pub version: String,
    /// `true` if the loader accepts a library without the version (VER_FLG_WEAK).
    pub weak: bool,
    /// The imports that are bound to this version.
    pub symbols: Vec<String>,
}
