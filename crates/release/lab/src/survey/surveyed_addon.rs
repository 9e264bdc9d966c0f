//! One addon of the survey: the Nodes that it is for load it, and node-audit's verdict must agree with the loads.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use machine::Workspace;
use node_audit::{Audited, Finding, Libc, Os, Platform, Report, Rule, Severity};
use node_targets::Target;
use nodejs_semver::{Range, Version};
use rayon::prelude::*;

use super::packages::InstalledPackage;
use super::probe::{ProbeOutcome, probe};
use crate::runtime::Runtime;

/// A rule about every Node that package.json promises. None of the Nodes of this machine may be among them.
const RULE_FOR_PROMISED_NODES: &str = "napi-version";

/// An addon, audited and loaded.
pub(super) struct SurveyedAddon {
    /// The findings for the platform that the addon claims. The file is relative to the package.
    pub(super) audit: Report,
    /// The loads in each Node of that platform.
    pub(super) loads: Vec<Load>,
    /// The reasons of Nodes that cannot be started.
    pub(super) skipped: Vec<String>,
}

/// One load of an addon, in a Node of the platform that the addon claims.
pub(super) struct Load {
    /// `Node 22.23.3, glibc 2.31`
    pub(super) runtime: String,
    pub(super) outcome: ProbeOutcome,
}

impl SurveyedAddon {
    /// Loads an addon of an installed package.
    pub(super) fn new(workspace: &Workspace, package: &InstalledPackage, audited: Audited) -> Result<Self> {
        let file = file_in_package(package, &audited.report)?;
        let addon = package.root.join(&file);
        let runtimes = runtimes(workspace, &audited)?;
        let missing = Runtime::missing_each(workspace, &runtimes);
        let startable = runtimes.par_iter().zip(&missing).filter(|(_, missing)| missing.is_none());
        let loads = startable.map(|(runtime, _)| {
            Ok(Load { runtime: runtime.name(), outcome: probe(workspace, runtime, &addon)? })
        });
        Ok(Self {
            audit: Report { file: file.display().to_string(), ..audited.report },
            loads: loads.collect::<Result<_>>()?,
            skipped: missing.into_iter().flatten().collect(),
        })
    }

    /// The loads that tell anything about the addon.
    pub(super) fn relevant_loads(&self) -> impl Iterator<Item = &Load> {
        self.loads.iter().filter(|load| load.outcome.is_relevant())
    }

    /// Returns how the verdict contradicts the loads, if it does.
    ///
    /// An addon with an error of a rule that stops loading must fail in a Node. An addon without any error must load in every
    /// Node that it is for.
    pub(super) fn disagreement(&self) -> Option<String> {
        let file = &self.audit.file;
        let nodes: Vec<&str> = self.relevant_loads().map(|load| load.runtime.as_str()).collect();
        let failed = self.loads.iter().find(|load| load.outcome.is_failure());
        let is_excused = self.error_of(|rule| rule.id == RULE_FOR_PROMISED_NODES).is_some();
        match (self.error_of(|rule| rule.stops_loading), failed) {
            (Some(Finding { rule, message, .. }), None) if !nodes.is_empty() => Some(format!(
                "{file}: the rule {rule} reports an error ({message}), but the addon loads in {}",
                nodes.join("; ")
            )),
            (None, Some(Load { runtime, outcome })) if !is_excused => Some(format!(
                "{file}: no rule reports an error, but {runtime} does not load the addon: {}",
                outcome.text()
            )),
            _ => None,
        }
    }

    fn error_of(&self, is_wanted: impl Fn(&Rule) -> bool) -> Option<&Finding> {
        let mut errors = self.audit.findings.iter().filter(|finding| finding.severity == Severity::Error);
        errors.find(|finding| Rule::by_id(finding.rule).is_some_and(|rule| is_wanted(&rule)))
    }
}

/// Returns the pinned Nodes that an addon is for: those of its platform, of the ABI in its name, and of the versions that its
/// package promises.
fn runtimes(workspace: &Workspace, audited: &Audited) -> Result<Vec<Runtime>> {
    let mut runtimes = Vec::new();
    for target in linux_targets(audited) {
        runtimes.extend(Runtime::pinned(workspace, target)?);
    }
    let engines = audited.addon.package.as_ref().and_then(|package| package.node.as_deref());
    runtimes
        .retain(|runtime| is_promised(engines, &runtime.node) && has_abi(audited.addon.abi, &runtime.node));
    Ok(runtimes)
}

