//! The limits that the rules apply.

use std::collections::BTreeMap;

use crate::claim::Claim;
use crate::finding::Severity;
use crate::platform::{Cpu, Libc};
use crate::version::Version;

/// The limits that the rules apply.
///
/// `Policy::default()` suits any published addon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The platform to check for, whatever the file's name claims.
    pub claim: Option<Claim>,
    /// The oldest systems that a file must load on.
    pub floors: Floors,
    /// The fixed floors, which apply even if no promised Node runs on such an old system.
    pub firm: FirmFloors,
    /// The libraries that every system has.
    pub allowed: Allowed,
    /// The largest allowed size of an addon, in bytes.
    pub size: u64,
    /// The severity of findings about exported names that are neither Node's nor an entry point.
    pub other_exports: Severity,
    /// The protections that an addon's C code must have.
    pub hardening: Hardening,
    /// Severities by rule id, which replace the rules' own severities; None drops a rule's findings.
    pub severities: BTreeMap<String, Option<Severity>>,
}

/// Protections of the C compiler that leave a mark in an ELF or Mach-O file.
///
/// The default expects neither protection: an addon may contain no C code, and the compiler protects only functions with
/// a buffer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hardening {
    /// `-fstack-protector-strong`, which leaves the import `__stack_chk_fail`.
    pub stack_protector: bool,
    /// `-D_FORTIFY_SOURCE`, which leaves imports such as `__memcpy_chk`.
    pub fortify: bool,
}

impl Hardening {
    /// Returns the protections that these compiler flags enable.
    #[must_use]
    pub fn of_flags<'a>(flags: impl IntoIterator<Item = &'a str>) -> Self {
        let mut hardening = Self::default();
        for flag in flags {
            hardening.stack_protector |= flag.starts_with("-fstack-protector");
            hardening.fortify |= flag.starts_with("-D_FORTIFY_SOURCE=") && !flag.ends_with("=0");
        }
        hardening
    }
}

/// The oldest systems that a file must load on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Floors {
    /// glibc.
    pub glibc: Version,
    /// libstdc++'s interface, `GLIBCXX_3.4.25`.
    pub glibcxx: Version,
    /// The C++ ABI's interface, `CXXABI_1.3.11`.
    pub cxxabi: Version,
    /// libgcc's interface, `GCC_7.0.0`.
    pub gcc: Version,
    /// macOS on x64.
    pub macos_x64: Version,
    /// macOS on arm64.
    pub macos_arm64: Version,
}

/// The floors that the policy fixes.
///
/// The other floors rise to the needs of the oldest Node that package.json's `engines` promise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FirmFloors {
    /// glibc.
    pub glibc: bool,
    /// The compiler's run-time libraries: GLIBCXX, CXXABI, GCC.
    pub compiler: bool,
    /// macOS, on both processors.
    pub macos: bool,
}

impl FirmFloors {
    /// Every floor is fixed.
    pub const ALL: FirmFloors = FirmFloors { glibc: true, compiler: true, macos: true };
}

/// The libraries that every system of a kind has; `*` matches any text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// Systems with glibc.
    pub glibc: Vec<String>,
    /// Systems with musl.
    pub musl: Vec<String>,
    /// macOS; whole paths.
    pub macos: Vec<String>,
    /// Windows; case does not matter.
    pub windows: Vec<String>,
}

const fn version(major: u32, minor: u32, patch: u32) -> Version {
    Version { major, minor, patch }
}

/// The floors of Node 20's own releases: glibc 2.28 with the compiler of that time (GCC 8), macOS 10.15 and 11.
const NODE_FLOORS: Floors = Floors {
    glibc: version(2, 28, 0),
    glibcxx: version(3, 4, 25),
    cxxabi: version(1, 3, 11),
    gcc: version(7, 0, 0),
    macos_x64: version(10, 15, 0),
    macos_arm64: version(11, 0, 0),
};

const GLIBC: [&str; 11] = [
    "libc.so.6",
    "libm.so.6",
    "libdl.so.2",
    "libpthread.so.0",
    "librt.so.1",
    "libresolv.so.2",
    "libutil.so.1",
    "libanl.so.1",
    "libmvec.so.1",
    "ld-linux*.so.*", // ld-linux-x86-64.so.2, ld-linux-aarch64.so.1
    "ld64.so.*",      // the loader of s390x and ppc64
];

const MUSL: [&str; 3] = ["libc.so", "libc.musl-*.so.1", "ld-musl-*.so.1"];

