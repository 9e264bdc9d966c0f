//! An addon that was found: what its names say, and how it is held against the rules.

use std::path::Path;
use std::sync::Arc;

use super::Audited;
use super::known::Known;
use super::package::{Package, Root};
use crate::beside::{Beside, Files, Folder};
use crate::error::AuditError;
use crate::facts::{Details, Facts};
use crate::platform::{Claim, Cpu, Os, Said};
use crate::policy::Policy;
use crate::report::Report;
use crate::rules::PackageAddon;

/// What a job found.
#[derive(Default)]
pub(super) struct Looked {
    pub(super) files: Vec<Audited>,
    pub(super) failures: Vec<AuditError>,
    /// Addons as their packages see them, those that cannot be read as well.
    pub(super) members: Vec<(Package, PackageAddon)>,
    /// Packages to look at even if no addon belongs to them.
    pub(super) roots: Vec<Package>,
}

impl Looked {
    pub(super) fn add(&mut self, found: &Found<'_>, audited: Result<Audited, AuditError>) {
        let facts = audited.as_ref().map(|audited| audited.facts.as_slice()).unwrap_or_default();
        if let Some(package) = &found.package {
            let Said { claim, conflicts, .. } = &found.said;
            let addon = PackageAddon {
                path: crate::error::printable(found.path.as_bytes()),
                claim: claim.clone().or_else(|| own(facts)),
                conflicts: conflicts.clone(),
            };
            self.members.push((package.clone(), addon));
        }
        match audited {
            Ok(audited) => self.files.push(audited),
            Err(error) => self.failures.push(error),
        }
    }
}

/// An addon that was found, before it is looked at.
pub(super) struct Found<'a> {
    /// How it is shown.
    shown: &'a Path,
    /// Its path, from the folder of its package on, with `/` between the parts.
    path: String,
    said: Said,
    package: Option<Package>,
    surroundings: Surroundings,
}

impl<'a> Found<'a> {
    /// Takes the whole path, with `/` between the parts.
    pub(super) fn new(
        shown: &'a Path,
        whole: &str,
        package: Option<Package>,
        surroundings: Surroundings,
    ) -> Found<'a> {
        let path = package.as_ref().map_or(whole, |package| package.root.relative(whole)).to_owned();
        let said = Said::new(&path, package.as_ref().map(|package| &*package.manifest));
        Found { shown, path, said, package, surroundings }
    }

    pub(super) fn hold(&self, content: &[u8], policy: &Policy, known: &Known) -> Result<Audited, AuditError> {
        let facts = crate::read_facts(self.shown, content)?;
        if !known.has_room(facts.iter().map(Facts::weight).sum()) {
            return Err(AuditError::TooMuch { file: crate::error::name(self.shown) });
        }
        let mut audited = Audited {
            report: Report::default(),
            facts,
            claim: None,
            abi: self.said.abi,
            package: self.package.as_ref().map(|package| Arc::clone(&package.manifest)),
            path: self.shown.to_path_buf(),
            surroundings: self.surroundings.clone(),
        };
        audited.claim = self.said.claim.clone().or_else(|| self.of_system(&audited.facts));
        audited.report = audited.held_against(policy.claim.as_ref().or(audited.claim.as_ref()), policy);
        Ok(audited)
    }
}

impl Found<'_> {
    /// The claim of a package that names one system and no processor, as fsevents is for macOS.
    ///
    /// Not of those for Linux: what lies there may have been compiled on this machine.
    fn of_system(&self, facts: &[Facts]) -> Option<Claim> {
        let manifest = &self.package.as_ref()?.manifest;
        let own = own(facts).filter(|own| own.os != Os::Linux)?;
        (manifest.cpu.is_empty() && manifest.os == [own.os.name()]).then_some(own)
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

/// How an addon on disk is held; its content is read later.
pub(super) fn on_disk<'a>(path: &'a Path, package: Option<Package>, known: &Known) -> Found<'a> {
    let folder = path.parent().unwrap_or(Path::new(""));
    // Its own name, even if it is a link; links on the way there are followed, as for the package.
    let real = std::fs::canonicalize(if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
    let real = real.ok().zip(path.file_name()).map(|(folder, file)| folder.join(file));
    let whole = real.as_deref().filter(|_| package.is_some()).unwrap_or(path);
    Found::new(path, &slashes(whole), package, Surroundings::Disk(known.folder(folder)))
}

/// With `/` between the parts, on Windows as well.
fn slashes(path: &Path) -> String {
    path.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/")
}

/// What lies around an addon.
#[derive(Debug, Clone)]
pub(super) enum Surroundings {
    /// The folder that it is in.
    Disk(Arc<Folder>),
    Archive {
        files: Arc<Files>,
        directory: String,
    },
}

impl Surroundings {
    pub(super) fn beside(&self) -> Beside<'_> {
        match self {
            Surroundings::Disk(directory) => Beside::Disk(directory),
            Surroundings::Archive { files, directory } => Beside::Archive { files, directory },
        }
    }
}

impl Root {
    /// A path from this folder on.
    pub(super) fn relative<'a>(&self, path: &'a str) -> &'a str {
        let root = match self {
            Root::Disk(folder) => slashes(folder),
            Root::Archive { folder, .. } => folder.clone(),
        };
        path.strip_prefix(root.as_str()).map_or(path, |rest| rest.trim_start_matches('/'))
    }
}