/// Returns the Linux targets that an addon claims. If no name claims a processor or a C library, the file's own processor and
/// linked C library count.
fn linux_targets(audited: &Audited) -> impl Iterator<Item = &'static Target> {
    let elf = || audited.addon.facts.iter().filter(|facts| facts.elf().is_some());
    let linked = elf().find_map(|facts| facts.elf()?.libc);
    let mut platforms: Vec<Platform> = match &audited.addon.claim {
        Some(claim) => claim.platforms().filter(|platform| platform.os == Os::Linux).collect(),
        None => {
            elf().filter_map(|facts| Some(Platform { os: Os::Linux, cpu: facts.cpu?, libc: None })).collect()
        }
    };
    for platform in &mut platforms {
        platform.libc = platform.libc.or(linked).or(Some(Libc::Glibc));
    }
    node_targets::targets().iter().filter(move |&target| platforms.contains(&Platform::from(target)))
}

/// Whether engines.node allows a version. A range that npm cannot read promises every Node.
fn is_promised(engines: Option<&str>, node: &str) -> bool {
    let range = engines.and_then(|engines| Range::parse(engines).ok());
    let version = Version::parse(node).ok();
    range.zip(version).is_none_or(|(range, version)| range.satisfies(&version))
}

/// Whether a Node has the ABI (NODE_MODULE_VERSION) that an addon is for. Only the ABIs of pinned Nodes are known.
fn has_abi(abi: Option<u32>, node: &str) -> bool {
    let major = node.split('.').next().unwrap_or_default();
    abi.is_none_or(|abi| matches!((abi, major), (115, "20") | (127, "22") | (137, "24")))
}

/// Returns the path of a reported addon from the package's folder. The tarball has all files in one folder.
fn file_in_package(package: &InstalledPackage, Report { file, .. }: &Report) -> Result<PathBuf> {
    let tarball = format!("{}:", package.tarball.display());
    let path = file.strip_prefix(&tarball);
    let path = path.with_context(|| format!("node-audit reports {file}, which is not in {tarball}"))?;
    let file: PathBuf = Path::new(path).components().skip(1).collect();
    ensure!(package.root.join(&file).is_file(), "tar did not unpack {}", file.display());
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    impl SurveyedAddon {
        pub(in super::super) fn with(findings: Vec<Finding>, outcomes: &[ProbeOutcome]) -> Self {
            let load =
                |outcome: &ProbeOutcome| Load { runtime: "Node 1".to_owned(), outcome: outcome.clone() };
            let audit = Report { file: "x.node".to_owned(), platform: None, findings };
            Self { audit, loads: outcomes.iter().map(load).collect(), skipped: Vec::new() }
        }

        pub(in super::super) fn finding(rule: &'static str, severity: Severity, message: &str) -> Finding {
            Finding {
                file: "x.node".to_owned(),
                platform: None,
                rule,
                severity,
                message: message.to_owned(),
                evidence: String::new(),
                remedy: String::new(),
            }
        }
    }

    #[test]
    fn engines_and_abi_select_the_nodes() {
        assert!(is_promised(None, "20.20.2") && is_promised(Some("no range"), "20.20.2"));
        assert!(is_promised(Some(">=16.17.0"), "20.20.2") && !is_promised(Some(">=22"), "20.20.2"));
        assert!(is_promised(Some(">= 12.22.0 < 13 || >= 16"), "24.1.0"));
        assert!(has_abi(None, "20.20.2") && has_abi(Some(115), "20.20.2"));
        assert!(!has_abi(Some(127), "20.20.2") && !has_abi(Some(108), "18.0.0"));
    }

    #[test]
    fn an_error_agrees_with_a_failure_and_no_error_with_loads_everywhere() {
        use ProbeOutcome::{Fails, Loads, OtherNode};
        let (fails, other) = (Fails("no".to_owned()), OtherNode("other".to_owned()));
        let (floor, warning) = (("glibc-floor", Severity::Error), ("glibc-floor", Severity::Warning));
        let (promised, runpath) = (("napi-version", Severity::Error), ("runpath", Severity::Error));
        let cases = [
            (vec![floor], vec![Loads, fails.clone()], true),
            (vec![floor], vec![Loads], false),
            (vec![floor], vec![other.clone()], true),
            (vec![floor], vec![], true),
            (vec![], vec![Loads, other], true),
            (vec![], vec![Loads, fails.clone()], false),
            (vec![warning], vec![Loads], true),
            (vec![warning], vec![fails.clone()], false),
            (vec![runpath], vec![Loads], true),
            (vec![promised], vec![Loads], true),
            (vec![promised], vec![Loads, fails], true),
        ];
        for (rules, outcomes, agrees) in cases {
            let findings = rules.iter().map(|&(rule, level)| SurveyedAddon::finding(rule, level, "it is so"));
            let found = SurveyedAddon::with(findings.collect(), &outcomes).disagreement();
            assert_eq!(found.is_none(), agrees, "{rules:?} {outcomes:?} {found:?}");
        }
    }

    #[test]
    fn the_rule_for_promised_nodes_exists_and_stops_no_load() {
        assert!(!Rule::by_id(RULE_FOR_PROMISED_NODES).unwrap().stops_loading);
    }
}
