//! Facts that only Mach-O files have, from their load commands.

use crate::version::Version;
use serde::Serialize;

/// Facts from the load commands of a Mach-O file, for one processor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct MachOFacts {
    /// LC_ID_DYLIB.
    pub install_name: Option<String>,
    /// The libraries, in the order of their load commands.
    pub dylibs: Vec<Dylib>,
    /// LC_RPATH, in order.
    pub rpaths: Vec<String>,
    /// The target system, from LC_BUILD_VERSION or LC_VERSION_MIN_MACOSX.
    pub platform: Option<MacPlatform>,
    /// The oldest release of the target system.
    pub min_os: Option<Version>,
    /// The strong imports that the loader binds, grouped by place; None for a file without bind opcodes and chained
    /// fixups.
    pub bindings: Option<Vec<Binding>>,
    /// `true` if the loader looks up each import in the library in which the linker found it (MH_TWOLEVEL), not in all
    /// libraries.
    pub two_level: bool,
    /// `true` if the file asks for an executable stack (MH_ALLOW_STACK_EXECUTION).
    pub executable_stack: bool,
    /// LC_CODE_SIGNATURE.
    pub signature: Signature,
}

/// The strong imports from one place, without the leading underscore of Mach-O.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Binding {
    /// The place in which the loader looks for the names.
    pub from: ImportedFrom,
    /// The names that the loader binds when it loads the file.
    pub symbols: Vec<String>,
    /// The names of functions that the loader may bind at their first call.
    pub lazy: Vec<String>,
}

/// The place in which the loader of macOS looks for a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ImportedFrom {
    /// The file itself.
    Itself,
    /// The program: Node.
    Program,
    /// Every loaded library (`-undefined dynamic_lookup`).
    Any,
    /// A library, by the path in its load command.
    Library(String),
}

/// A library that a Mach-O file loads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dylib {
    /// The path: `/usr/lib/libSystem.B.dylib`, `@rpath/libvips.dylib`.
    pub path: String,
    /// The kind of load command.
    pub kind: DylibKind,
}

/// The kind of load command for a library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DylibKind {
    /// LC_LOAD_DYLIB: the library must be present.
    Required,
    /// LC_LOAD_WEAK_DYLIB: the library may be absent.
    Weak,
    /// LC_REEXPORT_DYLIB: the library must be present, and this file also exports the library's names.
    Reexported,
    /// LC_LAZY_LOAD_DYLIB and LC_LOAD_UPWARD_DYLIB.
    Other,
}

/// The platform numbers of LC_BUILD_VERSION.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MacPlatform {
    /// PLATFORM_MACOS.
    MacOs,
    /// Any other platform, by its number: iOS, a simulator, Catalyst.
    Other(u32),
}

/// The state of the code signature, whoever signed the file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum Signature {
    /// The file has no signature.
    #[default]
    None,
    /// The page hashes match the file.
    Valid {
        /// `true` if the signature was made without a certificate (CS_ADHOC).
        adhoc: bool,
    },
    /// The file was modified after it was signed, or the signature is damaged.
    Invalid {
        /// The mismatch: `page 3 of 12 does not have the hash of the code directory`.
        damage: String,
    },
}
