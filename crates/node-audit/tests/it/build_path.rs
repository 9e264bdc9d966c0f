//! Paths of the build machine in an addon.

use node_audit::Severity;

use crate::object_maker::{Maker, NAME};

const RULE: &str = "build-path";

fn with(texts: &[&str]) -> Maker {
    Maker { data: texts.join("\0").into_bytes(), ..Maker::addon() }
}

#[test]
fn paths_of_the_build_machine_are_one_warning_grouped_by_directory() {
    let registry = "/home/me/.cargo/registry/src/index-1";
    let texts = [
        &format!("{registry}/a-1.0.0/src/lib.rs"),
        "/home/me/project/x.c",
        &format!("{registry}/b-1.0.0/src/lib.rs"),
        "D:\\a\\addon\\addon\\src\\x.cc",
        "/tmp/tmp1/src/x.cc",
        "C:\\Users\\you\\x\\y\\z.cc",
        "/root/project/src/lib.rs",
    ];
    let found = with(&texts).findings(NAME, RULE);
    assert_eq!((found.len(), found[0].severity), (1, Severity::Warning));
    assert_eq!(
        found[0].message,
        "the file contains 7 paths of the build machine, with the user names me, you"
    );
    assert_eq!(
        found[0].evidence,
        "/home/me/.cargo/registry (2 paths), /home/me/project (1 path), D:\\a\\addon (1 path), /tmp/tmp1 (1 path), \
         C:\\Users\\you\\x (1 path), /root/project (1 path)"
    );
}

#[test]
fn the_rarest_directories_are_only_counted() {
    let texts: Vec<String> = (0..10).map(|number| format!("/home/me/{number}/x.c")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let found = with(&texts).findings(NAME, RULE);
    assert!(found[0].evidence.ends_with(" and 4 more directories (4 paths)"), "{}", found[0].evidence);
}

#[test]
fn one_path_is_reported_in_the_singular() {
    let found = with(&["/build/source/x.c"]).findings(NAME, RULE);
    assert_eq!(found[0].message, "the file contains 1 path of the build machine");
    assert_eq!(found[0].evidence, "/build/source (1 path)");
    let message = |path| with(&[path]).findings(NAME, RULE)[0].message.clone();
    assert!(message("/home/me/project/x.c").ends_with("of the build machine, with the user name me"));
    // The user name of a build service identifies nobody, so the message omits the name.
    assert!(message("/home/runner/project/x.c").ends_with("of the build machine"));
}

#[test]
fn paths_beyond_the_limit_are_reported_as_at_least_the_limit() {
    let texts: Vec<String> = (0..10_001).map(|number| format!("/home/me/project/{number}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let found = with(&texts).findings(NAME, RULE);
    assert!(found[0].message.starts_with("the file contains at least 10000 paths "), "{}", found[0].message);
}

#[test]
fn paths_that_the_program_itself_uses_are_ignored() {
    let own = ["/tmp/app.sock", "/home/", "https://host/home/me/x", "/usr/local/home/me/x", "/tmp/x/%s.log"];
    assert_eq!(with(&own).findings(NAME, RULE), []);
    assert_eq!(Maker::addon().findings(NAME, RULE), []);
}
