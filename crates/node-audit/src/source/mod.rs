//! What is given to look at: addons, folders and npm tarballs.

mod entries;
mod folder;
mod package;
mod tarball;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use crate::beside::Beside;
use crate::error::{AuditError, name};
use crate::facts::{Details, Facts};
use crate::finding::Severity;
use crate::manifest::Manifest;
use crate::platform::{Claim, Cpu, Os, Said};
use crate::policy::Policy;
use crate::report::Report;
use crate::rules::{self, Context, PackageAddon, PackageSubject};
use package::{Package, Root};

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
    root: Option<Package>,
    inside: PackageAddon,
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
    let mut audit = Audit::default();
    let mut roots = Vec::new();
    let mut known = BTreeSet::new();
    let mut empty: BTreeSet<usize> = (0..paths.len()).collect();
    for (position, path) in paths.iter().enumerate() {
        match kind(path) {
            Ok(Kind::Addon) => {
                empty.remove(&position);
                jobs.extend(known.insert(path.clone()).then(|| Job::addon(position, path)));
            }
            Ok(Kind::Archive) => jobs.push(Job { position, path: path.clone(), archive: true }),
            Ok(Kind::Folder) => {
                let listing = folder::list(path);
                if !listing.addons.is_empty() || !listing.failures.is_empty() {
                    empty.remove(&position);
                }
                audit.failures.extend(listing.failures);
                for folder in listing.gyp.iter().chain([path]) {
                    match package::nearest(folder) {
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
    let looked: Vec<Looked> = jobs.par_iter().map(|job| job.run(policy, progress)).collect();
    for (job, looked) in jobs.iter().zip(looked) {
        if !looked.files.is_empty() || !looked.failures.is_empty() {
            empty.remove(&job.position);
        }
        audit.files.extend(looked.files);
        audit.failures.extend(looked.failures);
        roots.extend(looked.roots.into_iter().map(|root| (job.position, root)));
    }
    audit.packages = packages(&audit.files, roots, policy, &mut empty);
    let empty = empty.into_iter().filter_map(|position| paths.get(position));
    audit.failures.extend(empty.map(|path| AuditError::NoAddon { file: name(path) }));
    let mut told = BTreeSet::new();
    audit.failures.retain(|failure| told.insert(failure.to_string()));
    audit
}

/// Looks at one addon on disk.
pub(crate) fn audit_file(path: &Path, policy: &Policy) -> Result<Audited, AuditError> {
    let content = crate::read(path)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let package = package::nearest(folder)?;
    on_disk(path, &content, package, policy)
}

fn on_disk(
    path: &Path,
    content: &[u8],
    package: Option<Package>,
    policy: &Policy,
) -> Result<Audited, AuditError> {
    let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
    // Its own name, even if it is a link; links on the way there are followed, as for the package.
    let real = std::fs::canonicalize(if folder.as_os_str().is_empty() { Path::new(".") } else { &folder });
    let real = real.ok().zip(path.file_name()).map(|(folder, file)| folder.join(file));
    let file = real.as_deref().filter(|_| package.is_some()).unwrap_or(path);
    // A path on Windows.
    let file = file.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/");
    let found = Found { shown: path, path: &file, package, surroundings: Surroundings::Disk(folder) };
    found.hold(content, policy)
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

/// One addon, or one archive.
struct Job {
    /// Which of the paths it comes from.
    position: usize,
    path: PathBuf,
    archive: bool,
}

impl Job {
    fn addon(position: usize, path: &Path) -> Job {
        Job { position, path: path.to_path_buf(), archive: false }
    }

    fn run(&self, policy: &Policy, progress: &dyn Progress) -> Looked {
        if self.archive {
            let failed = |error| Looked { failures: vec![error], ..Looked::default() };
            return tarball::audit(&self.path, policy, progress).unwrap_or_else(failed);
        }
        let mut looked = Looked::default();
        match crate::read(&self.path) {
            Ok(content) => {
                let package = package::nearest(self.path.parent().unwrap_or(Path::new("")));
                // A broken package.json is told, and the addon looked at without it.
                let package = package.unwrap_or_else(|error| {
                    looked.failures.push(error);
                    None
                });
                match on_disk(&self.path, &content, package, policy) {
                    Ok(audited) => looked.files.push(audited),
                    Err(error) => looked.failures.push(error),
                }
            }
            Err(error) => looked.failures.push(error),
        }
        progress.done();
        looked
    }
}

/// What a job found.
#[derive(Default)]
struct Looked {
    files: Vec<Audited>,
    failures: Vec<AuditError>,
    /// Packages to look at even if no addon belongs to them.
    roots: Vec<Package>,
}

/// An addon that was found, before it is looked at.
struct Found<'a> {
    /// How it is shown.
    shown: &'a Path,
    /// Its whole path, `/` between the parts.
    path: &'a str,
    package: Option<Package>,
    surroundings: Surroundings,
}

impl Found<'_> {
    fn hold(self, content: &[u8], policy: &Policy) -> Result<Audited, AuditError> {
        let Found { shown, path, package, surroundings } = self;
        let facts = crate::read_facts(shown, content)?;
        let path = package.as_ref().map_or(path, |package| package.root.relative(path));
        let said = Said::new(path, package.as_ref().map(|package| &*package.manifest));
        let claim = policy.claim.as_ref().or(said.claim.as_ref());
        let manifest = package.as_ref().map(|package| Arc::clone(&package.manifest));
        let context =
            Context { package: manifest.as_deref(), beside: surroundings.beside(), abi: said.abi, policy };
        let report = Report::new(shown, &facts, claim, context);
        let Said { claim, abi, conflicts } = said;
        let inside = PackageAddon {
            path: crate::error::printable(path.as_bytes()),
            claim: claim.clone().or_else(|| own(&facts)),
            conflicts,
        };
        let path = shown.to_path_buf();
        Ok(Audited {
            report,
            facts,
            claim,
            abi,
            package: manifest,
            path,
            surroundings,
            root: package,
            inside,
        })
    }
}

/// What an addon without a claim is itself, where that is certain.
fn own(facts: &[Facts]) -> Option<Claim> {
    let first = facts.first()?;
    let (os, libc) = match &first.details {
        // Android and others have ELF files as well.
        Details::Elf(elf) => (Os::Linux, Some(elf.libc?)),
        Details::MachO(_) => (Os::Darwin, None),
        Details::Pe(_) => (Os::Win32, None),
    };
    let cpus: Vec<Cpu> = facts.iter().filter_map(|part| part.cpu).collect();
    Claim::new(os, &cpus, libc)
}

impl Root {
    /// A path from this folder on.
    fn relative<'a>(&self, path: &'a str) -> &'a str {
        let root = match self {
            Root::Disk(folder) => folder.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/"),
            Root::Archive { folder, .. } => folder.clone(),
        };
        path.strip_prefix(root.as_str()).map_or(path, |rest| rest.trim_start_matches('/'))
    }
}

/// What lies around an addon.
#[derive(Debug, Clone)]
enum Surroundings {
    /// The folder that it is in.
    Disk(PathBuf),
    Archive {
        files: Arc<BTreeSet<String>>,
        directory: String,
    },
}

impl Surroundings {
    fn beside(&self) -> Beside<'_> {
        match self {
            Surroundings::Disk(directory) => Beside::Disk(directory),
            Surroundings::Archive { files, directory } => Beside::Archive { files, directory },
        }
    }
}

