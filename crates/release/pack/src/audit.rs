//! Audits shipped files: platform, floors, symbols, and the release's version.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use build::Built;
use machine::Workspace;
use node_audit::{Finding, Report, Severity, audit_bytes, audit_paths};
use node_targets::Target;

use crate::artifacts::{Addon, Artifacts};
use crate::policy::policy;
use crate::refusal;

/// The text before the version in each addon, which shows the version without loading the addon. A semicolon follows
/// the version. bindings/node/src/lib.rs contains the text.
const MARK: &str = "strongroom-addon-version=";
/// The rule that an addon for another platform breaks.
const PLATFORM_RULE: &str = "arch";
/// The width of a table of findings, in columns.
const WIDTH: u16 = 110;

/// The error for an addon that breaks a rule for shipped addons.
#[derive(Debug, thiserror::Error)]
#[error("{addon} must not be shipped:\n{findings}")]
pub struct NotToBeShipped {
    addon: String,
    findings: String,
}

/// Audits an addon. Returns the number of warnings in words, such as `2 warnings`, or `clean`.
///
/// # Errors
/// [`NotToBeShipped`] if the addon breaks a rule.
pub fn audit_addon(workspace: &Workspace, addon: &Path, target: &Target) -> Result<String> {
    let content = fs::read(addon).with_context(|| format!("cannot read {}", workspace.relative(addon)))?;
    // Passes the addon's name in dist instead of its path, since the files beside cargo's output are not shipped.
    let report = audit_bytes(target.artifact_file().as_ref(), &content, &policy(target))?;
    if report.has_errors() {
        bail!(NotToBeShipped { addon: workspace.relative(addon), findings: table(&[report]) });
    }
    Ok(match report.count(Severity::Warning) {
        0 => "clean".to_owned(),
        1 => "1 warning".to_owned(),
        warnings => format!("{warnings} warnings"),
    })
}

/// Audits a built addon, then copies it to the folder that addons are loaded and packed from. Returns the number of
/// warnings in words, such as `2 warnings`, or `clean`.
///
/// # Errors
/// [`NotToBeShipped`] if the addon breaks a rule.
pub fn install_audited(workspace: &Workspace, built: &Built) -> Result<String> {
    let audit = audit_addon(workspace, &built.library, built.product.platform())?;
    built.install(workspace)?;
    Ok(audit)
}

/// Audits every artifact and compares its version with the release's.
///
/// # Errors
/// Lists all problems of all addons.
pub(crate) fn check(artifacts: &Artifacts, version: &str) -> Result<()> {
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

/// Audits a platform's tarball, together with the package.json in it.
pub(crate) fn check_tarball(tarball: &Path, target: &Target) -> Result<()> {
    let audit = audit_paths(&[tarball.to_owned()], &policy(target), &());
    if let Some(failure) = audit.failures.first() {
        bail!("{failure}");
    }
    if audit.has_errors() {
        bail!("the package for {target} must not be shipped:\n{}", table(&audit.reports()));
    }
    Ok(())
}

fn table(reports: &[Report]) -> String {
    node_audit::table(reports, WIDTH).trim_end().to_owned()
}

/// Returns an addon's problems, each with the file's path: several jobs of CI may have a file of this name.
fn problems(addon: &Addon, version: &str) -> Vec<String> {
    let Addon { target, path, content } = addon;
    let name = target.artifact_file();
    let path = path.display();
    // Passes the name alone, since the files beside the addon here are not shipped.
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
    // An addon for another platform breaks many rules, all for the same reason.
    if let Some(other) = errors.iter().find(|finding| finding.rule == PLATFORM_RULE) {
        return vec![format!("{}: was it renamed?", sentence(other))];
    }
    let mut problems: Vec<String> = errors.into_iter().map(sentence).collect();
    problems.extend(wrong_version(content, version).map(|wrong| format!("{path}: {wrong}")));
    problems
}

/// Returns a problem if an addon's version differs from the release's.
fn wrong_version(content: &[u8], version: &str) -> Option<String> {
    let text = String::from_utf8_lossy(content);
    let behind_marks = text.split(MARK).skip(1).filter_map(|behind| behind.split_once(';'));
    // Skips a mark without a version: a program that searches for the mark contains the mark, too.
    let found: BTreeSet<&str> = behind_marks.map(|(version, _)| version).filter(is_version).collect();
    if found.is_empty() {
        let ours = format!("{MARK}{version};");
        return Some(format!("the addon contains no version; one from this checkout contains `{ours}`"));
    }
    let listed = Vec::from_iter(found).join(" and ");
    (listed != version).then(|| format!("its version is {listed}, but the release has version {version}"))
}

fn is_version(text: &&str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-+".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_between_other_texts() {
        let wrong = |text: &str| wrong_version(text.as_bytes(), "0.1.0").unwrap_or_default();
        assert_eq!(wrong("napi_call64strongroom-addon-version=0.1.0;Failed to register"), "");
        assert_eq!(wrong("\0strongroom-addon-version=;strongroom-addon-version=0.1.0;"), "");
        assert_eq!(
            wrong("strongroom-addon-version=0.1.0-rc.1;"),
            "its version is 0.1.0-rc.1, but the release has version 0.1.0"
        );
        let two = wrong("strongroom-addon-version=0.2.0; strongroom-addon-version=0.1.0;");
        assert_eq!(two, "its version is 0.1.0 and 0.2.0, but the release has version 0.1.0");
        for none in ["", "0.1.0", "strongroom-addon-version=0.1.0"] {
            assert!(wrong(none).contains("contains no version"), "{none}");
        }
    }

    #[test]
    fn a_damaged_file_gives_one_problem_with_its_path() {
        let target = Target::by_platform("linux-x64-gnu").unwrap();
        for content in [&b""[..], b"\x7fELF", b"<html>not found</html>"] {
            let addon = Addon { target, path: "ci/addon.node".into(), content: content.to_vec() };
            let problems = problems(&addon, "0.1.0");
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert!(problems[0].starts_with("ci/addon.node: is "), "{problems:?}");
        }
    }
}
