//! What was read from a file, with no verdict.

use node_targets::Libc;

use crate::platform::Cpu;

/// What a shared object says of itself, as the dynamic loader sees it.
///
/// Texts come from the file; control characters in them are escaped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// 32 or 64.
    pub bits: u8,
    /// Byte order.
    pub little_endian: bool,
    /// The machine's number in the header and its name, as in `machine 62 (x86-64)`.
    pub machine: String,
    /// The machine in Node's terms, where Node runs on it.
    pub cpu: Option<Cpu>,
    /// Whether it is a shared object; an executable or an object file is none.
    pub shared_object: bool,
    /// A position-independent executable (DF_1_PIE): a shared object in form, but no loader opens it as one.
    pub executable: bool,
    /// The C library that it is linked to; None where it needs none.
    pub libc: Option<Libc>,
    /// DT_SONAME.
    pub soname: Option<String>,
    /// DT_NEEDED, in order.
    pub needed: Vec<String>,
    /// DT_RPATH, split at colons.
    pub rpath: Vec<String>,
    /// DT_RUNPATH, split at colons.
    pub runpath: Vec<String>,
    /// Symbol versions that it needs of other libraries.
    pub version_needs: Vec<VersionNeed>,
    /// Names of undefined dynamic symbols.
    pub imports: Vec<String>,
    /// Names of defined, visible dynamic symbols, without those that every linker adds (`_end`).
    pub exports: Vec<String>,
    /// Code runs when it is loaded (DT_INIT or DT_INIT_ARRAY).
    pub constructors: bool,
    /// Its references bind to itself first (DF_SYMBOLIC).
    pub symbolic: bool,
}

/// A symbol version that a file needs.
#[derive(Debug, Clone, PartialEq, Eq)]
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
