//! A target, as a row of the table describes it.

use std::fmt;

use node_audit::{Cpu, Version};
use serde::Deserialize;

use crate::names::{Libc, Os, Toolchain};

/// The npm package that users install. The name is also the scope of the platforms' packages.
pub const MAIN_PACKAGE: &str = "strongroom";

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Target {
    /// The Rust triple: `x86_64-unknown-linux-gnu`.
    pub triple: String,
    /// The platform name: `linux-x64-gnu`.
    pub platform: String,
    /// The operating system.
    pub os: Os,
    /// The processor, named as in Node's `process.arch`.
    pub cpu: Cpu,
    /// The C library; `None` except on Linux.
    #[serde(deserialize_with = "Option::deserialize")]
    pub libc: Option<Libc>,
    /// The C compiler and linker.
    pub toolchain: Toolchain,
    /// The oldest glibc or macOS that the artifact must load on.
    #[serde(deserialize_with = "Option::deserialize")]
    pub floor: Option<Version>,
    /// The systems that can build the target: Nix systems, or `windows`. The first system builds the release.
    pub build_hosts: Vec<String>,
    /// Flags of the C compiler for all C in the addon.
    #[serde(skip)]
    pub c_flags: Vec<String>,
    /// Flags of rustc, in addition to those in `.cargo/config.toml`.
    #[serde(skip)]
    pub rust_flags: Vec<String>,
}

impl Target {
    /// Returns the triple as it appears in names of environment variables: `x86_64_unknown_linux_gnu`.
    #[must_use]
    pub fn underscored(&self) -> String {
        self.triple.replace('-', "_")
    }

    /// Returns the system that builds the release: a Nix system, or `windows`.
    #[must_use]
    pub fn release_host(&self) -> &str {
        // `parse` refuses an empty list.
        self.build_hosts.first().map_or("", String::as_str)
    }

    /// Returns whether `system`, such as `x86_64-linux`, is a build host.
    #[must_use]
    pub fn builds_on(&self, system: &str) -> bool {
        self.build_hosts.iter().any(|host| host == system)
    }

    /// Returns the file name of the library that cargo builds: `libbindings_node.so`.
    #[must_use]
    pub fn library_file(&self) -> &'static str {
        match self.os {
            Os::Linux => "libbindings_node.so",
            Os::Darwin => "libbindings_node.dylib",
            Os::Win32 => "bindings_node.dll",
        }
    }

    /// Returns the name of the platform's npm package: `@strongroom/linux-x64-gnu`. The scripts of `bindings/node` have the
    /// same function in `scripts/targets.mjs`.
    #[must_use]
    pub fn package_name(&self) -> String {
        format!("@{MAIN_PACKAGE}/{}", self.platform)
    }

    /// Returns the file name of the shipped addon: `bindings_node.linux-x64-gnu.node`.
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
