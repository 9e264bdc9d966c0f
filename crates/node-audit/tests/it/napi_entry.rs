//! The rule `napi-entry`: the entry point of an addon.

use node_audit::Severity;
use object::elf;

use crate::object_maker::{Maker, NAME};

const RULE: &str = "napi-entry";

#[test]
fn an_exported_entry_point_is_enough() {
    assert_eq!(Maker::addon().findings(NAME, RULE), []);
}

#[test]
fn a_constructor_that_registers_is_enough() {
    let registers = |import, numbers: &[_]| Maker {
        imports: vec![import],
        exports: vec![],
        numbers: numbers.to_vec(),
        ..Maker::addon()
    };
    let constructor = [(elf::DT_INIT_ARRAY, 0x1000), (elf::DT_INIT_ARRAYSZ, 8)];
    assert_eq!(registers("napi_module_register", &constructor).findings(NAME, RULE), []);

    let never_called = registers("napi_module_register", &[]).findings(NAME, RULE);
    assert_eq!(never_called[0].severity, Severity::Error);

    let v8 = registers("node_module_register", &constructor).findings(NAME, RULE);
    assert_eq!(v8[0].severity, Severity::Info);
    assert!(v8[0].message.contains("V8/NAN"), "{}", v8[0].message);
}

#[test]
fn a_missing_entry_point_is_an_error_that_lists_the_exports() {
    let none = Maker { exports: vec![], ..Maker::addon() }.findings(NAME, RULE);
    assert_eq!((none.len(), none[0].severity), (1, Severity::Error));
    assert_eq!(none[0].evidence, "the addon exports no symbol");

    let hidden = Maker { exports: vec![], hidden: vec!["napi_register_module_v1"], ..Maker::addon() };
    assert_eq!(hidden.findings(NAME, RULE)[0].severity, Severity::Error);

    let names = vec!["one", "two", "three", "four", "five", "six", "seven"];
    let others = Maker { exports: names, ..Maker::addon() }.findings(NAME, RULE);
    assert_eq!(
        others[0].evidence,
        "7 exported names, and no entry point among them: one, two, three, four, five and 2 more"
    );
}

#[test]
fn a_v8_entry_point_names_its_only_node() {
    let v8 = |export| Maker { exports: vec![export], ..Maker::addon() }.findings(NAME, RULE).remove(0);
    let known = v8("node_register_module_v115");
    assert_eq!(known.severity, Severity::Info);
    assert!(known.message.contains("for ABI 115, which is Node 20"), "{}", known.message);
    let electron = v8("node_register_module_v130").message;
    assert!(
        electron.contains("for ABI 130, which is Electron 33, and loads only in releases with this ABI"),
        "{electron}"
    );
    let unknown = v8("node_register_module_v7").message;
    assert!(unknown.contains("for ABI 7, and loads"), "{unknown}");
}

/// deasync 0.1.32 still has a file for Node 0.10 beside the files for later releases.
#[test]
fn an_addon_for_the_first_abi_has_another_entry_point() {
    let old = Maker { exports: vec!["x_module"], ..Maker::addon() };
    let severity = |name| old.findings(name, RULE)[0].severity;
    assert_eq!(severity("bin/linux-x64-node-0.10/x.node"), Severity::Info);
    assert_eq!(severity("bin/linux-x64-node-0.12/x.node"), Severity::Error);
}

#[test]
fn node_api_with_calls_into_v8_is_a_warning() {
    let imports = vec!["napi_create_function", "_ZN2v87Isolate10GetCurrentEv"];
    let mixed = Maker { imports, ..Maker::addon() }.findings(NAME, RULE);
    assert_eq!((mixed.len(), mixed[0].severity), (1, Severity::Warning));
    assert_eq!(mixed[0].evidence, "_ZN2v87Isolate10GetCurrentEv");
}

#[test]
fn an_abi_in_the_name_must_match_the_entry_point() {
    let v8 = Maker { exports: vec!["node_register_module_v115"], ..Maker::addon() };
    let found = |object: &Maker, name| {
        let findings = object.findings(name, RULE);
        findings.into_iter().map(|finding| (finding.severity, finding.message)).collect::<Vec<_>>()
    };
    assert_eq!(found(&v8, "linux-x64/node.abi115.node")[0].0, Severity::Info);
    let other = found(&v8, "linux-x64/node.abi108.node");
    assert_eq!(other[0].0, Severity::Error);
    assert!(
        other[0].1.starts_with(
            "the addon's name claims Node's ABI 108, but the addon is a V8/NAN addon for ABI 115"
        )
    );
    assert_eq!(found(&v8, "lib/binding/node-v127-linux-x64/x.node")[0].0, Severity::Error);
    assert_eq!(found(&Maker::addon(), "linux-x64/node.abi108.node"), []);
}

/// Every Node crashes with a segmentation fault, but node-audit once reported nothing.
#[test]
fn an_entry_point_that_is_a_variable_is_an_error() {
    let object = Maker { variables: vec!["napi_register_module_v1"], ..Maker::addon() };
    let found = object.findings(NAME, RULE);
    assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
    assert!(found[0].message.starts_with("the addon's entry point is a variable"), "{}", found[0].message);
    let code = Maker { load: elf::PF_R | elf::PF_X, ..object };
    assert_eq!(code.findings(NAME, RULE), []);
}
