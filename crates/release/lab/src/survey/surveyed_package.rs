//! One package of the survey: node-audit reads its tarball, and real Nodes load its addons.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::slice;

use anyhow::Result;
use machine::Workspace;
use machine::report::Tally;
use node_audit::{Finding, Policy};
use rayon::prelude::*;

use super::packages::{ListedPackage, Pin};
use super::surveyed_addon::{Load, SurveyedAddon};

/// A package, audited and loaded.
pub(super) struct SurveyedPackage {
    pub(super) listed: ListedPackage,
    /// The findings about the package as a whole.
    findings: Vec<Finding>,
    pub(super) addons: Vec<SurveyedAddon>,
    /// The errors of files that node-audit could not read.
    unreadable: Vec<String>,
}

/// Audits the package's tarball, and loads its addons from the package's folder, several at a time.
pub(super) fn survey_package(workspace: &Workspace, listed: ListedPackage) -> Result<SurveyedPackage> {
    let package = listed.install(workspace)?;
    let audit = node_audit::audit_paths(slice::from_ref(&package.tarball), &Policy::default(), &());
    let addons = audit.files.into_par_iter().map(|file| SurveyedAddon::new(workspace, &package, file));
    Ok(SurveyedPackage {
        listed,
        findings: audit.packages.into_iter().flat_map(|package| package.report.findings).collect(),
        addons: addons.collect::<Result<_>>()?,
        unreadable: audit.failures.iter().map(ToString::to_string).collect(),
    })
}

impl SurveyedPackage {
    /// The findings about the package and about each addon.
    pub(super) fn all_findings(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().chain(self.addons.iter().flat_map(|addon| &addon.audit.findings))
    }

    /// The reasons of Nodes that cannot be started.
    pub(super) fn skipped(&self) -> BTreeSet<&String> {
        self.addons.iter().flat_map(|addon| &addon.skipped).collect()
    }

    /// Counts the addons whose verdicts agree with their loads, and prints and counts the others. An addon without a relevant
    /// load counts as skipped.
    pub(super) fn tally(&self) -> Tally {
        let title = self.listed.pin.title();
        let mut tally = Tally { skipped: self.skipped().into_iter().cloned().collect(), ..Tally::default() };
        let mut without_node = 0;
        for addon in &self.addons {
            if let Some(why) = addon.disagreement() {
                eprintln!("disagreement: {title}: {why}");
                tally.failed += 1;
            } else if addon.relevant_loads().next().is_some() {
                tally.passed += 1;
            } else {
                without_node += 1;
            }
        }
        for why in &self.unreadable {
            eprintln!("unreadable: {title}: {why}");
            tally.failed += 1;
        }
        tally.note = format!("{} loads", self.addons.iter().map(|addon| addon.loads.len()).sum::<usize>());
        if without_node > 0 {
            tally.skipped.push(format!("{without_node} for no Node of this machine"));
        }
        tally
    }

    /// Returns a line for each load: package, version, addon, platform, Node, outcome.
    pub(super) fn lines(&self) -> String {
        let Pin { name, version, .. } = &self.listed.pin;
        let mut text = String::new();
        for SurveyedAddon { audit, loads, .. } in &self.addons {
            let (file, platform) = (&audit.file, audit.platform.as_deref().unwrap_or_default());
            for Load { runtime, outcome } in loads {
                let outcome = outcome.text();
                let _ = writeln!(text, "{name}\t{version}\t{file}\t{platform}\t{runtime}\t{outcome}");
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::super::packages::packages;
    use super::super::probe::ProbeOutcome;
    use super::*;

    impl SurveyedPackage {
        /// The first package of the list, with other addons.
        pub(in super::super) fn with(addons: Vec<SurveyedAddon>) -> Self {
            let listed = packages(&Workspace::find().unwrap()).unwrap().remove(0);
            Self { listed, findings: Vec::new(), addons, unreadable: Vec::new() }
        }
    }

    fn package(addons: &[&[ProbeOutcome]]) -> SurveyedPackage {
        let addons = addons.iter().map(|outcomes| SurveyedAddon::with(Vec::new(), outcomes));
        SurveyedPackage::with(addons.collect())
    }

    #[test]
    fn an_addon_that_no_node_loaded_does_not_count_as_passed() {
        let (loads, hangs) = (ProbeOutcome::Loads, ProbeOutcome::Fails("does not return".to_owned()));
        let other = ProbeOutcome::OtherNode("another Node".to_owned());
        let tally = package(&[&[loads, other.clone()], &[hangs], &[other], &[]]).tally();
        assert_eq!((tally.passed, tally.failed), (1, 1));
        assert_eq!(tally.skipped, ["2 for no Node of this machine"]);
        assert_eq!(tally.note, "4 loads");
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
