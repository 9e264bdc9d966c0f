//! The rule `store-path`: names of Nix store objects in an addon.

use node_audit::Severity;

use crate::object_maker::{Maker, NAME};

const RULE: &str = "store-path";
const GLIBC: &str = "/nix/store/maxa3xhmxggrc5v2vc0c3pjb79hjlkp9-glibc-2.40-66";
const GCC: &str = "/nix/store/mhd0rk497xm0xnip7262xdw9bylvzh99-gcc-13.3.0-lib";

fn with(texts: &[&str]) -> Maker {
    Maker { data: texts.join("\0").into_bytes(), ..Maker::addon() }
}

#[test]
fn a_live_reference_is_a_warning_that_names_the_object() {
    let found = with(&[&format!("{GLIBC}/lib/libc.so.6")]).findings(NAME, RULE);
    assert_eq!((found.len(), found[0].severity), (1, Severity::Warning));
    assert!(
        found[0].message.starts_with("the file contains the paths of 1 object in /nix/store"),
        "{}",
        found[0].message
    );
    assert_eq!(found[0].evidence, GLIBC);
}

#[test]
fn each_object_is_counted_once() {
    let texts = [&format!("{GLIBC}/lib/a"), &format!("{GCC}/lib/b"), &format!("{GLIBC}/lib/c")];
    let found = with(&texts.map(String::as_str)).findings(NAME, RULE);
    assert!(
        found[0].message.starts_with("the file contains the paths of 2 objects in"),
        "{}",
        found[0].message
    );
    assert_eq!(found[0].evidence, format!("{GLIBC}, {GCC}"));

    let guix = with(&["/gnu/store/maxa3xhmxggrc5v2vc0c3pjb79hjlkp9-glibc-2.40"]).findings(NAME, RULE);
    assert!(guix[0].message.contains("/gnu/store"), "{}", guix[0].message);
}

#[test]
fn scrubbed_references_and_other_paths_are_not_reported() {
    let scrubbed = "/nix/store/eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee-vendor-cargo-deps/x/src/lib.rs";
    assert_eq!(with(&[scrubbed, "/nix/store/", "/home/me/x.c"]).findings(NAME, RULE), []);
    assert_eq!(with(&[scrubbed]).findings(NAME, "build-path"), []);
    assert_eq!(with(&[GLIBC]).findings(NAME, "build-path"), []);
}
