//! The install name of a library.

use node_audit::Severity;
use object::macho::MH_DYLIB;

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
fn paths_of_the_build_machine_are_told_apart() {
    assert_eq!(severity(Some("/Users/runner/x/target/release/deps/libx.dylib")), Some(Severity::Error));
    assert_eq!(severity(Some("/nix/store/abc-x/lib/libx.dylib")), Some(Severity::Error));
    assert_eq!(severity(Some("/opt/x/libx.dylib")), Some(Severity::Warning));
    for name in ["@rpath/x.node", "@loader_path/x.node", "x.node"] {
        assert_eq!(severity(Some(name)), None, "{name}");
    }
    assert_eq!(severity(None), None);
}
