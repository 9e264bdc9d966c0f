//! The systems that a verdict names.

use std::fmt;

use crate::facts::{Details, ElfFacts, Facts};
use crate::platform::{Libc, Os, Platform};
use crate::unversioned::unversioned_glibc;
use crate::version::Version;

/// The last glibc that makes the stack executable for an addon.
const EXECUTABLE_STACK: Version = Version { major: 2, minor: 40, patch: 0 };

/// A system, with the oldest release that loads an addon.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum System {
    /// Linux with either C library: the addon needs neither.
    Linux,
    Glibc {
        oldest: Option<Version>,
        /// The needed version of libstdc++ or libgcc, if the policy's oldest system lacks it.
        with: Option<String>,
        /// The newest release that loads the addon; later releases refuse it.
        newest: Option<Version>,
    },
    Musl,
    MacOs {
        oldest: Option<Version>,
    },
    Windows,
    Other(Os),
}

impl System {
    /// Returns the system of an addon's part; `with` is a version that the oldest supported system lacks.
    pub(super) fn of(platform: Platform, facts: &Facts, with: Option<String>) -> System {
        let linked = facts.elf().and_then(|elf| elf.libc);
        match (platform.os, platform.libc.or(linked)) {
            (Os::Linux, Some(Libc::Musl)) => System::Musl,
            (Os::Linux, None) => System::Linux,
            (Os::Linux, _) => System::Glibc {
                oldest: facts
                    .elf()
                    .and_then(oldest_glibc)
                    .max(unversioned_glibc(facts).map(|(version, _)| version)),
                with,
                newest: facts.elf().filter(|elf| elf.executable_stack).map(|_| EXECUTABLE_STACK),
            },
            (Os::Darwin, _) => System::MacOs { oldest: facts.macho().and_then(|macho| macho.min_os) },
            (Os::Win32, _) => System::Windows,
            (os, _) => System::Other(os),
        }
    }

    /// Returns the system of a file without a claim, by its format.
    pub(super) fn os_of(facts: &Facts) -> Os {
        match &facts.details {
            Details::Elf(elf) if elf.libc == Some(Libc::Bionic) => Os::Android,
            Details::Elf(_) => Os::Linux,
            Details::MachO(_) => Os::Darwin,
            Details::Pe(_) => Os::Win32,
        }
    }

    /// Returns whether two systems are equal if their oldest releases are ignored.
    pub(super) fn is_same(&self, other: &System) -> bool {
        match (self, other) {
            (System::Other(own), System::Other(other)) => own == other,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }

    /// Returns the reason why no release of the system loads an addon, if the oldest release is after the newest release.
    pub(super) fn contradiction(&self) -> Option<String> {
        match self {
            System::Glibc { oldest: Some(oldest), newest: Some(newest), .. } if oldest > newest => {
                Some(format!(
                    "needs glibc {oldest}, and asks for an executable stack, which glibc {oldest} refuses"
                ))
            }
            _ => None,
        }
    }

    /// Returns the system with the newer of two oldest releases.
    pub(super) fn newest(self, other: System) -> System {
        match (self, other) {
            (
                System::Glibc { oldest, with, newest },
                System::Glibc { oldest: other, with: more, newest: last },
            ) => System::Glibc { oldest: oldest.max(other), with: with.max(more), newest: newest.or(last) },
            (System::MacOs { oldest }, System::MacOs { oldest: other }) => {
                System::MacOs { oldest: oldest.max(other) }
            }
            (own, _) => own,
        }
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let release = |name: &str, oldest: &Option<Version>| match oldest {
            Some(oldest) => format!("{name} {oldest} and later"),
            None => name.to_owned(),
        };
        match self {
            System::Linux => f.write_str("Linux"),
            System::Glibc { oldest, with, newest } => {
                match (oldest, newest) {
                    (Some(oldest), Some(newest)) => write!(f, "glibc {oldest} to {newest}")?,
                    (None, Some(newest)) => write!(f, "glibc up to {newest}")?,
                    (_, None) => f.write_str(&release("glibc", oldest))?,
                }
                with.iter().try_for_each(|with| write!(f, " with {with}"))
            }
            System::Musl => f.write_str("Alpine"),
            System::MacOs { oldest } => f.write_str(&release("macOS", oldest)),
            System::Windows => f.write_str("Windows"),
            System::Other(os) => f.write_str(match os {
                Os::Android => "Android",
                Os::Openharmony => "OpenHarmony",
                Os::Freebsd => "FreeBSD",
                Os::Openbsd => "OpenBSD",
                Os::Netbsd => "NetBSD",
                Os::Sunos => "SunOS",
                Os::Aix => "AIX",
                other => other.name(),
            }),
        }
    }
}

/// Returns the oldest glibc that has all versions that a file needs.
fn oldest_glibc(elf: &ElfFacts) -> Option<Version> {
    let versions = elf.version_needs.iter().filter(|need| !need.weak).filter_map(|need| {
        match need.version.strip_prefix("GLIBC_")? {
            // glibc supports compressed relocations since 2.36.
            "ABI_DT_RELR" => Some(Version { major: 2, minor: 36, patch: 0 }),
            number => number.parse().ok(),
        }
    });
    versions.max()
}
