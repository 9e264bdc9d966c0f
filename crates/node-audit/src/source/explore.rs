//! The first step: finds the jobs for each given path, archive or package.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::archive::Archive;
use super::candidate::Candidate;
use super::disk_cache::DiskCache;
use super::folder::{self, FolderListing};
use super::given::Given;
use super::input::Input;
use super::job::{Job, Work};
use super::package::Package;
use super::packed::{Packed, packed};
use crate::error::AuditError;

/// The contents of one given path, before the jobs run.
#[derive(Default)]
pub(super) struct Explored {
    /// The addons and archives that no earlier given path leads to, sorted by path.
    pub(super) jobs: Vec<Job>,
    /// The packages that the audit checks even if no addon belongs to them.
    pub(super) roots: Vec<Arc<Package>>,
    /// The files that could not be read.
    pub(super) failures: Vec<AuditError>,
    /// The canonical path of the folder.
    pub(super) scope: Option<PathBuf>,
    /// The number of links to folders outside the given folder.
    pub(super) links: usize,
    /// `true` if the path has a failure, or an addon that an earlier path also has.
    pub(super) has_contents: bool,
}

/// Explores everything that is given.
pub(super) fn explore(given: &[Given]) -> Vec<Explored> {
    let mut explorer = Explorer::default();
    given.iter().map(|given| explorer.explore(given)).collect()
}

#[derive(Default)]
struct Explorer {
    disk: DiskCache,
    /// The addons and archives of all paths so far.
    seen: BTreeSet<PathBuf>,
}

impl Explorer {
    fn explore(&mut self, given: &Given) -> Explored {
        match given {
            Given::Path(path) => self.path(path),
            Given::Tarball { name, content } => {
                let archive = Archive::Memory { name: name.clone(), content: Arc::clone(content) };
                Explored { jobs: vec![Job::new(name, Work::Archive(archive))], ..Explored::default() }
            }
            Given::Package { folder, files } => self.package(folder, files),
        }
    }

    fn path(&mut self, path: &Path) -> Explored {
        match Input::of(path) {
            Ok(Input::Addon) => {
                let jobs = self.addon(path, true).into_iter().collect();
                Explored { jobs, has_contents: true, ..Explored::default() }
            }
            Ok(Input::Archive) => {
                let is_new = self.seen.insert(path.to_path_buf());
                let archive = || Work::Archive(Archive::Disk(path.to_path_buf()));
                let jobs = Vec::from_iter(is_new.then(|| Job::new(path, archive())));
                Explored { jobs, has_contents: !is_new, ..Explored::default() }
            }
            Ok(Input::Folder) => self.folder(path),
            Err(error) => Explored { failures: vec![error], has_contents: true, ..Explored::default() },
        }
    }

    fn package(&mut self, folder: &Path, files: &[String]) -> Explored {
        let Packed { candidates, root, failures } = packed(folder, files);
        let (count, has_failures) = (candidates.len(), !failures.is_empty());
        let new = candidates.into_iter().filter(|candidate| self.seen.insert(candidate.path.clone()));
        let jobs: Vec<Job> = new
            .map(|candidate| {
                let path = candidate.path.clone();
                Job::new(
                    &path,
                    Work::Addon { candidate: Box::new(candidate), failure: None, is_given: false },
                )
            })
            .collect();
        Explored {
            // An addon without a job belongs to an earlier path.
            has_contents: jobs.len() < count || has_failures,
            jobs,
            roots: Vec::from_iter(root),
            failures,
            ..Explored::default()
        }
    }

    fn folder(&mut self, path: &Path) -> Explored {
        let FolderListing { addons, gyp, links, mut failures } = folder::list(path);
        let has_failures = !failures.is_empty();
        let mut roots = Vec::new();
        for folder in gyp.iter().map(PathBuf::as_path).chain([path]) {
            match self.disk.package_at(folder) {
                Ok(package) => roots.extend(package),
                Err(error) => failures.push(error),
            }
        }
        let jobs: Vec<Job> = addons.iter().filter_map(|addon| self.addon(addon, false)).collect();
        // An addon without a job belongs to an earlier path.
        let has_contents = jobs.len() < addons.len() || has_failures;
        Explored { jobs, roots, failures, scope: std::fs::canonicalize(path).ok(), links, has_contents }
    }

    /// Returns the job for an addon, unless an earlier path leads to the addon.
    fn addon(&mut self, path: &Path, is_given: bool) -> Option<Job> {
        if !self.seen.insert(path.to_path_buf()) {
            return None;
        }
        // The audit ignores a broken package.json, and still reads the addon.
        let (package, failure) = match self.disk.nearest(path.parent().unwrap_or(Path::new(""))) {
            Ok(package) => (package, None),
            Err(error) => (None, Some(error)),
        };
        let candidate = Box::new(Candidate::on_disk(path, package, &mut self.disk));
        Some(Job::new(path, Work::Addon { candidate, failure, is_given }))
    }
}
