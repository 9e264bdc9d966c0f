//! Reads npm tarballs in two passes: first the names and package.json files, then the addons. Writes nothing to disk.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::archive::Archive;
use super::archive_libraries;
use super::archive_packages::{ArchivePackages, Listing};
use super::candidate::Candidate;
use super::entries::{self, EntryContent, EntryKind};
use super::input::{folder_of, is_addon};
use super::job_result::JobResult;
use super::shared::Shared;
use crate::error::AuditError;
use crate::javascript::JavaScript;
use crate::limits::{MAX_ARCHIVE_ADDONS, MAX_FILE, MAX_LISTED, MAX_MANIFEST, MAX_SCRIPT};
use crate::neighbours::ArchiveFiles;
use crate::printable::{display_path, printable};

/// Reads the addons and packages of an archive.
pub(super) fn read(archive: &Archive, shared: &Shared<'_>) -> Result<JobResult, AuditError> {
    let path = archive.name();
    let damaged = |damage| AuditError::Archive { file: display_path(path), damage };
    let Listed { listing, addons } = list(archive)?.map_err(damaged)?;
    shared.progress.found(addons);
    let path_of = |entry: &str| path_in_archive(path, entry);
    let mut packages = ArchivePackages::new(path, &listing, &path_of);
    let mut result = JobResult::default();
    let mut seen = 0;
    let mut candidates = Vec::new();
    let scripts = listing.script_files();
    let mut javascript = BTreeMap::new();
    let visited = entries::for_each(archive.open()?, |entry| {
        if let Some(path) = scripts.get(entry.path)
            && entry.kind == EntryKind::File
            && entry.size <= MAX_SCRIPT
        {
            let mut content = Vec::new();
            entry.content.read_to_end(&mut content).map_err(|error| error.to_string())?;
            javascript.insert(entry.path.to_owned(), JavaScript::read(path, &content));
            return Ok(());
        }
        if entry.kind != EntryKind::File || !is_addon(entry.path) {
            return Ok(());
        }
        seen += 1;
        let folder = folder_of(entry.path);
        let package = packages.nearest(folder, &mut result.failures);
        let candidate =
            Candidate::new(path_in_archive(path, entry.path), entry.path, package, listing.place(folder));
        if entry.size > MAX_FILE {
            let file = display_path(&candidate.path);
            result.add(&candidate, Err(AuditError::TooLarge { file }));
            return Ok(());
        }
        let mut content = Vec::new();
        let length = usize::try_from(entry.size).unwrap_or_default();
        content.try_reserve_exact(length).map_err(|error| error.to_string())?;
        entry.content.read_to_end(&mut content).map_err(|error| error.to_string())?;
        if !candidate.is_not_an_addon(&content) {
            result.add(&candidate, shared.read(&candidate, &content));
            candidates.push(candidate);
        }
        shared.progress.done();
        Ok(())
    });
    visited.map_err(damaged)?;
    if seen != addons {
        let source = io::Error::other("the archive changed while node-audit read it; run node-audit again");
        return Err(AuditError::Unreadable { file: display_path(path), source });
    }
    archive_libraries::add(archive, &candidates, &mut result.addons, shared)?;
    listing.files.set_javascript(javascript);
    for top in listing.tops() {
        result.roots.extend(packages.nearest(top, &mut result.failures));
    }
    result.addons.sort_by_cached_key(|addon| display_path(&addon.path));
    Ok(result)
}

/// The contents of an archive, and the number of its addons.
struct Listed {
    listing: Listing,
    addons: usize,
}

fn list(archive: &Archive) -> Result<Result<Listed, String>, AuditError> {
    let mut lister = Lister { left: MAX_LISTED, ..Lister::default() };
    let listed = entries::for_each(archive.open()?, |entry| lister.add(entry));
    let Lister { files, manifests, addons, .. } = lister;
    let listing = Listing { files: Arc::new(ArchiveFiles::new(files)), manifests };
    Ok(listed.map(|()| Listed { listing, addons }))
}

/// A listing that grows by one entry at a time.
#[derive(Default)]
struct Lister {
    files: BTreeSet<String>,
    manifests: BTreeMap<String, Vec<u8>>,
    addons: usize,
    /// The bytes of memory that names and package.json files may still take.
    left: u64,
}

impl Lister {
    fn add(&mut self, entry: EntryContent<'_>) -> Result<(), String> {
        let EntryContent { path, kind, size, content } = entry;
        let is_manifest = path.rsplit('/').next() == Some("package.json");
        let is_read = is_manifest || is_addon(path);
        let name = || printable(path.as_bytes());
        if kind == EntryKind::Special && is_read {
            return Err(format!(
                "the entry {} is a link or another special file, which npm does not pack",
                name()
            ));
        }
        if kind != EntryKind::File {
            return Ok(());
        }
        if !self.files.insert(path.to_owned()) && is_read {
            return Err(format!("the archive has the entry {} twice, and npm keeps the last one", name()));
        }
        self.addons += usize::from(is_addon(path));
        if self.addons > MAX_ARCHIVE_ADDONS {
            return Err(format!("the archive has more than {MAX_ARCHIVE_ADDONS} addons"));
        }
        let mut cost = path.len() as u64;
        if is_manifest {
            if size > MAX_MANIFEST {
                return Err(format!("the entry {} is larger than {} KiB", name(), MAX_MANIFEST >> 10));
            }
            cost += size;
            let mut text = Vec::new();
            content.read_to_end(&mut text).map_err(|error| error.to_string())?;
            self.manifests.insert(folder_of(path).to_owned(), text);
        }
        self.left = self.left.checked_sub(cost).ok_or_else(|| {
            format!("the names and package.json files take more than {} MiB", MAX_LISTED >> 20)
        })?;
        Ok(())
    }
}

/// Returns the path under which the audit reports an entry: `pkg.tgz:package/x.node`.
fn path_in_archive(archive: &Path, entry: &str) -> PathBuf {
    let mut name = OsString::from(archive);
    name.push(":");
    name.push(entry);
    PathBuf::from(name)
}