/// Whether a package.json lies in a folder itself.
fn is_root(package: &Package, folder: &Path) -> bool {
    let real = std::fs::canonicalize(folder);
    matches!((&package.root, real), (Root::Disk(root), Ok(real)) if *root == real)
}

/// Holds each package against the rules for packages: those of the addons, and others that promise one.
fn packages(
    files: &[Audited],
    roots: Vec<(usize, Package)>,
    policy: &Policy,
    empty: &mut BTreeSet<usize>,
) -> Vec<AuditedPackage> {
    let mut all: BTreeMap<&Root, (&Package, Vec<PackageAddon>)> = BTreeMap::new();
    let mut order = Vec::new();
    for file in files {
        let Some(package) = &file.root else { continue };
        let (_, addons) = all.entry(&package.root).or_insert_with(|| {
            order.push(&package.root);
            (package, Vec::new())
        });
        addons.push(file.inside.clone());
    }
    for (_, package) in &roots {
        all.entry(&package.root).or_insert_with(|| {
            order.push(&package.root);
            (package, Vec::new())
        });
    }
    let mut audited = Vec::new();
    for root in order {
        let Some((package, addons)) = all.get(root) else { continue };
        let files = package.surroundings.beside();
        let subject = PackageSubject { manifest: &package.manifest, files, addons };
        if addons.is_empty() && !rules::concerns_addons(&subject) {
            continue;
        }
        for (position, other) in &roots {
            if other.root == *root {
                empty.remove(position);
            }
        }
        let report = Report::of_package(&package.file, &subject, policy);
        audited.push(AuditedPackage { manifest: Arc::clone(&package.manifest), report });
    }
    audited
}
