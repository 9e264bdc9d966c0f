//! The words of the table: operating systems, processors, C libraries, toolchains.

use serde::Deserialize;

/// An operating system, named as in Node's `process.platform`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Os {
    /// `linux`
    Linux,
    /// `darwin`
    Darwin,
    /// `win32`
    Win32,
}

impl Os {
    /// Returns Node's name for the system.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Linux => "linux",
            Self::Darwin => "darwin",
            Self::Win32 => "win32",
        }
    }
}

/// A processor, named as in Node's `process.arch`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cpu {
    /// `x64`
    X64,
    /// `arm64`
    Arm64,
}

impl Cpu {
    /// Returns Node's name for the processor.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::X64 => "x64",
            Self::Arm64 => "arm64",
        }
    }
}

/// The C library of a Linux system, named as in npm's `libc` field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Libc {
    /// `glibc`; platform names end in `-gnu`
    Glibc,
    /// `musl`
    Musl,
}

/// The C compiler and linker of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Toolchain {
    /// `zig cc`, which also links, except for macOS, where rustc's own lld links.
    Zig,
    /// The gcc of nixpkgs' `pkgsCross` in Nix; zig without Nix.
    PkgsCross,
    /// Microsoft's compiler, only without Nix.
    Msvc,
}
