//! The options `--explain` and `--facts`, which print no verdict.

use node_audit::{NamedPolicy, RULES};
use serde_json::Value;

use crate::command::{folder, node_audit};
use crate::object_maker::NAME;

#[test]
fn every_rule_is_explained() {
    let folder = folder();
    for rule in RULES {
        let (status, out, err) = node_audit(&folder, &["--explain", rule.id]);
        assert_eq!((status, err.as_str()), (0, ""));
        assert!(out.starts_with(&format!("{} ({})\n", rule.id, rule.severity)), "{out}");
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert!(words(&out).ends_with(&words(rule.explanation)), "{out}");
        assert!(rule.explanation.contains('\n'), "{} has no paragraph with a remedy", rule.id);
        assert!(out.lines().all(|line| line.chars().count() <= 100), "{out}");
    }
}

/// Policy files, scripts and code hosts refer to rules by these ids.
const IDS: &[(&str, &str)] = &[
    ("damaged", "error"),
    ("arch", "error"),
    ("napi-entry", "error"),
    ("context-aware", "warning"),
    ("napi-version", "info"),
    ("glibc-floor", "error"),
    ("libstdcxx", "error"),
    ("needed", "error"),
    ("undefined-symbols", "error"),
    ("runpath", "error"),
    ("static-tls", "error"),
    ("nodelete", "warning"),
    ("load-command", "error"),
    ("install-name", "warning"),
    ("page-size", "warning"),
    ("min-os", "error"),
    ("signature", "error"),
    ("imports", "error"),
    ("symbols", "error"),
    ("store-path", "warning"),
    ("build-path", "warning"),
    ("hardening", "warning"),
    ("stripped", "info"),
    ("size", "warning"),
    ("package", "error"),
    ("node-abi", "error"),
];

#[test]
fn ids_and_severities_are_stable() {
    let rules = RULES.map(|rule| (rule.id, rule.severity.to_string()));
    let rules: Vec<(&str, &str)> = rules.iter().map(|(id, severity)| (*id, severity.as_str())).collect();
    assert_eq!(rules, IDS);
}

const README: &str = include_str!("../../README.md");

/// The table once listed the severities of some rules in another order, and lacked two options.
#[test]
fn the_readme_lists_each_rule_with_its_default_severity_first_and_each_option() {
    for rule in RULES {
        let row = format!("\n| `{}` | {}", rule.id, rule.severity);
        let rest = README.split(&row).nth(1).unwrap_or_else(|| panic!("README has no row that begins {row}"));
        assert!(rest.starts_with(" |") || rest.starts_with(", "), "{row}");
    }
    let (_, help, _) = node_audit(&folder(), &["--help"]);
    let words = help.split(|c: char| !c.is_ascii_lowercase() && c != '-');
    let options: Vec<&str> =
        words.filter(|word| word.starts_with("--") && !["--help", "--version"].contains(word)).collect();
    assert!(options.len() > 7, "{options:?}");
    for option in options {
        let is_row = |line: &str| line.starts_with("| `-") && line.contains(&format!("`{option}"));
        assert!(README.lines().any(is_row), "README's table of options lacks {option}");
    }
}

#[test]
fn without_a_rule_every_rule_is_listed() {
    let (status, out, _) = node_audit(&folder(), &["--explain"]);
    assert_eq!(status, 0);
    let mut lines = out.lines().filter(|line| !line.starts_with(' '));
    for rule in RULES {
        let words: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
        assert_eq!(words[..2], [rule.id, &rule.severity.to_string()], "{out}");
    }
    let rest: Vec<&str> = lines.collect();
    assert_eq!(rest[..2], ["", "Policies (--policy):"]);
    let names: Vec<&str> = rest[2..].iter().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, NamedPolicy::ALL.map(|policy| policy.name));
}

#[test]
fn a_named_policy_is_explained_with_its_floors_and_sources() {
    for policy in NamedPolicy::ALL {
        let (status, out, err) = node_audit(&folder(), &["--explain", policy.name]);
        assert_eq!((status, err.as_str()), (0, ""));
        assert!(out.contains("https://") && out.contains("\nglibc = \""), "{out}");
    }
}

#[test]
fn an_unknown_rule_gives_status_2_and_a_list_of_every_rule() {
    let folder = folder();
    let (status, out, err) = node_audit(&folder, &["--explain", "x\u{1b}[31m"]);
    assert_eq!((status, out.as_str()), (2, ""));
    assert!(err.starts_with("node-audit: unknown rule `x\\u{1b}[31m`; the rules are:\n"), "{err}");
    assert!(RULES.iter().all(|rule| err.contains(&format!("\n{} ", rule.id))), "{err}");
}

#[test]
fn facts_contain_no_verdict() {
    let folder = folder();
    let (status, out, err) = node_audit(&folder, &["--facts", "bad.linux-x64-gnu.node", NAME]);
    assert_eq!((status, err.as_str()), (0, ""));
    let words = out.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "bad.linux-x64-gnu.node format ELF shared object, 64 bit, little-endian",
        "libraries libssl.so.3 C library",
        "libraries libc.so.6 C library glibc",
        "versions GLIBC_2.17 of libc.so.6: malloc, free",
        "exports 1: napi_register_module_v1",
    ] {
        assert!(words.contains(part), "{part} is not in\n{out}");
    }
    assert!(!out.contains("error") && !out.contains("fix:"), "{out}");
}

#[test]
fn facts_in_json_have_the_files_name_and_every_field() {
    let (status, out, _) = node_audit(&folder(), &["--facts", "--format=json", NAME]);
    assert_eq!(status, 0);
    let facts: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(facts.as_array().unwrap().len(), 1);
    assert_eq!(facts[0]["file"], NAME);
    assert_eq!(facts[0]["cpu"], "x64");
    assert_eq!(facts[0]["details"]["format"], "ELF");
    assert_eq!(facts[0]["details"]["libc"], "glibc");
}

#[test]
fn facts_of_an_unreadable_file_give_status_2() {
    let (status, out, err) = node_audit(&folder(), &["--facts", "text.node", NAME]);
    assert_eq!(status, 2);
    assert!(out.starts_with(NAME), "{out}");
    assert!(err.starts_with("node-audit: text.node: is text, not an addon"), "{err}");
}

/// node-audit once reported a path that the user had not given, or ignored the format.
#[test]
fn explain_refuses_a_format() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["--explain", "--format", "json"][..], &["--explain", "arch", "--format=json"]] {
        let (status, out, err) = node_audit(&folder, arguments);
        assert_eq!((status, out.as_str()), (2, ""), "{arguments:?}");
        assert!(err.contains("--explain prints text only: leave --format out"), "{err}");
    }
}
