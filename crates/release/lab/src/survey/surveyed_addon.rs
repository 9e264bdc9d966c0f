//! An addon of the survey: the Nodes of its platform load the addon, and node-audit's verdict must agree with the loads.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use machine::Workspace;
use node_audit::{Audited, Cpu, Finding, Libc, Os, Platform, Report, Rule, Severity};
use node_targets::Target;
use nodejs_semver::{Range, Version};
use rayon::prelude::*;

use super::agreement::Agreement;
use super::packages::{Exception, InstalledPackage};
use super::probe::{ProbeOutcome, probe};
use crate::runtime::Runtime;

/// An addon, audited and loaded.
pub(super) struct SurveyedAddon {
    /// The findings for the platform that the addon claims. The file's path is relative to the package's folder.
    pub(super) audit: Report,
    /// The load in each Node of the claimed platform.
    pub(super) loads: Vec<Load>,
    /// The processor of the Nodes; `None` if no Node tried to load the addon.
    pub(super) cpu: Option<Cpu>,
    /// The reasons why Nodes cannot start.
    pub(super) skipped: Vec<String>,
}

/// A load of an addon in one Node of the platform that the addon claims.
pub(super) struct Load {
    /// The Node and its system, such as `Node 22.23.3, glibc 2.31`.
    pub(super) runtime: String,
    /// `true` if the Node has the ABI that node-audit finds in the addon.
    pub(super) has_abi: bool,
    pub(super) outcome: ProbeOutcome,
}

impl SurveyedAddon {
    /// Loads an addon of an installed package in every Node of its platform.
    pub(super) fn new(workspace: &Workspace, package: &InstalledPackage, audited: Audited) -> Result<Self> {
        let file = file_in_package(package, &audited.report)?;
        let addon = package.root.join(&file);
        let runtimes = runtimes(workspace, &audited)?;
        let missing = Runtime::missing_each(workspace, &runtimes);
        let startable = runtimes.par_iter().zip(&missing).filter(|(_, missing)| missing.is_none());
        let load = |runtime: &Runtime| -> Result<Load> {
            let node = runtime.node.parse().context("cannot parse the version of a Node")?;
            let has_abi = audited.addon.has_abi_of(node);
            Ok(Load { runtime: runtime.name(), has_abi, outcome: probe(workspace, runtime, &addon)? })
        };
        let loads = startable.map(|(runtime, _)| load(runtime)).collect::<Result<Vec<Load>>>()?;
        let cpu = linux_targets(&audited).next().map(|target| Platform::from(target).cpu);
        Ok(Self {
            audit: Report { file: file.display().to_string(), ..audited.report },
            cpu: cpu.filter(|_| !loads.is_empty()),
            loads,
            skipped: missing.into_iter().flatten().collect(),
        })
    }

    /// Returns the loads in Nodes with the addon's ABI.
    pub(super) fn relevant_loads(&self) -> impl Iterator<Item = &Load> {
        self.loads.iter().filter(|load| load.has_abi)
    }

    /// Compares the verdict with the loads.
    ///
    /// If a load-blocking rule reports an error, the addon must fail in at least one Node with its ABI. Otherwise, the addon
    /// must load in every such Node. A Node with another ABI may load the addon too, because an ABI in a file's name only
    /// guides the package's loader.
    pub(super) fn agreement(&self, exceptions: &[Exception]) -> Agreement {
        let file = &self.audit.file;
        let nodes: Vec<&str> = self.relevant_loads().map(|load| load.runtime.as_str()).collect();
        if nodes.is_empty() {
            let is_refused = self.loads.iter().all(|load| load.outcome != ProbeOutcome::Loads);
            return if is_refused && !self.loads.is_empty() {
                Agreement::OtherAbi
            } else {
                Agreement::NoNode
            };
        }
        let is_excepted = |rule: &str| exceptions.iter().any(|exception| exception.rule == rule);
        let errors = self.audit.findings.iter().filter(|finding| finding.severity == Severity::Error);
        let stops = |finding: &&Finding| Rule::by_id(finding.rule).is_some_and(|rule| rule.stops_loading);
        let errors: Vec<&Finding> = errors.filter(stops).collect();
        let failed = self.relevant_loads().find(|load| load.outcome != ProbeOutcome::Loads);
        match (errors.iter().find(|error| !is_excepted(error.rule)), failed) {
            (_, Some(Load { runtime, outcome: ProbeOutcome::OtherNode(text), .. })) => {
                Agreement::Disagrees(format!(
                    "{file}: node-audit finds the ABI of {runtime} in the addon, but this Node refuses the addon: {text}"
                ))
            }
            (Some(Finding { rule, message, .. }), None) => Agreement::Disagrees(format!(
                "{file}: the rule {rule} reports an error ({message}), but the addon loads in {}",
                nodes.join("; ")
            )),
            (Some(_), Some(_)) => Agreement::Fails,
            (None, None) if errors.is_empty() => Agreement::Loads,
            (None, None) => Agreement::Excepted,
            (None, Some(_)) if !errors.is_empty() => Agreement::Fails,
            (None, Some(_)) if self.audit.findings.iter().any(|finding| is_excepted(finding.rule)) => {
                Agreement::Excepted
            }
            (None, Some(Load { runtime, outcome, .. })) => Agreement::Disagrees(format!(
                "{file}: no load-blocking rule reports an error, but {runtime} does not load the addon: {}",
                outcome.text()
            )),
        }
    }

    /// Returns whether the agreement depends on an exception for a rule.
    pub(super) fn needs(&self, exceptions: &[Exception], rule: &str) -> bool {
        let others: Vec<Exception> =
            exceptions.iter().filter(|exception| exception.rule != rule).cloned().collect();
        self.agreement(exceptions) != self.agreement(&others)
    }
}

