//! The rule `napi-version`: the Node-API version that an addon needs.
//!
//! A single addon belongs to no package, so the promises of package.json are tested in the rule's own file.

use node_audit::{Finding, Policy, Severity, audit_paths};

use crate::object_maker::{Maker, NAME};
use crate::tarball_maker::Tarball;

const RULE: &str = "napi-version";

fn importing(imports: &[&'static str]) -> Vec<Finding> {
    Maker { imports: imports.to_vec(), ..Maker::addon() }.findings(NAME, RULE)
}

#[test]
fn the_first_version_is_not_reported() {
    assert_eq!(importing(&["napi_create_function", "malloc"]), []);
}

#[test]
fn the_newest_function_sets_the_version() {
    let found = importing(&["napi_wrap", "napi_object_seal", "node_api_symbol_for", "napi_create_date"]);
    assert_eq!((found.len(), found[0].severity), (1, Severity::Info));
    assert_eq!(found[0].message, "the addon needs Node-API 9: Node 18.17, 20.3 and later");
    assert_eq!(found[0].evidence, "Node-API 9: imports node_api_symbol_for");
    assert!(found[0].remedy.contains("\"node\": \">=18.17 <19.0 || >=20.3\""), "{}", found[0].remedy);
}

#[test]
fn an_experimental_function_is_a_warning() {
    let found = importing(&["napi_wrap", "node_api_post_finalizer"]);
    assert_eq!((found.len(), found[0].severity), (1, Severity::Warning));
    assert_eq!(found[0].evidence, "imports node_api_post_finalizer");
}

#[test]
fn functions_looked_up_at_run_time_are_not_checked() {
    let found = importing(&["dlsym"]);
    assert_eq!((found.len(), found[0].severity), (1, Severity::Info));
    assert!(found[0].message.contains("looks up its functions at run time"), "{}", found[0].message);
}

#[test]
fn a_v8_addon_needs_no_node_api() {
    let v8 = Maker { imports: vec!["malloc"], exports: vec!["node_register_module_v115"], ..Maker::addon() };
    assert_eq!(v8.findings(NAME, RULE), []);
}

/// The info about one addon once suggested a range that the error about another addon forbids.
#[test]
fn all_findings_of_a_package_suggest_the_same_range() {
    let addon = |name| Maker { imports: vec![name], ..Maker::addon() }.make();
    let found = |engines: &str| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.tgz");
        let tarball = Tarball::package(&format!(r#"{{"name": "p"{engines}}}"#))
            .file("package/x.linux-x64-gnu.node", &addon("napi_object_seal"))
            .file("package/y.linux-x64-gnu.node", &addon("node_api_symbol_for"));
        std::fs::write(&path, tarball.gz()).unwrap();
        let audit = audit_paths(&[path], &Policy::default(), &());
        let findings = audit.files.into_iter().flat_map(|file| file.report.findings);
        let found = findings.filter(|finding| finding.rule == RULE);
        found.map(|finding| (finding.severity, finding.remedy)).collect::<Vec<_>>()
    };
    let set = |range: &str| format!("set \"engines\": {{ \"node\": \"{range}\" }} in package.json");
    for (engines, second, remedy) in [
        ("", Severity::Info, set(">=18.17 <19.0 || >=20.3")),
        (r#", "engines": {"node": ">=16"}"#, Severity::Error, set(">=18.17 <19.0 || >=20.3")),
        (
            r#", "engines": {"node": ">=22"}"#,
            Severity::Info,
            "keep package.json's engines within these releases".to_owned(),
        ),
    ] {
        assert_eq!(found(engines), [(Severity::Info, remedy.clone()), (second, remedy)], "{engines}");
    }
}
