//! The survey compares node-audit's verdicts on published packages with real Nodes.

mod agreement;
mod packages;
mod probe;
mod surveyed_addon;
mod surveyed_main;
mod surveyed_package;
mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use machine::report::{Report, Tally};
use machine::{Workspace, one_line};

use self::packages::{LIST, ListedPackage};
use self::surveyed_package::{SurveyedPackage, survey_package};

/// The surveyed packages.
pub struct Survey {
    /// A row for each package. A package fails if a verdict and a Node disagree.
    pub report: Report,
    packages: Vec<SurveyedPackage>,
    /// `true` if the caller selected packages.
    is_selection: bool,
}

/// Surveys the packages one after another. If `only` is not empty, surveys only packages whose names contain one of its texts.
pub fn survey(workspace: &Workspace, only: &[String]) -> Result<Survey> {
    let mut report = Report::default();
    let mut packages = Vec::new();
    for package in select(packages::packages(workspace)?, only)? {
        let started = Instant::now();
        let title = package.pin.title();
        let surveyed = survey_package(workspace, package);
        let tally = surveyed.as_ref().map_or_else(
            |error| {
                eprintln!("error: {title}: {error:#}");
                Tally::failed(one_line(error))
            },
            SurveyedPackage::tally,
        );
        report.add(&title, tally, started.elapsed());
        packages.extend(surveyed);
    }
    Ok(Survey { report, packages, is_selection: !only.is_empty() })
}

impl Survey {
    /// Writes a line for each load, with package, version, addon, platform, Node and outcome, separated by tabs.
    pub fn write_loads(&self, file: &Path) -> Result<()> {
        let lines: String = self.packages.iter().map(SurveyedPackage::lines).collect();
        fs::write(file, lines).with_context(|| format!("cannot write {}", file.display()))
    }

    /// Writes the table of findings into the survey's README.
    ///
    /// # Errors
    ///
    /// Fails if a package failed or was not selected, or if a Node is missing.
    pub fn write_table(&self, workspace: &Workspace) -> Result<()> {
        let lacks_node = self.packages.iter().any(|package| !package.skipped().is_empty());
        ensure!(
            !self.is_selection && !lacks_node && self.report.is_success(),
            "cannot write the table of an incomplete survey: the survey's README needs every package and every Node; see the \
             report"
        );
        table::write(workspace, &self.packages)
    }
}

/// Returns the tarball of a version in the survey's list.
pub(crate) fn pinned_tarball(workspace: &Workspace, name: &str, version: &str) -> Result<PathBuf> {
    let packages = packages::packages(workspace)?;
    let pin =
        packages.iter().map(|package| &package.pin).find(|pin| pin.name == name && pin.version == version);
    pin.with_context(|| format!("{LIST} does not list {name}@{version}"))?.tarball(workspace)
}

fn select(mut packages: Vec<ListedPackage>, only: &[String]) -> Result<Vec<ListedPackage>> {
    let contains = |package: &ListedPackage, part: &String| package.pin.name.contains(part.as_str());
    for part in only {
        ensure!(
            packages.iter().any(|package| contains(package, part)),
            "no package of the survey has `{part}` in its name; see {LIST}"
        );
    }
    packages.retain(|package| only.is_empty() || only.iter().any(|part| contains(package, part)));
    Ok(packages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_selected_by_a_part_of_their_names() {
        let packages = packages::packages(&Workspace::find().unwrap()).unwrap();
        let select = |only: &[&str]| {
            let only: Vec<String> = only.iter().map(|&part| part.to_owned()).collect();
            select(packages.clone(), &only)
        };
        assert_eq!(select(&[]).unwrap(), packages);
        let name = &packages[1].pin.name;
        assert!(select(&[name]).unwrap().iter().all(|package| package.pin.name.contains(name)));
        let error = select(&[name, "no-such-package"]).unwrap_err().to_string();
        assert!(error.contains("`no-such-package`"), "{error}");
    }
}
