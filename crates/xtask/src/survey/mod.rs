//! `cargo xtask survey`: node-audit's verdict on published packages, held against real Nodes.

mod addons;
mod loads;
mod packages;
mod table;
mod verdict;

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::Args;
use node_audit::{Finding, Report as Audit};

use crate::paths::Workspace;
use crate::process;
use crate::report::{self, Report, Tally};
use packages::{Package, Pin};
use verdict::Load;

/// What is surveyed, and where the results go.
#[derive(Args)]
pub(crate) struct Options {
    /// Only packages whose names contain this; may be repeated
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Puts the table of findings into node-audit's README
    #[arg(long, conflicts_with = "only")]
    write: bool,
    /// Writes each load as a line: package, version, addon, platform, Node, outcome
    #[arg(long, value_name = "FILE")]
    loads: Option<PathBuf>,
}

/// A package, audited and loaded.
pub(crate) struct Surveyed {
    /// Which.
    pub(crate) pin: Pin,
    /// What it is, in a few words.
    pub(crate) what: String,
    /// What was found of the package as a whole.
    pub(crate) whole: Vec<Finding>,
    /// Its addons.
    pub(crate) addons: Vec<Addon>,
    /// What node-audit could not read.
    pub(crate) unread: Vec<String>,
    /// Nodes that were not there.
    pub(crate) skipped: Vec<String>,
}

/// An addon, audited and loaded.
pub(crate) struct Addon {
    /// What was found, for the platform that it claims.
    pub(crate) audit: Audit,
    /// What came of it, in each Node of that platform that can be had here.
    pub(crate) loads: Vec<Load>,
}

/// Surveys each package, one after another. Whether every verdict agrees with what the Nodes did.
pub(crate) fn survey(workspace: &Workspace, options: &Options) -> Result<bool> {
    let packages = chosen(packages::list(workspace)?, &options.only)?;
    let mut report = Report::default();
    let mut surveyed = Vec::new();
    for package in &packages {
        let started = Instant::now();
        let title = package.pin.title();
        let tally = match addons::survey(workspace, package) {
            Ok(done) => {
                let tally = done.tally();
                surveyed.push(done);
                tally
            }
            Err(error) => {
                eprintln!("error: {title}: {error:#}");
                Tally::failed(process::brief(&error))
            }
        };
        report.add(&title, tally, started.elapsed());
    }
    if let Some(path) = &options.loads {
        fs::write(path, lines(&surveyed)).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    if options.write {
        if !report.is_success() || surveyed.iter().any(|package| !package.skipped.is_empty()) {
            report::print(&report.to_string())?;
            bail!(
                "the README was not changed: every package must be read and every Node be there for its table"
            );
        }
        table::write(workspace, &table::markdown(&surveyed))?;
    }
    report::print(&report.to_string())?;
    Ok(report.is_success())
}

impl Surveyed {
    /// What was found, in the whole and in each addon.
    pub(crate) fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.whole.iter().chain(self.addons.iter().flat_map(|addon| &addon.audit.findings))
    }

    /// Addons whose verdicts agree with the Nodes, and those that do not, which are printed. What no Node here is for
    /// was read, but agrees with nothing.
    fn tally(&self) -> Tally {
        let mut tally = Tally { skipped: self.skipped.clone(), ..Tally::default() };
        let mut only_read = 0;
        for addon in &self.addons {
            match verdict::disagreement(&addon.audit, &addon.loads) {
                Some(why) => {
                    eprintln!("disagreement: {}: {why}", self.pin.title());
                    tally.failed += 1;
                }
                None if addon.loads.iter().any(Load::is_held) => tally.passed += 1,
                None => only_read += 1,
            }
        }
        for why in &self.unread {
            eprintln!("unread: {}: {why}", self.pin.title());
            tally.failed += 1;
        }
        let loads: usize = self.addons.iter().map(|addon| addon.loads.len()).sum();
        tally.note = format!("{loads} loads");
        if only_read > 0 {
            tally.skipped.push(format!("{only_read} for no Node here"));
        }
        tally
    }
}

fn chosen(all: Vec<Package>, only: &[String]) -> Result<Vec<Package>> {
    if let Some(unknown) =
        only.iter().find(|part| !all.iter().any(|package| package.pin.name.contains(*part)))
    {
        bail!("no package of the survey has `{unknown}` in its name");
    }
    let wanted = |package: &Package| {
        only.is_empty() || only.iter().any(|part| package.pin.name.contains(part.as_str()))
    };
    Ok(all.into_iter().filter(wanted).collect())
}

fn lines(surveyed: &[Surveyed]) -> String {
    let mut text = String::new();
    for package in surveyed {
        let Pin { name, version, .. } = &package.pin;
        for addon in &package.addons {
            let (file, platform) = (&addon.audit.file, addon.audit.platform.as_deref().unwrap_or_default());
            for Load { runtime, outcome } in &addon.loads {
                let _ =
                    writeln!(text, "{name}\t{version}\t{file}\t{platform}\t{runtime}\t{}", outcome.text());
            }
        }
    }
    text
}

#[cfg(test)]
impl Surveyed {
    /// The first package of the list, with other addons.
    fn of(addons: Vec<Addon>) -> Self {
        let Package { pin, what, .. } = packages::list(&Workspace::find().unwrap()).unwrap().remove(0);
        Self { pin, what, whole: Vec::new(), addons, unread: Vec::new(), skipped: Vec::new() }
    }
}

#[cfg(test)]
impl Addon {
    fn of(findings: Vec<Finding>, outcomes: &[loads::Outcome]) -> Self {
        let load = |outcome: &loads::Outcome| Load { runtime: "Node 1".to_owned(), outcome: outcome.clone() };
        let audit = Audit { file: "x.node".to_owned(), platform: None, findings };
        Self { audit, loads: outcomes.iter().map(load).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::survey::loads::Outcome;

    fn surveyed(addons: &[&[Outcome]]) -> Surveyed {
        Surveyed::of(addons.iter().map(|outcomes| Addon::of(Vec::new(), outcomes)).collect())
    }

    #[test]
    fn what_was_not_loaded_does_not_count_as_passed() {
        let other = Outcome::OtherNode("another Node".to_owned());
        let tally = surveyed(&[&[Outcome::Loads, other.clone()], &[Outcome::Hangs], &[other], &[]]).tally();
        assert_eq!((tally.passed, tally.failed), (1, 1));
        assert_eq!(tally.skipped, ["2 for no Node here"]);
        assert_eq!(tally.note, "4 loads");
    }

    #[test]
    fn what_could_not_be_read_is_a_failure() {
        let package = Surveyed { unread: vec!["x.node: is damaged".to_owned()], ..surveyed(&[]) };
        assert_eq!(package.tally().failed, 1);
    }

    #[test]
    fn each_load_is_a_line_of_fields() {
        let text = lines(&[surveyed(&[&[Outcome::Loads, Outcome::Hangs]])]);
        let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[1][2..], ["x.node", "", "Node 1", "does not return"]);
    }
}
