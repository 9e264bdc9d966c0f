//! The platform that a file claims.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use node_targets::{Libc, Os, Target};

/// A processor, by Node's `process.arch`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are Node's own")]
pub enum Cpu {
    X64,
    Arm64,
    Arm,
    Ia32,
    Loong64,
    Ppc64,
    Riscv64,
    S390x,
}

const OSES: [(&str, Os); 3] = [("linux", Os::Linux), ("darwin", Os::Darwin), ("win32", Os::Win32)];

const CPUS: [(&str, Cpu); 8] = [
    ("x64", Cpu::X64),
    ("arm64", Cpu::Arm64),
    ("arm", Cpu::Arm),
    ("ia32", Cpu::Ia32),
    ("loong64", Cpu::Loong64),
    ("ppc64", Cpu::Ppc64),
    ("riscv64", Cpu::Riscv64),
    ("s390x", Cpu::S390x),
];

/// A platform: `linux-x64-gnu`, `darwin-arm64`; wider than the table of `targets.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Platform {
    /// Operating system.
    pub os: Os,
    /// Processor.
    pub cpu: Cpu,
    /// C library, where the name says which.
    pub libc: Option<Libc>,
}

/// A text that is no platform name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{name}` is no platform; expected os-cpu or os-cpu-libc, as in linux-x64-gnu, linux-arm64-musl, darwin-arm64"
)]
pub struct PlatformError {
    /// The text.
    pub name: String,
}

impl Platform {
    /// The platform in a file's name: `linux-x64-gnu` for `bindings_node.linux-x64-gnu.node`.
    #[must_use]
    pub fn from_file_name(path: &Path) -> Option<Platform> {
        let stem = path.file_name()?.to_str()?.strip_suffix(".node")?;
        stem.rsplit('.').find_map(|part| part.parse().ok())
    }
}

impl From<&Target> for Platform {
    fn from(target: &Target) -> Self {
        let cpu = match target.cpu {
            node_targets::Cpu::X64 => Cpu::X64,
            node_targets::Cpu::Arm64 => Cpu::Arm64,
        };
        Platform { os: target.os, cpu, libc: target.libc }
    }
}

impl FromStr for Platform {
    type Err = PlatformError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        parse(name).ok_or_else(|| PlatformError { name: crate::error::printable(name.as_bytes()) })
    }
}

fn parse(name: &str) -> Option<Platform> {
    let mut parts = name.split('-');
    let (os, cpu, rest) = (parts.next()?, parts.next()?, parts.next());
    if parts.next().is_some() {
        return None;
    }
    let os = OSES.iter().find(|(known, _)| *known == os)?.1;
    let cpu = CPUS.iter().find(|(known, _)| *known == cpu)?.1;
    let libc = match (os, rest) {
        (_, None) | (Os::Win32, Some("msvc")) => None,
        (Os::Linux, Some("gnu" | "gnueabihf")) => Some(Libc::Glibc),
        (Os::Linux, Some("musl" | "musleabihf")) => Some(Libc::Musl),
        _ => return None,
    };
    Some(Platform { os, cpu, libc })
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let os = OSES.iter().find(|(_, os)| *os == self.os).map_or("", |(name, _)| name);
        write!(f, "{os}-{}", self.cpu)?;
        let abi = if self.cpu == Cpu::Arm { "eabihf" } else { "" };
        match (self.os, self.libc) {
            (_, Some(Libc::Glibc)) => write!(f, "-gnu{abi}"),
            (_, Some(Libc::Musl)) => write!(f, "-musl{abi}"),
            (Os::Win32, None) => f.write_str("-msvc"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Cpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(CPUS.iter().find(|(_, cpu)| cpu == self).map_or("", |(name, _)| name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_claim_is_read_from_the_file_name() {
        let claim = |name: &str| Platform::from_file_name(name.as_ref()).map(|platform| platform.to_string());
        for target in node_targets::targets() {
            assert_eq!(claim(&target.artifact_file()).as_ref(), Some(&target.platform));
            assert_eq!(Platform::from(target).to_string(), target.platform);
        }
        assert_eq!(claim("dir/x.linux-arm-gnueabihf.node").as_deref(), Some("linux-arm-gnueabihf"));
        assert_eq!(claim("linux-x64.abi115.node").as_deref(), Some("linux-x64"));
        for name in
            ["addon.node", "x.linux-x64-gnu.so", "x.linux-x64-gnu-2.node", "x.darwin-x64-gnu.node", ".node"]
        {
            assert_eq!(claim(name), None, "{name}");
        }
    }
}
