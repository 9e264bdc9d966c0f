//! Platforms, with the names that Node and npm use.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An operating system, as in Node's `process.platform`.
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

/// A processor, as in Node's `process.arch`.
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

/// The C library of a system with a Linux kernel. npm's field `libc` knows the first two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Libc {
    /// `glibc`; platform names end in `-gnu`
    Glibc,
    /// `musl`
    Musl,
    /// Bionic, of Android; packages do not name it, since `android` implies it
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

/// Implements `by_name` and `name` for an enum, from a list of its names.
macro_rules! named {
    ($type:ident, $names:ident) => {
        impl $type {
            /// Returns the value for a name that Node or npm uses.
            #[must_use]
            pub fn by_name(name: &str) -> Option<$type> {
                $names.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
            }

            /// Returns the name that Node or npm uses.
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

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = String::deserialize(deserializer)?;
                let known = || $names.map(|(name, _)| name).join(", ");
                $type::by_name(&name).ok_or_else(|| {
                    de::Error::custom(format!("unknown name `{name}`; known names: {}", known()))
                })
            }
        }
    };
}

named!(Os, OSES);
named!(Cpu, CPUS);
named!(Libc, LIBCS);

/// A platform: `linux-x64-gnu`, `darwin-arm64`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Platform {
    /// The operating system.
    pub os: Os,
    /// Processor.
    pub cpu: Cpu,
    /// The C library, if the name gives one.
    pub libc: Option<Libc>,
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
