//! What only ELF files say.

use serde::Serialize;

use crate::platform::Libc;

/// The dynamic table and the program headers of an ELF file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ElfFacts {
    /// The C library that it is linked to; None where it needs none.
    pub libc: Option<Libc>,
    /// DT_SONAME.
    pub soname: Option<String>,
    /// DT_RPATH, split at colons.
    pub rpath: Vec<String>,
    /// DT_RUNPATH, split at colons.
    pub runpath: Vec<String>,
    /// Symbol versions that it needs of other libraries.
    pub version_needs: Vec<VersionNeed>,
    /// Its references bind to itself first (DF_SYMBOLIC).
    pub symbolic: bool,
    /// It stays loaded for good (DF_1_NODELETE).
    pub nodelete: bool,
    /// Thread-local variables that must lie in the block that is laid out when the program starts.
    pub static_tls: StaticTls,
    /// It has a segment that is made read-only after relocation (PT_GNU_RELRO).
    pub relro: bool,
    /// All its imports are bound when it is loaded (DF_BIND_NOW, DF_1_NOW, DT_BIND_NOW).
    pub bind_now: bool,
    /// Its code is relocated, and must be writable for that (DT_TEXTREL, DF_TEXTREL).
    pub text_relocations: bool,
    /// It asks for a stack that can be executed: PT_GNU_STACK with PF_X, or none at all where that means the same.
    pub executable_stack: bool,
    /// The Node-API version that it declares: what `node_api_module_get_api_version_v1` returns.
    pub node_api: Option<u32>,
}

/// Thread-local variables by the initial-exec model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StaticTls {
    /// DF_STATIC_TLS is set.
    pub flag: bool,
    /// How many TPOFF relocations refer to variables of its own.
    pub own: u64,
    /// The names of the variables, where they have one; without repetition.
    pub symbols: Vec<String>,
    /// Variables of other libraries that TPOFF relocations refer to; without repetition.
    pub foreign: Vec<String>,
    /// The size of its thread-local block (PT_TLS), in bytes.
    pub size: u64,
}

/// A symbol version that a file needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VersionNeed {
    /// The library that must have it: `libc.so.6`.
    pub library: String,
    /// The version: `GLIBC_2.34`.
    pub version: String,
    /// The loader goes on without it (VER_FLG_WEAK).
    pub weak: bool,
    /// The imports that are bound to this version.
    pub symbols: Vec<String>,
}
