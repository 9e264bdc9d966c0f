//! The rule `nodelete`: addons that must stay loaded.

use node_audit::{Finding, Severity};
use object::elf;

use crate::object_maker::{Maker, NAME};

fn imports(names: &[&'static str]) -> Maker {
    Maker { imports: names.to_vec(), ..Maker::addon() }
}

fn only(findings: Vec<Finding>) -> Finding {
    assert_eq!(findings.len(), 1, "{findings:#?}");
    findings.into_iter().next().unwrap()
}

#[test]
fn thread_keys_with_destructors_are_a_warning() {
    let finding = only(imports(&["pthread_key_create"]).findings(NAME, "nodelete"));
    assert_eq!(finding.severity, Severity::Warning);
    assert_eq!(finding.evidence, "imports pthread_key_create, without DF_1_NODELETE");
    assert!(finding.remedy.contains("-z,nodelete"));

    let rust = imports(&["__cxa_thread_atexit_impl", "pthread_key_create"]);
    assert_eq!(only(rust.findings(NAME, "nodelete")).severity, Severity::Warning);
}

/// glibc counts these destructors, and keeps a library loaded until its destructors have run.
#[test]
fn destructors_that_glibc_counts_are_info() {
    for name in ["__cxa_thread_atexit_impl", "__cxa_thread_atexit"] {
        let finding = only(imports(&[name]).findings(NAME, "nodelete"));
        assert_eq!(finding.severity, Severity::Info, "{name}");
        assert!(finding.message.contains("glibc waits"), "{}", finding.message);
    }
}

#[test]
fn an_addon_that_stays_loaded_is_fine() {
    let object = imports(&["pthread_key_create", "__cxa_thread_atexit_impl"]);
    let flags = elf::DF_1_NODELETE.0 | elf::DF_1_NOW.0;
    let kept = Maker { numbers: vec![(elf::DT_FLAGS_1, flags)], ..object.clone() };
    assert_eq!(kept.findings(NAME, "nodelete"), []);

    // musl never unmaps a library.
    let musl = Maker { imports: object.imports.clone(), ..Maker::musl() };
    assert_eq!(musl.findings("addon.linux-x64-musl.node", "nodelete"), []);
    assert_eq!(object.findings("addon.android-x64.node", "nodelete"), []);
    assert_eq!(imports(&["pthread_create", "pthread_getspecific"]).findings(NAME, "nodelete"), []);
}
