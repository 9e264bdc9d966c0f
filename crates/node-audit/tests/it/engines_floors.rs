//! Floors rise to the requirements of the oldest Node that package.json's engines promise.

use std::path::Path;

use node_audit::{Finding, Policy, audit};
use object::macho::LC_BUILD_VERSION;

use crate::macho_maker::MachO;
use crate::object_maker::{Maker, NAME, Need};

const X64: &str = "addon.darwin-x64.node";

fn findings(name: &str, content: &[u8], engines: &str, policy: &Policy) -> Vec<Finding> {
    let folder = tempfile::tempdir().unwrap();
    let manifest = format!(r#"{{"name": "x", "engines": {engines}}}"#);
    std::fs::write(folder.path().join("package.json"), manifest).unwrap();
    std::fs::write(folder.path().join(name), content).unwrap();
    let found = audit(&folder.path().join(name), policy).unwrap().findings;
    found
        .into_iter()
        .filter(|finding| ["min-os", "glibc-floor", "libstdcxx"].contains(&finding.rule))
        .collect()
}

fn for_macos(major: u8, minor: u8) -> Vec<u8> {
    MachO { min_os: vec![(LC_BUILD_VERSION, 1, [major, minor, 0])], ..MachO::x64() }.make()
}

fn min_os(content: &[u8], engines: &str) -> Option<String> {
    let found = findings(X64, content, engines, &Policy::default());
    found.first().map(|finding| format!("{} ({})", finding.message, finding.evidence))
}

#[test]
fn an_addon_may_need_the_macos_that_the_oldest_promised_node_needs() {
    for engines in [r#"{"node": ">=22"}"#, r#"{"node": "^22.12 || >=24"}"#, r#"{"node": "23.x"}"#] {
        assert_eq!(min_os(&for_macos(11, 0), engines), None, "{engines}");
        assert!(min_os(&for_macos(13, 5), engines).is_some(), "{engines}");
    }
    assert_eq!(min_os(&for_macos(13, 5), r#"{"node": ">= 24"}"#), None);
    // The engines promise an older Node, or do not restrict the version.
    for engines in
        ["{}", r#"{"node": "*"}"#, r#"{"node": ">=0"}"#, r#"{"node": ">=18"}"#, r#"{"node": "20 || 22"}"#]
    {
        assert!(min_os(&for_macos(11, 0), engines).is_some(), "{engines}");
    }
}

#[test]
fn the_evidence_names_the_node_that_sets_the_floor() {
    assert_eq!(
        min_os(&for_macos(12, 0), r#"{"node": ">=22"}"#).unwrap(),
        "the addon needs macOS 12.0; the oldest supported version is 11.0 (macOS 12.0 in LC_BUILD_VERSION or \
         LC_VERSION_MIN_MACOSX; Node 22, the oldest of engines.node \">=22\", needs macOS 11.0 itself)"
    );
    let found = min_os(&for_macos(12, 0), r#"{"node": ">=20"}"#).unwrap();
    assert!(found.ends_with("LC_BUILD_VERSION or LC_VERSION_MIN_MACOSX)"), "{found}");
}

#[test]
fn a_floor_from_a_policy_file_does_not_rise() {
    let from = |text| Policy::from_toml(Path::new("p.toml"), text).unwrap();
    let engines = r#"{"node": ">=22"}"#;
    let count = |policy: &Policy| findings(X64, &for_macos(11, 0), engines, policy).len();
    assert_eq!(count(&from("[floors]\nmacos-x64 = \"10.15\"")), 1);
    assert_eq!(count(&from("[floors]\nmacos-x64 = \"12.0\"")), 0);
    assert_eq!(count(&from("[floors]\nglibc = \"2.17\"")), 0, "another floor");
}

/// Every Node runs on the floors of the default policy: glibc 2.28, GLIBCXX 3.4.21, CXXABI 1.3.11.
#[test]
fn linux_floors_rise_only_if_the_policy_is_below_the_default() {
    let versions = |library, version| vec![Need { library, version, weak: false, symbols: vec!["f"] }];
    let glibc = Maker { versions: versions("libc.so.6", "GLIBC_2.28"), ..Maker::addon() }.make();
    let cxx = Maker { versions: versions("libstdc++.so.6", "GLIBCXX_3.4.21"), ..Maker::addon() }.make();
    let mut policy = Policy::default();
    policy.floors.glibc = "2.17".parse().unwrap();
    policy.floors.glibcxx = "3.4.19".parse().unwrap();
    for content in [&glibc, &cxx] {
        assert_eq!(findings(NAME, content, r#"{"node": ">=18"}"#, &policy), []);
        assert_eq!(findings(NAME, content, r#"{"node": ">=16"}"#, &policy).len(), 1);
        let firm = Policy { firm: node_audit::FirmFloors::ALL, ..policy.clone() };
        assert_eq!(findings(NAME, content, r#"{"node": ">=18"}"#, &firm).len(), 1);
    }
}
