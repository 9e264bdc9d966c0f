//! A package of the survey: node-audit reads the tarball, and real Nodes load the addons.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::slice;

use anyhow::Result;
use machine::Workspace;
use machine::report::Tally;
use node_audit::{Cpu, Finding, Policy, Severity};
use rayon::prelude::*;

use super::agreement::Agreement;
use super::packages::{Exception, LIST, ListedPackage, Pin};
use super::surveyed_addon::{Load, SurveyedAddon};
use super::surveyed_main::{SurveyedMain, survey_main};

/// The rule about packages whose addons are only for old Nodes.
const ABI_RULE: &str = "node-abi";

/// The audit and the loads of a package.
pub(super) struct SurveyedPackage {
    pub(super) listed: ListedPackage,
    /// The findings about the package as a whole.
    findings: Vec<Finding>,
    pub(super) addons: Vec<SurveyedAddon>,
    /// The package's own module on each platform; empty unless the list asks for it.
    pub(super) mains: Vec<SurveyedMain>,
    /// The errors of files that node-audit could not read.
    unreadable: Vec<String>,
}

/// Audits a package's tarball, and loads its addons from the installed package, several at a time.
pub(super) fn survey_package(workspace: &Workspace, listed: ListedPackage) -> Result<SurveyedPackage> {
    let package = listed.install(workspace)?;
    let audit = node_audit::audit_paths(slice::from_ref(&package.tarball), &Policy::default(), &());
    let addons = audit.files.into_par_iter().map(|file| SurveyedAddon::new(workspace, &package, file));
    let mains = if listed.is_main { survey_main(workspace, &package, &listed.pin)? } else { Vec::new() };
    Ok(SurveyedPackage {
        listed,
        mains,
        findings: audit.packages.into_iter().flat_map(|package| package.report.findings).collect(),
        addons: addons.collect::<Result<_>>()?,
        unreadable: audit.failures.iter().map(ToString::to_string).collect(),
    })
}

impl SurveyedPackage {
    /// Returns the findings about the package and about each addon.
    pub(super) fn all_findings(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().chain(self.addons.iter().flat_map(|addon| &addon.audit.findings))
    }

    /// Returns the reasons why Nodes cannot start.
    pub(super) fn skipped(&self) -> BTreeSet<&String> {
        let mains = self.mains.iter().flat_map(|main| &main.skipped);
        self.addons.iter().flat_map(|addon| &addon.skipped).chain(mains).collect()
    }

    /// Returns the processor of each addon's Nodes, and the agreement.
    pub(super) fn agreements(&self) -> impl Iterator<Item = (Option<Cpu>, Agreement)> {
        self.addons.iter().map(|addon| (addon.cpu, addon.agreement(&self.listed.exceptions)))
    }

    /// Counts the addons, and prints each disagreement between a verdict and the loads. Reports an addon without a Node as
    /// skipped.
    pub(super) fn tally(&self) -> Tally {
        let title = self.listed.pin.title();
        let mut tally = Tally { skipped: self.skipped().into_iter().cloned().collect(), ..Tally::default() };
        let mut without_node = 0;
        for (_, agreement) in self.agreements() {
            match agreement {
                Agreement::Disagrees(why) => {
                    eprintln!("disagreement: {title}: {why}");
                    tally.failed += 1;
                }
                Agreement::NoNode => without_node += 1,
                Agreement::Loads | Agreement::Fails | Agreement::OtherAbi | Agreement::Excepted => {
                    tally.passed += 1;
                }
            }
        }
        for main in self.mains.iter().filter(|main| main.loads().is_some()) {
            match main.disagreement() {
                Some(why) => {
                    eprintln!("disagreement: {title}: {why}");
                    tally.failed += 1;
                }
                None => tally.passed += 1,
            }
        }
        for why in self.abi_disagreement().into_iter().chain(self.needless_exceptions()) {
            eprintln!("disagreement: {title}: {why}");
            tally.failed += 1;
        }
        for why in &self.unreadable {
            eprintln!("unreadable: {title}: {why}");
            tally.failed += 1;
        }
        tally.note = format!("{} loads", self.addons.iter().map(|addon| addon.loads.len()).sum::<usize>());
        if without_node > 0 {
            tally.skipped.push(format!("addons without a suitable Node on this machine: {without_node}"));
        } else if self.addons.is_empty() && self.mains.is_empty() {
            tally.skipped.push("no addon in the package".to_owned());
        }
        tally
    }

