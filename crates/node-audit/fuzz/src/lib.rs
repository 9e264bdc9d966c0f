//! The bodies of the fuzz targets. The tests of node-audit run each target on a few thousand inputs.
//!
//! The fuzzer itself finds panics, endless loops and unbounded memory. The assertions here check that an error names the file,
//! and that no text from the file contains a control character.

use std::path::Path;

use node_audit::{
    Audit, Locations, Policy, Severity, audit_content, audit_paths, findings_table, github, json, read_facts,
    sarif, table, verdict_lines, verdicts,
};

/// The name of each format, the first bytes of its files, and the platform that the input's name claims. The first bytes
/// overwrite the start of each input, so that the reader accepts the input's format.
const FORMATS: [(&str, &[u8], &str); 3] = [
    ("elf", b"\x7fELF", "linux-x64-musl"),
    ("macho", b"\xcf\xfa\xed\xfe", "darwin-universal"),
    ("pe", b"MZ", "win32-x64-msvc"),
];

/// Audits an input as an addon of a format: `elf`, `macho` or `pe`.
///
/// An input that begins like a fat Mach-O file keeps its first bytes.
pub fn addon(format: &str, content: &[u8]) {
    let Some((_, magic, platform)) = FORMATS.iter().find(|(name, ..)| *name == format) else {
        panic!("no format {format}");
    };
    let mut content = content.to_vec();
    if !content.starts_with(b"\xca\xfe\xba") && content.len() >= magic.len() {
        content[..magic.len()].copy_from_slice(magic);
    }
    let name = format!("fuzzed.{platform}.node");
    check(&audit_content(Path::new(&name), &content, &Policy::default()));
    if let Err(error) = read_facts(Path::new(&name), &content) {
        check_error(&error.to_string(), &name);
    }
}

/// Audits an input as an npm tarball.
pub fn tarball(content: &[u8]) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("fuzzed.tgz");
    std::fs::write(&path, content).expect("a temporary file");
    let audit = audit_paths(&[path], &Policy::default(), &());
    check(&audit);
    for failure in &audit.failures {
        check_error(&failure.to_string(), "fuzzed.tgz");
    }
    let left: Vec<_> = std::fs::read_dir(folder.path()).expect("the folder").flatten().collect();
    assert_eq!(left.len(), 1, "the audit wrote a file: {left:?}");
}

fn check(audit: &Audit) {
    let reports = &audit.reports();
    let (all, nowhere) = (Severity::Info, Locations::default());
    json(reports, all).expect("a report as JSON");
    sarif(audit, &nowhere, all).expect("a report as SARIF");
    assert!(!table(reports, 100).is_empty() && !findings_table(audit, all, 60).is_empty());
    let annotations = github(audit, &nowhere, all);
    assert!(annotations.lines().all(|line| line.starts_with("::")), "{annotations}");
    let lines = verdict_lines(&verdicts(audit, &Policy::default()), 60);
    assert!(!lines.chars().any(|c| c.is_control() && c != '\n'), "{lines:?}");
    for finding in reports.iter().flat_map(|report| &report.findings) {
        for text in [&finding.message, &finding.evidence, &finding.remedy] {
            assert!(!text.is_empty() && !text.chars().any(char::is_control), "{finding:#?}");
        }
    }
}

fn check_error(message: &str, file: &str) {
    assert!(message.contains(file), "{message}");
    assert!(!message.chars().any(char::is_control), "{message:?}");
}
