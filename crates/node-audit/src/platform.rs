//! Platforms, by Node's names and npm's, and what a name claims of them.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use node_targets::Target;
use serde::{Serialize, Serializer};

/// An operating system, by Node's `process.platform`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are Node's own")]
pub enum Os {
    Linux,
    Android,
    Openharmony,
    Freebsd,
    Openbsd,
    Netbsd,
    Sunos,
    Aix,
    Darwin,
    Win32,
}

/// A processor, by Node's `process.arch`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are Node's own")]
pub enum Cpu {
    X64,
    Arm64,
    Arm,
    Ia32,
    Loong64,
    Mips64el,
    Mipsel,
    Ppc64,
    Riscv64,
    S390x,
}

/// The C library of a system with Linux' kernel; the first two by npm's `libc` field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Libc {
    /// `glibc`; platform names end in `-gnu`
    Glibc,
    /// `musl`
    Musl,
    /// Android's; no package claims it by this name, and platform names imply it
    Bionic,
}

const OSES: [(&str, Os); 10] = [
    ("linux", Os::Linux),
    ("android", Os::Android),
    ("openharmony", Os::Openharmony),
    ("freebsd", Os::Freebsd),
    ("openbsd", Os::Openbsd),
    ("netbsd", Os::Netbsd),
    ("sunos", Os::Sunos),
    ("aix", Os::Aix),
    ("darwin", Os::Darwin),
    ("win32", Os::Win32),
];

const CPUS: [(&str, Cpu); 10] = [
    ("x64", Cpu::X64),
    ("arm64", Cpu::Arm64),
    ("arm", Cpu::Arm),
    ("ia32", Cpu::Ia32),
    ("loong64", Cpu::Loong64),
    ("mips64el", Cpu::Mips64el),
    ("mipsel", Cpu::Mipsel),
    ("ppc64", Cpu::Ppc64),
    ("riscv64", Cpu::Riscv64),
    ("s390x", Cpu::S390x),
];

const LIBCS: [(&str, Libc); 3] = [("glibc", Libc::Glibc), ("musl", Libc::Musl), ("bionic", Libc::Bionic)];

/// Names to values and back.
macro_rules! named {
    ($type:ident, $names:ident) => {
        impl $type {
            /// By the name that Node or npm has for it.
            #[must_use]
            pub fn by_name(name: &str) -> Option<$type> {
                $names.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
            }

            /// The name that Node or npm has for it.
            #[must_use]
            pub fn name(self) -> &'static str {
                $names.iter().find(|(_, value)| *value == self).map_or("", |(name, _)| name)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }
    };
}

named!(Os, OSES);
named!(Cpu, CPUS);
named!(Libc, LIBCS);

impl From<node_targets::Libc> for Libc {
    fn from(libc: node_targets::Libc) -> Self {
        match libc {
            node_targets::Libc::Glibc => Libc::Glibc,
            node_targets::Libc::Musl => Libc::Musl,
        }
    }
}

/// A platform: `linux-x64-gnu`, `darwin-arm64`; wider than the table of `targets.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Platform {
    /// Operating system.
    pub os: Os,
    /// Processor.
    pub cpu: Cpu,
    /// C library, where the name says which.
    pub libc: Option<Libc>,
}

/// What a file says that it is for: one platform, or several processors in one Mach-O file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Claim {
    /// Operating system.
    pub os: Os,
    /// Processors; at least one.
    cpus: Vec<Cpu>,
    /// C library, where the name says which.
    pub libc: Option<Libc>,
}

/// A text that is no platform name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{name}` is no platform; expected os-cpu or os-cpu-libc, as in linux-x64-gnu, linux-arm64-musl, darwin-arm64, \
     win32-x64-msvc"
)]
pub struct PlatformError {
    /// The text.
    pub name: String,
}

impl Claim {
    /// A claim of these processors; None without one.
    #[must_use]
    pub fn new(os: Os, cpus: &[Cpu], libc: Option<Libc>) -> Option<Claim> {
        (!cpus.is_empty()).then(|| Claim { os, cpus: cpus.to_vec(), libc })
    }

