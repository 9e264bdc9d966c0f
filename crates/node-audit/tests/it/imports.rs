//! The rule `imports`: the DLLs that an addon imports from.

use node_audit::{Finding, Policy, Severity, audit};

use crate::pe_maker::{Imports, NAME, PeMaker};

fn findings(imports: &[Imports]) -> Vec<Finding> {
    PeMaker { imports: imports.to_vec(), ..PeMaker::addon() }.findings(NAME, "imports")
}

#[test]
fn windows_libraries_and_a_delay_loaded_node_are_fine() {
    assert_eq!(PeMaker::addon().findings(NAME, "imports"), []);
    for dll in [
        "KERNEL32.dll",
        "kernel32.DLL",
        "ntdll.dll",
        "bcryptprimitives.dll",
        "api-ms-win-crt-heap-l1-1-0.dll",
        "API-MS-Win-core-synch-l1-2-0.dll",
        "ext-ms-win-ntuser-window-l1-1-0.dll",
        "WINSPOOL.DRV",
    ] {
        assert_eq!(findings(&[(dll, vec!["Name"])]), [], "{dll}");
    }
}

#[test]
fn a_dll_that_windows_lacks_is_an_error() {
    for (dll, part) in [
        ("VCRUNTIME140.dll", "Visual C++ redistributable"),
        ("VCRUNTIME140_1.dll", "Visual C++ redistributable"),
        ("MSVCP140.dll", "Visual C++ redistributable"),
        ("VCRUNTIME140D.dll", "a debug version of the run-time library"),
        ("ucrtbased.dll", "a debug version of the run-time library"),
        ("libwinpthread-1.dll", "the compiler's run-time library"),
        ("libcrypto-3-x64.dll", "which Windows lacks"),
        ("libnode.dll", "not in Node"),
    ] {
        let found = findings(&[("KERNEL32.dll", vec!["Sleep"]), (dll, vec!["memcpy", "#7"])]);
        assert_eq!((found.len(), found[0].severity), (1, Severity::Error), "{dll}");
        assert!(found[0].message.contains(part), "{}", found[0].message);
        assert_eq!(found[0].evidence, format!("imports from {dll}: memcpy, #7"));
    }
}

#[test]
fn a_delay_loaded_dll_is_a_warning() {
    let delayed = vec![("zlib1.dll", vec!["inflate"])];
    let found = PeMaker { delayed, ..PeMaker::addon() }.findings(NAME, "imports");
    assert_eq!((found.len(), found[0].severity), (1, Severity::Warning));
    assert_eq!(
        found[0].message,
        "the addon needs zlib1.dll, which Windows lacks; Windows loads the library at the first call"
    );
}

#[test]
fn node_without_delay_loading_is_a_warning() {
    let found = findings(&[("node.exe", vec!["napi_create_function"])]);
    assert_eq!((found.len(), found[0].severity), (1, Severity::Warning));
    assert!(found[0].message.contains("not in Electron"), "{}", found[0].message);
}

#[test]
fn a_dll_beside_the_addon_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(NAME);
    let imports = vec![("LIBVIPS-42.dll", vec!["vips_init"])];
    std::fs::write(&file, PeMaker { imports, ..PeMaker::addon() }.make()).unwrap();
    let found = || audit(&file, &Policy::default()).unwrap().findings;
    assert_eq!(found().len(), 1);
    std::fs::write(folder.path().join("libvips-42.dll"), PeMaker::addon().make()).unwrap();
    assert_eq!(found(), []);
}

#[test]
fn the_policy_can_allow_more_dlls() {
    let mut policy = Policy::default();
    policy.allowed.windows.push("VcRuntime140*.dll".to_owned());
    let imports = vec![("VCRUNTIME140_1.dll", vec!["__CxxFrameHandler4"])];
    let object = PeMaker { imports, ..PeMaker::addon() };
    assert_eq!(object.findings_by(NAME, "imports", &policy), []);
    assert_eq!(object.findings(NAME, "imports").len(), 1);
}
