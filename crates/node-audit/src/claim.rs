//! The platform that a name claims.

use std::fmt;
use std::str::FromStr;

use crate::platform::{Cpu, Libc, Os, Platform};
use crate::printable::printable;

/// The platform that a file claims: one, or several processors of one system for a fat Mach-O file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Claim {
    /// Operating system.
    pub os: Os,
    /// Processors; at least one.
    pub(crate) cpus: Vec<Cpu>,
    /// C library, if the name says which.
    pub libc: Option<Libc>,
}

/// A text that is not a platform name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{name}` is not a platform: expected os-cpu or os-cpu-libc, as in linux-x64-gnu, linux-arm64-musl, darwin-arm64, \
     win32-x64-msvc"
)]
pub struct PlatformError {
    /// The text.
    pub name: String,
}

impl Claim {
    /// Returns a claim of these processors; None without a processor.
    #[must_use]
    pub fn new(os: Os, cpus: &[Cpu], libc: Option<Libc>) -> Option<Claim> {
        (!cpus.is_empty()).then(|| Claim { os, cpus: cpus.to_vec(), libc })
    }

    /// Returns the platforms, one for each processor; at least one.
    pub fn platforms(&self) -> impl Iterator<Item = Platform> {
        self.cpus.iter().map(|cpu| Platform { os: self.os, cpu: *cpu, libc: self.libc })
    }

    /// Returns whether a loader on a platform looks for the file.
    pub(crate) fn covers(&self, platform: Platform) -> bool {
        let libc = self.libc.is_none() || platform.libc.is_none() || self.libc == platform.libc;
        self.os == platform.os && self.cpus.contains(&platform.cpu) && libc
    }
}

impl From<Platform> for Claim {
    fn from(platform: Platform) -> Self {
        Claim { os: platform.os, cpus: vec![platform.cpu], libc: platform.libc }
    }
}

impl FromStr for Claim {
    type Err = PlatformError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        parse(name).ok_or_else(|| PlatformError { name: printable(name.as_bytes()) })
    }
}

/// Returns the platform at the end of a name: `linux-x64-gnu` of `addon-v2-linux-x64-gnu`.
pub(crate) fn at_the_end(name: &str) -> Option<Claim> {
    // A platform has at most three words. A hostile name has thousands.
    let dashes: Vec<usize> = name.rmatch_indices('-').take(3).map(|(dash, _)| dash + 1).collect();
    let starts = std::iter::once(0).chain(dashes.into_iter().rev());
    starts.filter_map(|start| name.get(start..)).find_map(parse).or_else(|| triple(name))
}

/// Returns the platform that the names of two folders make: `linux`, `x64`.
pub(crate) fn of_folders(os: &str, cpus: &str) -> Option<Claim> {
    let (os, libc) = system(os)?;
    Claim::new(os, &processors(os, cpus)?, libc)
}

/// Parses `linux-x64-gnu` (napi-rs), `linuxmusl-x64` (sharp, prebuild-install) and `linux-musl-x64` (node-pre-gyp).
fn parse(name: &str) -> Option<Claim> {
    let parts: Vec<&str> = name.split('-').collect();
    let (os, libc, cpus, end) = match parts[..] {
        [os, libc @ ("glibc" | "musl" | "unknown"), cpus] => (os, Some(libc), cpus, None),
        [os, cpus] => (os, None, cpus, None),
        [os, cpus, end] => (os, None, cpus, Some(end)),
        _ => return None,
    };
    let (os, own) = system(os)?;
    let cpus = processors(os, cpus)?;
    let (os, libc) = match (os, libc.or(end)) {
        (_, None)
        | (Os::Win32, Some("msvc" | "gnu"))
        | (Os::Android, Some("eabi"))
        | (_, Some("unknown")) => (os, own),
        (Os::Linux, Some("gnu" | "gnueabihf" | "glibc")) => (os, Some(Libc::Glibc)),
        (Os::Linux, Some("musl" | "musleabihf")) => (os, Some(Libc::Musl)),
        // napi-rs' name for the system, before Node had one.
        (Os::Linux, Some("ohos")) => (Os::Openharmony, None),
        _ => return None,
    };
    Claim::new(os, &cpus, libc)
}

/// Parses a target of compilers: `x86_64-unknown-linux-gnu`.
fn triple(name: &str) -> Option<Claim> {
    let parts: Vec<&str> = name.split('-').collect();
    let [cpu, system @ ..] = parts.as_slice() else { return None };
    let cpu = match *cpu {
        "x86_64" => Cpu::X64,
        "aarch64" => Cpu::Arm64,
        "i686" => Cpu::Ia32,
        "armv7" | "arm" => Cpu::Arm,
        _ => return None,
    };
    let (os, libc) = match system {
        ["apple", "darwin"] => (Os::Darwin, None),
        ["pc", "windows", "msvc" | "gnu"] => (Os::Win32, None),
        ["unknown", "linux", abi] if abi.starts_with("gnu") => (Os::Linux, Some(Libc::Glibc)),
        ["unknown", "linux", abi] if abi.starts_with("musl") => (Os::Linux, Some(Libc::Musl)),
        _ => return None,
    };
    Claim::new(os, &[cpu], libc)
}

fn system(name: &str) -> Option<(Os, Option<Libc>)> {
    match name {
        "linuxmusl" => Some((Os::Linux, Some(Libc::Musl))),
        name => Some((Os::by_name(name)?, None)),
    }
}

/// Parses `x64`, `x64+arm64`, and `universal` on macOS.
fn processors(os: Os, names: &str) -> Option<Vec<Cpu>> {
    match names {
        "universal" if os == Os::Darwin => Some(vec![Cpu::X64, Cpu::Arm64]),
        names => names.split('+').map(Cpu::by_name).collect(),
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.os, self.cpus.as_slice()) {
            (Os::Darwin, [Cpu::X64, Cpu::Arm64] | [Cpu::Arm64, Cpu::X64]) => f.write_str("darwin-universal"),
            _ => {
                let names: Vec<String> = self.platforms().map(|platform| platform.to_string()).collect();
                f.write_str(&names.join(", "))
            }
        }
    }
}