    /// The platforms, one for each processor; at least one.
    pub fn platforms(&self) -> impl Iterator<Item = Platform> {
        self.cpus.iter().map(|cpu| Platform { os: self.os, cpu: *cpu, libc: self.libc })
    }

    /// The platform in a file's name: `linux-x64-gnu` for `bindings_node.linux-x64-gnu.node`.
    #[must_use]
    pub fn from_file_name(path: &Path) -> Option<Claim> {
        let stem = path.file_name()?.to_str()?.strip_suffix(".node")?;
        stem.rsplit('.').find_map(|part| part.parse().ok())
    }
}

impl From<Platform> for Claim {
    fn from(platform: Platform) -> Self {
        Claim { os: platform.os, cpus: vec![platform.cpu], libc: platform.libc }
    }
}

impl From<&Target> for Platform {
    fn from(target: &Target) -> Self {
        let cpu = match target.cpu {
            node_targets::Cpu::X64 => Cpu::X64,
            node_targets::Cpu::Arm64 => Cpu::Arm64,
        };
        let os = match target.os {
            node_targets::Os::Linux => Os::Linux,
            node_targets::Os::Darwin => Os::Darwin,
            node_targets::Os::Win32 => Os::Win32,
        };
        Platform { os, cpu, libc: target.libc.map(Libc::from) }
    }
}

impl FromStr for Claim {
    type Err = PlatformError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        parse(name).ok_or_else(|| PlatformError { name: crate::error::printable(name.as_bytes()) })
    }
}

fn parse(name: &str) -> Option<Claim> {
    let mut parts = name.split('-');
    let (os, cpus, rest) = (parts.next()?, parts.next()?, parts.next());
    if parts.next().is_some() {
        return None;
    }
    let os = Os::by_name(os)?;
    let cpus = match cpus {
        "universal" if os == Os::Darwin => vec![Cpu::X64, Cpu::Arm64],
        cpus => cpus.split('+').map(Cpu::by_name).collect::<Option<Vec<_>>>()?,
    };
    let libc = match (os, rest) {
        (_, None) | (Os::Win32, Some("msvc" | "gnu")) | (Os::Android, Some("eabi")) => None,
        (Os::Linux, Some("gnu" | "gnueabihf")) => Some(Libc::Glibc),
        (Os::Linux, Some("musl" | "musleabihf")) => Some(Libc::Musl),
        _ => return None,
    };
    Claim::new(os, &cpus, libc)
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.os, self.cpu)?;
        let abi = if self.cpu == Cpu::Arm { "eabihf" } else { "" };
        match (self.os, self.libc) {
            (_, Some(Libc::Glibc)) => write!(f, "-gnu{abi}"),
            (_, Some(Libc::Musl)) => write!(f, "-musl{abi}"),
            (Os::Win32, None) => f.write_str("-msvc"),
            _ => Ok(()),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_claim_is_read_from_the_file_name() {
        let claim = |name: &str| Claim::from_file_name(name.as_ref()).map(|claim| claim.to_string());
        for target in node_targets::targets() {
            assert_eq!(claim(&target.artifact_file()).as_ref(), Some(&target.platform));
            assert_eq!(Platform::from(target).to_string(), target.platform);
        }
        assert_eq!(claim("dir/x.linux-arm-gnueabihf.node").as_deref(), Some("linux-arm-gnueabihf"));
        assert_eq!(claim("linux-x64.abi115.node").as_deref(), Some("linux-x64"));
        assert_eq!(claim("x.darwin-universal.node").as_deref(), Some("darwin-universal"));
        for name in
            ["addon.node", "x.linux-x64-gnu.so", "x.linux-x64-gnu-2.node", "x.darwin-x64-gnu.node", ".node"]
        {
            assert_eq!(claim(name), None, "{name}");
        }
    }
}
