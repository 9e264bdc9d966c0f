//! Addons for Windows on arm64: the names that claim the platform, the processors in PE headers, and Node's own imports.

use node_audit::{Cpu, Finding, Severity};
use object::pe;

use crate::pe_maker::PeMaker;

const NAME: &str = "addon.win32-arm64-msvc.node";

fn arm64() -> PeMaker {
    PeMaker { machine: pe::IMAGE_FILE_MACHINE_ARM64, ..PeMaker::addon() }
}

fn messages(found: &[Finding]) -> Vec<&str> {
    found.iter().map(|finding| finding.message.as_str()).collect()
}

#[test]
fn each_usual_name_claims_the_platform() {
    for name in [
        NAME,
        "prebuilds/win32-arm64.node",
        "prebuilds/win32-arm64/node.napi.node",
        "lib/sharp-win32-arm64-0.35.5.node",
        "releases/aarch64-pc-windows-msvc/index.node",
    ] {
        assert_eq!(arm64().findings(name, "arch"), [], "{name}");
        let found = PeMaker::addon().findings(name, "arch");
        assert_eq!(
            messages(&found),
            ["the addon claims win32-arm64-msvc, but is compiled for x64"],
            "{name}"
        );
        assert_eq!(found[0].severity, Severity::Error);
    }
    let found = arm64().findings("addon.win32-x64-msvc.node", "arch");
    assert_eq!(messages(&found), ["the addon claims win32-x64-msvc, but is compiled for arm64"]);
}

/// An ARM64EC file has x64's machine and hybrid metadata. An ARM64X file has both code for arm64 and ARM64EC code, so a
/// Node for arm64 loads the file.
#[test]
fn a_node_for_arm64_loads_arm64x_but_not_arm64ec() {
    let arm64ec = PeMaker { hybrid: true, ..PeMaker::addon() };
    let arm64x = PeMaker { hybrid: true, ..arm64() };
    assert_eq!(arm64x.findings(NAME, "arch"), []);
    for name in [NAME, "addon.win32-x64-msvc.node"] {
        let found = arm64ec.findings(name, "arch");
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        assert_eq!(found[0].severity, Severity::Error);
        assert!(found[0].message.contains("ARM64EC"), "{}", found[0].message);
    }
}

/// The machines of ARM64EC and ARM64X objects, 0xA641 and 0xA64E, are in no header of a linked file.
#[test]
fn the_machine_of_an_object_is_no_machine_that_a_node_has() {
    for (machine, name) in [
        (pe::IMAGE_FILE_MACHINE_ARM64EC, "machine 0xa641 (ARM64EC object)"),
        (pe::IMAGE_FILE_MACHINE_ARM64X, "machine 0xa64e (ARM64X object)"),
    ] {
        let object = PeMaker { machine, ..PeMaker::addon() };
        let facts = object.facts();
        assert_eq!((facts.cpu, facts.machine.as_str()), (None, name));
        let found = object.findings(NAME, "arch");
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        assert_eq!(found[0].severity, Severity::Error);
        assert!(found[0].message.contains(name), "{}", found[0].message);
    }
    assert_eq!(arm64().facts().cpu, Some(Cpu::Arm64));
}

/// The floors name glibc and macOS, and Windows has none: the same policy applies to both processors.
#[test]
fn names_imported_from_node_are_checked_as_on_x64() {
    let rule = "undefined-symbols";
    let with = |names: &[&'static str]| PeMaker { delayed: vec![("node.exe", names.to_vec())], ..arm64() };
    assert_eq!(with(&["napi_wrap", "uv_run"]).findings(NAME, rule), []);
    let found = with(&["napi_make_coffee"]).findings(NAME, rule);
    assert!(found.iter().all(|finding| finding.message.starts_with("napi_make_coffee")), "{found:?}");
    assert_eq!(found.len(), 1);
}
