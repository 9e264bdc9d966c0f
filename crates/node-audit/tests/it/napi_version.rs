//! The rule `napi-version`: the Node-API version that an addon needs.
//!
//! A single addon belongs to no package, so the promises of package.json are tested in the rule's own file.

use node_audit::{Finding, Severity};

use crate::object_maker::{Maker, NAME};

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
