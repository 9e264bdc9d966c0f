//! The rule `install-name`: the install name of a library.

use node_audit::{Policy, Severity, audit_paths};
use object::macho::{LC_LOAD_DYLIB, MH_DYLIB};

use crate::macho_maker::{MachO, NAME};

fn severity(id: Option<&'static str>) -> Option<Severity> {
    let found = MachO { kind: MH_DYLIB, id, ..MachO::addon() }.findings(NAME, "install-name");
    assert!(found.len() < 2);
    found.first().map(|finding| {
        assert_eq!(finding.evidence, format!("LC_ID_DYLIB {}", id.unwrap()));
        finding.severity
    })
}

#[test]
fn the_message_distinguishes_kinds_of_paths() {
    let message =
        |id| MachO { kind: MH_DYLIB, id, ..MachO::addon() }.findings(NAME, "install-name").remove(0).message;
    for name in ["/Users/runner/x/target/release/deps/libx.dylib", "/nix/store/abc-x/lib/libx.dylib"] {
        assert_eq!(severity(Some(name)), Some(Severity::Warning), "{name}");
        assert!(message(Some(name)).ends_with("a directory of the build machine"));
    }
    assert_eq!(severity(Some("/opt/x/libx.dylib")), Some(Severity::Warning));
    assert!(message(Some("/opt/x/libx.dylib")).ends_with("a directory that packages do not install into"));
    for name in ["@rpath/x.node", "@loader_path/x.node", "x.node"] {
        assert_eq!(severity(Some(name)), None, "{name}");
    }
    assert_eq!(severity(None), None);
}

/// macOS ignores the install name of a file that Node opens. The name matters only if another file loads the addon.
#[test]
fn a_bad_name_is_an_error_if_another_file_loads_the_addon() {
    let id = "/Users/runner/x/target/release/deps/libx.dylib";
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| std::fs::write(folder.path().join(name), content).unwrap();
    write("package.json", br#"{"name": "x"}"#);
    write(NAME, &MachO { kind: MH_DYLIB, id: Some(id), ..MachO::addon() }.make());
    let user = |path| MachO { dylibs: vec![(LC_LOAD_DYLIB, path)], ..MachO::addon() }.make();
    let found = || {
        let audit = audit_paths(&[folder.path().to_path_buf()], &Policy::default(), &());
        let findings = audit.files.into_iter().flat_map(|file| file.report.findings);
        findings.filter(|finding| finding.rule == "install-name").collect::<Vec<_>>()
    };
    write("user.darwin-arm64.node", &user("@loader_path/addon.darwin-arm64.node"));
    assert_eq!(found().iter().map(|finding| finding.severity).collect::<Vec<_>>(), [Severity::Warning]);
    write("user.darwin-arm64.node", &user(id));
    let found = found();
    assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
    assert!(found[0].evidence.contains("user.darwin-arm64.node"), "{}", found[0].evidence);
}
