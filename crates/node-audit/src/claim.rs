//! The platform that a name claims.

use std::fmt;
use std::str::FromStr;

use crate::platform::{Cpu, Libc, Os, Platform};
use crate::platform_words::{System, normalized, processor, processors, system, without_variant};
use crate::printable::printable;

/// The platform that a file claims: one, or several processors of one system for a fat Mach-O file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Claim {
    /// The operating system.
    pub os: Os,
    /// The processors; at least one.
    pub(crate) cpus: Vec<Cpu>,
    /// The C library, if the name gives one.
    pub libc: Option<Libc>,
    /// `true` if the processors come from the file's headers, because no name gives a processor.
    pub(crate) has_own_cpus: bool,
}

/// A string that is not a platform name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{name}` is not a platform: expected os-cpu or os-cpu-libc, as in linux-x64-gnu, linux-arm64-musl, darwin-arm64, \
     win32-x64-msvc"
)]
pub struct PlatformError {
    /// The string.
    pub name: String,
}

impl Claim {
    /// Returns a claim with these processors; None without a processor.
    #[must_use]
    pub fn new(os: Os, cpus: &[Cpu], libc: Option<Libc>) -> Option<Claim> {
        (!cpus.is_empty()).then(|| Claim { os, cpus: cpus.to_vec(), libc, has_own_cpus: false })
    }

    /// Returns this claim, marked as one whose processors come from the file's headers.
    pub(crate) fn without_named_processor(self) -> Claim {
        Claim { has_own_cpus: true, ..self }
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
        Claim { os: platform.os, cpus: vec![platform.cpu], libc: platform.libc, has_own_cpus: false }
    }
}

impl FromStr for Claim {
    type Err = PlatformError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        parse(&normalized(name)).ok_or_else(|| PlatformError { name: printable(name.as_bytes()) })
    }
}

/// Returns the platform at the end of a name: `linux-x64-gnu` of `addon-v2-linux-x64-gnu`.
pub(crate) fn at_the_end(name: &str) -> Option<Claim> {
    let name = normalized(name);
    let name = without_variant(&name);
    // A platform has at most four words. A hostile name may have thousands of words.
    let dashes: Vec<usize> = name.rmatch_indices('-').take(4).map(|(dash, _)| dash + 1).collect();
    let starts = std::iter::once(0).chain(dashes.into_iter().rev());
    starts.filter_map(|start| name.get(start..)).find_map(parse)
}

/// Returns the system at the end of a name that gives no processor: `linux` of `addon-linux`.
pub(crate) fn system_at_the_end(name: &str) -> Option<System> {
    let name = normalized(name);
    let name = without_variant(&name);
    system(name.rsplit('-').next().unwrap_or(name))
}

/// Returns the processor at the end of a name that gives no system: `x64` of `addon-x64`.
pub(crate) fn processor_at_the_end(name: &str) -> Option<Cpu> {
    let name = normalized(name);
    // Other words for processors have other meanings as well, or do not identify a processor.
    match name.rsplit('-').next()? {
        word @ ("x64" | "amd64" | "arm64" | "aarch64" | "ia32") => processor(word),
        _ => None,
    }
}

/// Returns the platform that the names of two folders form: `linux`, `x64`.
pub(crate) fn of_folders(os: &str, cpus: &str) -> Option<Claim> {
    let System { os, libc, .. } = system(&normalized(os))?;
    Claim::new(os, &processors(os, &normalized(cpus))?, libc)
}

/// Parses `linux-x64-gnu` (napi-rs), `linuxmusl-x64` (sharp, prebuild-install), `linux-musl-x64` (node-pre-gyp),
/// `linux64` (NW.js), `x64-linux` (vcpkg), `x64-linux-gnu` (Debian) and `x64-unknown-linux-gnu` (compilers), all in the
/// form that [`normalized`] returns.
fn parse(name: &str) -> Option<Claim> {
    let parts: Vec<&str> = name.split('-').collect();
    let (os, libc, cpus, end) = match parts[..] {
        [os, libc @ ("glibc" | "musl" | "unknown"), cpus] => (os, Some(libc), cpus, None),
        [cpus, "apple", os @ "darwin"] => (os, None, cpus, None),
        [cpus, "pc", os @ "windows", end] => (os, None, cpus, Some(end)),
        [cpus, "unknown", os @ "linux", end] => (os, None, cpus, Some(end)),
        [cpus, os @ "linux", end] => (os, None, cpus, Some(end)),
        [os, "32"] => (os, None, "ia32", None),
        [os, "64"] => (os, None, "x64", None),
        [cpus, os] if processor(cpus).is_some() => (os, None, cpus, None),
        [os, cpus] => (os, None, cpus, None),
        [os, cpus, end] => (os, None, cpus, Some(end)),
        [word] => {
            let System { os, cpu, libc, .. } = system(word)?;
            return Claim::new(os, &[cpu?], libc);
        }
        _ => return None,
    };
    let System { os, libc: own, .. } = system(os)?;
    let cpus = processors(os, cpus)?;
    let (os, libc) = match (os, libc.or(end)) {
        (_, None)
        | (Os::Win32, Some("msvc" | "gnu"))
        | (Os::Android, Some("eabi"))
        | (_, Some("unknown")) => (os, own),
        (Os::Linux, Some("gnu" | "gnueabi" | "gnueabihf" | "glibc")) => (os, Some(Libc::Glibc)),
        (Os::Linux, Some("musl" | "musleabi" | "musleabihf")) => (os, Some(Libc::Musl)),
        // napi-rs' name for the system, from the time before Node had a name for it.
        (Os::Linux, Some("ohos")) => (Os::Openharmony, None),
        _ => return None,
    };
    Claim::new(os, &cpus, libc)
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
