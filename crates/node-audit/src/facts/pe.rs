//! What only PE files say.

use serde::Serialize;

/// The headers and directories of a PE file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PeFacts {
    /// Imports by library, in order; those that are loaded with the file first, then the delayed ones.
    pub dlls: Vec<DllImports>,
    /// It can be loaded at any address (IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE), and its relocations were not stripped.
    pub dynamic_base: bool,
    /// That address may be above 4 GiB (HIGH_ENTROPY_VA).
    pub high_entropy: bool,
    /// Its data is not executed (NX_COMPAT).
    pub nx_compat: bool,
    /// Indirect calls are checked (GUARD_CF).
    pub guard_cf: bool,
    /// The path of the debug information, as the linker wrote it (CodeView).
    pub pdb: Option<String>,
}

/// What is taken from one library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DllImports {
    /// Its name: `KERNEL32.dll`.
    pub dll: String,
    /// It is loaded when it is first called, so that it may be missing, or be hooked, until then.
    pub delayed: bool,
    /// The names; an import by number is `#12`, and only here: [`crate::Facts::imports`] has names.
    pub symbols: Vec<String>,
}
