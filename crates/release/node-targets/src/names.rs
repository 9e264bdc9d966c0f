//! The words of the table: operating systems, processors, C libraries, toolchains.

use node_audit::Cpu;
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

/// Returns the first word of a processor's Rust triples, or `None` if the table cannot have the processor.
pub(crate) fn rust_cpu(cpu: Cpu) -> Option<&'static str> {
    Some(match cpu {
        Cpu::X64 => "x86_64",
        Cpu::Arm64 => "aarch64",
        Cpu::Ia32 => "i686",
        Cpu::Loong64 => "loongarch64",
        Cpu::Ppc64 => "powerpc64le",
        Cpu::Riscv64 => "riscv64gc",
        Cpu::S390x => "s390x",
        // The triples of these processors also have other last words, such as `gnueabihf`.
        Cpu::Arm | Cpu::Mips64el | Cpu::Mipsel => return None,
    })
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