/// The run-time libraries of the C and C++ compilers.
///
/// A minimal container may lack these libraries. Node's official builds and Alpine's are linked to both libraries, so a
/// system on which such a Node starts has them, and the default allows them. A statically linked Node needs neither.
const COMPILER: [&str; 2] = ["libgcc_s.so.1", "libstdc++.so.6"];

const MACOS: [&str; 2] = ["/usr/lib/*", "/System/Library/*"];

/// 32 MB in decimal units, as reports print sizes.
const SIZE: u64 = 32_000_000;

impl Default for Policy {
    fn default() -> Self {
        Policy {
            claim: None,
            floors: NODE_FLOORS,
            firm: FirmFloors::default(),
            allowed: Allowed {
                glibc: owned(GLIBC.iter().chain(&COMPILER)),
                musl: owned(MUSL.iter().chain(&COMPILER)),
                macos: owned(MACOS.iter()),
                windows: Vec::new(),
            },
            size: SIZE,
            other_exports: Severity::Info,
            hardening: Hardening::default(),
            severities: BTreeMap::new(),
        }
    }
}

impl Policy {
    /// Returns the oldest macOS for a processor.
    #[must_use]
    pub fn macos(&self, cpu: Option<Cpu>) -> Version {
        self.floors.macos(cpu)
    }
}

impl Floors {
    /// Returns the oldest macOS for a processor.
    pub(crate) fn macos(&self, cpu: Option<Cpu>) -> Version {
        if cpu == Some(Cpu::X64) { self.macos_x64 } else { self.macos_arm64 }
    }
}

impl Allowed {
    /// Returns whether every system with a C library has a library.
    #[must_use]
    pub fn on(&self, libc: Libc, library: &str) -> bool {
        let patterns = match libc {
            Libc::Glibc => &self.glibc,
            Libc::Musl => &self.musl,
            // A policy has no list for Android.
            Libc::Bionic => return false,
        };
        matches_any(patterns, library)
    }
}

/// Returns whether a name matches one of the patterns.
pub(crate) fn matches_any(patterns: &[String], name: &str) -> bool {
    patterns.iter().any(|pattern| matches(pattern, name))
}

fn owned<'a>(names: impl Iterator<Item = &'a &'a str>) -> Vec<String> {
    names.map(|name| (*name).to_owned()).collect()
}

/// Returns whether a name matches a pattern, in which each `*` matches any text.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let (middle, end) = tail.rsplit_once('*').unwrap_or(("", tail));
    let rest = name.strip_prefix(head).and_then(|rest| rest.strip_suffix(end));
    // The earliest match of a part leaves the most text for the later parts, so the function tries no other match.
    let mut parts = middle.split('*');
    rest.is_some_and(|rest| parts.try_fold(rest, |rest, part| Some(rest.split_once(part)?.1)).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_matches_any_text() {
        for (pattern, name, expected) in [
            ("libc.so.6", "libc.so.6", true),
            ("libc.so.6", "libc.so.66", false),
            ("ld-linux*.so.*", "ld-linux-x86-64.so.2", true),
            ("ld-linux*.so.*", "ld-linux.so.2", true),
            ("ld-linux*.so.*", "ld-linux", false),
            ("libc.musl-*.so.1", "libc.musl-aarch64.so.1", true),
            ("libc.musl-*.so.1", "libc.musl-aarch64.so.12", false),
            ("*", "", true),
            ("ab*b", "ab", false),
            ("a*b*a", "aba", true),
            ("a*b*a", "aa", false),
            ("a*a*a", "aa", false),
            ("*a*b*", "xbyaz", false),
            ("*a*b*", "xaybz", true),
            ("**", "x", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    /// Guards against backtracking: if each star tried every remaining suffix of the name, one comparison with thirty
    /// stars would take hours.
    #[test]
    fn many_stars_match_in_linear_time() {
        let pattern = "*a".repeat(1000) + "*b";
        assert!(!matches(&pattern, &"a".repeat(60_000)));
        assert!(matches(&pattern, &("a".repeat(60_000) + "b")));
    }

    #[test]
    fn a_system_has_only_its_own_c_library() {
        let Policy { allowed, .. } = Policy::default();
        assert!(allowed.on(Libc::Glibc, "libgcc_s.so.1") && allowed.on(Libc::Musl, "libgcc_s.so.1"));
        assert!(allowed.on(Libc::Glibc, "libc.so.6") && !allowed.on(Libc::Musl, "libc.so.6"));
    }
}
