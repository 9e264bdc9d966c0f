//! npm tarballs: read twice, first for what is in them and then for the addons; nothing is written to disk.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::read::MultiGzDecoder;

use super::entries::{self, Kind};
use super::found::{Found, Looked, Surroundings};
use super::is_addon;
use super::known::Known;
use super::package::{self, Package, Root};
use crate::beside::Files;
use crate::error::AuditError;
use crate::manifest::Manifest;
use crate::policy::Policy;
use crate::{MAX_FILE, Progress};

/// The largest package.json that is read, in bytes: 1 MiB.
pub(crate) const MAX_MANIFEST: u64 = 1 << 20;
/// The most memory for names and package.json texts, in bytes: 64 MiB.
const MAX_LISTED: u64 = 64 << 20;

/// The most addons; packages have some hundred. What is said of the smallest takes 10 KB.
const MAX_ADDONS: usize = 10_000;

/// Whether a file is an archive, by its first bytes.
pub(super) fn is_archive(start: &[u8]) -> bool {
    start.starts_with(&GZIP) || start.get(257..262) == Some(b"ustar")
}

const GZIP: [u8; 2] = [0x1f, 0x8b];

/// What is in an archive, but for the addons' content.
struct Listing {
    files: Arc<Files>,
    /// By folder.
    manifests: BTreeMap<String, Vec<u8>>,
    addons: usize,
}

impl Listing {
    fn around(&self, folder: &str) -> Surroundings {
        Surroundings::Archive { files: Arc::clone(&self.files), directory: folder.to_owned() }
    }
}

pub(super) fn audit(
    path: &Path,
    policy: &Policy,
    known: &Known,
    progress: &dyn Progress,
) -> Result<Looked, AuditError> {
    let problem = |damage| AuditError::Archive { file: crate::error::name(path), damage };
    let listing = list(path)?.map_err(problem)?;
    progress.found(listing.addons);
    let mut packages = Packages { archive: path, listing: &listing, known: BTreeMap::new() };
    let mut looked = Looked::default();
    let mut seen = 0;
    let visited = entries::each(open(path)?, |entry, kind, size, content| {
        if kind != Kind::File || !is_addon(entry) {
            return Ok(());
        }
        seen += 1;
        let shown = inside(path, entry);
        let folder = entry.rsplit_once('/').map_or("", |(folder, _)| folder);
        let package = packages.of(folder, &mut looked.failures);
        let found = Found::new(&shown, entry, package, listing.around(folder));
        if size > MAX_FILE {
            looked.add(&found, Err(AuditError::TooLarge { file: crate::error::name(&shown) }));
            return Ok(());
        }
        let mut bytes = Vec::new();
        let length = usize::try_from(size).unwrap_or_default();
        bytes.try_reserve_exact(length).map_err(|error| error.to_string())?;
        content.read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        looked.add(&found, found.hold(&bytes, policy, known));
        progress.done();
        Ok(())
    });
    visited.map_err(problem)?;
    if seen != listing.addons {
        return Err(problem("it changed while it was read".to_owned()));
    }
    // The package itself lies in the one folder on top.
    let tops: BTreeSet<&str> =
        listing.files.names().iter().filter_map(|file| file.split('/').next()).collect();
    for top in tops {
        if listing.manifests.contains_key(top) {
            looked.roots.extend(packages.of(top, &mut looked.failures));
        }
    }
    looked.files.sort_by(|one, other| one.report.file.cmp(&other.report.file));
    Ok(looked)
}

