//! What is given to look at: addons, folders and npm tarballs.

mod entries;
mod folder;
mod found;
mod known;
mod package;
mod tarball;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use crate::error::{AuditError, name};
use crate::facts::Facts;
use crate::finding::Severity;
use crate::manifest::Manifest;
use crate::platform::Claim;
use crate::policy::Policy;
use crate::report::Report;
use crate::rules::{self, Context, PackageAddon, PackageSubject};
pub(crate) use folder::DEEPEST;
use found::{Looked, Surroundings, on_disk};
use known::Known;
use package::{Package, Root};
pub(crate) use tarball::MAX_MANIFEST;

/// Everything that was found at some paths.
#[derive(Debug, Default)]
pub struct Audit {
    /// The packages that addons belong to, or that promise one; in the order of `files`.
    pub packages: Vec<AuditedPackage>,
    /// The addons: in the order of the paths, and sorted by path within one of them.
    pub files: Vec<Audited>,
    /// What could not be looked at.
    pub failures: Vec<AuditError>,
}

/// A package, and what is wrong with it as a whole.
#[derive(Debug)]
pub struct AuditedPackage {
    /// Its package.json.
    pub manifest: Arc<Manifest>,
    /// What the rules for packages found; its file is the package.json.
    pub report: Report,
}

/// An addon, and what it was held against.
#[derive(Debug)]
pub struct Audited {
    /// What the rules found.
    pub report: Report,
    /// What it says of itself: an element for each processor.
    pub facts: Vec<Facts>,
    /// The platform that its names and its package claim, whatever the policy says.
    pub claim: Option<Claim>,
    /// The ABI of Node (NODE_MODULE_VERSION) that its name claims.
    pub abi: Option<u32>,
    /// The package that it belongs to.
    pub package: Option<Arc<Manifest>>,
    path: PathBuf,
    surroundings: Surroundings,
}

/// Told how far an audit is; `()` tells nobody.
pub trait Progress: Sync {
    /// So many more addons are to be looked at.
    fn found(&self, addons: usize) {
        let _ = addons;
    }

    /// One of them was.
    fn done(&self) {}
}

impl Progress for () {}

/// Looks at .node files, folders and npm tarballs, several at a time.
pub fn audit_paths(paths: &[PathBuf], policy: &Policy, progress: &dyn Progress) -> Audit {
    let mut jobs = Vec::new();
    let disk = Known::default();
    let mut audit = Audit::default();
    let mut roots = Vec::new();
    let mut known = BTreeSet::new();
    let mut scopes = Vec::new();
    let mut links = BTreeMap::new();
    let mut empty: BTreeSet<usize> = (0..paths.len()).collect();
    for (position, path) in paths.iter().enumerate() {
        match kind(path) {
            Ok(Kind::Addon) => {
                empty.remove(&position);
                jobs.extend(known.insert(path.clone()).then(|| Job::addon(position, path)));
            }
            Ok(Kind::Archive) => {
                if known.insert(path.clone()) {
                    jobs.push(Job { archive: true, ..Job::addon(position, path) });
                } else {
                    empty.remove(&position);
                }
            }
            Ok(Kind::Folder) => {
                let listing = folder::list(path);
                links.insert(position, listing.links);
                scopes.extend(std::fs::canonicalize(path));
                if !listing.addons.is_empty() || !listing.failures.is_empty() {
                    empty.remove(&position);
                }
                audit.failures.extend(listing.failures);
                for folder in listing.gyp.iter().chain([path]) {
                    match disk.nearest(folder) {
                        Ok(package) => roots.extend(
                            package.filter(|package| is_root(package, folder)).map(|root| (position, root)),
                        ),
                        Err(error) => audit.failures.push(error),
                    }
                }
                let new = listing.addons.into_iter().filter(|addon| known.insert(addon.clone()));
                jobs.extend(new.map(|addon| Job::addon(position, &addon)));
            }
            Err(error) => {
                empty.remove(&position);
                audit.failures.push(error);
            }
        }
    }
    progress.found(jobs.iter().filter(|job| !job.archive).count());
    let looked = run(&jobs, |job| job.run(policy, &disk, progress));
    let mut members = Vec::new();
    for (job, looked) in jobs.iter().zip(looked) {
        if !looked.files.is_empty() || !looked.failures.is_empty() {
            empty.remove(&job.position);
        }
        audit.files.extend(looked.files);
        audit.failures.extend(looked.failures);
        members.extend(looked.members);
        roots.extend(looked.roots.into_iter().map(|root| (job.position, root)));
    }
    // Of a package that lies around what is looked at, only a part was seen.
    members.retain(|(package, _)| match &package.root {
        Root::Disk(root) => scopes.iter().any(|scope| root.starts_with(scope)),
        Root::Archive { .. } => true,
    });
    audit.packages = packages(&members, &roots, policy, &mut empty);
    for (position, path) in paths.iter().enumerate().filter(|(position, _)| empty.contains(position)) {
        let links = links.get(&position).copied().unwrap_or_default();
        audit.failures.push(AuditError::NoAddon { file: name(path), links });
    }
    let mut told = BTreeSet::new();
    audit.failures.retain(|failure| told.insert(failure.to_string()));
    audit
}

