//! The first step: each given path leads to jobs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::candidate::Candidate;
use super::disk_cache::DiskCache;
use super::folder::{self, FolderListing};
use super::input::Input;
use super::job::{Job, Work};
use super::package::Package;
use crate::error::AuditError;

/// The contents of one given path, before the jobs run.
#[derive(Default)]
pub(super) struct Explored {
    /// The addons and archives that no earlier path leads to, sorted by path.
    pub(super) jobs: Vec<Job>,
    /// Packages that count even if no addon belongs to them.
    pub(super) roots: Vec<Arc<Package>>,
    /// Files that could not be read.
    pub(super) failures: Vec<AuditError>,
    /// The folder, without a link in its path.
    pub(super) scope: Option<PathBuf>,
    /// Links to folders outside.
    pub(super) links: usize,
    /// Whether the path leads to an addon or a failure, among them those of earlier paths.
    pub(super) has_contents: bool,
}

/// Explores each path.
pub(super) fn explore(paths: &[PathBuf]) -> Vec<Explored> {
    let mut explorer = Explorer::default();
    paths.iter().map(|path| explorer.explore(path)).collect()
}

#[derive(Default)]
struct Explorer {
    disk: DiskCache,
    /// The addons and archives of all paths so far.
    seen: BTreeSet<PathBuf>,
}

impl Explorer {
    fn explore(&mut self, path: &Path) -> Explored {
        match Input::of(path) {
            Ok(Input::Addon) => {
                let jobs = self.addon(path).into_iter().collect();
                Explored { jobs, has_contents: true, ..Explored::default() }
            }
            Ok(Input::Archive) => {
                let is_new = self.seen.insert(path.to_path_buf());
                let jobs = Vec::from_iter(is_new.then(|| Job::new(path, Work::Archive(path.to_path_buf()))));
                Explored { jobs, has_contents: !is_new, ..Explored::default() }
            }
            Ok(Input::Folder) => self.folder(path),
            Err(error) => Explored { failures: vec![error], has_contents: true, ..Explored::default() },
        }
    }

    fn folder(&mut self, path: &Path) -> Explored {
        let FolderListing { addons, gyp, links, mut failures } = folder::list(path);
        let has_contents = !addons.is_empty() || !failures.is_empty();
        let mut roots = Vec::new();
        for folder in gyp.iter().map(PathBuf::as_path).chain([path]) {
            match self.disk.package_at(folder) {
                Ok(package) => roots.extend(package),
                Err(error) => failures.push(error),
            }
        }
        let jobs = addons.iter().filter_map(|addon| self.addon(addon)).collect();
        Explored { jobs, roots, failures, scope: std::fs::canonicalize(path).ok(), links, has_contents }
    }

    /// Returns the job for an addon, unless an earlier path leads to it.
    fn addon(&mut self, path: &Path) -> Option<Job> {
        if !self.seen.insert(path.to_path_buf()) {
            return None;
        }
        // An addon with a broken package.json is audited without it.
        let (package, failure) = match self.disk.nearest(path.parent().unwrap_or(Path::new(""))) {
            Ok(package) => (package, None),
            Err(error) => (None, Some(error)),
        };
        let candidate = Candidate::on_disk(path, package, &mut self.disk);
        Some(Job::new(path, Work::Addon { candidate, failure }))
    }
}