/// Returns the pinned Nodes that run on an addon's platform and that the package's `engines.node` allows.
fn runtimes(workspace: &Workspace, audited: &Audited) -> Result<Vec<Runtime>> {
    let mut runtimes = Vec::new();
    for target in linux_targets(audited) {
        runtimes.extend(Runtime::pinned(workspace, target)?);
    }
    let engines = audited.addon.package.as_ref().and_then(|package| package.node.as_deref());
    runtimes.retain(|runtime| is_promised(engines, &runtime.node));
    Ok(runtimes)
}

/// Returns the Linux targets that an addon claims. If no name gives a processor or a C library, takes the processor and the C
/// library from the file.
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

/// Returns whether `engines.node` allows a version. A range that npm cannot parse promises every Node.
pub(super) fn is_promised(engines: Option<&str>, node: &str) -> bool {
    let range = engines.and_then(|engines| Range::parse(engines).ok());
    let version = Version::parse(node).ok();
    range.zip(version).is_none_or(|(range, version)| range.satisfies(&version))
}

/// Returns a reported addon's path relative to the package's folder. In the tarball, all files are in one folder.
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
            let load = |outcome: &ProbeOutcome| Load {
                runtime: "Node 1".to_owned(),
                has_abi: true,
                outcome: outcome.clone(),
            };
            let audit = Report { file: "x.node".to_owned(), platform: None, findings };
            let cpu = (!outcomes.is_empty()).then_some(Cpu::X64);
            Self { audit, loads: outcomes.iter().map(load).collect(), cpu, skipped: Vec::new() }
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

    fn except(rules: &[&str]) -> Vec<Exception> {
        let why = "It is so.";
        rules.iter().map(|rule| Exception { rule: (*rule).to_owned(), why: why.to_owned() }).collect()
    }

    #[test]
    fn engines_select_the_promised_nodes() {
        assert!(is_promised(None, "20.20.2") && is_promised(Some("no range"), "20.20.2"));
        assert!(is_promised(Some(">=16.17.0"), "20.20.2") && !is_promised(Some(">=22"), "20.20.2"));
        assert!(is_promised(Some(">= 12.22.0 < 13 || >= 16"), "24.1.0"));
    }

    #[test]
    fn an_error_agrees_with_a_failed_load_and_no_error_with_successful_loads() {
        use ProbeOutcome::{Fails, Loads, OtherNode};
        let (fails, other) = (Fails("no".to_owned()), OtherNode("other".to_owned()));
        let (floor, warning) = (("glibc-floor", Severity::Error), ("glibc-floor", Severity::Warning));
        let runpath = ("runpath", Severity::Error);
        let cases = [
            (vec![floor], vec![Loads, fails.clone()], &[][..], Some(Agreement::Fails)),
            (vec![floor], vec![Loads], &[], None),
            (vec![floor], vec![Loads], &["glibc-floor"], Some(Agreement::Excepted)),
            (vec![floor], vec![Loads], &["needed"], None),
            (vec![floor], vec![Loads, fails.clone()], &["glibc-floor"], Some(Agreement::Fails)),
            (vec![floor], vec![], &[], Some(Agreement::NoNode)),
            (vec![], vec![Loads], &[], Some(Agreement::Loads)),
            (vec![], vec![Loads, fails.clone()], &[], None),
            (vec![], vec![fails.clone()], &["glibc-floor"], None),
            (vec![], vec![Loads, other], &[], None),
            (vec![warning], vec![Loads], &[], Some(Agreement::Loads)),
            (vec![warning], vec![fails.clone()], &[], None),
            (vec![warning], vec![fails.clone()], &["glibc-floor"], Some(Agreement::Excepted)),
            (vec![runpath], vec![Loads], &[], Some(Agreement::Loads)),
            (vec![runpath], vec![fails], &[], None),
        ];
        for (rules, outcomes, excepted, expected) in cases {
            let findings = rules.iter().map(|&(rule, level)| SurveyedAddon::finding(rule, level, "it is so"));
            let addon = SurveyedAddon::with(findings.collect(), &outcomes);
            let found = addon.agreement(&except(excepted));
            let is_expected = match &expected {
                Some(expected) => found == *expected,
                None => matches!(found, Agreement::Disagrees(_)),
            };
            assert!(is_expected, "{rules:?} {outcomes:?} {excepted:?}: {found:?}");
        }
    }

    #[test]
    fn an_exception_is_needed_if_verdict_and_loads_differ() {
        let floor = || SurveyedAddon::finding("glibc-floor", Severity::Error, "it is so");
        let exceptions = except(&["glibc-floor", "needed"]);
        let loads = SurveyedAddon::with(vec![floor()], &[ProbeOutcome::Loads]);
        assert!(loads.needs(&exceptions, "glibc-floor") && !loads.needs(&exceptions, "needed"));
        let fails = SurveyedAddon::with(vec![floor()], &[ProbeOutcome::Fails("no".to_owned())]);
        assert!(!fails.needs(&exceptions, "glibc-floor"));
    }

    #[test]
    fn a_load_in_a_node_of_another_abi_proves_nothing() {
        let mut addon = SurveyedAddon::with(Vec::new(), &[ProbeOutcome::OtherNode("other".to_owned())]);
        addon.loads[0].has_abi = false;
        assert_eq!(addon.agreement(&[]), Agreement::OtherAbi);
        addon.loads[0].outcome = ProbeOutcome::Loads;
        assert_eq!(addon.agreement(&[]), Agreement::NoNode);
        let loads = Load { runtime: "Node 2".to_owned(), has_abi: true, outcome: ProbeOutcome::Loads };
        addon.loads.push(loads);
        assert_eq!(addon.agreement(&[]), Agreement::Loads);
    }
}
