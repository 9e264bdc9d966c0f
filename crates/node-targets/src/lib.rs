//! The target table: `targets.json`, parsed and typed.
//!
//! Everything in Rust that depends on a platform (library names, floors, toolchains) asks here.

#![forbid(unsafe_code)]

mod parse;
mod platform;

use std::fmt;
use std::sync::LazyLock;

use serde::Deserialize;

pub use node_audit::{Version, VersionError};
pub use parse::{TargetsError, parse};

/// An operating system, by Node's `process.platform`.
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
    /// As Node names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Linux => "linux",
            Self::Darwin => "darwin",
            Self::Win32 => "win32",
        }
    }
}

/// A processor, by Node's `process.arch`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cpu {
    /// `x64`
    X64,
    /// `arm64`
    Arm64,
}

/// The C library of a Linux system, by npm's `libc` field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Libc {
    /// `glibc`; platform names end in `-gnu`
    Glibc,
    /// `musl`
    Musl,
}

/// Which C compiler and linker build a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Toolchain {
    /// zig cc; also the linker, except for macOS, where rustc's own lld links
    Zig,
    /// a cross gcc
    Cross,
    /// Microsoft's compiler
    Msvc,
}

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Target {
    /// The Rust triple: `x86_64-unknown-linux-gnu`.
    pub triple: String,
    /// The platform name: `linux-x64-gnu`.
    pub platform: String,
    /// Operating system.
    pub os: Os,
    /// Processor.
    pub cpu: Cpu,
    /// C library, on Linux only.
    #[serde(deserialize_with = "Option::deserialize")]
    pub libc: Option<Libc>,
    /// C compiler and linker.
    pub toolchain: Toolchain,
    /// The oldest glibc (Linux) or macOS (Darwin) that the artifact must load on.
    #[serde(deserialize_with = "Option::deserialize")]
    pub floor: Option<Version>,
    /// The systems that can build it: Nix systems, or `windows`. The first one builds the release.
    pub build_hosts: Vec<String>,
    /// Flags of the C compiler, for all C in the addon.
    #[serde(skip)]
    pub c_flags: Vec<String>,
    /// Flags of rustc, on top of those of `.cargo/config.toml`.
    #[serde(skip)]
    pub rust_flags: Vec<String>,
}

impl Target {
    /// The target with this Rust triple.
    ///
    /// # Errors
    /// [`UnknownTarget`], which lists the known ones.
    pub fn by_triple(triple: &str) -> Result<&'static Target, UnknownTarget> {
        first(triple, |target| target.triple == triple)
    }

    /// The target with this platform name.
    ///
    /// # Errors
    /// [`UnknownTarget`], which lists the known ones.
    pub fn by_platform(platform: &str) -> Result<&'static Target, UnknownTarget> {
        first(platform, |target| target.platform == platform)
    }

    /// The target with this triple or platform name.
    ///
    /// # Errors
    /// [`UnknownTarget`], which lists the known ones.
    pub fn find(name: &str) -> Result<&'static Target, UnknownTarget> {
        first(name, |target| target.triple == name || target.platform == name)
    }

    /// The triple as part of a variable's name: `x86_64_unknown_linux_gnu`.
    #[must_use]
    pub fn underscored(&self) -> String {
        self.triple.replace('-', "_")
    }

    /// The system that builds the release: a Nix system, or `windows`.
    #[must_use]
    pub fn release_host(&self) -> &str {
        // `parse` refuses an empty list.
        self.build_hosts.first().map_or("", String::as_str)
    }

    /// Whether Nix builds this target on a system, such as `x86_64-linux`.
    #[must_use]
    pub fn builds_on(&self, system: &str) -> bool {
        self.build_hosts.iter().any(|host| host == system)
    }

    /// What cargo names the compiled addon: `libbindings_node.so`.
    #[must_use]
    pub fn library_file(&self) -> &'static str {
        match self.os {
            Os::Linux => "libbindings_node.so",
            Os::Darwin => "libbindings_node.dylib",
            Os::Win32 => "bindings_node.dll",
        }
    }

    /// What the addon is shipped as: `bindings_node.linux-x64-gnu.node`.
    #[must_use]
    pub fn artifact_file(&self) -> String {
        format!("bindings_node.{}.node", self.platform)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.platform)
    }
}

/// A triple or platform name that the table does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown target `{name}`; known targets: {}", known())]
pub struct UnknownTarget {
    /// What was asked for.
    pub name: String,
}

/// The whole table, in the order of `targets.json`.
#[must_use]
pub fn targets() -> &'static [Target] {
    static TABLE: LazyLock<Vec<Target>> = LazyLock::new(|| {
        #[expect(clippy::expect_used, reason = "the text is compiled in, and a test of this crate parses it")]
        parse(include_str!("../../../targets.json")).expect("the table that was compiled in")
    });
    &TABLE
}

/// The target that this program was built for.
///
/// # Errors
/// [`UnknownTarget`], where it was built for a machine outside the table.
pub fn host() -> Result<&'static Target, UnknownTarget> {
    Target::by_triple(env!("NODE_TARGETS_HOST"))
}

fn first(name: &str, matches: impl Fn(&Target) -> bool) -> Result<&'static Target, UnknownTarget> {
    targets().iter().find(|target| matches(target)).ok_or_else(|| UnknownTarget { name: name.to_owned() })
}

fn known() -> String {
    let names = targets().iter().map(|target| format!("{} ({})", target.platform, target.triple));
    names.collect::<Vec<_>>().join(", ")
}
