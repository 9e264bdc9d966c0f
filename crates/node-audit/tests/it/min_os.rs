//! The rule `min-os`: the oldest macOS that a file is built for.

use node_audit::{Finding, Severity};
use object::macho::{LC_BUILD_VERSION, LC_VERSION_MIN_IPHONEOS, LC_VERSION_MIN_MACOSX};

use crate::macho_maker::{MachO, MinOs, NAME};

const X64: &str = "addon.darwin-x64.node";

fn arm64(min_os: &[MinOs]) -> Vec<Finding> {
    MachO { min_os: min_os.to_vec(), ..MachO::addon() }.findings(NAME, "min-os")
}

fn x64(min_os: MinOs) -> Vec<Finding> {
    MachO { min_os: vec![min_os], ..MachO::x64() }.findings(X64, "min-os")
}

#[test]
fn each_processor_has_its_own_floor() {
    assert_eq!(arm64(&[(LC_BUILD_VERSION, 1, [11, 0, 0])]), []);
    assert_eq!(x64((LC_BUILD_VERSION, 1, [10, 15, 0])), []);
    assert_eq!(x64((LC_VERSION_MIN_MACOSX, 1, [10, 7, 0])), []);

    let found = arm64(&[(LC_BUILD_VERSION, 1, [14, 2, 1])]);
    assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
    assert_eq!(found[0].message, "the addon needs macOS 14.2.1; the oldest supported version is 11.0");
    let found = x64((LC_VERSION_MIN_MACOSX, 1, [11, 0, 0]));
    assert_eq!(found[0].message, "the addon needs macOS 11.0; the oldest supported version is 10.15");
}

/// @datadog/pprof 5.20.0 has a file for each release of Node, and each file needs the same macOS as its Node.
#[test]
fn an_addon_for_one_release_of_node_may_need_the_macos_of_that_release() {
    let object = |min_os| MachO { min_os: vec![(LC_BUILD_VERSION, 1, min_os)], ..MachO::addon() };
    let found = |min_os, name: &str| object(min_os).findings(name, "min-os");
    for (min_os, name) in [
        ([13, 5, 0], "addon.darwin-arm64.abi137.node"),
        ([13, 5, 0], "addon-darwin-arm64-147.node"),
        ([11, 0, 0], "addon.darwin-arm64.abi108.node"),
    ] {
        assert_eq!(found(min_os, name), [], "{name}");
    }
    let late = found([14, 0, 0], "addon.darwin-arm64.abi137.node");
    assert_eq!(late[0].message, "the addon needs macOS 14.0; the oldest supported version is 13.5");
    assert_eq!(found([13, 5, 0], "addon.darwin-arm64.abi115.node").len(), 1);
    assert_eq!(found([13, 5, 0], "addon.darwin-arm64.napi.node").len(), 1);
}

#[test]
fn another_system_is_an_error() {
    let found = arm64(&[(LC_BUILD_VERSION, 7, [11, 0, 0])]);
    assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
    assert!(found[0].message.contains("built for the iOS simulator"), "{}", found[0].message);
    let found = x64((LC_VERSION_MIN_IPHONEOS, 2, [9, 0, 0]));
    assert!(found[0].message.contains("built for iOS"), "{}", found[0].message);
    let found = arm64(&[(LC_BUILD_VERSION, 99, [1, 0, 0])]);
    assert!(found[0].message.contains("built for platform 99"), "{}", found[0].message);
}

/// A library can be built for both Mac Catalyst and macOS.
#[test]
fn a_file_for_several_systems_is_compared_with_macos() {
    let (macos, catalyst) = ((LC_BUILD_VERSION, 1, [11, 0, 0]), (LC_BUILD_VERSION, 6, [14, 0, 0]));
    assert_eq!(arm64(&[macos, catalyst]), []);
    assert_eq!(arm64(&[catalyst, macos]), []);
    let found = arm64(&[catalyst]);
    assert!(found[0].message.contains("built for Mac Catalyst"), "{}", found[0].message);
}

#[test]
fn a_file_without_an_oldest_system_is_a_warning() {
    let found = arm64(&[]);
    assert_eq!((found.len(), found[0].severity), (1, Severity::Warning));
}
