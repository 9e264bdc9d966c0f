//! Whether each addon is what its name says, and of this version.

use std::path::Path;

use anyhow::{Result, bail};
use node_audit::{Finding, Severity, audit_bytes, audit_paths};
use node_targets::Target;

use super::artifacts::{Addon, Artifacts};
use super::policy::policy;
use super::refusal;

/// What stands before the version in each addon, so that it can be read without being loaded; a semicolon follows.
///
/// It is written in bindings/node/src/lib.rs.
const MARK: &str = "strongroom-addon-version=";
/// The rule that says that a file is another platform's.
const PLATFORM_RULE: &str = "arch";

/// Holds every addon against the rules of what is shipped and against the version.
///
/// # Errors
/// All problems of all addons.
pub(super) fn check(artifacts: &Artifacts, version: &str) -> Result<()> {
    let mut wrong = Vec::new();
    let mut all = Vec::new();
    for addon in &artifacts.addons {
        let problems = problems(addon, version);
        if !problems.is_empty() {
            wrong.push(addon.target);
            all.extend(problems);
        }
    }
    let remedy = format!("build them again from this checkout: {}", refusal::dist(&wrong));
    refusal::refuse(all, "these artifacts must not be shipped", &remedy)
}

/// Holds a platform's tarball, with the package.json in it, against the same rules.
pub(super) fn sealed(tarball: &Path, target: &Target) -> Result<()> {
    let audit = audit_paths(&[tarball.to_owned()], &policy(target), &());
    if let Some(failure) = audit.failures.first() {
        bail!("{failure}");
    }
    if audit.has_errors() {
        bail!(
            "the package for {target} must not be shipped:\n{}",
            node_audit::table(&audit.reports(), 110).trim_end()
        );
    }
    Ok(())
}

/// Each with the file's path: CI has a folder for each job, and each of them may have this name.
fn problems(addon: &Addon, version: &str) -> Vec<String> {
    let Addon { target, path, content } = addon;
    let name = target.artifact_file();
    let path = path.display();
    // By its name alone: what lies around the file here is not what is shipped beside it.
    let report = match audit_bytes(name.as_ref(), content, &policy(target)) {
        Ok(report) => report,
        Err(error) => {
            let error = error.to_string();
            let error = error.strip_prefix(&format!("{name}: ")).unwrap_or(&error);
            return vec![format!("{path}: {error}")];
        }
    };
    let errors: Vec<&Finding> =
        report.findings.iter().filter(|finding| finding.severity == Severity::Error).collect();
    let sentence =
        |Finding { rule, message, evidence, .. }: &Finding| format!("{path}: {rule}: {message} ({evidence})");
    // Another platform's file breaks many rules, and all for this reason.
    if let Some(other) = errors.iter().find(|finding| finding.rule == PLATFORM_RULE) {
        return vec![format!("{}: was it renamed?", sentence(other))];
    }
    let mut problems: Vec<String> = errors.into_iter().map(sentence).collect();
    problems.extend(wrong_version(content, version).map(|wrong| format!("{path}: {wrong}")));
    problems
}

/// What is wrong with the version that an addon holds.
fn wrong_version(content: &[u8], version: &str) -> Option<String> {
    let mut found: Vec<&str> = versions(content);
    found.sort_unstable();
    found.dedup();
    match found.as_slice() {
        [] => {
            Some(format!("it holds no version, as what is built from this checkout does ({MARK}{version};)"))
        }
        [one] if *one == version => None,
        others => {
            Some(format!("it is of version {}, and this is {version}", others.join(" and of version ")))
        }
    }
}

/// The versions that stand behind a mark.
fn versions(content: &[u8]) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = content;
    while let Some(at) = rest.windows(MARK.len()).position(|window| window == MARK.as_bytes()) {
        rest = rest.get(at + MARK.len()..).unwrap_or_default();
        let end = rest.iter().position(|byte| !is_of_version(*byte)).unwrap_or(rest.len());
        // A mark that another text follows is one that is looked for, not a version: this program has it, too.
        let (version, after) = rest.split_at(end);
        if !version.is_empty() && after.first() == Some(&b';') {
            found.extend(std::str::from_utf8(version));
        }
    }
    found
}

fn is_of_version(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+')
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::paths::Workspace;

    #[test]
    fn the_addon_holds_its_version_behind_the_mark_that_is_looked_for() {
        let package = Workspace::find().unwrap().package();
        let source = fs::read_to_string(package.join("src/lib.rs")).unwrap();
        assert!(source.contains(&format!("concat!(\"{MARK}\", env!(\"CARGO_PKG_VERSION\"), \";\")")));
    }

    #[test]
    fn a_version_is_read_from_between_other_texts() {
        let wrong = |text: &str| wrong_version(text.as_bytes(), "0.1.0").unwrap_or_default();
        assert_eq!(wrong("napi_call64strongroom-addon-version=0.1.0;Failed to register"), "");
        assert_eq!(wrong("\0strongroom-addon-version=;strongroom-addon-version=0.1.0;"), "");
        assert_eq!(
            wrong("strongroom-addon-version=0.1.0-rc.1;"),
            "it is of version 0.1.0-rc.1, and this is 0.1.0"
        );
        let two = wrong("strongroom-addon-version=0.2.0; strongroom-addon-version=0.1.0;");
        assert_eq!(two, "it is of version 0.1.0 and of version 0.2.0, and this is 0.1.0");
        for none in ["", "0.1.0", "strongroom-addon-version=0.1.0"] {
            assert!(wrong(none).contains("holds no version"), "{none}");
        }
    }

    #[test]
    fn a_damaged_file_is_one_problem_that_says_where_it_is() {
        let target = Target::by_platform("linux-x64-gnu").unwrap();
        for content in [&b""[..], b"\x7fELF", b"<html>not found</html>"] {
            let addon = Addon { target, path: "ci/addon.node".into(), content: content.to_vec() };
            let problems = problems(&addon, "0.1.0");
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert!(problems[0].starts_with("ci/addon.node: is "), "{problems:?}");
        }
    }
}
