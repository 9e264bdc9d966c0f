//! What a file is held against.

use node_targets::{Libc, Target, Version};

use crate::finding::Severity;
use crate::platform::Platform;

/// The limits that the rules apply.
///
/// `Policy::default()` is for addons of other people; [`Policy::for_target`] for this project's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The platform, whatever the file's name says.
    pub platform: Option<Platform>,
    /// The oldest glibc that a file must load on.
    pub glibc_floor: Version,
    /// Libraries that every glibc system with Node has; `*` stands for anything.
    pub glibc_needed: Vec<String>,
    /// Libraries that every musl system with Node has; `*` stands for anything.
    pub musl_needed: Vec<String>,
    /// How bad it is to export names that are neither Node's nor an entry point.
    pub other_exports: Severity,
}

/// glibc 2.28, which Node 20 itself needs.
const NODE_FLOOR: Version = Version { major: 2, minor: 28, patch: 0 };

const GLIBC: [&str; 7] = [
    "libc.so.6",
    "libm.so.6",
    "libdl.so.2",
    "libpthread.so.0",
    "librt.so.1",
    "ld-linux*.so.*", // ld-linux-x86-64.so.2, ld-linux-aarch64.so.1
    "ld64.so.*",      // the loader of s390x and ppc64
];

const MUSL: [&str; 3] = ["libc.so", "libc.musl-*.so.1", "ld-musl-*.so.1"];

/// The run-time libraries of the C and C++ compilers.
///
/// They are no part of the system: a minimal container may lack them. Node's official builds are linked to both, and
/// so are Alpine's: where such a Node starts they are there, and the default allows them. What this project ships must
/// also load into a host that is linked statically, and needs neither.
const COMPILER: [&str; 2] = ["libgcc_s.so.1", "libstdc++.so.6"];

impl Default for Policy {
    fn default() -> Self {
        Policy {
            platform: None,
            glibc_floor: NODE_FLOOR,
            glibc_needed: owned(GLIBC.iter().chain(&COMPILER)),
            musl_needed: owned(MUSL.iter().chain(&COMPILER)),
            other_exports: Severity::Info,
        }
    }
}

impl Policy {
    /// The policy for this project's artifact for a target: the floor of `targets.json`, the system's libraries only,
    /// and no exported name but the entry points.
    #[must_use]
    pub fn for_target(target: &Target) -> Policy {
        let glibc_floor = target.floor.filter(|_| target.libc == Some(Libc::Glibc)).unwrap_or(NODE_FLOOR);
        Policy {
            platform: Some(Platform::from(target)),
            glibc_floor,
            glibc_needed: owned(GLIBC.iter()),
            musl_needed: owned(MUSL.iter()),
            other_exports: Severity::Error,
        }
    }

    /// Whether a library is on the list of a C library's systems.
    #[must_use]
    pub fn allows(&self, libc: Libc, library: &str) -> bool {
        let patterns = match libc {
            Libc::Glibc => &self.glibc_needed,
            Libc::Musl => &self.musl_needed,
        };
        patterns.iter().any(|pattern| matches(pattern, library))
    }
}

fn owned<'a>(names: impl Iterator<Item = &'a &'a str>) -> Vec<String> {
    names.map(|name| (*name).to_owned()).collect()
}

/// Whether a name fits a pattern, in which each `*` stands for any text.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(rest) = name.strip_prefix(head) else {
        return false;
    };
    let mut starts = rest.char_indices().map(|(start, _)| start).chain([rest.len()]);
    starts.any(|start| matches(tail, &rest[start..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, name, expected) in [
            ("libc.so.6", "libc.so.6", true),
            ("libc.so.6", "libc.so.66", false),
            ("ld-linux*.so.*", "ld-linux-x86-64.so.2", true),
            ("ld-linux*.so.*", "ld-linux.so.2", true),
            ("ld-linux*.so.*", "ld-linux", false),
            ("libc.musl-*.so.1", "libc.musl-aarch64.so.1", true),
            ("libc.musl-*.so.1", "libc.musl-aarch64.so.12", false),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn this_projects_artifacts_need_no_compiler_library() {
        let target = Target::by_platform("linux-x64-gnu").unwrap();
        let ours = Policy::for_target(target);
        assert_eq!(Some(ours.glibc_floor), target.floor);
        assert!(Policy::default().allows(Libc::Glibc, "libgcc_s.so.1"));
        assert!(!ours.allows(Libc::Glibc, "libgcc_s.so.1") && !ours.allows(Libc::Musl, "libgcc_s.so.1"));
        assert!(ours.allows(Libc::Glibc, "libc.so.6") && !ours.allows(Libc::Musl, "libc.so.6"));
    }
}
