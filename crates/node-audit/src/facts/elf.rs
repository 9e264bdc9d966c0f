//! Facts that only ELF files have.

use serde::Serialize;

use crate::platform::Libc;

/// The dynamic table and the program headers of an ELF file.
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
    /// Symbol versions that the file needs of other libraries.
    pub version_needs: Vec<VersionNeed>,
    /// The names of the versions that the file defines; empty for a file without symbol versions.
    pub versions: Vec<String>,
    /// The imports that the loader must find; None for a machine with unknown relocations.
    pub references: Option<References>,
    /// References bind to the file itself first (DF_SYMBOLIC).
    pub symbolic: bool,
    /// glibc refuses to open the file once the program runs (DF_1_NOOPEN).
    pub noopen: bool,
    /// The file is never unloaded (DF_1_NODELETE).
    pub nodelete: bool,
    /// Thread-local variables that need space in the block that is laid out when the program starts.
    pub static_tls: StaticTls,
    /// A segment becomes read-only after relocation (PT_GNU_RELRO).
    pub relro: bool,
    /// All imports are bound when the file is loaded (DF_BIND_NOW, DF_1_NOW, DT_BIND_NOW).
    pub bind_now: bool,
    /// The code is relocated, and must be writable meanwhile (DT_TEXTREL, DF_TEXTREL).
    pub text_relocations: bool,
    /// The file asks for an executable stack: PT_GNU_STACK has PF_X, or is absent on a machine for which that means the same.
    pub executable_stack: bool,
    /// The Node-API version that the addon declares: the return value of `node_api_module_get_api_version_v1`.
    pub node_api: Option<u32>,
    /// The exported entry point that is a variable outside of all code, by name.
    pub variable_entry: Option<String>,
    /// The system that the header names (EI_OSABI): 0 for System V, 3 for GNU.
    pub os_abi: u8,
    /// The version of that system's ABI (EI_ABIVERSION).
    pub abi_version: u8,
    /// The version of ELF in the header (e_version), if it is not 1.
    pub other_version: Option<u32>,
}

/// The strong imports to which relocations refer, each in one list. The loader never looks up an import without a relocation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct References {
    /// Relocations of data refer to these.
    pub data: Vec<String>,
    /// Only the global offset table, and perhaps jump slots, refer to these.
    pub addresses: Vec<String>,
    /// Only jump slots refer to these functions.
    pub calls: Vec<String>,
}

/// Thread-local variables by the initial-exec model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StaticTls {
    /// DF_STATIC_TLS is set.
    pub flag: bool,
    /// The number of TPOFF relocations to variables of the file itself.
    pub own: u64,
    /// The names of these variables, if they have one; without repetition.
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
    /// The loader accepts a library without the version (VER_FLG_WEAK).
    pub weak: bool,
    /// The imports that are bound to this version.
    pub symbols: Vec<String>,
}