/// Runs jobs in parallel, in their order.
fn run(jobs: &[Job], run: impl Fn(&Job) -> Looked + Sync) -> Vec<Looked> {
    let light = |job: &Job| if job.is_heavy() { Looked::default() } else { run(job) };
    let mut looked: Vec<Looked> = jobs.par_iter().map(light).collect();
    // As many files are in memory as there are threads, which is too much of the largest.
    let mut heavy: Vec<(&Job, &mut Looked)> =
        jobs.iter().zip(&mut looked).filter(|(job, _)| job.is_heavy()).collect();
    for group in heavy.chunks_mut(HEAVY_AT_ONCE) {
        group.par_iter_mut().for_each(|(job, looked)| **looked = run(job));
    }
    looked
}

/// Looks at one addon on disk.
pub(crate) fn audit_file(path: &Path, policy: &Policy) -> Result<Audited, AuditError> {
    let content = crate::read(path)?;
    let disk = Known::default();
    let package = disk.nearest(path.parent().unwrap_or(Path::new("")))?;
    on_disk(path, package, &disk).hold(&content, policy, &disk)
}

impl Audit {
    /// What the rules found in each addon, and in each package where they found something.
    #[must_use]
    pub fn reports(&self) -> Vec<Report> {
        let packages = self.packages.iter().map(|package| &package.report);
        let broken = packages.filter(|report| !report.findings.is_empty());
        broken.chain(self.files.iter().map(|file| &file.report)).cloned().collect()
    }

    /// Whether a rule found an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        let packages = self.packages.iter().map(|package| &package.report);
        packages
            .chain(self.files.iter().map(|file| &file.report))
            .any(|report| report.count(Severity::Error) > 0)
    }
}

impl Audited {
    /// Holds the addon against another platform or other limits than before.
    #[must_use]
    pub fn held_against(&self, claim: Option<&Claim>, policy: &Policy) -> Report {
        let context = Context {
            package: self.package.as_deref(),
            beside: self.surroundings.beside(),
            abi: self.abi,
            policy,
        };
        Report::new(&self.path, &self.facts, claim, context)
    }
}

enum Kind {
    Addon,
    Archive,
    Folder,
}

fn kind(path: &Path) -> Result<Kind, AuditError> {
    let metadata =
        std::fs::metadata(path).map_err(|source| AuditError::Unreadable { file: name(path), source })?;
    if metadata.is_dir() {
        return Ok(Kind::Folder);
    }
    // Not to be opened, since that may wait for ever: the audit says what it is.
    if !metadata.is_file() || path.extension().is_some_and(|extension| extension == "node") {
        return Ok(Kind::Addon);
    }
    let start = tarball::start(path)?;
    let called = [".tgz", ".tar.gz", ".tar"].iter().any(|end| path.to_string_lossy().ends_with(end));
    match (tarball::is_archive(&start), called) {
        (true, _) => Ok(Kind::Archive),
        (false, false) => Ok(Kind::Addon),
        (false, true) if start.is_empty() => Err(AuditError::Empty { file: name(path) }),
        (false, true) => {
            let damage = "it begins neither as gzip nor as tar does".to_owned();
            Err(AuditError::Archive { file: name(path), damage })
        }
    }
}

