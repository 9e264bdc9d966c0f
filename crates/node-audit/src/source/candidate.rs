//! An addon that has not been read yet: its claims, its package, and its place.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk_cache::{DiskCache, or_current};
use super::libraries::{ReadLibrary, libraries};
use super::package::{Package, with_slashes};
use super::place::Place;
use crate::addon::Addon;
use crate::claim::Claim;
use crate::facts::{Details, Facts};
use crate::library::Library;
use crate::manifest::NamedAddon;
use crate::name_claims::NameClaims;
use crate::node_binding::NodeBinding;
use crate::not_addon::is_not_an_addon;
use crate::package_contents::PackageAddon;
use crate::platform::{Cpu, Os};
use crate::printable::printable;
use crate::readers::recognize;

/// An addon that has not been read yet.
pub(super) struct Candidate {
    /// The path under which the audit reports the addon.
    pub(super) path: PathBuf,
    /// The path relative to the folder of the package, with `/` between the parts.
    path_in_package: String,
    claims: NameClaims,
    package: Option<Arc<Package>>,
    place: Place,
}

impl Candidate {
    /// Returns the candidate of a file on disk.
    pub(super) fn on_disk(path: &Path, package: Option<Arc<Package>>, disk: &mut DiskCache) -> Candidate {
        let folder = path.parent().unwrap_or(Path::new(""));
        // The claims of a link come from its own name and folder, not from its target.
        let real = std::fs::canonicalize(or_current(folder)).ok();
        let real = real.zip(path.file_name()).map(|(folder, file)| folder.join(file));
        let whole = with_slashes(real.as_deref().filter(|_| package.is_some()).unwrap_or(path));
        Candidate::new(path.to_path_buf(), &whole, package, Place::Disk(disk.folder(folder)))
    }

    /// Returns a candidate; `whole` is its path on disk or in an archive, with `/` between the parts.
    pub(super) fn new(path: PathBuf, whole: &str, package: Option<Arc<Package>>, place: Place) -> Candidate {
        let path_in_package =
            package.as_ref().map_or(whole, |package| package.root.relative(whole)).to_owned();
        let claims = NameClaims::new(&path_in_package, package.as_ref().map(|package| &*package.manifest));
        Candidate { path, path_in_package, claims, package, place }
    }

    /// Returns whether the file was never an addon, despite its name.
    pub(super) fn is_not_an_addon(&self, content: &[u8]) -> bool {
        is_not_an_addon(&self.path_in_package, &self.claims, content) && !self.is_named()
    }

    /// Returns whether package.json names the file as an addon.
    fn is_named(&self) -> bool {
        let is_it = |addon: NamedAddon<'_>| addon.path.trim_start_matches("./") == self.path_in_package;
        self.package.as_ref().is_some_and(|package| package.manifest.named_addons().any(is_it))
    }

    /// Reads the addon.
    pub(super) fn read(&self, content: &[u8]) -> Addon {
        let (facts, damage) = match recognize(content) {
            Ok(facts) => (facts, None),
            Err(damage) => (Vec::new(), Some(damage)),
        };
        Addon {
            claim: self.claims.completed(&facts).or_else(|| self.claim_of_system(&facts)),
            abi: self.claims.abi.abi,
            binding: NodeBinding::of(&facts, self.claims.abi),
            package: self.package.as_ref().map(|package| Arc::clone(&package.manifest)),
            path: self.path.clone(),
            neighbours: self.place.neighbours_of_addon(&facts),
            libraries: Vec::new(),
            linked_by: Vec::new(),
            package_api: None,
            facts,
            damage,
        }
    }

    /// Returns the libraries that come with the addon and are loaded with it, for each element of its facts.
    pub(super) fn libraries(&self, addon: &Addon, read: &mut ReadLibrary<'_>) -> Vec<Vec<Library>> {
        let claimed = addon.claim.as_ref().and_then(|claim| claim.libc);
        addon.facts.iter().map(|part| libraries(&self.path, &self.place, part, claimed, read)).collect()
    }

    /// Returns whether the addon is on disk, where all libraries can be read in one step.
    pub(super) fn is_on_disk(&self) -> bool {
        matches!(self.place, Place::Disk(_))
    }

    /// Returns the addon as a member of its package, even if it could not be read.
    pub(super) fn member(&self, addon: Option<&Addon>) -> Option<Member> {
        let package = Arc::clone(self.package.as_ref()?);
        let NameClaims { abi, conflicts, .. } = &self.claims;
        let facts = addon.map_or(&[][..], |addon| &addon.facts);
        let claim = self.claims.completed(facts);
        let addon = PackageAddon {
            path: printable(self.path_in_package.as_bytes()),
            claim: claim.clone().or_else(|| own_platform(facts)),
            is_claimed: claim.is_some(),
            binding: NodeBinding::of(facts, *abi),
            linked: facts.first().and_then(|part| part.elf()?.libc),
            conflicts: conflicts.clone(),
        };
        Some(Member { package, addon })
    }

    /// Returns the claim of a package that names one system and no processor, as fsevents does for macOS.
    ///
    /// A package for Linux claims nothing in this way, since the addon may have been compiled on this machine.
    fn claim_of_system(&self, facts: &[Facts]) -> Option<Claim> {
        let manifest = &self.package.as_ref()?.manifest;
        let own = own_platform(facts).filter(|own| own.os != Os::Linux)?;
        (manifest.cpu.is_empty() && manifest.os == [own.os.name()]).then_some(own)
    }
}

/// An addon and its package.
pub(super) struct Member {
    pub(super) package: Arc<Package>,
    pub(super) addon: PackageAddon,
}

/// Returns the platform that an addon is for, if the content alone determines it.
fn own_platform(facts: &[Facts]) -> Option<Claim> {
    let first = facts.first()?;
    let (os, libc) = match &first.details {
        // Android and other systems also use ELF files.
        Details::Elf(elf) => (Os::Linux, Some(elf.libc?)),
        Details::MachO(_) => (Os::Darwin, None),
        Details::Pe(_) => (Os::Win32, None),
    };
    let cpus: Vec<Cpu> = facts.iter().filter_map(|part| part.cpu).collect();
    Claim::new(os, &cpus, libc)
}
