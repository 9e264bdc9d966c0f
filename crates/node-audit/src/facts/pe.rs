//! Facts that only PE files have.

use serde::Serialize;

/// Facts from the headers and directories of a PE file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PeFacts {
    /// Imports by library, in order: first the libraries that are loaded with the file, then the delayed ones.
    pub dlls: Vec<DllImports>,
    /// `true` if Windows can load the file at any address: IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE, with relocations.
    pub dynamic_base: bool,
    /// `true` if the address may be above 4 GiB (HIGH_ENTROPY_VA).
    pub high_entropy: bool,
    /// `true` if Windows does not execute data (NX_COMPAT).
    pub nx_compat: bool,
    /// `true` if indirect calls are checked (GUARD_CF).
    pub guard_cf: bool,
    /// The path of the debug information that the linker wrote (CodeView).
    pub pdb: Option<String>,
}

/// The imports from one library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DllImports {
    /// The library's name: `KERNEL32.dll`.
    pub dll: String,
    /// `true` if the library is loaded at the first call; until then, it may be absent, or a hook may replace it.
    pub delayed: bool,
    /// The names, and `#12` for an import by number; [`crate::Facts::imports`] has names only.
    pub symbols: Vec<String>,
}
