//! The option `--policy FILE`: what a policy file changes, and the errors of an invalid file.

use std::path::Path;

use node_audit::{Hardening, Policy, RULES, Severity};

use crate::command::{folder, node_audit};
use crate::object_maker::{Maker, NAME, Need};

fn policy(text: &str) -> Result<Policy, String> {
    Policy::from_toml(Path::new("p.toml"), text).map_err(|error| error.to_string())
}

#[test]
fn an_empty_file_gives_the_default_policy() {
    assert_eq!(policy(""), Ok(Policy::default()));
    assert_eq!(
        policy("[floors]\n[allow]\n[only]\n[budget]\n[exports]\n[hardening]\n[severities]\n"),
        Ok(Policy::default())
    );
}

#[test]
fn the_example_changes_only_the_values_that_it_names() {
    let given = policy(include_str!("../../policy.example.toml")).unwrap();
    let default = Policy::default();
    let floors = &given.floors;
    let versions =
        [floors.glibc, floors.glibcxx, floors.cxxabi, floors.gcc, floors.macos_x64, floors.macos_arm64];
    assert_eq!(
        versions.map(|version| version.to_string()),
        ["2.17", "3.4.19", "1.3.7", "4.8", "10.13", "11.0"]
    );
    let mut glibc = default.allowed.glibc.clone();
    glibc.push("libasound.so.2".to_owned());
    assert_eq!(given.allowed.glibc, glibc, "allow adds");
    assert_eq!(given.allowed.musl, ["libc.so", "libc.musl-*.so.1", "ld-musl-*.so.1"], "only replaces");
    assert_ne!(given.allowed.musl, default.allowed.musl);
    assert_eq!(given.allowed.macos, default.allowed.macos);
    assert_eq!(given.size, 8_000_000);
    assert_eq!(given.other_exports, Severity::Warning);
    assert_eq!(given.hardening, Hardening { stack_protector: true, fortify: true });
    assert_eq!(given.severities["runpath"], Some(Severity::Error));
    assert_eq!(given.severities["napi-entry"], None);
    assert_eq!(given.severities.len(), 2);
}

#[test]
fn lists_under_only_replace_the_default_and_lists_under_allow_extend_it() {
    let policy = policy("[only]\nmacos = [\"/a\"]\n[allow]\nmacos = [\"/b\"]\n").unwrap();
    assert_eq!(policy.allowed.macos, ["/a", "/b"]);
}

