//! Facts that only PE files have.

use serde::Serialize;

/// The headers and directories of a PE file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PeFacts {
    /// Imports by library, in order: first those that are loaded with the file, then the delayed ones.
    pub dlls: Vec<DllImports>,
    /// The file can be loaded at any address: IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE, with relocations.
    pub dynamic_base: bool,
    /// The address may be above 4 GiB (HIGH_ENTROPY_VA).
    pub high_entropy: bool,
    /// Data is not executed (NX_COMPAT).
    pub nx_compat: bool,
    /// Indirect calls are checked (GUARD_CF).
    pub guard_cf: bool,
    /// The path of the debug information that the linker wrote (CodeView).
    pub pdb: Option<String>,
}

/// The imports from one library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DllImports {
    /// The library's name: `KERNEL32.dll`.
    pub dll: String,
    /// The library is loaded at the first call, so it may be absent, or be hooked, until then.
    pub delayed: bool,
    /// The names, and `#12` for an import by number; [`crate::Facts::imports`] has names only.
    pub symbols: Vec<String>,
}