    /// Returns a description if the rule about ABIs contradicts the loads. An error of the rule means that no supported Node
    /// has the ABI of any addon.
    fn abi_disagreement(&self) -> Option<String> {
        let is_error = |finding: &&Finding| finding.rule == ABI_RULE && finding.severity == Severity::Error;
        let error = self.findings.iter().find(is_error);
        let loaded = || self.addons.iter().filter(|addon| !addon.loads.is_empty());
        let has_abi = |addon: &SurveyedAddon| addon.relevant_loads().next().is_some();
        match (error, loaded().find(|addon| has_abi(addon))) {
            (Some(Finding { message, .. }), Some(addon)) => Some(format!(
                "{}: a Node on this machine has the addon's ABI, but the rule {ABI_RULE} says: {message}",
                addon.audit.file
            )),
            (None, None) if loaded().next().is_some() => Some(format!(
                "no Node on this machine has the ABI of an addon, and the rule {ABI_RULE} reports no error"
            )),
            _ => None,
        }
    }

    /// Returns a message for each exception that explains nothing. Returns no messages if a Node is missing, since exceptions
    /// could then seem needless.
    fn needless_exceptions(&self) -> impl Iterator<Item = String> {
        let exceptions = &self.listed.exceptions;
        let is_complete = self.skipped().is_empty();
        let is_needed = |rule: &str| self.addons.iter().any(|addon| addon.needs(exceptions, rule));
        let needless = exceptions.iter().filter(move |exception| is_complete && !is_needed(&exception.rule));
        needless.map(|Exception { rule, .. }| {
            format!("the exception for the rule {rule} is not needed: remove it from {LIST}")
        })
    }

    /// Returns a line for each load, with package, version, addon, platform, Node and outcome.
    pub(super) fn lines(&self) -> String {
        let Pin { name, version, .. } = &self.listed.pin;
        let mut text = String::new();
        for SurveyedAddon { audit, loads, .. } in &self.addons {
            let (file, platform) = (&audit.file, audit.platform.as_deref().unwrap_or_default());
            for Load { runtime, outcome, .. } in loads {
                let outcome = outcome.text();
                let _ = writeln!(text, "{name}\t{version}\t{file}\t{platform}\t{runtime}\t{outcome}");
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use node_audit::Rule;

    use super::super::packages::packages;
    use super::super::probe::ProbeOutcome;
    use super::*;

    impl SurveyedPackage {
        /// Returns the first package of the list, with other addons.
        pub(in super::super) fn with(addons: Vec<SurveyedAddon>) -> Self {
            let listed = packages(&Workspace::find().unwrap()).unwrap().remove(0);
            Self { listed, findings: Vec::new(), addons, mains: Vec::new(), unreadable: Vec::new() }
        }
    }

    fn package(addons: &[&[ProbeOutcome]]) -> SurveyedPackage {
        let addons = addons.iter().map(|outcomes| SurveyedAddon::with(Vec::new(), outcomes));
        SurveyedPackage::with(addons.collect())
    }

    #[test]
    fn an_addon_without_a_node_is_not_a_pass() {
        let (loads, hangs) = (ProbeOutcome::Loads, ProbeOutcome::Fails("does not return".to_owned()));
        let other = ProbeOutcome::OtherNode("another Node".to_owned());
        let tally = package(&[&[loads.clone(), loads], &[hangs], &[other], &[]]).tally();
        assert_eq!((tally.passed, tally.failed), (1, 2));
        assert_eq!(tally.skipped, ["addons without a suitable Node on this machine: 1"]);
        assert_eq!(tally.note, "4 loads");
    }

    #[test]
    fn an_exception_that_explains_nothing_is_a_failure() {
        let mut package = package(&[&[ProbeOutcome::Loads]]);
        assert_eq!(package.tally().failed, 0);
        package.listed.exceptions =
            vec![Exception { rule: "needed".to_owned(), why: "It is so.".to_owned() }];
        assert_eq!(package.tally().failed, 1);
        let needed = SurveyedAddon::finding("needed", Severity::Error, "it is so");
        package.addons[0].audit.findings.push(needed);
        assert_eq!(package.tally().failed, 0);
    }

    #[test]
    fn the_rule_about_abis_must_agree_with_the_loads() {
        let mut package = package(&[&[ProbeOutcome::OtherNode("another Node".to_owned())]]);
        package.addons[0].loads[0].has_abi = false;
        assert!(package.abi_disagreement().is_some(), "no error");
        package.findings.push(SurveyedAddon::finding(ABI_RULE, Severity::Error, "it is so"));
        assert!(package.abi_disagreement().is_none());
        package.addons[0].loads[0].has_abi = true;
        assert!(package.abi_disagreement().is_some(), "an error, though a Node has the ABI");
        assert!(Rule::by_id(ABI_RULE).is_some_and(|rule| rule.stops_loading));
    }

    #[test]
    fn an_unreadable_file_is_a_failure() {
        let package = SurveyedPackage { unreadable: vec!["x.node: is damaged".to_owned()], ..package(&[]) };
        assert_eq!(package.tally().failed, 1);
    }

    #[test]
    fn each_load_is_a_line_of_fields() {
        let text =
            package(&[&[ProbeOutcome::Loads, ProbeOutcome::Fails("does not return".to_owned())]]).lines();
        let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[1][2..], ["x.node", "", "Node 1", "does not return"]);
    }
}
