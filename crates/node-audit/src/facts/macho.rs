//! Facts that only Mach-O files have, from their load commands.

use crate::version::Version;
use serde::Serialize;

/// The load commands of one processor's part of a Mach-O file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct MachOFacts {
    /// LC_ID_DYLIB.
    pub install_name: Option<String>,
    /// The libraries, in the order of their load commands.
    pub dylibs: Vec<Dylib>,
    /// LC_RPATH, in order.
    pub rpaths: Vec<String>,
    /// The target system, by LC_BUILD_VERSION or LC_VERSION_MIN_MACOSX.
    pub platform: Option<MacPlatform>,
    /// The oldest release of the target system.
    pub min_os: Option<Version>,
    /// The strong imports that the loader binds, by their place; None for a file without bind opcodes and chained fixups.
    pub bindings: Option<Vec<Binding>>,
    /// Each import is looked up in the library in which the linker found it (MH_TWOLEVEL), not in all.
    pub two_level: bool,
    /// The file asks for an executable stack (MH_ALLOW_STACK_EXECUTION).
    pub executable_stack: bool,
    /// LC_CODE_SIGNATURE.
    pub signature: Signature,
}

/// Strong imports from one place, without the underscore that Mach-O puts in front.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Binding {
    /// The place in which the loader looks for the names.
    pub from: ImportedFrom,
    /// The names that are bound when the file is loaded.
    pub symbols: Vec<String>,
    /// The names of functions that may be bound at their first call.
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
    /// All libraries that are loaded (`-undefined dynamic_lookup`).
    Any,
    /// A library, by the path in its load command.
    Library(String),
}

/// A library that a Mach-O file loads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dylib {
    /// The path: `/usr/lib/libSystem.B.dylib`, `@rpath/libvips.dylib`.
    pub path: String,
    /// The way in which the library is loaded.
    pub kind: DylibKind,
}

/// The way in which a library is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DylibKind {
    /// LC_LOAD_DYLIB: the library must be present.
    Required,
    /// LC_LOAD_WEAK_DYLIB: the library may be absent.
    Weak,
    /// LC_REEXPORT_DYLIB: the library must be present, and its names count as this file's.
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
    /// Any other, by its number: iOS, a simulator, Catalyst.
    Other(u32),
}

/// The state of the code signature, with any signer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum Signature {
    /// The file has no signature.
    #[default]
    None,
    /// The page hashes match the file.
    Valid {
        /// CS_ADHOC: the signature was made without a certificate.
        adhoc: bool,
    },
    /// The file was changed after it was signed, or the signature is damaged.
    Invalid {
        /// The mismatch: `page 3 of 12 does not have the hash of the code directory`.
        damage: String,
    },
}