#[test]
fn a_bad_policy_is_an_error_with_a_position_and_the_known_names() {
    for (text, place, parts) in [
        (
            "[severities]\nrunpath = \"error\"\nrun-path = \"off\"\n",
            "3:1",
            &["unknown rule `run-path`", "arch, napi-entry"][..],
        ),
        (
            "[severities]\n  runpath = \"fatal\"\n",
            "2:13",
            &["`fatal`", "`off`", "`info`", "`warning`", "`error`"],
        ),
        (
            "[floors]\nglibc = \"2\"\n",
            "2:9",
            &["`2` is not a version: expected two or three numbers, as in 2.28"],
        ),
        ("[floors]\nglibc = 2.28\n", "2:9", &["floating point `2.28`", "expected a string"]),
        ("[floors]\nmusl = \"1.2\"\n", "2:1", &["`musl`", "`glibc`", "`macos-arm64`"]),
        ("[floor]\n", "1:2", &["`floor`", "`floors`", "`severities`"]),
        ("[budget]\nsize = \"8 XB\"\n", "2:8", &["`8 XB` is not a size", "B, kB, MB, KiB, MiB, GiB"]),
        ("[budget]\nsize = 8\n", "2:8", &["integer `8`", "expected a string"]),
        ("[allow]\nglibc = \"libz.so.1\"\n", "2:9", &["expected a sequence"]),
        ("[allow]\nbeos = []\n", "2:1", &["`beos`", "`windows`"]),
        ("[exports]\nothers = \"off\"\n", "2:10", &["`off`", "`info`"]),
        ("[hardening]\nfortify = 2\n", "2:11", &["integer `2`", "expected a boolean"]),
        ("[hardening]\ncfi = true\n", "2:1", &["`cfi`", "`stack-protector`"]),
        ("[floors\n", "1:8", &[]),
        ("\u{e4} = 1\n", "1:1", &[]),
        ("[severities]\nrunpath = \"off\"\nrunpath = \"off\"\n", "3:1", &["duplicate key"]),
    ] {
        let error = policy(text).unwrap_err();
        assert!(error.starts_with(&format!("p.toml:{place}: ")), "{text}: {error}");
        assert!(parts.iter().all(|part| error.contains(part)), "{text}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
    assert!(policy("[severities]\n\"\\u001b[31m\" = \"off\"\n").unwrap_err().contains("`\\u{1b}[31m`"));
}

#[test]
fn every_rule_can_be_given_a_severity() {
    for rule in RULES {
        let policy = policy(&format!("[severities]\n{} = \"info\"\n", rule.id)).unwrap();
        assert_eq!(policy.severities[rule.id], Some(Severity::Info));
    }
}

#[test]
fn the_command_applies_a_policy_file() {
    let folder = folder();
    let write = |name: &str, content: &[u8]| std::fs::write(folder.path().join(name), content).unwrap();
    let need = Need { library: "libc.so.6", version: "GLIBC_2.27", weak: false, symbols: vec!["x"] };
    write("floor.linux-x64-gnu.node", &Maker { versions: vec![need], ..Maker::addon() }.make());
    write("old.toml", b"[floors]\nglibc = \"2.17\"\n");
    let (status, out, _) = node_audit(&folder, &["--policy", "old.toml", "floor.linux-x64-gnu.node", NAME]);
    assert!(
        status == 1 && out.contains("the addon needs glibc 2.27; the oldest supported version is 2.17"),
        "{out}"
    );

    let bad = "bad.linux-x64-gnu.node";
    for (text, status, part) in [
        ("[allow]\nglibc = [\"libssl.so.*\"]\n", 0, "0 errors, 0 warnings"),
        ("[severities]\nneeded = \"warning\"\n", 0, "1 warning"),
        ("[severities]\nneeded = \"off\"\n", 0, "0 errors, 0 warnings"),
        ("[only]\nglibc = [\"libssl.so.3\"]\n", 0, "0 errors, 0 warnings"),
    ] {
        write("p.toml", text.as_bytes());
        let (actual, out, err) = node_audit(&folder, &["--policy=p.toml", bad]);
        assert!(actual == status && out.contains(part), "{text}: {out}{err}");
    }
}

#[test]
fn a_named_policy_sets_floors_and_comes_before_a_file() {
    let folder = folder();
    let need = Need { library: "libc.so.6", version: "GLIBC_2.31", weak: false, symbols: vec!["x"] };
    let file = "floor.linux-x64-gnu.node";
    std::fs::write(folder.path().join(file), Maker { versions: vec![need], ..Maker::addon() }.make())
        .unwrap();
    for (policy, status) in
        [("node20", 1), ("node22", 1), ("rhel-8", 1), ("debian-11", 0), ("lambda-al2023", 0)]
    {
        assert_eq!(node_audit(&folder, &["--policy", policy, file]).0, status, "{policy}");
    }
    std::fs::write(folder.path().join("rhel-8"), "[floors]\nglibc = \"2.40\"\n").unwrap();
    assert_eq!(node_audit(&folder, &["--policy", "rhel-8", file]).0, 1, "the named policy");
    assert_eq!(node_audit(&folder, &["--policy", "./rhel-8", file]).0, 0, "the file");
    let (status, out, err) = node_audit(&folder, &["--policy", "debian11", file]);
    assert_eq!((status, out.as_str()), (2, ""));
    let names = "; the named policies are node20, node22, lambda-al2023, debian-11, rhel-8\n";
    assert!(
        err.starts_with("node-audit: debian11: the policy cannot be read: ") && err.ends_with(names),
        "{err}"
    );
}

#[test]
fn a_bad_policy_gives_status_2_before_anything_is_read() {
    let folder = folder();
    std::fs::write(folder.path().join("p.toml"), "[severities]\nno-rule = \"off\"\n").unwrap();
    let (status, out, err) = node_audit(&folder, &["--policy", "p.toml", NAME]);
    assert_eq!((status, out.as_str()), (2, ""));
    assert!(
        err.starts_with("node-audit: p.toml:2:1: unknown rule `no-rule`; known rules: damaged, arch, "),
        "{err}"
    );
    let (status, out, err) = node_audit(&folder, &["--policy", "missing.toml", NAME]);
    assert_eq!((status, out.as_str()), (2, ""));
    assert!(err.starts_with("node-audit: missing.toml: the policy cannot be read: "), "{err}");
}

/// node-audit once read a policy from an endless device until memory ran out.
#[test]
fn an_endless_or_deeply_nested_policy_is_refused() {
    let folder = folder();
    let large = format!("# {}\n", "x".repeat(1 << 20));
    std::fs::write(folder.path().join("large.toml"), large).unwrap();
    let refused = |file: &str| Policy::from_file(&folder.path().join(file)).unwrap_err().to_string();
    assert!(refused("large.toml").ends_with(
        "cannot be read: the file is larger than 1024 KiB, the largest policy that node-audit reads"
    ));
    #[cfg(unix)]
    assert!(refused("/dev/zero").ends_with(
        "cannot be read: the file is larger than 1024 KiB, the largest policy that node-audit reads"
    ));
    for deep in ["a = ".to_owned() + &"[".repeat(100_000), "a = ".to_owned() + &"{a=".repeat(100_000)] {
        assert!(policy(&deep).unwrap_err().starts_with("p.toml:1:"));
    }
    assert!(policy(&format!("[{}a]", "a.".repeat(100_000))).unwrap_err().starts_with("p.toml:1:"));
    assert!(policy(&format!("{}a = 1", "a.".repeat(100_000))).unwrap_err().starts_with("p.toml:1:"));
}