fn list(path: &Path) -> Result<Result<Listing, String>, AuditError> {
    let mut files = BTreeSet::new();
    let mut manifests = BTreeMap::new();
    let mut addons = 0;
    let mut left = MAX_LISTED;
    let result = entries::each(open(path)?, |entry, kind, size, content| {
        let manifest = entry.rsplit('/').next() == Some("package.json");
        if kind == Kind::Special && (manifest || is_addon(entry)) {
            return Err(format!("the entry {} is a link or no file, which npm does not pack", shown(entry)));
        }
        if kind != Kind::File {
            return Ok(());
        }
        if !files.insert(entry.to_owned()) && (manifest || is_addon(entry)) {
            return Err(format!("it has the entry {} twice, of which npm keeps the last", shown(entry)));
        }
        addons += usize::from(is_addon(entry));
        if addons > MAX_ADDONS {
            return Err(format!("it has more than {MAX_ADDONS} addons"));
        }
        let mut cost = entry.len() as u64;
        if manifest {
            if size > MAX_MANIFEST {
                return Err(format!("the entry {} is larger than {} KiB", shown(entry), MAX_MANIFEST >> 10));
            }
            cost += size;
            let mut text = Vec::new();
            content.read_to_end(&mut text).map_err(|error| error.to_string())?;
            let folder = entry.rsplit_once('/').map_or("", |(folder, _)| folder);
            manifests.insert(folder.to_owned(), text);
        }
        left = left.checked_sub(cost).ok_or_else(|| {
            format!("its names and package.json files take more than {} MiB", MAX_LISTED >> 20)
        })?;
        Ok(())
    });
    Ok(result.map(|()| Listing { files: Arc::new(Files::new(files)), manifests, addons }))
}

fn shown(entry: &str) -> String {
    crate::error::printable(entry.as_bytes())
}

fn open(path: &Path) -> Result<Box<dyn Read>, AuditError> {
    let unreadable = |source| AuditError::Unreadable { file: crate::error::name(path), source };
    let start = start(path)?;
    let file = BufReader::new(File::open(path).map_err(unreadable)?);
    Ok(if start.starts_with(&GZIP) { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) })
}

/// The first block of a file.
pub(super) fn start(path: &Path) -> Result<Vec<u8>, AuditError> {
    let mut start = Vec::new();
    let read = |file: File| -> io::Result<usize> { file.take(512).read_to_end(&mut start) };
    File::open(path)
        .and_then(read)
        .map_err(|source| AuditError::Unreadable { file: crate::error::name(path), source })?;
    Ok(start)
}

/// `pkg.tgz:package/x.node`
fn inside(archive: &Path, entry: &str) -> PathBuf {
    let mut name = OsString::from(archive);
    name.push(":");
    name.push(entry);
    PathBuf::from(name)
}

/// The packages of an archive, by folder; each is read once.
struct Packages<'a> {
    archive: &'a Path,
    listing: &'a Listing,
    known: BTreeMap<String, Option<Arc<Manifest>>>,
}

impl Packages<'_> {
    /// The nearest from a folder upwards, up to a node_modules.
    fn of(&mut self, folder: &str, failures: &mut Vec<AuditError>) -> Option<Package> {
        let mut nearest: Option<Package> = None;
        let mut folder = folder;
        loop {
            if folder == "node_modules" || folder.ends_with("/node_modules") {
                return nearest;
            }
            if let Some(manifest) = self.read(folder, failures) {
                let root = Root::Archive { archive: self.archive.to_path_buf(), folder: folder.to_owned() };
                let file = inside(self.archive, &format!("{folder}/package.json"));
                let surroundings = self.listing.around(folder);
                let package = Package { root, file, manifest, surroundings };
                if package::is_named(&package.manifest) {
                    return Some(package);
                }
                nearest = nearest.or(Some(package));
            }
            match folder.rsplit_once('/') {
                Some((outer, _)) => folder = outer,
                None => return nearest,
            }
        }
    }

    fn read(&mut self, folder: &str, failures: &mut Vec<AuditError>) -> Option<Arc<Manifest>> {
        if let Some(known) = self.known.get(folder) {
            return known.clone();
        }
        let manifest = match Manifest::parse(self.listing.manifests.get(folder)?) {
            Ok(manifest) => Some(Arc::new(manifest)),
            Err(source) => {
                let file = inside(self.archive, &format!("{folder}/package.json"));
                failures.push(AuditError::Manifest { file: crate::error::name(&file), source });
                None
            }
        };
        self.known.insert(folder.to_owned(), manifest.clone());
        manifest
    }
}
