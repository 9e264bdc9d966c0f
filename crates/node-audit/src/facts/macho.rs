//! What only Mach-O files say, in their load commands.

use crate::version::Version;
use serde::Serialize;

/// The load commands of one processor's part of a Mach-O file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct MachOFacts {
    /// LC_ID_DYLIB.
    pub install_name: Option<String>,
    /// The libraries, in the order in which imports count them.
    pub dylibs: Vec<Dylib>,
    /// LC_RPATH, in order.
    pub rpaths: Vec<String>,
    /// The system that it is made for, by LC_BUILD_VERSION or LC_VERSION_MIN_MACOSX.
    pub platform: Option<MacPlatform>,
    /// The oldest release of that system that it says it runs on.
    pub min_os: Option<Version>,
    /// Imports are looked up in the library that the linker found them in (MH_TWOLEVEL), not in all.
    pub two_level: bool,
    /// It asks for a stack that can be executed (MH_ALLOW_STACK_EXECUTION).
    pub executable_stack: bool,
    /// LC_CODE_SIGNATURE.
    pub signature: Signature,
}

/// A library that a Mach-O file loads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dylib {
    /// Its path: `/usr/lib/libSystem.B.dylib`, `@rpath/libvips.dylib`.
    pub path: String,
    /// How it is loaded.
    pub kind: DylibKind,
}

/// How a library is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DylibKind {
    /// LC_LOAD_DYLIB: it must be there.
    Required,
    /// LC_LOAD_WEAK_DYLIB: it may be absent.
    Weak,
    /// LC_REEXPORT_DYLIB: it must be there, and its names count as this file's.
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

/// What the code signature is worth, without asking who signed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum Signature {
    /// There is none.
    #[default]
    None,
    /// Its page hashes are those of the file.
    Valid {
        /// CS_ADHOC: made without a certificate.
        adhoc: bool,
    },
    /// The file was changed after it was signed, or the signature is damaged.
    Invalid {
        /// What does not fit: `page 3 of 12 does not have the hash that the code directory names`.
        damage: String,
    },
}
