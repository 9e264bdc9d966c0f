//! The module of a main package, which loads an addon from another package. Nodes call `require()` on the module, and
//! node-audit's summary must agree with the result.

use std::fs;
use std::slice;

use anyhow::{Context, Result};
use machine::Workspace;
use node_audit::{Libc, Manifest, Os, Platform, Policy, Verdict};
use rayon::prelude::*;

use super::packages::{InstalledPackage, Pin};
use super::probe::{ProbeOutcome, probe};
use super::surveyed_addon::is_promised;
use crate::runtime::Runtime;

/// The summary's verdict and the loads of a module on one platform.
pub(super) struct SurveyedMain {
    /// The platform, such as `linux-x64-gnu`.
    platform: String,
    verdict: Verdict,
    /// The name of each Node, and the outcome of its load.
    loads: Vec<(String, ProbeOutcome)>,
    /// The reasons why Nodes cannot start.
    pub(super) skipped: Vec<String>,
}

/// Calls `require()` on an installed package in the Nodes on glibc. Skips the Nodes on musl: a loader recognises musl by system
/// files, and these Nodes see the files of this machine.
pub(super) fn survey_main(
    workspace: &Workspace,
    package: &InstalledPackage,
    pin: &Pin,
) -> Result<Vec<SurveyedMain>> {
    let mut platforms = Vec::new();
    for target in node_targets::targets() {
        let platform = Platform::from(target);
        if (platform.os, platform.libc) == (Os::Linux, Some(Libc::Glibc)) {
            let runtimes = Runtime::pinned(workspace, target)?;
            platforms.push(SurveyedMain::new(workspace, package, pin, platform, runtimes)?);
        }
    }
    Ok(platforms)
}

impl SurveyedMain {
    fn new(
        workspace: &Workspace,
        package: &InstalledPackage,
        pin: &Pin,
        platform: Platform,
        mut runtimes: Vec<Runtime>,
    ) -> Result<Self> {
        let policy = Policy { claim: Some(platform.into()), ..Policy::default() };
        let paths = slice::from_ref(&package.modules);
        let audit = node_audit::audit_paths(paths, &policy, &());
        let summaries = node_audit::summarize(paths, &audit, &policy);
        let summary = summaries.into_iter().find(|summary| summary.package == pin.title());
        let verdict = summary.and_then(|summary| summary.verdicts.into_iter().next());
        let (_, verdict) = verdict.with_context(|| {
            format!("node-audit's summary of the installed package lacks {}", pin.title())
        })?;
        let manifest = Manifest::parse(
            &fs::read(package.root.join("package.json")).context("cannot read the package.json")?,
        )?;
        runtimes.retain(|runtime| is_promised(manifest.node.as_deref(), &runtime.node));
        let missing = Runtime::missing_each(workspace, &runtimes);
        let startable = runtimes.par_iter().zip(&missing).filter(|(_, missing)| missing.is_none());
        let load = |runtime: &Runtime| Ok((runtime.name(), probe(workspace, runtime, &package.root)?));
        let loads = startable.map(|(runtime, _)| load(runtime)).collect::<Result<_>>()?;
        let skipped = missing.into_iter().flatten().collect();
        Ok(Self { platform: platform.to_string(), verdict, loads, skipped })
    }

    /// Returns whether every Node loads the module, or `None` without a Node.
    pub(super) fn loads(&self) -> Option<bool> {
        (!self.loads.is_empty())
            .then(|| self.loads.iter().all(|(_, outcome)| *outcome == ProbeOutcome::Loads))
    }

    /// Returns a table cell with the platform and the outcome.
    pub(super) fn cell(&self) -> String {
        let count = self.loads.len();
        let failed = self.loads.iter().filter(|(_, outcome)| *outcome != ProbeOutcome::Loads).count();
        let outcome = match failed {
            0 => format!("loads, {count} of {count}"),
            _ => format!("fails, {failed} of {count}"),
        };
        format!("{}: {outcome}", self.platform)
    }

    /// Returns a description if the summary contradicts the Nodes.
    pub(super) fn disagreement(&self) -> Option<String> {
        let Self { platform, verdict, loads, .. } = self;
        let is_said_to_load = match verdict {
            Verdict::Loads { .. } => true,
            Verdict::Fails { .. } | Verdict::NotInstalled { .. } | Verdict::Missing => false,
            _ => return None,
        };
        if self.loads()? == is_said_to_load {
            return None;
        }
        let loads: Vec<String> =
            loads.iter().map(|(runtime, outcome)| format!("{runtime}: {}", outcome.text())).collect();
        Some(format!("{platform}: the summary says {verdict:?}, but {}", loads.join("; ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_must_agree_with_the_nodes() {
        let (loads, fails) = (ProbeOutcome::Loads, ProbeOutcome::Fails("no".to_owned()));
        let said = Verdict::Loads { nodes: None };
        let script = Verdict::Script { script: "node-gyp rebuild".to_owned() };
        for (verdict, outcomes, agrees) in [
            (&said, vec![&loads, &loads], true),
            (&said, vec![&loads, &fails], false),
            (&said, vec![], true),
            (&Verdict::Missing, vec![&fails], true),
            (&Verdict::Missing, vec![&loads], false),
            (&script, vec![&fails], true),
        ] {
            let loads = outcomes.into_iter().map(|outcome| ("Node 1".to_owned(), outcome.clone()));
            let main = SurveyedMain {
                platform: "linux-x64-gnu".to_owned(),
                verdict: verdict.clone(),
                loads: loads.collect(),
                skipped: Vec::new(),
            };
            assert_eq!(main.disagreement().is_none(), agrees, "{verdict:?} {:?}", main.loads);
        }
    }
}
