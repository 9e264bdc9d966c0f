//! npm tarballs, read twice: first for their names and package.json files, then for the addons. Nothing is written to disk.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::read::MultiGzDecoder;

use super::candidate::Candidate;
use super::entries::{self, EntryContent, EntryKind};
use super::input::{self, is_addon};
use super::job_result::JobResult;
use super::package::{Package, PackageRoot};
use super::place::Place;
use super::shared::Shared;
use crate::error::AuditError;
use crate::format::ArchiveFormat;
use crate::limits::{MAX_ARCHIVE_ADDONS, MAX_FILE, MAX_LISTED, MAX_MANIFEST};
use crate::manifest::Manifest;
use crate::neighbours::ArchiveFiles;
use crate::printable::{display_path, printable};

/// The contents of an archive, without the content of the addons.
struct ArchiveListing {
    files: Arc<ArchiveFiles>,
    /// The package.json files, by folder.
    manifests: BTreeMap<String, Vec<u8>>,
    addons: usize,
}

impl ArchiveListing {
    fn place(&self, folder: &str) -> Place {
        Place::Archive { files: Arc::clone(&self.files), directory: folder.to_owned() }
    }
}

/// Reads the addons and packages of an archive.
pub(super) fn read(path: &Path, shared: &Shared<'_>) -> Result<JobResult, AuditError> {
    let damaged = |damage| AuditError::Archive { file: display_path(path), damage };
    let listing = list(path)?.map_err(damaged)?;
    shared.progress.found(listing.addons);
    let mut packages = ArchivePackages { archive: path, listing: &listing, parsed: BTreeMap::new() };
    let mut result = JobResult::default();
    let mut seen = 0;
    let visited = entries::for_each(open(path)?, |entry| {
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
        result.add(&candidate, shared.read(&candidate, &content));
        shared.progress.done();
        Ok(())
    });
    visited.map_err(damaged)?;
    if seen != listing.addons {
        return Err(damaged("the archive changed while it was read".to_owned()));
    }
    // npm puts the package itself into the one folder on top.
    let tops: BTreeSet<&str> =
        listing.files.names().iter().filter_map(|file| file.split('/').next()).collect();
    for top in tops {
        if listing.manifests.contains_key(top) {
            result.roots.extend(packages.nearest(top, &mut result.failures));
        }
    }
    result.addons.sort_by_cached_key(|addon| display_path(&addon.path));
    Ok(result)
}

fn list(path: &Path) -> Result<Result<ArchiveListing, String>, AuditError> {
    let mut lister = Lister { left: MAX_LISTED, ..Lister::default() };
    let listed = entries::for_each(open(path)?, |entry| lister.add(entry));
    let Lister { files, manifests, addons, .. } = lister;
    Ok(listed.map(|()| ArchiveListing { files: Arc::new(ArchiveFiles::new(files)), manifests, addons }))
}

/// A listing that grows by an entry at a time.
#[derive(Default)]
struct Lister {
    files: BTreeSet<String>,
    manifests: BTreeMap<String, Vec<u8>>,
    addons: usize,
    /// Bytes of memory that names and package.json files may still take.
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

fn open(path: &Path) -> Result<Box<dyn Read>, AuditError> {
    let format = ArchiveFormat::of(&input::start(path)?);
    let file = File::open(path)
        .map(BufReader::new)
        .map_err(|source| AuditError::Unreadable { file: display_path(path), source })?;
    Ok(match format {
        Some(ArchiveFormat::Gzip) => Box::new(MultiGzDecoder::new(file)),
        _ => Box::new(file),
    })
}

/// Returns the folder of an entry.
fn folder_of(entry: &str) -> &str {
    entry.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Returns the path under which an entry is reported: `pkg.tgz:package/x.node`.
fn path_in_archive(archive: &Path, entry: &str) -> PathBuf {
    let mut name = OsString::from(archive);
    name.push(":");
    name.push(entry);
    PathBuf::from(name)
}

/// The packages of an archive, each parsed once.
struct ArchivePackages<'a> {
    archive: &'a Path,
    listing: &'a ArchiveListing,
    /// By folder.
    parsed: BTreeMap<String, Option<Arc<Manifest>>>,
}

impl ArchivePackages<'_> {
    /// Returns the nearest package with a name, from a folder upwards to a node_modules. A package.json without a name
    /// counts only if no other is found.
    fn nearest(&mut self, folder: &str, failures: &mut Vec<AuditError>) -> Option<Arc<Package>> {
        let mut unnamed: Option<Arc<Package>> = None;
        let mut folder = folder;
        loop {
            if folder == "node_modules" || folder.ends_with("/node_modules") {
                return unnamed;
            }
            if let Some(manifest) = self.parse(folder, failures) {
                let root =
                    PackageRoot::Archive { archive: self.archive.to_path_buf(), folder: folder.to_owned() };
                let package =
                    Package { root, file: self.file(folder), manifest, place: self.listing.place(folder) };
                let package = Arc::new(package);
                if package.is_named() {
                    return Some(package);
                }
                unnamed = unnamed.or(Some(package));
            }
            match folder.rsplit_once('/') {
                Some((outer, _)) => folder = outer,
                None => return unnamed,
            }
        }
    }

    fn parse(&mut self, folder: &str, failures: &mut Vec<AuditError>) -> Option<Arc<Manifest>> {
        if let Some(parsed) = self.parsed.get(folder) {
            return parsed.clone();
        }
        let manifest = match Manifest::parse(self.listing.manifests.get(folder)?) {
            Ok(manifest) => Some(Arc::new(manifest)),
            Err(source) => {
                failures.push(AuditError::Manifest { file: display_path(&self.file(folder)), source });
                None
            }
        };
        self.parsed.insert(folder.to_owned(), manifest.clone());
        manifest
    }

    fn file(&self, folder: &str) -> PathBuf {
        path_in_archive(self.archive, &format!("{folder}/package.json"))
    }
}