/// Whether a file is one that Node opens as an addon, by its path.
fn is_addon(path: &str) -> bool {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.len() > ".node".len() && file.ends_with(".node")
}

/// From this length on a file is heavy, in bytes: 64 MiB. An archive may hold one.
const HEAVY: u64 = 64 << 20;
/// How many heavy files are in memory at a time.
const HEAVY_AT_ONCE: usize = 4;

/// One addon, or one archive.
struct Job {
    /// Which of the paths it comes from.
    position: usize,
    path: PathBuf,
    archive: bool,
    /// Its length when it was found, in bytes.
    length: u64,
}

impl Job {
    fn addon(position: usize, path: &Path) -> Job {
        let length = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        Job { position, path: path.to_path_buf(), archive: false, length }
    }

    fn is_heavy(&self) -> bool {
        self.archive || self.length > HEAVY
    }

    fn run(&self, policy: &Policy, disk: &Known, progress: &dyn Progress) -> Looked {
        if self.archive {
            let failed = |error| Looked { failures: vec![error], ..Looked::default() };
            return tarball::audit(&self.path, policy, disk, progress).unwrap_or_else(failed);
        }
        let mut looked = Looked::default();
        let package = disk.nearest(self.path.parent().unwrap_or(Path::new("")));
        // A broken package.json is told, and the addon looked at without it.
        let package = package.unwrap_or_else(|error| {
            looked.failures.push(error);
            None
        });
        let found = on_disk(&self.path, package, disk);
        let content = crate::read(&self.path);
        looked.add(&found, content.and_then(|content| found.hold(&content, policy, disk)));
        progress.done();
        looked
    }
}

/// Whether a package.json lies in a folder itself.
fn is_root(package: &Package, folder: &Path) -> bool {
    let real = std::fs::canonicalize(folder);
    matches!((&package.root, real), (Root::Disk(root), Ok(real)) if *root == real)
}

/// Holds each package against the rules for packages: those of the addons, and others that promise one.
///
/// A path with such a package in it is not `empty`.
fn packages(
    members: &[(Package, PackageAddon)],
    roots: &[(usize, Package)],
    policy: &Policy,
    empty: &mut BTreeSet<usize>,
) -> Vec<AuditedPackage> {
    let mut addons: BTreeMap<&Root, Vec<PackageAddon>> = BTreeMap::new();
    let mut order = Vec::new();
    let all = members.iter().map(|(package, addon)| (package, Some(addon)));
    for (package, addon) in all.chain(roots.iter().map(|(_, package)| (package, None))) {
        let known = addons.entry(&package.root).or_insert_with(|| {
            order.push(package);
            Vec::new()
        });
        known.extend(addon.cloned());
    }
    let mut positions: BTreeMap<&Root, BTreeSet<usize>> = BTreeMap::new();
    for (position, package) in roots {
        positions.entry(&package.root).or_default().insert(*position);
    }
    let mut audited = Vec::new();
    for package in order {
        let Some(addons) = addons.get(&package.root) else { continue };
        let files = package.surroundings.beside();
        let installed = package.root.is_installed();
        let subject = PackageSubject { manifest: &package.manifest, files, addons, installed };
        if addons.is_empty() && !rules::concerns_addons(&subject) {
            continue;
        }
        for position in positions.get(&package.root).into_iter().flatten() {
            empty.remove(position);
        }
        let report = Report::of_package(&package.file, &subject, policy);
        audited.push(AuditedPackage { manifest: Arc::clone(&package.manifest), report });
    }
    audited
}
