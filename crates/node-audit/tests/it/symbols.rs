//! The rule `symbols`: exported names.

use node_audit::{Finding, Policy, Severity};
use object::elf;

use crate::object_maker::{Maker, NAME};

const ENTRY: &str = "napi_register_module_v1";

fn exports(names: &[&'static str]) -> Maker {
    Maker { exports: names.to_vec(), ..Maker::addon() }
}

fn findings(object: &Maker) -> Vec<Finding> {
    object.findings(NAME, "symbols")
}

#[test]
fn entry_points_and_hidden_or_imported_names_are_fine() {
    assert_eq!(findings(&exports(&[ENTRY, "node_api_module_get_api_version_v1"])), []);
    let object = Maker { hidden: vec!["EVP_MD_fetch"], imports: vec!["uv_async_send"], ..Maker::addon() };
    assert_eq!(findings(&object), []);
}

#[test]
fn a_name_that_node_exports_is_an_error() {
    for (name, library) in [
        ("EVP_MD_fetch", "OpenSSL"),
        ("inflate", "zlib"),
        ("ZSTD_compress", "zstd"),
        ("sqlite3_open_v2", "SQLite"),
        ("uv_async_send", "libuv"),
    ] {
        let found = findings(&exports(&[ENTRY, name]));
        assert_eq!((found.len(), found[0].severity), (1, Severity::Error), "{name}");
        assert!(
            found[0].message.starts_with("1 of 2 exported symbols are also Node's"),
            "{}",
            found[0].message
        );
        assert_eq!(found[0].evidence, format!("{library}: {name}"));
    }
}

#[test]
fn clashes_are_counted_by_library() {
    let found = findings(&exports(&[ENTRY, "SSL_new", "sqlite3_open", "SSL_free"]));
    assert!(found[0].message.starts_with("3 of 4 exported symbols are also Node's (OpenSSL 2, SQLite 1):"));
    assert_eq!(found[0].evidence, "OpenSSL: SSL_new, SSL_free; SQLite: sqlite3_open");
}

#[test]
fn a_clash_in_an_addon_that_binds_to_itself_is_a_warning() {
    let numbers = vec![(elf::DT_FLAGS, elf::DF_SYMBOLIC.0)];
    let object = Maker { numbers, ..exports(&[ENTRY, "SSL_new"]) };
    assert_eq!(findings(&object)[0].severity, Severity::Warning);
}

#[test]
fn the_policy_sets_the_severity_of_other_names() {
    let object = exports(&[ENTRY, "my_helper", "_end"]);
    let found = findings(&object);
    assert_eq!((found.len(), found[0].severity), (1, Severity::Info));
    assert_eq!(found[0].message, "1 of the 2 exported symbols are not entry points");
    assert_eq!(found[0].evidence, "my_helper");

    let strict = Policy { other_exports: Severity::Error, ..Policy::default() };
    assert_eq!(object.findings_by(NAME, "symbols", &strict)[0].severity, Severity::Error);
}
