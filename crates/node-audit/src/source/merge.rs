//! The last step: merges the results of all jobs in the order of the given paths.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::candidate::Member;
use super::explore::Explored;
use super::job_result::JobResult;
use super::linked_by;
use super::package::{Package, PackageRoot};
use super::package_api;
use crate::addon::Addon;
use crate::addon_signs::has_addon_signs;
use crate::error::AuditError;
use crate::package_contents::PackageContents;
use crate::printable::display_path;

/// The addons and packages of the given paths.
pub(crate) struct Sources {
    /// The addons, in the order of the given paths, and sorted by path within each given path.
    pub(crate) addons: Vec<Addon>,
    /// The packages that addons belong to, and the packages that should have an addon.
    pub(crate) packages: Vec<PackageContents>,
    /// The files that could not be read.
    pub(crate) failures: Vec<AuditError>,
}

/// A given path, its contents, and the results of its jobs.
pub(super) struct Step<'a> {
    pub(super) path: &'a Path,
    pub(super) explored: Explored,
    pub(super) results: Vec<JobResult>,
}

impl Step<'_> {
    /// Returns the folders of the packages that the audit checks even if no addon belongs to them.
    fn roots(&self) -> impl Iterator<Item = &PackageRoot> {
        let roots = self.explored.roots.iter().chain(self.results.iter().flat_map(|result| &result.roots));
        roots.map(|package| &package.root)
    }
}

/// Merges the steps.
///
/// Addons and their packages keep the order of the paths and jobs. The failures of the first step come first, then the
/// failures of the jobs, then an error for each path without an addon; each failure appears once.
pub(super) fn merge(steps: Vec<Step<'_>>) -> Sources {
    let scopes: Vec<PathBuf> = steps.iter().filter_map(|step| step.explored.scope.clone()).collect();
    let packages = Packages::of(&steps, &scopes);
    let empty = steps.iter().filter(|step| !packages.has_contents(step));
    let empty: Vec<AuditError> = empty.map(|step| packages.no_addon(step)).collect();
    let packages = packages.into_contents();
    let mut addons = Vec::new();
    let (mut failures, mut job_failures) = (Vec::new(), Vec::new());
    for Step { explored, results, .. } in steps {
        failures.extend(explored.failures);
        for result in results {
            addons.extend(result.addons);
            job_failures.extend(result.failures);
        }
    }
    linked_by::add(&mut addons);
    package_api::add(&mut addons);
    failures.extend(job_failures);
    failures.extend(empty);
    let mut seen = BTreeSet::new();
    failures.retain(|failure: &AuditError| seen.insert(failure.to_string()));
    Sources { addons, packages, failures }
}

/// The packages of all steps that concern addons: first the packages of the addons, then the other packages.
struct Packages<'a> {
    contents: Vec<PackageContents>,
    /// The folders of these packages.
    roots: BTreeSet<&'a PackageRoot>,
    /// The folders of the packages without any sign of an addon.
    plain: BTreeSet<&'a PackageRoot>,
}

impl<'a> Packages<'a> {
    fn of(steps: &'a [Step<'_>], scopes: &[PathBuf]) -> Packages<'a> {
        let mut all: Vec<(&PackageRoot, PackageContents)> = Vec::new();
        let mut positions = BTreeMap::new();
        let mut position = |package: &'a Package, all: &mut Vec<(&'a PackageRoot, PackageContents)>| {
            *positions.entry(&package.root).or_insert_with(|| {
                all.push((&package.root, package.contents()));
                all.len() - 1
            })
        };
        let results = || steps.iter().flat_map(|step| &step.results);
        // If a package contains a given path, the audit reads only a part of the package.
        let is_whole = |member: &&Member| match &member.package.root {
            PackageRoot::Disk(root) => scopes.iter().any(|scope| root.starts_with(scope)),
            PackageRoot::Archive { .. } => true,
        };
        for member in results().flat_map(|result| &result.members).filter(is_whole) {
            let position = position(&member.package, &mut all);
            all[position].1.addons.push(member.addon.clone());
        }
        let explored = steps.iter().flat_map(|step| &step.explored.roots);
        for package in explored.chain(results().flat_map(|result| &result.roots)) {
            position(package, &mut all);
        }
        let plain = all.iter().filter(|(_, contents)| !has_addon_signs(contents));
        let plain = plain.map(|(root, _)| *root).collect();
        all.retain(|(_, contents)| contents.concerns_addons());
        let roots = all.iter().map(|(root, _)| *root).collect();
        Packages { contents: all.into_iter().map(|(_, contents)| contents).collect(), roots, plain }
    }

    /// Returns whether a given path leads to an addon, a failure, or a package that should have an addon.
    fn has_contents(&self, step: &Step<'_>) -> bool {
        let Step { explored, results, .. } = step;
        explored.has_contents
            || results.iter().any(|result| !result.addons.is_empty() || !result.failures.is_empty())
            || step.roots().any(|root| self.roots.contains(root))
    }

    /// Returns the error for a path without contents.
    fn no_addon(&self, step: &Step<'_>) -> AuditError {
        let (file, links) = (display_path(step.path), step.explored.links);
        let mut roots = step.roots().peekable();
        let is_modules = roots.peek().is_none() && step.path.ends_with("node_modules");
        let is_plain = roots.peek().is_some() && roots.all(|root| self.plain.contains(root));
        match links == 0 && (is_modules || is_plain) {
            true => AuditError::NothingToCheck { file, is_modules },
            false => AuditError::NoAddon { file, links },
        }
    }

    fn into_contents(self) -> Vec<PackageContents> {
        self.contents
    }
}
